"""The app, driven by keys: what state it is in, before how it looks."""

import asyncio
import re

import numpy as np
import pytest
from piloted import SIZES, bench, reached, shown, status, until
from textual.command import CommandList
from textual.events import Key
from textual.pilot import Pilot
from textual.widget import MountError
from textual.widgets import Input, OptionList

from nntui.presets import load_preset, preset_names
from nntui.presets.schema import override
from nntui.sweeps import sweep
from nntui.sweeps.ranking import rank_of, ranked
from nntui.timeline import Snapshot
from nntui.tui.actions import LIBRARY, WORKBENCH, Action, fill_keys
from nntui.tui.app import NNTUI
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.status_line import DIVERGED, PAST, PAUSED, RUNNING
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.screens.command_palette import Palette
from nntui.tui.screens.dialogs.ask import AskNumber
from nntui.tui.screens.dialogs.change_dialog import AskChange
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.seeds import SeedsScreen
from nntui.tui.workbench.actions.registry import Actions
from nntui.tui.workbench.screen import WorkbenchScreen

pytestmark = pytest.mark.slow


async def test_it_opens_on_the_library_and_opens_what_is_chosen() -> None:
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        assert isinstance(pilot.app.screen, LibraryScreen)
        listed = pilot.app.screen.query_one(OptionList)
        assert listed.option_count == len(preset_names())
        first = load_preset(preset_names()[0])
        for part in (first.name, first.story.question, first.story.happens, first.network):
            assert part in shown(pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert status(pilot).snapshot is not None
        assert preset_names()[1] in shown(pilot)
        await pilot.press("l")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LibraryScreen)


async def test_a_preset_opened_by_name_can_go_to_the_library_too() -> None:
    async with NNTUI(load_preset("xor-relu")).run_test() as pilot:
        assert bench(pilot).run_shown.update == 0
        await pilot.press("l")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LibraryScreen)
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app._exit


@pytest.mark.parametrize(
    ("keys", "update", "seed"),
    [
        ("u", 1, 0),
        ("u u u", 3, 0),
        ("e", 6, 0),
        ("u u e", 6, 0),
        ("e e u", 13, 0),
        ("m", 600, 0),
        ("e b", 5, 0),
        ("b", 0, 0),
        ("e c e e B", 6, 0),
        ("e c e e B B", 0, 0),
        ("e c e backspace", 6, 0),
        ("u u B", 0, 0),
        ("m j 4 2 enter", 42, 0),
        ("j 1 , 2 3 4 enter", 1234, 0),
        ("e j escape", 6, 0),
        ("n", 0, 1),
        ("e n e e", 12, 1),
        ("N 1 7 enter u", 1, 17),
        ("e r", 0, 0),
        ("e r u", 1, 0),
    ],
)
async def test_keys_go_where_they_say(keys: str, update: int, seed: int) -> None:
    preset = load_preset("add-relu")
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys.split())
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await until(pilot, lambda: not bench(pilot).running)
        run = bench(pilot).run_shown
        assert (run.update, run.seed) == (update, seed)
        assert run.state_hash == reached(preset, seed, update)
        assert run.state_hash in shown(pilot)
        assert f"update {update:,}" in shown(pilot)
        assert f"seed {seed}" in shown(pilot)
        assert status(pilot).state == (PAST if update < run.head else PAUSED)


async def test_running_ends_at_the_stop_rule_and_goes_on_when_asked() -> None:
    async with NNTUI(load_preset("line-leaky-relu-bias")).run_test() as pilot:
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        run = bench(pilot).run_shown
        assert (run.update, run.epoch) == (2596 * 3, 2596)
        assert status(pilot).state == PAUSED
        assert "stopped" in status(pilot).note
        assert "solved" in shown(pilot)
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        assert run.epoch == 5000
        assert "budget" in status(pilot).note
        await pilot.press("space")
        await until(pilot, lambda: run.epoch > 5100)
        await pilot.press("space")
        assert status(pilot).state == PAUSED


async def test_running_ends_at_the_budget() -> None:
    preset = override(load_preset("xor-relu"), {"goal.epochs": 40})
    async with NNTUI(preset).run_test() as pilot:
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        assert bench(pilot).run_shown.update == 160
        assert "budget" in status(pilot).note
        assert bench(pilot).run_shown.state_hash == reached(preset, 0, 160)


