"""The player: trains a run in short slices, so that keys are answered while it goes.

Slices only decide when the keyboard and the screen get their turn; which updates are made, and
with what numbers, does not depend on them.
"""

import asyncio
from time import perf_counter

from nntui.timeline.ending import DIVERGED, Ending
from nntui.timeline.run import Run

SLICE = 0.008
"""Seconds of training between two turns of the event loop."""
SPEEDS: tuple[int | None, ...] = (1, 5, 25, 100, 1000, None)
"""Updates per second; None is as fast as it goes."""
ARRIVED = "arrived"


class Player:
    """Plays one run, towards an update or on and on."""

    def __init__(self, run: Run, ending: Ending) -> None:
        self.run = run
        self.ending = ending
        self.speed = len(SPEEDS) - 1
        """The index into `SPEEDS`."""
        self._stride = 1

    @property
    def speed_text(self) -> str:
        """The speed in words."""
        speed = SPEEDS[self.speed]
        return "full" if speed is None else f"{speed:,}/s"

    def change_speed(self, by: int) -> None:
        """Go ``by`` steps up or down in `SPEEDS`."""
        self.speed = min(max(self.speed + by, 0), len(SPEEDS) - 1)

    def slice(self, target: int) -> bool:
        """Train towards ``target`` for about `SLICE` seconds; whether it was reached.

        A divergence is as far as one can get, and counts as reached.
        """
        started = now = perf_counter()
        while self.run.update < target and self.run.divergence is None:
            before, made = now, min(self._stride, target - self.run.update)
            self.run.step(made)
            now = perf_counter()
            each = (now - before) / made
            self._stride = min(max(int(SLICE / 4 / max(each, 1e-9)), 1), 10_000)
            if now - started >= SLICE:
                break
        return self.run.update >= target or self.run.divergence is not None

    async def go_to(self, target: int) -> str:
        """Train to update ``target`` at full speed; returns how it ended."""
        while not self.slice(target):
            await asyncio.sleep(0)
        return DIVERGED if self.run.divergence is not None else ARRIVED

    async def play(self) -> str:
        """Train until the run ends; returns the reason (see `Ending.reason`).

        Started at an end that is no divergence, it goes on beyond that end.
        """
        begun_at = self.ending.reason(self.run)
        started, first = perf_counter(), self.run.update
        pace = SPEEDS[self.speed]
        while True:
            if SPEEDS[self.speed] != pace:
                started, first, pace = perf_counter(), self.run.update, SPEEDS[self.speed]
            deadline = perf_counter() + SLICE
            wanted = 1
            while wanted > 0 and perf_counter() < deadline:
                done = self.run.update - first
                wanted = (
                    self._stride if pace is None else int((perf_counter() - started) * pace) - done
                )
                if wanted > 0:
                    stride = self.ending.stride(self.run, min(wanted, self._stride))
                    self.slice(self.run.update + stride)
                reason = self.ending.reason(self.run)
                if reason is not None and (reason != begun_at or reason == DIVERGED):
                    return reason
            await asyncio.sleep(0 if wanted > 0 or pace is None else min(1 / pace, 0.05))
