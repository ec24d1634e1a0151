"""Gradients that vanish or explode across layers, and weights that grow without bound."""

from collections.abc import Iterator

import numpy as np

from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.finding import MEASURED, Finding, Fix, Rule
from nntui.diagnosis.rules.rates import rose
from nntui.diagnosis.rules.usual_fixes import clipped

VANISHING = Rule(
    "vanishing-gradient",
    "the gradient vanishes towards the first layer",
    MEASURED,
    "norm of the first layer's gradient < 1e-3 of the last layer's, now or at the start; < "
    "1e-2 at the start where the output is still constant",
    "AutoTrainer (Zhang et al. 2021); Hochreiter 1991",
    "first layers that move as much as the last",
)
EXPLODING = Rule(
    "exploding-gradient",
    "the gradient or the weights grow without bound",
    MEASURED,
    "norm of the first layer's gradient > 70 times the last layer's, or weights > 10 times those "
    "of the start and still growing; and the loss rose",
    "AutoTrainer (Zhang et al. 2021)",
    "gradients and weights that stay as large as at the start",
)
RULES = (VANISHING, EXPLODING)

CONSTANT, FAINT = 0.01, 1e-2
VANISHES, EXPLODES, GROWN = 1e-3, 70.0, 10.0


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """A first layer whose gradient is far smaller than the last layer's."""
    if len(evidence.stated.layers) < 2:
        return
    born, norms = evidence.gradients(evidence.start), evidence.gradients(evidence.now)
    # Where the output is constant there is no gradient left to compare: the start tells.
    spreads = [each.std(axis=1).max() for each in (evidence.layers[-1].h, evidence.sample_y)]
    constant = spreads[0] < CONSTANT * spreads[1]
    if not (norms[-1] > 0.0 and norms[0] < VANISHES * norms[-1]):
        if born[0] >= (FAINT if constant else VANISHES) * born[-1]:
            return
        norms = born
    yield Finding(
        VANISHING,
        f"the gradient's norm is {norms[0]:.2g} in layer 0 and {norms[-1]:.2g} in the last",
        layer=0,
        first_update=0 if born[0] < FAINT * born[-1] else None,
        fixes=(
            Fix(
                "ReLU in the hidden layers, drawn by He",
                {f"layers.{at}.activation": "relu" for at in evidence.hidden}
                | {f"layers.{at}.init": "he" for at in evidence.hidden}
                | {f"layers.{at}.scale": 1.0 for at in evidence.hidden},
            ),
        ),
        weight=0.35,
        symptom_of=(
            "dead-layer",
            "dead-output",
            "dead-units",
            "symmetric",
            "saturation",
            "loss-mismatch",
            "init-scale",
            "inputs-not-scaled",
            "penalty-dominates",
            "rate-too-high",
            "too-few-units",
        ),
    )


def exploding(evidence: Evidence) -> Iterator[Finding]:
    """A gradient that grows towards the first layer, or weights that keep growing."""
    looks = evidence.looks
    sizes = [float(np.linalg.norm(each.theta)) for each in looks]
    if not rose(evidence):
        return
    grows = (
        len(sizes) > 2 and sizes[-1] > GROWN * sizes[0] and bool((np.diff(sizes[-3:]) > 0).all())
    )
    norms = evidence.gradients(evidence.now)
    ratio = norms[0] / norms[-1] if norms[-1] > 0.0 else 0.0
    if not grows and not (len(norms) > 1 and EXPLODES < ratio < np.inf):
        return
    said = (
        f"the weights have grown from {sizes[0]:.3g} to {sizes[-1]:.3g}"
        if grows
        else f"the gradient is {ratio:.3g} times as large in layer 0 as in the last"
    )
    yield Finding(
        EXPLODING,
        said,
        layer=0,
        fixes=clipped(evidence),
        weight=0.38,
        symptom_of=(
            "rate-too-high",
            "inputs-not-scaled",
            "targets-not-scaled",
            "init-scale",
            "dead-layer",
            "dead-output",
            "diverged",
        ),
    )