async def test_pausing_keeps_the_keyboard_alive_and_the_mathematics_whole() -> None:
    preset = load_preset("add-tanh")
    async with NNTUI(preset).run_test() as pilot:
        await pilot.press("space")
        await until(pilot, lambda: bench(pilot).run_shown.update > 500)
        await pilot.press("space")
        run = bench(pilot).run_shown
        assert not bench(pilot).running
        stopped = run.update
        await asyncio.sleep(0.1)
        assert run.update == stopped
        assert run.state_hash == reached(preset, 0, stopped)
        await pilot.press("b")
        assert run.update == stopped - 1
        assert run.state_hash == reached(preset, 0, stopped - 1)


async def test_a_slow_speed_is_kept_and_can_be_raised_while_running() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test() as pilot:
        await pilot.press(*["minus"] * 9)
        assert status(pilot).speed == "1/s"
        await pilot.press("space")
        assert status(pilot).state == RUNNING
        await until(pilot, lambda: bench(pilot).run_shown.update >= 2)
        assert bench(pilot).run_shown.update < 60  # at full speed the first slice makes hundreds
        await pilot.press(*["plus"] * 9)
        assert status(pilot).speed == "full"
        await until(pilot, lambda: bench(pilot).run_shown.update > 1000)


async def test_any_key_that_trains_stops_a_run_first() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test() as pilot:
        for key in ("u", "r", "n"):
            await pilot.press("space")
            await until(pilot, lambda: bench(pilot).run_shown.update > 50)
            await pilot.press(key)
            await pilot.pause()
            assert not bench(pilot).running, key


async def test_divergence_is_shown_and_one_can_go_back() -> None:
    preset = override(load_preset("xor-relu"), {"training.learning_rate": 1e5})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        run = bench(pilot).run_shown
        assert run.divergence is not None
        assert status(pilot).state == DIVERGED
        assert run.divergence.what in shown(pilot)
        ended = run.update
        await pilot.press("u", "space")
        assert (run.update, status(pilot).state) == (ended, DIVERGED)
        await pilot.press("b")
        assert (run.update, status(pilot).state) == (ended - 1, PAST)
        assert run.state_hash == reached(preset, 0, ended - 1)


async def test_an_infinite_activation_is_marked_and_does_no_harm() -> None:
    changes = {"training.learning_rate": 100}
    preset = override(load_preset("add-relu-momentum"), changes)
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("n", "space")
        await until(pilot, lambda: not bench(pilot).running)
        await pilot.pause()
        assert not np.isfinite(Snapshot.of(bench(pilot).run_shown).layers[0].a).all()
        assert re.search(r"0\.\d .*inf", shown(pilot))


async def test_a_workbench_is_found_again_as_it_was_left() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("m", "minus", "b", "l")
        await pilot.pause()
        listed = pilot.app.screen.query_one(OptionList)
        assert preset_names()[listed.highlighted or 0] == "add-relu"
        await pilot.press("enter")
        await pilot.pause()
        assert bench(pilot).run_shown.update == 599
        assert status(pilot).speed == "1,000/s"
        await pilot.press("n")
        assert status(pilot).speed == "1,000/s"


async def test_the_future_that_was_stays_on_the_plot() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "6", "0", "enter")
        await pilot.pause()
        snapshot = bench(pilot).query_one(LossPlot).content.snapshot
        assert (snapshot.epoch, snapshot.epochs) == (10, 100)
        roles = {style for line in range(12) for style in _roles(pilot, line)}
        assert {"loss-plot--past", "loss-plot--future", "loss-plot--cursor"} <= roles


def _roles(pilot: Pilot[None], line: int) -> set[str]:
    plot = bench(pilot).query_one(LossPlot)
    styles = {plot.get_component_rich_style(name): name for name in plot.COMPONENT_CLASSES}
    return {styles[segment.style] for segment in plot.render_line(line) if segment.style in styles}


