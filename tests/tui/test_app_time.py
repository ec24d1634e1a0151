"""Time travel in the app: cursor and head apart, branches, overlay, events, sessions."""

from pathlib import Path

import numpy as np
import pytest
from piloted import bench, shown, status, until
from textual import events as events_of_keys
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from nntui import ConfigError, Run, load_preset, load_session
from nntui.presets.schema import override
from nntui.timeline import Snapshot
from nntui.timeline.history.events import events
from nntui.timeline.sessions import session_folder
from nntui.timeline.sessions.session import load
from nntui.timeline.views.compare import DIFFERENCE, A, B
from nntui.tui.app import NNTUI
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.status_line import DIVERGED, PAST, PAUSED, REPLAYING, RUNNING
from nntui.tui.panels.timeline_strip import LABEL, Timeline
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.dialogs.change_dialog import AskChange
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.workbench.screen import WorkbenchScreen

pytestmark = pytest.mark.slow


def marks(pilot: Pilot[None]) -> str:
    strip = bench(pilot).query_one(Timeline).render_line(1)
    return "".join(segment.text for segment in strip)[LABEL:].rstrip()


async def test_the_past_is_looked_at_while_training_goes_on() -> None:
    preset = override(load_preset("add-tanh"), {"goal.epochs": 10**7})
    async with NNTUI(preset).run_test() as pilot:
        screen, run = bench(pilot), bench(pilot).run_shown
        screen.perform("run")
        await until(pilot, lambda: run.head > 1000)
        assert status(pilot).state == RUNNING
        screen.perform("last_checkpoint")
        head = run.head
        assert (run.update, screen.running) == (0, True)
        await until(pilot, lambda: run.head > head + 1000)
        assert run.update == 0
        await until(pilot, lambda: status(pilot).state == PAST and status(pilot).training)
        assert "training" in shown(pilot)
        for update in (17, 900, 3):
            screen.control.seek(update)
            assert (run.update, screen.running) == (update, True)
            plain = Run(preset)
            plain.step(update)
            assert run.state_hash == plain.state_hash
        screen.perform("to_head")
        assert run.update == run.head
        await until(pilot, lambda: run.update > head + 2000)
        assert run.update == run.head
        screen.perform("run")
        assert (status(pilot).state, screen.running) == (PAUSED, False)
        plain.seek(run.update)
        assert run.state_hash == plain.state_hash


async def test_the_head_is_trained_from_the_past_and_a_replay_is_only_watched() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test() as pilot:
        screen, run = bench(pilot), bench(pilot).run_shown
        await pilot.press("m", "j", "7", "enter")
        assert (run.update, run.head) == (7, 600)
        screen.perform("train_on")
        await until(pilot, lambda: run.head > 1000)
        assert run.update == 7
        screen.perform("train_on")
        assert not screen.running
        head = run.head
        screen.perform("slower")
        screen.perform("run")
        await until(pilot, lambda: run.update > 10)
        assert (run.head, status(pilot).state) == (head, REPLAYING)
        screen.perform("one_back")
        assert not screen.running
        assert run.head == head


@pytest.mark.parametrize(
    ("keys", "update"),
    [
        ("home", 0),
        ("end", 1200),
        ("left", 1199),
        ("left left right", 1199),
        ("left_square_bracket", 1190),
        ("shift+left", 1190),
        ("left_curly_bracket right_square_bracket", 1110),
        ("ctrl+left", 1100),
        ("pageup", 200),
        ("pageup pageup pagedown", 1000),
        ("right", 1200),
    ],
)
async def test_the_strip_is_scrubbed_with_keys(keys: str, update: int) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "m")
        bench(pilot).query_one(Timeline).focus()
        await pilot.press(*keys.split())
        await pilot.pause()
        run = bench(pilot).run_shown
        assert (run.update, run.head) == (update, 1200)
        assert f"update {update:,}" in shown(pilot)
        screen = bench(pilot)
        for snapshot in (
            screen.query_one(LossPlot).content.snapshot,
            screen.query_one(Heatmap).content.mine.snapshot,
            screen.query_one(Timeline).snapshot,
        ):
            assert snapshot.update == update


