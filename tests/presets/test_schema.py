"""Whatever a preset, an override or a name holds: it is read, or refused in one line."""

import copy
import datetime
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.settings.data_settings import Data
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.training_settings import Training
from nntui.presets import Goal, Story, preset_names, read_preset
from nntui.presets.preset_table import table_of
from nntui.presets.schema import override, parse_value
from nntui.timeline import Snapshot

TABLE, FORMULA = preset("add-relu"), preset("square-leaky-relu")
SET = override(
    TABLE,
    {
        "data": {"set": "spiral", "samples": 9, "noise": 0.1, "test_share": 0.3},
        "training.optimiser": "adam",
        "training.order": "random",
        "training.draws": 5,
        "training.clip_norm": 1.0,
        "training.schedule": "cosine",
    },
)
ENORMOUS = 16**5000
"""A whole number that Python refuses to print."""
NAN, INF = float("nan"), float("inf")


def refused(action: Callable[[], object]) -> str:
    """The message with which ``action`` is refused, in one line that can be shown."""
    with pytest.raises(nntui.ConfigError) as caught:
        action()
    said = str(caught.value)
    assert said.isprintable()
    assert 0 < len(said) < 2000
    assert not any(word in said for word in ("Traceback", "Error", "Errno", "positional"))
    return said


TRAINING = {"loss": "squared-error", "learning_rate": 0.1}

