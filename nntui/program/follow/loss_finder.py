"""Finds a loss again in a program whose lines were edited; what a constant answer would cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nntui.program.follow.request import Sought
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict import loss_hypotheses as losses
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.places import Places

ALIKE = 1e-6
"""Relative difference up to which two losses count as proportional."""


def found(
    sought: Sought, recordings: Sequence[Recording], parameters: Sequence[str], places: Places
) -> tuple[Loss, Sought] | None:
    """The loss that ``sought`` describes, and its description completed by the ordinal.

    ``recordings`` are the first updates; a sum that is kept over several is seen at the second.
    Of several losses that read the same it is the one with the value that was seen in any of them.
    """
    known = losses.candidates(recordings[:2][-1], parameters, places)
    alike = [
        each for each in known if each.kind == sought.kind and _text(each, places) == sought.text
    ]
    alike = alike or [each for each in known if each.kind == sought.kind]
    if not alike:
        return None
    at = sought.ordinal
    if at is None or at >= len(alike):
        off = [_off(each, sought.value, recordings) for each in alike]
        at = off.index(min(off))
    return alike[at], replace(sought, ordinal=at)


def found_without_names(loss: Loss, recording: Recording) -> Loss | None:
    """``loss``, to be found in recordings that do not know the names of live values.

    Naming makes nodes of its own, for views; what was computed on a line is found either way.
    None where it cannot be told apart without the names.
    """
    if loss.kind != losses.OWN:
        return loss
    node = recording.by_key.get(loss.key)
    while node is not None and node.place < 0:
        node = node.inputs[0] if len(node.inputs) == 1 else None
    return None if node is None or np.size(node.value) != 1 else replace(loss, key=node.key)


def _text(loss: Loss, places: Places) -> str:
    return places.text(loss.place) if loss.place >= 0 else loss.name


def _off(loss: Loss, value: float | None, recordings: Sequence[Recording]) -> float:
    if value is None:
        return 0.0
    off = [abs(loss.value(each) - value) for each in recordings]
    known = [each for each in off if np.isfinite(each)]
    return min(known, default=np.inf)


@dataclass(frozen=True)
class Usual:
    """A usual loss that another is a multiple of."""

    kind: str
    ratio: float
    """The loss as a multiple of it, summed over the rows of an update."""
    constant: float | None
    """The mean loss of an update if every prediction were the best constant; None for 0."""


def as_usual(
    loss: Loss, recordings: Sequence[Recording], parameters: Sequence[str], places: Places
) -> Usual | None:
    """The usual loss that ``loss`` is, or is a multiple of, in all ``recordings``."""
    known = [loss]
    if loss.kind == losses.OWN:
        known = losses.candidates(recordings[:2][-1], parameters, places)
    for each in known:
        ratio = None if each.kind == losses.OWN else _ratio(loss, each, recordings)
        targets = [target for recording in recordings for target in each.targets(recording)]
        if ratio is None or not targets:
            continue
        cost = ratio * _of_best_constant(each.kind, targets) / len(recordings)
        return Usual(each.kind, ratio, cost if np.isfinite(cost) and cost > 0.0 else None)
    return None


def _ratio(loss: Loss, usual: Loss, recordings: Sequence[Recording]) -> float | None:
    """What ``loss`` is as a multiple of ``usual``; None where it is no fixed one."""
    if loss == usual:
        return 1.0
    mine = np.array([loss.value(each) for each in recordings])
    other = np.array([usual.value(each) for each in recordings])
    if len(mine) < 2 or not (np.isfinite(mine).all() and np.isfinite(other).all()):
        return None
    if not (other > 0).all():
        return None
    ratios = mine / other
    middle = float(np.median(ratios))
    return middle if float(np.ptp(ratios)) <= ALIKE * abs(middle) else None


def _of_best_constant(kind: str, targets: Sequence[np.ndarray]) -> float:
    """The sum of the loss over ``targets`` for the best constant."""
    y = _as_rows(targets)
    if kind == losses.SQUARED:
        return 0.5 * float(np.square(y - y.mean(axis=0)).sum())
    share = np.clip(y.mean(axis=0), 1e-300, 1.0)
    total = -float((y * np.log(share)).sum())
    if kind == losses.BINARY:
        total -= float(((1 - y) * np.log(np.clip(1 - share, 1e-300, 1.0))).sum())
    return total


def _as_rows(targets: Sequence[np.ndarray]) -> np.ndarray:
    """``targets`` as (rows, outputs), as far as their shapes tell which axis is which."""
    arrays = [np.atleast_1d(np.squeeze(np.asarray(each, float))) for each in targets]
    if len(arrays) > 1 and len({each.shape for each in arrays}) == 1 and arrays[0].ndim == 1:
        # One row an update, or a batch of single numbers.
        rows = np.stack(arrays)
        one_hot = np.allclose(rows.sum(axis=1), 1.0) and rows.shape[1] > 1
        return rows if one_hot or rows.shape[1] == 1 else rows.reshape(-1, 1)
    flat = [each if each.ndim == 2 else each.reshape(-1, 1) for each in arrays]
    if all(each.shape[0] < each.shape[1] and np.allclose(each.sum(axis=0), 1.0) for each in flat):
        flat = [each.T for each in flat]
    elif not all(np.allclose(each.sum(axis=1), 1.0) and each.shape[1] > 1 for each in flat):
        flat = [each.T if each.shape[0] < each.shape[1] else each for each in flat]
    if len({each.shape[1] for each in flat}) != 1:
        flat = [each.reshape(-1, 1) for each in flat]
    return np.concatenate(flat)
