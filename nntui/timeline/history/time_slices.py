"""Training in slices of time, so that a screen or a signal gets its turn in between.

Slices never change the numbers: the same updates are made, however they are sliced.
"""

from collections.abc import Callable
from time import perf_counter

from nntui.timeline.history.termination import Trainable

LOOKS = 4
"""How often the clock is read within a slice."""
LONGEST_STRIDE = 10_000


class TimeSlicer:
    """Trains in slices of time; it learns how many updates fit into one."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.stride = 1
        """Updates that take about a quarter of the last slice; at least one."""

    def train(self, run: Trainable, target: int, seconds: float, stop: float | None = None) -> bool:
        """Train ``run`` towards update ``target`` for about ``seconds``; whether it got there.

        At least one update is made.  A divergence is as far as one can get, and counts; so does an
        epoch that reports a loss at or below ``stop``, if that is given.
        """
        started = now = self._clock()
        while run.update < target and run.divergence is None:
            before, made = now, min(self.stride, target - run.update)
            run.step(made, stop)
            now = self._clock()
            if stop is not None and run.position == 0 and run.loss is not None and run.loss <= stop:
                return True
            fitting = seconds / LOOKS * made / max(now - before, 1e-9)
            self.stride = min(max(int(fitting), 1), LONGEST_STRIDE)
            if now - started >= seconds:
                break
        return run.update >= target or run.divergence is not None
