"""Samples on which no unit of a hidden layer is active: what they give does not depend on them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import activation_of
from nntui.core.engine.state import State
from nntui.diagnosis.evidence import EXPLAINS, Evidence, refuted, share_of_loss
from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.program_values import forward_of
from nntui.diagnosis.rules.units import KILLERS, revivals

SILENT = Rule(
    "silent-sample",
    "on some samples no unit of a layer is active, and nothing is learned from them",
    PROOF,
    "a = 0 and slope 0 of every unit of a hidden layer on a sample, at all states looked at in the "
    "second half of the run; without biases above, its output is f(0), otherwise that of all such "
    "samples is one: the loss of the best outputs of this kind > the goal",
    "the chain rule: such a sample has no gradient in this layer, nor below",
    "a unit of the layer that is active on the sample",
)
RULES = (SILENT,)

MOST_NAMED = 4
"""Samples that are named; the rest are counted."""
Mask = npt.NDArray[np.bool_]


def silent_samples(evidence: Evidence) -> Iterator[Finding]:
    """The lowest hidden layer in which samples without an active unit keep the goal out of reach.

    It holds as long as they have none: the other samples may still change that.
    """
    drawn = evidence.stated.training.order == "random"
    if drawn or not evidence.has_floors or evidence.sample_x.shape != evidence.x.shape:
        return
    for layer in evidence.hidden:
        silent, since = _silent(evidence, layer)
        if not silent.any() or silent.all():
            continue
        forward = forward_of(evidence)
        if forward.unknown is not None or any(late <= layer for late in forward.late):
            return
        fixed = _is_fixed_above(evidence, layer)
        floor = _floor(evidence, silent, fixed)
        goal = evidence.observation.preset.goal.loss
        if floor <= goal or refuted(evidence, floor):
            continue
        yield Finding(
            SILENT,
            f"on {_named(evidence, silent)} every unit of layer {layer} has a = 0 and slope 0, at "
            f"update {since} as now: {_given(evidence, silent, fixed)}, and the loss cannot fall "
            f"below {floor:.4g} while that is so (goal {goal:g})",
            layer=layer,
            first_update=since,
            fixes=(*(_output_bias(evidence) if fixed else ()), *revivals(evidence, layer)),
            # Less than what holds whatever the parameters.
            weight=1.0 + (EXPLAINS - 1.0) / 2.0 * min(share_of_loss(evidence, floor), 1.0),
            symptom_of=(
                *KILLERS,
                *("no-bias", "output-range", "linear", "contradictory-targets", "symmetric"),
                *("dead-layer", "dead-output", "too-few-units", "rate-too-low", "oscillation"),
            ),
        )
        return


def _silent(evidence: Evidence, layer: int) -> tuple[Mask, int]:
    """The samples that are silent at all late looks, and the first look from which they are."""
    late = [each for each in evidence.looks if 2 * each.update >= evidence.now.update]
    earlier = [each for each in evidence.looks if each not in late]
    silent = np.logical_and.reduce([_at(evidence, layer, each) for each in late])
    since = late[0].update
    for state in reversed(earlier):
        if not _at(evidence, layer, state)[silent].all():
            break
        since = state.update
    return silent, since


def _at(evidence: Evidence, layer: int, state: State) -> Mask:
    values = evidence.values(state)[layer]
    flat = (values.a == 0.0) & (evidence.slope(layer, values) == 0.0)
    return np.asarray(flat.all(axis=0))


def _is_fixed_above(evidence: Evidence, layer: int) -> bool:
    """Whether no parameter above ``layer`` changes the output where the layer gives zeros."""
    above = evidence.stated.layers[layer + 1 :]
    functions = [activation_of(each) for each in above]
    zeros = all(each.at_zero == 0.0 for each in functions[:-1])
    return zeros and all(each.bias == "none" for each in above)


def _floor(evidence: Evidence, silent: Mask, fixed: bool) -> float:
    """The least loss with the outputs that silent samples can have, the others being right."""
    y = evidence.y
    if fixed:
        return evidence.cost.of(np.where(silent, evidence.layers[-1].h, y), y)
    groups = np.where(silent, 0, np.arange(1, len(silent) + 1))
    return evidence.cost.grouped(y, np.unique(groups, return_inverse=True)[1].reshape(-1))


def _named(evidence: Evidence, silent: Mask) -> str:
    rows = evidence.subject.data.training_rows[np.flatnonzero(silent)]
    named = ", ".join(map(str, rows[:MOST_NAMED]))
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return f"sample{'s' if len(rows) > 1 else ''} {named}{more}"


def _given(evidence: Evidence, silent: Mask, fixed: bool) -> str:
    """What the silent samples give and should give, in words."""
    at = int(np.flatnonzero(silent)[0])
    output, target = evidence.layers[-1].h[0, at], evidence.y[0, at]
    if fixed:
        return (
            f"no layer above has a bias, so the output is f(0) = {output:.4g}, whatever is "
            f"learned (target {target:.4g})"
        )
    low, high = evidence.y[:, silent].min(), evidence.y[:, silent].max()
    return f"they all get one output, {output:.4g} now (targets {low:.4g} to {high:.4g})"


def _output_bias(evidence: Evidence) -> tuple[Fix, ...]:
    last = len(evidence.stated.layers) - 1
    return (Fix("a bias for the output", {f"layers.{last}.bias": "per-unit"}),)
