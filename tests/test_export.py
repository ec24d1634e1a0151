"""Exported scripts: they run without nntui, and print the losses that nntui reports."""

import contextlib
import io
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.activations import ACTIVATIONS, KINKS
from nntui.core.configuration import BIASES, ORDERS, SCALINGS
from nntui.core.datasets import DATASETS
from nntui.core.faults import FAULTS
from nntui.core.initialisers import BIAS_INITIALISERS, INITIALISERS
from nntui.core.losses import LOSSES, REDUCTIONS
from nntui.core.optimisers import OPTIMISERS
from nntui.core.schedules import SCHEDULES
from nntui.export import TARGETS, export
from nntui.presets import Preset, preset_names, read_preset

NEAR = {"numpy": 1e-9, "pytorch": 1e-6}
"""How near a script's losses are to be to those of nntui, relatively where they exceed 1."""
EPOCHS = 5
Source = dict[str, Any]


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "pytorch":
        pytest.importorskip("torch")
    return str(request.param)


def printed(script: str, epochs: int) -> tuple[list[float], list[str]]:
    """The losses that ``script`` prints for epochs from 0 on, and the lines after them."""
    out, before = io.StringIO(), sys.argv
    sys.argv = ["script.py", str(epochs)]
    try:
        with contextlib.redirect_stdout(out), np.errstate():
            exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    finally:
        sys.argv = before
    return parsed(out.getvalue())


def parsed(text: str) -> tuple[list[float], list[str]]:
    lines = text.splitlines()
    told = [line.split() for line in lines if not line.startswith("#")]
    assert [int(epoch) for epoch, _ in told] == list(range(len(told)))
    assert not any(line.startswith("#") for line in lines[: len(told)])
    return [float(loss) for _, loss in told], lines[len(told) :]


def check(made: Preset, target: str, epochs: int = EPOCHS, seed: int | None = None) -> None:
    """The script's losses are nntui's, to the end of the epochs or to where numbers end."""
    losses, rest = printed(export(made, target, seed), epochs)
    run = nntui.Run(made, seed)
    run.step(epochs * made.configuration.updates_per_epoch)
    expected = run.losses
    if run.divergence is None:
        stopped = made.goal.stop and losses[-1] <= made.goal.loss
        assert len(losses) == epochs or stopped
        expected = expected[: len(losses)]
        assert sum(line.startswith("# [") for line in rest) == min(10, made.configuration.data.rows)
    common = min(len(losses), len(expected))
    far = np.abs(np.array(losses[:common]) - expected[:common])
    finite = np.isfinite(expected[:common])
    bound = NEAR[target] * np.maximum(1.0, np.abs(expected[:common]))
    assert (far[finite] <= bound[finite]).all(), far.max()


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_of_the_library_prints_its_losses(name: str, target: str) -> None:
    check(preset(name), target, epochs=300)
    check(preset(name), target, epochs=20, seed=3)


TABLE: Source = {
    "inputs": [[0.1, -0.4], [0.7, 0.3], [-0.5, 0.9], [0.2, 0.2], [-0.8, -0.6], [0.0, 0.5], [1, 1]],
    "targets": [[0.2, 0.8], [0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.3, 0.7], [1, 0], [0, 1]],
}
SHARES = ("binary-cross-entropy", "categorical-cross-entropy")


def source(
    data: Source | None = None,
    training: Source | None = None,
    hidden: Source | None = None,
    output: Source | None = None,
    report: Source | None = None,
    faults: list[Any] | None = None,
) -> Source:
    """A network of three layers, with those entries changed that are given."""
    data = TABLE if data is None else data
    units = {"units": 4, "activation": "tanh", "init": "normal", "bias_init": "normal"}
    last = {"units": 2, "init": "normal", "bias_init": "normal", **(output or {})}
    how = {"loss": "squared-error", "learning_rate": 0.05, "batch": 3, **(training or {})}
    return {
        "seed": 11,
        "faults": faults or [],
        "data": data,
        "layers": [{**units, **(hidden or {})}, {**units, **(hidden or {})}, last],
        "training": how,
        "report": {"loss": how["loss"], **(report or {})},
        "goal": {"loss": 1e-3, "epochs": 100},
    }


def needing(loss: str) -> Source:
    return {"activation": LOSSES[loss].needs_output or "identity"}


