"""CSV files: what is read becomes a table, and what cannot be read is named by line and column."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nntui
from nntui.cli import commands
from nntui.core.settings.data_settings import MOST_ROWS, Data
from nntui.presets import Preset, csv_data, load_preset, read_preset
from nntui.presets.preset_table import table_of
from nntui.presets.schema import override
from nntui.timeline import Snapshot

HEADER = "id,a,b,y,kind\n"
GOOD = HEADER + "1,0,0.5,1,red\n2,1,-1e-1,2,blue\n3,4,.25,3,red\n"
PRESET = """
[data]
csv = "rows.csv"
input_columns = ["a", "b"]
target_columns = ["y"]
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a preset ``my.toml`` and the ``rows.csv`` that it reads."""
    (tmp_path / "my.toml").write_text(PRESET)
    (tmp_path / "rows.csv").write_text(GOOD)
    return tmp_path


def load(folder: Path, text: str | bytes = GOOD, **changes: Any) -> Preset:
    """The preset of ``folder`` with another file's text, and keys of ``[data]`` changed."""
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "rows.csv").write_bytes(GOOD.encode())
    preset = load_preset(str(folder / "my.toml"))
    (folder / "rows.csv").write_bytes(content)
    source = table_of(preset)
    source["data"] = {**source["data"], **changes}
    for key in [key for key, value in changes.items() if value is None]:
        del source["data"][key]
    if "classes_from" in changes:
        source["layers"] = [{"units": 2, "activation": "softmax"}]
    return read_preset("my", source, preset.folder)


def refused(folder: Path, text: str | bytes = GOOD, **changes: Any) -> str:
    """The one line with which it is refused."""
    with pytest.raises(nntui.ConfigError) as caught:
        load(folder, text, **changes)
    said = str(caught.value)
    assert said.isprintable()
    assert said.startswith("data.")
    return said


def table(preset: Preset) -> Data:
    return preset.configuration.data


def test_the_named_columns_become_a_table(folder: Path) -> None:
    preset = load_preset(str(folder / "my.toml"))
    assert table(preset) == Data(
        inputs=((0.0, 0.5), (1.0, -0.1), (4.0, 0.25)),
        targets=((1.0,), (2.0,), (3.0,)),
        input_names=("a", "b"),
        target_names=("y",),
    )
    assert nntui.Run(preset).step(2).loss is not None


