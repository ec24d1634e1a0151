"""The loss history answers as a plain list would, however long it is and however it is shared."""

import math
from itertools import pairwise

import numpy as np
import pytest
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import Array

from nntui.timeline.history.append_only import PIECE
from nntui.timeline.history.loss_history import BLOCK, LossHistory

SPECIAL = (math.inf, -math.inf, math.nan, 0.0, -0.0, -1.0, 1e308, 5e-324)


def drawn(seed: int, size: int, share: float) -> list[float]:
    """Losses with a ``share`` of odd ones, and ties."""
    random = np.random.RandomState(seed)
    values = np.round(10.0 ** random.uniform(-3, 3, size), 2)
    values[random.rand(size) < 0.2] *= -1
    odd = random.rand(size) < share
    values[odd] = random.choice(SPECIAL, int(odd.sum()))
    return [float(value) for value in values]


def history(values: list[float]) -> LossHistory:
    made = LossHistory()
    for value in values:
        made.append(len(made), value)
    return made


SIZES = st.one_of(
    st.integers(0, 3 * BLOCK),
    st.sampled_from([4000, PIECE - 1, PIECE, PIECE + 1, 99 * BLOCK, 99 * BLOCK + 1]),
)
SHARES = st.sampled_from([0.0, 0.01, 0.3, 1.0])
SEEDS = st.integers(0, 10**6)


def finite(values: list[float]) -> list[tuple[float, int]]:
    return [(value, epoch) for epoch, value in enumerate(values) if math.isfinite(value)]


@given(SEEDS, SHARES, st.lists(st.tuples(st.integers(0, 300), st.floats(0, 1)), max_size=6))
def test_a_history_shares_the_epochs_before_its_fork_and_no_others(
    seed: int, share: float, forks: list[tuple[int, float]]
) -> None:
    plain = drawn(seed, 200, share)
    told = [(history(plain), plain)]
    for number, (own, place) in enumerate(forks):
        parent, values = told[(seed + number) % len(told)]
        at = round(place * len(values))
        child, plain = LossHistory(parent, at), values[:at]
        for value in drawn(seed + number + 1, own, share):
            child.append(len(child), value)
            plain.append(value)
        told.append((child, plain))
        # The parent goes on; that is none of the child's business.
        parent.append(len(parent), float(number))
        values.append(float(number))
    for made, plain in told:
        assert len(made) == len(plain)
        np.testing.assert_array_equal(made.read(), plain)
        np.testing.assert_array_equal([made[epoch] for epoch in range(len(plain))], plain)
        for start, stop in [(0, 10), (len(plain) // 2, len(plain)), (150, 230), (7, 7), (5, 10**6)]:
            np.testing.assert_array_equal(made.read(start, stop), plain[start:stop])
        for outside in (-1, len(plain)):
            with pytest.raises(IndexError, match=str(outside)):
                made[outside]


@given(SEEDS, SIZES, SIZES, st.booleans())
def test_what_is_cut_off_is_forgotten_by_every_answer(
    seed: int, size: int, kept: int, asked: bool
) -> None:
    plain, more = drawn(seed, size, 0.1), drawn(seed + 1, 2 * BLOCK + 5, 0.1)
    made = history(plain)
    if asked:  # what was summed up is not to be remembered
        answers(made)
    made.cut(kept)
    plain = plain[:kept] + more
    for value in more:
        made.append(len(made), value)
    np.testing.assert_array_equal(made.read(), plain)
    assert answers(made) == answers(history(plain))


def answers(made: LossHistory) -> tuple[object, ...]:
    return (
        made.minimum(),
        made.first_at_most(0.01),
        made.last_below(0.01, len(made)),
        made.rises(2.0, 0.1, 500),
        made.binned(0, len(made), 7).most.tolist().__repr__(),
    )


STEPS = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 40)), max_size=6)


