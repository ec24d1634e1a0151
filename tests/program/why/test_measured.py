"""Measurements of a program's run that need no description of its network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nntui.program.follow.request import Request, Sought
from nntui.program.why.changes.literals import Literal
from nntui.program.why.changes.variants import RATE, Source
from nntui.program.why.findings.measured import measured
from nntui.program.why.findings.own_run import Look, OwnRun

FILE = "/net.py"
RANDOM = np.random.RandomState(0)
USUAL = RANDOM.randn(4, 3) * 0.5


def source(once: bool = False) -> Source:
    return Source(
        texts={FILE: "lr = 0.01\n"},
        request=Request((FILE, 20), None, Sought("own", "x"), ("W1", "W2")),
        weights=("W1", "W2"),
        biases=(),
        epochs=1000,
        rate=Literal(FILE, 1, 5, 9, 0.01, "lr"),
        once=once,
        longer=(1000,),
    )


def run(
    losses: Sequence[float],
    start: np.ndarray = USUAL,
    moved: float = 1.0,
    updates: int = 1000,
    epochs: int = 1000,
) -> OwnRun:
    """A run whose two matrices go ``moved`` of their size along a slope of 1."""
    looks = []
    for share in (0.0, 0.5, 1.0):
        values = dict.fromkeys(("W1", "W2"), start * (1.0 + moved * share))
        looks.append(Look(int(updates * share), int(epochs * share), values, values))
    return OwnRun(epochs, updates, 1, True, None, np.array(losses), tuple(looks))


FALLING = np.geomspace(1.0, 1e-4, 40)
STILL = np.full(40, 0.5)


def codes(found: OwnRun, once: bool = False, factor: float | None = 0.01) -> list[str]:
    return [each.code for each in measured(found, source(once), 1e-3, factor)]


def test_parameters_that_hardly_move_tell_of_a_rate_that_is_too_low() -> None:
    (low, *_) = measured(run(STILL, moved=0.02), source(), 1e-3, None)
    assert (low.code, low.line) == ("rate-too-low", 1)
    assert low.fixes[0].changes[RATE] == pytest.approx(0.5)
    assert "rate-too-low" not in codes(run(STILL, moved=1.0))


def test_a_small_product_of_rate_and_curvature_tells_the_same() -> None:
    # Gradient and parameters move alike: the curvature along the way is 1.
    assert "rate-too-low" in codes(run(STILL), factor=1e-4)
    assert "rate-too-low" not in codes(run(STILL), factor=0.1)


def test_a_loss_that_rose_tells_of_a_rate_that_is_too_high() -> None:
    assert "rate-too-high" in codes(run(np.geomspace(1.0, 30.0, 40)))
    assert "rate-too-high" not in codes(run(FALLING))


def test_numbers_that_are_not_finite_leave_nothing_else_to_say() -> None:
    assert codes(run([1.0, 2.0, np.nan])) == ["diverged"]


def test_rows_that_stay_equal_are_units_that_learn_as_one() -> None:
    equal = np.ones((4, 3)) * np.array([0.3, -0.2, 0.5])
    assert "symmetric" in codes(run(STILL, start=equal))
    assert "symmetric" in codes(run(STILL, start=equal.T))
    assert "symmetric" not in codes(run(STILL))


@pytest.mark.parametrize(("size", "wrong"), [(1e-3, True), (1.0, False), (40.0, True)])
def test_first_weights_far_from_the_usual_size_are_told(size: float, wrong: bool) -> None:
    assert ("init-scale" in codes(run(STILL, start=USUAL * size))) == wrong


def test_a_loop_that_goes_over_the_data_once_is_told_first() -> None:
    short = run([0.5], updates=4, epochs=1)
    assert codes(short, once=True)[0] == "budget-too-small"
    assert "budget-too-small" not in codes(run(STILL))


def test_a_loss_that_still_falls_needs_longer() -> None:
    assert "budget-too-small" in codes(run(np.geomspace(1.0, 0.01, 40)))


def test_a_loss_that_stands_still_does_not_need_longer() -> None:
    assert "budget-too-small" not in codes(run(1.0 - 1e-9 * np.arange(40)))


def test_weights_that_get_hardly_any_gradient_are_told() -> None:
    plain = run(STILL)
    looks = tuple(
        Look(each.update, each.epoch, each.values, {"W1": 1e-5 * USUAL, "W2": USUAL})
        for each in plain.looks
    )
    told = list(measured(replace(plain, looks=looks), source(), 1e-3, 0.01))
    (vanishing,) = (each for each in told if each.code == "vanishing-gradient")
    assert "for W1" in vanishing.evidence
    assert "vanishing-gradient" not in codes(plain)
