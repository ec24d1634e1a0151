"""Editing in the app: entries in the network panel, weights in the heatmap, and undo."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from piloted import bench, settled, shown, status
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TextArea

from nntui.presets import load_preset
from nntui.presets.editing.entries import preset_entries
from nntui.presets.schema import override
from nntui.tui.app import NNTUI
from nntui.tui.panels.editing.editor import Editor
from nntui.tui.panels.editing.inputs import EntryInput
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.dialogs.ask_lines import AskLines
from nntui.tui.screens.dialogs.choose_value import ListDialog

pytestmark = pytest.mark.slow

SIZES = [(80, 24), (120, 40)]
PRESET = load_preset("add-relu")


def editor(pilot: Pilot[None]) -> Editor:
    return bench(pilot).query_one(Editor)


def said(pilot: Pilot[None]) -> str:
    """What stands below the entries, on one line."""
    text = editor(pilot).query_one("#told", Static).visual
    return " ".join(str(text).split())


def hint(pilot: Pilot[None]) -> str:
    """What a question says of what may be answered."""
    return str(pilot.app.screen.query_one("#hint", Static).visual)


async def at(pilot: Pilot[None], key: str) -> None:
    """Give the panel the focus, with its cursor on an entry."""
    await pilot.press("E")
    editor(pilot).find(key)
    await pilot.pause()


async def write(pilot: Pilot[None], key: str, text: str) -> None:
    """Write another value for an entry, and press Enter."""
    await at(pilot, key)
    await pilot.press("enter")
    assert isinstance(pilot.app.focused, EntryInput)
    pilot.app.focused.value = text
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def choose(pilot: Pilot[None], key: str, words: str) -> None:
    """Choose another value for an entry, and press Enter."""
    await at(pilot, key)
    await pilot.press("enter")
    await pilot.pause()
    dialog = pilot.app.screen
    assert isinstance(dialog, ListDialog)
    dialog.listed.highlighted = [each.words for each in dialog.options].index(words)
    await pilot.press("enter")
    await pilot.pause()


@pytest.mark.parametrize("size", [(60, 16), *SIZES])
async def test_the_cursor_walks_over_every_entry_and_stays_in_sight(size: tuple[int, int]) -> None:
    async with NNTUI(PRESET).run_test(size=size) as pilot:
        await pilot.press("E")
        assert isinstance(pilot.app.focused, NetworkPanel)
        seen = [editor(pilot).entry.key]
        for _ in range(500):
            await pilot.press("down")
            if editor(pilot).entry.key == seen[-1]:
                break
            seen.append(editor(pilot).entry.key)
            if len(seen) % 9:
                continue
            await pilot.pause()
            assert re.search(rf"> *(\+ )?{editor(pilot).entry.name}\b", shown(pilot))
            assert "Enter" in said(pilot)
        entries = {each.key: each for each in preset_entries(PRESET, 0)}
        listed = [key for key, each in entries.items() if not (each.is_heading or each.needs)]
        assert seen == listed
        await pilot.press("home", "right", "right")
        assert editor(pilot).entry.key == "report.loss"
        await pilot.press("left", "pagedown", "end")
        assert editor(pilot).entry.key == "seed"


@pytest.mark.parametrize("size", SIZES)
async def test_the_filter_lists_what_has_its_words_also_without_an_effect(
    size: tuple[int, int],
) -> None:
    async with NNTUI(PRESET).run_test(size=size) as pilot:
        await pilot.press("E", "slash", *"rho")
        assert editor(pilot).entry.key == "training.rho"
        assert "it needs the optimiser rmsprop" in said(pilot)
        keys = [action.key for action in bench(pilot).query_one(KeyBar).actions]
        assert keys[:2] == ["enter", "Esc"]
        await pilot.press(*["backspace"] * 3, *"1 bias")
        entry = "layers.1.bias"
        assert editor(pilot).entry.key == entry
        await pilot.press("down", "down")
        assert editor(pilot).entry.key.startswith(entry)
        assert editor(pilot).entry.key != entry
        await pilot.press("slash", *"zzz", "enter", "u")
        assert bench(pilot).run_shown.update == 0, "what is typed goes into the filter"
        assert "no entry is called" in said(pilot)
        await pilot.press("escape")
        assert len(editor(pilot)._list.lines) > 50
        await pilot.press("escape")
        assert not isinstance(pilot.app.focused, NetworkPanel)


async def test_enter_in_the_filter_edits_the_entry_under_the_cursor() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        await pilot.press("E", "slash")
        named = {"\r": "enter", ".": "full_stop"}
        for character in "mom\r0.9\r":  # at once, as when it is pasted
            pilot.app.post_message(Key(named.get(character, character), character))
        await settled()
        run = bench(pilot).run_shown
        assert (run.update, run.preset.configuration.training.momentum) == (0, 0.9)
        assert isinstance(pilot.app.focused, NetworkPanel)
        assert [each.name for each in editor(pilot)._list.lines] == ["training", "momentum"]
        await pilot.press("slash")
        for key in (*"clip", "down", "enter"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await settled()
        assert (editor(pilot).entry.key, editor(pilot).writing) == ("training.clip_norm", True)
        await pilot.press("escape", "slash", *"optimiser", "enter")
        assert isinstance(pilot.app.screen, ListDialog)
        await pilot.press("escape")
        assert isinstance(pilot.app.focused, NetworkPanel)


@pytest.mark.parametrize("size", SIZES)
async def test_a_number_is_validated_while_it_is_typed(size: tuple[int, int]) -> None:
    async with NNTUI(PRESET).run_test(size=size) as pilot:
        await pilot.press("e")
        await at(pilot, "training.momentum")
        assert "Enter edits: applies from the next update on" in said(pilot)
        assert "number, at least 0, less than 1" in said(pilot)
        before = bench(pilot).run_shown.state_hash
        await pilot.press("enter", "2")
        await pilot.pause()
        assert "training.momentum: must be less than 1.0, not 2" in said(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.focused, EntryInput)
        assert bench(pilot).run_shown.state_hash == before
        await pilot.press("backspace", "0", ".", "5")
        await pilot.pause()
        assert "Enter sets it: applies from the next update on" in said(pilot)
        await pilot.press("enter")
        await pilot.pause()
        run = bench(pilot).run_shown
        assert run.preset.configuration.training.momentum == 0.5
        assert (run.update, run.head, len(run.tree.branches)) == (6, 6, 1)
        assert isinstance(pilot.app.focused, NetworkPanel)
        assert "0.5 *" in shown(pilot)
        await pilot.press("U")
        assert run.state_hash == before
        assert "undone" in status(pilot).note


def wrong() -> Iterator[tuple[str, str, str]]:
    """For each entry that is written, a text that it cannot be, and what is said of it."""
    yield from [
        ("training.learning_rate", "-1", "must be at least 0"),
        ("training.learning_rate", "fast", "must be a number"),
        ("training.batch", "half", 'must be a whole number or "full"'),
        ("training.batch", "0", "must be at least 1"),
        ("training.draws", "7", 'belongs to order = "random"'),
        ("goal.epochs", "1.5", "must be a whole number"),
        ("layers.0.units", "0", "must be at least 1"),
        ("layers.2.units", "3", "the targets have 1 column"),
        ("faults.0.layers", "[9]", "there is no layer 9"),
        ("faults.0.factor", "2", "belongs to the fault wrong-factor"),
        ("data.formula", "sin(", "data.formula: "),
        ("data.noise", "1", "does not belong to a table"),
        ("data.delimiter", ";", "none is given"),
        ("seed", "-3", "must be at least 0"),
    ]


async def test_what_is_wrong_is_told_and_changes_nothing() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await pilot.press("e")
        run = bench(pilot).run_shown
        before = run.state_hash, run.branch, run.preset
        for key, text, message in wrong():
            await write(pilot, key, text)
            assert message in said(pilot), (key, said(pilot))
            assert (run.state_hash, run.branch, run.preset) == before
            assert len(run.tree.branches) == 1
            await pilot.press("escape")
            assert isinstance(pilot.app.focused, NetworkPanel)
            assert message not in said(pilot)
        await choose(pilot, "training.loss", "binary-cross-entropy")
        assert "needs a sigmoid output, but layer 2 is relu" in said(pilot)
        await pilot.press("escape")
        assert (run.state_hash, run.branch, run.preset) == before


async def test_a_choice_is_one_of_the_registry_and_escape_leaves_it() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await at(pilot, "training.optimiser")
        await pilot.press("enter", "down", "down")
        await pilot.pause()
        for name in ("• sgd", "nesterov", "rmsprop", "adam"):
            assert name in shown(pilot)
        assert "each parameter's step is scaled" in shown(pilot)
        assert "applies from the next update on" in shown(pilot)
        await pilot.press("escape")
        run = bench(pilot).run_shown
        assert run.preset.configuration.training.optimiser == "sgd"
        await choose(pilot, "training.optimiser", "adam")
        assert run.preset.configuration.training.optimiser == "adam"
        await at(pilot, "goal.stop")
        await pilot.press("enter")
        await pilot.pause()
        assert run.preset.goal.stop is not PRESET.goal.stop
        await choose(pilot, "faults.add", "wrong-sign")
        assert run.preset.configuration.faults[-1].name == "wrong-sign"
        await at(pilot, "faults.0.of")
        await pilot.press("D")
        await pilot.pause()
        assert "Take bias-decay away?" in shown(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert [each.name for each in run.preset.configuration.faults] == [
            "update-before-backprop",
            "wrong-sign",
        ]


async def test_it_says_whether_a_branch_begins_and_undo_takes_it_back() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "e", "b", "b")
        run = bench(pilot).run_shown
        before, main = run.state_hash, run.branch
        await at(pilot, "training.momentum")
        assert "begins a branch here" in said(pilot)
        await write(pilot, "training.momentum", "0.5")
        assert (run.branch.parent, run.branch.forked_at, run.update) == (main, 10, 10)
        overlaid = bench(pilot).other
        assert overlaid is not None
        assert overlaid.branch is main
        await pilot.press("U")
        assert (run.branch, run.update, run.state_hash) == (main, 10, before)
        assert run.tree.branches == [main]
        await at(pilot, "layers.0.units")
        assert "begins a branch at update 0" in said(pilot)
        await write(pilot, "layers.0.units", "6")
        assert (run.branch.forked_at, run.update, run.parameters[0][0].shape[0]) == (0, 0, 6)
        await pilot.press("u", "U")
        assert (run.branch, run.update, run.state_hash) == (main, 10, before)
        assert len(run.tree.branches) == 2
        await pilot.press("U")
        assert "nothing to undo" in status(pilot).note


async def test_layers_are_added_and_taken_away() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await pilot.press("u", "E", "slash", *"layers.add", "enter", "enter")
        await settled()
        run = bench(pilot).run_shown
        assert run.preset.network.startswith("2-4-4-4-1")
        assert run.branch.name == "+ layer 2: 4 relu"
        assert "+ layer 2: 4 relu; U undoes" in status(pilot).note
        assert (editor(pilot).entry.key, editor(pilot).filtering) == ("layers.2", False)
        await at(pilot, "layers.0.units")
        await pilot.press("D")
        await pilot.press("enter")
        await pilot.pause()
        assert run.preset.network.startswith("2-4-4-1")


async def test_keys_typed_fast_are_those_of_the_value() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        await pilot.press("u")
        await at(pilot, "training.momentum")
        for key, character in (("enter", "\r"), ("0", "0"), ("full_stop", "."), ("5", "5")):
            pilot.app.post_message(Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert bench(pilot).query_one("#value", EntryInput).value == "0.5"
        assert bench(pilot).run_shown.update == 1


@pytest.mark.parametrize("dialog", [False, True])
async def test_a_burst_of_keys_is_carried_out_in_its_order(dialog: bool) -> None:
    names = [*"987", *["backspace"] * 3, *"124", "left", "3", "home", "delete", "end"]
    names += ["5", "backspace"]
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        if dialog:
            await pilot.press("j")
        else:
            await at(pilot, "goal.epochs")
            await pilot.press("enter")
        for name in names:
            pilot.app.post_message(Key(name, name if len(name) == 1 else None))
        await pilot.pause()
        await pilot.pause()
        written = pilot.app.focused
        assert isinstance(written, Input)
        assert written.value == "234"
        pilot.app.post_message(Key("6", "6"))
        pilot.app.post_message(Key("enter", "\r"))
        await pilot.pause()
        await pilot.pause()
        run = bench(pilot).run_shown
        assert (run.update if dialog else run.preset.goal.epochs) == 2346


async def test_keys_typed_fast_are_those_of_the_list_that_opens() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        await at(pilot, "training.optimiser")
        for key in ("enter", "down", "down", "enter", "enter", "end", "up", "enter"):
            pilot.app.post_message(Key(key, None))
        await settled()
        assert editor(pilot).entry.key == "training.optimiser"
        run = bench(pilot).run_shown
        assert run.preset.configuration.training.optimiser == "rmsprop"
        for key in ("enter", "a", "enter"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await settled()
        assert run.preset.configuration.training.optimiser == "adam"


async def test_training_waits_while_an_entry_is_edited() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        await at(pilot, "training.learning_rate")
        await pilot.press("enter")
        await pilot.pause()
        assert not bench(pilot).running
        keys = [action.key for action in bench(pilot).query_one(KeyBar).actions]
        assert keys == ["enter", "Esc"]
        await pilot.press("tab")
        await pilot.pause()
        assert not isinstance(pilot.app.focused, (EntryInput, NetworkPanel))
        assert not editor(pilot).writing


async def test_on_a_small_screen_the_panel_has_all_the_room_while_it_is_edited() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        story = pilot.app.focused
        await at(pilot, "training.learning_rate")
        await pilot.press("enter")
        assert bench(pilot).zoomed
        assert bench(pilot).focused_panel is bench(pilot).query_one(NetworkPanel)
        await pilot.press("escape", "escape")
        assert not bench(pilot).zoomed
        assert pilot.app.focused is story
        await pilot.press("E")
        assert bench(pilot).zoomed
        await pilot.press("E")
        assert not bench(pilot).zoomed
        assert pilot.app.focused is story


async def test_while_a_choice_is_open_no_letter_trains() -> None:
    async with NNTUI(PRESET).run_test(size=(80, 24)) as pilot:
        await at(pilot, "training.optimiser")
        await pilot.press("enter", "e", "u", "space")
        assert isinstance(pilot.app.screen, ListDialog)
        await pilot.press("escape")
        assert bench(pilot).run_shown.head == 0
        await pilot.press("escape", "u")
        assert bench(pilot).run_shown.head == 1


async def test_the_data_are_taken_from_a_file_its_columns_and_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{at},{at * at},{'ab'[at % 2]}\n" for at in (3, 9, 4, 1, 8, 2))
    (tmp_path / "mine.csv").write_text("one,two,kind\n" + rows)
    monkeypatch.chdir(tmp_path)
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        run = bench(pilot).run_shown
        await pilot.press("u")
        await choose(pilot, "data.source", "another CSV file")
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press(*"lost.csv", "enter")
        assert "there is no file lost.csv in" in hint(pilot)
        await pilot.press("escape")
        await choose(pilot, "data.source", "mine.csv")
        assert run.preset.configuration.data.target_names == ("a", "b")
        assert "and with it layers.2, training.loss" in status(pilot).note
        assert "{" not in status(pilot).note
        assert run.branch.name.startswith("data=csv mine.csv layers.2=")
        for name in ("source", "csv", "input_columns", "classes_from"):
            assert re.search(rf"│ [ >] {name} +\w", shown(pilot)), shown(pilot)
        await at(pilot, "data.input_columns")
        await pilot.press("enter")
        await pilot.pause()
        listed = pilot.app.screen.query_one(OptionList)
        await pilot.click(OptionList, offset=(3, 1))
        assert "[ ] two" in str(listed.get_option_at_index(1).prompt)
        await pilot.press("enter")
        await pilot.pause()
        assert run.preset.configuration.data.input_names == ("one",)
        await choose(pilot, "data.source", "table")
        await at(pilot, "data.targets")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, AskLines)
        assert "3 -> 0, 1" in pilot.app.screen.query_one(TextArea).text
        pilot.app.screen.query_one(TextArea).text = "1 -> 0, 1\n2 -> 1"
        await pilot.press("ctrl+s")
        assert "line 2 has 1 targets" in hint(pilot)
        pilot.app.screen.query_one(TextArea).text = "1 -> 0, 1\n2 -> 1, 0"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert run.preset.configuration.data.rows == 2


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_escape_leaves_the_editor_at_every_size(size: tuple[int, int]) -> None:
    async with NNTUI(PRESET).run_test(size=size) as pilot:
        before = pilot.app.focused
        await pilot.press("E", "slash", *"rate", "enter", "escape", "escape")
        assert isinstance(pilot.app.focused, NetworkPanel)
        await pilot.press("escape")
        assert (pilot.app.focused, bench(pilot).zoomed) == (before, False)
        assert "Esc" not in status(pilot).note


async def test_a_click_puts_the_cursor_and_a_click_on_it_edits() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await pilot.press("E")
        await pilot.pause()
        await pilot.click("#entries", offset=(4, 10))
        assert editor(pilot).entry.key == "training.learning_rate"
        assert not editor(pilot).writing
        await pilot.click("#entries", offset=(4, 10))
        assert editor(pilot).writing


async def test_a_weight_and_a_bias_are_set_in_the_heatmap() -> None:
    async with NNTUI(PRESET).run_test(size=(120, 40)) as pilot:
        await pilot.press("e")
        run, heatmap = bench(pilot).run_shown, bench(pilot).query_one(Heatmap)
        heatmap.focus()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "only weights" in status(pilot).note
        before = run.state_hash
        await pilot.press("v", "v", "v")
        listed = [each.name for each in bench(pilot).query_one(KeyBar).fitting(76)]
        assert {"point", "heatmap"} <= set(listed)
        await pilot.press("down", "right", "enter")
        assert isinstance(pilot.app.screen, Ask)
        assert "parameters.0.W.1.1" in hint(pilot)
        assert "applies from the next update on" in hint(pilot)
        pilot.app.screen.query_one(Input).value = "0.5x"
        await pilot.press("enter")
        assert "A number such as 0.5" in shown(pilot)
        pilot.app.screen.query_one(Input).value = "-0.5"
        await pilot.press("enter")
        await pilot.pause()
        assert run.parameters[0][0][1, 1] == -0.5
        assert np.sum(run.parameters[0][0] == -0.5) == 1
        await pilot.press("b", "end", "enter")
        assert "parameters.0.b.1" in hint(pilot)
        assert "begins a branch here" in hint(pilot)
        pilot.app.screen.query_one(Input).value = "3"
        await pilot.press("enter")
        await pilot.pause()
        bias = run.parameters[0][1]
        assert bias is not None
        assert (run.update, bias[1], len(run.tree.branches)) == (5, 3.0, 2)
        await pilot.press("X", "enter")
        await pilot.pause()
        assert "set by hand is no part of it" in hint(pilot)
        await pilot.press("escape", "U", "h", "U")
        assert (run.update, run.state_hash, len(run.tree.branches)) == (6, before, 1)


async def test_a_missing_bias_and_another_branch_cannot_be_set() -> None:
    preset = override(PRESET, {"layers.0.bias": "none"})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        bench(pilot).query_one(Heatmap).focus()
        await pilot.pause()
        await pilot.press("v", "v", "v", "end", "enter")
        await pilot.pause()
        assert "no bias" in status(pilot).note