@given(SEEDS, STEPS, st.floats(0, 1), st.floats(0, 1))
def test_epochs_that_are_not_reported_are_left_out_of_every_answer(
    seed: int, steps: list[tuple[int, int]], one: float, other: float
) -> None:
    epochs: list[int] = []
    for every, count in steps:
        begun = epochs[-1] + 1 if epochs else 0
        first = -(-begun // every) * every
        epochs += range(first, first + count * every, every)
    plain = drawn(seed, len(epochs), 0.1)
    made = LossHistory()
    for epoch, value in zip(epochs, plain, strict=True):
        made.append(epoch, value)
        made.append(epoch, -1.0)  # a replay tells it again
    assert made.numbers().tolist() == epochs
    start, stop = sorted(round(share * (max(epochs, default=0) + 2)) for share in (one, other))
    inside = [at for at, epoch in enumerate(epochs) if start <= epoch < stop]
    np.testing.assert_array_equal(made.read(start, stop), [plain[at] for at in inside])
    assert made.numbers(start, stop).tolist() == [epochs[at] for at in inside]
    assert made.binned(start, stop, 500).first.tolist() == [epochs[at] for at in inside]
    before = [at for at, epoch in enumerate(epochs) if epoch < stop]
    found = made.last(stop)
    assert (found and found[0]) == (epochs[before[-1]] if before else None)
    below = [epochs[at] for value, at in finite(plain[: len(before)]) if value < 0.5]
    assert made.last_below(0.5, stop) == max(below, default=None)
    told = min(finite(plain), default=(0.0, None))[1]
    assert made.minimum() == (None if told is None else epochs[told])
    assert made.rises(2.0, 0.5, 9) == [epochs[at] for at in rises(plain, 2.0, 0.5)][:9]
    for epoch, value in zip(epochs, plain, strict=True):
        np.testing.assert_array_equal(made[epoch], value)
    missed = sorted({*range(max(epochs, default=0))} - {*epochs})
    for missing in missed[:: len(missed) // 50 + 1]:
        with pytest.raises(IndexError, match=str(missing)):
            made[missing]
    child = LossHistory(made, stop)
    made.cut(stop)
    for each in (made, child):
        each.append(10**6, 0.25)
        assert each.numbers().tolist() == [*(epochs[at] for at in before), 10**6]


def test_what_is_shared_cannot_be_cut_off() -> None:
    parent = history([3.0, 2.0, 1.0])
    child = LossHistory(parent, 2)
    child.append(len(child), 9.0)
    child.cut(1)
    assert child.read().tolist() == [3.0, 2.0]
    assert parent.read().tolist() == [3.0, 2.0, 1.0]


def test_what_is_read_is_a_copy() -> None:
    parent = history([3.0, 2.0, 1.0])
    child = LossHistory(parent, 2)
    child.append(len(child), 0.5)
    for made in (parent, child):
        before = made.read().tolist()
        made.read()[...] = 9.0
        for piece in made.own:
            with pytest.raises(ValueError, match="read-only"):
                piece[...] = 9.0
        assert made.read().tolist() == before
    assert np.concatenate(child.own).tolist() == [0.5]


@pytest.mark.slow
@given(SEEDS, SIZES, SHARES, st.floats(0, 1), st.floats(0, 1), st.booleans())
@RUNS
def test_questions_are_answered_as_by_reading_every_epoch(
    seed: int, size: int, share: float, place: float, limit: float, shared: bool
) -> None:
    plain = drawn(seed, size, share)
    made = history(plain)
    if shared:
        at = round(place * size)
        made = LossHistory(history([*plain[:at], 1e-9]), at)
        for value in plain[at:]:
            made.append(len(made), value)
    stop = round(place * size)
    assert made.minimum() == min(finite(plain), default=(0.0, None))[1]
    known = sorted(value for value, _ in finite(plain)) or [0.0]
    for loss in (known[round(limit * (len(known) - 1))], 0.0, math.inf, -math.inf, -1e4):
        low = [epoch for value, epoch in finite(plain) if value <= loss]
        assert made.first_at_most(loss) == min(low, default=None)
        below = [epoch for value, epoch in finite(plain[:stop]) if value < loss]
        assert made.last_below(loss, stop) == max(below, default=None)


@given(SEEDS, st.lists(st.integers(0, 200), min_size=1, max_size=8), SHARES, st.integers(1, 40))
def test_rises_are_found_once_each_while_the_history_grows(
    seed: int, portions: list[int], share: float, most: int
) -> None:
    made, plain = LossHistory(), []
    for number, portion in enumerate(portions):
        for value in drawn(seed + number, portion, share):
            made.append(len(made), value)
            plain.append(value)
        assert made.rises(2.0, 0.5, most) == rises(plain, 2.0, 0.5)[:most]
    assert made.rises(1e5, 0.5, most) == rises(plain, 1e5, 0.5)[:most]
    assert made.rises(1e5, -9.0, most) == rises(plain, 1e5, -9.0)[:most]


def rises(plain: list[float], factor: float, floor: float) -> list[int]:
    pairs = enumerate(pairwise(plain), start=1)
    return [at for at, (old, new) in pairs if new > factor * old and old > 0.0 and new > floor]


@pytest.mark.slow
@given(SEEDS, SIZES, SHARES, st.floats(0, 1), st.floats(0, 1), st.integers(1, 60), st.booleans())
def test_a_thinned_history_keeps_every_extreme_and_counts_what_cannot_be_drawn(
    seed: int, size: int, share: float, one: float, other: float, bins: int, shared: bool
) -> None:
    plain = drawn(seed, size, share)
    made = history(plain)
    if shared:
        made = LossHistory(made, size // 2)
        for value in plain[size // 2 :]:
            made.append(len(made), value)
    start, stop = sorted((round(one * size), round(other * size)))
    binned = made.binned(start, stop, bins)
    firsts = binned.first.astype(int).tolist()
    assert firsts == sorted(set(firsts))
    assert firsts[:1] == ([start] if stop > start else [])
    assert len(firsts) <= 2 * bins + 2
    for number, low in enumerate(firsts):
        cut = plain[low : [*firsts, stop][number + 1]]
        numbers = [value for value, _ in finite(cut)]
        same(binned.least[number], min(numbers, default=math.nan))
        same(binned.most[number], max(numbers, default=math.nan))
        same(binned.positive[number], min((x for x in numbers if x > 0), default=math.nan))
        assert binned.hidden[number] == sum(value <= 0 for value in numbers)
        assert binned.not_finite[number] == len(cut) - len(numbers)
        assert binned.count[number] == len(numbers)
        if numbers and max(map(abs, numbers)) < 1e300:
            np.testing.assert_allclose(binned.mean[number], np.mean(numbers), rtol=1e-9)


def same(found: Array, expected: float) -> None:
    np.testing.assert_array_equal(found, expected)


def test_a_long_history_is_thinned_to_about_the_width_that_is_asked_for() -> None:
    made = history([1.0 + epoch % 7 for epoch in range(100 * BLOCK)])
    binned = made.binned(0, 100 * BLOCK, 20)
    assert 10 <= len(binned.first) <= 22
    few = made.binned(30, 50, 20)
    assert few.first.tolist() == list(range(30, 50))


def test_a_picture_of_the_losses_costs_one_piece_however_long_they_are() -> None:
    made = history([1.0] * (3 * PIECE + 5))
    before = made.own
    made.append(len(made), 2.0)
    assert [len(piece) for piece in before] == [PIECE, PIECE, PIECE, 5]
    assert all(mine is theirs for mine, theirs in zip(before[:3], made.own[:3], strict=True))
    made.cut(PIECE + 1)
    made.append(len(made), 3.0)
    assert [each.tolist() for each in before] == [[1.0] * PIECE] * 3 + [[1.0] * 5]
    assert made.read(PIECE, PIECE + 2).tolist() == [1.0, 3.0]
