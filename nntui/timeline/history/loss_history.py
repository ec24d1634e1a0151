"""The reported losses of a branch, at eight bytes each, with queries that need not read all."""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.append_only import AppendOnlyVector
from nntui.timeline.history.reported_epochs import Places, ReportedEpochs

BLOCK = 256
"""Losses that are summarised together; a picture of many epochs is made of whole blocks."""
ROWS = 7
"""Numbers that are kept of each: those of a `BinnedLosses`."""


@dataclass(frozen=True, eq=False)
class BinnedLosses:
    """A range of losses in bins, which keep the extremes; arrays have one entry a bin.

    ``least``, ``most`` and ``positive`` are over the finite losses of a bin, NaN if it has none;
    ``positive`` is the least loss above 0.
    """

    first: Array
    """The epoch, from 0, with which the bin begins."""
    least: Array
    most: Array
    positive: Array
    hidden: Array
    """How many finite losses are at or below 0."""
    not_finite: Array
    """How many losses are infinite or NaN."""
    total: Array
    """The sum of the finite losses."""
    count: Array
    """How many are finite."""

    @property
    def mean(self) -> Array:
        """The mean of the finite losses, NaN where there is none."""
        with np.errstate(all="ignore"):
            return np.where(self.count > 0.0, self.total / self.count, np.nan)