BAD: list[tuple[str, Any, str]] = [
    # unknown keys, with the nearest
    ("trainig.learning_rate", 1, "trainig: .*training"),
    ("training.lerning_rate", 1, "^training.lerning_rate: .*learning_rate"),
    ("layers.0.activaton", "tanh", "^layers.0.activaton: .*activation"),
    ("", 1, "not known"),
    ("..", 1, "not known"),
    ("layers.9.units", 1, "^layers.9.units: layers has entries 0 to 2"),
    ("layers.-1.units", 1, "entries 0 to 2"),
    ("layers.x.units", 1, "entries 0 to 2"),
    ("data.inputs.0.0.0", 1, "no entries of its own"),
    ("story.nope", 1, "^story.nope: .*question"),
    # unknown names, with the nearest
    ("layers.1.activation", "tahn", "^layers.1.activation: .*did you mean tanh"),
    ("layers.1.activation", "re\nlu", "has the character"),
    ("layers.1.kink", "middle", "left, right, zero"),
    ("layers.1.init", "uniformly", "^layers.1.init: .*did you mean uniform"),
    ("layers.1.init", "glorot", "^layers.1.init: .*one of: normal, .*xavier-uniform"),
    ("layers.1.activation", "swish", "^layers.1.activation: .*gelu, softplus, softmax"),
    ("training.loss", "cross-entropy", "^training.loss: .*entropy"),
    ("training.optimiser", "adm", "^training.optimiser: .*did you mean adam"),
    ("training.optimiser", "Adam", "^training.optimiser: "),
    ("training.schedule", "cosin", "^training.schedule: .*did you mean cosine"),
    ("training.schedule", 5, "^training.schedule: 5 is not known"),
    ("training.order", "shuffle", "^training.order: .*did you mean shuffled"),
    ("data.scale_inputs", "normal", "^data.scale_inputs: .*none, standard, minmax"),
    ("data.scale_targets", True, "^data.scale_targets: .*minmax"),
    ("data.set", "moon", "^data.set: .*did you mean moons"),
    ("faults", ["wrong-sing"], "^faults.0.name: .*did you mean wrong-sign"),
    ("layers.1.bias", "no", "^layers.1.bias"),
    ("training.loss", "mse", "squared-error"),
    ("training.loss", ["squared-error"], "^training.loss"),
    ("training.loss", {}, "^training.loss"),
    ("training.optimiser", "sdg", "did you mean sgd"),
    ("report.reduction", "median", "did you mean mean"),
    ("faults", ["bias-deca"], "^faults.0.name: .*bias-decay"),
    ("faults", [{"name": "derivative", "of": "tan"}], "^faults.0.of: .*tanh"),
    # wrong types
    ("training.learning_rate", "0.1", "^training.learning_rate: must be a number"),
    ("training.learning_rate", None, "must be a number"),
    ("training.learning_rate", True, "must be a number, not true"),
    ("training.l2_per_sample", 1, "true or false"),
    ("training.batch", "half", '"full"'),
    ("training.batch", 1.5, "whole number"),
    ("training.batch", True, "whole number"),
    ("training.batch", [1], "whole number"),
    ("layers.0.units", 2.0, "^layers.0.units: must be a whole number"),
    ("layers.0.units", True, "whole number"),
    ("layers.0", 5, "^layers.0: must be a table"),
    ("layers", 5, "list of tables"),
    ("data", None, "^data: must be a table"),
    ("data.inputs", 5, "^data.inputs: must be a list of rows"),
    ("data.inputs.0", 5, "^data.inputs.0: "),
    ("data.inputs.0.1", "a", "^data.inputs.0.1: must be a number"),
    ("data.constant_inputs", 5, "^data.constant_inputs"),
    ("data.constant_inputs", ["a"], "^data.constant_inputs"),
    ("faults", "bias-decay", "^faults: must be a list"),
    ("faults", [5], "^faults.0: "),
    ("faults", [{"name": ["x"]}], "^faults.0.name"),
    ("faults", [{"name": "bias-decay", "layers": 0}], "^faults.0.layers: must be a list"),
    ("faults", [{"name": "bias-decay", "layers": [True]}], "^faults.0.layers.0: "),
    ("faults.0.name", "bias-deca", "^faults.0.name: .*bias-decay"),
    ("faults.0.name.x", 1, "^faults.0.name.x: faults.0.name has no entries of its own"),
    ("goal", 5, "^goal: must be a table"),
    ("goal.stop", 1, "true or false"),
    ("goal.epochs", 1.5, "whole number"),
    ("seed", 1.0, "^seed: must be a whole number"),
    ("seed", True, "^seed"),
    ("seed", "0", "^seed"),
    ("seed", datetime.date(2024, 1, 1), "^seed"),
    ("story", 5, "^story: must be a table"),
    ("story.question", 5, "^story.question: must be a text"),
    ("story.steps", 5, "^story.steps"),
    ("story.steps", [5], "^story.steps.0"),
    ("story.steps", [{"do": "a", "see": "b", "perform": "x"}], "^story.steps.0.perform"),
    # missing
    ("faults", [{}], "^faults.0.name: is missing"),
    ("story.steps", [{}], "^story.steps.0.do: is missing"),
    ("layers", [{}], "^layers.0.units: is missing"),
    ("layers", [], "^layers: is empty"),
    ("data", {}, "^data.inputs: is missing"),
    ("data", {"inputs": [[1]]}, "^data.targets: is missing"),
    # out of range
    ("seed", -1, "from 0 to 4294967295"),
    ("seed", 2**32, "from 0 to 4294967295"),
    ("training.learning_rate", -1e-9, "at least 0"),
    ("training.learning_rate", NAN, "must be finite"),
    ("training.learning_rate", INF, "must be finite"),
    ("training.momentum", 1, "less than 1"),
    ("training.momentum", -0.1, "at least 0"),
    ("training.l2", -1, "at least 0"),
    ("training.batch", 0, "at least 1"),
    ("layers.0.units", 0, "at least 1"),
    ("layers.0.leak", 1.0, "less than 1"),
    ("goal.loss", NAN, "finite"),
    ("goal.epochs", -1, "at least 0"),
    ("data.target_divisor", 0, "more than 0"),
    ("data.inputs.2.1", NAN, "^data.inputs.2.1: must be finite"),
    ("data.targets.5.0", -INF, "^data.targets.5.0: must be finite"),
    ("data.constant_inputs", [INF], "finite"),
    ("data.probe", [[0.0, NAN]], "^data.probe.0.1: must be finite"),
    ("faults", [{"name": "bias-decay", "layers": [3]}], "no layer 3; the last is 2"),
    ("faults", [{"name": "bias-decay", "layers": [-1]}], "at least 0"),
    # does not fit
    ("data.inputs", [], "^data.inputs: must be a list of rows"),
    ("data.inputs", [[]], "^data.inputs.0: "),
    ("data.inputs", [[1, 2], [3]], "^data.inputs.1: has 1 numbers where the first row has 2"),
    ("data.inputs", [[1, 2]], "^data.targets: has 6 rows where inputs has 1"),
    ("data.targets", [[1, 2]] * 6, "^layers.2.units: is 1, but the targets have 2 columns"),
    ("data.probe", [[1, 2, 3]], "^data.probe"),
    ("data.probe", [[1, 2], [1]], "^data.probe.1"),
    ("data.probe", [], "^data.probe"),
    ("data.formula", "x", "^data.formula: conflicts with"),
    ("data.set", "xor", "^data.set: conflicts with"),
    ("data", {"targets": [[1]]}, "^data.inputs: is missing"),
    ("data", {"targets": [[1]], "formula": "x"}, "^data.formula: conflicts with"),
    ("data", {"targets": [[1]], "set": "xor"}, "^data.set: conflicts with"),
    ("data", {"formula": "x", "set": "xor"}, "^data.set: conflicts with"),
    # what belongs to another source of data
    ("data.noise", 0.1, "^data.noise: does not belong to a table"),
    ("data.one_hot", True, "^data.one_hot: does not belong to a table"),
    ("data.start", 0.0, "^data.start: does not belong to a table"),
    ("data.stop", 0.0, "^data.stop: does not belong to a table"),
    ("data.samples", 6, "^data.samples: does not belong to a table"),
    ("data.classes", 2, "^data.classes: does not belong to a table"),
    ("data", {"formula": "x", "classes": 2}, "^data.classes: does not belong to a formula"),
    ("data", {"formula": "x", "one_hot": True}, "^data.one_hot: does not belong to a formula"),
    ("data", {"set": "xor", "start": 0.0}, "^data.start: does not belong to a set"),
    ("data", {"set": "xor", "stop": 1.0}, "^data.stop: does not belong to a set"),
    ("data", {"set": "xor", "classes": 3, "one_hot": True}, "^data.classes: xor has at most 2"),
    ("data", {"set": "moons", "classes": 3, "one_hot": True}, "^data.classes: moons has at most 2"),
    ("data", {"set": "spiral", "classes": 11, "one_hot": True}, "^data.classes: .* at most 10"),
    ("data", {"set": "clusters", "classes": 21, "one_hot": True}, "^data.classes: .* at most 20"),
    ("data", {"set": "circles", "classes": 1}, "^data.classes: must be at least 2"),
    ("data", {"set": "spiral", "classes": 3}, "^data.one_hot: must be true for more than two"),
    ("data", {"set": "spiral", "classes": 3, "one_hot": True}, "^layers.2.units: is 1, but .* 3 c"),
    ("data", {"set": "moons", "one_hot": True}, "^layers.2.units: is 1, but the targets have 2 c"),
    ("data", {"set": "moons", "noise": -0.1}, "^data.noise: must be at least 0"),
    ("data", {"set": "moons", "noise": INF}, "^data.noise: must be finite"),
    ("data", {"set": "moons", "samples": 0}, "^data.samples: must be at least 1"),
    ("data", {"set": "moons", "samples": 10**9}, "^data.samples: must be at most 1,000,000"),
    ("data", {"formula": "x", "samples": 10**9}, "^data.samples: must be at most 1,000,000"),
    ("data", {"formula": "x", "samples": ENORMOUS}, "^data.samples"),
    ("data", {"formula": "x", "start": -1e308, "stop": 1e308}, "^data.start: .*too large a range"),
    ("data", {"set": "xor", "probe": [[1.0]]}, "^data.probe: .*inputs have 2"),
    ("data", {"set": "xor", "seed": -1}, "^data.seed: must be at least 0"),
    ("data", {"set": "xor", "seed": 2**32}, "^data.seed: must be at most 4,294,967,295"),
    # the split
    ("data.test_share", 0.95, "^data.test_share: leaves no row of 6"),
    ("data.test_share", 1.0, "^data.test_share: must be less than 1"),
    ("data.test_share", -0.1, "^data.test_share: must be at least 0"),
    ("data", {"set": "xor", "samples": 1, "test_share": 0.6}, "^data.test_share: leaves no row"),
    # what belongs to another order, schedule, fault or activation
    ("training.draws", 5, '^training.draws: belongs to order = "random"'),
    ("training", {**TRAINING, "order": "shuffled", "draws": 5}, "^training.draws: belongs to"),
    ("training", {**TRAINING, "order": "random", "draws": 0}, "^training.draws: must be at least"),
    ("training", {**TRAINING, "order": "random", "draws": 10**9}, "^training.draws: .*at most 1,0"),
    ("faults", [{"name": "wrong-sign", "factor": 2.0}], "^faults.0.factor: belongs to the fault"),
    ("faults", [{"name": "derivative", "factor": 2.0}], "^faults.0.factor: belongs to the fault"),
    ("faults", [{"name": "wrong-factor", "of": "tanh"}], "^faults.0.of: belongs to the fault"),
    ("faults", [{"name": "wrong-factor", "factor": NAN}], "^faults.0.factor: must be finite"),
    ("faults", [{"name": "wrong-factor", "factor": "2"}], "^faults.0.factor: must be a number"),
    ("layers.0.alpha", 0.0, "^layers.0.alpha: must be more than 0"),
    ("layers.0.alpha", 1e7, "^layers.0.alpha: must be at most 1,000,000"),
    ("training.rho", 1.0, "^training.rho: must be less than 1"),
    ("training.beta1", 1.0, "^training.beta1: must be less than 1"),
    ("training.beta2", -0.1, "^training.beta2: must be at least 0"),
    ("training.epsilon", -1e-9, "^training.epsilon: must be at least 0"),
    ("training.schedule_decay", -0.1, "^training.schedule_decay: must be at least 0"),
    ("training.schedule_decay", 1e7, "^training.schedule_decay: must be at most 1,000,000"),
    ("training.schedule_every", 0, "^training.schedule_every: must be at least 1"),
    ("training.schedule_every", 1.5, "^training.schedule_every: must be a whole number"),
    ("training.schedule_every", 10**10, "^training.schedule_every: must be at most"),
    ("training.clip_value", 0.0, "^training.clip_value: must be more than 0"),
    ("training.clip_norm", -1.0, "^training.clip_norm: must be more than 0"),
    ("training.clip_norm", INF, "^training.clip_norm: must be finite"),
    ("training.l1", -1e-3, "^training.l1: must be at least 0"),
    ("layers.2.units", 2, "^layers.2.units: is 2"),
    ("training.loss", "binary-cross-entropy", "^training.loss: .*sigmoid output"),
    ("training.loss", "categorical-cross-entropy", "^training.loss: .*softmax output"),
    ("report.loss", "binary-cross-entropy", "^report.loss: .*sigmoid output"),
    ("report.loss", "categorical-cross-entropy", "^report.loss: .*softmax output"),
    ("faults", [{"name": "bias-decay", "of": "tanh"}], "^faults.0.of: belongs to"),
    # absurd
    ("layers.0.units", 10**9, "at most 100,000"),
    ("layers", [{"units": 1}] * 65, "at most 64"),
    ("faults", ["bias-decay"] * 101, "at most 100"),
    ("training.learning_rate", ENORMOUS, "too large"),
    ("data.inputs.0.0", ENORMOUS, "too large"),
    ("layers.0.units", ENORMOUS, "^layers.0.units"),
    ("training.batch", ENORMOUS, "^training.batch"),
    ("goal.epochs", -ENORMOUS, "^goal.epochs"),
    ("seed", ENORMOUS, "^seed"),
    ("layers.0.activation", ENORMOUS, "^layers.0.activation"),
    ("story.question", {"a": "b" * 100_000}, "^story.question"),
    ("a" * 100_000, 1, "not known"),
    ("layers." + "9" * 5000 + ".units", 1, "entries 0 to 2"),
    # what would break the line or move the terminal's cursor
    ("tra\nining", 1, "training"),
    ("layers.0.\x1b[2J", 1, "not known"),
    # overflow on the way to a float
    ("data.target_divisor", 1e-320, "data"),
    ("layers.0.scale", 1e308, "^layers.0.scale"),
]


