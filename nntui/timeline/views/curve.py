"""Curves over epochs, ready to draw: binned to the width at hand, with axes, ticks and marks.

A bin keeps its least and its greatest loss, so no spike is lost; what cannot be drawn is counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.loss_history import BinnedLosses, LossHistory

LARGEST = 1e300
FEWEST_RECENT = 20
"""Epochs that count as recent, at least."""

Ticks = tuple[tuple[float, str], ...]
"""Positions on the axis (the exponent, on a log axis) with the text to print there."""


@dataclass(frozen=True, eq=False)
class Polyline:
    """A polyline: ``x`` in finished epochs, ``y`` on the axis (log10 of the loss on a log axis)."""

    x: Array
    y: Array


NOTHING = Polyline(np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """What the loss plot shows: ``low`` to ``high`` on the y axis, ``start`` to ``last`` on x.

    The x axis counts finished epochs, as the status line does.
    """

    past: Polyline = NOTHING
    future: Polyline = NOTHING
    """The part beyond the cursor that was trained before going back."""
    other: Polyline | None = None
    """Another branch, from its fork on."""
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
    start: int = 0
    more: tuple[tuple[str, Polyline], ...] = ()
    """Lines of what was measured, each with a name of one character."""
    more_of_other: tuple[tuple[str, Polyline], ...] = ()
    """Likewise of the other branch."""
    ghosts: tuple[Polyline, ...] = ()
    """The other branches of all, as far as they lie within the picture."""
    beyond: int = 0
    """How many of those leave the picture above or below."""


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


def ticks_of(low: float, high: float, most: int, log: bool) -> Ticks:
    """At most ``most`` ticks from ``low`` to ``high``, which are exponents on a ``log`` axis."""
    if not log:
        values = nice_numbers(low, high, most)
        return tuple(zip(values, _told_apart(values), strict=True))
    # Beyond 1e-307 and 1e307 the padded ends are no floats any more.
    low, high = max(low, -307.0), min(high, 307.0)
    decades = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
    if len(decades) >= 2:
        stride = -(-len(decades) // most)
        return tuple((float(power), f"{10.0**power:.3g}") for power in decades[::stride])
    values = [v for v in nice_numbers(10.0**low, 10.0**high, most) if v > 0.0]
    return tuple(zip(map(math.log10, values), _told_apart(values), strict=True))


def _told_apart(values: Sequence[float]) -> list[str]:
    """``values`` in three digits, or as many more as it takes to tell them apart."""
    texts: list[str] = []
    for digits in range(3, 18):
        texts = [f"{value:.{digits}g}" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


@dataclass(frozen=True, eq=False)
class Overlay:
    """Another branch, drawn over the curve from the epoch of its fork on."""

    losses: LossHistory
    first: int
    """The first epoch to draw; the one before is drawn too, so that the two lines meet."""
    epochs: int


def make_curve(
    losses: LossHistory,
    epochs: int,
    epoch: int,
    goal: float | None,
    *,
    log: bool,
    bins: int,
    most_ticks: int,
    overlay: Overlay | None = None,
    ghosts: Sequence[Overlay] = (),
    start: int = 0,
) -> Curve:
    """The curve of the first ``epochs`` of ``losses``, with the cursor at ``epoch``.

    ``bins`` is how many points fit side by side, ``most_ticks`` how many labels fit on the y axis,
    ``start`` the finished epochs at which the picture begins.  ``ghosts`` may double the length
    of the y axis, and do not extend the x axis.
    """
    first = max(start - 1, 0)
    past = losses.binned(min(first, epoch), epoch, bins)
    future = losses.binned(max(first, epoch), epochs, bins)
    past_line, future_line = _line(past, log), _line(future, log)
    if len(future_line.x) and len(past_line.x):
        # The future begins at the last loss of the past, so that the two are one curve.
        future_line = Polyline(
            np.concatenate([past_line.x[-1:], future_line.x]),
            np.concatenate([past_line.y[-1:], future_line.y]),
        )
    other, last = None, epochs
    if overlay is not None:
        last = max(last, overlay.epochs)
        other = _of(overlay, start, last, bins, log)
    lines = [line for line in (past_line, future_line, other) if line is not None]
    behind = [_of(each, start, last, bins // 2, log) for each in ghosts]
    axis = _y_axis(lines, goal, start, log=log, most_ticks=most_ticks, behind=behind)
    bad = np.concatenate([each.first[each.not_finite > 0] for each in (past, future)]) + 1.0
    hidden = int(past.hidden.sum() + future.hidden.sum()) if log else 0
    return Curve(
        past=past_line,
        future=future_line,
        other=other,
        last=max(last, start + 1),
        cursor=float(epoch) if start <= epoch < epochs else None,
        not_finite=bad,
        hidden=hidden,
        start=start,
        ghosts=tuple(behind),
        beyond=sum(bool(np.any((x.y < axis["low"]) | (x.y > axis["high"]))) for x in behind),
        **axis,
    )


def _y_axis(
    lines: Sequence[Polyline],
    goal: float | None,
    start: int,
    *,
    log: bool,
    most_ticks: int,
    counts: bool = False,
    behind: Sequence[Polyline] = (),
) -> dict[str, Any]:
    """The fields of a `Curve` that describe the y axis on which ``lines`` are drawn."""
    y = np.concatenate([line.y for line in lines] or [np.empty(0)])
    y = y[~np.isnan(y)]
    if goal is not None:
        goal = (math.log10(goal) if goal > 0.0 else None) if log else min(goal, LARGEST)
    inside = [0.0, 1.0] if counts else []
    # Zoomed in, the goal may be far away.
    if goal is not None and not (start and len(y)):
        inside.append(goal)
    if len(y):
        inside += [float(y.min()), float(y.max())]
    inside += _stretched(inside, behind)
    low, high = padded(min(inside, default=0.0), max(inside, default=1.0))
    return {
        "low": low,
        "high": high,
        "goal": goal if goal is not None and low <= goal <= high else None,
        "ticks": _with_top(ticks_of(low, high, most_ticks, log), low, high, most_ticks, y, log),
    }


def _of(overlay: Overlay, start: int, last: int, bins: int, log: bool) -> Polyline:
    """The part of ``overlay`` between ``start`` and ``last``, from its fork on."""
    end = min(overlay.epochs, last)
    parted = max(min(max(overlay.first, start), end) - 1, 0)
    return _line(overlay.losses.binned(parted, end, max(bins, 1)), log)


def _stretched(inside: list[float], behind: Sequence[Polyline]) -> list[float]:
    """The extremes of the lines ``behind``, at most half the length of ``inside`` further out."""
    values = np.concatenate([line.y for line in behind] or [np.empty(0)])
    values = values[~np.isnan(values)]
    if not len(values):
        return []
    if inside:
        low, high = padded(min(inside), max(inside))
        room = (high - low) / 2
        values = np.clip(values, low - room, high + room)
    return [float(values.min()), float(values.max())]


def make_chart(
    lines: Sequence[tuple[str, Array, Array]],
    epochs: int,
    epoch: float | None,
    goal: float | None,
    *,
    log: bool,
    most_ticks: int,
    start: int = 0,
    counts: bool = False,
    others: Sequence[tuple[str, Array, Array]] = (),
) -> Curve:
    """A curve of measured ``lines`` (a name, x in epochs, y), and ``others`` of another branch.

    The axis of ``counts`` begins at 0.  ``epoch`` is where the cursor is, if anything was trained
    beyond it; ``goal`` is drawn if it is given.
    """
    drawn, hidden = [], 0
    bad: list[Array] = []
    for name, x, y in (*lines, *others):
        seen = x >= start
        x, y = x[seen], y[seen]
        finite = np.isfinite(y)
        bad.append(x[~finite & ~np.isnan(y)])
        hidden += int((finite & (y <= 0.0)).sum()) if log else 0
        known = np.where(finite & ((y > 0.0) | (not log)), np.clip(y, -LARGEST, LARGEST), np.nan)
        with np.errstate(all="ignore"):
            drawn.append((name, Polyline(x, np.log10(known) if log else known)))
    shown = [line for _, line in drawn]
    return Curve(
        last=max([epochs, start + 1, *(math.ceil(x.max(initial=0.0)) for _, x, _ in others)]),
        cursor=epoch if epoch is not None and epoch >= start else None,
        not_finite=np.concatenate(bad or [np.empty(0)]),
        hidden=hidden,
        start=start,
        more=tuple(drawn[: len(lines)]),
        more_of_other=tuple(drawn[len(lines) :]),
        **_y_axis(shown, goal, start, log=log, most_ticks=most_ticks, counts=counts),
    )


def recent(epochs: int) -> int:
    """The finished epochs at which a picture of the recent ones begins: the last tenth."""
    return max(epochs - max(epochs // 10, FEWEST_RECENT), 0)


def _line(binned: BinnedLosses, log: bool) -> Polyline:
    """The extremes of each bin on the axis; NaN, which is not drawn, where there is none."""
    least, most = binned.positive if log else binned.least, binned.most
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            least, most = np.log10(least), np.log10(np.where(most > 0.0, most, np.nan))
    else:
        # A linear axis must be able to hold differences: losses beyond its end end there.
        least, most = np.clip(least, -LARGEST, LARGEST), np.clip(most, -LARGEST, LARGEST)
    x = binned.first + 1.0
    if np.array_equal(least, most, equal_nan=True):
        return Polyline(x, least)
    return Polyline(np.repeat(x, 2), np.column_stack([least, most]).ravel())


def _with_top(ticks: Ticks, low: float, high: float, most: int, y: Array, log: bool) -> Ticks:
    """``ticks`` with one at the greatest loss, which is read first.

    Where the last tick would share its row with that loss, the loss takes its place: a label must
    not stand beside a line that is somewhere else.
    """
    if not len(y):
        return ticks
    top, room = float(np.max(y)), (high - low) / (2 * most)
    apart = top - ticks[-1][0] if ticks else np.inf
    if abs(apart) < room / 8 or apart <= -room:
        return ticks
    kept = ticks if apart >= room else ticks[:-1]
    # The logarithm of the greatest floats is rounded up, to where its power would overflow.
    return (*kept, (top, f"{10.0 ** min(top, 308.2547) if log else top:.3g}"))


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with a little room, also around a single value."""
    room = 0.05 * (high - low) or 0.1 * abs(high) or 0.1
    return low - room, high + room
