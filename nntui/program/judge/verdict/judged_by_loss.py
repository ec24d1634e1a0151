"""Judges recorded updates by a loss, and finds the loss that explains most of them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nntui.program.judge.update import carried
from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.judge.verdict.agreement import CONSTANT, SAME, spread
from nntui.program.judge.verdict.judgement import RIGHT, Judgement
from nntui.program.judge.verdict.loss_hypotheses import OWN, Loss
from nntui.program.judge.verdict.plausibility import score
from nntui.program.judge.verdict.readings import (
    HandedGradient,
    Step,
    handed_gradients,
    is_nonlinear,
    with_direction,
)
from nntui.program.judge.verdict.weight_decay import penalised, with_decay
from nntui.program.record.adjoints import NotDifferentiableError, adjoints

Array = np.ndarray

LIKELY = 5
"""Losses that are judged in all states: those that explain most in two of them."""
LARGE = 2_000_000
"""Numbers in a recording from which on fewer states and losses are looked at."""
LEAST_KEPT = 0.5
"""The part of a parameter that is kept in an update; where it is less, it is replaced.

Weight decay keeps all but the rate times a penalty that is small itself.
"""


def judge(
    loss: Loss,
    recordings: Sequence[Recording],
    learning: Sequence[str],
    only: bool = False,
    bound: Collection[str] = (),
) -> Judgement | None:
    """Judge the updates of ``recordings`` by ``loss``; None where it says nothing of them.

    ``learning`` names the values that feed back on themselves; with ``only`` no other is a
    parameter.  Of those in ``bound``, and those that ``loss`` itself penalises, no weight decay is
    set aside.
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
        if loss.kind == OWN and tops:
            found.penalised = penalised(recording, tops[0], parameters)
        bound = found.penalised.union(bound)
        _read_decay(found, bound)
    if found.wrong:
        _read_handed_gradients(found, bound)
    return found


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


def _read_decay(found: Judgement, bound: Collection[str]) -> None:
    for name in found.wrong:
        if name not in found.replaced and not _try_with_decay(found, name, Step(), bound):
            found.readings[name] = Step()
            found.try_alone(name)
    found.conclude()


def _try_with_decay(
    found: Judgement, name: str, reading: Step | HandedGradient, bound: Collection[str]
) -> bool:
    """Whether the update of ``name`` is right once weight decay is set aside; it is then."""
    gradients = [found.gradient(at, name) for at in range(len(found.recordings))]
    decayed = with_decay(reading, found.recordings, gradients, name)
    if decayed is None:
        return False
    found.readings[name] = decayed
    if found.try_alone(name) != RIGHT:
        return False
    factor = found.factors[name]
    if name in bound:
        if factor > 0:
            found.contradicted[name] = decayed.decay / factor
        return False
    return decayed.decay * factor > 0  # no penalty makes weights larger


def _read_handed_gradients(found: Judgement, bound: Collection[str]) -> None:
    """Read the gradient that is handed to an optimiser where that is a multiple of the true one."""
    recording = next(
        each for each, gradient in zip(found.recordings, found.gradients, strict=True) if gradient
    )
    left: dict[str, list[HandedGradient]] = {}
    for name in list(found.wrong):
        if name in found.replaced:
            continue
        before = found.readings[name]
        options = [
            with_direction(each, found.recordings, name)
            for each in handed_gradients(recording, name, found.memories)
        ]
        if not _try_handed(found, name, options, bound):
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


def _try_handed(
    found: Judgement, name: str, options: Sequence[HandedGradient], bound: Collection[str]
) -> bool:
    """Whether one of ``options`` is the gradient of ``name``, perhaps with weight decay in it."""
    for option in options:
        found.readings[name] = option
        if found.try_alone(name) == RIGHT:
            return True
    return any(_try_with_decay(found, name, option, bound) for option in options)


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
    contradicting: dict[Loss, set[str]] = {}
    is_large = recordings[0].size > LARGE
    few = recordings[1 : 2 if is_large else 3] if len(recordings) > 3 else recordings
    for at, loss in enumerate(losses):
        found = judge(loss, few, learning, only)
        if found is not None:
            ranked.append((score(found), -at))
            if found.contradicted:
                contradicting[loss] = found.penalised
            if is_large and len(recordings) == 1 and set(learning) <= set(found.parameters):
                return found  # it tells what the parameters are, which is all that one state can
            if is_large and at == 0 and found.explains(learning):
                whole = judge(loss, recordings, learning, only)
                if whole is not None and whole.explains(learning):
                    return whole
    ranked.sort(reverse=True)
    best: Judgement | None = None
    for rank, at in ranked[: 2 if is_large else LIKELY]:
        if is_large and best is not None and rank[0] < ranked[0][0][0]:
            break
        found = judge(losses[-at], recordings, learning, only)
        if found is None:
            continue
        if best is None or score(found) > score(best):
            best = found
        if len(found.right) == len(found.parameters) and min(found.factors.values()) > 0:
            break
    bound = set[str]().union(*contradicting.values())
    if best is None or not bound & set(best.decays):
        return best
    # The program's own loss penalises what decays, and by another coefficient than it does.
    again = [(best.loss, bound), *((each, set[str]()) for each in contradicting)]
    strict = [judge(loss, recordings, learning, only, names) for loss, names in again]
    return max((each for each in strict if each is not None), key=score, default=best)
