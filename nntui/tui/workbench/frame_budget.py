"""How often frames are drawn: as often as asked for, while training gets its share of the time."""

from collections.abc import Callable
from time import perf_counter, thread_time

SHARE = 1 / 6
"""Of the time, what may go into anything but training before another frame is drawn."""
LONGEST = 0.4
"""Seconds after which a frame is drawn whatever it costs."""
LOOKS = 4
"""How often per frame to ask whether one is due."""


class FrameBudget:
    """Decides when the next frame is due.

    ``trained`` is the processor time, in seconds, that this thread has spent on training so far.
    What the thread does beyond that is what frames cost; waiting costs nothing.
    """

    def __init__(
        self,
        frames: int,
        trained: Callable[[], float],
        clock: Callable[[], float] = perf_counter,
        spent: Callable[[], float] = thread_time,
    ) -> None:
        self._period = 1 / frames
        self._trained, self._clock, self._spent = trained, clock, spent
        self._last = (-LONGEST, 0.0)

    @property
    def interval(self) -> float:
        """Seconds from one look to the next."""
        return self._period / LOOKS

    def is_due(self) -> bool:
        """Whether to draw now; if so, the cost of the next frame is counted from here on."""
        now, beside = self._clock(), self._spent() - self._trained()
        elapsed, cost = now - self._last[0], beside - self._last[1]
        # Looks are a little early or late; the next one would be late by a whole interval.
        early = self._period - self.interval / 2
        due = elapsed >= early and (cost <= SHARE * elapsed or elapsed >= LONGEST)
        if due:
            self._last = now, beside
        return due
