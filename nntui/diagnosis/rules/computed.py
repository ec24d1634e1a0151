"""What the program itself computes: a proof from the stated network holds only where it agrees."""

import numpy as np

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.diagnosis.checks.forward_check import ForwardPass, check_forward
from nntui.diagnosis.evidence import MOST_ROWS, Evidence

ROUNDING = 1e-12
"""Gradients below this share of the penalty's are what rounding leaves of it."""


def forward_of(evidence: Evidence) -> ForwardPass:
    """How the forward pass differs from the stated one, at biases that let a difference show."""
    start = evidence.start.theta
    nudged = start + 0.5 * np.random.RandomState(0).randn(len(start))
    return check_forward(evidence.subject, [nudged])


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
