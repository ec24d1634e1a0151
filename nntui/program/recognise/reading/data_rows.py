"""The data that training uses, and which rows of it each update takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.recognise.reading.no_counterpart import NoCounterpartError

Array = np.ndarray


@dataclass
class DataRows:
    """Inputs and targets, one row a sample, and the rows of each update."""

    inputs: Array
    targets: Array
    batches: list[Array]
    epochs: Array
    """The epoch of each update."""


def data_rows(
    samples: Sequence[tuple[Array, Array]],
    turns: Sequence[int],
    held: Iterable[Array],
    ended: bool,
) -> DataRows:
    """The data behind ``samples``: (inputs, samples) and (outputs, samples) of each update.

    ``turns`` are the turns of the loop around, ``held`` the program's own arrays; ``ended``
    says that there are no more updates.  Raises NoCounterpartError where an epoch is longer than
    what was observed.
    """
    rows = [np.concatenate([x, y]).T + 0.0 for x, y in samples]
    width = len(samples[0][0])
    epochs, whole = _epochs(rows, turns)
    whole = whole or ended
    first = np.concatenate([rows[at] for at in range(len(rows)) if epochs[at] == 0])
    arrays = list(held)
    data = _own(first, width, arrays) if whole else _continued(first, width, arrays)
    if data is None and not whole:
        raise NoCounterpartError("an epoch is longer than what could be observed")
    if data is None:
        data = first
    batches = _batches(rows, epochs, data)
    return DataRows(data[:, :width], data[:, width:], batches, epochs)


def _epochs(rows: Sequence[Array], turns: Sequence[int]) -> tuple[Array, bool]:
    """The epoch of each update, and whether the first was observed to its end."""
    count = len(rows)
    # Sums over all rows do not depend on their order.
    first = _sorted(rows[0])
    if all(each.shape == first.shape and (_sorted(each) == first).all() for each in rows):
        return np.arange(count), True
    lengths = [turns.count(each) for each in dict.fromkeys(turns)]
    if len(lengths) > 1 and len(set(lengths[:-1])) == 1 and lengths[-1] <= lengths[0]:
        if lengths[0] > 1:
            return np.asarray(turns) - turns[0], True
    elif len(lengths) == 1 and count > 1:
        period = _period(rows)
        if period is not None:
            return np.arange(count) // period, True
        return np.zeros(count, int), False
    period = _period(rows)
    if period is not None:
        return np.arange(count) // period, True
    return np.arange(count), True


def _sorted(rows: Array) -> Array:
    return rows[np.lexsort(rows.T[::-1])]


def _period(rows: Sequence[Array]) -> int | None:
    """After how many updates the same rows come again."""
    for period in range(1, len(rows) // 2 + 1):
        if all(
            rows[at].shape == rows[at - period].shape and (rows[at] == rows[at - period]).all()
            for at in range(period, len(rows))
        ):
            return period
    return None


def _own(first: Array, width: int, held: list[Array]) -> Array | None:
    """The rows in the order of the program's own arrays, if they are found there."""
    inputs = first[:, :width]
    wanted = {row.tobytes(): at for at, row in enumerate(np.ascontiguousarray(inputs))}
    if len(wanted) != len(inputs):
        return None
    for table in _tables(held, width):
        if len(table) == len(wanted):
            order = [wanted.get(row.tobytes(), -1) for row in table]
            if len(set(order)) == len(order) and -1 not in order:
                return first[order]
    return None


def _continued(first: Array, width: int, held: list[Array]) -> Array | None:
    """All rows of the program's own arrays, of which ``first`` are the first."""
    count, outputs = len(first), first.shape[1] - width
    inputs, targets = first[:, :width], first[:, width:]
    for x in _tables(held, width):
        if len(x) <= count or (x[:count] != inputs).any():
            continue
        for y in _tables(held, outputs):
            if len(y) == len(x) and (y[:count] == targets).all():
                return np.concatenate([x, y], axis=1)
        for array in held:
            labels = array.reshape(-1)
            if labels.size != len(x) or outputs == 1 or array.dtype.kind not in "iu":
                continue
            if labels.min() >= 0 and labels.max() < outputs:
                y = np.eye(outputs)[labels]
                if (y[:count] == targets).all():
                    return np.concatenate([x, y], axis=1)
    return None


def _tables(held: Iterable[Array], width: int) -> Iterator[Array]:
    """Arrays as tables of ``width`` columns, a sample in each row."""
    for array in held:
        if array.size % width or array.size < width:
            continue
        if array.ndim == 1 or array.shape[0] * width == array.size:
            yield np.ascontiguousarray(array.reshape(-1, width), float) + 0.0
        elif array.ndim == 2 and array.shape[0] == width:
            yield np.ascontiguousarray(array.T, float) + 0.0


def _batches(rows: Sequence[Array], epochs: Array, data: Array) -> list[Array]:
    """The numbers of the rows of each update; equal rows are told apart by their order."""
    places: dict[bytes, list[int]] = {}
    for at, row in enumerate(data):
        places.setdefault(np.ascontiguousarray(row).tobytes(), []).append(at)
    used: dict[bytes, int] = {}
    found: list[Array] = []
    epoch = -1
    for own, each in zip(rows, epochs.tolist(), strict=True):
        if each != epoch:
            used, epoch = {}, each
        numbers = []
        for row in own:
            key = np.ascontiguousarray(row).tobytes()
            if key not in places:
                raise NoCounterpartError("the samples change from epoch to epoch")
            same = places[key]
            numbers.append(same[used.get(key, 0) % len(same)])
            used[key] = used.get(key, 0) + 1
        found.append(np.array(numbers, int))
    return found


def held_arrays(live: Iterable[Any]) -> list[Array]:
    """Arrays of numbers, of at least one sample, among live values."""
    found = []
    for each in live:
        value = each.value
        if isinstance(value, np.ndarray) and value.ndim >= 1 and value.dtype.kind in "fiub":
            found.append(np.asarray(value))
    return found