async def test_the_strip_is_dragged_with_the_mouse() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        strip, run = bench(pilot).query_one(Timeline), bench(pilot).run_shown
        cells = strip._room[0]
        await pilot.click(Timeline, offset=(1 + LABEL + 20, 0))
        await pilot.pause()
        assert run.update == strip.update_at(20)
        assert 0 < run.update < 600
        assert strip._cell(run.update) == 20
        await pilot.mouse_down(Timeline, offset=(1 + LABEL + 20, 0))
        await pilot.hover(Timeline, offset=(1 + LABEL + cells - 1, 0))
        await pilot.pause()
        assert run.update == 600
        await pilot.hover(Timeline, offset=(1 + LABEL, 1))
        await pilot.mouse_up(Timeline, offset=(1 + LABEL, 1))
        await pilot.pause()
        assert run.update == 0
        await pilot.hover(Timeline, offset=(1 + LABEL + 9, 1))
        await pilot.pause()
        assert run.update == 0


async def test_events_are_marked_and_reached() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("N", "2", "3", "enter", "m", "c", "j", "1", "0", "0", "enter", "c")
        await pilot.pause()
        run = bench(pilot).run_shown
        assert {"c", "d", "r", "m"} <= set(marks(pilot))
        await pilot.press("0")
        seen = []
        while True:
            before = run.update
            await pilot.press("full_stop")
            await until(pilot, lambda: not bench(pilot).control.running)
            if run.update == before:
                break
            seen.append((run.update, status(pilot).note))
        assert [update for update, _ in seen] == sorted({update for update, _ in seen})
        assert len(seen) >= 3
        kinds = {note for _, note in seen}
        assert any("died" in note for note in kinds)
        assert "no event beyond" in status(pilot).note
        back = [run.update]
        while run.update > 0:
            before = run.update
            await pilot.press("comma")
            await until(pilot, lambda: not bench(pilot).control.running)
            if run.update == before:
                break
            back.append(run.update)
        assert [each for each in reversed(back) if each > 0] == [update for update, _ in seen]
        assert len(seen) <= len(events(run.branch))


async def test_what_a_jump_is_to_say_is_said_also_after_a_long_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "e")
        control, tries = bench(pilot).control, iter([False])
        slice_of_time = control.player.slice
        monkeypatch.setattr(
            control.player,
            "slice",
            lambda update: next(tries, None) is None and slice_of_time(update),
        )
        control.seek(0, "the beginning")
        await until(pilot, lambda: not control.running)
        assert (bench(pilot).run_shown.update, status(pilot).note) == (0, "the beginning")


async def test_a_question_is_answered_by_a_jump() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("N", "2", "3", "enter", "m")
        heatmap, run = bench(pilot).query_one(Heatmap), bench(pilot).run_shown
        flip = next(flip for flip in run.branch.flips if flip.died and flip.by > 0)
        layer, unit = flip.layer, flip.unit
        heatmap.cell = (4 * layer + unit, 0)
        bench(pilot).control.seek(flip.by)
        await pilot.press("w")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Choose)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert f"unit {layer}.{unit} died" in status(pilot).note
        assert Snapshot.of(run).layers[layer].dead[unit]
        assert flip.after < run.update <= flip.by
        run.seek(run.update - 1)
        assert not Snapshot.of(run).layers[layer].dead[unit]
        bench(pilot).control.seek(600)
        await pilot.press("w", "enter", "0", ".", "1", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.pause()
        assert run.update == 600
        assert "at update 600" in status(pilot).note


async def test_a_fork_changes_one_thing_and_keeps_what_was() -> None:
    preset = load_preset("add-relu")
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "3", "0", "0", "enter", "f")
        await pilot.pause()
        assert isinstance(pilot.app.screen, AskChange)
        pilot.app.screen.query_one(Input).value = "training.momentum=0.9; faults=[]"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.pause()
        run = bench(pilot).run_shown
        first, made = run.tree.branches
        assert (run.branch, run.update, run.head) == (made, 300, 300)
        assert (first.update, made.forked_at) == (600, 300)
        assert run.preset.configuration.training.momentum == 0.9
        assert run.preset.configuration.faults == ()
        assert "no planted fault" in shown(pilot)
        await pilot.press("m")
        assert (run.head, first.update) == (900, 600)
        plain = Run(preset)
        plain.step(300)
        plain.change(**{"training.momentum": 0.9, "faults": []})
        plain.step(600)
        assert run.state_hash == plain.state_hash
        text = shown(pilot)
        assert "momentum=0.9" in text
        assert "B main: differs at" in text
        panel = bench(pilot).query_one(BranchesPanel)
        assert [(each.role, each.head) for each in panel.content.listed] == [("B", 600), ("A", 900)]


