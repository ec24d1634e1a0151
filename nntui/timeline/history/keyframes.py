"""Keyframes: full states kept along a branch, spaced further apart as it grows.

Replay from the keyframe before it reaches any update.  The spacing bounds how long that takes;
a budget for all branches together bounds the memory.
"""

from bisect import bisect_right
from operator import attrgetter
from weakref import WeakSet

from nntui.core.engine.player_names import COMPILED
from nntui.core.engine.state import State

FIRST_DISTANCE = 64
MEMORY = 40 * 2**20
"""Bytes that the keyframes of all branches may take; beyond, the largest are thinned out."""
FEWEST, MOST = 4, 4096
MOST_COMPILED = 128
"""The same of compiled updates: a hundred of them take no longer than a keyframe."""
UPDATE_OF = attrgetter("update")
OVERHEAD = 1500
"""Bytes that a state takes beside its arrays (measured on CPython 3.11, rounded up)."""


def weight(state: State) -> int:
    """The bytes that keeping ``state`` takes."""
    return state.nbytes + OVERHEAD


class MemoryBudget:
    """The memory that keyframes and checkpoints of all branches of a tree take together."""

    def __init__(self) -> None:
        self._marked: WeakSet[State] = WeakSet()
        self._members: WeakSet[Keyframes] = WeakSet()

    def join(self, keyframes: "Keyframes") -> None:
        """Count ``keyframes`` for as long as they exist."""
        self._members.add(keyframes)

    def count(self, state: State) -> None:
        """Count the state of a checkpoint for as long as it exists."""
        self._marked.add(state)

    @property
    def nbytes(self) -> int:
        """The bytes that all of them take."""
        return sum(map(weight, self._marked)) + sum(each.nbytes for each in self._members)

    def make_room(self) -> None:
        """Thin out the largest until all fit, or none has more than `FEWEST` states."""
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
        self._most = MOST_COMPILED if first.player == COMPILED else MOST
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
        """Keep ``state``, which is later than all others; the first always stays."""
        self._states.append(state)
        self.nbytes += weight(state)
        if len(self._states) > self._most:
            self.thin_out()
        self._budget.make_room()

    def thin_out(self) -> None:
        """Drop every second one."""
        del self._states[1::2]
        self.distance *= 2
        self.nbytes = sum(map(weight, self._states))

    def replace_last(self, state: State) -> None:
        """Replace the last one by ``state``, if it is of the same update."""
        if self.last == state.update:
            self.nbytes += weight(state) - weight(self._states[-1])
            self._states[-1] = state

    def below(self, update: int) -> State | None:
        """The last state at or before ``update``; None if all lie beyond."""
        place = bisect_right(self._states, update, key=UPDATE_OF)
        return self._states[place - 1] if place else None

    @classmethod
    def restored(cls, states: "list[State]", distance: int, budget: MemoryBudget) -> "Keyframes":
        """Keyframes as they were saved: at least one state, in order."""
        made = cls(states[0], budget)
        made._states = list(states)
        made.distance = distance
        made.nbytes = sum(map(weight, states))
        return made
