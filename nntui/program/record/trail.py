"""Where the recorded program is: the calls it is in, and the turns of the loops around it."""

from __future__ import annotations

from types import FrameType
from typing import Any

from .node import Path


class Call:
    """A call that the program is making itself, in a frame of its own."""

    __slots__ = ("arguments", "frame", "function", "keywords", "known", "loops", "path", "place")

    def __init__(
        self,
        frame: FrameType,
        place: int,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        path: Path,
        loops: list[list[Any]],
    ) -> None:
        self.frame, self.place, self.function = frame, place, function
        self.arguments, self.keywords = arguments, keywords
        self.path, self.loops = path, loops
        self.known = False


class Trail:
    """The path of what is being computed; counts how often a place was reached on it."""

    def __init__(self) -> None:
        self.path: Path = ()
        self.loops: list[list[Any]] = []  # number, turn, path outside
        self.calls: list[Call] = []
        self.counts: dict[tuple[Path, int, str], int] = {}

    def occurrence(self, place: int, operation: str) -> int:
        """How many values of this kind the place gave before, on the present path."""
        key = (self.path, place, operation)
        count = self.counts.get(key, 0)
        self.counts[key] = count + 1
        return count

    def turn(self, number: int) -> None:
        """A loop starts another turn."""
        loops = self.loops
        for depth in range(len(loops) - 1, -1, -1):
            if loops[depth][0] == number:
                del loops[depth + 1 :]
                loops[depth][1] += 1
                break
        else:
            loops.append([number, 0, self.path])
        _, turn, outside = loops[-1]
        self.path = (*outside, ("L", number, turn))

    def end(self, number: int) -> None:
        """A loop is over."""
        loops = self.loops
        for depth in range(len(loops) - 1, -1, -1):
            if loops[depth][0] == number:
                self.path = loops[depth][2]
                del loops[depth:]
                break

    def enter(
        self,
        frame: FrameType,
        place: int,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> Call:
        """The program calls something itself."""
        call = Call(frame, place, function, arguments, keywords, self.path, self.loops)
        self.calls.append(call)
        self.path = (*self.path, place)
        self.loops = []
        return call

    def leave(self, frame: FrameType) -> Call | None:
        """The latest call made by a frame is over; later ones were given up by an exception."""
        calls = self.calls
        while calls:
            call = calls.pop()
            if call.frame is frame:
                self.path, self.loops = call.path, call.loops
                return call
        return None

    def caught(self, frame: FrameType) -> None:
        """An exception has come back to a frame: the calls it was making are over."""
        for depth, call in enumerate(self.calls):
            if call.frame is frame:
                self.path, self.loops = call.path, call.loops
                del self.calls[depth:]
                return
