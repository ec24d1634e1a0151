"""Exported scripts: they run without nntui, and print the losses that nntui reports."""

import ast
import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_counts import NETWORKS
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.parts.activations import ACTIVATIONS, KINKS
from nntui.core.parts.datasets import DATASETS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import BIAS_INITIALISERS, DRAW_ORDERS, INITIALISERS
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.data_settings import SCALINGS, Data
from nntui.core.settings.layer_settings import BIASES
from nntui.core.settings.training_settings import ORDERS
from nntui.export import TARGETS, export
from nntui.export.data_section import data_section
from nntui.presets import Preset, preset_names, read_preset
from nntui.presets.schema import override

NEAR = {"numpy": 1e-9, "pytorch": 1e-6}
"""How near a script's losses are to be to those of nntui, relatively where they exceed 1."""
EPOCHS = 5
Source = dict[str, Any]


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "pytorch":
        pytest.importorskip("torch")
    return str(request.param)


def printed(script: str, epochs: int, every: int = 1) -> tuple[list[float], list[str]]:
    """The losses that ``script`` prints ``every`` epochs, and the lines after them."""
    out, before = io.StringIO(), sys.argv
    sys.argv = ["script.py", str(epochs)]
    try:
        with contextlib.redirect_stdout(out), np.errstate():
            exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    finally:
        sys.argv = before
    return parsed(out.getvalue(), every)


def parsed(text: str, every: int = 1) -> tuple[list[float], list[str]]:
    lines = text.splitlines()
    told = [line.split() for line in lines if not line.startswith("#")]
    # The first epoch is 1, as in the text of `nntui run` and in the app.
    assert [int(epoch) for epoch, _ in told] == list(range(1, every * len(told) + 1, every))
    assert not any(line.startswith("#") for line in lines[: len(told)])
    return [float(loss) for _, loss in told], lines[len(told) :]