def test_columns_come_in_the_order_they_are_named(folder: Path) -> None:
    data = table(load(folder, input_columns=["y", "a"], target_columns=["b"]))
    assert list(data.inputs) == [(1.0, 0.0), (2.0, 1.0), (3.0, 4.0)]
    assert list(data.targets) == [(0.5,), (-0.1,), (0.25,)]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.rstrip("\n"),
        "\n" + GOOD.replace("\n", "\n\n") + "  \n\n",
        GOOD.replace(",", ", "),
        GOOD.replace("a,b", '"a", "b"').replace("0.5", '" 0.5 "'),
        GOOD.replace("red", '"red, and\nmore"'),
        GOOD.replace("id,", ",").replace("kind", ""),
        GOOD.replace("0.5", "5e-1"),
    ],
    ids=["bom", "crlf", "cr", "no-end", "empty", "spaced", "quoted", "lines", "nameless", "e"],
)
def test_the_ways_in_which_files_are_written(folder: Path, text: str) -> None:
    assert table(load(folder, text)) == table(load(folder))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_another_delimiter(folder: Path, delimiter: str) -> None:
    data = table(load(folder, GOOD.replace(",", delimiter), delimiter=delimiter))
    assert data == table(load(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "1,,0.5,1,red\n", "rows.csv line 2, column 'a': the cell is empty"),
        (GOOD + "4,1, ,1,red\n", "rows.csv line 5, column 'b': the cell is empty"),
        (GOOD + "\n\n4,one,1,1,red\n", "line 7, column 'a': 'one' is not a number"),
        (GOOD + "4,1_000,1,1,red\n", "line 5, column 'a': '1_000' is not a number"),
        (GOOD + '4,"1,5",1,1,red\n', "'1,5' is not a number (decimals take a point)"),
        (GOOD + "4,1,1,nan,red\n", "line 5, column 'y': 'nan' is not finite"),
        (GOOD + "4,1,-inf,1,red\n", "line 5, column 'b': '-inf' is not finite"),
        (GOOD + "4,1,1e999,1,red\n", "line 5, column 'b': '1e999' is not finite"),
        (GOOD + "4,1,1,1\n", "line 5: has 4 cells where the header has 5"),
        (GOOD + "4,1,1,1,red,\n", "line 5: has 6 cells where the header has 5"),
        (GOOD.replace("red", '"a\nb"', 1) + "4,x,1,1,red\n", "line 6, column 'a'"),
        ("", "rows.csv: is empty; a header line"),
        ("\n \n", "rows.csv: is empty; a header line"),
        (HEADER, "rows.csv: has a header and no rows below it"),
        ("1,0,0.5,1,2\n", "line 1: holds numbers; the first line must name the columns"),
        ("id,a,a,y,kind\n1,2,3,4,5\n", "line 1: names the column 'a' twice"),
        (GOOD + '4,"1,1,1,red\n', "line 5: cannot be read: unexpected end of data"),
        (GOOD + '4,"1"1,1,1,red\n', "line 5: cannot be read: ',' expected after '\"'"),
        (GOOD + f"4,{'1' * 200_000},1,1,red\n", "line 5: cannot be read: field larger than"),
        (GOOD.encode("utf-16"), "rows.csv: is not UTF-8 text (byte 0)"),
        (GOOD.encode() + b"4,\xe9,1,1,red\n", f"is not UTF-8 text (byte {len(GOOD) + 2})"),
        (b"\0" * 100, "rows.csv: has no column 'a'"),
    ],
)
def test_what_is_no_table_is_refused_by_line_and_column(
    folder: Path, text: str | bytes, said: str
) -> None:
    assert said.removeprefix("rows.csv: has no") in refused(folder, text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input_columns": ["A", "b"]}, "data.input_columns: rows.csv has no column 'A'"),
        ({"input_columns": ["kinds", "b"]}, "no column 'kinds'; did you mean kind?"),
        ({"input_columns": ["nothing"]}, "no column 'nothing'; it has id, a, b, y, kind"),
        ({"input_columns": [""]}, "no column ''"),
        ({"input_columns": "a"}, "data.input_columns: must be a list of texts"),
        ({"input_columns": []}, "data.input_columns: is missing"),
        ({"input_columns": None}, "data.input_columns: is missing"),
        ({"input_columns": ["a", "a"]}, "data.input_columns: names 'a' twice"),
        ({"target_columns": None}, "data.target_columns: is missing"),
        ({"target_columns": ["z"]}, "data.target_columns: rows.csv has no column 'z'"),
        ({"classes_from": "kind"}, "data.classes_from: and target_columns exclude each other"),
        ({"classes_from": "knd", "target_columns": None}, "did you mean kind?"),
        ({"delimiter": ";"}, "no column 'a'; it has id,a,b,y,kind"),
        ({"delimiter": ";;"}, "data.delimiter: must be one character"),
        ({"delimiter": ""}, "data.delimiter: must be one character"),
        ({"delimiter": '"'}, "data.delimiter: must be one character"),
        ({"delimiter": "\n"}, "data.delimiter: must be one character"),
        ({"csv": ""}, "data.csv: must be the path of a file"),
        ({"csv": 5}, "data.csv: must be a text"),
        ({"csv": "none.csv"}, "none.csv: there is no such file"),
        ({"csv": "."}, "is not a regular file"),
        ({"csv": "x" * 5000}, "there is no such file"),
        ({"csv": "a\0b"}, "data.csv: "),
        ({"csv": "/dev/zero"}, "data.csv: /dev/zero: is not a regular file"),
        ({"csv": None}, "data.input_columns: needs a csv, and none is given"),
        ({"csv": None, "formula": "x"}, "data.input_columns: needs a csv"),
        ({"formula": "x"}, "data.formula: conflicts with the csv"),
        ({"inputs": [[1]], "targets": [[1]]}, "data.inputs: conflicts with the csv"),
        ({"samples": 5}, "data.samples: does not belong to a table"),
        ({"noise": 1.0}, "data.noise: does not belong to a table"),
        ({"input_colums": ["a"]}, "data.input_colums: .*did you mean input_columns"),
        ({"classes_form": "kind"}, "data.classes_form: .*did you mean classes_from"),
        ({"csvs": "x"}, "data.csvs: .*did you mean csv"),
    ],
)
def test_a_wrong_entry_is_refused_under_its_key(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    before, _, after = said.partition(".*")
    found = refused(folder, **changes)
    assert before in found
    assert after in found


def test_columns_without_a_csv_are_refused() -> None:
    source = table_of(load_preset("add-relu"))
    with pytest.raises(nntui.ConfigError, match=r"^data\.inputs: is missing: .* a set, or a csv"):
        read_preset("empty", {**source, "data": {}})
    for key, value in (("classes_from", "kind"), ("delimiter", ";"), ("target_columns", ["y"])):
        with pytest.raises(nntui.ConfigError, match=rf"^data\.{key}: needs a csv"):
            read_preset("mixed", {**source, "data": {**source["data"], key: value}})


def test_a_file_that_is_too_large_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "rows.csv").open("ab") as file:
        file.truncate(csv_data.LARGEST_CSV + 1)
    with pytest.raises(nntui.ConfigError, match=r"rows\.csv: is larger than 16 MiB"):
        load_preset(str(folder / "my.toml"))
    monkeypatch.setattr(csv_data, "MOST_ROWS", 3)
    assert len(table(load(folder)).targets or ()) == 3
    assert "rows.csv: has more than 3 rows" in refused(folder, GOOD + "4,1,1,1,red\n")
    assert MOST_ROWS == 1_000_000


