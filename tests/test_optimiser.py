"""Optimisers on a parabola, where every update is known, and layer normalisation's formula."""

from cmath import sqrt
from statistics import fmean, pvariance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import made

import nntui

INPUTS, TARGETS = [0.5, -1.0, 2.0, 1.5], [1.0, 0.5, -0.25, 2.0]


def parabola(rate: float, momentum: float, l2: float) -> tuple[nntui.Run, float, float]:
    """One weight w with the loss mean((wx - y)^2) + l2/2 w^2; its curvature and its minimum."""
    source = {
        "data": {"inputs": [[x] for x in INPUTS], "targets": [[y] for y in TARGETS]},
        "layers": [{"units": 1, "bias": "none", "init": "normal"}],
        "training": {
            "loss": "squared-error",
            "learning_rate": rate,
            "momentum": momentum,
            "l2": l2,
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
    view = nntui.Run(made(source), seed=seed).snapshot().layers[0]
    assert view.normalised
    for a, h in zip(view.a.T, view.h.T, strict=True):
        spread = (pvariance(a) + 1e-5) ** 0.5
        expected = [(each - fmean(a)) / spread for each in a]
        np.testing.assert_allclose(h, expected, rtol=1e-9, atol=1e-10)
