"""Saved sessions: opening one continues as if it had never been closed."""

import inspect
import json
import os
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from commands import command, process
from example_counts import WALKS
from hypothesis import given
from hypothesis import strategies as st
from support import flat, made, preset
from walks import WALKED

import nntui
from nntui.core.engine.state import State
from nntui.presets import Preset, atomic_write
from nntui.timeline.history import keyframes
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.events import events
from nntui.timeline.sessions import session, session_folder

pytestmark = pytest.mark.slow

FURTHEST = 150
SESSIONS = {
    **WALKED,
    "adam, clipped": preset("xor-sigmoid", training__optimiser="adam", training__clip_value=0.1),
    "diverging": preset("xor-relu", training__learning_rate=50.0),
    "exploding": preset("square-leaky-relu", training__learning_rate=100.0),
}


def walked(name: str, updates: int = 0) -> nntui.Run:
    run = nntui.Run(SESSIONS[name], seed=7)
    run.step(updates)
    return run


def reopened(run: nntui.Run, folder: Path) -> nntui.Run:
    run.save(folder / "it.nntui")
    return nntui.load_session(folder / "it.nntui")


def states(branch: Branch) -> list[State]:
    """All that a branch keeps."""
    marked = [state for _, state in sorted(branch.marks.items()) if state is not None]
    own = [each.first for each in branch.stretches if each.start >= branch.forked_at]
    return [*branch.keyframes.states, *own, *marked, branch.state]


def told(branch: Branch) -> dict[str, Any]:
    """Everything about a branch, as values that can be compared."""
    return {
        "name": (branch.name, branch.renamed, branch.pinned, branch.seed),
        "parent": None if branch.parent is None else branch.parent.name,
        "at": (branch.forked_at, branch.left_at, branch.update),
        "changes": (branch.changes, [dict(each.changes) for each in branch.stretches]),
        "presets": [
            (each.start, each.preset.configuration, each.preset.goal, each.preset.story)
            for each in branch.stretches
        ],
        "states": [(each.update, each.since, each.epoch, each.hash) for each in states(branch)],
        "keyframes": (len(branch.keyframes), branch.keyframes.distance, branch.keyframes.nbytes),
        "checkpoints": branch.checkpoints,
        "without a state": sorted(mark for mark, state in branch.marks.items() if state is None),
        "losses": branch.losses.read().tobytes(),
        "watch": (branch.watch.checked_at, branch.watch.flips, str(branch.watch.dead)),
        "divergence": branch.divergence,
        "events": events(branch),
    }


def seen(run: nntui.Run) -> dict[str, Any]:
    """Everything about a run and its tree, likewise."""
    return {
        "cursor": (run.branch.name, run.update, run.head, run.epoch, str(run.loss), run.divergence),
        "hash": run.state_hash,
        "parameters": flat(run.parameters).tobytes(),
        "branches": [told(each) for each in run.tree.branches],
    }


Recipe = tuple[tuple[int, str], ...]
"""Which changes, as JSON, are made at which updates."""


@cache
def straight(name: str, recipe: Recipe) -> list[str]:
    """The hashes of a run that makes the changes as it comes by, and never goes back."""
    run, hashes = walked(name), []
    for update in range(FURTHEST + 1):
        for at, changes in recipe:
            if at == update:
                run.change(**json.loads(changes))
        hashes.append(run.state_hash)
        run.step()
    return hashes


