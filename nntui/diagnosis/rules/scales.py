"""Scales of the inputs, targets, initial weights and penalty."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nntui.core.engine.network import activation_of
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.data_settings import STANDARD
from nntui.core.tape import Array
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import MEASURED, Finding, Fix, Rule
from nntui.diagnosis.measures.landscape import Landscape
from nntui.diagnosis.rules.proofs import NO_BIAS
from nntui.diagnosis.rules.usual_fixes import scaled_targets, standardised_inputs

INPUTS = Rule(
    "inputs-not-scaled",
    "the inputs are not scaled",
    MEASURED,
    "|mean| > 3 deviations, |x| > 10, or deviations of two columns > 10 times apart; constant "
    "columns apart",
    "LeCun et al. 1998 (Efficient BackProp), section 4.3",
    "the same run with standardised inputs is no better",
)
TARGETS = Rule(
    "targets-not-scaled",
    "the targets are far larger than what the network starts with",
    MEASURED,
    "|y| > 10 or deviation > 10 at an output without an upper end",
    "LeCun et al. 1998; Bishop 2006, section 5",
    "the same run with standardised targets is no better",
)
INIT = Rule(
    "init-scale",
    "the first weights have the wrong size",
    MEASURED,
    "root mean square of W at update 0 more than 1.5 times outside of the usual range: 0.5 to 2 "
    "times what He and Xavier give, and what so few draws scatter; without a hidden layer "
    "any start of a convex loss will do, and so will zeros in one layer of several",
    "He et al. 2015, Glorot and Bengio 2010",
    "the same run with He or Xavier weights is no better",
)
PENALTY = Rule(
    "penalty-dominates",
    "the penalty on the weights outweighs the data",
    MEASURED,
    "norm of the penalty's gradient > 0.3 of that of the data's, at two kept states or with "
    "weights that shrank to 30 %",
    "our own figure; Krogh and Hertz 1992 for the penalty",
    "the same run with a tenth of the penalty is no better",
)
RULES = (INPUTS, TARGETS, INIT, PENALTY)

FAR, LARGE, APART = 3.0, 10.0, 10.0
LEAST_INIT, MOST_INIT, MARGIN = 0.5, 2.0, 1.5
"""The usual range of first weights, and how far beyond it they count as wrong."""
CERTAIN = 3.0
"""So many times a threshold leaves no doubt that what is measured matters."""
DOMINATES, FELT = 0.3, 0.01
COLLAPSED = 0.3
MOST_BIAS = 5.0
MISSED = 0.3


def inputs_scale(evidence: Evidence) -> Iterator[Finding]:
    """Inputs that are large, far from 0, or of different sizes."""
    x = evidence.x
    spread = x.std(axis=1)
    varying = spread > 1e-12 * (1.0 + np.abs(x).max(axis=1))
    if not varying.any():
        return
    largest = float(np.abs(x[varying]).max())
    offset = float((np.abs(x[varying].mean(axis=1)) / spread[varying]).max())
    apart = float(spread[varying].max() / spread[varying].min())
    said = []
    if largest > LARGE:
        said.append(f"inputs are as large as {largest:.4g}")
    if offset > FAR:
        said.append(f"a mean lies {offset:.3g} deviations from 0")
    if apart > APART:
        said.append(f"deviations are {apart:.3g} times apart")
    if said:
        worst = max(largest / LARGE, offset / FAR, apart / APART)
        yield Finding(
            INPUTS,
            "; ".join(said),
            layer=0,
            first_update=0,
            fixes=standardised_inputs(evidence),
            weight=0.9 * _doubt(worst) + min(worst, 100.0) / 1000.0,
        )


def targets_scale(evidence: Evidence) -> Iterator[Finding]:
    """Large targets of an output without an upper bound."""
    output, y = evidence.stated.layers[-1], evidence.y
    if output.normalise or output.activation in ("sigmoid", "tanh", "softmax"):
        return
    largest, spread = float(np.abs(y).max()), float(y.std(axis=1).max())
    if largest > LARGE:
        yield Finding(
            TARGETS,
            f"targets are as large as {largest:.4g}, with a deviation of {spread:.4g}",
            layer=len(evidence.stated.layers) - 1,
            first_update=0,
            fixes=scaled_targets(evidence, STANDARD),
            weight=0.8 * _doubt(largest / LARGE) + min(largest / LARGE, 100.0) / 1000.0,
        )


def _doubt(excess: float) -> float:
    """The factor on a weight for ``excess`` times a threshold: half at it, 1 from `CERTAIN` on."""
    return float(0.5 + 0.5 * min(np.log(excess) / np.log(CERTAIN), 1.0))


def size_and_range(W: Array) -> tuple[float, float, float]:
    """The root mean square of ``W``, and the least and greatest that are as drawn by rule."""
    units, inputs = W.shape
    he, xavier = np.sqrt(2.0 / inputs), np.sqrt(2.0 / (inputs + units))
    # So far few normal draws scatter: up by three deviations, down to the thousandth part of all.
    up, down = 1.0 + 3.0 / np.sqrt(2.0 * W.size), 1e-3 ** (1.0 / W.size)
    low, high = LEAST_INIT * min(he, xavier) * down, MOST_INIT * max(he, xavier) * up
    return float(np.sqrt(np.mean(W * W))), float(low), float(high)


def init_factor(evidence: Evidence) -> float:
    """How far the first weights of the worst layer are outside the usual range; 1 is its edge.

    1 as well where the size of the first weights decides nothing.
    """
    return max(_factors(evidence))


def _factors(evidence: Evidence) -> list[float]:
    """The same, layer by layer."""
    layers = evidence.stated.layers
    if len(layers) == 1 and _is_convex(evidence):
        return [1.0]
    weights = [W for W, _ in evidence.parameters(evidence.start)]
    # A single layer of zeros learns from the others.
    zeros = sum(not W.any() for W in weights)
    return [
        1.0
        if (zeros == 1 < len(weights) and not W.any())
        or (layer.normalise and activation_of(layer).homogeneous)
        else _off(W)
        for layer, W in zip(layers, weights, strict=True)
    ]


def _is_convex(evidence: Evidence) -> bool:
    """Whether the training loss is convex in the weights of a single layer."""
    output, loss = evidence.stated.layers[-1], LOSSES[evidence.stated.training.loss]
    if output.normalise:
        return False
    return activation_of(output).is_linear or loss.needs_output == output.activation


def _off(W: Array) -> float:
    size, low, high = size_and_range(W)
    return max(size / high, low / size if size > 0.0 else np.inf)


def _far_biases(evidence: Evidence) -> Iterator[tuple[int, float]]:
    """Layers whose biases start far from 0, measured by the z they are added to, with their size.

    An output that starts from its targets is right.
    """
    values = evidence.values(evidence.start)
    last = len(values) - 1
    for layer, (_, b) in enumerate(evidence.parameters(evidence.start)):
        size = 0.0 if b is None else float(np.sqrt(np.mean(b * b)))
        if b is None or size <= MOST_BIAS:
            continue
        targets = float(np.abs(evidence.sample_y).max()) if layer == last else 0.0
        product = float(np.sqrt(np.mean(np.square(values[layer].z - b))))
        if size > MOST_BIAS * max(1.0, product) + targets:
            yield layer, size


def init_scale(evidence: Evidence) -> Iterator[Finding]:
    """The layer whose first weights are the furthest from He's and Xavier's rules."""
    for layer, size in _far_biases(evidence):
        yield Finding(
            INIT,
            f"the biases of layer {layer} started at {size:.3g} on average; 0 is usual",
            layer=layer,
            first_update=0,
            fixes=(
                Fix(
                    "start the biases from 0",
                    {f"layers.{at}.bias_init": "zeros" for at in range(layer + 1)},
                ),
            ),
            weight=0.7,
            symptom_of=("dead-layer", "dead-output", "dead-units"),
        )
        return
    factors = _factors(evidence)
    layer = int(np.argmax(factors))
    factor = factors[layer]
    if factor <= MARGIN:
        return
    size, low, high = size_and_range(evidence.parameters(evidence.start)[layer][0])
    layers = range(len(evidence.stated.layers))
    rule = "he" if evidence.stated.layers[0].activation.endswith("relu") else "xavier"
    yield Finding(
        INIT,
        f"the weights of layer {layer} started at {size:.3g} on average; {low:.2g} to {high:.2g} "
        "would be usual",
        layer=layer,
        first_update=0,
        fixes=(
            Fix(
                f"draw all weights by {rule.capitalize()}",
                {f"layers.{at}.init": rule for at in layers}
                | {f"layers.{at}.scale": 1.0 for at in layers},
            ),
        ),
        weight=0.5 + 0.3 * (1.0 - 1.0 / min(factor, 1e6)),
        symptom_of=("symmetric",),
    )


def penalty(evidence: Evidence) -> Iterator[Finding]:
    """A penalty whose gradient outweighs that of the data."""
    stated = evidence.stated
    if not (stated.l1 or stated.l2):
        return
    ratios: list[float] = []
    felt = 0.0
    for state in evidence.looks:
        penal = evidence.landscape.penalty_gradient(state.theta)
        whole = evidence.landscape.gradient(state.theta)
        # The gradient of a summed loss is that many times the mean's; the penalty counts once.
        data = float(np.linalg.norm(whole - penal)) * evidence.summed
        felt = felt or FELT * data
        size = float(np.linalg.norm(penal))
        if size > felt:
            ratios.append(size / data if data > 0.0 else np.inf)
    above = [ratio for ratio in ratios if ratio > DOMINATES]
    # A penalty that has won leaves no weights, and so no gradient of its own.
    sizes = [
        float(np.linalg.norm(evidence.landscape.of_weights(state.theta)))
        for state in (evidence.start, evidence.now)
    ]
    collapsed = bool(above) and sizes[1] < COLLAPSED * sizes[0]
    if len(above) < 2 and not collapsed:
        return
    said = (
        f", and the weights have shrunk from {sizes[0]:.3g} to {sizes[1]:.3g}" if collapsed else ""
    )
    changes = {
        f"training.{key}": getattr(stated.training, key) / 100.0
        for key in ("l1", "l2")
        if getattr(stated.training, key)
    }
    yield Finding(
        PENALTY,
        f"the penalty's gradient is {min(max(above), 1e6):.3g} times that of the data{said}",
        fixes=(
            Fix("a hundredth of the penalty", changes),
            Fix("no penalty", dict.fromkeys(changes, 0.0)),
        ),
        weight=0.85,
    )


def without_bias(evidence: Evidence) -> Iterator[Finding]:
    """A network without any bias, in which biases would be pulled more than the weights are."""
    layers, x = evidence.stated.layers, evidence.x
    constant = (np.ptp(x, axis=1) == 0.0) & (x[:, 0] != 0.0)
    if any(layer.bias != "none" for layer in layers) or constant.any():
        return
    biased = replace(
        evidence.stated, layers=tuple(replace(layer, bias="per-unit") for layer in layers)
    )
    landscape = Landscape(biased, evidence.subject.data)
    theta = np.zeros(landscape.layout.size)
    for (W, _), (own, _) in zip(
        landscape.layout.views(theta), evidence.parameters(evidence.now), strict=True
    ):
        W[...] = own
    gradient = landscape.gradient(theta)
    weights = float(np.linalg.norm(landscape.of_weights(gradient)))
    biases = float(np.linalg.norm(gradient - landscape.of_weights(gradient)))
    if biases > MISSED * weights:
        yield Finding(
            replace(NO_BIAS, klass=MEASURED, title="no layer has a bias, and one is missed"),
            f"biases of 0 would have a gradient of {biases:.2g}; all weights have {weights:.2g}",
            first_update=0,
            fixes=(
                Fix(
                    "give every layer a bias",
                    {f"layers.{at}.bias": "per-unit" for at in range(len(layers))},
                ),
            ),
            weight=0.62,
        )
