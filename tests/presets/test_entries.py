"""Every entry of a preset is listed, read back as it is written, and refused where it is wrong."""

import math
import re
from pathlib import Path

import pytest

from nntui.catalogue import catalogue
from nntui.core.errors import ConfigError
from nntui.presets import Preset, load_preset, preset_names, read_preset
from nntui.presets.entries import (
    NOT_SET,
    PresetEntry,
    options,
    preset_entries,
    read,
    removal,
    value_at,
)
from nntui.presets.preset_table import changes_in_brief, plain_values, table_of
from nntui.presets.schema import override

LIBRARY = [load_preset(name) for name in preset_names()]
FAULTY = override(
    load_preset("add-relu"),
    {"faults": ["bias-decay", {"name": "wrong-factor", "factor": 3.0, "layers": [0, 1]}]},
)


def entry(preset: Preset, key: str) -> PresetEntry:
    return next(each for each in preset_entries(preset, preset.seed) if each.key == key)


def test_every_declared_entry_is_listed() -> None:
    listed = {re.sub(r"\.\d+", ".N", each.key) for each in preset_entries(FAULTY, 0)}
    declared = {each.key for each in catalogue("keys") if not each.key.startswith("story")}
    assert declared <= listed


@pytest.mark.parametrize("preset", [*LIBRARY, FAULTY], ids=lambda preset: preset.name)
def test_what_is_written_is_read_as_what_it_is(preset: Preset) -> None:
    for each in preset_entries(preset, preset.seed):
        if each.adds or options(preset, each) or (each.value is None and each.depth == 0):
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
        for words, changes in options(preset, each):
            try:
                made = override(preset, changes)
            except ConfigError as error:
                refused.append(str(error))
                continue
            taken += 1
            if not each.adds and not each.key.startswith("faults"):
                found = entry(made, each.key)
                assert found.text == words or (words == NOT_SET and not found.given)
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
    made = override(preset, dict(options(preset, entry(preset, "data.set")))["moons"])
    assert (made.configuration.data.set, made.configuration.data.targets) == ("moons", None)


def test_another_fault_keeps_only_what_it_can_take() -> None:
    changed = dict(options(FAULTY, entry(FAULTY, "faults.1.name")))["frozen-bias"]
    assert changed == {"faults": ["bias-decay", {"name": "frozen-bias", "layers": [0, 1]}]}
    bare = read(FAULTY, entry(FAULTY, "faults.1.layers"), "")
    assert bare["faults"][1] == {"name": "wrong-factor", "factor": 3.0}
    whole = read(FAULTY, entry(FAULTY, "faults.0"), '"wrong-sign"')
    assert [each.name for each in override(FAULTY, whole).configuration.faults] == [
        "wrong-sign",
        "wrong-factor",
    ]


def test_faults_and_layers_are_added_and_taken_away() -> None:
    added = dict(options(FAULTY, entry(FAULTY, "faults.add")))["wrong-sign"]
    assert [each.name for each in override(FAULTY, added).configuration.faults] == [
        "bias-decay",
        "wrong-factor",
        "wrong-sign",
    ]
    gone = removal(FAULTY, entry(FAULTY, "faults.1.factor"))
    assert gone == {"faults": ["bias-decay"]}
    ((_, one_more),) = options(FAULTY, entry(FAULTY, "layers.add"))
    assert override(FAULTY, one_more).network.startswith("2-4-4-4-1")
    fewer = removal(FAULTY, entry(FAULTY, "layers.0"))
    assert fewer is not None
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
        _ = found.written


def test_a_csv_file_brings_the_target_the_losses_and_the_output_layer_that_belong_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{at},{at % 3},{'abc'[at % 3]}\n" for at in (3, 9, 4, 1, 8, 2))
    (tmp_path / "mine.csv").write_text("one,two,kind\n" + rows)
    monkeypatch.chdir(tmp_path)
    preset = load_preset("xor-sigmoid")  # its own folder is that of the installed package
    chosen = entry(preset, "data.csv")
    made = override(preset, read(preset, chosen, "mine.csv"))
    configuration = made.configuration
    assert configuration.data.input_names == ("one", "two")
    assert configuration.data.target_names == ("a", "b", "c")
    assert (configuration.layers[-1].units, configuration.layers[-1].activation) == (3, "softmax")
    assert configuration.training.loss == configuration.report.loss == "categorical-cross-entropy"
    with pytest.raises(ConfigError, match=r"data\.csv: none\.csv"):
        read(preset, chosen, "none.csv")


def test_a_fault_is_offered_once_and_a_change_is_told_without_python() -> None:
    offered = [words for words, _ in options(FAULTY, entry(FAULTY, "faults.add"))]
    present = {each.name for each in FAULTY.configuration.faults}
    assert offered
    assert not present & set(offered)
    layers = table_of(FAULTY)["layers"]
    told = changes_in_brief({"layers": layers, "training.learning_rate": 0.5, "data.one_hot": True})
    assert told == f"layers {len(layers)} entries, learning_rate 0.5, one_hot true"
