"""Commands that nntui prints run as they are printed, and mean what was typed."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command, parsed, printed
from hypothesis import given
from hypothesis import strategies as st
from support import made
from support import preset as changed

import nntui
from nntui.diagnosis.answer_text import render_answer
from nntui.diagnosis.why import why
from nntui.presets import encode, load_preset
from nntui.presets.command_line import command_of, read_set, set_text
from nntui.presets.preset import Preset
from nntui.presets.schema import override

NAMES = ("mine.toml", "a b/0 7.toml", "it's $HOME;`x`.toml", "-x.toml", "π.toml")
FIX = {
    "layers.0.bias": "per-unit",
    "faults": [{"name": "derivative", "of": "1 + z", "layers": [0]}],
    "layers.1.slope": None,
}

texts = st.text(st.characters(exclude_categories=["C"]), max_size=12)
scalars = st.booleans() | st.integers(-(10**9), 10**9) | texts
values = scalars | st.floats(allow_nan=False) | st.lists(st.lists(st.integers(0, 9)), min_size=1)


def ran(asked: Preset, changes: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """What the printed command gives; it is only told to stop at once, and to print JSON."""
    program, *words = shlex.split(" ".join(command_of("run", asked, changes, seed)))
    assert program == "nntui"
    return printed(*words, "--updates", "3", "--json")


def first_hash(asked: Preset, changes: Mapping[str, Any], seed: int | None) -> str:
    run = nntui.Run(override(asked, changes), seed)
    run.step(3)
    return run.state_hash


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_named_by_its_path(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        pytest.skip("files cannot have such names in this locale")
    monkeypatch.chdir(tmp_path)
    file = Path(name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(command("show", "line-leaky-relu").stdout, encoding="utf-8")
    asked = load_preset(name, {"training.momentum": 0.5})
    assert ran(asked, FIX, 3)["state_hash"] == first_hash(asked, FIX, 3)


def test_a_string_is_repeated_and_a_preset_of_a_program_becomes_one() -> None:
    text = encode(load_preset("line-leaky-relu"))
    for asked in (load_preset(text), made_by_a_program()):
        assert ran(asked, {"training.momentum": 0.5}, None)["seed"] == asked.seed
    assert command_of("run", load_preset(text))[0] == f"nntui run {text}"


def test_a_preset_of_a_program_may_be_too_large_for_a_command() -> None:
    numbers = np.random.RandomState(0).rand(20_000, 1).tolist()
    large = made_by_a_program(inputs=numbers, targets=numbers)
    assert command_of("run", large, {"seed": 1}) == ["nntui run FILE.toml", "--set seed=1"]


def made_by_a_program(**data: Any) -> Preset:
    data = data or {"inputs": [[1.0]], "targets": [[2.0]]}
    training = {"loss": "squared-error", "learning_rate": 0.1}
    return made({"data": data, "layers": [{"units": 1}], "training": training, "seed": 4})


def test_what_was_typed_comes_back_once_and_the_fix_has_the_last_word() -> None:
    asked = load_preset("add-relu", {"training.momentum": 0.5, "layers.0.units": 8, "seed": 5})
    fix = {"training.momentum": 0.9, "layers": [{"units": 1}]}
    assert command_of("run", asked, fix) == [
        "nntui run add-relu",
        "--set seed=5",
        "--set training.momentum=0.9",
        "--set 'layers=[{ units = 1 }]'",
    ]
    assert command_of("run", asked, {}, 5)[0] == "nntui run add-relu"
    assert command_of("run", asked, {}, 0)[:2] == ["nntui run add-relu --seed 0", *_sets(asked)[:1]]
    assert command_of("run", changed("add-relu", faults=[])) == [
        "nntui run add-relu",
        "--set 'faults=[]'",
    ]


def _sets(asked: Preset) -> list[str]:
    return [each for each in command_of("run", asked)[1:] if "seed" not in each]


@given(values | st.none())
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    again = read_set(f"a.key={set_text(value)}")
    assert again == ("a.key", value)
    assert type(again[1]) is type(value)


def test_an_entry_is_unset_by_no_value() -> None:
    with_slope = ("--set", "layers.1.slope=1", "--set", "layers.1.slope=")
    plain = printed("run", "line-tanh", "--updates", "2", "--json")
    assert printed("run", "line-tanh", *with_slope, "--updates", "2", "--json") == plain


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["toml"])
def test_what_why_proposes_runs_in_the_same_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "the asker's files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    scenario = load_preset("line-leaky-relu-edited", {"goal.loss": 1.0})
    Path("0 7.toml").write_text(command("show", "line-leaky-relu-edited").stdout, encoding="utf-8")
    run = nntui.Run(scenario)
    run.step(30)
    run.save("0 7.nntui")
    if kind == "toml":
        asked: Preset | nntui.Run = load_preset("0 7.toml", {"goal.epochs": 1500, "goal.loss": 1.0})
    else:
        asked = nntui.load_session("0 7.nntui").fork(**{"goal.epochs": 1500})
    answer = why(asked, None if kind == "nntui" else 3, seeds=6, seconds=3600.0, workers=0)
    lines = render_answer(answer).split("Try it", 1)[1].split("\n")
    count = next(at for at, line in enumerate(lines) if not line.endswith("\\")) + 1
    _, *words = shlex.split("\n".join(lines[:count]).replace("\\\n", " "))
    assert f"0 7.{kind}" in words
    assert "goal.epochs=1500" in words
    done = command(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert parsed(done.stdout)["solved"]
    assert bool(answer.limits) is (kind == "nntui")