CHANGES = [
    {"training.learning_rate": 0.003},
    {"training.momentum": 0.5},
    {"training.optimiser": "adam"},
    {"training.optimiser": "sgd", "training.l2": 0.01},
    {"training.batch": 3, "training.order": "shuffled"},
    {"faults": ["bias-decay"]},
    {"faults": []},
    {"goal.loss": 0.25, "story.question": "Why?"},
    {"seed": 11},
    {"layers.0.activation": "tanh", "data.target_divisor": 2.0},
    {},
]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 60)),
        st.tuples(st.just("seek"), st.integers(0, FURTHEST)),
        st.tuples(st.just("seek"), st.just(0)),
        st.tuples(st.just("train"), st.integers(0, 40)),
        st.tuples(st.just("change"), st.integers(0, len(CHANGES) - 1)),
        st.tuples(st.just("fork"), st.integers(0, len(CHANGES) - 1)),
        st.tuples(st.just("switch"), st.integers(0, 5)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("rest"), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


class Walk:
    """A run, and for each of its branches by what changes it came about."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.run = walked(name)
        self.recipes: dict[str, Recipe] = {self.run.branch.name: ()}

    def act(self, action: str, number: int) -> None:
        run = self.run
        match action:
            case "step":
                run.step(min(number, FURTHEST - run.update))
            case "seek":
                run.seek(number)
            case "train":
                run.train(min(number, FURTHEST - run.head))
            case "mark":
                run.set_checkpoint()
            case "switch":
                run.switch(run.tree.branches[number % len(run.tree.branches)])
            case "rest":
                run.branch.release()
            case "change" | "fork":
                self._change(action, CHANGES[number])

    def _change(self, action: str, changes: dict[str, Any]) -> None:
        run, before, at = self.run, self.run.branch.name, self.run.update
        past = tuple(each for each in self.recipes[before] if each[0] <= at)
        try:
            if action == "change":
                run.change(**changes)
            else:
                run.switch(run.fork(**changes).branch)
        except nntui.ConfigError:
            return  # not here: structural, or in the middle of an epoch
        self.recipes[run.branch.name] = (*past, (at, json.dumps(changes)))

    def check(self) -> None:
        for branch in self.run.tree.branches:
            hashes = straight(self.name, self.recipes[branch.name])
            for state in states(branch):
                assert state.hash == hashes[state.update]
                assert state.configuration is branch.stretch_at(state.update).preset.configuration
        assert (
            self.run.state_hash
            == straight(self.name, self.recipes[self.run.branch.name])[self.run.update]
        )


@pytest.mark.parametrize("name", SESSIONS)
@WALKS
@given(ACTIONS, st.integers(2, 9), st.integers(1, 40))
def test_a_walk_with_a_session_opened_now_and_then_is_one_without(
    name: str, actions: list[tuple[str, int]], most: int, distance: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(keyframes, "MOST", most)
        patch.setattr(keyframes, "FIRST_DISTANCE", distance)
        opened, never = Walk(name), Walk(name)
        for action, number in [*actions, ("reopen", 0), ("step", 20)]:
            if action == "reopen":
                opened.run = reopened(opened.run, Path(folder))
                assert seen(opened.run) == seen(never.run)
            for walk in (opened, never):
                walk.act(action, number)
            assert opened.run.state_hash == never.run.state_hash
        opened.check()
        assert seen(opened.run) == seen(never.run)


@pytest.mark.parametrize("name", ["diverging", "exploding"])
def test_a_diverged_run_stays_one(name: str, tmp_path: Path) -> None:
    walk = Walk(name)
    for action, number in [("step", 120), ("mark", 0), ("change", 0), ("mark", 0), ("fork", 1)]:
        walk.act(action, number)
    again = reopened(walk.run, tmp_path)
    assert seen(again) == seen(walk.run)
    assert again.divergence is not None
    assert again.update < 120
    assert again.step(5).update == again.update == again.seek(140).update
    again.seek(0)
    again.change(**{"training.learning_rate": 1e-3})
    assert again.step(140).divergence is None


def test_a_session_keeps_names_pins_and_the_app_s_own_view(tmp_path: Path) -> None:
    run = walked("add-relu", 100)
    run.seek(50)
    run.change(**{"training.learning_rate": 0.5})
    run.tree.rename(run.branch, "größer")
    run.branch.pinned = True
    view = {"panel": "loss", "log": True, "zoom": None, "speed": [1, 2.5]}
    session.write(run.capture(view), tmp_path / "it.nntui")
    loaded = session.load(tmp_path / "it.nntui")
    again = nntui.Run.on(loaded.tree, loaded.branch, loaded.update)
    assert loaded.view == view
    assert (again.branch.name, again.branch.pinned, again.branch.renamed) == ("größer", True, True)
    assert not again.tree.root.renamed


def test_a_picture_does_not_move_with_the_run(tmp_path: Path) -> None:
    run, view = walked("shuffled adam", 70), {"panels": ["loss"]}
    before, picture = seen(run), run.capture(view)
    run.set_checkpoint()
    run.step(300)
    run.change(**{"training.learning_rate": 0.5})
    run.fork()
    view["panels"].append("story")
    session.write(picture, tmp_path / "it.nntui")
    loaded = session.load(tmp_path / "it.nntui")
    again = nntui.Run.on(loaded.tree, loaded.branch, loaded.update)
    assert seen(again) == before
    assert loaded.view == {"panels": ["loss"]}


def test_a_branch_that_was_deleted_under_the_cursor_is_kept(tmp_path: Path) -> None:
    run = walked("add-relu", 60)
    other = run.fork(**{"training.learning_rate": 0.5})
    other.step(10)
    run.tree.delete(other.branch)
    run.fork(**{"training.learning_rate": 0.5})  # by the same name
    again = reopened(other, tmp_path)
    assert (again.state_hash, again.update) == (other.state_hash, 70)
    assert len(again.tree.branches) == 3


def test_forks_of_forks_may_be_as_deep_as_they_like(tmp_path: Path) -> None:
    run, usual = walked("add-relu"), sys.getrecursionlimit()
    deep = len(inspect.stack(0)) + 200
    for _ in range(deep):
        run.step(2)
        run = run.fork()
    sys.setrecursionlimit(deep)
    try:
        again = reopened(run, tmp_path)
    finally:
        sys.setrecursionlimit(usual)
    assert (again.state_hash, again.update) == (run.state_hash, 2 * deep)
    assert again.losses.tobytes() == run.losses.tobytes()


def test_a_session_of_a_session_is_the_same_to_the_last_byte(tmp_path: Path) -> None:
    run = walked("random nesterov", 200)
    run.seek(33)
    run.change(**{"training.optimiser": "adam"})
    run.step(9)
    picture = run.capture()
    session.write(picture, tmp_path / "first.nntui")
    copy = nntui.load_session(tmp_path / "first.nntui").capture()
    object.__setattr__(copy, "moment", picture.moment)
    session.write(copy, tmp_path / "second.nntui")
    assert (tmp_path / "first.nntui").read_bytes() == (tmp_path / "second.nntui").read_bytes()


def test_numpy_opens_a_session_too(tmp_path: Path) -> None:
    run = walked("add-relu", 500)
    run.save(tmp_path / "it.nntui")
    with np.load(tmp_path / "it.nntui") as vectors:
        np.testing.assert_array_equal(vectors["losses"], run.losses)
        assert json.loads(vectors["session.json"])["preset"]["name"] == "add-relu"


def test_losses_that_are_not_finite_come_back(tmp_path: Path) -> None:
    run = walked("exploding", 100)
    again = reopened(run, tmp_path)
    assert run.divergence is not None
    assert again.divergence == run.divergence
    assert not np.isfinite(run.losses).all()
    assert again.losses.tobytes() == run.losses.tobytes()
    assert again.state.theta.tobytes() == run.state.theta.tobytes()
    again.step(5)
    assert again.update == run.update


CSV = """
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
batch = 7
order = "shuffled"
[report]
loss = "squared-error"
[goal]
loss = 1e-3
epochs = 9
"""


def csv_preset(folder: Path, rows: int) -> Preset:
    for name, shift in (("rows.csv", 0.0), ("other.csv", 0.5)):
        lines = [f"{k / rows + shift},{k % 7 / 7},{k % 3}" for k in range(rows)]
        (folder / name).write_text("\n".join(["a,b,y", *lines]))
    (folder / "mine.toml").write_text(CSV)
    return nntui.load_preset(str(folder / "mine.toml"))


@pytest.mark.parametrize("rows", [9, 2000])
def test_a_session_needs_no_csv_any_more(tmp_path: Path, rows: int) -> None:
    run = nntui.Run(csv_preset(tmp_path, rows))
    first = run.fork(**{"data.csv": "other.csv", "data.scale_inputs": "standard"})
    first.step(20)
    run.step(30)
    run.change(**{"training.learning_rate": 0.5})
    run.step(5)
    before = seen(run)
    for name in ("rows.csv", "other.csv", "mine.toml"):
        run_file = tmp_path / name
        run.save(tmp_path / "it.nntui")
        run_file.unlink()
    again = nntui.load_session(tmp_path / "it.nntui")
    assert seen(again) == before
    again.change(**{"training.momentum": 0.9})
    again.seek(0)
    again.change(seed=5, **{"data.scale_inputs": "minmax"})
    again.step(10)
    twice = reopened(again, tmp_path)
    assert seen(twice) == seen(again)
    other = next(each for each in twice.tree.branches if "data.csv" in each.changes)
    assert other.state.hash == first.state_hash


def test_tables_and_numbers_that_a_program_made_come_back(tmp_path: Path) -> None:
    rows = np.random.RandomState(0).rand(300, 2)
    source = {
        "data": {"inputs": rows.tolist(), "targets": [[1]] * 300},
        "layers": [{"units": np.int64(1)}],
        "training": {"loss": "squared-error", "learning_rate": np.float32(0.5), "batch": 50},
    }
    run = nntui.Run(made(source))
    run.change(**{"data.inputs": rows[::-1].copy()})
    run.step(9)
    again = reopened(run, tmp_path)
    assert seen(again) == seen(run)
    assert (tmp_path / "it.nntui").stat().st_size < 30_000  # each table once


@pytest.mark.parametrize("units", [3, 300])
def test_first_parameters_that_were_given_as_numbers_come_back(units: int, tmp_path: Path) -> None:
    W = np.random.RandomState(0).randn(units, 2).tolist()
    source = {
        "data": {"inputs": [[0.5, 1.0]], "targets": [[1.0]]},
        "layers": [{"units": units, "W": W, "b": [0.25] * units}, {"units": 1, "bias": "none"}],
        "draws": {"order": "bias-first", "skip_normal": 3},
        "training": {"loss": "squared-error", "learning_rate": 1e-3, "dampening": 0.5},
    }
    run = nntui.Run(made(source), seed=4)
    run.step(3)
    run.save(tmp_path / "numbers.nntui")
    again = nntui.load_session(tmp_path / "numbers.nntui")
    assert again.state_hash == run.state_hash
    assert again.preset.configuration == run.preset.configuration
    again.seek(0)
    np.testing.assert_array_equal(again.parameters[0][0], W)


def test_a_key_of_a_csv_that_says_nothing_is_no_csv(tmp_path: Path) -> None:
    run = nntui.Run(preset("add-relu", data__delimiter=",", data__csv=None))
    run.step(9)
    assert seen(reopened(run, tmp_path)) == seen(run)


def test_a_preset_s_name_is_made_showable(tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b.toml").write_text(CSV.replace("rows.csv", str(tmp_path / "rows.csv")))
    csv_preset(tmp_path, 9)
    again = reopened(nntui.Run(nntui.load_preset(str(tmp_path / "a\nb\x1b.toml"))), tmp_path)
    assert again.preset.name == "a?b?"


def test_a_preset_that_a_program_made_is_saved(tmp_path: Path) -> None:
    whole = preset("add-relu")
    bare = Preset(name="bare", configuration=whole.configuration, goal=whole.goal)
    assert reopened(nntui.Run(bare), tmp_path).preset == bare


# Writing


def test_a_session_is_its_owner_s_alone_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.nntui", tmp_path / "there" / "real.nntui"
    link.symlink_to(target)
    for _ in range(2):
        walked("add-relu", 5).save(link)
        assert link.is_symlink()
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert nntui.load_session(link).update == 5
    assert [each.name for each in target.parent.iterdir()] == ["real.nntui"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it.nntui"
    walked("add-relu", 5).save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_write.os, step, fail)
    with pytest.raises(nntui.ConfigError) as caught:
        walked("add-relu", 9).save(path)
    assert str(caught.value) == f"{path}: cannot be written (No space left on device)"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys, time
from pathlib import Path
from nntui.presets.atomic_write import write_whole
def fill(file):
    file.write(b"half of it")
    print(flush=True)
    time.sleep(10**6)
write_whole(Path(sys.argv[1]), fill)
"""


def test_what_a_kill_left_of_a_session_is_removed_when_it_is_old_and_nobodys(
    data_folder: Path,
) -> None:
    left = data_folder / "sessions"
    left.mkdir(parents=True)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(left / "it.nntui")], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    (temporary,) = left.iterdir()
    session_folder.tidy()
    assert temporary.exists(), "it is young"
    os.utime(temporary, (0, 0))
    session_folder.tidy()
    assert temporary.exists(), "it is somebody's"
    writer.kill()
    writer.communicate()
    assert command("sessions").stdout.startswith("no saved sessions")
    assert not temporary.exists()


