"""Where the recorded program is: the calls it is in, and the turns of the loops around it."""

from __future__ import annotations

from types import FrameType
from typing import Any

from nntui.program.record.node import Path


class Call:
    """A call that the program is making itself, in a frame of its own."""

    __slots__ = (
        "arguments",
        "failed",
        "foreign",
        "frame",
        "function",
        "keywords",
        "loops",
        "path",
        "place",
    )

    def __init__(
        self,
        frame: FrameType,
        place: int,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        path: Path,
        loops: list[list[Any]],
        foreign: bool,
    ) -> None:
        self.frame, self.place, self.function = frame, place, function
        self.arguments, self.keywords = arguments, keywords
        self.path, self.loops = path, loops
        self.foreign = foreign  # code that is not recorded
        self.failed = False  # it could not be recorded


class Trail:
    """The path of what is being computed; counts how often a place was reached on it."""

    def __init__(self) -> None:
        self.path: Path = ()
        self.loops: list[list[Any]] = []  # number, turn, path outside
        self.calls: list[Call] = []
        self.counts: dict[Path, dict[tuple[int, str], int]] = {}
        self.counted: Path = ()
        self.here: dict[tuple[int, str], int] = self.counts.setdefault((), {})

    def occurrence(self, place: int, operation: str) -> int:
        """How many values of this kind the place gave before, on the present path."""
        if self.counted is not self.path:
            self.counted = self.path
            self.here = self.counts.setdefault(self.path, {})
        here, key = self.here, (place, operation)
        count = here.get(key, 0)
        here[key] = count + 1
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
        foreign: bool = False,
    ) -> Call:
        """The program calls something itself."""
        call = Call(frame, place, function, arguments, keywords, self.path, self.loops, foreign)
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

    def caught(self, frame: FrameType, loop: int) -> None:
        """An exception has come back to a frame, within a loop of it, or -1.

        The calls it was making are over, and the loops within that loop.
        """
        for depth, call in enumerate(self.calls):
            if call.frame is frame:
                self.path, self.loops = call.path, call.loops
                del self.calls[depth:]
                break
        loops = self.loops
        while loops and loops[-1][0] != loop:
            self.path = loops.pop()[2]
        if loops:
            self.path = (*loops[-1][2], ("L", loops[-1][0], loops[-1][1]))

    def is_abroad(self) -> bool:
        """Whether code that is not recorded is running, and may call the program's."""
        return any(call.foreign for call in self.calls)