def cases() -> dict[str, Source]:
    """A preset for each thing that can be named, and for what they do to each other."""
    found: dict[str, Source] = {"plain": source()}
    for name in ACTIVATIONS:
        for kink in KINKS:
            how = {"activation": name, "kink": kink, "leak": 0.2, "alpha": 0.7}
            found[f"{name} {kink}"] = source(hidden={**how, "bias_init": "zeros", "init": "lecun"})
        found[f"{name} output"] = source(output={"activation": name})
        found[f"{name} normalised"] = source(hidden={"activation": name, "normalise": True})
    for loss in LOSSES:
        for way in REDUCTIONS:
            found[f"{loss} {way}"] = source(
                training={"loss": loss, "reduction": way},
                output=needing(loss),
                report={"reduction": way},
            )
        found[f"{loss} reported"] = source(output=needing(loss), report={"loss": loss})
    for init in INITIALISERS:
        found[f"{init}"] = source(hidden={"init": init})
        found[f"{init} scaled"] = source(hidden={"init": init, "scale": -0.3})
    for bias in BIASES:
        for init in BIAS_INITIALISERS:
            found[f"{bias} {init}"] = source(
                hidden={"bias": bias, "bias_init": init, "bias_scale": 0.5},
                output={"bias": bias, "bias_init": init},
            )
    for name in OPTIMISERS:
        for momentum in (0.0, 0.8):
            how = {"optimiser": name, "momentum": momentum, "learning_rate": 0.01}
            found[f"{name} {momentum}"] = source(training=how)
            for late in (["update-before-backprop"], [{"name": "bias-decay", "layers": [1]}]):
                found[f"{name} {momentum} {late}"] = source(training=how, faults=late)
    for name in SCHEDULES:
        for decay in (0.3, 1.5):
            how = {"schedule": name, "schedule_decay": decay, "schedule_every": 2}
            found[f"{name} {decay}"] = source(training=how)
            found[f"{name} {decay} adam"] = source(training={**how, "optimiser": "adam"})
    for order in ORDERS:
        for batch in (1, 3, 7, "full"):
            found[f"{order} {batch}"] = source(training={"order": order, "batch": batch})
    found["draws"] = source(training={"order": "random", "draws": 5, "batch": 2})
    for name in FAULTS:
        for layers in (None, [0], [1], [2]):
            entry = {"name": name, **({} if layers is None else {"layers": layers})}
            found[f"fault {name} {layers}"] = source(
                faults=[entry],
                training={"l2": 0.1, "batch": 3},
                hidden={"activation": "leaky-relu"},
                output={"activation": "sigmoid"},
                report={"penalty": True},
            )
        for loss in SHARES:
            found[f"fault {name} {loss}"] = source(
                training={"loss": loss}, output=needing(loss), faults=[name]
            )
        found[f"fault {name} clipped"] = source(
            training={"clip_norm": 0.05, "clip_value": 0.03}, faults=[name]
        )
        found[f"fault {name} softmax"] = source(
            faults=[name], hidden={"activation": "softmax"}, output={"activation": "softmax"}
        )
        for other in FAULTS:
            found[f"faults {name} {other}"] = source(
                faults=[name, other],
                hidden={"activation": "sigmoid", "normalise": True},
                output={"activation": "tanh"},
            )
    for of in ACTIVATIONS:
        fault = {"name": "derivative", "of": of}
        found[f"derivative of {of}"] = source(faults=[fault])
        found[f"derivative of {of} at a"] = source(
            faults=[fault, "derivative-at-a", "bias-after-activation"],
            hidden={"activation": "gelu"},
        )
    found["factor"] = source(faults=[{"name": "wrong-factor", "factor": -0.5}])
    for name in ("l1", "l2"):
        for share in (False, True):
            found[f"{name} {share}"] = source(
                training={name: 0.1, "l2_per_sample": share}, report={"penalty": True}
            )
    return found | data_cases()


