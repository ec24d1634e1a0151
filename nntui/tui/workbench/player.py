"""Plays a run at a chosen speed, in slices between which keys and screen get their turns."""

import asyncio
import threading
from time import perf_counter, thread_time

from nntui.timeline.history.termination import DIVERGED, Termination, Trainable
from nntui.timeline.history.time_slices import TimeSlicer
from nntui.timeline.run import Run

SLICE = 0.008
"""Seconds of training between two turns of the event loop."""
TURNS = 12
"""Turns given each time: a key passes through several queues before it has its effect."""
SPEEDS: tuple[int | None, ...] = (1, 5, 25, 100, 1000, None)
"""Updates per second; None is as fast as it goes."""
LATE = 1.0
"""Seconds of updates that are made up for."""
ARRIVED = "arrived"


class Player:
    """Plays one run: from its cursor, or at its head alone."""

    def __init__(self, run: Run) -> None:
        self.speed = len(SPEEDS) - 1
        """The index into `SPEEDS`."""
        self._slicer = TimeSlicer()
        self.turn = threading.Lock()
        """Held while updates are made: between two, everything is whole."""
        self.run = run
        self.ending = Termination()
        self.follows = True
        """Whether the cursor goes along; otherwise only the head is trained."""
        self.trained = 0.0
        """Seconds of processor time that went into updates."""

    @property
    def line(self) -> Trainable:
        """What is trained."""
        return self.run if self.follows else self.run.branch

    @property
    def replays(self) -> bool:
        """Whether the cursor goes along where everything is known already."""
        return self.follows and self.run.update < self.run.head

    @property
    def speed_text(self) -> str:
        """The speed in words."""
        speed = SPEEDS[self.speed]
        return "full" if speed is None else f"{speed:,}/s"

    def change_speed(self, by: int) -> None:
        """Go ``by`` steps up or down in `SPEEDS`."""
        self.speed = min(max(self.speed + by, 0), len(SPEEDS) - 1)

    def slice(self, target: int, other: Trainable | None = None, stop: float | None = None) -> bool:
        """Train the line, or an ``other``, towards ``target`` for one slice.

        Returns whether that was reached, or the line diverged, or reported a loss at or below
        ``stop``, if that is given.
        """
        with self.turn:
            begun = thread_time()
            try:
                return self._slicer.train(other or self.line, target, SLICE, stop)
            finally:
                self.trained += thread_time() - begun

    async def go_to(self, target: int) -> str:
        """Take the cursor to update ``target`` at full speed; returns how it ended."""
        self.follows = True
        while not self.slice(target):
            await _give_turns()
        return DIVERGED if self.run.divergence is not None else ARRIVED

    async def bring(self, other: Trainable, target: int) -> str:
        """Train an ``other`` line up to ``target`` at full speed; returns how it ended."""
        while not self.slice(target, other):
            await _give_turns()
        return DIVERGED if other.divergence is not None else ARRIVED

    async def finish(self, other: Trainable) -> str:
        """Train an ``other`` line at full speed until it ends; returns the reason."""
        ending = Termination()
        while (reason := ending.reason(other)) is None:
            self._until(ending, other)
            await _give_turns()
        return reason

    async def play(self) -> str:
        """Train until the line ends; returns the reason (see `Termination.reason`).

        Started where it ended, it goes on beyond that end.
        """
        ending = self.ending.beyond(self.line)
        pace = SPEEDS[self.speed]
        line: Trainable | None = None
        started, first = 0.0, 0
        while (reason := ending.reason(self.line)) is None:
            if SPEEDS[self.speed] != pace or self.line is not line:
                pace, line = SPEEDS[self.speed], self.line
                started, first = perf_counter(), line.update
            if pace is None:
                self._until(ending, line)
                await _give_turns()
            else:
                target = ending.next_check(line)
                due = first + int((perf_counter() - started) * pace)
                if due - self.line.update > max(pace * LATE, 1):
                    # The process was stopped for a while, or cannot keep up: nothing is made up.
                    started, first = perf_counter(), self.line.update
                    due = first + 1
                if self.line.update < due:
                    self.slice(min(target, due))
                await asyncio.sleep(min(1 / pace, 0.05))
        return reason

    def _until(self, ending: Termination, line: Trainable) -> None:
        """One slice of ``line``, however many looks at the ending it takes."""
        deadline = perf_counter() + SLICE
        stop = ending.stop_at(line)
        while self.slice(ending.budget(line), line, stop) and perf_counter() < deadline:
            if ending.reason(line) is not None:
                break


async def _give_turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
