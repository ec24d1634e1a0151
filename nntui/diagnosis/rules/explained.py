"""How much of a failure a floor of the loss explains."""

import numpy as np

from nntui.diagnosis.evidence import Evidence

EXPLAINS, FORBIDS = 1.5, 2.0
"""Weights of certificates: one that stops all learning, and a floor above the goal."""


SLACK = 0.9
"""Of a floor: a loss below refutes it."""


def explained(evidence: Evidence, floor: float) -> float:
    """How much of the failure a floor explains: 1 and more if the goal lies below it."""
    goal = evidence.case.preset.goal.loss
    if floor > goal:
        return FORBIDS
    losses = evidence.case.losses
    loss = float(losses[-1]) if len(losses) else np.inf
    return floor / loss if 0.0 < loss < np.inf else 0.0


def refuted(evidence: Evidence, floor: float) -> bool:
    """Whether a reported loss lies further below ``floor`` than moving parameters explain.

    A loss that is added up while they move, or one that a fault misprints, has no such floor.
    """
    losses = evidence.case.losses
    return bool(len(losses)) and bool(np.nanmin(losses) < SLACK * floor)


def spread(evidence: Evidence) -> float:
    """What thresholds of a floor are held against: the best constant's loss."""
    constant = evidence.cost.constant(evidence.y)
    if constant > 0.0:
        return constant
    return evidence.cost.of(np.zeros_like(evidence.y), evidence.y)


def against_goal(evidence: Evidence, floor: float) -> str:
    """The floor beside the goal, in words."""
    return f"the loss cannot fall below {floor:.4g} (goal {evidence.case.preset.goal.loss:g})"