async def test_dead_units_are_marked_and_the_cell_cursor_reads_numbers() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        lines = [line[:70] for line in shown(pilot).splitlines()]
        dead = [line for line in lines if re.search(r"^│(1\.2|1\.3|2\.0) .*dead", line)]
        assert len(dead) == 3
        assert sum("dead" in line for line in lines if re.match(r"│\d\.\d", line)) == 3
        heatmap = bench(pilot).query_one(Heatmap)
        heatmap.focus()
        await pilot.press("down", "right", "right")
        assert heatmap.cell == (1, 2)
        run = bench(pilot).run_shown
        z = Snapshot.of(run).layers[0].z[1, 2]
        assert f"0.1 sample 2  z {z:.6g}" in shown(pilot)
        await pilot.click(Heatmap, offset=(1 + 7 + 10 * 3 + 4, 1 + 1 + 1 + 2))
        assert heatmap.cell == (2, 3)
        await pilot.press("end", *["down"] * 30)
        assert heatmap.cell == (9, 5)
        assert "target of sample 5  0.7" in shown(pilot)


async def test_the_samples_of_the_next_update_are_marked() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        heatmap = bench(pilot).query_one(Heatmap)
        style = heatmap.get_component_rich_style("heatmap--next")
        for sample in (0, 1, 2):
            marked = [each.text for each in heatmap.render_line(0) if each.style == style]
            assert marked == [str(sample)]
            await pilot.press("u")


async def test_a_wide_layer_scrolls_with_the_cell_cursor() -> None:
    async with NNTUI(load_preset("square-leaky-relu")).run_test(size=(80, 24)) as pilot:
        heatmap = bench(pilot).query_one(Heatmap)
        heatmap.focus()
        await pilot.press("end", *["pagedown"] * 7)
        await pilot.pause()
        assert heatmap.cell == (65, 200)
        assert "target of sample 200  1" in shown(pilot)
        assert "of 201" in str(heatmap.border_title)


async def test_faults_are_marked_in_the_network_panel() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        text = shown(pilot)
        for fault in ("bias-decay", "update-before-backprop"):
            assert f"FAULT {fault}" in text
    async with NNTUI(load_preset("line-leaky-relu-edited")).run_test(size=(120, 40)) as pilot:
        assert "no planted fault" in shown(pilot)


@pytest.mark.parametrize(
    "bad", ["x", "-3", "1.5", "9" * 40, "0" * 20 + "9" * 15, "0" * 5000 + "9" * 15, ""]
)
async def test_a_wrong_number_gets_a_message_and_loses_nothing(bad: str) -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("e", "j")
        pilot.app.screen.query_one(Input).value = bad
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, AskNumber)
        assert "whole number" in shown(pilot)
        await pilot.press("escape")
        assert bench(pilot).run_shown.update == 6


async def test_help_explains_the_focused_panel_and_every_key() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 130)) as pilot:
        for panel in (StoryPanel, NetworkPanel, LossPlot, Heatmap):
            bench(pilot).query_one(panel).focus()
            await pilot.press("question_mark")
            await pilot.pause()
            assert isinstance(pilot.app.screen, HelpScreen)
            text = re.sub(r"[\s│]+", " ", shown(pilot))
            assert panel.explained[:60] in text
            assert all(action.help in text for action in WORKBENCH)
            await pilot.press("escape")
            await pilot.pause()


async def test_a_key_of_another_panel_says_where_it_does_something() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        for keys, said in (
            ("F", "F (try fix) is for the Why panel: W leads there"),
            ("R", "R (experiments) is for the Why panel: W leads there"),
            ("M", "M (more) is for the Why panel: W leads there"),
            ("o", "o (overlay) is for the branches: t leads there"),
            ("_", "_ (rename) is for the branches: t leads there"),
            ("p", "p (pin) is for the branches: t leads there"),
        ):
            await pilot.press(*keys)
            assert status(pilot).note == said
        await pilot.press("W", "tab", "F")
        assert status(pilot).note == "F (try fix) is for the Why panel: tab leads there"
        bench(pilot).query_one(WhyPanel).focus()
        await pilot.pause()
        assert isinstance(bench(pilot).active_bindings["F"].node, WhyPanel)


