"""The loss curve as it is drawn: thinned to the width at hand, with its axis and its marks.

Every picture is made of the same numbers as the history itself: a bin keeps its least and its
greatest loss, so no spike is lost, and what cannot be drawn is counted instead of left out.
"""

import math
from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array

LARGEST = 1e300

Ticks = tuple[tuple[float, str], ...]
"""Positions on the axis (the exponent, on a log axis) with the text to print there."""


@dataclass(frozen=True, eq=False)
class Line:
    """A polyline: ``x`` in finished epochs, ``y`` on the axis (log10 of the loss on a log axis)."""

    x: Array
    y: Array


@dataclass(frozen=True, eq=False)
class Curve:
    """What the loss plot shows; ``low`` to ``high`` is the y axis, 0 to ``last`` the x axis.

    The x axis counts finished epochs, as the status line does.
    """

    past: Line
    future: Line
    """The part beyond the cursor that was trained before going back."""
    low: float
    high: float
    last: int
    cursor: float | None
    """Where the cursor is, if anything was trained beyond it."""
    goal: float | None
    """Where the goal lies on the axis; None on a log axis for a goal that is not positive."""
    ticks: Ticks
    not_finite: Array
    """Where on the x axis the loss is infinite or NaN."""
    hidden: int
    """Finite losses that a log axis cannot show: those at or below 0."""


def nice_numbers(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` round numbers (1, 2 or 5 times a power of ten) from ``low`` to ``high``."""
    span = (high - low) / max(most - 1, 1)
    if not (math.isfinite(span) and span > 0.0):
        return [low]
    power = 10.0 ** math.floor(math.log10(span))
    if power == 0.0:
        return [low]
    step = next(power * f for f in (1.0, 2.0, 5.0, 10.0) if power * f >= span * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _ticks(low: float, high: float, most: int, log: bool) -> Ticks:
    if not log:
        return tuple((value, f"{value:.3g}") for value in nice_numbers(low, high, most))
    # Beyond 1e-307 and 1e307 the padded ends are no floats any more.
    low, high = max(low, -307.0), min(high, 307.0)
    decades = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
    if len(decades) >= 2:
        stride = -(-len(decades) // most)
        return tuple((float(power), f"{10.0**power:.3g}") for power in decades[::stride])
    values = [v for v in nice_numbers(10.0**low, 10.0**high, most) if v > 0.0]
    return tuple((math.log10(value), f"{value:.3g}") for value in values)


def thin(x: Array, y: Array, bins: int) -> Line:
    """``y`` over ``x``, at most two points a bin: the bin's least and greatest value."""
    if len(y) <= 2 * bins:
        return Line(x, y)
    starts = np.linspace(0, len(y), bins, endpoint=False).astype(np.intp)
    least, most = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return Line(np.repeat(x[starts], 2), np.column_stack([least, most]).ravel())


def make_curve(
    losses: Array, epoch: int, goal: float, *, log: bool, bins: int, most_ticks: int
) -> Curve:
    """The curve of ``losses`` (one per finished epoch) with the cursor at ``epoch``.

    ``bins`` is how many points fit side by side, ``most_ticks`` how many labels one above the
    other.
    """
    finite = np.isfinite(losses)
    shown = finite & (losses > 0.0) if log else finite
    y = np.full(len(losses), np.nan)
    # A linear axis must be able to hold differences: losses beyond its end are drawn at the end.
    y[shown] = np.log10(losses[shown]) if log else np.clip(losses[shown], -LARGEST, LARGEST)
    x = np.arange(1, len(losses) + 1, dtype=np.float64)
    goal_at = (math.log10(goal) if goal > 0.0 else None) if log else min(goal, LARGEST)
    inside = [] if goal_at is None else [goal_at]
    if shown.any():
        inside += [float(np.min(y[shown])), float(np.max(y[shown]))]
    # The future begins at the last loss of the past, so that the two are one curve.
    joined = max(epoch - 1, 0) if epoch < len(losses) else epoch
    low, high = _padded(min(inside, default=0.0), max(inside, default=1.0))
    return Curve(
        past=thin(x[:epoch], y[:epoch], bins),
        future=thin(x[joined:], y[joined:], bins),
        low=low,
        high=high,
        last=max(len(losses), 1),
        cursor=float(epoch) if epoch < len(losses) else None,
        goal=goal_at,
        ticks=_with_top(_ticks(low, high, most_ticks, log), low, high, most_ticks, y, log),
        not_finite=x[~finite],
        hidden=int((finite & ~shown).sum()),
    )


def _with_top(ticks: Ticks, low: float, high: float, most: int, y: Array, log: bool) -> Ticks:
    """``ticks``, and one at the greatest loss where none is near: the top is what one reads."""
    if np.isnan(y).all():
        return ticks
    top, room = float(np.nanmax(y)), (high - low) / (2 * most)
    if ticks and top - ticks[-1][0] < room:
        return ticks
    return (*ticks, (top, f"{10.0**top if log else top:.3g}"))


def _padded(low: float, high: float) -> tuple[float, float]:
    """A range with a little room, also around a single value."""
    room = 0.05 * (high - low) or 0.1 * abs(high) or 0.1
    return low - room, high + room
