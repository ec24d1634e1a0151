"""Proof that the targets lie outside of what the output's activation can give."""

from collections.abc import Iterator

import numpy as np

from nntui.core.engine.network import activation_of
from nntui.core.settings.data_settings import MINMAX
from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence, against_goal, explained, refuted, spread
from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule
from nntui.diagnosis.measures.floors import onto_simplex
from nntui.diagnosis.rules.usual_fixes import become_shares, scaled_targets

RANGE = Rule(
    "output-range",
    "the output's activation cannot reach the targets",
    PROOF,
    "reported loss of the point of the activation's range nearest to each target > 1e-3 of that "
    "of the best constant",
    "the range of each function; softmax: projection onto the simplex (Held et al. 1974)",
    "one output that lies on a target outside of the range",
)
RULES = (RANGE,)

LEAST_RANGE = 1e-3


def output_range(evidence: Evidence) -> Iterator[Finding]:
    """Targets that the output's activation cannot reach, or only with infinite weights."""
    output, y, cost = evidence.stated.layers[-1], evidence.y, evidence.cost
    last, function = len(evidence.stated.layers) - 1, activation_of(output)
    if cost.compares_shares:
        return
    nearest, said = _nearest(evidence)
    # For other than squares, the nearest point of a set that is no box is no optimum: its
    # distance bounds the sum of the absolute errors all the same.
    boxed = not output.normalise and function.backward.is_elementwise
    if boxed or not cost.absolute:
        floor = cost.of(nearest, y)
    else:
        distances = np.linalg.norm(nearest - y, axis=0, keepdims=True)
        floor = cost.of(distances, np.zeros_like(distances))
    outside = int((np.abs(nearest - y) > 0.0).any(axis=0).sum())
    fixes: tuple[Fix, ...] = (
        Fix("do not normalise the output", {f"layers.{last}.normalise": False})
        if output.normalise
        else Fix("make the output linear", {f"layers.{last}.activation": "identity"}),
    )
    low, high = function.bounds
    two_sided = low is not None and high is not None
    shares = not function.backward.is_elementwise
    if not output.normalise and (become_shares(y) if shares else two_sided):
        fixes = (*fixes, *scaled_targets(evidence, MINMAX))
    if floor > LEAST_RANGE * spread(evidence) and not refuted(evidence, floor):
        yield Finding(
            RANGE,
            f"{outside} of {y.shape[1]} targets lie outside of what {said} can give: "
            f"{against_goal(evidence, floor)}",
            layer=last,
            first_update=0,
            fixes=fixes,
            units=tuple((last, unit) for unit in range(output.units)),
            weight=explained(evidence, floor),
            floor=floor,
        )
    elif two_sided and not output.normalise and evidence.progress.bad and _wants_all(evidence):
        on = (y == low) | (y == high)
        if on.any() and not on.all():
            yield Finding(
                RANGE,
                f"{int(on.any(axis=0).sum())} of {y.shape[1]} targets lie on the asymptote of "
                f"{output.activation}, which only infinite weights reach",
                layer=last,
                first_update=0,
                fixes=fixes[:1],
                weight=0.5,
            )


def _wants_all(evidence: Evidence) -> bool:
    """Whether no loss but 0 reaches the goal."""
    return evidence.observation.preset.goal.loss <= 0.0


def _nearest(evidence: Evidence) -> tuple[Array, str]:
    """The point of the output's range nearest to each target, and the range in words."""
    output, y = evidence.stated.layers[-1], evidence.y
    if output.normalise:
        centred = y - y.mean(axis=0)
        length = np.linalg.norm(centred, axis=0)
        most = np.sqrt(len(y))
        factor = np.minimum(
            1.0, np.divide(most, length, out=np.ones_like(length), where=length > 0)
        )
        return centred * factor, "a normalised output (mean 0, deviation below 1)"
    function = activation_of(output)
    if not function.backward.is_elementwise:
        return onto_simplex(y), f"a {function.name} output (shares that add up to 1)"
    low, high = function.bounds
    if low is None and high is None:
        return y, ""
    known = [f"{bound:.2g}" for bound in (low, high) if bound is not None]
    if len(known) == 2:
        said = " to ".join(known)
    else:
        said = f"{known[0]} and {'above' if low is not None else 'below'}"
    return np.clip(y, low, high), f"a {function.name} output ({said})"
