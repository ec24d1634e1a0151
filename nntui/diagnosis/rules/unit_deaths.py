"""Which update killed a unit: found by making the updates between two looks once more."""

import numpy as np

from nntui.diagnosis.evidence import Evidence
from nntui.timeline.history.unit_events import Flip

MOST_UPDATES = 256
"""Updates that are made again; an update from outside costs far more than one in training."""
MOST_PRODUCTS = 1_000_000_000
"""Updates times rows times parameters, likewise."""


def killing_update(evidence: Evidence, flip: Flip) -> int | None:
    """The update after which the unit of ``flip`` was dead for the rest of the way to ``flip.by``.

    None where it cannot be told from outside, or not cheaply: an optimiser that remembers, rows in
    drawn order, or too many updates.
    """
    if flip.after == flip.by - 1:
        return flip.by
    stated, training = evidence.stated, evidence.stated.training
    remembers = training.momentum or training.optimiser in ("adam", "rmsprop")
    starts = [state for state in evidence.finite if state.update <= flip.after]
    if remembers or training.order != "in-order" or not starts:
        return None
    state, size, rows = starts[-1], stated.batch_size, evidence.x.shape[1]
    updates = flip.by - state.update
    if updates > MOST_UPDATES or updates * rows * evidence.layout.size > MOST_PRODUCTS:
        return None
    theta, epoch, position = state.theta, state.epoch, state.position
    killed: int | None = None
    for update in range(state.update + 1, flip.by + 1):
        batch = np.arange(position * size, min((position + 1) * size, rows))
        theta = evidence.subject.updates(theta, [batch], epoch)[0].after
        position = (position + 1) % stated.updates_per_epoch
        epoch += position == 0
        z = evidence.subject.forward(theta, evidence.x)[flip.layer].z[flip.unit]
        if (z > 0.0).any():
            killed = None
        elif killed is None:
            killed = update
    return killed
