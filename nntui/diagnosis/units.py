"""Units: equal ones, dead ones, saturated ones, and outputs that are saturated and wrong."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import EXPERIMENT, MEASURED, PROOF, Finding, Fix, Rule
from nntui.diagnosis.proofs import EXPLAINS, explained

SYMMETRIC = Rule(
    "symmetric",
    "units of a layer start equal and stay so",
    PROOF,
    "equal rows of W and b, and equal weights out of them, at update 0: equal gradients for ever",
    "Rumelhart, Hinton and Williams 1986: symmetry must be broken",
    "two units of the layer that differ after an update",
)
DEAD_LAYER = Rule(
    "dead-layer",
    "no unit of the layer is active on any sample",
    PROOF,
    "slope 0 of every unit on every training row: no gradient passes, the output is constant",
    "the chain rule; Lu et al. 2019 (dying ReLU)",
    "a sample on which a unit of the layer has z above 0",
)
DEAD_OUTPUT = Rule(
    "dead-output",
    "the output is 0 on every sample and gets no gradient",
    PROOF,
    "slope 0 of every output on every training row: the gradient of every parameter is 0",
    "the chain rule",
    "a sample on which an output has z above 0",
)
DEAD_UNITS = Rule(
    "dead-units",
    "half of a layer's units or more are dead",
    MEASURED,
    "units active on no training row >= 50 % of a hidden layer",
    "SageMaker Debugger, DeadRelu (50 %); counted over the whole set, not over zeros",
    "samples on which these units are active",
)
SATURATION = Rule(
    "saturation",
    "a layer's units are saturated",
    MEASURED,
    "sigmoid: |z| >= 5, tanh: |a| > 0.97, on > 50 % of a hidden layer's units and samples",
    "DeepDiagnosis (Wardat et al. 2022)",
    "most of the layer's z near 0",
)
MISMATCH = Rule(
    "loss-mismatch",
    "the output is saturated and wrong, and its loss hardly notices",
    MEASURED,
    "|y - a| > 0.9 of the range where the slope is below 1e-3, on >= 10 % of the samples",
    "cs231n; Goodfellow et al. 2016, section 6.2.2",
    "a gradient at the output as large as the error",
)
TOO_FEW = Rule(
    "too-few-units",
    "the hidden layers are too narrow",
    EXPERIMENT,
    "solved in 0 of K seeds at width n, in k > 0 of K at width 2n; measured: a hidden layer of one "
    "unit, which passes a single number on",
    "XOR with 2 to 8 ReLU units: solved in 43 to 192 of 200 seeds",
    "no seed that solves it at twice the width",
)
RULES = (SYMMETRIC, DEAD_LAYER, DEAD_OUTPUT, DEAD_UNITS, SATURATION, MISMATCH, TOO_FEW)

DEAD_SHARE = SATURATED_SHARE = 0.5
WRONG, FLAT, WRONG_SHARE = 0.9, 1e-3, 0.1
CUT_OFF = frozenset({"relu"})
"""Functions that are flat on a whole half-line."""
KILLERS = (
    "rate-too-high",
    "inputs-not-scaled",
    "targets-not-scaled",
    "init-scale",
    "penalty-dominates",
    "diverged",
)
"""What throws a layer that was alive below 0 on every sample."""


def symmetric_start(evidence: Evidence) -> Iterator[Finding]:
    """Hidden layers whose units start in groups of equal ones, half of the units or fewer."""
    parameters, found = evidence.parameters(evidence.start), {}
    for layer in evidence.hidden:
        (W, b), (out, _) = parameters[layer], parameters[layer + 1]
        rows = np.concatenate([W, out.T] if b is None else [W, out.T, b], axis=1)
        kinds = len(np.unique(rows, axis=0))
        if 1 < len(W) >= 2 * kinds:
            found[layer] = kinds
    if not found:
        return
    first, kinds = next(iter(found.items()))
    units = evidence.stated.layers[first].units
    more = f"; so do those of layer {', '.join(map(str, [*found][1:]))}" if len(found) > 1 else ""
    every = range(len(parameters))
    yield Finding(
        SYMMETRIC,
        f"the {units} units of layer {first} start as {kinds} different "
        f"{'one' if kinds == 1 else 'ones'}, and equal ones stay equal: it learns as a layer of "
        f"{kinds}{more}",
        layer=first,
        first_update=0,
        fixes=(
            Fix(
                "draw the weights at random",
                {f"layers.{at}.init": "he" for at in every}
                | {f"layers.{at}.scale": 1.0 for at in every},
            ),
        ),
        units=tuple((at, unit) for at in found for unit in range(evidence.stated.layers[at].units)),
        weight=EXPLAINS,
    )


def _dead(evidence: Evidence, layer: int, slopes: list[Array]) -> npt.NDArray[np.bool_]:
    """Per unit of ``layer``, whether its slope is 0 on every training row."""
    if evidence.stated.layers[layer].activation not in CUT_OFF:
        return np.zeros(len(slopes[layer]), dtype=np.bool_)
    return np.asarray((slopes[layer] == 0.0).all(axis=1))


def _since(evidence: Evidence, layer: int) -> tuple[int | None, str]:
    """When the last unit of ``layer`` died, as far as the looks tell, and in words."""
    deaths = [flip for flip in evidence.case.flips if flip.layer == layer and flip.died]
    if not deaths:
        return None, ""
    last = max(deaths, key=lambda flip: flip.by)
    if last.after < 0:
        return 0, "from the start"
    if last.after == last.by - 1:
        return last.by, f"killed by update {last.by}"
    return last.by, f"killed after update {last.after}, at the latest by {last.by}"


def dead_layers(evidence: Evidence) -> Iterator[Finding]:
    """A dead output, and dead hidden layers; the first of them, for the rest follow from it."""
    last, slopes = len(evidence.stated.layers) - 1, evidence.slopes(evidence.layers)
    at_start = evidence.slopes(evidence.first_layers)
    for layer in (last, *evidence.hidden):
        if not _dead(evidence, layer, slopes).all():
            continue
        born = bool(_dead(evidence, layer, at_start).all())
        since, said = (0, "from the start") if born else _since(evidence, layer)
        said = said and f", {said}"
        units = len(slopes[layer])
        loss = evidence.cost.of(evidence.layers[-1].h, evidence.y)
        floor = loss if layer == last else evidence.cost.constant(evidence.y)
        what = "stays" if layer == last else "cannot fall below that of a constant,"
        whose = "output" if layer == last else f"layer {layer}"
        yield Finding(
            DEAD_OUTPUT if layer == last else DEAD_LAYER,
            f"all {units} units of {whose} have slope 0 on all {evidence.x.shape[1]} samples"
            f"{said}: no gradient passes, and the loss {what} {floor:.4g}",
            layer=layer,
            first_update=since,
            fixes=_revivals(evidence, layer),
            units=tuple((layer, unit) for unit in range(units)),
            weight=EXPLAINS + min(explained(evidence, floor), 1.0) / 4.0,
            symptom_of=("symmetric", *(() if born else KILLERS)),
        )
        return


def _revivals(evidence: Evidence, layer: int) -> tuple[Fix, ...]:
    """Activations that cannot die, in the place of those that did."""
    last, key = len(evidence.stated.layers) - 1, f"layers.{layer}.activation"
    if layer == last:
        return (
            Fix("make the output linear", {key: "identity"}),
            Fix("a leaky ReLU output", {key: "leaky-relu"}),
        )
    every = {
        f"layers.{at}.activation": "leaky-relu"
        for at in evidence.hidden
        if evidence.stated.layers[at].activation in CUT_OFF
    }
    return (
        Fix("leaky ReLU in the hidden layers", every),
        Fix("tanh in the hidden layers", dict.fromkeys(every, "tanh")),
        Fix("weights drawn by He, biases from 0", _fresh(evidence, layer)),
    )


def _fresh(evidence: Evidence, layer: int) -> dict[str, object]:
    key = f"layers.{layer}"
    return {f"{key}.init": "he", f"{key}.scale": 1.0, f"{key}.bias_init": "zeros"}


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """The hidden layer with the largest share of dead units, from a half on, but not all."""
    slopes, worst = evidence.slopes(evidence.layers), None
    for layer in evidence.hidden:
        dead = _dead(evidence, layer, slopes)
        share = float(dead.mean())
        if DEAD_SHARE <= share < 1.0 and (worst is None or share > worst[1]):
            worst = layer, share, dead
    if worst is None:
        return
    layer, share, dead = worst
    born = _dead(evidence, layer, evidence.slopes(evidence.first_layers))
    killed = int((dead & ~born).sum())
    yield Finding(
        DEAD_UNITS,
        f"{int(dead.sum())} of {len(dead)} units of layer {layer} are active on no sample "
        f"({int((dead & born).sum())} from the start, {killed} killed later)",
        layer=layer,
        first_update=0 if not killed else _since(evidence, layer)[0],
        fixes=_revivals(evidence, layer),
        units=tuple((layer, int(unit)) for unit in np.flatnonzero(dead)),
        weight=0.4 + 0.2 * share,
        symptom_of=("dead-layer", "dead-output", *(KILLERS if killed else ())),
    )


def _saturated(evidence: Evidence, layer: int, z: Array, a: Array) -> npt.NDArray[np.bool_]:
    match evidence.stated.layers[layer].activation:
        case "sigmoid":
            return np.abs(z) >= 5.0
        case "tanh":
            return np.abs(a) > 0.97
    return np.zeros(z.shape, dtype=np.bool_)


def saturation(evidence: Evidence) -> Iterator[Finding]:
    """The hidden layer that is saturated the most."""
    shares = [
        _saturated(evidence, layer, evidence.layers[layer].z, evidence.layers[layer].a)
        for layer in evidence.hidden
    ]
    if not shares:
        return
    layer = int(np.argmax([each.mean() for each in shares]))
    share = float(shares[layer].mean())
    if share <= SATURATED_SHARE:
        return
    units = np.flatnonzero(shares[layer].mean(axis=1) > SATURATED_SHARE)
    key = f"layers.{layer}"
    yield Finding(
        SATURATION,
        f"layer {layer} is saturated on {share:.0%} of its units and samples",
        layer=layer,
        fixes=(
            Fix("draw smaller weights, by Xavier", {f"{key}.init": "xavier", f"{key}.scale": 1.0}),
            Fix("scale the inputs", {"data.scale_inputs": "standard"}),
        ),
        units=tuple((layer, int(unit)) for unit in units),
        weight=0.4 + 0.2 * share,
        symptom_of=(
            "init-scale",
            "inputs-not-scaled",
            "rate-too-high",
            "output-range",
            "targets-not-scaled",
            "diverged",
            "too-few-units",
        ),
    )


def loss_mismatch(evidence: Evidence) -> Iterator[Finding]:
    """An output that is far from its targets where its slope is nearly 0."""
    last = len(evidence.stated.layers) - 1
    output, loss = evidence.stated.layers[last], evidence.stated.training.loss
    if output.activation not in ("sigmoid", "tanh") or loss.endswith("cross-entropy"):
        return
    reach = 1.0 if output.activation == "sigmoid" else 2.0
    slope = evidence.slopes(evidence.layers)[last]
    wrong = (np.abs(evidence.layers[last].h - evidence.y) > WRONG * reach) & (slope < FLAT)
    share = float(wrong.any(axis=0).mean())
    if share < WRONG_SHARE:
        return
    to_cross = Fix("cross-entropy as the training loss", {"training.loss": "binary-cross-entropy"})
    linear = Fix("make the output linear", {f"layers.{last}.activation": "identity"})
    shares = output.activation == "sigmoid" and bool(((evidence.y >= 0) & (evidence.y <= 1)).all())
    yield Finding(
        MISMATCH,
        f"on {share:.0%} of the samples the output is wrong by more than {WRONG * reach:g} and its "
        f"slope is below {FLAT:g}: {loss} hardly corrects it",
        layer=last,
        fixes=(to_cross, linear) if shares else (linear,),
        units=tuple((last, int(unit)) for unit in np.flatnonzero(wrong.any(axis=1))),
        weight=0.7,
        symptom_of=("output-range", "inputs-not-scaled", "init-scale", "rate-too-high"),
    )


def one_unit(evidence: Evidence) -> Iterator[Finding]:
    """A hidden layer of a single unit, behind which the inputs are one number."""
    for layer in evidence.hidden:
        if evidence.stated.layers[layer].units == 1:
            wider = {f"layers.{at}.units": 8 for at in evidence.hidden}
            yield Finding(
                replace(TOO_FEW, klass=MEASURED),
                f"layer {layer} has one unit: behind it the {len(evidence.x)} inputs are a single "
                "number",
                layer=layer,
                first_update=0,
                fixes=(Fix("8 units in the hidden layers", wider),),
                units=((layer, 0),),
                weight=0.65,
            )
            return