def data_cases() -> dict[str, Source]:
    """Every source of data, alone and split, scaled, divided and with constants."""
    formulas = ("x**2", "3", "sin(2*pi*x)**3 + e", "2**0.5*x - (-8)**3", "1/3 - -abs(x)*exp(-1/0)")
    formulas += ("9**9**2*x", "x/(2+1)", "2**-x", "tanh(x) + sign(x - .5) + sqrt(x) + log(x + 1)")
    sources: dict[str, Source] = {"table": TABLE}
    for formula in formulas:
        sources[formula] = {"formula": formula, "samples": 9}
        sources[f"{formula} noise"] = {"formula": formula, "samples": 9, "noise": 0.1, "stop": 2}
    for name in DATASETS:
        sources[name] = {"set": name, "samples": 11, "seed": 5}
        sources[f"{name} noise"] = {"set": name, "samples": 11, "noise": 0.3}
        sources[f"{name} one hot"] = {"set": name, "samples": 11, "one_hot": True, "noise": 0.1}
        classes = min(3, DATASETS[name].most_classes)
        sources[f"{name} classes"] = {
            "set": name,
            "samples": 8,
            "classes": classes,
            "one_hot": True,
        }
    found: dict[str, Source] = {}
    for key, data in sources.items():
        units = len(data["targets"][0]) if "targets" in data else 1
        units = data.get("classes", 2) if data.get("one_hot") else units
        ways: dict[str, Source] = {
            "": {},
            "split": {"test_share": 0.3, "seed": 9},
            "constants": {"constant_inputs": [1, -0.5], "target_divisor": 7},
        }
        for kind in SCALINGS[1:]:
            ways[kind] = {"scale_inputs": kind, "scale_targets": kind, "test_share": 0.25}
        for way, more in ways.items():
            found[f"data {key} {way}"] = source(
                data={**data, **more}, output={"units": units}, training={"learning_rate": 1e-3}
            )
    constant = [[1.0, row[0]] for row in TABLE["inputs"]]
    huge = [[3e150 * a, b] for a, b in TABLE["inputs"]]
    for name, inputs in (("constant column", constant), ("huge column", huge)):
        for kind in SCALINGS[1:]:
            found[f"data {name} {kind}"] = source(
                data={**TABLE, "inputs": inputs, "scale_inputs": kind, "probe": [[1, 2]]}
            )
    return found


CASES = cases()


def checked(source: Source, target: str) -> None:
    check(read_preset("made", source), target)


@pytest.mark.parametrize("part", range(16))
def test_whatever_a_preset_can_name_is_exported(part: int, target: str) -> None:
    for name in list(CASES)[part::16]:
        try:
            checked(CASES[name], target)
        except Exception as error:
            raise AssertionError(name) from error


def optional(**entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Source]:
    return st.fixed_dictionaries({}, optional=entries)


DATA = st.sampled_from(
    [TABLE, {"set": "moons", "one_hot": True, "samples": 9}, {**TABLE, "test_share": 0.3}]
)
LAYER = optional(
    activation=st.sampled_from(list(ACTIVATIONS)),
    kink=st.sampled_from(KINKS),
    leak=st.sampled_from([0.0, 0.3]),
    alpha=st.sampled_from([0.5, 1.0, 2.0]),
    init=st.sampled_from(list(INITIALISERS)),
    scale=st.sampled_from([0.5, 1.0]),
    bias=st.sampled_from(BIASES),
    bias_init=st.sampled_from(BIAS_INITIALISERS),
    normalise=st.booleans(),
)
TRAINING = optional(
    reduction=st.sampled_from(REDUCTIONS),
    optimiser=st.sampled_from(list(OPTIMISERS)),
    momentum=st.sampled_from([0.0, 0.9]),
    schedule=st.sampled_from(list(SCHEDULES)),
    batch=st.sampled_from([1, 2, 4, "full"]),
    order=st.sampled_from(ORDERS),
    clip_value=st.sampled_from([0.01, 1.0]),
    clip_norm=st.sampled_from([0.01, 1.0]),
    l1=st.sampled_from([0.0, 0.01]),
    l2=st.sampled_from([0.0, 0.01]),
    l2_per_sample=st.booleans(),
)


@st.composite
def fault_entries(draw: st.DrawFn) -> Source:
    name = draw(st.sampled_from(list(FAULTS)))
    entry: Source = {"name": name}
    if draw(st.booleans()):
        entry["layers"] = draw(st.lists(st.integers(0, 2), unique=True))
    if name == "derivative":
        entry["of"] = draw(st.sampled_from(list(ACTIVATIONS)))
    return entry


@st.composite
def sources(draw: st.DrawFn) -> Source:
    loss, reported = draw(st.sampled_from(list(LOSSES))), draw(st.sampled_from(list(LOSSES)))
    output = draw(LAYER)
    for each in (reported, loss):
        if LOSSES[each].needs_output:
            output |= {"activation": LOSSES[each].needs_output, "normalise": False}
    needed = LOSSES[reported].needs_output
    if needed is not None and output["activation"] != needed:
        reported = loss
    training = {**draw(TRAINING), "loss": loss, "learning_rate": draw(st.sampled_from([0.01, 0.1]))}
    made = source(
        data=draw(DATA),
        training=training,
        output=output,
        report={"loss": reported, "penalty": draw(st.booleans())},
        faults=draw(st.lists(fault_entries(), max_size=4)),
    )
    made["layers"][0] |= draw(LAYER)
    made["layers"][1] |= draw(LAYER)
    return made


@given(sources())
@settings(max_examples=150)
def test_random_presets_in_numpy(made: Source) -> None:
    checked(made, "numpy")


@given(sources())
@settings(max_examples=100)
def test_random_presets_in_pytorch(made: Source) -> None:
    pytest.importorskip("torch")
    checked(made, "pytorch")
