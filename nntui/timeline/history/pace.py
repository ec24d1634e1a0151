"""The pace: how many updates fit into a slice of time, learnt while training.

Slices only decide when somebody else gets a turn; which updates are made, and with what numbers,
does not depend on them.
"""

from collections.abc import Callable
from time import perf_counter

from nntui.timeline.history.ending import Line

LOOKS = 4
"""How often the clock is looked at within a slice."""
LONGEST_STRIDE = 10_000


class Pace:
    """Trains in slices of time."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.stride = 1
        """Updates that take about a quarter of the last slice; at least one."""

    def train(self, line: Line, target: int, seconds: float) -> bool:
        """Train ``line`` towards update ``target`` for about ``seconds``; whether it got there.

        At least one update is made.  A divergence is as far as one can get, and counts.
        """
        started = now = self._clock()
        while line.update < target and line.divergence is None:
            before, made = now, min(self.stride, target - line.update)
            line.step(made)
            now = self._clock()
            fitting = seconds / LOOKS * made / max(now - before, 1e-9)
            self.stride = min(max(int(fitting), 1), LONGEST_STRIDE)
            if now - started >= seconds:
                break
        return line.update >= target or line.divergence is not None