class LossHistory:
    """The loss of every reported epoch; a branch shares the epochs before its fork.

    Questions and answers are in epochs, counted from 0.  Losses are only appended, so a history
    and a number of epochs together are immutable.
    """

    def __init__(self, shared: "LossHistory | None" = None, epochs: int = 0) -> None:
        """Start with the losses of the first ``epochs`` of ``shared``, which are not copied."""
        start = shared.epochs.before(epochs) if shared is not None else 0
        self._shared, self._start = shared, start
        self.epochs: ReportedEpochs = (
            shared.epochs.first(start) if shared is not None else ReportedEpochs()
        )
        """The epochs that were reported."""
        self._own = AppendOnlyVector()
        self._blocks, self._known = np.empty((ROWS, 0)), 0
        self._rises: list[int] = []
        self._seen = (0, 0.0, 0.0)

    def __len__(self) -> int:
        return self._start + len(self._own)

    def __getitem__(self, epoch: int) -> float:
        place = self.epochs.before(epoch)
        if place == len(self) or self.epochs[place] != epoch:
            raise IndexError(f"epoch {epoch} was not reported")
        return self._at(place)

    def _at(self, place: int) -> float:
        history = self
        while place < history._start and history._shared is not None:
            history = history._shared
        return history._own[place - history._start]

    def last(self, epochs: int | None = None) -> tuple[int, float] | None:
        """The last report of the first ``epochs`` (None: of all): its epoch and its loss."""
        place = (len(self) if epochs is None else self.epochs.before(epochs)) - 1
        return None if place < 0 else (self.epochs[place], self._at(place))

    def append(self, epoch: int, loss: float) -> None:
        """The loss of ``epoch``; an epoch that is already there is ignored."""
        if not len(self) or epoch > self.epochs[len(self) - 1]:
            self.epochs.append(epoch)
            self._own.append(loss)

    def extend(self, epochs: range, losses: Array) -> None:
        """The losses of ``epochs``, which are later than the last."""
        self.epochs.extend(epochs)
        self._own.extend(losses)

    def cut(self, epochs: int) -> None:
        """Forget what follows the first ``epochs``; those that are shared stay."""
        count = max(self.epochs.before(epochs), self._start)
        self.epochs.cut(count)
        self._own.cut(count - self._start)
        self._known = min(self._known, count // BLOCK)
        self._seen = (0, 0.0, 0.0)

    @property
    def own(self) -> tuple[Array, ...]:
        """The losses that are not shared, in pieces that later losses do not change."""
        return self._own.pieces

    def read(self, start: int = 0, stop: int | None = None) -> Array:
        """The losses reported in epochs ``start`` to before ``stop``, a copy."""
        return self._read(*self._places(start, stop))

    def numbers(self, start: int = 0, stop: int | None = None) -> Places:
        """The epochs of these losses."""
        return self.epochs.at(np.arange(*self._places(start, stop)))

    def _places(self, start: int, stop: int | None) -> tuple[int, int]:
        end = len(self) if stop is None else self.epochs.before(stop)
        return self.epochs.before(start), end

    def _read(self, start: int, stop: int) -> Array:
        """The losses at places ``start`` to before ``stop``, a copy."""
        parts: list[Array] = []
        history: LossHistory | None = self
        while history is not None and start < stop:
            first, last = max(start - history._start, 0), max(stop - history._start, 0)
            parts.insert(0, history._own.read(first, last))
            stop, history = min(stop, history._start), history._shared
        return np.concatenate(parts) if parts else np.empty(0)

    def _finite(self, start: int, stop: int) -> Array:
        """The same, with NaN in place of what is not finite, so that it compares with nothing."""
        values = self._read(start, stop)
        values[~np.isfinite(values)] = np.nan
        return values

    def binned(self, start: int, stop: int, bins: int) -> BinnedLosses:
        """Epochs ``start`` to before ``stop`` in about ``bins`` bins, or in one bin each if few."""
        firsts, rows = self._binned(*self._places(start, stop), bins)
        return BinnedLosses(self.epochs.at(firsts).astype(np.float64), *rows)

    def _binned(self, start: int, stop: int, bins: int) -> tuple[Places, Array]:
        """For each bin of places the first place, and the rows of a `BinnedLosses`."""
        starts = np.linspace(start, stop, bins, endpoint=False).astype(np.intp)
        first, last = -(-start // BLOCK), stop // BLOCK
        if stop - start <= 2 * BLOCK * bins or first >= last:
            if stop - start <= 2 * bins:
                starts = np.arange(start, stop)
            return starts, _summed_up(self._read(start, stop), starts - start)
        blocks = self._summary(last)
        at = np.unique(starts // BLOCK)
        at = at[(at >= first) & (at < last)]
        at = at if len(at) and at[0] == first else np.concatenate([[first], at])
        with np.errstate(over="ignore"):
            whole = [_REDUCED[row].reduceat(blocks[row, :last], at) for row in range(ROWS)]
        parts = [np.stack(whole)]
        edges = [at * BLOCK]
        if start < first * BLOCK:
            parts.insert(0, _whole(self._read(start, first * BLOCK)))
            edges.insert(0, np.array([start]))
        if last * BLOCK < stop:
            parts.append(_whole(self._read(last * BLOCK, stop)))
            edges.append(np.array([last * BLOCK]))
        return np.concatenate(edges), np.concatenate(parts, axis=1)

    def minimum(self) -> int | None:
        """The first epoch with the least finite loss; None without any."""
        stop = len(self)
        full = stop // BLOCK
        least = self._summary(full)[_LEAST, :full]
        tail = self._finite(full * BLOCK, stop)
        known = np.flatnonzero(~np.isnan(least))
        block = int(known[np.argmin(least[known])]) if len(known) else full
        if block < full and not np.any(tail < least[block]):
            tail = self._finite(block * BLOCK, (block + 1) * BLOCK)
        elif np.isnan(tail).all():
            return None
        else:
            block = full
        return self.epochs[block * BLOCK + int(np.nanargmin(tail))]

    def first_at_most(self, loss: float) -> int | None:
        """The first epoch whose loss is finite, at or below ``loss``."""
        full = len(self) // BLOCK
        blocks = np.flatnonzero(self._summary(full)[_LEAST, :full] <= loss)
        low, high = full * BLOCK, len(self)
        if len(blocks):
            low, high = int(blocks[0]) * BLOCK, (int(blocks[0]) + 1) * BLOCK
        found = np.flatnonzero(self._finite(low, high) <= loss)
        return self.epochs[low + int(found[0])] if len(found) else None

    def last_below(self, loss: float, stop: int) -> int | None:
        """The last epoch before ``stop`` whose loss is finite and below ``loss``."""
        stop = self.epochs.before(stop)
        full = stop // BLOCK
        found = np.flatnonzero(self._finite(full * BLOCK, stop) < loss)
        if len(found):
            return self.epochs[full * BLOCK + int(found[-1])]
        blocks = np.flatnonzero(self._summary(full)[_LEAST, :full] < loss)
        if not len(blocks):
            return None
        low = int(blocks[-1]) * BLOCK
        return self.epochs[low + int(np.flatnonzero(self._finite(low, low + BLOCK) < loss)[-1])]

    def rises(self, factor: float, floor: float, most: int) -> list[int]:
        """The first ``most`` epochs with a loss above ``floor`` and ``factor`` times the last one.

        Only what is new since the last call with the same limits is read.
        """
        seen, *limits = self._seen
        if limits != [factor, floor]:
            self._rises, seen = [], 0
        if len(self) > seen and len(self._rises) < most:
            values = self._read(max(seen - 1, 0), len(self))
            before, now = values[:-1], values[1:]
            with np.errstate(over="ignore"):
                rose = (now > factor * before) & (before > 0.0) & (now > floor)
            self._rises += (np.flatnonzero(rose) + max(seen - 1, 0) + 1).tolist()
        self._seen = (len(self), factor, floor)
        return [self.epochs[place] for place in self._rises[:most]]

    def _summary(self, blocks: int) -> Array:
        """The summary of at least the first ``blocks`` blocks, a column a block."""
        known, full = self._known, len(self) // BLOCK
        if known < blocks:
            values = self._read(known * BLOCK, full * BLOCK)
            fresh = _summed_up(values, np.arange(0, len(values), BLOCK))
            if full > self._blocks.shape[1]:
                room = np.empty((ROWS, 2 * full))
                room[:, :known] = self._blocks[:, :known]
                self._blocks = room
            self._blocks[:, known:full] = fresh
            self._known = full
        return self._blocks[:, : self._known]


_LEAST = 0
_REDUCED = (np.fmin, np.fmax, np.fmin, np.add, np.add, np.add, np.add)


def _summed_up(values: Array, starts: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Array:
    """The rows of a `BinnedLosses` for ``values`` cut at ``starts``."""
    if not len(values):
        return np.empty((ROWS, 0))
    finite = np.isfinite(values)
    known = np.where(finite, values, np.nan)
    rows = (
        known,
        known,
        np.where(known > 0.0, known, np.nan),
        (known <= 0.0).astype(np.float64),
        (~finite).astype(np.float64),
        np.where(finite, values, 0.0),
        finite.astype(np.float64),
    )
    with np.errstate(over="ignore"):  # a sum of the largest losses is infinite
        return np.stack(
            [reduced.reduceat(row, starts) for reduced, row in zip(_REDUCED, rows, strict=True)]
        )


def _whole(values: Array) -> Array:
    return _summed_up(values, np.zeros(1, dtype=np.intp))
