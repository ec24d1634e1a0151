"""The guide: a step is done on request, and known when it was done by hand."""

import os
from pathlib import Path

import pytest
from piloted import SIZES, bench, settled, shown, status, until
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Markdown, OptionList, TextArea

from nntui import Run, load_preset
from nntui.manual import topics
from nntui.presets import preset_names, to_toml
from nntui.presets.making.csv_columns import look_at_csv
from nntui.tui.actions import fill_keys
from nntui.tui.app import NNTUI
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.tour import PAGES, TourScreen
from nntui.tui.workbench.actions.guiding import PANELS
from nntui.tui.workbench.screen import WorkbenchScreen

pytestmark = pytest.mark.slow


def story(pilot: Pilot[None]) -> StoryPanel:
    return bench(pilot).query_one(StoryPanel)


def looked_at(pilot: Pilot[None]) -> list[str]:
    return [
        name
        for name, (kind, _) in PANELS.items()
        if bench(pilot).query_one(kind).has_class("-look")
    ]


async def test_a_preset_is_typed_or_pasted_into_the_library() -> None:
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        area = pilot.app.screen.query_one(TextArea)
        area.text = "[data]\nsource = 3"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "the text: layers: is missing" in shown(pilot))
        area.text = to_toml(load_preset("add-fixed")).replace("0.01", "0.02")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).run_shown.preset.configuration.training.learning_rate == 0.02
        await pilot.press("l")
        pilot.app.post_message(Paste(to_toml(load_preset("xor-relu"))))
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).scenario.network == load_preset("xor-relu").network


async def test_a_new_network_is_asked_for_made_and_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{k},{k % 7},{'odd' if k % 2 else 'even'}\n" for k in range(5, 40, 3))
    (tmp_path / "sevens.csv").write_text(f"number,rest,kind\n{rows}")
    (tmp_path / "ragged.csv").write_text("one,two\n1\n")
    os.utime(tmp_path / "ragged.csv", (0, 0))  # the latest come first
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        assert "Own data: n" in shown(pilot)
        assert "resume" not in shown(pilot)
        await pilot.press("n")
        await until(pilot, lambda: "sevens.csv" in shown(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "│ ragged.csv line 2: has 1 cells" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "data set moons" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "kind  2 texts: even, odd" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "data set moons" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "which column" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "[x] rest" in shown(pilot))
        await pilot.press("space", "down", "space", "enter")
        await until(pilot, lambda: "at least one column" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "[x] rest" in shown(pilot))
        await pilot.press("down", "space", "enter")
        await until(pilot, lambda: "8 tanh" in shown(pilot))
        await pilot.press("8", "comma", "4", "enter")
        await until(pilot, lambda: "sevens.toml" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).scenario.network.startswith("1-8-4-2")
        assert "saved as sevens.toml" in status(pilot).note
        await pilot.press("u")
        await until(pilot, lambda: bench(pilot).run_shown.update == 1)
    saved = load_preset(str(tmp_path / "sevens.toml"))
    assert saved.configuration.training.loss == "categorical-cross-entropy"


async def test_a_csv_file_that_is_named_is_asked_about_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Names that look like markup stand as they are.
    rows = "".join(f"{at},{at % 3},{['[red]a', '[/]b'][at % 2]}\n" for at in range(8))
    (tmp_path / "two.csv").write_text(f"price [EUR],[/]x,kind [/]\n{rows}")
    async with NNTUI(data=look_at_csv(tmp_path / "two.csv")).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "two.csv: which column is to be predicted?" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "what is it to learn from?" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "which column is to be predicted?" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "from which columns is kind [/] predicted?" in shown(pilot))
        await pilot.press("up", "space", "enter", "enter")
        await until(pilot, lambda: "save it as" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        await pilot.press("k")
        await until(pilot, lambda: "[red]a" in shown(pilot))


async def test_keys_between_two_questions_open_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        for key in ("n", *["enter"] * 5):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await settled()
        assert not any(isinstance(each, WorkbenchScreen) for each in pilot.app.screen_stack)
        await pilot.press("escape", "escape", "escape", "escape")
        await settled()
        await pilot.press("enter")  # the list is asked again
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))


async def test_a_step_is_done_for_the_reader() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 1)
        assert bench(pilot).zoomed
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 2)
        assert bench(pilot).run_shown.update == 6
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 3)
        assert bench(pilot).run_shown.epoch == 5000
        assert looked_at(pilot) == ["activations"]
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 4)
        run = bench(pilot).run_shown
        assert (run.seed, run.epoch) == (2, 5000)
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 5)
        assert (run.seed, run.update) == (23, 606)
        plain = Run(load_preset("add-relu"), 23)
        plain.step(606)
        assert run.state_hash == plain.state_hash
        await pilot.press("g")
        assert "no further step" in status(pilot).note


async def test_a_step_done_by_hand_is_known() -> None:
    async with NNTUI(load_preset("line-leaky-relu-bias")).run_test(size=(120, 40)) as pilot:
        steps = load_preset("line-leaky-relu-bias").story.steps
        assert steps[0].perform == ("one_epoch", "many_epochs")
        await pilot.press("e")
        assert story(pilot).done == 0
        await pilot.press("u", "b", "m")
        await until(pilot, lambda: story(pilot).done == 1)
        assert looked_at(pilot) == [steps[0].look]
        assert "step 1 is done" in status(pilot).note
        await pilot.press("j", "3", "0", "0", "1", "enter")
        await until(pilot, lambda: bench(pilot).run_shown.update == 3001)
        assert story(pilot).done == 1
        await pilot.press("j", "3", "0", "0", "0", "enter")
        await until(pilot, lambda: story(pilot).done == 2)


