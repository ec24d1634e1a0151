"""What the program itself computes: a proof from the stated network holds only where it agrees."""

import numpy as np

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.diagnosis.checks.forward_check import ForwardPass, check_forward
from nntui.diagnosis.evidence import MOST_ROWS, Evidence

PLACES = 2
"""Pairs of opposite places at which forward passes are compared."""
ROUNDING = 1e-12
"""Gradients below this share of the penalty's are what rounding leaves of it."""


def forward_of(evidence: Evidence) -> ForwardPass:
    """How the forward pass differs from the stated one, at biases that let a difference show.

    One that is added behind a rectifier makes none as long as nothing lies below 0.
    """
    random, start = np.random.RandomState(0), evidence.start.theta
    steps = [0.5 * random.randn(len(start)) for _ in range(PLACES)]
    nudged = [start + sign * step for step in steps for sign in (1.0, -1.0)]
    return check_forward(evidence.subject, [evidence.now.theta, *nudged])


def gets_gradient(evidence: Evidence, layer: int, state: State) -> bool:
    """Whether the program's gradient of any weight up to ``layer`` is not 0, penalties apart."""
    rows = np.arange(min(evidence.x.shape[1], MOST_ROWS))
    gradient = evidence.subject.updates(state.theta, [rows], state.epoch)[0].gradient
    penalty = evidence.landscape.penalty_gradient(state.theta)
    data, own = (evidence.layout.views(each) for each in (gradient - penalty, penalty))
    return any(
        _size(W) > ROUNDING * _size(penal)
        for (W, _), (penal, _) in zip(data[: layer + 1], own, strict=False)
    )


def _size(values: Array) -> float:
    return float(np.linalg.norm(values))
