"""A loss as a line to draw; where it goes up and down, as its mean with the band that it fills."""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.loss_history import BinnedLosses

LARGEST = 1e300
"""The end of a linear axis."""
LEAST_GROUPED, LEAST_OSCILLATING = 3, 3
"""Bins of a group, and groups in a row, from which on up and down is an oscillation."""
BAND, LEAST_BAND = 2.0, 0.02
"""How much wider it is than it moves on, and what share of the whole picture it takes."""


@dataclass(frozen=True, eq=False)
class Polyline:
    """A polyline: ``x`` in finished epochs, ``y`` on the axis (log10 of the loss on a log axis)."""

    x: Array
    y: Array


NOTHING = Polyline(np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Band:
    """Where a loss goes up and down: the range that it fills, from ``low`` to ``high`` at ``x``."""

    role: str
    """Which curve it belongs to: ``past``, ``future`` or ``other``."""
    x: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Extremes:
    """Bins of losses on the axis: ``x`` in finished epochs, least, most and mean; NaN if none."""

    x: Array
    least: Array
    most: Array
    mean: Array


def extremes(binned: BinnedLosses, log: bool) -> Extremes:
    """The ``binned`` losses on a linear or a ``log`` axis."""
    least, most, mean = binned.positive if log else binned.least, binned.most, binned.mean
    # A linear axis must be able to hold differences: losses beyond its end end there.
    ends = (-LARGEST, LARGEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        if log:
            least, most = np.log10(least), np.log10(np.where(most > 0.0, most, np.nan))
            mean = np.log10(np.where(mean > 0.0, mean, np.nan))
            ends = (-308.0, 309.0)
        least, most, mean = (np.clip(each, *ends) for each in (least, most, mean))
    return Extremes(binned.first + 1.0, least, most, np.clip(mean, least, most))


def line_through(bins: Extremes) -> Polyline:
    """Through the extremes of each bin; NaN is not drawn."""
    if np.array_equal(bins.least, bins.most, equal_nan=True):
        return Polyline(bins.x, bins.least)
    y = np.column_stack([bins.least, bins.most]).ravel()
    return Polyline(np.repeat(bins.x, 2), y)


def with_bands(bins: Extremes, groups: int, role: str) -> tuple[Polyline, list[Band]]:
    """A line through ``bins``, and bands in place of what would fill the picture.

    Bins are looked at in about ``groups`` groups.  Where the loss goes up and down within several
    in a row, by more than it moves on from one to the next, the line goes through the means.
    """
    count = len(bins.x)
    each = max(-(-count // groups), LEAST_GROUPED)
    if count < max(groups, LEAST_OSCILLATING * each):
        return line_through(bins), []
    starts = np.arange(0, count, each)
    sizes = np.diff(np.append(starts, count))
    low, high = np.fmin.reduceat(bins.least, starts), np.fmax.reduceat(bins.most, starts)
    mean = np.add.reduceat(bins.mean, starts) / sizes
    height = float(np.nanmax(high, initial=-np.inf) - np.nanmin(low, initial=np.inf))
    drift = np.abs(np.gradient(mean))
    with np.errstate(invalid="ignore"):
        wild = (high - low > BAND * drift) & (high - low > LEAST_BAND * height) & (sizes > 1)
    line = line_through(bins)
    per_bin = len(line.x) // count
    x, y, bands = [], [], []
    for first, last in _runs(wild):
        x.append((starts[first], min(starts[last - 1] + each, count)))
        middle = bins.x[starts[first:last]] + (sizes[first:last] - 1) / 2 * _spacing(bins.x)
        bands.append(Band(role, middle, low[first:last], high[first:last]))
        y.append(Polyline(middle, mean[first:last]))
    parts, at = [], 0
    for (first, last), means in zip(x, y, strict=True):
        parts += [Polyline(line.x[at : first * per_bin], line.y[at : first * per_bin]), means]
        at = last * per_bin
    parts.append(Polyline(line.x[at:], line.y[at:]))
    joined = (np.concatenate([getattr(part, axis) for part in parts]) for axis in ("x", "y"))
    return Polyline(*joined), bands


def _runs(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Where at least `LEAST_OSCILLATING` in a row are chosen: the first, and behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(first, last) for first, last in pairs if last - first >= LEAST_OSCILLATING]


def _spacing(x: Array) -> float:
    return float(x[-1] - x[0]) / max(len(x) - 1, 1)
