"""How long a training will take, by how fast it was so far."""

from time import perf_counter

KNOWN_AFTER = 1.0
"""Seconds from which on a speed says anything."""


class Pace:
    """Watches one training on its way to a target."""

    def __init__(self) -> None:
        self._first = 0
        self._target: int | None = None
        self._started = 0.0

    def begin(self, update: int, target: int | None) -> None:
        """A training begins at ``update``; None if nobody knows where it ends."""
        self._first, self._target, self._started = update, target, perf_counter()

    def left(self, update: int) -> str:
        """How long it will take from ``update`` on, in words; empty while nothing is known."""
        seconds = perf_counter() - self._started
        if self._target is None or seconds < KNOWN_AFTER or update <= self._first:
            return ""
        rest = max(self._target - update, 0) * seconds / (update - self._first)
        return f"{duration(rest)} left"


def duration(seconds: float) -> str:
    """``seconds`` in words of at most six characters, such as ``2:05``, ``3 h`` or ``4 days``."""
    minutes = int(seconds + 0.5) // 60
    if minutes < 60:
        return f"{minutes}:{int(seconds + 0.5) % 60:02}"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{min(hours // 24, 9999):,} days"
