"""A deadline that is passed down from stage to stage."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import perf_counter

Clock = Callable[[], float]
"""Seconds since some fixed moment; `time.perf_counter` counts alike in all processes."""


@dataclass(frozen=True)
class Deadline:
    """A reading of ``clock``, and what is left until then."""

    at: float
    clock: Clock = perf_counter

    @classmethod
    def after(cls, seconds: float, clock: Clock = perf_counter) -> "Deadline":
        """``seconds`` from now."""
        return cls(clock() + seconds, clock)

    @property
    def left(self) -> float:
        """The seconds that are left; negative once it has passed."""
        return self.at - self.clock()

    @property
    def passed(self) -> bool:
        """Whether nothing more may be begun."""
        return self.left <= 0.0

    def earlier(self, seconds: float) -> "Deadline":
        """The same, ``seconds`` earlier."""
        return Deadline(self.at - seconds, self.clock)

    def share(self, share: float) -> "Deadline":
        """The point at which ``share`` of the time that is left will be over."""
        if self.at == inf:
            return self
        return self.earlier((1.0 - share) * max(self.left, 0.0))


NEVER = Deadline(inf)
"""No limit."""