async def test_a_panel_is_zoomed_and_unzoomed() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        heatmap = bench(pilot).query_one(Heatmap)
        heatmap.focus()
        await pilot.pause()
        full = heatmap.region
        await pilot.press("z")
        assert bench(pilot).zoomed
        assert heatmap.region.width == pilot.app.size.width
        assert heatmap.region.height >= pilot.app.size.height - 9
        assert "> 1. Give the heatmap all the room" in shown(pilot)
        assert "update 0" in shown(pilot)
        assert "? help" in shown(pilot)
        for panel in (NetworkPanel, StoryPanel, LossPlot):
            await pilot.press("tab")
            await pilot.pause()
            assert bench(pilot).query_one(panel).region.width == pilot.app.size.width
            assert isinstance(bench(pilot).focused, panel)
        await pilot.press("escape")
        await pilot.pause()
        assert not bench(pilot).zoomed
        assert heatmap.region == full


async def test_the_loss_axis_is_switched() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("m", "y")
        await pilot.pause()
        assert "linear axis" in shown(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_cut_off(size: tuple[int, int]) -> None:
    async with NNTUI(load_preset("line-leaky-relu-edited")).run_test(size=size) as pilot:
        await pilot.press("e", "e")
        await pilot.pause()
        text = shown(pilot)
        for part in ("Loss", "Activations", "Network", "Story", "? help", "q quit"):
            assert part in text
        assert bench(pilot).run_shown.state_hash in text
        for panel in (LossPlot, Heatmap, NetworkPanel, StoryPanel):
            region = bench(pilot).query_one(panel).region
            assert region.right <= size[0]
            assert region.bottom <= size[1] - 1
            assert region.width >= 24
            assert region.height >= 4


async def test_a_terminal_made_too_small_says_so_and_recovers() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("e")
        await pilot.resize_terminal(50, 10)
        await pilot.pause()
        assert "60 columns and 16 rows" in re.sub(r"\s+", " ", shown(pilot))
        for size in [(5, 2), (300, 90), (1, 1), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert "update 6" in shown(pilot)


async def test_many_seeds_are_trained_and_one_is_opened() -> None:
    preset = override(load_preset("add-relu"), {"goal.epochs": 200})
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press("n", "n", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SeedsScreen))
        screen = pilot.app.screen
        assert isinstance(screen, SeedsScreen)
        await until(pilot, lambda: len(screen._listed) == 100)
        await pilot.pause()
        found = sweep(preset, range(2, 102))
        assert [each.seed for each in screen._listed] == [
            each.seed for each in ranked(found.outcomes)
        ]
        text = shown(pilot)
        assert f"{sum(found.solved)} of 100 solve" in text
        assert f"is number {rank_of(found.outcomes, 2)} of 100" in text
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).run_shown.seed == screen._listed[1].seed


async def test_brackets_in_titles_and_messages_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SeedsScreen, "_train", lambda screen: None)
    changed = {"data.path": "runs[b].csv"}
    async with NNTUI().run_test(size=(80, 24), notifications=True) as pilot:
        pilot.app.notify("saved as runs[b]/it[/b]", timeout=60)
        await pilot.pause()
        assert "saved as runs[b]/it[/b]" in shown(pilot)
        await pilot.app.push_screen(SeedsScreen(load_preset("xor-relu"), 0, changed))
        await pilot.pause()
        assert "100 seeds from 0, path runs[b].csv" in shown(pilot)
        await pilot.press("escape")
        await pilot.app.push_screen(AskChange("Change", lambda changes: None, [("w[b]", {})]))
        await pilot.pause()
        assert "w[b]" in shown(pilot)


async def test_closing_the_seeds_ends_their_training() -> None:
    preset = override(load_preset("square-fixed"), {"goal.epochs": 10**7})
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SeedsScreen))
        await until(pilot, lambda: bool(pilot.app.workers._workers))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await until(pilot, lambda: not pilot.app.workers._workers)


async def test_questions_are_asked_once_and_closed_where_there_is_no_room() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        first = bench(pilot)
        first.perform("jump")
        first.perform("jump")
        first.perform("choose_seed")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 3
        await pilot.press("5", "enter")
        await pilot.pause()
        assert bench(pilot).run_shown.update == 5
        await pilot.press("ctrl+p")
        await pilot.resize_terminal(59, 2)
        await pilot.press("pageup", "pagedown")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert pilot.app.screen is first


