"""Optimisers where every update is known, schedules, clipping, and layer normalisation."""

import math
from cmath import sqrt
from itertools import islice, pairwise
from statistics import fmean, pvariance
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import Array, flat, made

import nntui
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.timeline import Snapshot

INPUTS, TARGETS = [0.5, -1.0, 2.0, 1.5], [1.0, 0.5, -0.25, 2.0]


def parabola(
    rate: float, momentum: float = 0.0, l2: float = 0.0, **training: Any
) -> tuple[nntui.Run, float, float]:
    """One weight w with the loss mean((wx - y)^2) + l2/2 w^2; its curvature and its minimum."""
    source = {
        "data": {"inputs": [[x] for x in INPUTS], "targets": [[y] for y in TARGETS]},
        "layers": [{"units": 1, "bias": "none", "init": "normal"}],
        "training": {
            "loss": "squared-error",
            "learning_rate": rate,
            "momentum": momentum,
            "l2": l2,
            **training,
        },
    }
    curvature = 2 * fmean(x * x for x in INPUTS) + l2
    minimum = 2 * fmean(x * y for x, y in zip(INPUTS, TARGETS, strict=True)) / curvature
    return nntui.Run(made(source), seed=1), curvature, minimum


@pytest.mark.parametrize("l2", [0.0, 0.4])
@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.7])
def test_gradient_descent_shrinks_the_distance_by_the_same_factor(rate: float, l2: float) -> None:
    run, curvature, minimum = parabola(rate, 0.0, l2)
    start = run.parameters[0][0].item() - minimum
    for k in range(1, 40):
        run.step()
        distance = run.parameters[0][0].item() - minimum
        assert distance == pytest.approx(start * (1 - rate * curvature) ** k, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("l2", [0.0, 0.4])
@pytest.mark.parametrize(("rate", "momentum"), [(0.005, 0.5), (0.05, 0.9), (0.6, 0.3), (0.2, 0.99)])
def test_momentum_swings_as_its_two_roots_say(rate: float, momentum: float, l2: float) -> None:
    # e(k+1) = (1 + mu - lr*c) e(k) - mu e(k-1), so e(k) = A r^k + B s^k.
    run, curvature, minimum = parabola(rate, momentum, l2)
    trace = 1 + momentum - rate * curvature
    root = sqrt(trace**2 - 4 * momentum)
    r, s = (trace + root) / 2, (trace - root) / 2
    first = run.parameters[0][0].item() - minimum
    second = (1 - rate * curvature) * first
    A, B = (second - s * first) / (r - s), (r * first - second) / (r - s)
    for k in range(1, 40):
        run.step()
        distance = run.parameters[0][0].item() - minimum
        assert distance == pytest.approx((A * r**k + B * s**k).real, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("rate", "momentum"), [(0.05, 0.5), (0.05, 0.9), (0.3, 0.3), (0.2, 0.0)])
def test_nesterov_is_the_power_of_its_matrix(rate: float, momentum: float) -> None:
    # v = mu v + c e and e = e - lr (c e + mu v), with the distance e from the minimum.
    run, c, minimum = parabola(rate, momentum, 0.4, optimiser="nesterov")
    start = run.parameters[0][0].item() - minimum
    matrix = [[momentum, c], [-rate * momentum**2, 1 - rate * c * (1 + momentum)]]
    for k in range(1, 40):
        run.step()
        expected = (np.linalg.matrix_power(matrix, k) @ [0.0, start])[1]
        assert run.parameters[0][0].item() - minimum == pytest.approx(expected, rel=1e-9, abs=1e-12)


def slope(upwards: bool, updates: int, batch: int | str = "full", **training: Any) -> list[float]:
    """A weight's first values under a gradient that is 1/2 (or -1/2) for ever."""
    target = -1e6 if upwards else 1e6
    source = {
        "data": {"inputs": [[1.0]] * 4, "targets": [[target]] * 4},
        "layers": [{"units": 1, "bias": "none", "init": "zeros"}],
        "training": {"loss": "half-absolute-error", "batch": batch, **training},
    }
    run, seen = nntui.Run(made(source)), [0.0]
    for _ in range(updates):
        run.step()
        seen.append(run.parameters[0][0].item())
    return seen


@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("epsilon", [0.0, 1e-8, 0.3])
@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.5, 0.25), (0.0, 0.0), (0.99, 0.0)])
def test_adams_corrected_means_of_a_constant_are_the_constant(
    beta1: float, beta2: float, epsilon: float, upwards: bool
) -> None:
    seen = slope(
        upwards, 30, optimiser="adam", learning_rate=0.25, beta1=beta1, beta2=beta2, epsilon=epsilon
    )
    step = 0.25 * 0.5 / (0.5 + epsilon) * (-1 if upwards else 1)
    np.testing.assert_allclose(np.diff(seen), step, rtol=1e-12)