def shown(value: object) -> str:
    try:
        return f"{str(value)[:30]!r}"
    except ValueError:
        return "enormous"


@pytest.mark.parametrize(
    ("key", "value", "message"), BAD, ids=[f"{shown(key)}={shown(value)}" for key, value, _ in BAD]
)
def test_a_bad_value_is_refused_under_its_key(key: str, value: Any, message: str) -> None:
    said = refused(lambda: nntui.Run(override(TABLE, {key: value})))
    with pytest.raises(ValueError, match=message):
        raise ValueError(said)


BAD_FORMULAS = [
    "",
    "y",
    "x;x",
    "x\n+1",
    "x\0",
    "\ud800",
    "import os",
    "__import__('os')",
    "x.real",
    "x.__class__",
    "().__class__.__mro__",
    "[x for x in x]",
    "lambda: x",
    "x if x else 1",
    "f'{x}'",
    "f'''\n{x}'''",
    "x[0]",
    "(x := 1)",
    "exec('x')",
    "sin",
    "sin()",
    "sin(x, x)",
    "sin(x=x)",
    "pi(x)",
    "True",
    "'a' * 9",
    "1j * x",
    "9**9**9",
    "9**9**9**9**9",
    "1e400",
    "1/0",
    "0**-1",
    "x**-1",
    "log(x - 2)",
    "exp(exp(exp(10)))",
    "(-8)**0.5",
    "x * (-8)**0.5",
    "(" * 99 + "x" + ")" * 98,
    "-" * 10_000 + "x",
    "(" * 10_000 + "x" + ")" * 10_000,
]


