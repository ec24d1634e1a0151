"""A session is taken wherever a preset is: the run at its cursor."""

from pathlib import Path

import pytest
from commands import command, parsed, printed, refused
from support import preset

import nntui
from nntui.diagnosis.why import why
from nntui.presets.schema import override
from nntui.timeline.sessions import session_folder

BY_HAND = {"parameters.0.W.0.0": 0.5}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of seed 7 with another rate since update 200, at update 230 of 260."""
    run = nntui.Run(preset("add-relu", goal__epochs=100), seed=7)
    run.step(200)
    run.change(**{"training.learning_rate": 0.02})
    run.step(50)
    run.change(**{"training.learning_rate": 0.5})
    run.step(10)
    run.seek(230)
    path = tmp_path_factory.mktemp("a place") / "it is.nntui"
    run.save(path)
    return path


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run at update 0 whose first weight was set by hand."""
    run = nntui.Run(preset("add-relu", goal__epochs=100))
    run.change(**BY_HAND)
    path = tmp_path_factory.mktemp("hand") / "hand.nntui"
    run.save(path)
    return path


def at_cursor(path: Path) -> nntui.Run:
    return nntui.load_session(path).fork()


def test_run_goes_on_from_the_cursor(saved: Path) -> None:
    expected = at_cursor(saved)
    expected.seek(300)
    result = printed("run", str(saved), "--updates", "300", "--json")
    assert result["state_hash"] == expected.state_hash
    assert (result["seed"], result["updates"]) == (7, 300)
    assert len(result["losses"]) == expected.epoch
    start = printed("run", "add-relu", "--seed", "7", "--updates", "0", "--json")
    assert result["initial"] == start["initial"]
    assert "began    at update 230" in command("run", str(saved), "--updates", "300").stdout


def test_changes_count_from_the_cursor_on(saved: Path) -> None:
    expected = nntui.load_session(saved).fork(**{"training.momentum": 0.9})
    expected.seek(260)
    asked = ("--set", "training.momentum=0.9", "--updates", "260", "--json")
    assert printed("run", str(saved), *asked)["state_hash"] == expected.state_hash


@pytest.mark.parametrize(
    "asked", [("--seed", "3"), ("--set", "layers.0.units=6"), ("--set", "seed=3")]
)
def test_what_decides_update_0_begins_there(asked: tuple[str, str], saved: Path) -> None:
    now = preset("add-relu", goal__epochs=100, training__learning_rate=0.02)
    seed = 7 if "layers" in asked[1] else 3
    if "layers" in asked[1]:
        now = override(now, {"layers.0.units": 6})
    expected = nntui.Run(now, seed)
    expected.step(20)
    result = printed("run", str(saved), *asked, "--updates", "20", "--json")
    assert (result["seed"], result["state_hash"]) == (seed, expected.state_hash)


def test_check_looks_at_the_cursor_or_elsewhere(saved: Path) -> None:
    def update(*asked: str) -> int:
        found = parsed(command("check", str(saved), *asked, "--json").stdout)
        assert found["seed"] == (3 if "--seed" in asked else 7)
        return int(found["update"])

    assert update() == 230
    assert update("--at-update", "12") == 12
    assert update("--seed", "3") == 0


@pytest.mark.slow
def test_why_diagnoses_the_run_from_where_it_is(saved: Path) -> None:
    answer = why(at_cursor(saved), seeds=2, seconds=3600.0, workers=0)
    assert (answer.seed, answer.updates) == (7, 600)
    assert answer.preset.configuration.training.learning_rate == 0.02
    assert "230 updates before" in answer.limits[0]
    assert all(each.first_update != 0 or each.rule.klass == "proof" for each in answer.findings)


@pytest.mark.slow
def test_weights_set_by_hand_are_diagnosed(by_hand: Path) -> None:
    run = at_cursor(by_hand)
    assert run.by_hand == BY_HAND
    result = printed("run", str(by_hand), "--updates", "0", "--json")
    assert result["initial"][0]["W"][0][0] == 0.5
    changed = printed("run", str(by_hand), "--set", "training.momentum=0.9", "--json")
    assert changed["initial"] == result["initial"]
    again = printed("run", str(by_hand), "--set", "parameters.0.W.0.0=0.25", "--json")
    assert again["initial"][0]["W"][0][0] == 0.25
    answer = why(run, seeds=2, seconds=3600.0, workers=0)
    assert "1 parameter set by hand" in answer.limits[0]


def test_sweep_show_and_export_take_the_configuration(saved: Path, by_hand: Path) -> None:
    swept = printed("sweep", str(saved), "--seeds", "2", "--epochs", "3", "--json")
    assert swept["seeds"] == [7, 8]
    shown = saved.parent / "shown.toml"
    shown.write_text(command("show", str(saved)).stdout, encoding="utf-8")
    string = command("show", str(saved), "--string").stdout.strip()
    for again in (nntui.load_preset(str(shown)), nntui.load_preset(string)):
        assert again.configuration == at_cursor(saved).preset.configuration
        assert again.seed == 7
    assert "SEED = 7" in command("export", str(saved), "--as", "numpy").stdout
    noted = command("show", str(by_hand))
    assert "set by hand is no part of it" in noted.stderr
    assert noted.returncode == 0


def test_a_session_of_the_folder_is_found_by_its_name(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session_folder.PLACE, str(tmp_path))
    session_folder.folder().mkdir()
    kept = session_folder.folder() / "kept.nntui"
    kept.write_bytes(saved.read_bytes())
    assert printed("run", "kept.nntui", "--updates", "230", "--json")["seed"] == 7
    assert "terminal" in refused("kept.nntui")  # the app would open
    assert session_folder.name_of(kept) == "kept"
    # A name that leads to another file is none.
    hidden = session_folder.folder() / "add-relu.nntui"
    hidden.write_bytes(saved.read_bytes())
    newest = {session_folder.find("add-relu")}
    for path in (kept, hidden):
        name = session_folder.name_of(path)
        assert session_folder.find(name) == path
        assert (name == str(path)) is (path == hidden and path not in newest)


@pytest.mark.parametrize("verb", ["run", "check", "why", "sweep", "show", ""])
def test_what_is_no_session_is_refused(verb: str, tmp_path: Path) -> None:
    file = tmp_path / "none.nntui"
    words = [verb] if verb else []
    assert "no such file" in refused(*words, str(file))
    file.write_text("import os\n", encoding="utf-8")
    assert "not an nntui session" in refused(*words, str(file))
    assert "there is no session" in refused(*words, "unheard-of.nntui")


@pytest.mark.parametrize("place", ["x" * 5000, "/dev/null", "a/../" * 2000])
def test_a_folder_that_cannot_be_is_named(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session_folder.PLACE, place)
    said = refused("sessions")
    assert "cannot be read" in said
    assert "output" not in said