@pytest.mark.parametrize(
    "text",
    ["", "momentum", "training.momentum=2", "nothing=1", "data.inputs=3", "seed=4", "=", "a=b=c"],
)
async def test_a_wrong_change_gets_a_message_and_changes_nothing(text: str) -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("e", "x")
        screen = pilot.app.screen
        assert isinstance(screen, AskChange)
        screen.query_one(Input).value = text
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert screen.query_one("#hint").has_class("-wrong")
        await pilot.press("escape")
        run = bench(pilot).run_shown
        assert (len(run.tree.branches), len(run.branch.stretches)) == (1, 1)


async def test_a_change_at_the_head_is_part_of_the_branch_and_one_in_the_past_forks() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "x", "down", "enter", "e")
        await pilot.pause()
        run = bench(pilot).run_shown
        assert len(run.tree.branches) == 1
        assert [each.start for each in run.branch.stretches] == [0, 600]
        assert run.preset.configuration.training.learning_rate == 0.1
        assert "*" in marks(pilot)
        await pilot.press("j", "5", "enter")
        assert run.preset.configuration.training.learning_rate == 0.01
        await pilot.press("x", "down", "enter")
        await pilot.pause()
        assert len(run.tree.branches) == 2
        assert (run.update, run.branch.forked_at) == (5, 5)


async def test_the_heatmap_shows_a_b_and_their_difference() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "3", "0", "0", "enter", "f", "down", "enter", "e", "d")
        heatmap, run = bench(pilot).query_one(Heatmap), bench(pilot).run_shown
        assert heatmap.view.shown == B
        other = Run.on(run.tree, run.tree.root, 306)
        theirs = np.vstack([layer.a for layer in Snapshot.of(other).layers])
        ours = np.vstack([layer.a for layer in Snapshot.of(run).layers])
        count = len(ours)
        np.testing.assert_array_equal([row.values for row in heatmap._rows][:count], theirs)
        await pilot.press("d")
        assert heatmap.view.shown == DIFFERENCE
        difference = [row.values for row in heatmap._rows][:count]
        np.testing.assert_array_equal(difference, ours - theirs)
        assert "A-B" in shown(pilot)
        await pilot.press("b")
        np.testing.assert_array_equal(
            [row.values for row in heatmap._rows][:count],
            0 * ours
            + [
                a - b
                for a, b in zip(
                    np.vstack([layer.a for layer in Snapshot.of(run).layers]),
                    np.vstack(
                        [
                            layer.a
                            for layer in Snapshot.of(Run.on(run.tree, run.tree.root, 305)).layers
                        ]
                    ),
                    strict=True,
                )
            ],
        )
        await pilot.press("d")
        assert heatmap.view.shown == A


async def test_branches_are_switched_renamed_pinned_and_deleted_after_asking() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "n", "e", "n", "e", "e", "t")
        await pilot.pause()
        run, panel = bench(pilot).run_shown, bench(pilot).query_one(BranchesPanel)
        names = ["main", "seed 1", "seed 2"]
        assert [each.name for each in panel.content.listed] == names
        assert panel.has_focus
        assert {"switch", "overlay"} <= {
            action.label for action in bench(pilot).query_one(KeyBar).fitting(120)
        }
        await pilot.press("home", "o")
        assert bench(pilot).other is not None
        assert bench(pilot).other.branch.name == "main"
        await pilot.press("down", "enter")
        assert (run.branch.name, run.update, run.seed) == ("seed 1", 6, 1)
        await pilot.press("underscore")
        await pilot.pause()
        pilot.app.screen.query_one(Input).value = "main"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Ask)
        pilot.app.screen.query_one(Input).value = "mine [x]"
        await pilot.press("enter")
        await pilot.pause()
        assert run.branch.name == "mine [x]"
        assert "mine [x]" in shown(pilot)
        await pilot.press("D")
        assert "not deleted" in status(pilot).note
        await pilot.press("end", "p", "D")
        await pilot.pause()
        assert "seed 2 is pinned" in status(pilot).note
        await pilot.press("p", "D", "escape")
        assert len(run.tree.branches) == 3
        await pilot.press("D", "y", "enter")
        await pilot.pause()
        assert [each.name for each in panel.content.listed] == ["main", "mine [x]"]


async def test_a_branch_in_which_nothing_was_done_is_not_kept() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("n", "n", "n")
        run = bench(pilot).run_shown
        assert (len(run.tree.branches), run.seed) == (1, 3)
        await pilot.press("e", "n", "n", "n", "r")
        assert [each.seed for each in run.tree.branches] == [3, 6]
        assert run.branch is run.tree.branches[1]