@pytest.mark.parametrize("formula", BAD_FORMULAS, ids=shown)
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_a_formula_is_data_and_not_a_program(formula: str) -> None:
    assert "formula" in refused(lambda: override(FORMULA, {"data.formula": formula}))


@pytest.mark.parametrize("formula", [5, 1.5, True, [1], {"x": 1}], ids=shown)
def test_a_formula_is_a_text(formula: Any) -> None:
    assert "data.formula" in refused(lambda: override(FORMULA, {"data.formula": formula}))


@pytest.mark.parametrize(
    "changes",
    [
        {"data.samples": 1_000_000, "layers.0.units": 100_000},
        {"data.samples": 1_000_000, "layers.0.units": 21},
        {"data.samples": 1_000_001},
        {"layers": [{"units": 100_000}, {"units": 100_000}, {"units": 1}]},
        {"layers": [{"units": 3000}, {"units": 4000}, {"units": 1}]},
        # No layer is too large alone, but all together would take 47 GiB.
        {"data.samples": 200_000, "layers": [{"units": 100}] * 63 + [{"units": 1}]},
    ],
    ids=shown,
)
def test_what_is_too_large_is_refused_before_it_takes_memory(changes: dict[str, Any]) -> None:
    tracemalloc.start()
    try:
        refused(lambda: override(FORMULA, changes))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("needed", ["data", "layers", "training", "report", "goal"])
