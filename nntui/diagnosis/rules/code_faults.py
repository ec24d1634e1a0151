"""Code faults: the program does not compute what its configuration states.

A code fault is proven by replay, so it is reported even if the run learns.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import floor, log10
from typing import Any

import numpy as np

from nntui.core.engine.network import has_effect
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.faults import FAULTS
from nntui.core.settings.fault_settings import FaultEntry
from nntui.diagnosis.checks.examination import Examined, examine
from nntui.diagnosis.checks.forward_check import AFTER, OVER, PENALTY, ForwardPass, Printed
from nntui.diagnosis.checks.naming import DERIVATIVE, FACTOR, GRADIENT, KNOWN
from nntui.diagnosis.checks.replays import Replays
from nntui.diagnosis.checks.tensor_names import Tensor, tensors_of
from nntui.diagnosis.checks.update_check import FAULT, ROUNDING, distance, residuals
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule

UPDATE, FORWARD, PRINTED = "update-wrong", "forward-wrong", "printed-loss-wrong"
ONLY_PRINTED = frozenset({PENALTY, PRINTED})
"""Code faults that spoil what is printed, not what is learned."""

_REPLAY = (
    "r = ||dtheta + step||/(||dtheta|| + ||step||) > 1e-9 against the stated rule, and <= 1e-9 "
    "against a replay with this one fault in it, at two updates from each of several places"
)
_SOURCE = "exact replay; bound 1e-9: correct code stays below 1e-12 in float64"


def _known(name: str, formula: str = _REPLAY) -> Rule:
    disproof = "the stated rule without this slip gives the observed numbers as well"
    return Rule(name, FAULTS[name].what, PROOF, formula, _SOURCE, disproof, is_code_fault=True)


RULES: tuple[Rule, ...] = (
    *(_known(name) for name in KNOWN),
    _known(AFTER, "a = f(W x) + b gives the program's values to 1e-9, a = f(W x + b) does not"),
    _known(
        OVER,
        "exp(z)/sum exp(z) with the sum over the samples gives the program's values to 1e-9, with "
        "the sum over the units it does not",
    ),
    _known(
        PENALTY,
        "printed - loss is odd in w and doubles with it (l2/2 * sum w), where l2/2 * sum w^2 is "
        "even and becomes four times as large",
    ),
    Rule(
        UPDATE,
        "the update is not the stated rule applied to the true gradient; cause unknown",
        PROOF,
        "r = ||dtheta + step||/(||dtheta|| + ||step||) > 1e-9, and no known wrong rule matches",
        "bound 1e-9: correct code stays below 1e-12 in float64",
        "r <= 1e-9 for every tensor",
        is_code_fault=True,
    ),
    Rule(
        FORWARD,
        "the forward pass is not the stated one; cause unknown",
        PROOF,
        "||a - f(W x + b)||/(||a|| + ||f||) > 1e-9 in this layer, and 0 below it",
        "bound 1e-9: correct code stays below 1e-12 in float64",
        "the layer's values are f(W x + b) of its own inputs",
        is_code_fault=True,
    ),
    Rule(
        PRINTED,
        "the printed loss is not the stated one; training itself may be right",
        PROOF,
        "|printed - stated|/(|printed| + |stated|) > 1e-12 with the same parameters and rows",
        "bound 1e-12: sums in another order differ by less",
        "the two agree at all parameters that are tried",
        is_code_fault=True,
    ),
)
"""The findings of this module."""
WORTH_SHOWING = 1e-2
"""Evidence from the run itself is preferred if the deviation there is at least this share of the
largest."""
_BY_CODE = {rule.code: rule for rule in RULES}


def code_faults(evidence: Evidence) -> list[Finding]:
    """The code faults of the subject, those that disturb the updates most first."""
    examined = examine(evidence.subject, evidence.observation.state, evidence.deadline)
    evidence.cut_short |= not examined.explanation.complete
    return findings_of(examined)


@np.errstate(all="ignore")
def findings_of(examined: Examined) -> list[Finding]:
    """The results of the checks as findings, the most important first."""
    found = [_of_rule(examined, entry) for entry in examined.rules]
    if examined.forward.unknown is not None:
        found.append(_of_forward(examined.forward))
    if examined.explanation.unknown:
        found.append(_of_update(examined))
    if examined.printed is not None and examined.printed.unknown:
        found.append(_of_printed(examined.printed))
    return sorted(found, key=lambda finding: -finding.weight)


def _finding(code: str, evidence: str, layers: Sequence[int], weight: float, fix: Fix) -> Finding:
    layer = max(layers, default=None)
    return Finding(
        _BY_CODE[code],
        evidence,
        layer,
        first_update=0,
        fixes=(fix,),
        weight=weight,
        layers=tuple(layers),
    )


def _of_rule(examined: Examined, entry: FaultEntry) -> Finding:
    """A known fault; its fix leaves other faults unchanged."""
    rest = [each for each in examined.rules if each != entry]
    changes = _changes(examined, rest)
    layers = entry.layers or ()
    if entry.name == PENALTY and examined.printed is not None:
        evidence, weight = _of_penalty(examined.printed), 0.0
    elif entry.name == AFTER:
        evidence = (
            f"{_in_layers(layers)} the program's a is f(W x) + b to 9 digits; from f(W x + b) it "
            f"is off by {examined.forward.residual:.2g}"
        )
        weight = 1.0 + examined.forward.residual
    elif entry.name == OVER:
        evidence = (
            f"{_in_layers(layers)} the program's a is a softmax over the samples to 9 digits; from "
            f"a softmax over the units it is off by {examined.forward.residual:.2g}"
        )
        weight = 1.0 + examined.forward.residual
    else:
        evidence, weight = _of_replay(examined, entry)
    return _finding(entry.name, evidence, layers, weight, Fix(FAULTS[entry.name].fix, changes))


def _of_penalty(printed: Printed) -> str:
    return (
        f"the program prints {printed.printed:.10g}, its stated loss is {printed.stated:.10g}; "
        f"with w in the place of w^2 {_in_layers(printed.layers)} the replay prints the same"
    )


def _of_replay(examined: Examined, entry: FaultEntry) -> tuple[str, float]:
    """The evidence of a fault at the update that shows it best, and the mean deviation."""
    replays, rules = examined.replays, examined.explanation.rules
    others = tuple(each for each in rules if each != entry)
    every, without = replays.of(rules), replays.of(others)
    shown = []
    for tensor in tensors_of(replays.stated):
        for at, pair in enumerate(zip(replays.observed, without, strict=True)):
            mine, right = (each.step[tensor.part] for each in pair)
            # A run that stands still has only what rounding leaves of its steps.
            least = ROUNDING * np.linalg.norm(replays.updates[at].before)
            felt = max(np.linalg.norm(mine), np.linalg.norm(right)) > least
            shown.append((distance(mine, right) if felt else 0.0, at, tensor))
    worst = max(shown, key=_off)
    first = max((each for each in shown if each[1] == 0), key=_off)
    off, at, tensor = first if first[0] > WORTH_SHOWING * worst[0] else worst
    mine, right, replay = (
        each[at].step[tensor.part] for each in (replays.observed, without, every)
    )
    evidence = (
        f"{replays.where(at)}, {tensor.words} moved by {np.linalg.norm(mine):.3g}; without this "
        f"slip it would move by {np.linalg.norm(right):.3g} (off by {100 * off:.3g} %), and with "
        f"{_words(entry)} {_in_layers(entry.layers or ())} it agrees to "
        f"{_digits(distance(mine, replay))} digits"
    )
    alike = [
        _words(two) if two.name == one.name else two.name
        for one, two in examined.explanation.alike
        if one.name == entry.name
    ]
    if alike:
        evidence += f" (here the same as {alike[0]})"
    steps = [distance(one.step, two.step) for one, two in zip(every, without, strict=True)]
    return evidence, float(np.mean(steps))


def _off(shown: tuple[float, int, Tensor]) -> float:
    return shown[0]


def _of_update(examined: Examined) -> Finding:
    unknown, replays = examined.explanation.unknown, examined.replays
    first = unknown[0]
    right = replays.of(examined.explanation.rules)
    found = {each.tensor.name: each for each in residuals(replays, right)}
    worst = found[first.name]
    at, part = worst.worst, first.part
    mine, theirs = replays.observed[at], right[at]
    layers = sorted({tensor.layer for tensor in unknown})
    evidence = (
        f"{replays.where(at)}, {first.words} moved by {np.linalg.norm(mine.step[part]):.3g}, the "
        f"rule says {np.linalg.norm(theirs.step[part]):.3g} (r = {worst.of_step:.2g}, of the "
        f"reported gradient {worst.of_gradient:.2g})"
    )
    fitted = _fitted(replays, first)
    if fitted:
        evidence += f"; it is {fitted}"
    names = ", ".join(tensor.name for tensor in unknown)
    evidence += f"; wrong {_in_layers(layers)} ({names}), beginning in layer {first.layer}"
    text = (
        f"look at what is done to {first.words}: the update is right above it and no known slip "
        "gives its numbers"
    )
    if not examined.explanation.complete:
        evidence += "; there was no time to compare it with every known slip"
        text = f"look at what is done to {first.words}, or give the diagnosis more time"
    wrong = [found[each.name] for each in unknown]
    weight = float(np.mean([max(each.of_step, each.of_gradient) for each in wrong]))
    return _finding(UPDATE, evidence, layers, weight, Fix(text, _changes(examined, ())))


def _fitted(replays: Replays, tensor: Tensor) -> str:
    """The first steps of ``tensor`` as a combination of right step and parameters, if exact."""
    part, firsts = tensor.part, replays.firsts
    steps = np.concatenate([replays.observed[at].step[part] for at in firsts])
    right = np.concatenate([replays.of(())[at].step[part] for at in firsts])
    before = np.concatenate([replays.updates[at].before[part] for at in firsts])
    basis = np.stack([right, before], axis=1)
    if not np.isfinite(basis).all() or not np.isfinite(steps).all():
        return ""
    (share, decay), *_ = np.linalg.lstsq(basis, steps, rcond=None)
    if distance(steps, basis @ np.array([share, decay])) > FAULT or abs(decay) < FAULT:
        return ""
    return f"{share:.6g} times the right step {'+' if decay > 0 else '-'} {abs(decay):.6g}*theta"


def _of_forward(forward: ForwardPass) -> Finding:
    layer = forward.unknown or 0
    evidence = (
        f"the values of layer {layer} are off by {forward.residual:.2g} from f(W x + b) with the "
        "stated activation"
    )
    text = f"compare what layer {layer} computes with what it is meant to compute"
    return _finding(FORWARD, evidence, (layer,), 2.0, Fix(text, {"faults": []}))


def _of_printed(printed: Printed) -> Finding:
    evidence = (
        f"the program prints {printed.printed:.10g} where its stated loss is "
        f"{printed.stated:.10g} (off by {printed.residual:.2g})"
    )
    text = "compute the printed loss from the outputs and the penalty as stated"
    return _finding(PRINTED, evidence, (), 0.0, Fix(text, {"faults": []}))


def _changes(examined: Examined, rest: Sequence[FaultEntry]) -> dict[str, Any]:
    """The changes of a preset after which the faults ``rest`` are all that is wrong with it."""
    slopes = {f"layers.{layer}.slope": None for layer in examined.replays.slopes}
    return {"faults": [_as_preset(examined, each) for each in rest], **slopes}


def _as_preset(examined: Examined, entry: FaultEntry) -> Any:
    """``entry`` in the form of a preset's list of faults, abbreviated if it concerns all layers."""
    stated = examined.replays.stated
    plain = replace(entry, layers=None)
    touched = [
        layer
        for layer in range(len(stated.layers))
        if has_effect(stated, replace(entry, layers=(layer,)))
    ]
    table: dict[str, Any] = {"name": entry.name}
    if entry.name in (DERIVATIVE, GRADIENT):
        table["of"] = entry.of
    if entry.name == FACTOR:
        table["factor"] = entry.factor
    if entry.layers is not None and list(entry.layers) != touched:
        table["layers"] = list(entry.layers)
    return plain.name if len(table) == 1 else table


def _words(entry: FaultEntry) -> str:
    if entry.name == DERIVATIVE:
        return f"the {'derivative of' if entry.of in ACTIVATIONS else 'slope'} {entry.of}"
    if entry.name == GRADIENT:
        return f"{entry.of} in the place of the weights' gradient"
    if entry.name == FACTOR:
        return f"the gradient times {entry.factor:g}"
    return f"the fault {entry.name}"


def _in_layers(layers: Sequence[int]) -> str:
    if len(layers) == 1:
        return f"in layer {layers[0]}"
    *most, last = map(str, layers)
    return f"in layers {', '.join(most)} and {last}"


def _digits(off: float) -> int:
    return 15 if off == 0.0 else min(15, floor(-log10(off)))
