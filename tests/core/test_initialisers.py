"""Initialisers: the moments of what they draw, and the order in which they draw it."""

import math
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import made

import nntui
from nntui.core.parts.initialisers import BIAS_INITIALISERS, INITIALISERS, draw_bias, draw_weights

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
}


def test_every_initialiser_has_its_moments_here() -> None:
    assert sorted(MOMENTS) == sorted(INITIALISERS)


@pytest.mark.parametrize("scale", [1.0, -0.25])
@pytest.mark.parametrize("name", MOMENTS)
def test_a_large_draw_has_the_moments_that_are_stated(name: str, scale: float) -> None:
    mean, deviation, bound = MOMENTS[name]
    W = draw_weights(np.random.RandomState(11), name, scale, ROWS, COLUMNS)
    assert W.shape == (ROWS, COLUMNS)
    if name == "zeros":
        np.testing.assert_array_equal(W, 0.0)
        return
    drawn = W / scale
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
    random, other = np.random.RandomState(3), np.random.RandomState(3)
    b = draw_bias(random, name, 2.0, 5, shared=True)
    assert b.shape == (5, 1)
    one = {"zeros": lambda: 0.0, "normal": other.randn, "uniform": other.rand}[name]()
    np.testing.assert_array_equal(b, 2.0 * one)
    assert random.rand() == other.rand()
    own = draw_bias(random, name, 2.0, 5, shared=False)
    assert len(set(own.ravel())) == (1 if name == "zeros" else 5)


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
        "training": {"loss": "squared-error", "learning_rate": 0.1},
    }


@given(networks(), st.integers(0, 2**32 - 1))
def test_a_network_is_drawn_layer_by_layer_weights_first_row_by_row(
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
