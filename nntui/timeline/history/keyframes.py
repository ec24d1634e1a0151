"""Keyframes: states kept along a branch, ever further apart as it grows.

Deterministic replay from the keyframe below reaches any update; how long that takes is bounded
by the distance between keyframes, and how much memory they take by what all branches may take.
"""

from bisect import bisect_right
from weakref import WeakSet

from nntui.core.engine.state import State

FIRST_DISTANCE = 64
MEMORY = 40 * 2**20
"""Bytes that the keyframes of all branches may take; beyond, the heaviest are thinned out."""
FEWEST, MOST = 4, 4096
OVERHEAD = 1500
"""Bytes that a state takes beside its arrays (measured on CPython 3.11, rounded up)."""


def _update_of(state: State) -> int:
    return state.update


def weight(state: State) -> int:
    """The bytes that keeping ``state`` takes."""
    return state.nbytes + OVERHEAD


class MemoryBudget:
    """What the keyframes and checkpoints of a family of branches take together."""

    def __init__(self) -> None:
        self._marked: WeakSet[State] = WeakSet()
        self._members: WeakSet[Keyframes] = WeakSet()

    def join(self, keyframes: "Keyframes") -> None:
        """Count ``keyframes`` from now on, as long as they live."""
        self._members.add(keyframes)

    def count(self, state: State) -> None:
        """Count the state of a checkpoint, as long as it is kept."""
        self._marked.add(state)

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return sum(map(weight, self._marked)) + sum(each.nbytes for each in self._members)

    def make_room(self) -> None:
        """Thin out the heaviest until all fit, or none has more than a few states."""
        while self.nbytes > MEMORY:
            many = [each for each in self._members if len(each) > FEWEST]
            if not many:
                return
            max(many, key=lambda each: each.nbytes).thin_out()


class Keyframes:
    """States by update, thinned out so that they stay about evenly spread."""

    def __init__(self, first: State, budget: MemoryBudget | None = None) -> None:
        self._states = [first]
        self.distance = FIRST_DISTANCE
        self.nbytes = weight(first)
        self._budget = MemoryBudget() if budget is None else budget
        self._budget.join(self)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def states(self) -> tuple[State, ...]:
        """All of them, in order."""
        return tuple(self._states)

    @property
    def last(self) -> int:
        """The update of the last one."""
        return self._states[-1].update

    @property
    def due(self) -> int:
        """The update at which the next keyframe is wanted."""
        return self.last + self.distance

    def add(self, state: State) -> None:
        """Keep ``state``, which lies beyond all others; the first always stays."""
        self._states.append(state)
        self.nbytes += weight(state)
        if len(self._states) > MOST:
            self.thin_out()
        self._budget.make_room()

    def thin_out(self) -> None:
        """Let every second one go."""
        del self._states[1::2]
        self.distance *= 2
        self.nbytes = sum(map(weight, self._states))

    def replace_last(self, state: State) -> None:
        """Keep ``state`` in the place of the last one, if that is of the same update."""
        if self.last == state.update:
            self.nbytes += weight(state) - weight(self._states[-1])
            self._states[-1] = state

    def below(self, update: int) -> State | None:
        """The last state at or before ``update``; None if all lie beyond."""
        place = bisect_right(self._states, update, key=_update_of)
        return self._states[place - 1] if place else None

    @classmethod
    def restored(cls, states: "list[State]", distance: int, budget: MemoryBudget) -> "Keyframes":
        """Keyframes as they were saved: at least one state, in order."""
        made = cls(states[0], budget)
        made._states = list(states)
        made.distance = distance
        made.nbytes = sum(map(weight, states))
        return made