async def test_a_story_may_hold_any_characters() -> None:
    steps = [{"do": "C:\\{one_update} [bold] [/] { {nothing} \\", "see": "[/x] {run}"}]
    preset = override(load_preset("add-relu"), {"story.steps": steps})
    async with NNTUI(preset).run_test(size=(120, 60)) as pilot:
        text = shown(pilot)
        assert "C:\\ u  [bold] [/] { {nothing} \\" in text
        assert "[/x] space" in text


async def test_no_color_and_the_light_theme_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with NNTUI(load_preset("xor-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("e")
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert "update 4" in shown(pilot)
        assert pilot.app.no_color


async def test_idle_draws_nothing() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("e")
        await pilot.pause()
        before = status(pilot).snapshot
        await asyncio.sleep(0.3)
        assert status(pilot).snapshot is before
        assert not bench(pilot)._frames._active.is_set()


@pytest.mark.parametrize("actions", [WORKBENCH, LIBRARY])
def test_every_action_has_its_own_keys(actions: tuple[Action, ...]) -> None:
    keys = [key for action in actions for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_every_action_has_one_handler() -> None:
    handlers = WorkbenchScreen(load_preset("add-relu")).actions.handlers
    assert handlers.keys() == {action.name for action in WORKBENCH} - {"quit"} | {"unzoom"}
    for action in LIBRARY:
        if action.name not in ("quit", "open"):
            assert callable(getattr(LibraryScreen, f"action_{action.name}"))


def test_two_handlers_of_one_action_are_refused() -> None:
    with pytest.raises(ValueError, match="the same action"):
        Actions(WorkbenchScreen(load_preset("add-relu")), {"one_update": lambda: None})


async def test_the_palette_offers_every_action() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        titles = [each.title for each in pilot.app.get_system_commands(pilot.app.screen)]
        for action in WORKBENCH:
            if action.name not in ("quit", "next_panel"):
                assert f"{action.label} ({action.key})" in titles


async def test_a_screen_that_opens_while_the_app_ends_is_no_defect() -> None:
    app = NNTUI(load_preset("add-relu"))
    async with app.run_test() as pilot:
        await pilot.pause()
        app.exit(return_code=143)
        app.push_screen(ManualScreen())
        app._handle_exception(MountError("before its parent is mounted"))
    assert app.return_code == 143


async def test_enter_that_comes_twice_closes_one_screen() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("j")
        assert isinstance(pilot.app.screen, AskNumber)
        for key in ("5", "enter", "enter"):
            pilot.app.post_message(Key(key, {"enter": "\r"}.get(key, key)))
        await until(pilot, lambda: bench(pilot).run_shown.update == 5)
        await pilot.pause()
        assert isinstance(pilot.app.screen, WorkbenchScreen)


async def test_pages_of_a_list_without_lines_are_no_error() -> None:
    async with NNTUI().run_test(size=(10, 3)) as pilot:
        # Not laid out at this size, and with a highlighted option.
        listed = pilot.app.screen.query_one(OptionList)
        listed.highlighted = 0
        listed.action_page_down()
        listed.action_page_up()
        await pilot.press("ctrl+p")
        palette = pilot.app.screen
        assert isinstance(palette, Palette)
        await until(pilot, lambda: palette.query_one(CommandList).option_count > 0)
        for key in ("down", "pagedown", "pageup"):
            await pilot.press(key)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LibraryScreen)


async def test_a_palette_that_was_closed_takes_no_more_and_does_no_harm() -> None:
    async with NNTUI().run_test() as pilot:
        await pilot.press("ctrl+p")
        palette = pilot.app.screen
        assert isinstance(palette, Palette)
        await pilot.press("escape")
        worker = palette._gather_commands("seed")
        palette._action_command_list("page_up")
        palette._action_cursor_down()
        palette.dismiss()
        await until(pilot, lambda: worker.is_finished)
        assert isinstance(pilot.app.screen, LibraryScreen)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_key_bar_fits_and_keeps_help_and_quit(width: int) -> None:
    kept = KeyBar(WORKBENCH).fitting(width)
    assert sum(len(f" {action.key} {action.label} ") for action in kept) <= width
    assert {"help", "quit", "one_update", "run"} <= {action.name for action in kept}


def test_stories_name_keys_through_the_registry() -> None:
    assert fill_keys("Press {one_update}, then {run}.") == "Press u, then space."
    assert fill_keys("{nothing} stays") == "{nothing} stays"
