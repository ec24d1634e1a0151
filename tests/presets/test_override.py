"""Changing keys of a preset: in its checked configuration, without a file and without parsing."""

import builtins
import pickle
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.engine import data as engine_data
from nntui.core.engine.data import load_data
from nntui.core.engine.trainer import Trainer, initial_state
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import check_rows
from nntui.diagnosis.experiments.fixes import standing, tried
from nntui.presets import Preset, load_preset, preset_names, read_preset, sections, to_toml
from nntui.presets.editing.choices import options
from nntui.presets.editing.entries import SOURCE, preset_entries, value_at
from nntui.presets.preset_table import plain_values, table_of
from nntui.presets.schema import override, with_displaced
from nntui.timeline.edits import Edits

PRESET = """
[data]
csv = "rows.csv"
input_columns = ["a", "b"]
target_columns = ["y"]
[[layers]]
units = 3
activation = "tanh"
[[layers]]
units = 1
[training]
loss = "squared-error"
learning_rate = 0.01
[report]
loss = "squared-error"
[goal]
loss = 0
epochs = 2
"""
RATE = {"training.learning_rate": 0.5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a preset ``my.toml`` and the ``rows.csv`` that it reads."""
    (tmp_path / "my.toml").write_text(PRESET)
    (tmp_path / "rows.csv").write_text("a,b,y\n1,2,3\n4,5,9\n0,1,1\n")
    return tmp_path


@pytest.fixture(params=["moved", "grown", "broken"])
def loaded(folder: Path, request: pytest.FixtureRequest) -> Preset:
    """A preset whose CSV file is another one since it was read."""
    read, path = load_preset(str(folder / "my.toml")), folder / "rows.csv"
    match request.param:
        case "moved":
            path.rename(folder / "elsewhere.csv")
        case "grown":
            path.write_text(path.read_text() + "7,7,14\n")
        case "broken":
            path.write_bytes(b"\xff")
    return read


def same_data(one: Preset, other: Preset) -> bool:
    return one.configuration.data is other.configuration.data


def test_the_csv_is_not_needed_once_it_was_read(loaded: Preset) -> None:
    run = nntui.Run(loaded)
    run.step(3)
    assert same_data(override(loaded, RATE), loaded)
    assert same_data(run.fork(**RATE).preset, loaded)
    run.change(**RATE)
    assert same_data(run.preset, loaded)
    run.restart(**{"training.momentum": 0.5})
    assert same_data(run.preset, loaded)
    assert run.preset.configuration.training.learning_rate == 0.5
    edits = Edits()
    edits.make(run, {"faults": ["bias-decay"]})
    edits.make(run, {"goal.loss": 1.0})
    edits.undo(run)
    assert same_data(run.preset, loaded)
    scaled = override(loaded, {"data.scale_inputs": "standard", "data.test_share": 0.4})
    assert scaled.configuration.data.inputs is loaded.configuration.data.inputs
    assert len(tried(loaded, list(standing(loaded)))) > 5
    assert nntui.sweep(override(loaded, RATE), seeds=range(3)).seeds == [0, 1, 2]
    assert loaded.csv_source.csv == override(loaded, RATE).csv_source.csv == "rows.csv"


def test_a_key_of_the_csv_reads_the_file(folder: Path) -> None:
    read = load_preset(str(folder / "my.toml"))
    (folder / "rows.csv").write_text("a,b,y\n1,2,3\n")
    assert override(read, RATE).configuration.data.rows == 3
    for changes in ({"data.csv": "rows.csv"}, {"data.input_columns": ["b", "a"]}):
        assert override(read, changes).configuration.data.rows == 1
    assert override(read, {"data": table_of(read)["data"]}).configuration.data.rows == 1


def test_neither_a_file_nor_toml_nor_the_data_are_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = load_preset(str(folder / "my.toml"))
    arrays = load_data(read.configuration)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    for owner, name in (
        (builtins, "open"),
        (Path, "open"),
        (tomllib, "loads"),
        (sections, "read_csv"),
        (engine_data, "_arrays"),
    ):
        monkeypatch.setattr(owner, name, forbidden)
    changes = {
        "training.learning_rate": 0.2,
        "training.loss": "half-squared-error",
        "layers.0.activation": "relu",
        "faults": ["bias-decay", {"name": "wrong-factor", "factor": 3.0}],
        "goal.loss": 0.5,
        "seed": 4,
        "story.question": "Why?",
    }
    made = override(read, changes)
    for key, value in changes.items():
        made = override(made, {key: value})
    assert load_data(made.configuration) is arrays
    run = nntui.Run(made)
    run.step(2)
    assert run.fork(**RATE).data is arrays


def test_a_run_its_branches_and_a_sweep_load_the_data_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    load = engine_data._arrays

    def counted(data: Any) -> Any:
        loads.append(data)
        return load(data)

    monkeypatch.setattr(engine_data, "_arrays", counted)
    (folder / "rows.csv").write_text("a,b,y\n1.5,2.5,4\n3,7,10\n")  # no other test has these
    run = nntui.Run(load_preset(str(folder / "my.toml")))
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5):
        run.step(2)
        branch = run.fork(**{"training.learning_rate": rate})
        branch.step(2)
        assert branch.data is run.data
    nntui.sweep(run.preset, seeds=range(5))
    assert len(loads) == 1


def test_only_what_changed_is_made_anew() -> None:
    before = preset("add-relu")
    after = override(before, {"layers.1.activation": "tanh"})
    assert after.configuration.layers[0] is before.configuration.layers[0]
    assert after.configuration.layers[1] is not before.configuration.layers[1]
    for name in ("data", "training", "report"):
        assert getattr(after.configuration, name) is getattr(before.configuration, name)
    assert override(before, {"goal.loss": 1.0}).configuration is before.configuration


def test_what_decides_the_targets_is_compared_with_the_loss() -> None:
    outputs = {"layers.2.activation": "sigmoid"}
    far = override(preset("add-relu"), {**outputs, "data.targets": [[2.0]] * 6})
    near = override(far, {"data.target_divisor": 2.0, "training.loss": "binary-cross-entropy"})
    for base, changes in (
        (far, {"training.loss": "binary-cross-entropy"}),
        (far, {"report.loss": "binary-cross-entropy"}),
        (near, {"data.target_divisor": 1.0}),
        (near, {"data.targets": [[3.0]] * 6}),
    ):
        assert not base.warnings
        [said] = override(base, changes).warnings
        assert "needs targets between 0 and 1" in said


def test_a_fault_told_by_its_name_takes_entries() -> None:
    named = override(preset("add-relu"), {"faults": ["wrong-factor"]})
    made = override(named, {"faults.0.factor": 3.0, "faults.0.layers": [1]})
    assert table_of(made)["faults"] == [{"name": "wrong-factor", "layers": [1], "factor": 3.0}]


BASES = [
    *(load_preset(name) for name in preset_names()),
    override(preset("add-relu"), {"faults": ["bias-decay", {"name": "wrong-factor"}]}),
    override(preset("add-relu"), {"data": {"set": "moons", "noise": 0.1, "test_share": 0.2}}),
    override(preset("line-tanh"), {"data.probe": [[4.0]], "training.clip_norm": 1.0}),
    override(
        preset("xor-sigmoid"),
        {
            "layers.1.W": [[0.5] * 5],
            "layers.0.bias": "per-unit",
            "layers.0.b": [0.25] * 5,
            "draws.skip_normal": 2,
        },
    ),
]
ROWS = [[[0.5]], [[1, 2], [3, 4]], [[1.0, 2.0]] * 6, [[5]] * 6, [[0.1]] * 3]


def values(base: Preset) -> Iterator[tuple[str, Any]]:
    """Every key of ``base`` with values that suit it, or nearly."""
    for each in preset_entries(base, base.seed):
        if each.adds or each.key == SOURCE:
            continue
        if each.declared is None:
            yield each.key, value_at(base, each.key)
            continue
        if not each.key.startswith("faults."):
            yield from (pair for found in options(base, each) for pair in found.make().items())
        kind, declared = each.declared.type, plain_values(each.value)
        candidates = [declared, 0, 1, 2, 0.25, 1e3, None, "full", [], [1], [0.5, 1], *ROWS]
        if kind is bool:
            candidates = [True, False, 1]
        yield from ((each.key, value) for value in candidates)


CASES = [(base, list(values(base))) for base in BASES]


def edited(table: Any, path: list[str], value: Any) -> Any:
    """A plain ``table`` with ``value`` at ``path``, by the simplest of means."""
    if not path:
        return value
    part, *rest = path
    if isinstance(table, list):
        at = int(part)
        return [*table[:at], edited(table[at], rest, value), *table[at + 1 :]]
    table = {"name": table} if isinstance(table, str) else table
    return {**table, part: edited(table.get(part, {}), rest, value)}


def outcome(base: Preset, changes: dict[str, Any], by_table: bool) -> Preset | str:
    try:
        if not by_table:
            return override(base, changes)
        table = plain_values(table_of(base))
        for key, value in with_displaced(changes).items():
            table = edited(table, key.split("."), value)
        return read_preset(base.name, table)
    except nntui.ConfigError as error:
        return str(error)


@given(st.data())
def test_a_changed_preset_is_that_of_the_edited_table(data: st.DataObject) -> None:
    base, pairs = data.draw(st.sampled_from(CASES))
    drawn = data.draw(st.lists(st.sampled_from(range(len(pairs))), min_size=1, max_size=3))
    changes = dict(pairs[at] for at in drawn)
    # A path into what another change replaced by something else is refused by its path.
    changes = {
        key: value
        for key, value in changes.items()
        if not any(key.startswith(f"{other}.") for other in changes)
    }
    found = outcome(base, changes, by_table=False)
    assert found == outcome(base, changes, by_table=True)
    if isinstance(found, Preset):
        again = read_preset(base.name, tomllib.loads(to_toml(found)))
        assert again == found
        assert again.configuration.canonical == found.configuration.canonical


@pytest.mark.parametrize("name", preset_names())
def test_a_file_and_what_is_written_of_it_make_the_same_state(name: str) -> None:
    read = load_preset(name)
    again = read_preset(name, tomllib.loads(to_toml(read)))
    states = [initial_state(each.configuration, each.seed).hash for each in (read, again)]
    assert states[0] == states[1]


def test_numbers_and_the_rule_of_drawing_displace_each_other() -> None:
    base = preset("xor-relu")
    W = [[0.5] * 4] * 10
    first = override(base, {"layers.0.W": W}).configuration.layers[0]
    assert base.configuration.layers[0].scale == 0.25
    assert (first.W, first.scale, first.init) == (check_rows("W", W), 1.0, "he")
    both = override(base, {"layers.0.W": W, "layers.0.scale": 2.0})
    assert both.configuration.layers[0].scale == 2.0
    redrawn = override(both, {"layers.0.init": "normal"}).configuration.layers[0]
    assert (redrawn.W, redrawn.init, redrawn.scale) == (None, "normal", 2.0)
    biased = override(
        base, {"layers.0.bias": "per-unit", "layers.0.b": [1.0] * 10}
    ).configuration.layers[0]
    assert biased.b == (1.0,) * 10
    one = override(both, {"layers.0.W.3.1": -7}).configuration.layers[0]
    assert one.W is not None
    assert one.W[3] == (0.5, -7.0, 0.5, 0.5)


def test_rows_are_a_value() -> None:
    rows = check_rows("it", [[1, 2.5], (3, -0.0)])
    assert isinstance(rows, Rows)
    assert list(rows) == [(1.0, 2.5), (3.0, 0.0)]
    assert (len(rows), rows.width, rows[1]) == (2, 2, (3.0, -0.0))
    same = check_rows("it", np.array([[1, 2.5], [3, -0.0]]).tolist())
    assert (rows == same, hash(rows) == hash(same)) == (True, True)
    for other in ([[1, 2.5], [3, 0.0]], [[1, 2.5, 3, -0.0]], [[1], [2.5], [3], [-0.0]]):
        assert rows != check_rows("it", other)
    assert rows != [(1.0, 2.5), (3.0, -0.0)]
    with pytest.raises(ValueError, match="read-only"):
        rows.array[0, 0] = 7.0
    copied = pickle.loads(pickle.dumps(rows))
    assert copied == rows
    assert not copied.array.flags.writeable


def test_a_preset_takes_the_room_of_its_numbers_when_it_is_handed_on() -> None:
    rows = np.arange(20_000.0).reshape(2000, 10)
    data = {"inputs": rows.tolist(), "targets": rows[:, :1].tolist()}
    large = preset("square-fixed", data=data)
    load_data(large.configuration)
    handed = pickle.dumps(large)
    assert len(handed) < 1.1 * 8 * 22_000
    again = pickle.loads(handed)
    assert again == large
    states = [initial_state(each.configuration, 1) for each in (large, again)]
    assert states[0].hash == states[1].hash
    assert Trainer(states[1]).data is Trainer(states[0]).data
