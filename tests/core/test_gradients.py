"""The gradient that an update follows is the slope of what it is to reduce."""

from typing import Any

import numpy as np
import pytest
import reference
from example_counts import NETWORKS
from hypothesis import given
from random_presets import NEEDED, RATE, presets
from support import Array, flat, made, unflat

import nntui
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.settings.layer_settings import Layer
from nntui.presets import Preset
from nntui.timeline import Snapshot


def first_epoch(preset: Preset) -> list[Array]:
    """The rows of each update of the first epoch."""
    random = np.random.RandomState(preset.seed)
    reference.initial(preset.configuration, random)
    order = reference.order_of(preset.configuration, random)
    return reference.batches(preset.configuration, order)


def complex_step(run: nntui.Run, rows: Array) -> tuple[Array, float]:
    """The slope by imaginary steps, NaN where a step moves along a kink; then the loss."""
    configuration, parameters = run.preset.configuration, run.parameters
    x, y = (part[rows] for part in reference.data_of(configuration))
    theta = flat(parameters)
    gradient = np.full(theta.size, np.nan)
    for at in range(theta.size):
        moved = theta.astype(complex)
        moved[at] += 1e-30j
        total, bent = reference.objective(configuration, unflat(moved, parameters), x, y)
        if not any(((abs(each.real) < 1e-12) & (each.imag != 0)).any() for each in bent):
            gradient[at] = total.imag / 1e-30
    return gradient, total.real


def assert_follows(preset: Preset) -> int:
    """One epoch's updates follow the slope; returns how many slopes were compared."""
    run, compared = nntui.Run(preset), 0
    for rows in first_epoch(preset):
        assert Snapshot.of(run).next_rows == tuple(rows)
        before = flat(run.parameters)
        expected, here = complex_step(run, rows)
        run.step()
        followed = (before - flat(run.parameters)) / RATE
        assert np.isfinite(followed).all()
        assert np.isfinite(here)
        known = ~np.isnan(expected)
        assert np.isfinite(expected[known]).all()
        scale = max(1.0, abs(here), abs(followed).max(), abs(before).max())
        allowed = 1e-9 * abs(followed) + 1e-11 * scale
        assert (abs(followed - expected) <= allowed)[known].all()
        compared += int(known.sum())
    return compared


@pytest.mark.slow
@given(presets())
@NETWORKS
def test_an_update_follows_the_slope_of_its_loss(preset: Preset) -> None:
    assert_follows(preset)


OUTPUTS = [
    (loss, activation)
    for loss in sorted(LOSSES)
    for activation in sorted(ACTIVATIONS)
    if NEEDED.get(loss, activation) == activation
]


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("loss", "activation"), OUTPUTS)
def test_every_loss_through_every_activation(
    loss: str, activation: str, reduction: str, normalise: bool
) -> None:
    # Five rows in batches of two: the last batch is smaller.
    start = {"init": "normal", "bias_init": "normal", "leak": 0.2, "alpha": 0.7}
    hidden = {"activation": activation, **start, "normalise": normalise}
    last = {"activation": activation, **start, "normalise": normalise and loss not in NEEDED}
    targets = [[0.2, 0.3, 0.5], [1, 0, 0], [0, 0.9, 0.1], [0, 0, 1], [0.4, 0.3, 0.3]]
    inputs = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1]]
    preset = made(
        {
            "seed": 1,
            "data": {"inputs": inputs, "targets": targets},
            "layers": [{"units": 4, **hidden}, {"units": 3, **last}],
            "training": {
                "loss": loss,
                "reduction": reduction,
                "learning_rate": RATE,
                "batch": 2,
                "l1": 0.1,
                "l2": 0.2,
            },
        }
    )
    assert assert_follows(preset) == 3 * (4 * 3 + 3 * 5)


@pytest.mark.slow
@given(presets())
@NETWORKS
def test_the_reported_loss_is_summed_before_each_update(preset: Preset) -> None:
    configuration, run = preset.configuration, nntui.Run(preset)
    x, y = reference.data_of(configuration)
    total, samples = 0.0, 0
    for rows in first_epoch(preset):
        total += reference.reported(configuration, run.parameters, x[rows], y[rows])
        samples += len(rows)
        run.step()
    total /= samples if configuration.report.reduction == "mean" else 1
    total += reference.penalty(configuration, run.parameters)
    assert np.isfinite(total)
    assert run.losses == pytest.approx([total], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_references_own_slopes_are_those_of_its_values(activation: str) -> None:
    layer = Layer(units=3, activation=activation, leak=0.2, alpha=0.7)
    z = np.array([[-3.0, -0.4, 1e-3], [0.2, 1.7, 40.0], [-30.0, 0.7, -1e-3]])
    jacobian = np.empty((3, 3, 3))
    for unit in range(3):
        moved = z.astype(complex)
        moved[:, unit] += 1e-30j
        jacobian[:, :, unit] = reference.value(layer, moved).imag / 1e-30
    for sample in range(3):
        for unit in range(3):
            upstream = np.zeros_like(z)
            upstream[sample, unit] = 1.0
            with np.errstate(over="ignore"):
                delta = reference.through_activation(layer, z, upstream)[sample]
            np.testing.assert_allclose(delta, jacobian[sample, unit], rtol=1e-12, atol=1e-15)
    diagonal = np.einsum("suu->su", jacobian)
    with np.errstate(over="ignore"):
        slopes = reference.own_slope(layer, z)
    np.testing.assert_allclose(slopes, diagonal, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("activation", "kink", "expected"),
    [
        ("relu", "left", 0.0),
        ("relu", "right", 1.0),
        ("relu", "zero", 0.0),
        ("leaky-relu", "left", 0.25),
        ("leaky-relu", "right", 1.0),
        ("leaky-relu", "zero", 0.0),
        ("elu", "right", 0.5),
    ],
)
def test_the_derivative_at_a_kink_is_the_one_asked_for(
    activation: str, kink: str, expected: float
) -> None:
    unit: dict[str, Any] = {
        "units": 1,
        "activation": activation,
        "kink": kink,
        "leak": 0.25,
        "alpha": 0.5,
    }
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


@pytest.mark.parametrize(("sign", "expected"), [(1.0, 0.25), (-1.0, -0.25), (0.0, 0.0)])
def test_the_absolute_penalty_pulls_towards_zero_and_stays_there(
    sign: float, expected: float
) -> None:
    # A row of zeros gives no other gradient to the weight.
    source = {
        "data": {"inputs": [[0.0]], "targets": [[0.0]]},
        "layers": [{"units": 1, "init": "uniform", "scale": sign, "bias": "none"}],
        "training": {"loss": "squared-error", "learning_rate": 1.0, "l1": 0.25},
        "report": {"loss": "squared-error", "penalty": True},
    }
    run = nntui.Run(made(source))
    before = run.parameters[0][0].item()
    run.step()
    after = run.parameters[0][0].item()
    assert before - after == pytest.approx(expected, rel=1e-15)
    assert run.losses.tolist() == [0.25 * abs(after)]