async def test_a_diverged_head_can_be_left_and_mended_in_a_branch() -> None:
    preset = override(load_preset("xor-relu"), {"training.learning_rate": 1e5})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        run = bench(pilot).run_shown
        assert status(pilot).state == DIVERGED
        await pilot.press("f")
        await pilot.pause()
        assert bench(pilot) is pilot.app.screen
        assert "x" in marks(pilot)
        await pilot.press("0", "f")
        await pilot.pause()
        pilot.app.screen.query_one(Input).value = "training.learning_rate=0.001"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.press("u", "u")
        await pilot.pause()
        assert run.divergence is None
        assert run.head == run.branch.forked_at + 2


async def test_leaving_saves_and_the_library_offers_to_resume() -> None:
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(
            "N", "2", "3", "enter", "m", "c", "n", "e", "t", "home", "o", "y", "minus"
        )
        await pilot.press("j", "4", "enter")
        hash_there = bench(pilot).run_shown.state_hash
    app.save_all()
    (entry,) = session_folder.entries()
    assert (entry.preset, entry.update, entry.branches) == ("add-relu", 4, 2)
    async with NNTUI().run_test(size=(120, 40)) as pilot:
        library = pilot.app.screen
        assert isinstance(library, LibraryScreen)
        assert "resume add-relu" in shown(pilot)
        assert library.query_one(OptionList).highlighted == 1
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.pause()
        run = bench(pilot).run_shown
        assert (run.update, run.head, run.seed) == (4, 6, 24)
        assert run.state_hash == hash_there
        assert run.tree.root.checkpoints == (600,)
        assert bench(pilot).other is not None
        assert "linear axis" in shown(pilot)
        assert status(pilot).speed == "1,000/s"
        await pilot.press("h", "m", "S")
        await pilot.pause()
        assert "saved as" in status(pilot).note
    (entry,) = session_folder.entries()
    assert entry.update == 606
    resumed = load_session(entry.path)
    plain = Run(load_preset("add-relu"), seed=24)
    plain.step(606)
    assert resumed.state_hash == plain.state_hash


async def test_what_is_new_is_saved_from_time_to_time_and_only_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nntui.tui.workbench.autosave.PAUSE", 0.0)
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        app = pilot.app
        assert isinstance(app, NNTUI)
        app.autosave()
        assert session_folder.entries() == []
        await pilot.press("m")
        keeper = bench(pilot).autosave
        app.autosave()
        await until(pilot, lambda: keeper.path is not None and not keeper._lock.locked())
        (entry,) = session_folder.entries()
        before = entry.path.stat().st_mtime_ns
        assert keeper.save_later(bench(pilot).run_shown, bench(pilot).saved_view) is None
        await pilot.press("b")
        thread = keeper.save_later(bench(pilot).run_shown, bench(pilot).saved_view)
        assert thread is not None
        thread.join()
        (entry,) = session_folder.entries()
        assert entry.update == 599
        assert entry.path.stat().st_mtime_ns != before


async def test_two_at_one_session_do_not_overwrite_each_other() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("m", "S")
    (entry,) = session_folder.entries()
    apps = [NNTUI(session=load(entry.path)), NNTUI(session=load(entry.path))]
    for app, keys in zip(apps, ("e", "ee"), strict=True):
        async with app.run_test() as pilot:
            await pilot.press(*keys)
        if app is apps[0]:
            other = NNTUI(session=load(entry.path))
            async with other.run_test():
                app.save_all()
            bench_of = next(iter(other._benches.values()))
            bench_of.run_shown.step(100)
            other.save_all()
    updates = sorted(load_session(each.path).head for each in session_folder.entries())
    assert updates == [606, 700]


async def test_a_session_that_cannot_be_saved_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNTUI_DATA_DIR", str(tmp_path / "file"))
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("e", "S")
        assert "not saved" in status(pilot).note
        app.autosave()
        keeper = bench(pilot).autosave
        await until(pilot, lambda: bool(keeper.problem))
        await pilot.press("u")
    assert any("not saved" in line for line in app.save_all())


async def test_a_session_that_became_unreadable_is_refused_in_the_library() -> None:
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test() as pilot:
        await pilot.press("e")
    app.save_all()
    (entry,) = session_folder.entries()
    async with NNTUI().run_test(size=(120, 40)) as pilot:
        entry.path.write_bytes(entry.path.read_bytes()[:-30])
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LibraryScreen)
        assert entry.path.name in shown(pilot)
    with pytest.raises(ConfigError):
        load_session(entry.path)


