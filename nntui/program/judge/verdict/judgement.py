"""How the steps of all parameters agree with the gradient of one loss, over several states."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nntui.program.judge.update import carried
from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.judge.verdict.agreement import Agreement, agreement, is_constant
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.judge.verdict.planned_scale import Known, PlannedScale
from nntui.program.judge.verdict.readings import Reading, Values

Array = np.ndarray

RIGHT = "right"
WRONG = "wrong"
NO_INFORMATION = "no information"
SHAPE_CHANGES = "shape changes"
NEVER_UPDATED = "never updated"


@dataclass
class Judgement:
    """How the updates of all recordings agree with the gradient of one loss."""

    loss: Loss
    recordings: Sequence[Recording]
    gradients: list[dict[int, Array] | None]
    """By recording, the derivative of the loss by every node's value, by node number."""
    parameters: list[str]
    memories: list[str]
    replaced: list[str] = field(default_factory=list)
    """Parameters that are set to what they should be moved by."""
    readings: dict[str, Reading] = field(default_factory=dict)
    agreements: dict[str, list[Agreement | None]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)
    """step = -factor * gradient, of the parameters that are right."""
    penalised: set[str] = field(default_factory=set)
    """Parameters on which the loss itself holds a penalty."""
    contradicted: dict[str, float] = field(default_factory=dict)
    """Those of them that shrink by another part than by that penalty: times itself too much."""
    scheduled: bool = False
    """Whether the factors vary from state to state, alike for all parameters."""
    has_plan: bool = False
    """Whether steps are known to be scaled by a plan, from before values were replaced."""
    plan: PlannedScale = field(init=False)
    scales: list[float] = field(default_factory=list)
    """By recording, the largest entry of any derivative."""

    def __post_init__(self) -> None:
        """Know the numbers that may scale the steps."""
        self.plan = PlannedScale(self.loss, self.recordings, self.parameters)

    @property
    def is_one_update(self) -> bool:
        """Whether no line updates a parameter several times, each by a gradient of its own."""
        at = next(at for at, each in enumerate(self.gradients) if each is not None)
        forward = ancestors(self.loss.tops(self.recordings[at]))
        return not any(
            carried.is_updated_between(self.recordings[at], name, forward)
            for name in self.parameters
        )

    @property
    def right(self) -> list[str]:
        """The parameters whose steps are right."""
        return [name for name in self.parameters if self.verdicts.get(name) == RIGHT]

    @property
    def wrong(self) -> list[str]:
        """The parameters whose steps are wrong."""
        return [name for name in self.parameters if self.verdicts.get(name) == WRONG]

    @property
    def decays(self) -> dict[str, float]:
        """By parameter, how many times it the gradient holds beside that of the loss."""
        return {
            name: self.readings[name].decay / self.factors[name]
            for name in self.right
            if self.readings[name].decay
        }

    def explains(self, names: Sequence[str]) -> bool:
        """Whether all of ``names`` step down along the gradient."""
        return set(names) <= set(self.right) and min(self.factors.values(), default=0.0) > 0

    def gradient(self, at: int, name: str) -> Array | None:
        """The gradient by the parameter ``name`` in recording ``at``."""
        found = self.gradients[at]
        start = self.recordings[at].start.get(name)
        if found is None or start is None:
            return None
        zero = np.zeros(np.shape(start.value))
        return found.get(start.number, zero)

    def compare(self, at: int, name: str, values: Values | None = None) -> Agreement | None:
        """The agreement of ``name`` in recording ``at``, with other ``values`` if given."""
        recording = self.recordings[at]
        if name not in recording.start or name not in recording.end:
            return None
        read = self.readings[name].read(
            recording, name, recording.values if values is None else values
        )
        before = recording.start[name].value
        return agreement(read, self.gradient(at, name), np.asarray(before), self.scales[at])

    def judge(self, names: Sequence[str], values: Sequence[Values | None] | None = None) -> None:
        """Compare and judge ``names``, all recordings with other ``values`` if given."""
        for name in names:
            self._compare(name, values)
        self.conclude()

    def try_alone(self, name: str) -> str:
        """Compare ``name``, and give its verdict; `conclude` decides on all together.

        Of a program that has its weights one by one each would be decided on for each.
        """
        self._compare(name)
        self._conclude(name)
        return self.verdicts[name]

    def _compare(self, name: str, values: Sequence[Values | None] | None = None) -> None:
        self.agreements[name] = [
            self.compare(at, name, None if values is None else values[at])
            for at in range(len(self.recordings))
        ]

    def conclude(self) -> None:
        """Turn the agreements of all parameters into verdicts and factors."""
        self.verdicts, self.factors = {}, {}
        self.scheduled = False
        for name in self.parameters:
            self._conclude(name)

    def _conclude(self, name: str) -> None:
        known = [(at, each) for at, each in enumerate(self.agreements[name]) if each]
        self.factors.pop(name, None)
        if not known:
            self.verdicts[name] = NO_INFORMATION
            return
        self.verdicts[name] = WRONG
        if not all(each.holds for _, each in known):
            return
        factors = [each.factor for _, each in known]
        if not all(factors):
            return
        one_state = len(known) == 1 and np.size(self.start(name)) == 1
        if one_state and len(self.recordings) > 1:
            self.verdicts[name] = NO_INFORMATION
        elif is_constant(factors) or self.plan.explains(
            name, known, self.agreements, self.has_plan
        ):
            self.scheduled = self.scheduled or not is_constant(factors)
            self.verdicts[name] = RIGHT
            self.factors[name] = float(np.median(factors))

    def start(self, name: str) -> Array:
        """The parameter ``name`` before the first update in which it is known."""
        return np.asarray(
            next(each.start[name].value for each in self.recordings if name in each.start)
        )

    def _is_planned(self, name: str, known: Known) -> bool:
        return self.plan.explains(name, known, self.agreements, self.has_plan)