@pytest.mark.parametrize("epsilon", [0.0, 1e-8, 0.3])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.999])
def test_rmsprop_divides_by_the_root_of_what_it_has_seen(rho: float, epsilon: float) -> None:
    # The running square of a constant g is g^2 (1 - rho^k).
    seen = slope(True, 30, optimiser="rmsprop", learning_rate=0.25, rho=rho, epsilon=epsilon)
    roots = [0.5 * math.sqrt(1 - rho**k) for k in range(1, 31)]
    expected = [-0.25 * 0.5 / (root + epsilon) for root in roots]
    np.testing.assert_allclose(np.diff(seen), expected, rtol=1e-11)


RULES: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.6},
    "nesterov": {"momentum": 0.6},
    "rmsprop": {"rho": 0.7, "epsilon": 1e-3},
    "adam": {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
}


class Rule:
    """An optimiser for one number, as its formula says."""

    def __init__(self, name: str, rate: float) -> None:
        self.name, self.rate, self.count = name, rate, 0
        self.v = self.m = self.s = 0.0

    def step(self, g: float) -> float:
        self.count += 1
        if self.name in ("sgd", "nesterov"):
            self.v = 0.6 * self.v + g
            return self.rate * (self.v if self.name == "sgd" else g + 0.6 * self.v)
        if self.name == "rmsprop":
            self.s = 0.7 * self.s + 0.3 * g * g
            return self.rate * g / (math.sqrt(self.s) + 1e-3)
        self.m = 0.8 * self.m + 0.2 * g
        self.s = 0.95 * self.s + 0.05 * g * g
        mean, square = self.m / (1 - 0.8**self.count), self.s / (1 - 0.95**self.count)
        return self.rate * mean / (math.sqrt(square) + 1e-3)


def test_every_optimiser_has_its_rule_here() -> None:
    assert sorted(RULES) == sorted(OPTIMISERS)