async def test_a_step_is_done_when_its_training_has_ended_and_both_are_said() -> None:
    async with NNTUI(load_preset("line-leaky-relu-bias")).run_test(size=(120, 40)) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 1)
        await pilot.press("g")
        await until(pilot, lambda: story(pilot).done == 2)
        assert load_preset("line-leaky-relu-bias").story.steps[2].perform == ("run",)
        bench(pilot).control.player.change_speed(-1)
        await pilot.press("space")
        assert bench(pilot).control.running
        assert story(pilot).done == 2
        bench(pilot).control.player.change_speed(1)
        await until(pilot, lambda: story(pilot).done == 3)
        assert not bench(pilot).control.running
        note = status(pilot).note
        assert note.startswith("stopped: 0.0001 is reached; step 3 is done: look at ")


async def test_a_step_whose_training_is_cut_short_is_not_done_before_that_has_ended() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        for done in (1, 2):
            await pilot.press("g")
            await until(pilot, lambda done=done: story(pilot).done == done)
        player = bench(pilot).control.player
        player.change_speed(-5)
        await pilot.press("space")
        assert (bench(pilot).control.running, story(pilot).done) == (True, 2)
        await pilot.press("space", "u")
        await pilot.pause()
        assert (bench(pilot).control.running, story(pilot).done) == (False, 2)
        player.change_speed(5)
        bench(pilot).query_one(Heatmap).put_at("2.0")
        await pilot.press("space")
        await until(pilot, lambda: story(pilot).done == 3)
        assert bench(pilot).run_shown.epoch == 5000
        assert "step 3 is done" in status(pilot).note


async def test_a_step_that_asks_for_a_place_in_the_heatmap_is_done_there() -> None:
    async with NNTUI(load_preset("square-leaky-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("tab", "tab")
        await pilot.pause()
        assert story(pilot).done == 0
        assert "cursor on 1.0, sample 200" in status(pilot).note
        await pilot.press("ctrl+end", "up")
        await pilot.pause()
        assert story(pilot).done == 0
        await pilot.press("end")
        await until(pilot, lambda: story(pilot).done == 1)


async def test_what_is_left_of_a_step_is_done_for_the_reader() -> None:
    async with NNTUI(load_preset("line-leaky-relu-bias")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "g")
        await until(pilot, lambda: story(pilot).done == 1)
        assert bench(pilot).run_shown.epoch == 101


@pytest.mark.parametrize("name", preset_names())
def test_every_step_says_where_to_look(name: str) -> None:
    for step in load_preset(name).story.steps:
        assert step.look in PANELS
        assert step.perform


def test_the_panels_are_those_that_a_preset_can_name() -> None:
    from nntui.presets.preset import PANELS as NAMES

    assert tuple(PANELS) == NAMES
    assert PANELS["loss"][0] is LossPlot
    assert PANELS["activations"][0] is Heatmap


async def test_the_tour_shows_around_and_can_be_skipped() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(60, 16)) as pilot:
        await pilot.press("T")
        await pilot.pause()
        for _ in PAGES:
            screen = pilot.app.screen
            assert isinstance(screen, TourScreen)
            box = screen.query_one("Vertical").region
            assert box.bottom <= 16
            await pilot.press("enter")
            await pilot.pause()
        assert isinstance(pilot.app.screen, WorkbenchScreen)
        await pilot.press("T", "right", "right", "left", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, WorkbenchScreen)
        assert bench(pilot).run_shown.update == 0
        await pilot.press("l", "T")
        await pilot.pause()
        assert isinstance(pilot.app.screen, TourScreen)


def test_the_tour_names_only_actions_that_there_are() -> None:
    for _, text in PAGES:
        assert "{" not in fill_keys(text)


def page(pilot: Pilot[None]) -> str:
    """The Markdown that the manual shows."""
    return pilot.app.screen.query_one(Markdown).source


@pytest.mark.parametrize("size", SIZES)
async def test_the_manual_is_opened_by_its_key_and_from_the_help(size: tuple[int, int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=size) as pilot:
        for keys in (["f2"], ["question_mark", "m"], ["question_mark", "f2"]):
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(pilot.app.screen, ManualScreen))
            await until(pilot, lambda: "The library, the panels" in shown(pilot))
            assert pilot.app.screen.query_one("Horizontal").region.bottom <= size[1]
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).run_shown.update == 0


async def test_every_topic_is_shown_with_its_tables() -> None:
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, ManualScreen))
        listed = pilot.app.screen.query_one(OptionList)
        assert [each.id for each in listed.options] == list(topics())
        for about in topics().values():
            await until(pilot, lambda about=about: about in page(pilot))
            assert "<!--" not in page(pilot)
            await pilot.press("down")


async def test_the_manual_scrolls_and_follows_its_links() -> None:
    async with NNTUI().run_test(size=(80, 24)) as pilot:
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, ManualScreen))
        await until(pilot, lambda: "the panels of the workbench" in shown(pilot))
        scroll = pilot.app.screen.query_one("VerticalScroll")
        await pilot.press("space")
        await until(pilot, lambda: scroll.scroll_y > 0)
        markdown = pilot.app.screen.query_one(Markdown)
        markdown.post_message(Markdown.LinkClicked(markdown, "keys.md"))
        await until(pilot, lambda: topics()["keys"] in page(pilot))
        await until(pilot, lambda: scroll.scroll_y == 0)
        await pilot.press("b", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ManualScreen))


async def test_the_microscope_opens_its_own_page() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("i", "f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, ManualScreen))
        await until(pilot, lambda: topics()["microscope"] in page(pilot))
