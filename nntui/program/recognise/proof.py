"""Proves a preset: runs it, and compares every update and loss with the program's.

A network that is dead from the start would prove nothing; so the updates that the program makes
from other first parameters are compared too, each from the program's own numbers.
"""

import numpy as np

from nntui.presets.preset import Preset
from nntui.program.recognise.description import Description
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates, agree, spans
from nntui.program.recognise.fitting.reported_fit import Reported
from nntui.timeline.run import Run

Array = np.ndarray

SAME = 1e-9
"""Relative difference up to which parameters and losses are the same."""
OTHER_ROWS = "an update uses other rows"
"""The disagreement in nothing but the order of the rows."""


def disagreement(preset: Preset, description: Description, reported: Reported | None) -> str | None:
    """Where a run of ``preset`` first differs from the program, as a clause; None if it does not.

    Compared are all parameters after each observed update, the rows of each update, and the
    reported losses of the epochs that were observed.
    """
    run = Run(preset)
    for update in range(description.updates + 1):
        difference = _of_parameters(run, description, update)
        if difference is not None:
            return difference
        if update == description.updates:
            break
        wanted = description.batches[update]
        if not _same_rows(run, description, wanted):
            return OTHER_ROWS
        report = run.step()
        if report.divergence is not None:
            return f"update {update + 1} diverges: {report.divergence.what}"
    if reported is not None:
        different = _of_losses(run, reported)
        if different is not None:
            return different
    return _of_other_starts(preset, description)


def _of_other_starts(preset: Preset, description: Description) -> str | None:
    updates = ForcedUpdates(description)
    made = updates.make(preset.configuration).steps
    for number, parts in enumerate(spans(preset.configuration)):
        for part, what in zip(parts, ("weights", "bias"), strict=True):
            if part is None:
                continue
            if not agree(updates.steps[:, part], made[:, part], updates.theta[:, part]):
                return f"from other first parameters, steps of the {what} of layer {number} differ"
    return None


def _of_parameters(run: Run, description: Description, update: int) -> str | None:
    for number, ((W, b), layer) in enumerate(zip(run.parameters, description.layers, strict=True)):
        if not _is_same(W, layer.W[update]):
            return f"the weights of layer {number} differ after update {update}"
        if b is not None and layer.b is not None and not _is_same(b, layer.b[update]):
            return f"the bias of layer {number} differs after update {update}"
    return None


def _same_rows(run: Run, description: Description, wanted: Array) -> bool:
    data = run.data
    rows = run.trainer.next_batch()
    if len(rows) != len(wanted):
        return False
    own = data.xy[:, rows]
    theirs = np.concatenate([description.inputs[wanted].T, description.targets[wanted].T])
    # Sums over a batch do not depend on its order, up to rounding.
    return bool(_is_same(_sorted(own), _sorted(theirs)))


def _sorted(columns: Array) -> Array:
    return columns[:, np.lexsort(columns[::-1])]


def _of_losses(run: Run, reported: Reported) -> str | None:
    losses = dict(zip(run.reported_epochs.tolist(), run.losses.tolist(), strict=True))
    for epoch, value in zip(reported.epochs.tolist(), reported.values.tolist(), strict=True):
        if epoch in losses and not _is_same(np.array(losses[epoch]), np.array(value)):
            return f"the reported loss of epoch {epoch} differs"
    return None


def _is_same(one: Array, other: Array) -> bool:
    """Relative to the largest entry, and absolutely for what is 0 but for rounding."""
    size = float(np.abs(other).max(initial=0.0))
    return bool((np.abs(one - other) <= SAME * size + 1e-14).all())
