"""Proves a preset: runs it, and compares every update and loss with the program's.

A network that is dead from the start would prove nothing; so the updates that the program makes
from other first parameters are compared too, each from the program's own numbers.
"""

import time

import numpy as np

from nntui.presets.preset import Preset
from nntui.program.recognise.description import Description
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates, agree, spans
from nntui.program.recognise.fitting.reported_fit import Reported
from nntui.timeline.run import Run

Array = np.ndarray

SAME = 1e-9
"""Relative difference up to which parameters and losses are the same."""
LATER, MOST_WORK, OVERHEAD = 1e-6, 2e8, 20_000
"""The same at later updates; how much is computed to reach them, and what each update costs."""
SLICE, SECONDS = 64, 4.0
"""Updates between two looks at the clock, and how long later updates may take."""
OTHER_ROWS = "an update uses other rows"
"""The disagreement in nothing but the order of the rows."""


class LaterError(Exception):
    """The run is the program's up to update ``last``, and no more at update ``first``."""

    def __init__(self, last: int, first: int) -> None:
        super().__init__(f"its steps change between update {last} and {first}")
        self.last, self.first = last, first


def disagreement(preset: Preset, description: Description, reported: Reported | None) -> str | None:
    """Where a run of ``preset`` first differs from the program, as a clause; None if it does not.

    Raises LaterError where that is behind the observed updates.

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
    different = _of_other_starts(preset, description)
    if different is None:
        _of_checkpoints(run, description)
    return different


def _of_checkpoints(run: Run, description: Description) -> None:
    """Raise LaterError where the run has left the program, at an update that was not observed.

    That is not held against a run that is chaotic, or too long to be made again.
    """
    last, until = description.updates, time.monotonic() + SECONDS
    for each in description.checkpoints:
        if _work(run, each.update) > MOST_WORK:
            return
        while run.update < each.update and run.divergence is None:
            if time.monotonic() > until:
                return
            run.step(min(SLICE, each.update - run.update))
        if run.update < each.update or not np.isfinite(each.W[0]).all():
            return
        if all(_is_near(W, own) for (W, _), own in zip(run.parameters, each.W, strict=True)):
            last = each.update
        elif _is_chaotic(run, each.update):
            return
        else:
            raise LaterError(last, each.update)


def _work(run: Run, updates: int) -> float:
    """Multiplications of ``updates`` updates, about."""
    weights = sum(W.size for W, _ in run.parameters)
    return float(updates * (weights * run.preset.configuration.batch_size + OVERHEAD))


def _is_chaotic(run: Run, update: int) -> bool:
    """Whether the last bits of a first weight decide where the run is at ``update``."""
    W = run.parameters
    first = Run(run.preset, run.seed)
    start = float(first.parameters[0][0][0, 0])
    other = first.fork(**{"parameters.0.W.0.0": start + 1e-13 * max(abs(start), 1e-3)})
    other.seek(update)
    return not all(
        _is_near(own, one) for (own, _), (one, _) in zip(W, other.parameters, strict=True)
    )


def _is_near(one: Array, other: Array) -> bool:
    size = float(np.abs(other).max(initial=0.0))
    return bool(np.abs(one - other).max(initial=0.0) <= LATER * size + 1e-12)


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