def test_a_missing_table_is_named(needed: str) -> None:
    source = {key: value for key, value in table_of(TABLE).items() if key != needed}
    assert refused(lambda: read_preset("bare", source)).startswith(f"{needed}: is missing")


CROSSED = {"binary-cross-entropy": "sigmoid", "categorical-cross-entropy": "softmax"}


def crossed(loss: str, section: str, data: dict[str, Any], units: int) -> nntui.Preset:
    """A network whose training loss, or else reported loss, is a cross-entropy."""
    losses = {"training": "squared-error", "report": "squared-error", section: loss}
    return read_preset(
        "crossed",
        {
            "data": data,
            "layers": [{"units": units, "activation": CROSSED[loss]}],
            "training": {"loss": losses["training"], "learning_rate": 0.1},
            "report": {"loss": losses["report"]},
            "goal": {"loss": 0.0, "epochs": 1},
        },
    )


@pytest.mark.parametrize("section", ["training", "report"])
@pytest.mark.parametrize(
    ("loss", "data", "units", "message"),
    [
        ("binary", {"inputs": [[1]], "targets": [[1.01]]}, 1, "between 0 and 1"),
        ("binary", {"inputs": [[1]], "targets": [[-0.01]]}, 1, "between 0 and 1"),
        ("binary", {"formula": "x + 0.01"}, 1, "between 0 and 1"),
        ("binary", {"formula": "x", "noise": 0.1}, 1, "between 0 and 1"),
        ("binary", {"formula": "x", "scale_targets": "standard"}, 1, "between 0 and 1"),
        # Among the rows that are held back, too.
        (
            "binary",
            {"inputs": [[0], [1]], "targets": [[2], [2]], "test_share": 0.5},
            1,
            "between 0 and 1",
        ),
        ("categorical", {"inputs": [[1]], "targets": [[0.5, 0.6]]}, 2, "add up to 1"),
        ("categorical", {"inputs": [[1], [2]], "targets": [[1, 0], [0, 0]]}, 2, "add up to 1"),
        ("categorical", {"inputs": [[1]], "targets": [[1.5, -0.5]]}, 2, "between 0 and 1"),
        ("categorical", {"inputs": [[1]], "targets": [[0.5, 0.5 + 1e-8]]}, 2, "add up to 1"),
        (
            "categorical",
            {"inputs": [[1]], "targets": [[1, 0]], "target_divisor": 2.0},
            2,
            "add up to 1",
        ),
        ("categorical", {"set": "xor"}, 1, "add up to 1"),
        ("categorical", {"formula": "x"}, 1, "add up to 1"),
        ("categorical", {"set": "xor", "one_hot": True, "scale_targets": "standard"}, 2, "betw"),
    ],
)
def test_a_cross_entropy_warns_of_targets_that_are_no_shares(
    loss: str, data: dict[str, Any], units: int, message: str, section: str
) -> None:
    made = crossed(f"{loss}-cross-entropy", section, data, units)
    [said] = made.warnings
    assert said.startswith(f"{section}.loss: ")
    assert message in said
    assert nntui.Run(made).step(3).divergence is None


