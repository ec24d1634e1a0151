"""Processes that stand at an update of a program, and which of them are kept asleep."""

import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nntui.program.control import wire
from nntui.program.control.client import checked

MOST_COPIES = 24
MEMORY = 128 << 20
"""Private bytes of all copies together; at least one copy is kept."""
AGAIN = 1.0
"""Seconds after which the memory of the last copy, which grows, is looked at again."""
FAR = 0.02
"""What is that part of the way behind the head counts as near."""


@dataclass
class Process:
    """A process of the program, which stands at ``update`` or runs from there."""

    line: socket.socket | None
    reader: int
    writer: int
    update: int = -1
    number: int = 0
    written: tuple[int, int] = (0, 0)
    memory: int = 0
    """The bytes that only it has, when that was measured last."""
    seeds: tuple[int | None, bool] = (None, False)
    folder: str | None = None
    """The files that it has written."""
    on_series: Callable[[dict[str, Any]], None] | None = None
    """Takes what updates leave behind; see `Series.take`."""
    changed: int = 0
    """How many changes of its variables were made in it."""

    def send(self, command: dict[str, Any]) -> None:
        wire.send(self.writer, command)

    def receive(self) -> dict[str, Any]:
        answer = checked(wire.receive(self.reader))
        if "pid" in answer:
            self.written = answer["written"][0], answer["written"][1]
            self.seeds = answer["seed"], answer["seeded_by_us"]
            if self.on_series is not None:
                self.on_series(answer["series"])
        return answer

    def received_copy(self, answer: dict[str, Any]) -> "Process":
        """The copy that ``answer`` announces; its socket follows."""
        assert self.line is not None
        _, sockets, _, _ = socket.recv_fds(self.line, 1, 1)
        if not sockets:
            raise wire.GoneError("the socket of a copy did not arrive")
        line = socket.socket(fileno=sockets[0])
        copy = Process(line, line.fileno(), line.fileno(), answer["copy"], answer["pid"])
        copy.written, copy.seeds, copy.folder = self.written, self.seeds, answer["folder"]
        copy.changed, copy.on_series = self.changed, self.on_series
        return copy

    def close(self) -> None:
        """Let it end: it reads the end of its line."""
        if self.line is not None:
            self.line.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class Copies:
    """Sleeping copies of a program, by update; the further back they are, the fewer are kept."""

    def __init__(self) -> None:
        self._kept: list[Process] = []
        self._looked = 0.0

    def __iter__(self) -> Iterator[Process]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def nearest(self, update: int) -> Process | None:
        """The last copy up to ``update``."""
        before = [each for each in self._kept if each.update <= update]
        return before[-1] if before else None

    def keep(self, copy: Process) -> None:
        """Keep ``copy`` asleep, and end what is too much then."""
        if any(each.update == copy.update for each in self._kept):
            copy.close()
            return
        self._kept.append(copy)
        self._kept.sort(key=lambda each: each.update)
        self._measure(self._kept.index(copy))
        self._thin_out()

    def look_again(self) -> None:
        """The program has run on since the last copy, which then shares less with it."""
        if time.monotonic() > self._looked + AGAIN:
            self._measure(len(self._kept) - 1)
            self._thin_out()

    def drop(self, copy: Process) -> None:
        """End ``copy``."""
        at = self._kept.index(copy)
        del self._kept[at]
        copy.close()
        self._measure(at)

    def clear(self) -> None:
        """End all."""
        for each in self._kept:
            each.close()
        self._kept = []

    def _thin_out(self) -> None:
        self._looked = time.monotonic()
        while len(self._kept) > 1 and (
            len(self._kept) > MOST_COPIES or sum(each.memory for each in self._kept) > MEMORY
        ):
            self.drop(self._kept[dispensable([each.update for each in self._kept])])

    def _measure(self, at: int) -> None:
        """Measure the copies around index ``at``: they share what has not changed between them."""
        for each in self._kept[max(at - 1, 0) : at + 1]:
            each.memory = private_memory(each.number)


def dispensable(updates: list[int]) -> int:
    """The index of the copy to do without, of copies at ``updates`` (in order).

    It is the one whose absence makes the smallest gap, measured by the distance from the head:
    gaps grow exponentially towards the start, up to a tenth or two of the way.  The first copy is
    kept while there are others.
    """
    head = updates[-1] + 1
    if len(updates) <= 2:
        return len(updates) - 1

    def cost(at: int) -> float:
        return (updates[at + 1] - updates[at - 1]) / (head - updates[at] + FAR * head)

    return min(range(1, len(updates) - 1), key=cost)


def private_memory(process: int) -> int:
    """The bytes of memory that only ``process`` has; 0 where the system does not say."""
    try:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            return 1024 * sum(_kilobytes(file, ("Private_Clean:", "Private_Dirty:")))
    except (OSError, ValueError):
        return 0


def _kilobytes(lines: Iterable[str], names: tuple[str, ...]) -> Iterable[int]:
    for line in lines:
        if line.startswith(names):
            yield int(line.split()[1])
