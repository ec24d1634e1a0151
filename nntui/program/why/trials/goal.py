"""What counts as learned, where a program states no goal.

The measure is a share: how much of what a constant answer misses a training has learned, against
the lowest loss that any variant of the program reaches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isfinite

from nntui.core.engine.data import load_data
from nntui.core.engine.reported_loss import is_unscaled
from nntui.diagnosis.measures.floors import Cost
from nntui.presets.preset import Preset

LEARNED = 0.95
"""The share of the way from a constant answer to the lowest known loss that counts as learned.
Our own choice."""
WELL = 0.05
"""A loss that is that share of a constant answer's is good, whether or not others reach less."""
FELT = 0.8
"""A loss that is a larger share of the present one's is no difference."""
NOTHING = 0.5
"""Where the lowest loss is a larger share of a constant answer's, nothing has learned much.  Our
own choice, as the three above."""


@dataclass(frozen=True)
class Reference:
    """What losses are measured by."""

    constant: float
    """The loss of the best constant answer, or where that is not known the first loss."""
    is_first: bool
    """Whether it is the first loss."""

    def goal(self, lowest: float = inf) -> float:
        """The loss that counts as learned where ``lowest`` is the lowest that is known.

        Where that is not much below a constant answer's, it says nothing of what can be learned.
        """
        good = WELL * self.constant
        if not isfinite(lowest) or lowest > NOTHING * self.constant:
            return good
        return max(self.constant - LEARNED * (self.constant - lowest), good)

    def halfway(self, lowest: float, present: float) -> float:
        """The loss halfway from the ``present`` one, or a constant answer's, to the lowest known.

        It tells what makes a difference where no single change makes all of it; where the lowest
        is about the present loss, nothing does, and the goal stays.
        """
        goal, begin = self.goal(lowest), min(present, self.constant)
        if not isfinite(lowest) or lowest > FELT * begin:
            return goal
        return max(lowest + 0.5 * (begin - lowest), goal)

    def floor(self, floors: Iterable[float | None]) -> float:
        """The greatest of ``floors`` that leaves something to be learned; 0 without one.

        What lies below it cannot be learned, and is no failure: rows that contradict each other,
        classes that no straight border separates.  A higher floor is what is the matter.
        """
        known = (each for each in floors if each is not None)
        return max((each for each in known if each < NOTHING * self.constant), default=0.0)

    def words(self, goal: float, lowest: float) -> str:
        """The goal in words, with what it rests on."""
        name = "the first loss" if self.is_first else "the best constant answer"
        if goal <= WELL * self.constant * (1 + 1e-9):
            return f"{goal:.3g}, a twentieth of what {name} gives ({self.constant:.3g})"
        reached = f"the lowest that was reached ({lowest:.3g})"
        if goal <= self.goal(lowest) * (1 + 1e-9):
            begin = f"{name} ({self.constant:.3g})"
            return f"{goal:.3g}: {LEARNED:.0%} of the way from {begin} to {reached}"
        return f"{goal:.3g}: half of the way from what it gives now to {reached}"


def reference_of(preset: Preset) -> Reference | None:
    """What the losses of ``preset`` are measured by; None where nothing can be missed."""
    configuration = preset.configuration
    data = load_data(configuration)
    units = data.units if is_unscaled(configuration) else None
    constant = Cost(configuration.report, configuration.reported_samples, units).constant(data.y)
    return Reference(constant, False) if isfinite(constant) and constant > 0.0 else None
