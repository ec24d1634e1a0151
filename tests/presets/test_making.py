"""Presets made for data of one's own: what the columns hold, and which network they get."""

import tomllib
from pathlib import Path

import pytest

import nntui
from nntui.core.errors import ConfigError
from nntui.core.parts.datasets import DATASETS
from nntui.presets.making.csv_columns import CsvColumns, look_at_csv
from nntui.presets.making.first_preset import file_of, for_columns, for_set, hidden_layers
from nntui.presets.preset import Preset
from nntui.presets.schema import read_preset
from nntui.presets.writer import toml_of
from nntui.timeline.views.outputs import CONFUSION, CURVE, SURFACE, TABLE, output_kinds

FLOWERS = """\
plant;petal;sepal;species;grown
1;1.5;5.1;red;0
2;4.5;6.0;white;1
3;5.5;6.9;blue;1
4;1.4;5.0;red;0
"""


@pytest.fixture
def flowers(tmp_path: Path) -> CsvColumns:
    (tmp_path / "flowers.csv").write_text(FLOWERS)
    return look_at_csv(tmp_path / "flowers.csv")


def made(found: CsvColumns, target: str, hidden: str = "8 tanh") -> Preset:
    """The preset that learns ``target`` from the inputs that are offered."""
    tables = for_columns(found, found.inputs_for(target), target, hidden_layers(hidden))
    return read_preset("flowers", tomllib.loads(toml_of(tables)), found.path.parent)


def test_the_columns_are_told_by_what_they_hold(flowers: CsvColumns) -> None:
    assert (flowers.delimiter, flowers.rows) == (";", 4)
    assert [each.in_words for each in flowers.columns] == [
        "numbers from 1 to 4",
        "numbers from 1.4 to 5.5",
        "numbers from 5 to 6.9",
        "3 texts: blue, red, white",
        "0 and 1: two classes",
    ]
    assert flowers.inputs_for("species") == ["petal", "sepal", "grown"], "plant numbers the rows"
    petal = flowers.columns[1]
    assert petal.mean == pytest.approx(3.225)
    assert petal.variance == pytest.approx(3.276875)


def test_the_task_follows_from_the_target(flowers: CsvColumns) -> None:
    expected = {
        "species": ("3-8-3", "softmax", "categorical-cross-entropy"),
        "grown": ("2-8-1", "sigmoid", "binary-cross-entropy"),
        "sepal": ("2-8-1", "identity", "squared-error"),
    }
    for target, (network, activation, loss) in expected.items():
        preset = made(flowers, target)
        configuration = preset.configuration
        assert preset.network.startswith(network), target
        assert configuration.layers[-1].activation == activation
        assert configuration.training.loss == configuration.report.loss == loss
        run = nntui.Run(preset, seed=0)
        run.step(50)
        assert run.loss < run.losses[0], target
    assert made(flowers, "sepal").goal.loss == pytest.approx(0.05 * 0.5925, rel=0.02)


def test_the_story_tells_of_what_the_data_shows(flowers: CsvColumns, tmp_path: Path) -> None:
    told = {
        CURVE: "as a curve",
        SURFACE: "Each place has the colour",
        CONFUSION: "a column what its rows are taken for",
        TABLE: "Row by row",
    }
    rows = "".join(f"{at},{at % 7},{at * at},{at % 2},{'ab'[at % 2]}\n" for at in range(60))
    (tmp_path / "long.csv").write_text(f"one,two,three,flag,kind\n{rows}")
    for found in (flowers, look_at_csv(tmp_path / "long.csv")):
        names = [each.name for each in found.columns if each.is_numeric]
        for target in (each.name for each in found.columns):
            for count in (1, 2, 3):
                inputs = [name for name in names if name != target][:count]
                tables = for_columns(found, inputs, target, ())
                preset = read_preset("a", tomllib.loads(toml_of(tables)), found.path.parent)
                see = preset.story.steps[1].see
                assert told[output_kinds(nntui.Run(preset))[0]] in see
                assert ("testing" in see) == (found.rows >= 50)
    see = made(flowers, "sepal").story.steps[0].see
    assert "status line at the top says solved" in see
    assert "squared error of 0.03, is a typical miss of about 0.17" in see
    assert "about 0.77" in see, "the standard deviation"
    assert "about 0.9 for the right class" in made(flowers, "grown").story.steps[0].see


def test_the_hidden_layers_are_those_that_are_named(flowers: CsvColumns) -> None:
    layers = made(flowers, "grown", "8 relu, 4, 2 tanh").configuration.layers
    assert [(x.units, x.activation, x.init) for x in layers] == [
        (8, "relu", "he"),
        (4, "relu", "he"),
        (2, "tanh", "xavier"),
        (1, "sigmoid", "xavier"),
    ]
    assert hidden_layers("  ") == []
    for wrong in ("tanh", "0 tanh", "8 thanh", "8 softmax", "1e3 tanh", "9" * 4000, "8,-1"):
        with pytest.raises(ConfigError):
            hidden_layers(wrong)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_has_a_preset(name: str) -> None:
    tables = for_set(name, hidden_layers("3"))
    preset = read_preset(name, tomllib.loads(toml_of(tables)))
    assert preset.network.startswith("2-3-1")


def test_what_cannot_be_learned_is_said(flowers: CsvColumns, tmp_path: Path) -> None:
    for inputs in ([], ["species"], ["nothing"], ["grown"]):
        with pytest.raises(ConfigError):
            for_columns(flowers, inputs, "grown", ())
    for text in ("", "a,b\n", "a,b\n1,2\n", "1,2\n3,4\n", "a,b\n1,2\n3\n", "a,a\n1,2\n3,4\n"):
        (tmp_path / "wrong.csv").write_text(text)
        with pytest.raises(ConfigError, match="csv"):
            look_at_csv(tmp_path / "wrong.csv")
    (tmp_path / "same.csv").write_text("a,b,c\n1,2,x\n2,2,x\n")
    same = look_at_csv(tmp_path / "same.csv")
    for target in ("b", "c"):
        with pytest.raises(ConfigError):
            for_columns(same, ["a"], target, ())


def test_columns_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    rows = "5,2;1;x;1e308;1\n6,1;;y;-1e308;1\n7,3;3;x;1e308;1\n8;4;y;2;n/a\n"
    (tmp_path / "odd.csv").write_text(f"comma;gap;kind;huge;most\n{rows}")
    odd = look_at_csv(tmp_path / "odd.csv")
    assert [each.problem for each in odd.columns] == [
        "its decimals have a comma; a point is needed",
        "the cell in line 3 is empty",
        "",
        "it holds numbers that are too large",
        "'n/a' in line 5 is not a number",
    ]
    assert odd.inputs_for("kind") == []
    for name in ("comma", "gap", "huge", "most"):
        with pytest.raises(ConfigError, match="cannot be used"):
            for_columns(odd, [name], "kind", ())


def test_a_file_that_is_there_is_not_offered(tmp_path: Path) -> None:
    assert file_of(tmp_path / "a.csv").name == "a.toml"
    (tmp_path / "a.toml").touch()
    assert file_of(tmp_path / "a.csv").name == "a-2.toml"
