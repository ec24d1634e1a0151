"""Curves over epochs, ready to draw: binned to the width at hand, with axes, ticks and marks.

A bin keeps its least and its greatest loss, so no spike is lost; what cannot be drawn is counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.loss_history import LossHistory
from nntui.timeline.views.axis_ticks import Ticks, padded, ticks_of, with_top
from nntui.timeline.views.oscillation import (
    LARGEST,
    NOTHING,
    Band,
    Extremes,
    Polyline,
    extremes,
    line_through,
    with_bands,
)

LEAST_SHARE = 1 / 8
"""Of the height of the picture that the losses take, if the goal is to be in it too."""
STILL = 0.005
"""Losses that differ by a smaller share do not move."""
FEWEST_RECENT = 20
"""Epochs that count as recent, at least."""


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
    """Where on the x axis the loss is infinite or NaN; losses that lie close together are one."""
    hidden: int
    """Finite losses that a log axis cannot show: those at or below 0."""
    start: int = 0
    count_not_finite: int = 0
    """How many losses are infinite or NaN."""
    more: tuple[tuple[str, Polyline], ...] = ()
    """Lines of what was measured, each with a name of one character."""
    more_of_other: tuple[tuple[str, Polyline], ...] = ()
    """Likewise of the other branch."""
    ghosts: tuple[Polyline, ...] = ()
    """The other branches of all, as far as they lie within the picture."""
    beyond: int = 0
    """How many of those leave the picture above or below."""
    bands: tuple[Band, ...] = ()
    """What the curves fill where they go up and down; there they are the mean."""
    goal_beyond: str = ""
    """Where the goal lies, if that is not in the picture: ``above`` or ``below``."""
    floor: Polyline | None = None
    """The proven floor of the loss, from where it holds."""


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
    floor: tuple[float, int] | None = None,
) -> Curve:
    """The curve of the first ``epochs`` of ``losses``, with the cursor at ``epoch``.

    ``bins`` is how many points fit side by side, ``most_ticks`` how many labels fit on the y axis
    (where that is one, it is that of the greatest loss, and the goal does not stretch the axis),
    ``start`` the finished epochs at which the picture begins.  ``ghosts`` may double the length
    of the y axis, and do not extend the x axis.  ``floor`` is a proven floor of the loss, and the
    finished epochs from which on it holds.
    """
    first = max(start - 1, 0)
    past = losses.binned(min(first, epoch), epoch, bins)
    future = losses.binned(max(first, epoch), epochs, bins)
    groups = max(bins // 4, 1)
    (past_line, past_bands), (future_line, future_bands) = (
        with_bands(extremes(each, log), groups, role)
        for each, role in ((past, "past"), (future, "future"))
    )
    bands = [*past_bands, *future_bands]
    if len(future_line.x) and len(past_line.x):
        # The future begins at the last loss of the past, so that the two are one curve.
        future_line = Polyline(
            np.concatenate([past_line.x[-1:], future_line.x]),
            np.concatenate([past_line.y[-1:], future_line.y]),
        )
    other, last = None, epochs
    if overlay is not None:
        last = max(last, overlay.epochs)
        other, its_bands = with_bands(_of(overlay, start, last, bins, log), groups, "other")
        bands += its_bands
    lines = [line for line in (past_line, future_line, other) if line is not None]
    lines += [Polyline(each.x, end) for each in bands for end in (each.low, each.high)]
    behind = [line_through(_of(each, start, last, bins // 2, log)) for each in ghosts]
    below = None if floor is None else _floor(floor, start, last, log)
    inside = [] if below is None else below.y[:1].tolist()
    axis = _y_axis(lines, goal, start, log=log, most_ticks=most_ticks, behind=behind, inside=inside)
    bad = np.concatenate([each.first[each.not_finite > 0] for each in (past, future)]) + 1.0
    count = int(past.not_finite.sum() + future.not_finite.sum())
    hidden = int(past.hidden.sum() + future.hidden.sum()) if log else 0
    return Curve(
        past=past_line,
        future=future_line,
        other=other,
        last=max(last, start + 1),
        cursor=float(epoch) if start <= epoch < epochs else None,
        not_finite=bad,
        count_not_finite=count,
        hidden=hidden,
        start=start,
        ghosts=tuple(behind),
        beyond=sum(bool(np.any((x.y < axis["low"]) | (x.y > axis["high"]))) for x in behind),
        bands=tuple(bands),
        floor=below,
        **axis,
    )


def _floor(floor: tuple[float, int], start: int, last: int, log: bool) -> Polyline | None:
    """The floor as a line from where it holds; None where it cannot be drawn, or not yet."""
    value, since = floor
    if since >= last or (log and value <= 0.0):
        return None
    height = math.log10(value) if log else min(value, LARGEST)
    return Polyline(np.array([max(since, start), last], dtype=np.float64), np.full(2, height))


def _y_axis(
    lines: Sequence[Polyline],
    goal: float | None,
    start: int,
    *,
    log: bool,
    most_ticks: int,
    counts: bool = False,
    behind: Sequence[Polyline] = (),
    inside: Sequence[float] = (),
) -> dict[str, Any]:
    """The fields of a `Curve` that describe the y axis on which ``lines`` are drawn."""
    y = np.concatenate([line.y for line in lines] or [np.empty(0)])
    y = y[~np.isnan(y)]
    if goal is not None:
        goal = (math.log10(goal) if goal > 0.0 else None) if log else min(goal, LARGEST)
    inside = [*inside, *([0.0, 1.0] if counts else [])]
    if len(y):
        inside += [float(y.min()), float(y.max())]
    if goal is not None and not (
        len(y) and (start or most_ticks == 1 or _is_far(goal, min(inside), max(inside), log))
    ):
        inside.append(goal)
    inside += _stretched(inside, behind)
    low, high = padded(min(inside, default=0.0), max(inside, default=1.0))
    return {
        "low": low,
        "high": high,
        "goal": goal if goal is not None and low <= goal <= high else None,
        "goal_beyond": "" if goal is None else "below" if goal < low else "above" * (goal > high),
        "ticks": with_top(ticks_of(low, high, most_ticks, log), low, high, most_ticks, y, log),
    }


def _is_far(goal: float, low: float, high: float, log: bool) -> bool:
    """Whether an axis that takes in the goal would leave too little of the losses to be seen.

    Losses that hardly move are seen to be still beside their goal, and only there.
    """
    span = max(high, goal) - min(low, goal)
    still = math.log10(1.0 + STILL) if log else STILL * max(abs(low), abs(high))
    return still < high - low < LEAST_SHARE * span


def _of(overlay: Overlay, start: int, last: int, bins: int, log: bool) -> Extremes:
    """The part of ``overlay`` between ``start`` and ``last``, from its fork on."""
    end = min(overlay.epochs, last)
    parted = max(min(max(overlay.first, start), end) - 1, 0)
    return extremes(overlay.losses.binned(parted, end, max(bins, 1)), log)


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
        count_not_finite=sum(map(len, bad)),
        hidden=hidden,
        start=start,
        more=tuple(drawn[: len(lines)]),
        more_of_other=tuple(drawn[len(lines) :]),
        **_y_axis(shown, goal, start, log=log, most_ticks=most_ticks, counts=counts),
    )


def loss_table(
    losses: LossHistory, epochs: int, other: Overlay | None, most: int, first: int = 0
) -> list[tuple[object, ...]]:
    """Epoch and loss in rows, of the last ``most`` reports in the first ``epochs`` of ``losses``.

    With ``other``, its losses are a third column.  What one of the two has not reported is empty;
    ``first`` is the number of the first epoch.
    """
    branches = [(losses, epochs)] + ([] if other is None else [(other.losses, other.epochs)])
    columns = []
    for history, end in branches:
        places = history.numbers(0, end)[-most:].tolist()
        columns.append(dict(zip(places, history.read(0, end)[-most:].tolist(), strict=True)))
    reported = sorted(set[int]().union(*columns))[-most:]
    return [(at + first, *(column.get(at, "") for column in columns)) for at in reported]


def recent(epochs: int) -> int:
    """The finished epochs at which a picture of the recent ones begins: the last tenth."""
    return max(epochs - max(epochs // 10, FEWEST_RECENT), 0)
