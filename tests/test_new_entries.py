"""A new entry of a registry is all that it takes: it runs, is checked, explained and exported."""

import contextlib
import io
import json
import sys
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import made

import nntui
from nntui.catalogue import catalogue
from nntui.cli import commands
from nntui.core.parts.activations import ACTIVATIONS, Activation
from nntui.core.parts.faults import FAULTS, Fault
from nntui.core.parts.losses import LOSSES, Loss
from nntui.core.parts.optimisers import OPTIMISERS, Optimiser
from nntui.core.parts.schedules import SCHEDULES, Schedule
from nntui.diagnosis.check import check
from nntui.diagnosis.why import why
from nntui.export import export
from nntui.presets import Preset
from nntui.timeline.microscope import arithmetic, written
from nntui.timeline.microscope.computed import dissect
from nntui.timeline.microscope.numeric_formula import value_of

SWISH = Activation("swish", "z*sigmoid(alpha*z)", "a smooth rectifier", parameters={"alpha": 1.0})
LOG_COSH = Loss("log-cosh", "logaddexp(error, -error) - log(2)", "a smooth absolute error")
ADAGRAD = Optimiser(
    "adagrad",
    "s = s + g^2;  theta -= rate*g/(sqrt(s) + epsilon)",
    "steps that shrink with all gradients so far",
    letters={"s": "square"},
    parameters={"epsilon": 1e-8},
)
HALVED = Fault("halved-bias", "the bias gets half of its gradient", bias_gradient="g/2")
COOLING = Schedule("cooling", "1/sqrt(1 + epoch/every)", "falls with the root of the epoch")


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry, entry in (
        (ACTIVATIONS, SWISH),
        (LOSSES, LOG_COSH),
        (OPTIMISERS, ADAGRAD),
        (FAULTS, HALVED),
        (SCHEDULES, COOLING),
    ):
        monkeypatch.setitem(registry, entry.name, entry)


def source(**changes: Any) -> Preset:
    layer = {"activation": "swish", "init": "normal", "bias_init": "normal"}
    table: dict[str, Any] = {
        "faults": ["halved-bias"],
        "data": {
            "inputs": [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8]],
            "targets": [[0.4], [-0.3], [0.7], [0.1]],
        },
        "layers": [{"units": 3, **layer}, {"units": 1, **layer}],
        "training": {
            "loss": "log-cosh",
            "optimiser": "adagrad",
            "learning_rate": 0.1,
            "schedule": "cooling",
            "batch": 2,
        },
        "report": {"loss": "log-cosh"},
        "goal": {"loss": 1e-3, "epochs": 40},
    }
    return made({**table, **changes})


def losses_by_hand(preset: Preset, seed: int, epochs: int) -> list[float]:
    """The same training written out, one sample a row."""
    random = np.random.RandomState(seed)
    W0, b0 = random.randn(3, 2), random.randn(3)
    W1, b1 = random.randn(1, 3), random.randn(1)
    parameters = [W0, b0, W1, b1]
    slots = [np.zeros_like(p) for p in parameters]
    x, y = np.array(preset.configuration.data.inputs), np.array(preset.configuration.data.targets)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    swish = lambda z: z * sigmoid(z)
    slope = lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z))
    losses = []
    for epoch in range(epochs):
        rate, total = 0.1 / np.sqrt(1 + epoch / 100), 0.0
        for start in (0, 2):
            xb, yb = x[start : start + 2], y[start : start + 2]
            z0 = xb @ W0.T + b0
            z1 = swish(z0) @ W1.T + b1
            error = swish(z1) - yb
            total += np.log(np.cosh(error)).sum()
            d1 = np.tanh(error) / 2 * slope(z1)
            d0 = d1 @ W1 * slope(z0)
            gradients = [d0.T @ xb, d0.sum(0) / 2, d1.T @ swish(z0), d1.sum(0) / 2]
            for p, g, s in zip(parameters, gradients, slots, strict=True):
                s += g * g
                p -= rate * g / (np.sqrt(s) + 1e-8)
        losses.append(float(total / 4))
    return losses


@pytest.mark.usefixtures("entries")
def test_it_is_run_and_swept() -> None:
    preset = source()
    for seed in (0, 3):
        run = nntui.Run(preset, seed)
        run.step(80)
        np.testing.assert_allclose(run.losses, losses_by_hand(preset, seed, 40), rtol=1e-11)
    swept = nntui.sweep(preset, seeds=range(4))
    alone = [nntui.Run(preset, seed) for seed in range(4)]
    for run in alone:
        run.step(80)
    np.testing.assert_allclose(
        np.array(swept.final_losses, dtype=float), [run.losses[-1] for run in alone], rtol=1e-9
    )


@pytest.mark.usefixtures("entries")
def test_it_is_checked() -> None:
    right = check(nntui.Run(source(faults=[])))
    assert right.ok
    assert all(each.verdict == "ok" for each in right.gradient)
    wrong = check(nntui.Run(source()))
    assert not wrong.ok
    assert {each.tensor.name: each.verdict for each in wrong.gradient} == {
        "W0": "ok", "b0": "wrong", "W1": "ok", "b1": "wrong"
    }  # fmt: skip


@pytest.mark.usefixtures("entries")
def test_it_is_diagnosed() -> None:
    answer = why(source(), seconds=1.0, seeds=4, workers=0)
    assert "update-wrong" in {each.code for each in answer.findings}


@pytest.mark.usefixtures("entries")
def test_the_microscope_shows_its_formulas_with_their_numbers() -> None:
    run = nntui.Run(source())
    run.step(3)
    lines = arithmetic(dissect(run), 1, 0, 0, None)
    for line in lines:
        near = pytest.approx(line.made.value, rel=1e-9, abs=1e-12)
        assert value_of(line.made.expression) == near
    texts = " ".join(written(line.made) for line in lines)
    for formula in ("z*(1/(1 + exp(-alpha*z)))", "g/2", "s + g^2", "rate*g/(sqrt(s) + epsilon)"):
        assert formula in texts, texts


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("target", ["numpy", "pytorch"])
def test_it_is_exported(target: str) -> None:
    if target == "pytorch":
        pytest.importorskip("torch")
    preset, out = source(), io.StringIO()
    script, before = export(preset, target), sys.argv
    sys.argv = ["script.py", "10"]
    try:
        with contextlib.redirect_stdout(out), np.errstate():
            exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    finally:
        sys.argv = before
    told = [line.split()[1] for line in out.getvalue().splitlines() if line[0] != "#"]
    losses = losses_by_hand(preset, 0, 10)
    np.testing.assert_allclose([float(each) for each in told], losses, rtol=1e-9)
    assert "FAULT halved-bias: the bias gets half of its gradient" in script
    assert "changes nothing" not in script


@pytest.mark.usefixtures("entries")
def test_it_is_listed() -> None:
    listed = {kind: {each.name for each in catalogue(kind)} for kind in (
        "activations", "losses", "optimisers", "faults", "schedules"
    )}  # fmt: skip
    for kind, name in (
        ("activations", "swish"),
        ("losses", "log-cosh"),
        ("optimisers", "adagrad"),
        ("faults", "halved-bias"),
        ("schedules", "cooling"),
    ):
        assert name in listed[kind]
        told = CliRunner().invoke(commands, ["list", kind, "--json"])
        assert name in {each["name"] for each in json.loads(told.output)["entries"]}