def check(made: Preset, target: str, epochs: int = EPOCHS, seed: int | None = None) -> None:
    """The script's losses are nntui's, to the end of the epochs or to where numbers end."""
    every = made.configuration.report.every
    losses, rest = printed(export(made, target, seed), epochs, every)
    run = nntui.Run(made, seed)
    run.step(epochs * made.configuration.updates_per_epoch)
    expected = run.losses
    if run.divergence is None:
        stopped = made.goal.stop and losses[-1] <= made.goal.loss
        assert len(losses) == -(-epochs // every) or stopped
        expected = expected[: len(losses)]
        assert sum(line.startswith("# [") for line in rest) == min(10, made.configuration.data.rows)
    common = min(len(losses), len(expected))
    finite = np.isfinite(expected[:common])
    far = np.abs(np.where(finite, losses[:common], 0.0) - np.where(finite, expected[:common], 0.0))
    bound = NEAR[target] * np.maximum(1.0, np.abs(expected[:common]))
    assert (far[finite] <= bound[finite]).all(), far.max()


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_of_the_library_prints_its_losses(name: str, target: str) -> None:
    check(preset(name), target, epochs=300)
    check(preset(name), target, epochs=20, seed=3)


# The first row and no bias make z exactly 0, where the conventions at a kink differ.
TABLE: Source = {
    "inputs": [[0.0, 0.0], [0.7, 0.3], [-0.5, 0.9], [0.1, -0.4], [-0.8, -0.6], [0.0, 0.5], [1, 1]],
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
    draws: Source | None = None,
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
        "draws": draws or {},
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
    for loss in SHARES:
        improper = {**TABLE, "target_divisor": 0.3}
        found[f"{loss} improper"] = source(improper, {"loss": loss}, output=needing(loss))
    for init in INITIALISERS:
        found[f"{init}"] = source(hidden={"init": init})
        found[f"{init} scaled"] = source(hidden={"init": init, "scale": -0.3})
    for bias in BIASES:
        for init in BIAS_INITIALISERS:
            found[f"{bias} {init}"] = source(
                hidden={"bias": bias, "bias_init": init, "bias_scale": 0.5},
                output={"bias": bias, "bias_init": init},
            )
    numbers: Source = {"W": [[0.5, -1, 0.25, 2]] * 2, "scale": 0.5, "b": [1, -1], "bias_scale": 2}
    found["numbers"] = source(output=numbers)
    limits: Source = {"init": "uniform", "low": -0.5, "bias_init": "uniform", "bias_high": 0.25}
    for order in DRAW_ORDERS:
        for init in INITIALISERS:
            way = {"order": order, "transposed": True, "skip_uniform": 3, "skip_normal": 1}
            found[f"draws {order} {init}"] = source(
                hidden={**limits, "bias": "shared-start"},
                output={**limits, "init": init, "scale": 0.5},
                draws=way,
            )
    for momentum in (0.0, 0.8):
        how = {"momentum": momentum, "dampening": 0.8}
        found[f"dampening {momentum}"] = source(training=how)
        found[f"dampening {momentum} early"] = source(
            training={**how, "schedule": "step"}, faults=["update-before-backprop"]
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
            found[f"fault {name} {layers} clipped"] = source(
                training={"clip_norm": 0.05, "clip_value": 0.03}, faults=[entry]
            )
        for loss in SHARES:
            found[f"fault {name} {loss}"] = source(
                training={"loss": loss}, output=needing(loss), faults=[name]
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
    found["shrunk ones"] = source(
        training={"l2": 0.1, "l1": 0.05, "schedule": "step"},
        faults=["no-weights-in-backprop", "penalty-before-update"],
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
    formulas += (
        "9**9**2*x",
        "x/(2+1)",
        "2**-x",
        "9999999999999999999999*x/1e22",
        "tanh(x) + sign(x - .5) + sqrt(x) + log(x + 1)",
    )
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
    huge = [[3e160 * a, b] for a, b in TABLE["inputs"]]
    for name, inputs in (("constant column", constant), ("huge column", huge)):
        for kind in SCALINGS[1:]:
            found[f"data {name} {kind}"] = source(
                data={**TABLE, "inputs": inputs, "scale_inputs": kind, "probe": [[1, 2]]}
            )
    return found


CASES = cases()


def checked(source: Source, target: str) -> None:
    check(read_preset("made", source), target)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(16))
def test_whatever_a_preset_can_name_is_exported(part: int, target: str) -> None:
    for name in list(CASES)[2 * part :: 32]:
        try:
            checked(CASES[name], target)
        except Exception as error:
            raise AssertionError(name) from error


@pytest.mark.parametrize("training", [{}, {"batch": "full"}, {"order": "random", "draws": 1}])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_script_reports_over_all_rows_in_the_units_of_the_data(
    training: Source, when: str, target: str
) -> None:
    report = {"rows": "all", "when": when, "every": 3, "penalty": True}
    data = {**TABLE, "scale_targets": "standard", "test_share": 0.3}
    checked(source(data, {"l2": 0.1, **training}, report=report), target)


def test_a_report_before_the_update_is_not_overwritten_by_its_loss() -> None:
    made = read_preset("made", source(report={"rows": "all"}))
    parts = ("printed = reported_loss()", "loss.backward()", "loss = printed", "print(epoch + 1")
    script = export(made, "pytorch")
    places = [script.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_script_reports_every_loss_in_the_units_of_the_data(loss: str, target: str) -> None:
    output = needing(loss)
    for rows in ("batch", "all"):
        data = {**TABLE, "scale_targets": "none" if loss in SHARES else "minmax"}
        report = {"loss": loss, "rows": rows, "every": 2}
        checked(source(data, {"loss": "squared-error"}, output=output, report=report), target)


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
    low=st.sampled_from([-1.0, 0.5]),
    bias_high=st.sampled_from([0.5, 2.0]),
    normalise=st.booleans(),
)
TRAINING = optional(
    reduction=st.sampled_from(REDUCTIONS),
    optimiser=st.sampled_from(list(OPTIMISERS)),
    momentum=st.sampled_from([0.0, 0.9]),
    dampening=st.sampled_from([0.0, 0.9]),
    schedule=st.sampled_from(list(SCHEDULES)),
    batch=st.sampled_from([1, 2, 4, "full"]),
    order=st.sampled_from(ORDERS),
    clip_value=st.sampled_from([0.01, 1.0]),
    clip_norm=st.sampled_from([0.01, 1.0]),
    l1=st.sampled_from([0.0, 0.01]),
    l2=st.sampled_from([0.0, 0.01]),
    l2_per_sample=st.booleans(),
)


DRAWS = optional(
    order=st.sampled_from(DRAW_ORDERS),
    transposed=st.booleans(),
    skip_uniform=st.integers(0, 3),
    skip_normal=st.integers(0, 3),
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
        draws=draw(DRAWS),
    )
    if draw(st.booleans()):
        made["layers"][-1] |= {"W": [[0.5, -1, 0.25, 2]] * 2}
    made["layers"][0] |= draw(LAYER)
    made["layers"][1] |= draw(LAYER)
    return made


@pytest.mark.slow
@given(sources())
@NETWORKS
def test_random_presets_in_numpy(made: Source) -> None:
    checked(made, "numpy")


@given(sources())
@NETWORKS
def test_random_presets_in_pytorch(made: Source) -> None:
    pytest.importorskip("torch")
    checked(made, "pytorch")


# What a script looks like


def faults_in(script: str) -> set[str]:
    return set(re.findall(r"# FAULT ([\w-]+)", script))


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("kind", TARGETS)
def test_faults_are_marked_where_they_stand_with_how_to_mend_them(name: str, kind: str) -> None:
    listed = preset(name).configuration.faults
    script = export(preset(name), kind)
    assert faults_in(script) == {each.name for each in listed}
    words = " ".join(re.sub(r"\n *#", " ", script).split())
    for each in listed:
        assert f"fix: {FAULTS[each.name].fix}" in words


def test_a_fault_without_effect_is_named_and_marked_nowhere() -> None:
    idle = read_preset("idle", source(faults=["bias-decay", "wrong-sign"], training={"batch": 1}))
    idle = override(idle, {f"layers.{k}.bias": "none" for k in range(3)})
    for kind in TARGETS:
        script = export(idle, kind)
        assert faults_in(script) == {"wrong-sign"}
        assert "# The fault bias-decay of the preset changes nothing in this network." in script


@pytest.mark.slow
def test_a_script_imports_and_defines_only_what_it_uses(tmp_path: Path) -> None:
    known = {"numpy": {"sys", "numpy"}, "pytorch": {"sys", "numpy", "torch", "torch.nn.functional"}}
    for at, made in enumerate(list(CASES.values())[::3]):
        for kind in TARGETS:
            script = export(read_preset("made", made), kind)
            (tmp_path / f"{at}_{kind}.py").write_text(script)
            nodes = list(ast.walk(ast.parse(script)))
            imports = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
            assert {"sys", "numpy"} <= imports <= known[kind]
            assert not any(isinstance(n, ast.ImportFrom) for n in nodes)
            words = re.findall(r"\w+", re.sub(r"#.*|print\(.*", "", script))
            defined = [n.name for n in nodes if isinstance(n, ast.FunctionDef)]
            defined += re.findall(r"^([A-Z]\w*) = ", script, re.MULTILINE)
            assert [name for name in defined if words.count(name) < 2] == []
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E", "--no-cache"]
    done = subprocess.run(
        [*ruff, "--line-length", "100", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_script_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text(export(preset("line-leaky-relu-bias"), "numpy"))
    without = "import sys, runpy; sys.modules['nntui'] = None; sys.argv = sys.argv[1:]; "
    command = [sys.executable, "-W", "error", "-c", f"{without}runpy.run_path(sys.argv[0])"]
    done = subprocess.run(
        [*command, "it.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    losses, rest = parsed(done.stdout)
    run = nntui.Run(preset("line-leaky-relu-bias"))
    run.step(3 * len(losses))
    assert len(losses) == 2596  # where the stop rule ends it
    np.testing.assert_allclose(losses, run.losses, rtol=0, atol=1e-9)
    assert rest[0].startswith("# parameters")
    assert done.stderr == ""


def test_the_end_tells_outputs_predictions_and_the_test_loss(target: str) -> None:
    data = {**TABLE, "test_share": 0.3, "seed": 2, "probe": [[0.5, 0.5]], "scale_inputs": "minmax"}
    made = read_preset(
        "made", source(data=data, training={"loss": SHARES[0]}, output=needing(SHARES[0]))
    )
    _, rest = printed(export(made, target), 20)
    run = nntui.Run(made)
    run.step(20 * made.configuration.updates_per_epoch)
    outputs = [
        ast.literal_eval(line.rpartition("output ")[2]) for line in rest if "output [" in line
    ]
    expected = [*run.outputs.T, run.predict([[0.5, 0.5]])[:, 0]]
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=NEAR[target])
    tested = float(next(line for line in rest if "tested" in line).split()[-1])
    assert tested == pytest.approx(run.test_loss, abs=NEAR[target])


def test_many_rows_are_not_all_printed(target: str) -> None:
    _, rest = printed(export(preset("square-fixed"), target), 1)
    assert "# outputs of the first 10 rows" in rest
    assert sum(line.startswith("# [") for line in rest) == 10


def test_a_run_that_diverges_ends_and_says_so(target: str) -> None:
    wild = preset("square-leaky-relu", training__learning_rate=1e30)
    losses, _ = printed(export(wild, target), 50)
    assert len(losses) < 50
    assert not np.isfinite(losses[-1])


@pytest.mark.parametrize(
    "changes",
    [
        {"training.learning_rate": 1e300},
        {"data.inputs": [[1e308], [1e308]]},
        {"layers.0.normalise": True, "layers.0.scale": 1e200, "layers.0.activation": "identity"},
        {"training.optimiser": "adam", "training.clip_value": 1.0, "data.targets": [[1e200], [1]]},
        {"training.optimiser": "adam", "layers.1.scale": 1e100, "training.clip_value": 1e200},
        {"report.rows": "all", "report.every": 7, "training.learning_rate": 1e300},
    ],
)
def test_a_script_ends_in_the_epoch_of_the_first_number_that_is_not_finite(
    changes: dict[str, Any], target: str
) -> None:
    start = {"init": "normal", "bias_init": "normal"}
    bare = {
        "data": {"inputs": [[0.5], [1.0]], "targets": [[1.0], [2.0]]},
        "layers": [{"units": 3, "activation": "relu", **start}, {"units": 1, **start}],
        "training": {"loss": "squared-error", "learning_rate": 0.1},
        "report": {"loss": "squared-error"},
        "goal": {"loss": 1e-9, "epochs": 50},
    }
    made = override(read_preset("made", bare), changes)
    for seed in range(3):
        losses, _ = printed(export(made, target, seed), 50, made.configuration.report.every)
        run = nntui.Run(made, seed)
        run.step(50)
        assert run.divergence is not None
        assert len(losses) == -(-run.epoch // made.configuration.report.every), run.divergence


def test_more_units_and_layers_than_a_line_holds(target: str) -> None:
    many = source()
    many["layers"] = [{"units": 3, "activation": "tanh"}] * 12 + many["layers"][-1:]
    for extra in ({}, {"clip_norm": 0.1, "optimiser": "adam"}, {"l1": 0.1, "l2": 0.1}):
        made = {**many, "training": {**many["training"], **extra}, "faults": ["penalty-sum"]}
        made["report"] = {**many["report"], "penalty": True}
        checked(made, target)
        script = export(read_preset("made", made), target)
        assert max(map(len, script.splitlines())) <= 100


def test_numbers_of_a_formula_are_written_as_any_numpy_takes_them() -> None:
    # NumPy 1 makes objects of an array times a whole number that no machine integer holds.
    for formula, written in (
        ("2*x + 99999999999999999999*x", "2.0 * x + 1e+20 * x"),
        ("2**0.5*x", "1.4142135623730951 * x"),
        ("1/2**2000 + x", "1.0 / np.float64(2.0) ** 2000.0 + x"),
        ("e", "np.full_like(x, 2.718281828459045)"),
    ):
        data = Data(formula=formula)
        assert f"inputs, targets = x, {written}" in list(data_section(data))


def test_names_and_questions_stay_comments(target: str) -> None:
    story = {"question": "coding: utf-7\n\nraise SystemExit(3)\n\"\"\" ''' \\ {x} " + "x" * 300}
    made = read_preset("a\nimport os\r\nraise\x0c", {**source(), "story": story})
    check(made, target)


@pytest.mark.parametrize(
    ("kind", "seed"), [("matlab", None), ("", 0), ("numpy", -1), ("numpy", 2**32)]
)
def test_what_cannot_be_exported_is_refused(kind: str, seed: int | None) -> None:
    with pytest.raises(nntui.ConfigError):
        export(preset("add-relu"), kind, seed)
