"""Saturated hidden units, and outputs that are saturated and wrong."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import MEASURED, Finding, Fix, Rule
from nntui.diagnosis.rules.rates import lower_rates
from nntui.diagnosis.rules.usual_fixes import standardised_inputs

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
    "the output is saturated and wrong, where the loss hardly corrects it",
    MEASURED,
    "|y - a| > 0.9 of the range where the slope is below 1e-3, on >= 10 % of the samples",
    "cs231n; Goodfellow et al. 2016, section 6.2.2",
    "a gradient at the output as large as the error",
)
RULES = (SATURATION, MISMATCH)

SATURATED_SHARE = 0.5
WRONG, FLAT, WRONG_SHARE = 0.9, 1e-3, 0.1


def _saturated(evidence: Evidence, layer: int, z: Array, a: Array) -> npt.NDArray[np.bool_]:
    match evidence.stated.layers[layer].activation:
        case "sigmoid":
            return np.abs(z) >= 5.0
        case "tanh":
            return np.abs(a) > 0.97
    return np.zeros(z.shape, dtype=np.bool_)


def saturation(evidence: Evidence) -> Iterator[Finding]:
    """The most saturated hidden layer."""
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
    yield Finding(
        SATURATION,
        f"layer {layer} is saturated on {share:.0%} of its units and samples",
        layer=layer,
        fixes=_unsaturated(evidence, layer),
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


def _unsaturated(evidence: Evidence, layer: int) -> tuple[Fix, ...]:
    """A lower rate where training saturated it, else smaller first parameters; scaled inputs."""
    key, (W, b) = f"layers.{layer}", evidence.parameters(evidence.start)[layer]
    start, fixes = evidence.values(evidence.start)[layer], tuple[Fix, ...]()
    if _saturated(evidence, layer, start.z, start.a).mean() <= SATURATED_SHARE:
        fixes = lower_rates(evidence)
    # Xavier's weights have a mean square of 2 / (units in + units out).
    if np.mean(W * W) * sum(W.shape) > 2.0:
        xavier = {f"{key}.init": "xavier", f"{key}.scale": 1.0}
        fixes = (*fixes, Fix("draw smaller weights, by Xavier", xavier))
    if b is not None and np.mean(b * b) > 1.0:
        fixes = (*fixes, Fix("start the biases from 0", {f"{key}.bias_init": "zeros"}))
    return (*fixes, *standardised_inputs(evidence))


def loss_mismatch(evidence: Evidence) -> Iterator[Finding]:
    """An output that is far from its targets where its slope is nearly 0."""
    last = len(evidence.stated.layers) - 1
    output, loss = evidence.stated.layers[last], evidence.stated.training.loss
    if output.activation not in ("sigmoid", "tanh") or loss.endswith("cross-entropy"):
        return
    reach = 1.0 if output.activation == "sigmoid" else 2.0
    error = np.abs(evidence.layers[last].h - evidence.sample_y)
    wrong = (error > WRONG * reach) & (evidence.output_slope < FLAT)
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
