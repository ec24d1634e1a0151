"""``--set`` mends a file that is refused without it, and weakens no message."""

from pathlib import Path

import pytest
from commands import command, printed, refused

import nntui
from nntui.presets import load_preset

MENDED = [
    ("rate = 0.01", 'rate = "fast"', ("training.learning_rate=0.01",)),
    ("learning_rate = 0.01\n", "", ("training.learning_rate=0.01",)),
    ("units = 4\nactivation", "units = -4\nactivation", ("layers.0.units=4", "layers.1.units=4")),
    ("[goal]\nloss = 1e-3\nepochs = 5000\n", "", ("goal.loss=0.001", "goal.epochs=5000")),
    ('"bias-decay"', '"bias-decai"', ("faults.0.name=bias-decay",)),
    ("[training]", "[training]\nmomentum = 2", ("training.momentum=0.0",)),
    (
        "units = 4\nactivation",
        "units = 4\nW = [[1, 2, 3]]\nactivation",
        ("layers.0.init=normal", "layers.1.init=normal"),
    ),
]


def broken(tmp_path: Path, old: str, new: str) -> str:
    """A file with what `old` is in add-relu replaced."""
    text = command("show", "add-relu").stdout
    assert old in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(("old", "new", "changes"), MENDED)
def test_a_refused_entry_is_mended_by_setting_it(
    old: str, new: str, changes: tuple[str, ...], tmp_path: Path
) -> None:
    file = broken(tmp_path, old, new)
    assert refused("run", file).startswith(f"nntui: {file}: ")
    sets = [word for each in changes for word in ("--set", each)]
    how = ("--updates", "3", "--json")
    again = printed("run", file, *sets, *how)
    assert again == {**printed("run", "add-relu", *how), "preset": "mine"}


def test_a_csv_that_is_not_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "right.csv").write_text("x,y\n1,2\n2,4\n", encoding="utf-8")
    file = tmp_path / "mine.toml"
    text = command("show", "square-fixed").stdout
    begin, end = text.index("[data]"), text.index("[[layers]]")
    data = '[data]\ncsv = "wrong.csv"\ninput_columns = ["x"]\ntarget_columns = ["y"]\n'
    file.write_text(text[:begin] + data + text[end:], encoding="utf-8")
    how = ("--epochs", "2", "--json")
    assert "wrong.csv" in refused("run", str(file))
    assert printed("run", str(file), "--set", "data.csv=right.csv", *how)["epochs"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # What is wrong with the change, as of a file that is valid.
        ("training.learning_rate=slow", "nntui: training.learning_rate: must be"),
        ("training.learning_rat=0.1", "nntui: training.learning_rat: 'learning_rat' is not known"),
        ("layers.7.units=3", "nntui: layers.7.units: layers has entries 0 to 2"),
        ("nonsense.x=1", "nntui: nonsense: 'nonsense' is not known"),
        # The rest is the file's.
        ("training.momentum=0.5", "mine.toml: training.learning_rate: must be"),
        # A misspelt key is in the file, and setting another one leaves it there.
        ("goal.loss=0.5", "mine.toml: training.learning_rate: must be"),
    ],
)
def test_what_is_not_mended_is_said_where_it_is(change: str, said: str, tmp_path: Path) -> None:
    file = broken(tmp_path, "rate = 0.01", 'rate = "fast"')
    assert said in refused("run", file, "--set", change)


def test_a_misspelt_key_stays_refused(tmp_path: Path) -> None:
    file = broken(tmp_path, "learning_rate", "learning_rat")
    said = refused("run", file, "--set", "training.learning_rate=0.01")
    assert said.startswith(f"nntui: {file}: training.learning_rat: ")
    assert "did you mean learning_rate" in said


def test_a_library_takes_the_changes_too(tmp_path: Path) -> None:
    file = broken(tmp_path, "rate = 0.01", 'rate = "fast"')
    mended = load_preset(file, {"training.learning_rate": 0.01})
    assert mended.configuration == load_preset("add-relu").configuration
    with pytest.raises(nntui.ConfigError):
        load_preset(file)