@pytest.mark.parametrize("name", RULES)
def test_an_optimiser_on_a_parabola_is_its_recurrence_also_after_going_back(name: str) -> None:
    run, curvature, minimum = parabola(0.05, l2=0.4, optimiser=name, **RULES[name])
    rule, w = Rule(name, 0.05), run.parameters[0][0].item()
    expected = [w]
    for _ in range(60):
        w -= rule.step(curvature * (w - minimum))
        expected.append(w)
    assert abs(expected[60] - minimum) < abs(expected[0] - minimum)
    for update in (*range(61), 3, 4, 5, 40, 7, 0, 1, 2, 60):
        run.seek(update)
        found = run.parameters[0][0].item()
        assert found == pytest.approx(expected[update], rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("early", [[], [0], [1], [0, 1]])
@pytest.mark.parametrize("name", RULES)
def test_a_layer_that_is_updated_early_keeps_its_own_slots(name: str, early: list[int]) -> None:
    # y = w2*w1*x on one row: dL/dw2 = 2 e w1 x, and dL/dw1 = 2 e w2 x with w2 before or after.
    source = {
        "faults": [{"name": "update-before-backprop", "layers": early}],
        "data": {"inputs": [[1.5]], "targets": [[0.75]]},
        "layers": [{"units": 1, "bias": "none", "init": "normal"}] * 2,
        "training": {
            "loss": "squared-error",
            "learning_rate": 0.02,
            "optimiser": name,
            **RULES[name],
        },
    }
    run = nntui.Run(made(source), seed=2)
    one, two = (W.item() for W, _ in run.parameters)
    first, second = Rule(name, 0.02), Rule(name, 0.02)
    for update in range(1, 40):
        error, before = 2 * (two * one * 1.5 - 0.75), two
        two -= second.step(error * one * 1.5)
        one -= first.step(error * (two if 1 in early else before) * 1.5)
        run.step()
        if update == 20:
            run.seek(11)
            run.seek(20)
        found = [W.item() for W, _ in run.parameters]
        assert found == pytest.approx([one, two], rel=1e-11)


def rates(**training: Any) -> list[float]:
    """The factor on the rate in each of 13 epochs of two updates, as the steps show it."""
    seen = slope(True, 26, 2, learning_rate=2.0, **training)
    steps = [before - after for before, after in pairwise(seen)]
    np.testing.assert_allclose(steps[::2], steps[1::2], rtol=1e-9)
    return steps[::2]


STATED: dict[str, tuple[float, int, dict[int, float]]] = {
    "constant": (0.5, 3, {0: 1.0, 1: 1.0, 12: 1.0}),
    "step": (0.5, 3, {0: 1.0, 2: 1.0, 3: 0.5, 5: 0.5, 6: 0.25, 12: 0.0625}),
    "exponential": (0.5, 3, {0: 1.0, 1: 0.5 ** (1 / 3), 3: 0.5, 6: 0.25, 12: 0.0625}),
    "inverse": (0.5, 3, {0: 1.0, 3: 1 / 1.5, 6: 0.5, 12: 1 / 3}),
    "cosine": (0.2, 8, {0: 1.0, 2: 0.2 + 0.4 * (1 + 0.5**0.5), 4: 0.6, 8: 0.2, 9: 0.2, 12: 0.2}),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_gives_each_epoch_the_stated_factor(name: str) -> None:
    decay, every, stated = STATED[name]
    found = rates(schedule=name, schedule_decay=decay, schedule_every=every)
    assert {epoch: found[epoch] for epoch in stated} == pytest.approx(stated, rel=1e-9)


@pytest.mark.parametrize("every", [1, 4, 100])
@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0, 1.25])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_its_formula_for_any_decay(name: str, decay: float, every: int) -> None:
    training = {"schedule": name, "schedule_decay": decay, "schedule_every": every}
    run, *_ = parabola(0.1, **training)
    expected = [reference.rate_factor(run.preset.configuration.training, e) for e in range(13)]
    np.testing.assert_allclose(rates(**training), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_by_the_epoch_of_the_cursor(name: str) -> None:
    source = {
        "data": {"inputs": [[1.0], [-2.0], [0.5]], "targets": [[1.0], [0.0], [0.5]]},
        "layers": [{"units": 1}],
        "training": {
            "loss": "squared-error",
            "learning_rate": 0.05,
            "batch": 2,
            "optimiser": "adam",
            "schedule": name,
            "schedule_every": 2,
        },
    }
    run = nntui.Run(made(source), seed=4)
    updates = islice(reference.training(run.preset.configuration, 4), 30)
    expected = [flat(update.parameters) for update, _, _ in updates]
    for update in (30, 7, 8, 1, 2, 3, 29, 30):
        run.seek(update)
        np.testing.assert_allclose(flat(run.parameters), expected[update - 1], rtol=1e-9)


@pytest.mark.parametrize("schedule", ["step", "exponential"])
def test_a_rate_that_grows_beyond_all_floats_is_no_crash(schedule: str) -> None:
    # 10^400 is no float; with a rate of 0, or a factor of 0, nothing ever moves.
    run, *_ = parabola(0.0, schedule=schedule, schedule_decay=10.0, schedule_every=1)
    start = flat(run.parameters)
    run.step(400)
    assert run.update == 400 or run.divergence is not None
    if run.divergence is None:
        np.testing.assert_array_equal(flat(run.parameters), start)


@pytest.mark.parametrize("schedule", ["step", "exponential"])
def test_a_factor_beyond_all_floats_is_infinite(schedule: str) -> None:
    # Epoch 308 still has the factor 1e308; epoch 309's, update 310's, is no float.
    source = {
        "data": {"inputs": [[1.0]], "targets": [[1e6]]},
        "layers": [{"units": 1, "bias": "none", "init": "zeros"}],
        "training": {
            "loss": "half-absolute-error",
            "learning_rate": 1e-300,
            "schedule": schedule,
            "schedule_decay": 10.0,
            "schedule_every": 1,
        },
    }
    found = nntui.Run(made(source)).step(400).divergence
    assert found is not None
    assert (found.update, found.tensor) == (310, "step of W")


SCALE = 2.0**-6
"""A rate that is a power of two: dividing by it gives the gradient back."""


def clipped(faults: list[Any] | None = None, **training: Any) -> list[Array]:
    """What a first update of a 2-3-2-1 network takes from W0, b0, W1, ..., over the rate."""
    start = {"activation": "tanh", "init": "normal", "bias_init": "normal"}
    source = {
        "faults": faults or [],
        "data": {"inputs": [[0.3, -0.7], [1.1, 0.4]], "targets": [[2.0], [-1.5]]},
        "layers": [{"units": 3, **start}, {"units": 2, **start}, {"units": 1, "init": "normal"}],
        "training": {"loss": "squared-error", "learning_rate": SCALE, **training},
    }
    run = nntui.Run(made(source), seed=6)
    before = run.parameters
    run.step()
    assert run.divergence is None
    pairs = zip(before, run.parameters, strict=True)
    return [
        (old - new) / SCALE for pair, after in pairs for old, new in zip(pair, after, strict=True)
    ]


def norm(gradients: list[Array]) -> float:
    return math.sqrt(sum(float((g**2).sum()) for g in gradients))


def assert_near(found: list[Array], expected: list[Array]) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("limit", [0.01, 0.1, 0.7])
def test_clipping_by_value_cuts_each_number_and_no_other(limit: float) -> None:
    free, cut = clipped(), clipped(clip_value=limit)
    assert max(abs(g).max() for g in free) > limit > min(abs(g).min() for g in free)
    assert_near(cut, [np.clip(g, -limit, limit) for g in free])


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_clipping_by_norm_shortens_the_whole_gradient(share: float) -> None:
    free = clipped()
    limit = share * norm(free)
    cut = clipped(clip_norm=limit)
    assert norm(cut) == pytest.approx(limit, rel=1e-9)
    assert_near(cut, [share * g for g in free])


def test_what_is_within_the_limits_is_not_touched() -> None:
    free = clipped()
    for training in (
        {"clip_norm": 1.001 * norm(free)},
        {"clip_value": 1.001 * max(abs(g).max() for g in free)},
        {"clip_norm": 1e300, "clip_value": 1e300},
    ):
        for mine, theirs in zip(clipped(**training), free, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_gradient_of_zero_has_no_norm_to_be_cut_to() -> None:
    for g in clipped([{"name": "wrong-factor", "factor": 0.0}], clip_norm=1.0):
        np.testing.assert_array_equal(g, 0.0)


def test_values_are_cut_before_the_norm_is_taken() -> None:
    values = [np.clip(g, -0.3, 0.3) for g in clipped()]
    limit = 0.5 * norm(values)
    assert_near(clipped(clip_value=0.3, clip_norm=limit), [0.5 * g for g in values])


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150, 1e170])
def test_a_norm_is_cut_though_its_square_is_no_float(size: float) -> None:
    # The gradient is half the row's inputs, as the sign of the error is 1.
    source = {
        "data": {"inputs": [[3 * size, -4 * size]], "targets": [[-1.0]]},
        "layers": [{"units": 1, "bias": "none", "init": "zeros"}],
        "training": {
            "loss": "half-absolute-error",
            "learning_rate": 1.0,
            "clip_norm": 0.5 * size,
        },
    }
    run = nntui.Run(made(source))
    assert run.step().divergence is None
    np.testing.assert_allclose(run.parameters[0][0], [[-0.3 * size, 0.4 * size]], rtol=1e-12)