FULL = """
import resource, sys, nntui
run = nntui.Run(nntui.load_preset("add-relu"))
run.save(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
run.step(3000)
try:
    run.save(sys.argv[1])
except nntui.ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [0, 100, 3000, 12000])
def test_a_full_disk_leaves_what_was_there(size: int, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(size)], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"{path}: cannot be written (File too large)\n", "")
    assert nntui.load_session(path).update == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["nowhere/it.nntui", "file/it.nntui", ".", "x" * 300, "fifo"])
def test_a_place_where_nothing_can_be_written_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(nntui.ConfigError) as caught:
        walked("add-relu").save(tmp_path / place)
    assert str(caught.value).startswith(f"{tmp_path}")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_kill_left_behind_is_cleared_away_when_it_is_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".nntui-old.tmp", tmp_path / ".nntui-young.tmp"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    walked("add-relu").save(tmp_path / "it.nntui")
    assert not old.exists()
    assert young.exists()


KILLED = """
import os, random, signal, sys, nntui

path, kills = sys.argv[1], int(sys.argv[2])
run = nntui.Run(nntui.load_preset("add-relu"))
run.step(60_000)
hashes = []
for update in range(50):
    run.seek(update)
    hashes.append(run.state_hash)
run.save(path)
draw, found = random.Random(0), set()
for _ in range(kills):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            run.seek((run.update + 1) % 50)
            os.write(writing, b".")
            run.save(path)
    saves, pause = draw.randrange(1, 4), draw.randrange(500_000)
    while saves:
        saves -= len(os.read(reading, saves))
    for _ in range(pause):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading), os.close(writing)
    left = nntui.load_session(path)
    assert (left.state_hash, left.head) == (hashes[left.update], 60_000), left.update
    found.add(left.update)
