"""Formulas that somebody writes: run, swept, checked, shown and exported like nntui's own."""

import contextlib
import io
import sys
from typing import Any

import numpy as np
import pytest
from support import made

import nntui
from nntui.diagnosis.check import check
from nntui.export import export
from nntui.presets import Preset
from nntui.timeline.microscope import arithmetic
from nntui.timeline.microscope.computed import dissect
from nntui.timeline.microscope.numeric_formula import value_of

INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-0.4, -0.2]]
TARGETS = [[0.4], [-0.3], [0.7], [0.1], [0.9]]


def source(activation: str = "tanh", slope: str | None = None, **changes: Any) -> Preset:
    """2-3-1 whose hidden layer has the activation."""
    layer: dict[str, Any] = {"units": 3, "activation": activation, "init": "normal"}
    if slope is not None:
        layer["slope"] = slope
    table: dict[str, Any] = {
        "data": {"inputs": INPUTS, "targets": TARGETS},
        "layers": [{**layer, "bias_init": "normal"}, {"units": 1}],
        "training": {"loss": "half-squared-error", "learning_rate": 0.05, "batch": 2},
        "goal": {"loss": 1e-9, "epochs": 6},
    }
    return made({**table, **changes})


def losses(preset: Preset, seed: int = 0, epochs: int = 6) -> Any:
    run = nntui.Run(preset, seed)
    run.step(epochs * preset.configuration.updates_per_epoch)
    return np.array(run.losses)


def printed(script: str) -> list[float]:
    """The losses that a script prints."""
    out, before = io.StringIO(), sys.argv
    sys.argv = ["script.py", "6"]
    try:
        with contextlib.redirect_stdout(out), np.errstate():
            exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    finally:
        sys.argv = before
    return [float(line.split()[1]) for line in out.getvalue().splitlines() if line[0] != "#"]


ODD = (
    "2",
    "0*z",
    "sigmoid(2)",
    "step(z, 0.5)",
    "floor(3*z)",
    "max(z, 0)^2",
    "where(z > 1, 1, max(z, -1))",
    "2^-z",
    "z if z > 0 else 0",
    "pi - z",
)
"""Constants, steps, pieces, and formulas without a sign between other signs."""


@pytest.mark.parametrize("activation", ODD)
@pytest.mark.parametrize("target", ["numpy", "pytorch"])
def test_an_odd_activation_is_exported(activation: str, target: str) -> None:
    if target == "pytorch":
        pytest.importorskip("torch")
    preset = source(activation)
    np.testing.assert_allclose(printed(export(preset, target)), losses(preset), rtol=1e-9)


@pytest.mark.parametrize("activation", ODD)
def test_an_odd_activation_is_no_fault_and_its_equations_hold(activation: str) -> None:
    run = nntui.Run(source(activation, faults=["derivative-at-a"]))
    for line in arithmetic(dissect(run), 0, 1, 0, 1):
        assert value_of(line.made.expression) == pytest.approx(line.made.value, rel=1e-9, abs=1e-12)
    found = check(nntui.Run(source(activation)))
    assert found.ok
    assert {each.verdict for each in found.gradient} <= {"ok", "too small"}


@pytest.mark.parametrize("of", ["dot(W, W)", "dot(1, 2)", "0.1 + dot(delta, a)", "W - W"])
@pytest.mark.parametrize("target", ["numpy", "pytorch"])
def test_a_gradient_of_one_number_is_exported(of: str, target: str) -> None:
    if target == "pytorch":
        pytest.importorskip("torch")
    training = {"loss": "half-squared-error", "learning_rate": 0.01, "clip_norm": 0.3}
    fault = {"name": "gradient", "of": of, "layers": [0]}
    preset = source(faults=[fault], training=training)
    np.testing.assert_allclose(printed(export(preset, target)), losses(preset), rtol=1e-9)


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        ("tanh(z)", "1 - a^2"),
        ("z * sigmoid(z)", "sigmoid(z) + a*(1 - sigmoid(z))"),
        ("max(z, 0)", "step(z, 1)"),
        ("1 / (1 + exp(-z))", "exp(-z) / (1 + exp(-z))^2"),
        ("abs(z)", "z / abs(z)"),
    ],
)
def test_a_right_slope_is_no_fault(activation: str, slope: str) -> None:
    # The inputs 0 put units without a bias exactly on their kinks.
    layers = [
        {"units": 3, "activation": activation, "slope": slope, "bias": "none"},
        {"units": 1, "bias_init": "normal"},
    ]
    for inputs in (INPUTS, [[0.0, 0.0], *INPUTS[1:]]):
        if slope != "z / abs(z)" or inputs is INPUTS:  # 0/0 is no convention
            data = {"inputs": inputs, "targets": TARGETS}
            assert check(nntui.Run(source(data=data, layers=layers))).ok


@pytest.mark.parametrize(
    ("activation", "slope"),
    [("tanh(z)", "1 - z^2"), ("z * sigmoid(z)", "sigmoid(z)"), ("exp(-z^2)", "a"), ("z", "2")],
)
def test_a_wrong_slope_is_named_with_what_mends_it(activation: str, slope: str) -> None:
    found = check(nntui.Run(source(activation, slope)))
    (finding,) = found.findings
    assert finding.code == "derivative"
    assert slope in finding.evidence or finding.evidence.endswith("digits")
    assert finding.layers == (0,)
    mended = nntui.presets.schema.override(source(activation, slope), finding.fixes[0].changes)
    assert mended.configuration.layers[0].slope is None
    assert check(nntui.Run(mended)).ok


def test_a_wrong_slope_is_told_from_another_fault() -> None:
    found = check(nntui.Run(source("tanh(z)", "1 - z^2", faults=["wrong-sign"])))
    assert {each.code for each in found.findings} == {"derivative", "wrong-sign"}