@pytest.mark.parametrize("training", [{"clip_value": 1.0}, {"clip_norm": 1.0}], ids=str)
def test_clipping_does_not_hide_a_gradient_that_is_not_finite(training: dict[str, float]) -> None:
    # 1e150 * 1e160 is no float; error, loss and the cut gradient are.
    source = {
        "data": {"inputs": [[1e160]], "targets": [[-1e150]]},
        "layers": [{"units": 1, "bias": "none", "init": "zeros"}],
        "training": {"loss": "half-squared-error", "learning_rate": 0.1, **training},
    }
    run = nntui.Run(made(source))
    found = run.step(2).divergence
    assert found is not None
    named = (found.update, found.tensor, found.layer, found.cell, found.value)
    assert named == (1, "gradient of W", 0, (0, 0), "inf")


@pytest.mark.parametrize("early", [[0], [1], [2], [0, 2], [0, 1, 2]])
def test_early_layers_are_cut_each_alone_and_the_others_together(early: list[int]) -> None:
    fault = {"name": "update-before-backprop", "layers": early}
    # A tiny rate: what is updated early stays, to a relative 1e-9, what it was.
    training: dict[str, Any] = {"momentum": 0.0, "l2": 0.1}
    free = clipped(**training)
    layers = [free[2 * k : 2 * k + 2] for k in range(3)]
    groups = [[k] for k in early] + [[k for k in range(3) if k not in early]]
    limit = 1e-6
    expected: dict[int, list[Array]] = {}
    for group in groups:
        length = norm([g for k in group for g in layers[k]])
        for k in group:
            expected[k] = [g * limit / length for g in layers[k]]
    found = clipped([fault], clip_norm=limit, **training)
    for k in range(3):
        for mine, theirs in zip(found[2 * k : 2 * k + 2], expected[k], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6 * limit)