print(len(found))
"""


def test_a_kill_at_any_moment_leaves_a_whole_session(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "it.nntui"), "100"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1  # the children did save


# The shelf and the command line


@pytest.fixture
def shelved(data_folder: Path) -> list[Path]:
    """Three sessions and a file that is none, the oldest first."""
    run = walked("add-relu", 30)
    paths = []
    for name in ("add-relu", "../a b/ü", "…"):
        run.step(1)
        paths.append(session_folder.new_path(name))
        run.save(paths[-1])
    paths.append(session_folder.new_path("broken"))
    paths[-1].write_bytes(paths[0].read_bytes()[:-900])
    return paths


def test_names_are_free_and_fit_for_files(shelved: list[Path], data_folder: Path) -> None:
    assert {path.parent for path in shelved} == {data_folder / "sessions"}
    stems = [path.stem.rsplit("-", 2)[0] for path in shelved]
    assert stems == ["add-relu", "a-b-ü", "session", "broken"]
    first = session_folder.new_path("again")
    first.touch()
    assert session_folder.new_path("again") != first


def test_a_name_that_is_taken_gets_a_number(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(session_folder.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Clock":
            return cls(2026, 11, 21, 14, 25, 30, tzinfo=tz)

    monkeypatch.setattr(session_folder, "datetime", Clock)
    names = []
    for _ in range(3):
        path = session_folder.new_path("add-relu")
        path.touch()
        names.append(path.name)
    stem = "add-relu-20261121-142530"
    assert names == [f"{stem}.nntui", f"{stem}-2.nntui", f"{stem}-3.nntui"]


def test_entries_tell_what_lies_there(shelved: list[Path]) -> None:
    os.mkfifo(shelved[0].parent / "pipe.nntui")
    found = {entry.path: entry for entry in session_folder.entries()}
    assert [found[path].update for path in shelved] == [31, 32, 33, None]
    first = found[shelved[0]]
    assert (first.preset, first.seed, first.branches, first.problem) == ("add-relu", 7, 1, None)
    assert first.bytes == shelved[0].stat().st_size
    assert str(found[shelved[3]].problem).startswith("is cut off or altered")
    assert found[shelved[0].parent / "pipe.nntui"].problem == "is not a regular file"


def test_the_newest_is_the_first(shelved: list[Path]) -> None:
    for day, path in enumerate(shelved[:3], start=1):
        picture = nntui.load_session(path).capture()
        object.__setattr__(picture, "moment", picture.moment.replace(year=2030, month=1, day=day))
        session.write(picture, path)
    assert [entry.path for entry in session_folder.entries()][:3] == shelved[2::-1]


def test_sessions_are_listed(shelved: list[Path]) -> None:
    done = command("sessions", "--json")
    assert done.stderr == ""
    content = json.loads(done.stdout)
    assert content["folder"] == str(shelved[0].parent)
    rows = {row["name"]: row for row in content["sessions"]}
    assert sorted(rows) == sorted(path.stem for path in shelved)
    assert list(rows[shelved[0].stem]) == [
        "name",
        "path",
        "preset",
        "seed",
        "update",
        "branches",
        "saved",
        "bytes",
        "problem",
        "program",
    ]
    assert rows[shelved[1].stem]["update"] == 32
    text = command("sessions").stdout
    assert all(path.stem in text for path in shelved)
    assert "unreadable: is cut off or altered" in text


def test_an_empty_shelf_says_where_it_is(data_folder: Path) -> None:
    assert command("sessions").stdout == f"no saved sessions in {data_folder / 'sessions'}\n"
    assert json.loads(command("sessions", "--json").stdout)["sessions"] == []


def test_sessions_are_deleted_by_name(shelved: list[Path]) -> None:
    done = command("sessions", "--delete", shelved[0].stem, "--delete", shelved[3].name)
    assert done.stdout == f"deleted {shelved[0]}\ndeleted {shelved[3]}\n"
    assert sorted(shelved[0].parent.iterdir()) == sorted(shelved[1:3])
    done = command("sessions", "--delete", shelved[1].stem[:-1])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nntui: there is no session ")
    assert f"did you mean {shelved[1].stem}" in done.stderr


def test_nothing_outside_the_shelf_is_deleted(shelved: list[Path], tmp_path: Path) -> None:
    shelved[0].rename(tmp_path / "mine.nntui")
    for name in (str(tmp_path / "mine.nntui"), "../../mine", "../../mine.nntui", "", "."):
        assert command("sessions", "--delete", name).returncode == 2
    assert (tmp_path / "mine.nntui").exists()


def test_a_session_is_found_by_name_and_by_path(
    shelved: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session_folder.find(shelved[0].stem) == shelved[0]
    assert session_folder.find(shelved[0].name) == shelved[0]
    assert session_folder.find(str(shelved[0])) == shelved[0]
    monkeypatch.chdir(tmp_path)
    Path("here.nntui").touch()
    assert session_folder.find("here.nntui") == Path("here.nntui")
    for name in ("here", "nowhere/it.nntui", "x\0y", "."):
        with pytest.raises(nntui.ConfigError, match=r"no session|no such file"):
            session_folder.find(name)


@pytest.mark.parametrize("content", [b"", b"seed = 1\n", b"PK\x03\x04", bytes(5000)])
def test_open_refuses_what_is_no_session(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    path.write_bytes(content)
    done = command("open", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"nntui: {path}: is ")
    assert done.stderr.count("\n") == 1


def test_open_needs_a_terminal_only_for_what_can_be_opened(shelved: list[Path]) -> None:
    assert "needs a terminal" in process("open", shelved[0].stem).stderr
    assert "cut off" in command("open", str(shelved[3])).stderr