@pytest.mark.parametrize("section", ["training", "report"])
@pytest.mark.parametrize(
    ("loss", "data", "units"),
    [
        ("binary", {"set": "moons", "noise": 0.1}, 1),
        ("binary", {"set": "moons", "one_hot": True}, 2),
        ("binary", {"formula": "x**2"}, 1),
        ("binary", {"formula": "9*x", "scale_targets": "minmax"}, 1),
        ("binary", {"inputs": [[1]], "targets": [[3]], "target_divisor": 4.0}, 1),
        ("categorical", {"set": "spiral", "classes": 5, "one_hot": True, "noise": 0.1}, 5),
        ("categorical", {"inputs": [[1]], "targets": [[0.1, 0.2, 0.7]]}, 3),
        ("categorical", {"inputs": [[1]], "targets": [[0.3, 0.3, 0.4 + 1e-12]]}, 3),
        ("categorical", {"formula": "1"}, 1),
    ],
)
def test_a_cross_entropy_takes_targets_that_are_shares(
    loss: str, data: dict[str, Any], units: int, section: str
) -> None:
    made = crossed(f"{loss}-cross-entropy", section, data, units)
    assert made.warnings == ()
    run = nntui.Run(made)
    assert run.step(5).divergence is None


GOOD = Path(nntui.__file__).parents[1] / "presets" / "add-relu.toml"
FILES: dict[str, tuple[bytes, str]] = {
    "broken": (b"seed = 1\n[data]\ninputs = [[1]\nx", "line 4"),
    "twice": (b"seed = 1\nseed = 2\n", "line 2"),
    "latin-1": ("# caf\xe9".encode("latin-1"), "UTF-8"),
    "empty": (b"", "data: is missing"),
    "nul": (b"\0", "line 1"),
    "deep": (b"a = " + b"[" * 5000 + b"]" * 5000, "deep"),
    "open": (b"a = " + b"[" * 50_000, "deep"),
    "digits": (b"seed = " + b"9" * 5000, "digits.toml"),
    "hexadecimal": (b"seed = 0x" + b"f" * 5000 + b"\n" + GOOD.read_bytes(), "seed"),
    "key": (b'"a\\nb\\u001b[2J" = 1\n' + GOOD.read_bytes(), "not known"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_named_with_what_is_wrong(name: str, tmp_path: Path) -> None:
    content, message = FILES[name]
    path = tmp_path / f"{name}.toml"
    path.write_bytes(content)
    said = refused(lambda: nntui.load_preset(str(path)))
    assert said.startswith(str(path))
    assert message in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no preset"),
        ("add-rleu", "did you mean add-relu"),
        ("xor", "xor-relu"),
        ("zzzzzz", "nntui presets lists them"),
        ("ADD-RELU", "no preset"),
        ("add-relu.toml", "no such file"),
        ("no/such/file.toml", "no such file"),
        ("/", ""),
        ("presets/", ""),
        ("a\0.toml", ""),
        ("a\nb.toml", "no such file"),
        ("a" * 5000 + ".toml", ""),
        ("b/" * 5000, ""),
        ("z" * 100_000, "no preset"),
    ],
    ids=shown,
)
def test_a_preset_that_is_not_there_is_refused(name: str, message: str) -> None:
    assert message in refused(lambda: nntui.load_preset(name))