@pytest.mark.parametrize("name", RULES)
def test_the_optimiser_gets_the_cut_gradient(name: str) -> None:
    training = {**RULES[name], "clip_value": 0.4, "clip_norm": 0.7}
    run, curvature, minimum = parabola(0.05, optimiser=name, **training)
    rule, w = Rule(name, 0.05), run.parameters[0][0].item()
    cut = 0
    for _ in range(50):
        gradient = curvature * (w - minimum)
        cut += abs(gradient) > 0.4
        w -= rule.step(max(-0.4, min(0.4, gradient)))
        run.step()
        assert run.parameters[0][0].item() == pytest.approx(w, rel=1e-10, abs=1e-12)
    assert cut > 0


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=6),
    st.sampled_from(["identity", "relu", "tanh"]),
    st.integers(0, 99),
)
def test_layer_normalisation_centres_and_scales_each_sample(
    row: list[float], activation: str, seed: int
) -> None:
    layer = {"units": 5, "activation": activation, "init": "normal", "normalise": True}
    source = {
        "data": {"inputs": [row, [-x for x in row]], "targets": [[0.0], [0.0]]},
        "layers": [layer, {"units": 1}],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }
    view = Snapshot.of(nntui.Run(made(source), seed=seed)).layers[0]
    assert view.normalised
    for a, h in zip(view.a.T, view.h.T, strict=True):
        spread = (pvariance(a) + 1e-5) ** 0.5
        expected = [(each - fmean(a)) / spread for each in a]
        np.testing.assert_allclose(h, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_dampened_velocity_is_that_of_the_program_that_averages(momentum: float) -> None:
    source = {
        "data": {"inputs": [[0.5], [-1.0]], "targets": [[2.0], [1.0]]},
        "layers": [{"units": 1, "bias": "none", "W": [[0.25]]}],
        "training": {
            "loss": "half-squared-error",
            "learning_rate": 0.1,
            "momentum": momentum,
            "dampening": 0.9,
        },
    }
    run = nntui.Run(made(source))
    x, y, w, v = np.array([0.5, -1.0]), np.array([2.0, 1.0]), 0.25, 0.0
    for _ in range(4):
        run.step()
        g = float(((w * x - y) * x).mean())
        v = momentum * v + (1 - 0.9) * g
        w -= 0.1 * v
        [(W, _)] = run.parameters
        assert W.item() == pytest.approx(w, rel=1e-13)
