"""The loss curve as drawn: no spike is lost, nothing is invented, ticks are readable."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntui.timeline.history.loss_history import LossHistory
from nntui.timeline.views import curve as curves
from nntui.timeline.views.axis_ticks import nice_numbers, ticks_of
from nntui.timeline.views.curve import Curve, Overlay
from nntui.timeline.views.oscillation import Polyline
from nntui.tui.drawing.palette import LEVELS, glyph, level_of
from nntui.tui.drawing.plotting import draw_curve

LOSSES = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=300)


def history(values: Sequence[float]) -> LossHistory:
    made = LossHistory()
    for value in values:
        made.append(len(made), float(value))
    return made


def test_an_axis_with_one_label_is_that_of_the_losses() -> None:
    for losses in ([0.9, 0.7, 0.597], [0.597] * 3):
        for log in (True, False):
            curve = make_curve(losses, 3, 0.001, log=log, bins=60, most_ticks=1)
            assert [text for _, text in curve.ticks] == [f"{losses[0]:g}"]
            assert (curve.goal, curve.goal_beyond) == (None, "below")


def test_the_table_of_losses_has_those_of_both_branches() -> None:
    one, other = history([4.0, 3.0, 2.0]), curves.Overlay(history([4.0, 3.5]), 1, 2)
    assert curves.loss_table(one, 2, None, 9) == [(0, 4.0), (1, 3.0)]
    both = [(1, 4.0, 4.0), (2, 3.0, 3.5), (3, 2.0, "")]
    assert curves.loss_table(one, 3, other, 9, first=1) == both
    assert curves.loss_table(one, 3, other, 2, first=1) == both[1:]
    longer = curves.Overlay(history([4.0, 3.5, 3.0]), 1, 3)
    assert curves.loss_table(one, 2, longer, 1) == [(2, "", 3.0)]


def make_curve(losses: Sequence[float], epoch: int, goal: float, **named: Any) -> Curve:
    return curves.make_curve(history(losses), len(losses), epoch, goal, **named)


@given(LOSSES, st.integers(0, 300), st.booleans(), st.floats(0, 1e300))
def test_any_history_can_be_drawn(values: list[float], epoch: int, log: bool, goal: float) -> None:
    losses = np.array(values)
    curve = make_curve(losses, min(epoch, len(losses)), goal, log=log, bins=60, most_ticks=5)
    rows = draw_curve(curve, 40, 10)
    assert len(rows) == 10
    assert all(sum(len(text) for text, _ in row) == 40 for row in rows)
    lost = curve.count_not_finite + curve.hidden
    assert lost == int((~np.isfinite(losses)).sum()) + (
        int((np.isfinite(losses) & (losses <= 0)).sum()) if log else 0
    )


def test_past_and_future_meet_at_the_cursor_and_are_told_apart() -> None:
    losses = np.linspace(1.0, 0.1, 50)
    curve = make_curve(losses, 20, 0.01, log=False, bins=200, most_ticks=5)
    assert np.array_equal(curve.past.x, np.arange(1, 21))
    assert np.array_equal(curve.future.x, np.arange(20, 51))
    assert (curve.cursor, curve.last) == (20.0, 50)
    assert np.array_equal(curve.past.y, losses[:20])
    roles = {role for row in draw_curve(curve, 60, 12) for _, role in row}
    assert {"past", "future", "goal", "cursor"} <= roles
    whole = make_curve(losses, 50, 0.01, log=False, bins=200, most_ticks=5)
    roles = {role for row in draw_curve(whole, 60, 12) for _, role in row}
    assert "future" not in roles
    assert "cursor" not in roles


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_future_of_one_epoch_is_drawn_too(epoch: int) -> None:
    curve = make_curve(
        np.array([0.5, 0.4])[: epoch + 1], epoch, 0.1, log=True, bins=9, most_ticks=4
    )
    roles = {role for row in draw_curve(curve, 40, 10) for _, role in row}
    assert {"future", "cursor"} <= roles


def test_the_greatest_loss_has_a_label() -> None:
    curve = make_curve(np.full(9, 0.5967), 9, 1e-3, log=True, bins=50, most_ticks=4)
    assert "0.597" in {text for _, text in curve.ticks}


def test_the_greatest_float_has_a_label() -> None:
    losses = np.array([1.0, np.finfo(float).max])
    curve = make_curve(losses, 2, 0.1, log=True, bins=50, most_ticks=4)
    assert curve.ticks[-1][1] == "1.8e+308"


def test_what_is_not_finite_is_marked_where_it_happened() -> None:
    losses = np.array([1.0, 2.0, math.inf, math.nan, 3.0])
    curve = make_curve(losses, 5, 0.1, log=True, bins=50, most_ticks=4)
    assert list(curve.not_finite) == [3.0, 4.0]
    curve = make_curve(np.full(9000, math.nan), 9000, 0.1, log=True, bins=50, most_ticks=4)
    assert (len(curve.not_finite) < 9000, curve.count_not_finite) == (True, 9000)
    assert "bad" in {role for row in draw_curve(curve, 40, 8) for _, role in row}


@pytest.mark.parametrize("loss", [5e-324, 1e-310, 2e-308])
@pytest.mark.parametrize("ticks", [2, 9, 40])
def test_losses_near_zero_can_be_drawn(loss: float, ticks: int) -> None:
    for log in (True, False):
        losses = np.full(3, loss)
        curve = make_curve(losses, 3, 5e-324, log=log, bins=50, most_ticks=ticks)
        assert len(draw_curve(curve, 60, 50)) == 50


def test_a_log_axis_labels_losses_not_exponents() -> None:
    curve = make_curve(np.geomspace(1.0, 1e-6, 100), 100, 1e-5, log=True, bins=50, most_ticks=8)
    assert {"1", "0.01", "1e-06"} <= {text for _, text in curve.ticks}
    near = make_curve(np.array([0.59, 0.6, 0.61]), 3, 0.5, log=True, bins=50, most_ticks=6)
    assert len(near.ticks) >= 2


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_nice_numbers_are_few_and_inside(low: float, span: float, most: int) -> None:
    numbers = nice_numbers(low, low + span, most)
    assert len(numbers) <= most + 1
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= number <= low + span + slack for number in numbers)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (math.inf, 0),
        (-math.inf, 0),
        (math.nan, 0),
        (0.0, 0),
        (1e-9, 1),
        (-1e-9, -1),
        (2.0, LEVELS),
        (-2.0, -LEVELS),
    ],
)
def test_levels_tell_the_sign_of_the_smallest(value: float, level: int) -> None:
    assert level_of(value, 2.0) == level
    assert glyph(1) != glyph(-1) != glyph(0) != glyph(1)


def test_a_level_of_a_scale_that_is_held_at_almost_nothing_is_its_end() -> None:
    assert level_of(1.0, 5e-324) == LEVELS
    assert level_of(-1e300, 1e-300) == -LEVELS


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("around", [1.0, 1e300, 1e-280, 123456.0])
def test_labels_of_losses_that_hardly_differ_are_told_apart(around: float, log: bool) -> None:
    low, high = around, around * (1 + 1e-9)
    ends = (math.log10(low), math.log10(high)) if log else (low, high)
    texts = [text for _, text in ticks_of(*ends, 5, log)]
    assert len(texts) == len(set(texts)) > 1


@given(LOSSES, st.lists(LOSSES, max_size=3), st.integers(0, 20), st.booleans(), st.booleans())
def test_ghosts_lie_behind_a_picture_that_is_the_same_without_them(
    values: list[float], others: list[list[float]], first: int, log: bool, coloured: bool
) -> None:
    ghosts = [Overlay(history(each), min(first, len(each)), len(each)) for each in others]
    epoch = len(values)
    named = {"log": log, "bins": 60, "most_ticks": 5}
    plain = make_curve(values, epoch, 0.1, **named)
    haunted = make_curve(values, epoch, 0.1, ghosts=ghosts, **named)
    assert (haunted.start, haunted.last) == (plain.start, plain.last)
    assert haunted.hidden == plain.hidden
    # Twice as long at most, beside the room at its ends.
    assert haunted.high - haunted.low <= 2.3 * (plain.high - plain.low)
    rows = draw_curve(haunted, 40, 10, coloured=coloured)
    without = draw_curve(replace(haunted, ghosts=()), 40, 10, coloured=coloured)
    for row, same in zip(rows, without, strict=True):
        cells = [(mark, role) for text, role in row for mark in text]
        bare = [(mark, role) for text, role in same for mark in text]
        assert len(cells) == 40
        assert all(was == now for was, now in zip(bare, cells, strict=True) if was[0] != " ")
        ghostly = [mark for mark, role in cells if role == "ghost" and mark != " "]
        assert all("\u2800" < mark <= "\u28ff" if coloured else mark == "." for mark in ghostly)


def test_a_ghost_is_drawn_at_its_losses_and_counted_where_it_leaves() -> None:
    level = history([0.01] * 50)
    rising = history([1.0] * 20 + [1e9] * 30)
    ghosts = [Overlay(level, 0, 50), Overlay(rising, 0, 50)]
    curve = make_curve([1.0] * 50, 50, 0.1, ghosts=ghosts, log=True, bins=80, most_ticks=5)
    assert curve.beyond == 2
    inside = make_curve([1.0] * 50, 50, 0.01, ghosts=ghosts[:1], log=True, bins=80, most_ticks=5)
    assert inside.beyond == 0
    assert (inside.low, inside.high) == pytest.approx((-2.1, 0.1))
    assert (curve.low, curve.high) == pytest.approx((-1.71, 0.71))
    rows = draw_curve(replace(inside, goal=None), 40, 12, coloured=False)
    dotted = [at for at, row in enumerate(rows) for text, role in row if role == "ghost"]
    assert dotted == [9]
    short = make_curve([1.0] * 5, 5, 0.01, ghosts=ghosts[:1], log=True, bins=80, most_ticks=5)
    assert short.last == 5


def test_the_greatest_loss_has_its_own_label_where_there_is_room_for_few() -> None:
    history = LossHistory()
    for epoch in range(100):
        history.append(epoch, 0.3)
    curve = curves.make_curve(history, 100, 100, 1e-3, log=True, bins=60, most_ticks=2)
    places, labels = zip(*curve.ticks, strict=True)
    assert labels == ("0.001", "0.3")
    assert places[-1] == pytest.approx(np.log10(0.3))


def test_a_loss_that_goes_up_and_down_is_a_band_with_its_mean() -> None:
    wild = np.where(np.arange(400) % 2, 2.0, 4.0)
    falls = 10.0 / (1.0 + np.arange(400))
    curve = make_curve(np.concatenate([falls, wild]), 800, 0.1, log=False, bins=80, most_ticks=5)
    (band,) = curve.bands
    assert band.role == "past"
    assert (band.low.min(), band.high.max()) == (2.0, 4.0)
    assert 400 <= band.x[0] <= 480
    inside = curve.past.y[curve.past.x >= band.x[1]]
    np.testing.assert_allclose(inside, 3.0, atol=0.2)
    assert not make_curve(falls, 400, 0.1, log=True, bins=80, most_ticks=5).bands
    rows = draw_curve(curve, 60, 16)
    assert sum(len(text) for row in rows for text, role in row if role == "past") > 100


def test_a_goal_far_away_does_not_flatten_the_losses_and_its_place_is_told() -> None:
    flat = np.linspace(1.023, 1.012, 60)
    curve = make_curve(flat, 60, 0.001, log=True, bins=80, most_ticks=5)
    assert (curve.goal, curve.goal_beyond) == (None, "below")
    assert len({text for _, text in curve.ticks}) == len(curve.ticks) > 1
    assert curve.high - curve.low < 0.01
    still = make_curve(np.full(60, 0.5967), 60, 0.001, log=True, bins=80, most_ticks=5)
    assert still.goal == pytest.approx(-3.0)


def test_a_floor_is_drawn_from_where_it_holds() -> None:
    losses = np.linspace(1.0, 0.6, 50)
    curve = make_curve(losses, 50, 0.01, log=True, bins=80, most_ticks=5, floor=(0.5, 10))
    assert curve.floor is not None
    assert (curve.floor.x.tolist(), curve.low < np.log10(0.5)) == ([10.0, 50.0], True)
    assert any(role == "floor" for row in draw_curve(curve, 60, 16) for _, role in row)


def test_lines_that_lie_on_each_other_keep_their_names() -> None:
    x = np.arange(41.0)
    same = Polyline(x, np.ones(41))
    curve = Curve(
        low=0.0,
        high=2.0,
        last=40,
        cursor=None,
        goal=None,
        ticks=[(1.0, "1")],
        not_finite=np.zeros(0),
        hidden=0,
        more=(("a", same), ("b", same), ("c", same)),
    )
    drawn = "".join(text for row in draw_curve(curve, 40, 10) for text, _ in row)
    assert {"a", "b", "c"} <= set(drawn)
