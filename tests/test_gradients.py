"""The gradient that an update follows is the slope of what it is to reduce."""

from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Array, flat, made, unflat

import nntui
from nntui.core.activations import ACTIVATIONS
from nntui.core.initialisers import BIAS_INITIALISERS, INITIALISERS
from nntui.core.losses import LOSSES
from nntui.presets import Preset

RATE = 2.0**-8
"""A power of two, so that dividing the step by it gives the gradient back."""
STEP = 3e-6


@st.composite
def presets(draw: st.DrawFn) -> Preset:
    """Any small network without faults, on any small table."""
    loss, rows = draw(st.sampled_from(sorted(LOSSES))), draw(st.integers(1, 5))
    crossed = loss == "binary-cross-entropy"
    number = st.integers(-20, 20).map(lambda n: n / 10)
    target = st.integers(0, 10).map(lambda n: n / 10) if crossed else number
    width, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    depth = draw(st.integers(1, 3))
    layers = []
    for index in range(depth):
        last = index == depth - 1
        kinds = ["sigmoid"] if crossed and last else sorted(ACTIVATIONS)
        layers.append(
            {
                "units": outputs if last else draw(st.integers(1, 5)),
                "activation": draw(st.sampled_from(kinds)),
                "leak": draw(st.sampled_from([0.0, 0.01, 0.3])),
                "kink": draw(st.sampled_from(["left", "right", "zero"])),
                "init": draw(st.sampled_from(sorted(INITIALISERS))),
                "scale": draw(st.sampled_from([1.0, -0.5])),
                "bias": draw(st.sampled_from(["none", "per-unit", "shared-start"])),
                "bias_init": draw(st.sampled_from(BIAS_INITIALISERS)),
                "normalise": not (crossed and last) and draw(st.booleans()),
            }
        )
    table = lambda cells, columns: st.lists(
        st.lists(cells, min_size=columns, max_size=columns), min_size=rows, max_size=rows
    )
    return made(
        {
            "seed": draw(st.integers(0, 999)),
            "data": {
                "inputs": draw(table(number, width)),
                "targets": draw(table(target, outputs)),
                "constant_inputs": draw(st.lists(number, max_size=1)),
            },
            "layers": layers,
            "training": {
                "loss": loss,
                "reduction": draw(st.sampled_from(["sum", "mean"])),
                "learning_rate": RATE,
                "batch": draw(st.sampled_from(["full", 1, 2, 3])),
                "l2": draw(st.sampled_from([0.0, 0.3])),
                "l2_per_sample": draw(st.booleans()),
            },
            "report": {
                "loss": draw(st.sampled_from([loss, "half-absolute-error"])),
                "reduction": draw(st.sampled_from(["sum", "mean"])),
                "penalty": draw(st.booleans()),
            },
        }
    )


def numeric_gradient(run: nntui.Run, rows: slice) -> tuple[Array, Array, float]:
    """Central differences at two distances, extrapolated; NaN where a kink lies between.

    Then how unsure they are (two normalised layers can bend within one distance), and the loss.
    """
    configuration, parameters = run.preset.configuration, run.parameters
    x, y = (part[rows] for part in reference.data_of(configuration))
    theta = flat(parameters)

    def at(where: int, distance: float) -> tuple[float, list[Array]]:
        moved = theta.copy()
        moved[where] += distance
        return reference.objective(configuration, unflat(moved, parameters), x, y)

    here, signs = at(0, 0.0)
    gradient, unsure = np.full(theta.size, np.nan), np.zeros(theta.size)
    for where in range(theta.size):
        ends = [at(where, share * STEP) for share in (1, -1, 0.5, -0.5)]
        if all(
            np.array_equal(a, b) for _, there in ends for a, b in zip(there, signs, strict=True)
        ):
            far = (ends[0][0] - ends[1][0]) / (2 * STEP)
            near = (ends[2][0] - ends[3][0]) / STEP
            gradient[where] = (4 * near - far) / 3
            unsure[where] = 0.01 * abs(near - far)
    return gradient, unsure, here


@given(presets())
@settings(max_examples=max(200, settings.default.max_examples))
def test_an_update_follows_the_slope_of_its_loss(preset: Preset) -> None:
    configuration, run = preset.configuration, nntui.Run(preset)
    for rows in reference.batches(configuration):
        before = flat(run.parameters)
        numeric, unsure, here = numeric_gradient(run, rows)
        run.step()
        followed = (before - flat(run.parameters)) / RATE
        scale = max(1.0, abs(here), abs(followed).max())
        allowed = 1e-6 * abs(followed) + 1e-8 * scale + unsure
        assert not (abs(followed - numeric) > allowed).any()


@given(presets())
@settings(max_examples=max(200, settings.default.max_examples))
def test_the_reported_loss_is_summed_before_each_update(preset: Preset) -> None:
    configuration, run = preset.configuration, nntui.Run(preset)
    x, y = reference.data_of(configuration)
    total = 0.0
    for rows in reference.batches(configuration):
        total += reference.reported(configuration, run.parameters, x[rows], y[rows])
        run.step()
    total /= len(x) if configuration.report.reduction == "mean" else 1
    total += reference.penalty(configuration, run.parameters)
    assert run.losses == pytest.approx([total], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    ("activation", "kink", "expected"),
    [
        ("relu", "left", 0.0),
        ("relu", "right", 1.0),
        ("relu", "zero", 0.0),
        ("leaky-relu", "left", 0.25),
        ("leaky-relu", "right", 1.0),
        ("leaky-relu", "zero", 0.0),
    ],
)
def test_the_derivative_at_a_kink_is_the_one_asked_for(
    activation: str, kink: str, expected: float
) -> None:
    unit: dict[str, Any] = {"units": 1, "activation": activation, "kink": kink, "leak": 0.25}
    source = {
        "data": {"inputs": [[0.0]], "targets": [[-1.0]]},
        "layers": [unit],
        "training": {"loss": "half-squared-error", "learning_rate": 1.0},
    }
    run = nntui.Run(made(source))
    run.step()
    bias = run.parameters[0][1]
    assert bias is not None
    assert -bias[0] == expected
