"""Keyframes: states kept along a run, ever further apart as it grows.

Deterministic replay from the keyframe below reaches any update; how long that takes is bounded
by the distance between keyframes, and how much memory they take by their number.
"""

from bisect import bisect_right

from nntui.core.state import State

FIRST_DISTANCE = 32
MEMORY = 32 * 2**20
"""Bytes that the keyframes may take; beyond, every second one is let go."""
FEWEST, MOST = 4, 2048
OVERHEAD = 1500
"""Bytes that a state takes beside its arrays (measured on CPython 3.11, rounded up)."""


class Keyframes:
    """States by update, thinned out so that they stay about evenly spread."""

    def __init__(self, first: State) -> None:
        self._updates = [first.update]
        self._states = [first]
        self.distance = FIRST_DISTANCE
        fitting = MEMORY // (first.nbytes + OVERHEAD)
        self._most = min(max(fitting, FEWEST), MOST)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def due(self) -> int:
        """The update at which the next keyframe is wanted."""
        return self._updates[-1] + self.distance

    def add(self, state: State) -> None:
        """Keep ``state``, which lies beyond all others; update 0 always stays."""
        self._updates.append(state.update)
        self._states.append(state)
        if len(self._states) > self._most:
            del self._updates[1::2]
            del self._states[1::2]
            self.distance *= 2

    def below(self, update: int) -> State:
        """The last state at or before ``update``."""
        return self._states[bisect_right(self._updates, update) - 1]