def test_a_directory_is_no_preset(tmp_path: Path) -> None:
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    for path in (folder, tmp_path):
        assert str(path) in refused(lambda path=path: nntui.load_preset(str(path)))


def test_every_preset_of_the_library_can_be_read_and_run() -> None:
    for name in preset_names():
        run = nntui.Run(nntui.load_preset(name))
        assert run.step(3).divergence is None


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, "1", ENORMOUS], ids=shown)
def test_a_run_refuses_a_seed_that_numpy_does_not_take(seed: Any) -> None:
    assert refused(lambda: nntui.Run(TABLE, seed=seed)).startswith("seed: ")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        [[1.0]],
        [[1.0, 2.0, 3.0]],
        [[1.0, 2.0], [1.0]],
        [1.0, 2.0],
        [["a", "b"]],
        [[None, 1]],
    ],
    ids=shown,
)
def test_a_prediction_needs_rows_as_wide_as_the_inputs(rows: Any) -> None:
    refused(lambda: nntui.Run(TABLE).predict(rows))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("1e-3", 1e-3),
        ("7", 7),
        ("true", True),
        ("tanh", "tanh"),
        ('"tanh"', "tanh"),
        ("[1, 2]", [1, 2]),
        ("[]", []),
        ('[{name = "bias-decay"}]', [{"name": "bias-decay"}]),
        ("", ""),
        ("1\nseed = 2", "1\nseed = 2"),
        ("[1,", "[1,"),
    ],
)
def test_a_value_on_the_command_line_is_toml_or_a_text(text: str, value: Any) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 5000, "{a=" * 3000], ids=shown)
def test_a_hostile_value_on_the_command_line_is_refused(text: str) -> None:
    refused(lambda: override(TABLE, {"training.learning_rate": parse_value(text)}))


