"""The reported losses of a branch, at eight bytes an epoch, with queries that need not read all."""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.append_only import AppendOnlyVector

BLOCK = 256
"""Epochs that are summarised together; a picture of many epochs is made of whole blocks."""


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


class LossHistory:
    """The reported loss of every finished epoch; a branch shares the epochs before its fork.

    Losses are only appended, so a history and a length together are immutable.
    """

    def __init__(self, shared: "LossHistory | None" = None, epochs: int = 0) -> None:
        """Start with the first ``epochs`` losses of ``shared``, which are not copied."""
        self._shared, self._start = shared, epochs
        self._own = AppendOnlyVector()
        self._blocks = np.empty((5, 0))
        self._rises: list[int] = []
        self._seen = (0, 0.0, 0.0)

    def __len__(self) -> int:
        return self._start + len(self._own)

    def __getitem__(self, epoch: int) -> float:
        if not 0 <= epoch < len(self):
            raise IndexError(f"there is no epoch {epoch}")
        history = self
        while epoch < history._start and history._shared is not None:
            history = history._shared
        return history._own[epoch - history._start]

    def append(self, loss: float) -> None:
        """The loss of the next epoch."""
        self._own.append(loss)

    def extend(self, losses: Array) -> None:
        """The losses of the next epochs."""
        self._own.extend(losses)

    def cut(self, epochs: int) -> None:
        """Forget what follows the first ``epochs``; those that are shared stay."""
        self._own.cut(max(epochs - self._start, 0))
        self._blocks = self._blocks[:, : epochs // BLOCK]
        self._seen = (0, 0.0, 0.0)

    @property
    def own(self) -> tuple[Array, ...]:
        """The losses that are not shared, in pieces that later losses do not change."""
        return self._own.pieces

    def read(self, start: int = 0, stop: int | None = None) -> Array:
        """The losses of epochs ``start`` to before ``stop``, a copy."""
        stop = len(self) if stop is None else min(stop, len(self))
        parts: list[Array] = []
        history: LossHistory | None = self
        while history is not None and start < stop:
            first, last = max(start - history._start, 0), max(stop - history._start, 0)
            parts.insert(0, history._own.read(first, last))
            stop, history = min(stop, history._start), history._shared
        return np.concatenate(parts) if parts else np.empty(0)

    def _finite(self, start: int, stop: int | None = None) -> Array:
        """The same, with NaN in place of what is not finite, so that it compares with nothing."""
        values = self.read(start, stop)
        values[~np.isfinite(values)] = np.nan
        return values

    def binned(self, start: int, stop: int, bins: int) -> BinnedLosses:
        """Epochs ``start`` to before ``stop`` in about ``bins`` bins, or in one bin each if few."""
        starts = np.linspace(start, stop, bins, endpoint=False).astype(np.intp)
        first, last = -(-start // BLOCK), stop // BLOCK
        if stop - start <= 2 * BLOCK * bins or first >= last:
            if stop - start <= 2 * bins:
                starts = np.arange(start, stop)
            return _binned(starts, _summed_up(self.read(start, stop), starts - start))
        blocks = self._summary(last)
        at = np.unique(starts // BLOCK)
        at = at[(at >= first) & (at < last)]
        at = at if len(at) and at[0] == first else np.concatenate([[first], at])
        parts = [np.stack([_REDUCED[row].reduceat(blocks[row, :last], at) for row in range(5)])]
        edges = [at * BLOCK]
        if start < first * BLOCK:
            parts.insert(0, _whole(self.read(start, first * BLOCK)))
            edges.insert(0, np.array([start]))
        if last * BLOCK < stop:
            parts.append(_whole(self.read(last * BLOCK, stop)))
            edges.append(np.array([last * BLOCK]))
        return _binned(np.concatenate(edges), np.concatenate(parts, axis=1))

    def minimum(self, stop: int) -> int | None:
        """The first epoch of those before ``stop`` with the least finite loss; None without any."""
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
        return block * BLOCK + int(np.nanargmin(tail))

    def first_at_most(self, loss: float, start: int = 0) -> int | None:
        """The first epoch from ``start`` on whose loss is finite, at or below ``loss``."""
        full = len(self) // BLOCK
        blocks = self._summary(full)[_LEAST, start // BLOCK :]
        for block in start // BLOCK + np.flatnonzero(blocks <= loss):
            low = max(start, int(block) * BLOCK)
            found = np.flatnonzero(self._finite(low, (int(block) + 1) * BLOCK) <= loss)
            if len(found):
                return low + int(found[0])
        low = max(start, full * BLOCK)
        found = np.flatnonzero(self._finite(low) <= loss)
        return low + int(found[0]) if len(found) else None

    def last_below(self, loss: float, stop: int) -> int | None:
        """The last epoch before ``stop`` whose loss is finite and below ``loss``."""
        full = stop // BLOCK
        found = np.flatnonzero(self._finite(full * BLOCK, stop) < loss)
        if len(found):
            return full * BLOCK + int(found[-1])
        blocks = np.flatnonzero(self._summary(full)[_LEAST, :full] < loss)
        if not len(blocks):
            return None
        low = int(blocks[-1]) * BLOCK
        return low + int(np.flatnonzero(self._finite(low, low + BLOCK) < loss)[-1])

    def rises(self, factor: float, floor: float, most: int) -> list[int]:
        """The first ``most`` epochs with a loss above ``floor`` and ``factor`` times the last one.

        Only what is new since the last call with the same limits is read.
        """
        seen, *limits = self._seen
        if limits != [factor, floor]:
            self._rises, seen = [], 0
        if len(self) > seen and len(self._rises) < most:
            values = self.read(max(seen - 1, 0))
            before, now = values[:-1], values[1:]
            with np.errstate(over="ignore"):
                rose = (now > factor * before) & (before > 0.0) & (now > floor)
            self._rises += (np.flatnonzero(rose) + max(seen - 1, 0) + 1).tolist()
        self._seen = (len(self), factor, floor)
        return self._rises[:most]

    def _summary(self, blocks: int) -> Array:
        """The summary of at least the first ``blocks`` blocks, a column a block."""
        known, full = self._blocks.shape[1], len(self) // BLOCK
        if known < blocks:
            values = self.read(known * BLOCK, full * BLOCK)
            fresh = _summed_up(values, np.arange(0, len(values), BLOCK))
            self._blocks = np.concatenate([self._blocks, fresh], axis=1)
        return self._blocks


_LEAST, _MOST, _POSITIVE, _HIDDEN, _NOT_FINITE = range(5)
_REDUCED = (np.fmin, np.fmax, np.fmin, np.add, np.add)


def _summed_up(values: Array, starts: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Array:
    """The five rows of a `BinnedLosses` for ``values`` cut at ``starts``."""
    if not len(values):
        return np.empty((5, 0))
    finite = np.isfinite(values)
    known = np.where(finite, values, np.nan)
    rows = (
        known,
        known,
        np.where(known > 0.0, known, np.nan),
        (known <= 0.0).astype(np.float64),
        (~finite).astype(np.float64),
    )
    return np.stack(
        [reduced.reduceat(row, starts) for reduced, row in zip(_REDUCED, rows, strict=True)]
    )


def _whole(values: Array) -> Array:
    return _summed_up(values, np.zeros(1, dtype=np.intp))


def _binned(first: np.ndarray[tuple[int], np.dtype[np.intp]], rows: Array) -> BinnedLosses:
    return BinnedLosses(first.astype(np.float64), *rows)
