"""Every entry of a preset is listed, read back as it is written, and refused where it is wrong."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from nntui.catalogue import catalogue
from nntui.core.errors import ConfigError
from nntui.presets import Preset, load_preset, preset_names, read_preset
from nntui.presets.editing.applicability import SOURCES, source_of
from nntui.presets.editing.choices import (
    added_table,
    column_choices,
    is_listed,
    options,
    removal,
    with_columns,
)
from nntui.presets.editing.entries import NOT_SET, Changes, PresetEntry, preset_entries, value_at
from nntui.presets.editing.entry_changes import read
from nntui.presets.editing.table_text import is_rows, read_rows, rows_text
from nntui.presets.preset_table import change_in_brief, changes_in_brief, plain_values, table_of
from nntui.presets.schema import override

LIBRARY = [load_preset(name) for name in preset_names()]
FAULTY = override(
    load_preset("add-relu"),
    {"faults": ["bias-decay", {"name": "wrong-factor", "factor": 3.0, "layers": [0, 1]}]},
)


def entry(preset: Preset, key: str) -> PresetEntry:
    return next(each for each in preset_entries(preset, preset.seed) if each.key == key)


def chosen(preset: Preset, key: str, words: str) -> Changes:
    """The change that a choice makes."""
    found = {each.words: each for each in options(preset, entry(preset, key))}
    return found[words].make()


def test_every_declared_entry_is_listed() -> None:
    listed = {re.sub(r"\.\d+", ".N", each.key) for each in preset_entries(FAULTY, 0)}
    declared = {each.key for each in catalogue("keys") if not each.key.startswith("story")}
    assert declared <= listed


@pytest.mark.parametrize("preset", [*LIBRARY, FAULTY], ids=lambda preset: preset.name)
def test_what_is_written_is_read_as_what_it_is(preset: Preset) -> None:
    for each in preset_entries(preset, preset.seed):
        if each.is_heading or is_listed(preset, each) or is_rows(each):
            continue
        changes = read(preset, each, each.written)
        if each.given or each.value is not None:
            again = override(preset, changes)
            assert again.configuration == preset.configuration, each.key
            assert again.goal == preset.goal


@pytest.mark.parametrize("preset", [*LIBRARY, FAULTY], ids=lambda preset: preset.name)
def test_every_choice_is_made_or_refused_in_one_line(preset: Preset) -> None:
    taken, refused = 0, []
    for each in preset_entries(preset, preset.seed):
        for option in options(preset, each):
            try:
                made = override(preset, option.make())
            except ConfigError as error:
                refused.append(str(error))
                continue
            taken += 1
            if each.declared is not None and not option.asks and "faults" not in each.key:
                found = entry(made, each.key)
                assert found.text == option.words or (option.words == NOT_SET and not found.given)
    assert taken > 20
    assert not any("\n" in each for each in refused)


NUMBERS = [
    each for each in preset_entries(FAULTY, 0) if each.declared and each.declared.type is not bool
]


def beyond(each: PresetEntry) -> list[str]:
    """Texts that are no value of an entry: of another type, or outside of its limits."""
    assert each.declared is not None
    limits, kind = each.declared.metadata, str(each.declared.type)
    listed = "tuple" in kind
    numeric = not listed and ("float" in kind or "int" in kind)
    wrong = ["[1, x", "{}"] if listed or numeric else []
    if numeric:
        wrong += ["nan", "inf", "true", "0x", "1e999"]
        wrong += ["1.5"] if "int" in kind else []
        wrong += [""] if each.declared.default is not None else []
        for bound, away in (("low", -1), ("above", 0), ("high", 1), ("below", 0)):
            limit = limits[bound]
            if limit is not None and math.isfinite(limit * 2):
                wrong.append(repr(type(limit)(limit + away * (abs(limit) * 0.5 + 1))))
    return wrong


@pytest.mark.parametrize("each", NUMBERS, ids=lambda each: each.key)
def test_what_the_limits_exclude_is_refused_with_what_would_be_right(each: PresetEntry) -> None:
    assert each.declared is not None
    for text in [] if each.declared.metadata["choices"] else beyond(each):
        with pytest.raises(ConfigError) as caught:
            read(FAULTY, each, text)
        assert str(caught.value).startswith(each.key)
        assert re.search("must be|is too large|is not known|has", str(caught.value))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.learning_rate", ".5", 0.5),
        ("training.learning_rate", " 1e-3 ", 1e-3),
        ("training.batch", "3", 3),
        ("training.batch", "full", "full"),
        ("training.clip_norm", "", None),
        ("training.clip_norm", "2", 2.0),
        ("data.inputs", "[[1, 2], [3, 4]]", [[1.0, 2.0], [3.0, 4.0]]),
        ("data.constant_inputs", "[]", []),
        ("seed", "7", 7),
    ],
)
def test_a_value_is_read_as_toml(key: str, text: str, value: object) -> None:
    changes = read(FAULTY, entry(FAULTY, key), text)
    assert plain_values(changes[key]) == value


def test_another_source_of_data_takes_the_place_of_the_first() -> None:
    preset = load_preset("line-tanh")
    made = override(preset, read(preset, entry(preset, "data.formula"), "x**2"))
    assert made.configuration.data.formula == "x**2"
    assert made.configuration.data.inputs is None
    assert made.configuration.data.rows == 101
    preset = load_preset("add-relu")
    made = override(preset, chosen(preset, "data.set", "moons"))
    assert (made.configuration.data.set, made.configuration.data.targets) == ("moons", None)


def test_another_fault_keeps_only_what_it_can_take() -> None:
    changed = chosen(FAULTY, "faults.1.name", "frozen-bias")
    assert changed == {"faults": ["bias-decay", {"name": "frozen-bias", "layers": [0, 1]}]}
    bare = read(FAULTY, entry(FAULTY, "faults.1.layers"), "")
    assert bare["faults"][1] == {"name": "wrong-factor", "factor": 3.0}
    formula = override(FAULTY, chosen(FAULTY, "faults.1.name", "derivative"))
    assert entry(formula, "faults.1.of").needs == ""
    assert entry(formula, "faults.1.factor").needs == "the fault wrong-factor"


def test_faults_and_layers_are_added_and_taken_away() -> None:
    added = chosen(FAULTY, "faults.add", "wrong-sign")
    assert [each.name for each in override(FAULTY, added).configuration.faults] == [
        "bias-decay",
        "wrong-factor",
        "wrong-sign",
    ]
    gone = removal(FAULTY, entry(FAULTY, "faults.1.factor"))
    assert gone == {"faults": ["bias-decay"]}
    assert added_table(FAULTY, added) == "faults.2.name"
    assert added_table(FAULTY, gone) == ""
    (one_more,) = options(FAULTY, entry(FAULTY, "layers.add"))
    more = override(FAULTY, one_more.make())
    assert more.network.startswith("2-4-4-4-1")
    assert added_table(FAULTY, one_more.make()) == "layers.2"
    assert change_in_brief(FAULTY, "layers", one_more.make()["layers"]) == "+ layer 2: 4 relu"
    fewer = removal(FAULTY, entry(FAULTY, "layers.2"))
    assert fewer is not None
    assert change_in_brief(FAULTY, "layers", fewer["layers"]) == "- layer 2: 1 relu"
    assert removal(FAULTY, entry(FAULTY, "training.loss")) is None
    assert removal(FAULTY, entry(FAULTY, "faults")) is None


def test_the_value_at_a_key_is_that_of_the_preset_or_the_default() -> None:
    plain_one = load_preset("add-fixed")
    assert value_at(plain_one, "training.rho") == 0.9
    assert value_at(plain_one, "faults") == table_of(plain_one).get("faults", [])
    assert value_at(plain_one, "layers.0.units") == 4
    assert value_at(plain_one, "training.clip_norm") is None


def test_what_is_too_long_is_not_edited_and_what_is_long_is_told_in_short(tmp_path: Path) -> None:
    rows = [[float(at)] for at in range(5000)]
    source = {**table_of(load_preset("line-tanh")), "data": {"inputs": rows, "targets": rows}}
    large = read_preset("large", source, tmp_path)
    found = entry(large, "data.inputs")
    assert found.text == "5,000 rows of 1"
    with pytest.raises(ConfigError, match="too large to be edited"):
        rows_text(large, found)


def test_a_csv_file_brings_the_target_the_losses_and_the_output_layer_that_belong_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{at},{at % 3},{'abc'[at % 3]}\n" for at in (3, 9, 4, 1, 8, 2))
    (tmp_path / "mine.csv").write_text("one,two,kind\n" + rows)
    monkeypatch.chdir(tmp_path)
    preset = load_preset("xor-sigmoid")  # its own folder is that of the installed package
    found = entry(preset, "data.csv")
    made = override(preset, read(preset, found, "mine.csv"))
    configuration = made.configuration
    assert configuration.data.input_names == ("one", "two")
    assert configuration.data.target_names == ("a", "b", "c")
    assert (configuration.layers[-1].units, configuration.layers[-1].activation) == (3, "softmax")
    assert configuration.training.loss == configuration.report.loss == "categorical-cross-entropy"
    with pytest.raises(ConfigError, match=r"data\.csv: there is no file none\.csv in"):
        read(preset, found, "none.csv")


def test_a_fault_is_offered_once_and_a_change_is_told_without_python() -> None:
    present = {each.name for each in FAULTY.configuration.faults}
    offered = {each.words for each in options(FAULTY, entry(FAULTY, "faults.add"))}
    assert offered
    assert not present & offered
    others = {each.words for each in options(FAULTY, entry(FAULTY, "faults.0.name"))}
    assert present & others == {"bias-decay"}
    layers = table_of(FAULTY)["layers"]
    told = changes_in_brief({"layers": layers, "training.learning_rate": 0.5, "data.one_hot": True})
    assert told == "layers 4 relu+4 relu+1 relu, learning_rate 0.5, one_hot true"
    told = changes_in_brief({"data": {"csv": "a.csv"}, "layers.1": {"activation": "softmax"}})
    assert told == "data csv a.csv, layers.1 activation softmax"


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preset:
    """A preset that reads classes from a CSV file in the working directory."""
    rows = "".join(f"{at},{at % 3},{at * 2},{'abc'[at % 3]}\n" for at in (3, 9, 4, 1, 8, 2))
    (tmp_path / "flowers.csv").write_text("one,two,three,kind\n" + rows)
    monkeypatch.chdir(tmp_path)
    preset = load_preset("xor-sigmoid")
    return override(preset, chosen(preset, "data.source", "flowers.csv"))


def test_columns_are_chosen_and_the_output_layer_goes_with_the_targets(flowers: Preset) -> None:
    inputs, targets = entry(flowers, "data.input_columns"), entry(flowers, "data.target_columns")
    offered = [(each.words, each.present) for each in column_choices(flowers, inputs)]
    assert offered == [("one", True), ("two", True), ("three", True)]
    numbers = override(flowers, with_columns(flowers, targets, ["three", "two"]))
    configuration = numbers.configuration
    assert configuration.data.input_names == ("one",)
    assert configuration.data.target_names == ("three", "two")
    assert (configuration.layers[-1].units, configuration.layers[-1].activation) == (2, "identity")
    assert configuration.training.loss == "squared-error"
    again = override(numbers, chosen(numbers, "data.classes_from", "kind"))
    assert again.configuration.layers[-1].activation == "softmax"
    assert again.configuration.data.target_names == ("a", "b", "c")
    with pytest.raises(ConfigError, match="at least one column"):
        with_columns(flowers, inputs, [])


def test_a_csv_file_is_found_where_it_lies_and_a_lost_one_is_told(
    flowers: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "own.csv").write_text("x,y\n1,2\n3,5\n")
    own = replace(load_preset("line-tanh"), folder=folder)
    assert read(own, entry(own, "data.csv"), "own.csv")["data"]["csv"] == "own.csv"
    beside = read(own, entry(own, "data.csv"), "flowers.csv")["data"]["csv"]
    assert beside == str(tmp_path / "flowers.csv")
    with pytest.raises(ConfigError, match=r"no file lost\.csv in .*presets nor in"):
        read(own, entry(own, "data.csv"), "lost.csv")
    monkeypatch.setattr("nntui.presets.text_files._closed", "no files here")
    for path in ("own.csv", "lost.csv"):
        with pytest.raises(ConfigError, match=f"{path}: no files here$"):
            read(own, entry(own, "data.csv"), path)
    assert not any("csv" in each.words.lower() for each in options(own, entry(own, "data.source")))
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers.csv").unlink()
    with pytest.raises(ConfigError, match="there is no such file"):
        column_choices(flowers, entry(flowers, "data.input_columns"))


@pytest.mark.parametrize("source", ["table", "formula", "moons", "spiral"])
def test_every_source_of_data_fits_any_network(flowers: Preset, source: str) -> None:
    for preset in (flowers, load_preset("line-tanh"), load_preset("square-fixed")):
        made = override(preset, chosen(preset, "data.source", source))
        assert source_of(made) in (source, "set", "table")
        entries = {each.key: each for each in preset_entries(made, 0)}
        limited = [key for key in SOURCES if not entries[f"data.{key}"].needs]
        assert [SOURCES[key] for key in limited] == [source_of(made)]
        assert all(entries[f"data.{each}"].needs for each in ("classes_from", "delimiter"))


def test_more_classes_of_a_set_bring_the_columns_and_the_output_layer() -> None:
    preset = load_preset("xor-sigmoid")
    rings = override(preset, chosen(preset, "data.source", "circles"))
    made = override(rings, read(rings, entry(rings, "data.classes"), "3"))
    last = made.configuration.layers[-1]
    assert (made.configuration.data.one_hot, last.units, last.activation) == (True, 3, "softmax")
    two = override(made, read(made, entry(made, "data.classes"), "2"))
    assert two.configuration.data.outputs == two.configuration.layers[-1].units == 2
    one = override(two, chosen(two, "data.one_hot", "false"))
    assert one.configuration.layers[-1].activation == "sigmoid"
    assert one.configuration.training.loss == "binary-cross-entropy"


def test_an_entry_without_an_effect_says_what_it_needs() -> None:
    needs = {each.key: each.needs for each in preset_entries(load_preset("add-relu"), 0)}
    assert needs["training.momentum"] == needs["training.learning_rate"] == ""
    assert needs["training.rho"] == "the optimiser rmsprop"
    assert needs["training.schedule_decay"] == "a schedule other than constant"
    assert needs["training.draws"] == "order random"
    assert needs["layers.0.kink"] == needs["layers.0.bias_scale"] == ""
    assert needs["layers.0.leak"] == "the activation leaky-relu"
    assert needs["layers.0.low"] == "init uniform"
    assert needs["report.when"] == "rows all"
    assert needs["faults.0.factor"] == "the fault wrong-factor"
    assert needs["data.classes"] == "a set"
    adam = override(load_preset("add-relu"), {"training.optimiser": "adam"})
    assert entry(adam, "training.momentum").needs == "the optimiser sgd or nesterov"
    assert entry(adam, "training.beta1").needs == ""


def test_the_rows_of_a_table_are_edited_together_and_may_become_more() -> None:
    preset = load_preset("xor-sigmoid")
    inputs = entry(preset, "data.inputs")
    text = rows_text(preset, inputs)
    assert text.splitlines()[1] == "0, 1 -> 1"
    assert override(preset, read_rows(preset, inputs, text)).configuration == preset.configuration
    pasted = "a\tb\ty\n0.5\t-1\t1\n\n1e-3\t2\t0\n"
    made = override(preset, read_rows(preset, inputs, pasted)).configuration.data
    assert made.inputs is not None
    assert made.inputs.tolist() == [[0.5, -1.0], [0.001, 2.0]]
    assert (made.input_names, made.target_names) == (("a", "b"), ("y",))
    two = override(preset, read_rows(preset, inputs, "a, b -> c, d\n1, 2 -> 3, 4"))
    assert two.configuration.layers[-1].units == 2
    assert two.configuration.data.target_names == ("c", "d")
    for wrong, said in (
        ("", "at least one row"),
        ("1, x -> 2", "line 1: 'x' is not a number"),
        ("1, 2 -> 3\n1 -> 3", "line 2 has 1 inputs where the first row has 2"),
        ("1, 2 ->", "line 1 has no targets"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            read_rows(preset, inputs, wrong)
    drawn = override(preset, chosen(preset, "data.source", "moons"))
    typed = read_rows(drawn, entry(drawn, "data.inputs"), "1, 2 -> 0\n3, 4 -> 1")
    assert override(drawn, typed).configuration.data.rows == 2
    probe = entry(preset, "data.probe")
    assert read_rows(preset, probe, "0, 1\n1 1") == {"data.probe": [[0.0, 1.0], [1.0, 1.0]]}
    assert read_rows(preset, probe, " ") == {"data.probe": None}