def test_an_override_changes_one_entry_and_leaves_the_preset_as_it_was() -> None:
    before = copy.deepcopy(TABLE)
    changed = override(TABLE, {"layers.1.activation": "tanh", "story.question": "Why?"})
    kinds = [layer.activation for layer in changed.configuration.layers]
    assert kinds == ["relu", "tanh", "relu"]
    assert changed.story.question == "Why?"
    assert changed.configuration.training == TABLE.configuration.training
    assert before == TABLE
    assert override(changed, {"layers.1.activation": "relu"}).configuration == TABLE.configuration


def keys_of(table: Any, prefix: str = "") -> Iterator[str]:
    entries = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in entries:
        yield f"{prefix}{key}"
        if isinstance(value, (dict, list)):
            yield from keys_of(value, f"{prefix}{key}.")


KEYS = sorted({*keys_of(table_of(TABLE)), *keys_of(table_of(FORMULA)), *keys_of(table_of(SET))})
WORDS = sorted({part for key in KEYS for part in key.split(".")} | {"units", "of", "steps", "do"})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-2, 9),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([*WORDS, "tanh", "relu", "x**2", "log(x)", "1/x", "full", "he", "sum"]),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=12,
)


def read_or_refused(action: Callable[[], nntui.Preset]) -> None:
    """``action`` makes a preset that can be run, or is refused in one line."""
    said = ""
    try:
        made = action()
    except nntui.ConfigError as error:
        said = str(error)
    assert said.isprintable()
    if said:
        return
    if made.parameters * made.configuration.batch_size < 1e6:
        run = nntui.Run(made)
        run.step(made.configuration.updates_per_epoch if run.preset.parameters < 1e4 else 1)
        Snapshot.of(run)


@given(
    st.sampled_from([TABLE, FORMULA, SET]),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_preset_with_random_values_is_read_or_refused(
    base: nntui.Preset, changes: dict[str, Any]
) -> None:
    read_or_refused(lambda: override(base, changes))


SECTIONS = {"training": Training, "report": Report, "goal": Goal, "story": Story, "data": Data}
FIELDS = [f"{key}.{each.name}" for key, kind in SECTIONS.items() for each in fields(kind)]
FIELDS += [f"layers.0.{each.name}" for each in fields(Layer)]
FIELDS += ["seed", "faults", "layers", "layers.0", *SECTIONS]
ODD = [None, True, 0, -1, 5, 2**70, 1.5, NAN, -INF, 1e308, "", "x", "full", "\n"]
ODD += [[], [[]], [0], [[0]], [None], [{}], {}, {"x": 1}, datetime.time(1), (1,), b"x"]


@pytest.mark.parametrize("key", FIELDS)
def test_an_odd_value_is_read_or_refused(key: str) -> None:
    for base in (TABLE, FORMULA, SET):
        for value in ODD:
            read_or_refused(lambda base=base, value=value: override(base, {key: value}))


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), max_size=4), VALUES)
def test_a_random_key_is_known_or_refused(parts: list[str], value: Any) -> None:
    read_or_refused(lambda: override(TABLE, {".".join(parts): value}))


@given(VALUES, st.dictionaries(st.sampled_from(["data", "layers", "training", "goal"]), VALUES))
def test_a_random_table_is_read_or_refused(value: Any, tables: dict[str, Any]) -> None:
    read_or_refused(lambda: read_preset("random", {**table_of(TABLE), **tables}))
    if isinstance(value, dict):
        read_or_refused(lambda: read_preset("random", value))


@given(st.one_of(st.text(), st.text("[]{}=\"'.,0123456789einfxabc-_# \n", max_size=12)))
def test_any_text_is_a_value(text: str) -> None:
    read_or_refused(lambda: override(TABLE, {"training.learning_rate": parse_value(text)}))