async def test_an_opened_scenario_offers_its_saved_session() -> None:
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test() as pilot:
        await pilot.press("m")
    app.save_all()
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        assert "O resumes" in status(pilot).note
        assert bench(pilot).run_shown.update == 0
        await pilot.press("O")
        await until(pilot, lambda: bench(pilot).run_shown.update == 600)
    async with NNTUI(load_preset("add-tanh")).run_test() as pilot:
        await pilot.press("O")
        await pilot.pause()
        assert "no other session" in status(pilot).note


async def test_arrows_pressed_at_once_all_count() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("e", "x")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, AskChange)
        for key in ("down", "down", "down", "up", "enter"):
            pilot.app.post_message(events_of_keys.Key(key, None))
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.pause()
        run = bench(pilot).run_shown
        assert run.preset.configuration.training.learning_rate == 0.03


async def test_forks_made_first_and_trained_later_are_all_there() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("m")
        run = bench(pilot).run_shown
        for rate in (0.1, 0.2, 0.3):
            bench(pilot).actions.branching.fork({"training.learning_rate": rate})
            bench(pilot).actions.branching.switch(run.tree.root, None)
        assert [each.name for each in run.tree.branches] == [
            "main",
            "learning_rate=0.1",
            "learning_rate=0.2",
            "learning_rate=0.3",
        ]
        trained = [each for each in run.tree.branches if each._trainer is not None]
        assert trained == [run.branch]


async def test_a_new_seed_and_a_restart_take_along_what_was_changed() -> None:
    preset = load_preset("add-relu")
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        for changes in (
            {"faults": [{"name": "bias-decay"}], "training.momentum": 0.5},
            {"faults.0.layers": [1]},
            {"faults": []},
        ):
            bench(pilot).actions.branching.change(changes)
        run = bench(pilot).run_shown
        assert run.changed == {"faults": [], "training.momentum": 0.5}
        for key, seed in (("n", 1), ("r", 1)):
            await pilot.press(key)
            await pilot.pause()
            assert (run.update, run.seed, run.preset.configuration.faults) == (0, seed, ())
            expected = Run(override(preset, {"faults": [], "training.momentum": 0.5}), seed)
            assert run.state_hash == expected.state_hash
        await pilot.press("e", "N", "0", "enter", "e", "N", "1", "enter")
        await pilot.pause()
        assert (run.seed, run.update, run.head) == (1, 0, 6)


async def test_what_was_not_touched_is_not_written_again() -> None:
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test() as pilot:
        await pilot.press("e")
    app.save_all()
    (entry,) = session_folder.entries()
    written = entry.path.stat().st_mtime_ns
    for _ in range(2):
        idle = NNTUI(session=load(entry.path))
        async with idle.run_test():
            pass
        idle.save_all()
    assert [each.path for each in session_folder.entries()] == [entry.path]
    assert entry.path.stat().st_mtime_ns == written


async def test_a_session_from_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    run = Run(load_preset("add-relu"))
    run.step(7)
    path = tmp_path / "theirs.nntui"
    run.save(path)
    before = path.read_bytes()
    app = NNTUI(session=load(path))
    async with app.run_test() as pilot:
        await pilot.press("u", "S")
    app.save_all()
    assert path.read_bytes() == before
    (entry,) = session_folder.entries()
    assert load_session(entry.path).update == 8
    assert session_folder.find("add-relu") == entry.path


async def test_a_ready_change_that_cannot_be_made_says_so() -> None:
    def refuse(changes: object) -> None:
        raise ConfigError("training.learning_rate", "is too large for a float")

    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        screen = AskChange("Change", refuse, [("ten times", {"training.learning_rate": 1.0})])
        pilot.app.push_screen(screen)
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "too large" in shown(pilot)


async def test_a_difference_that_never_comes_is_looked_for_in_small_steps() -> None:
    async with NNTUI(load_preset("xor-relu")).run_test() as pilot:
        await pilot.press("m", "0", "f")
        pilot.app.screen.query_one(Input).value = "report.reduction=mean"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.press("m")
        screen = bench(pilot)
        await until(pilot, lambda: not screen.running)
        # How far one step gets depends on the machine; that it gets there does not.
        for _ in range(10_000):
            screen.show("")
            found = screen.panels.feed._searched[2]
            assert found is not None
            if found.searched_to == 400:
                break
        assert (found.update, found.searched_to) == (None, 400)
        screen.show("")
        assert screen.panels.feed._searched[2] is found