def test_a_file_that_may_not_be_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = load_preset(str(folder / "my.toml"))

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(nntui.ConfigError, match=r"rows\.csv: cannot be read \(Permission denied"):
        override(preset, {"data.delimiter": ";"})


def test_classes_become_one_column_each_in_the_order_of_their_texts(folder: Path) -> None:
    data = table(load(folder, classes_from="kind", target_columns=None))
    assert list(data.targets) == [(0.0, 1.0), (1.0, 0.0), (0.0, 1.0)]
    numbered = GOOD.replace("red", "10").replace("blue", "9")
    assert table(load(folder, numbered, classes_from="kind", target_columns=None)) == Data(
        inputs=data.inputs,
        targets=((1.0, 0.0), (0.0, 1.0), (1.0, 0.0)),
        input_names=data.input_names,
        target_names=("10", "9"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("blue", "red"), "rows.csv, column 'kind': has only one class, 'red'"),
        (GOOD + "4,1,1,1,\n", "line 5, column 'kind': the cell is empty"),
        (
            HEADER + "".join(f"1,1,1,1,k{at}\n" for at in range(1001)),
            "column 'kind': has more than 1,000 classes",
        ),
    ],
)
def test_what_makes_no_classes_is_refused(folder: Path, text: str, said: str) -> None:
    assert said in refused(folder, text, classes_from="kind", target_columns=None)


def test_targets_that_cannot_be_held_are_refused_before_they_are_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_data, "MOST_NUMBERS", 15)
    said = refused(folder, classes_from="kind", target_columns=None)
    assert "would create 6 targets, more than are allowed" in said


def test_core_scales_and_splits_what_was_read(folder: Path) -> None:
    rows = "".join(f"{at},{at},{at * at},{2 * at},red\n" for at in range(20))
    preset = load(
        folder,
        HEADER + rows,
        scale_inputs="standard",
        scale_targets="minmax",
        test_share=0.25,
        constant_inputs=[1],
    )
    run = nntui.Run(preset)
    data = Snapshot.of(run)
    assert data.inputs.shape == (3, 15)
    np.testing.assert_allclose(data.inputs[:2].mean(axis=1), 0, atol=1e-12)
    assert (data.inputs[2] == 1).all()
    assert (data.targets.min(), data.targets.max()) == (0, 1)


def test_an_override_keeps_the_table_and_finds_the_file_from_anywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(folder)
    preset = load_preset("my.toml" if os.sep == "\\" else "./my.toml")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    changed = override(preset, {"training.learning_rate": 0.5, "data.input_columns": ["b", "a"]})
    assert changed.csv_source.csv == "rows.csv"
    assert "inputs" not in table_of(changed)["data"]
    assert list(table(changed).inputs or ()) == [(0.5, 0.0), (-0.1, 1.0), (0.25, 4.0)]
    back = override(changed, {"training.learning_rate": 0.01, "data.input_columns": ["a", "b"]})
    assert back == preset
    (folder / "other.csv").write_text(GOOD + "4,1,1,1,red\n")
    assert table(override(preset, {"data.csv": "other.csv"})).rows == 4


def test_where_a_path_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = table_of(load_preset(str(folder / "my.toml")))
    monkeypatch.chdir(folder)
    assert table(read_preset("mine", source)).rows == 3
    monkeypatch.chdir("/")
    with pytest.raises(nntui.ConfigError, match="there is no such file"):
        read_preset("mine", source)
    absolute = {**source["data"], "csv": str(folder / "rows.csv")}
    assert table(read_preset("mine", {**source, "data": absolute})).rows == 3


def test_the_same_rows_are_the_same_run(folder: Path) -> None:
    preset = load_preset(str(folder / "my.toml"))
    data = table(preset)
    written = {**table_of(preset), "data": {"inputs": data.inputs, "targets": data.targets}}
    runs = nntui.Run(preset), nntui.Run(read_preset("written", written))
    for run in runs:
        run.step(5)
    assert runs[0].state_hash == runs[1].state_hash


def test_from_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(folder / "my.toml")
    commands.main(["run", path, "--set", 'data.target_columns=["b"]'], standalone_mode=False)
    assert "goal" in capsys.readouterr().out
    (folder / "rows.csv").write_text(GOOD + "4,x,1,1,red\n")
    with pytest.raises(nntui.ConfigError) as caught:
        commands.main(["run", path], standalone_mode=False)
    said = "data.csv: rows.csv line 5, column 'a': 'x' is not a number"
    assert str(caught.value) == f"{path}: {said}"
    commands.main(["show", path], standalone_mode=False)
    assert 'csv = "rows.csv"' in capsys.readouterr().out
