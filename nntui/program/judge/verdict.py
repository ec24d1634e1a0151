"""Whether every parameter steps along the gradient of one loss, over several generic states."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nntui.program.judge import carried
from nntui.program.judge.agreement import (
    CONSTANT,
    SAME,
    Agreement,
    agreement,
    is_constant,
    spread,
)
from nntui.program.judge.loss_hypotheses import OWN, Loss
from nntui.program.judge.readings import (
    Reading,
    Step,
    Values,
    handed_gradients,
    is_nonlinear,
    weight_decay,
    with_direction,
)
from nntui.program.judge.recorded_update import Recording, ancestors
from nntui.program.record.adjoints import NotDifferentiableError, adjoints
from nntui.program.record.node import Node

Array = np.ndarray

LIKELY = 5
"""Losses that are judged in all states: those that explain most in two of them."""
FEWEST = 3
"""States in which the steps of a parameter alone have to follow a learning rate."""
ENTRIES = 200
"""Of a larger array about so many entries are compared where only a direction is asked for."""
LARGE = 2_000_000
"""Numbers in a recording from which on fewer states and losses are looked at."""
LEAST_KEPT = 0.5
"""The part of a parameter that is kept in an update; where it is less, it is replaced.

Weight decay keeps all but the rate times a penalty that is small itself.
"""
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
    scheduled: bool = False
    """Whether the factors vary from state to state, alike for all parameters."""
    has_plan: bool = False
    """Whether steps are known to be scaled by a plan, from before values were replaced."""
    rates: list[Node] | None = None
    """Numbers that the steps may be scaled by as training goes on, once they are known."""
    scales: list[float] = field(default_factory=list)
    """By recording, the largest entry of any derivative."""

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
        one_state = len(known) == 1 and np.size(self._start(name)) == 1
        if one_state and len(self.recordings) > 1:
            self.verdicts[name] = NO_INFORMATION
        elif is_constant(factors) or self._keeps_pace(name, known) or self._is_rated(name, known):
            self.scheduled = self.scheduled or not is_constant(factors)
            self.verdicts[name] = RIGHT
            self.factors[name] = float(np.median(factors))

    def _start(self, name: str) -> Array:
        return np.asarray(
            next(each.start[name].value for each in self.recordings if name in each.start)
        )

    @cached_property
    def _arrays(self) -> list[str]:
        return [name for name in self.parameters if np.size(self._start(name)) > 1]

    def _keeps_pace(self, name: str, known: Sequence[tuple[int, Agreement]]) -> bool:
        """Whether the factors of ``name`` vary as those of other arrays do, in every state."""
        ratios = []
        for at, each in known:
            others = [
                other.factor
                for another in self._arrays
                if another != name
                for other in [self.agreements[another][at]]
                if other is not None and other.holds and other.factor
            ]
            usual = float(np.median(others)) if others else 0.0
            if usual == 0.0:
                return False
            ratios.append(each.factor / usual)
        alike = bool(np.isfinite(ratios).all()) and spread(ratios) <= CONSTANT
        return alike and (self.has_plan or self._is_planned(name, known))

    def _is_rated(self, name: str, known: Sequence[tuple[int, Agreement]]) -> bool:
        """Whether the factors of ``name`` alone follow a learning rate that changes.

        That depends on no weight, and the loss does not depend on it, as it does on the data.
        """
        if len(known) < FEWEST:
            return False
        if self.rates is None:
            self.rates = self._changing_numbers()
        found = [node for node in self.rates if self._follows(known, node)]
        if not found:
            return False
        behind = ancestors([self.recordings[0].end[name]])
        return any(node.number in behind for node in found)

    def _changing_numbers(self) -> list[Node]:
        """Numbers, another in every state, of which neither weights nor the loss are made."""
        recording = self.recordings[0]
        mask = recording.mask(self.parameters)
        forward = ancestors(self.loss.tops(recording))
        found = []
        for node in recording.nodes:
            value = np.asarray(node.value)
            if value.size != 1 or value.dtype.kind not in "fi":
                continue
            if recording.depends[node.number] & mask:
                continue
            same = [each.by_key.get(node.key) for each in self.recordings]
            values = {float(np.ravel(each.value)[0]) for each in same if each is not None}
            if len(values) > 1 and node.number not in forward:
                found.append(node)
        return found

    def _is_planned(self, name: str, known: Sequence[tuple[int, Agreement]]) -> bool:
        """Whether the factors follow a number that the program means its steps to be scaled by.

        That is a learning rate, which depends on no weight, or what a gradient is clipped with,
        which is made of its length. Of a network with one output any error of the output's slope
        scales all steps alike, too, and is no plan.
        """
        for at in {known[0][0], known[-1][0]}:
            recording = self.recordings[at]
            mask = recording.mask(self.parameters)
            behind = ancestors([recording.end[name]])
            for node in recording.nodes:
                if node.number not in behind or np.size(node.value) != 1:
                    continue
                free = not recording.depends[node.number] & mask
                if (free or _is_of_a_length(node)) and self._follows(known, node):
                    return True
        return False

    def _follows(self, known: Sequence[tuple[int, Agreement]], node: Node) -> bool:
        """Whether the factors are one multiple of the number ``node`` in all states.

        A gradient that is short enough is not clipped: where there is no such number it is 1.
        """
        series = []
        for at, agreed in known:
            same = self.recordings[at].by_key.get(node.key)
            value = 1.0 if same is None else float(np.ravel(same.value)[0])
            series.append(agreed.factor / value if value else np.inf)
        return bool(np.isfinite(series).all()) and spread(series) <= CONSTANT

    @cached_property
    def matches(self) -> int:
        """How many arrays that the program computes on its way back are true derivatives."""
        at = next(at for at, each in enumerate(self.gradients) if each is not None)
        recording, gradient = self.recordings[at], self.gradients[at] or {}
        true: dict[int, list[Array]] = {}
        for number, each in gradient.items():
            if np.size(each) > 1 and recording.depends[number]:
                direction = _direction(each)
                if direction is not None:
                    true.setdefault(np.size(each), []).append(direction)
        directions = {size: np.array(each) for size, each in true.items()}
        # The error itself is the derivative of a usual loss by what that is defined with.
        usual = recording.by_line.get(self.loss.key, ()) if self.loss.kind != OWN else ()
        errors = {node.number for node in usual}
        count = 0
        for number in recording.named:
            value = np.asarray(recording.nodes[number].value)
            if (
                number in errors
                or value.size not in directions
                or number in gradient
                or value.dtype.kind != "f"
            ):
                continue
            direction = _direction(value)
            if direction is not None:
                count += bool(np.max(np.abs(directions[value.size] @ direction)) > 1 - 1e-9)
        return count

    @property
    def _explained(self) -> float:
        """How many parameters are right; of numbers in one list all count as one array does."""
        lists: dict[str, list[bool]] = {}
        for name in self.parameters:
            scalar = np.ndim(self._start(name)) == 0
            array = re.sub(r"(\[\d+\])+$", "", name) if scalar else name
            lists.setdefault(array, []).append(self.verdicts.get(name) == RIGHT)
        return float(sum(sum(each) / len(each) for each in lists.values()))

    @property
    def score(self) -> tuple[float, ...]:
        """What the most plausible loss has most of."""
        downhill = bool(self.factors) and min(self.factors.values()) > 0
        matches = self.matches if self.wrong else 0
        explained = self._explained
        return (
            explained,
            len(self.parameters),
            float(downhill),
            # Of losses that explain as much the program's own is likelier than a usual one.
            self.loss.prior if explained else 0.0,
            float(matches),
            self.loss.prior,
        )


def _direction(value: Array) -> Array | None:
    """``value`` as a vector of length 1; of a large one some entries at equal distances."""
    vector = np.ravel(np.asarray(value, float))
    if vector.size > ENTRIES:
        vector = vector[:: vector.size // ENTRIES]
    length = float(np.linalg.norm(vector))
    return vector / length if np.isfinite(length) and length > 0 else None


def judge(
    loss: Loss, recordings: Sequence[Recording], learning: Sequence[str], only: bool = False
) -> Judgement | None:
    """Judge the updates of ``recordings`` by ``loss``; None where it says nothing of them.

    ``learning`` names the values that feed back on themselves; with ``only`` no other is a
    parameter.
    """
    gradients: list[dict[int, Array] | None] = []
    for recording in recordings:
        seeds = loss.seeds(recording)
        try:
            gradients.append(
                None if seeds is None else adjoints(recording.nodes, seeds, needed=recording.needed)
            )
        except NotDifferentiableError:
            gradients.append(None)
    if all(each is None for each in gradients):
        return None
    first = next(at for at, each in enumerate(gradients) if each is not None)
    recording = recordings[first]
    tops = loss.tops(recording)
    seen = 0
    for node in tops:
        seen |= recording.depends[node.number]
    known = set.intersection(*(set(each.start) & set(each.end) for each in recordings))
    parameters = [
        name
        for name in recording.changed
        if name in known
        and seen & recording.bit[name]
        and (name in learning or (not only and _is_unfed(recordings, name, learning)))
    ]
    forgotten = [
        name
        for name in recording.changed
        if name in known and abs(carried.retention(recording, name)) < LEAST_KEPT
    ]
    replaced = [
        name
        for name in forgotten
        if name not in parameters
        and (not only or name in learning)
        and seen & recording.bit[name]
        and _is_set_to_gradient(recordings, gradients, name)
    ]
    forward = ancestors(tops)
    parameters = replaced + [
        name
        for name in parameters
        if not carried.is_look_ahead(recording, name, parameters, forward)
    ]
    if not parameters:
        return None
    memories = [
        name
        for name in carried.memories(recording, parameters)
        if name in known
        and (
            not seen & recording.bit[name]
            or carried.is_look_ahead(recording, name, parameters, forward)
        )
    ]
    scales = [_largest(each or {}) for each in gradients]
    found = Judgement(loss, recordings, gradients, parameters, memories, scales=scales)
    found.replaced = [name for name in parameters if name in forgotten]
    found.readings = {name: Step() for name in parameters}
    found.judge(parameters)
    if found.wrong:
        _read_decay(found)
    if found.wrong:
        _read_handed_gradients(found)
    return found


def _is_of_a_length(node: Node) -> bool:
    """Whether a number was made of the length of something, as when a gradient is clipped."""
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one.number in seen or np.size(one.value) != 1:
            continue
        seen.add(one.number)
        if one.operation in ("norm", "sqrt"):
            return True
        waiting += one.inputs
    return False


def _largest(gradients: Mapping[int, Array]) -> float:
    sizes = (
        float(np.max(np.abs(each)))
        for each in gradients.values()
        if np.size(each) and np.isfinite(each).all()
    )
    return max(sizes, default=0.0)


def _is_unfed(recordings: Sequence[Recording], name: str, learning: Sequence[str]) -> bool:
    """Whether the loss depends on ``name``, which changes by what depends on no weight at all."""
    recording = recordings[0]
    if not learning or not carried.is_added_to(recording, name):
        return False
    mask = recording.mask(learning)
    fed = carried.increments(recording, name) & mask
    feeds = any(
        carried.increments(recording, other) & recording.bit[name]
        for other in learning
        if other in recording.bit
    )
    return not fed and feeds


def _is_set_to_gradient(
    recordings: Sequence[Recording], gradients: Sequence[Mapping[int, Array] | None], name: str
) -> bool:
    """Whether what ``name`` ends as is one multiple of the gradient by it, in every state."""
    factors: list[float] = []
    for recording, gradient in zip(recordings, gradients, strict=True):
        start = recording.start[name]
        slope = None if gradient is None else gradient.get(start.number)
        end = np.ravel(np.asarray(recording.end[name].value, float))
        if slope is None or np.size(slope) != end.size or not np.any(slope):
            continue
        factor = float(end @ np.ravel(slope)) / float(np.sum(slope**2))
        off = np.linalg.norm(end - factor * np.ravel(slope))
        if not np.isfinite(off) or off > SAME * np.linalg.norm(end):
            return False
        factors.append(factor)
    return len(factors) > 1 and all(factors) and spread(factors) <= CONSTANT


def _read_decay(found: Judgement) -> None:
    known: dict[str, Step] = {}
    for name in found.wrong:
        if name in found.replaced:
            continue
        gradients = [found.gradient(at, name) for at in range(len(found.recordings))]
        decay = weight_decay(found.recordings, gradients, name)
        if decay is not None:
            known[name] = decay
    if known:
        before = found.readings
        found.readings = {**found.readings, **known}
        found.judge(list(known))
        grows = [
            name
            for name, each in known.items()
            if each.decay * found.factors.get(name, 0.0) < 0 and not is_own(found)
        ]
        if grows:
            # No penalty makes weights larger.
            found.readings = {**found.readings, **{name: before[name] for name in grows}}
            found.judge(grows)


def _read_handed_gradients(found: Judgement) -> None:
    """Read the gradient that is handed to an optimiser where that is a multiple of the true one."""
    recording = next(
        each for each, gradient in zip(found.recordings, found.gradients, strict=True) if gradient
    )
    left: dict[str, list[Reading]] = {}
    for name in list(found.wrong):
        if name in found.replaced:
            continue
        before = found.readings[name]
        options: list[Reading] = [
            with_direction(each, found.recordings, name)
            for each in handed_gradients(recording, name, found.memories)
        ]
        for option in options:
            found.readings[name] = option
            if found.try_alone(name) == RIGHT:
                break
        else:
            adapts = is_nonlinear(recording, name, found.memories)
            found.readings[name] = options[-1] if adapts and options else before
            found.try_alone(name)
            left[name] = options
    found.conclude()
    # What the others hand to their optimiser tells where the gradient of a wrong one stands.
    if any(found.readings[name].adapts for name in found.right):
        for name, options in left.items():
            if options:
                found.readings[name] = options[-1]
                found.try_alone(name)
        found.conclude()


def best_of(
    losses: Sequence[Loss],
    recordings: Sequence[Recording],
    learning: Sequence[str],
    only: bool = False,
) -> Judgement | None:
    """The judgement by the loss that explains most of the parameters.

    Two states, or one of a `LARGE` update, sort out most hypotheses; what is left is judged in all
    of them.  With ``only`` no other value than those of ``learning`` is a parameter.
    """
    ranked: list[tuple[tuple[float, ...], int]] = []
    is_large = recordings[0].size > LARGE
    few = recordings[1 : 2 if is_large else 3] if len(recordings) > 3 else recordings
    for at, loss in enumerate(losses):
        found = judge(loss, few, learning, only)
        if found is not None:
            ranked.append((found.score, -at))
            if is_large and len(recordings) == 1 and set(learning) <= set(found.parameters):
                return found  # it tells what the parameters are, which is all that one state can
            if is_large and at == 0 and found.explains(learning):
                whole = judge(loss, recordings, learning, only)
                if whole is not None and whole.explains(learning):
                    return whole
    ranked.sort(reverse=True)
    best: Judgement | None = None
    for score, at in ranked[: 2 if is_large else LIKELY]:
        if is_large and best is not None and score[0] < ranked[0][0][0]:
            break
        found = judge(losses[-at], recordings, learning, only)
        if found is None:
            continue
        if best is None or found.score > best.score:
            best = found
        if len(found.right) == len(found.parameters) and min(found.factors.values()) > 0:
            break
    return best


def is_own(judgement: Judgement) -> bool:
    """Whether the loss is a number that the program computes itself."""
    return judgement.loss.kind == OWN
