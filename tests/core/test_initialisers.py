"""Initialisers: the moments of what they draw, and the order in which they draw it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import made

import nntui
from nntui.core.parts.initialisers import BIAS_INITIALISERS, DRAW_ORDERS, INITIALISERS

ROWS, COLUMNS = 120, 400
MOMENTS: dict[str, tuple[float, float, float]] = {
    # mean, deviation, and the bound of what is drawn uniformly (0: normal)
    "normal": (0.0, 1.0, 0.0),
    "uniform": (0.5, math.sqrt(1 / 12), 0.0),
    "he": (0.0, math.sqrt(2 / COLUMNS), 0.0),
    "he-uniform": (0.0, math.sqrt(2 / COLUMNS), math.sqrt(6 / COLUMNS)),
    "xavier": (0.0, math.sqrt(2 / (ROWS + COLUMNS)), 0.0),
    "xavier-uniform": (0.0, math.sqrt(2 / (ROWS + COLUMNS)), math.sqrt(6 / (ROWS + COLUMNS))),
    "lecun": (0.0, math.sqrt(1 / COLUMNS), 0.0),
    "lecun-uniform": (0.0, math.sqrt(1 / COLUMNS), math.sqrt(3 / COLUMNS)),
    "zeros": (0.0, 0.0, 0.0),
    "constant": (1.0, 0.0, 0.0),
}


def test_every_initialiser_has_its_moments_here() -> None:
    assert sorted(MOMENTS) == sorted(INITIALISERS)


@pytest.mark.parametrize("name", MOMENTS)
def test_a_large_draw_has_the_moments_that_are_stated(name: str) -> None:
    mean, deviation, bound = MOMENTS[name]
    drawn = INITIALISERS[name].draw(np.random.RandomState(11), ROWS, COLUMNS)
    assert drawn.shape == (ROWS, COLUMNS)
    if not INITIALISERS[name].draws:
        np.testing.assert_array_equal(drawn, mean)
        return
    # 48,000 draws: the mean is off by deviation/219, the deviation by less than deviation/300.
    assert abs(drawn.mean() - mean) < 5 * deviation / math.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(deviation, rel=0.02)
    kurtosis = ((drawn - drawn.mean()) ** 4).mean() / drawn.var() ** 2
    assert kurtosis == pytest.approx(1.8 if bound or name == "uniform" else 3.0, abs=0.15)
    if bound:
        assert abs(drawn).max() <= bound
        assert drawn.max() > 0.999 * bound
        assert drawn.min() < -0.999 * bound
    if name == "uniform":
        assert 0.0 <= drawn.min() < drawn.max() < 1.0


@pytest.mark.parametrize("name", BIAS_INITIALISERS)
def test_a_shared_bias_is_one_draw_for_all_units(name: str) -> None:
    layer = {"units": 5, "init": "zeros", "bias_init": name, "bias_scale": 2.0}
    source: dict[str, Any] = {
        "data": {"inputs": [[1.0]], "targets": [[1.0] * 5]},
        "layers": [{**layer, "bias": "shared-start"}],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }
    [(_, shared)] = nntui.Run(made(source), seed=3).parameters
    random = np.random.RandomState(3)
    one: dict[str, Callable[[], float]] = {"zeros": lambda: 0.0, "constant": lambda: 1.0}
    drawn = {**one, "normal": random.randn, "uniform": random.rand}[name]()
    assert shared is not None
    np.testing.assert_array_equal(shared, [2.0 * drawn] * 5)
    [(_, own)] = nntui.Run(made({**source, "layers": [layer]}), seed=3).parameters
    assert own is not None
    assert len(set(own.ravel())) == (5 if INITIALISERS[name].draws else 1)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    layers = [
        {
            "units": draw(st.integers(1, 5)),
            "init": draw(st.sampled_from(sorted(INITIALISERS))),
            "scale": draw(st.sampled_from([1.0, -0.5, 3.0])),
            "bias": draw(st.sampled_from(["none", "per-unit", "shared-start"])),
            "bias_init": draw(st.sampled_from(BIAS_INITIALISERS)),
            "bias_scale": draw(st.sampled_from([1.0, 0.25])),
            "low": draw(st.sampled_from([0.0, -1.0])),
            "bias_high": draw(st.sampled_from([1.0, 0.5])),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]
    columns = layers[-1]["units"]
    return {
        "data": {
            "inputs": [[0.5] * draw(st.integers(1, 4))],
            "targets": [[0.5] * columns],
            "constant_inputs": [1.0] * draw(st.integers(0, 2)),
        },
        "layers": layers,
        "draws": {
            "order": draw(st.sampled_from(DRAW_ORDERS)),
            "transposed": draw(st.booleans()),
            "skip_uniform": draw(st.integers(0, 3)),
            "skip_normal": draw(st.integers(0, 3)),
        },
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }


@given(networks(), st.integers(0, 2**32 - 1))
def test_a_network_is_drawn_in_the_order_that_its_draws_state(
    source: dict[str, Any], seed: int
) -> None:
    preset = made(source)
    random = np.random.RandomState(seed)
    expected = reference.initial(preset.configuration, random)
    run = nntui.Run(preset, seed=seed)
    for (W, b), (V, c) in zip(run.parameters, expected, strict=True):
        np.testing.assert_allclose(W, V, rtol=1e-15)
        assert (b is None) == (c is None)
        if b is not None:
            np.testing.assert_allclose(b, c, rtol=1e-15)
    # What is zero draws nothing: the generator stands where the reference's does.
    left = np.random.RandomState()
    left.set_state(run.state.random)
    assert left.rand() == random.rand()
    assert left.randn() == random.randn()


def test_the_numbers_are_those_of_a_program_with_its_seed_set() -> None:
    source = {
        "data": {"inputs": [[1.0, 2.0]], "targets": [[1.0]]},
        "layers": [
            {"units": 3, "init": "xavier", "bias_init": "normal"},
            {"units": 2, "init": "he-uniform", "bias": "none"},
            {"units": 1, "init": "lecun", "bias_init": "uniform"},
        ],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }
    (W0, b0), (W1, _), (W2, b2) = nntui.Run(made(source), seed=42).parameters
    random = np.random.RandomState(42)
    np.testing.assert_array_equal(W0, random.randn(3, 2) * np.sqrt(2 / 5))
    np.testing.assert_array_equal(b0, random.randn(3))
    bound = np.sqrt(6 / 3)
    np.testing.assert_array_equal(W1, random.uniform(-bound, bound, (2, 3)))
    np.testing.assert_array_equal(W2, random.randn(1, 2) * np.sqrt(1 / 2))
    np.testing.assert_array_equal(b2, random.rand(1))


START: dict[str, Any] = {
    "data": {"inputs": [[1.0, 2.0]], "targets": [[1.0]]},
    "training": {"loss": "squared-error", "learning_rate": 0.1},
}
TWO: list[dict[str, Any]] = [
    {"units": 3, "init": "uniform", "low": -0.5, "high": 0.5, "bias_init": "normal"},
    {"units": 1, "init": "normal", "bias_init": "uniform", "bias_low": -1.0},
]


def start_of(layers: list[dict[str, Any]], **draws: Any) -> nntui.Run:
    return nntui.Run(made({**START, "layers": layers, "draws": draws}), seed=9)


def test_a_program_that_draws_all_weights_first_and_inputs_by_units() -> None:
    run = start_of(TWO, order="weights-first", transposed=True, skip_uniform=5, skip_normal=3)
    (W0, b0), (W1, b1) = run.parameters
    random = np.random.RandomState(9)
    random.rand(5)
    random.randn(3)
    np.testing.assert_array_equal(W0, (random.rand(2, 3) - 0.5).T)
    np.testing.assert_array_equal(W1, random.randn(3, 1).T)
    assert b0 is not None
    assert b1 is not None
    np.testing.assert_array_equal(b0.ravel(), random.randn(3))
    np.testing.assert_array_equal(b1.ravel(), 2 * random.rand(1) - 1)


def test_a_program_that_draws_the_bias_first() -> None:
    (W0, b0), (W1, b1) = start_of(TWO, order="bias-first").parameters
    random = np.random.RandomState(9)
    assert b0 is not None
    assert b1 is not None
    np.testing.assert_array_equal(b0.ravel(), random.randn(3))
    np.testing.assert_array_equal(W0, random.rand(3, 2) - 0.5)
    np.testing.assert_array_equal(b1.ravel(), 2 * random.rand(1) - 1)
    np.testing.assert_array_equal(W1, random.randn(1, 3))


def test_parameters_that_are_given_draw_nothing() -> None:
    W, b = [[1.0, 2.0], [-3.0, 0.5], [0.0, 7.0]], [0.1, -0.2, 0.3]
    given_first = {"units": 3, "W": W, "b": b, "bias_scale": 2.0}
    (W0, b0), (W1, _) = start_of([given_first, TWO[1]]).parameters
    np.testing.assert_array_equal(W0, W)
    assert b0 is not None
    np.testing.assert_array_equal(b0.ravel(), [0.2, -0.4, 0.6])
    np.testing.assert_array_equal(W1, np.random.RandomState(9).randn(1, 3))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"W": [[1.0, 2.0, 3.0]]}, "layers.0.W: is 1 x 3, but the layer has 1 unit and 2 inputs"),
        ({"b": [1.0, 2.0]}, "layers.0.b: has 2 numbers, but the layer has 1 unit"),
        ({"b": [1.0], "bias": "none"}, "layers.0.b: belongs to a layer with a bias"),
        ({"W": [[1.0, "x"]]}, "layers.0.W.0.1: must be a number, not 'x'"),
        ({"W": 3}, "layers.0.W: must be a list of rows"),
        ({"low": 1.0}, "layers.0.low: is 1, and must be less than high, 1"),
    ],
)
def test_first_parameters_that_do_not_fit_are_refused(layer: dict[str, Any], said: str) -> None:
    with pytest.raises(nntui.ConfigError) as refused:
        start_of([{"units": 1, **layer}])
    assert said in str(refused.value)
