"""Out of the app: presets, scripts and strings; and strings pasted into the library."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from piloted import bench, shown, status, until
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input

from nntui import Run, load_preset
from nntui.presets import decode, encode
from nntui.presets.schema import override
from nntui.timeline.microscope import arithmetic, written
from nntui.tui.app import NNTUI
from nntui.tui.microscope.equations_panel import MANY
from nntui.tui.microscope.microscope_screen import MicroscopeScreen
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.terminal.taken import taken_folder
from nntui.tui.workbench.actions.exporting import panel_name
from nntui.tui.workbench.arrangement import PANELS
from nntui.tui.workbench.screen import WorkbenchScreen


async def take(pilot: Pilot[None], downs: int, path: Path) -> None:
    await pilot.press("X", *["down"] * downs, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
    await pilot.pause()
    pilot.app.screen.query_one(Input).value = str(path)
    await pilot.press("enter")
    await pilot.pause()


async def test_the_configuration_is_saved_as_a_preset_and_as_a_script(tmp_path: Path) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("n", "e")
        bench(pilot).actions.branching.change({"training.learning_rate": 0.02})
        run = bench(pilot).run_shown
        await take(pilot, 0, tmp_path / "mine.toml")
        assert "saved as" in status(pilot).note
        wanted = Run(override(load_preset("add-relu"), {"training.learning_rate": 0.02}), 1)
        again = Run(load_preset(str(tmp_path / "mine.toml")))
        assert (again.seed, again.state_hash) == (run.seed, wanted.state_hash)
        await take(pilot, 1, tmp_path / "mine.py")
        script = [sys.executable, str(tmp_path / "mine.py"), "20"]
        printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
        wanted.step(120)
        losses = [float(line.split()[1]) for line in printed.splitlines() if line[0] != "#"]
        assert losses == pytest.approx(wanted.losses.tolist(), rel=1e-9)
        await take(pilot, 0, tmp_path / "mine.py")
        assert isinstance(pilot.app.screen, Ask)
        assert pilot.app.screen.query_one("#hint").has_class("-wrong")


async def test_a_string_is_copied_and_pasted() -> None:
    async with NNTUI(load_preset("xor-relu")).run_test() as pilot:
        await pilot.press("N", "7", "enter", "X", "down", "down", "down", "enter")
        await until(pilot, lambda: bool(pilot.app.clipboard))
        text = pilot.app.clipboard
        assert Run(decode(text)).state_hash == Run(load_preset("xor-relu"), 7).state_hash
    async with NNTUI().run_test() as pilot:
        library = pilot.app.screen
        assert isinstance(library, LibraryScreen)
        library.post_message(Paste(text[:-4]))
        await pilot.pause()
        assert pilot.app.screen is library
        library.post_message(Paste(f" {text}\n"))
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
        assert bench(pilot).run_shown.seed == 7
    assert encode(decode(text)) == text


@pytest.mark.parametrize("turns", [0, 3, 10])
async def test_the_app_can_be_left_while_a_scenario_opens(turns: int) -> None:
    async with NNTUI().run_test() as pilot:
        pilot.app.screen.post_message(Paste(encode(load_preset("xor-relu"))))
        while not isinstance(pilot.app.screen, WorkbenchScreen):
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
    assert pilot.app.return_code in (None, 0)


async def test_numbers_are_copied() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        bench(pilot).query_one(LossPlot).focus()
        await pilot.press("C")
        header, *rows = [line.split("\t") for line in pilot.app.clipboard.splitlines()]
        assert header == ["epoch", "loss"]
        assert (taken_folder() / "copied-lossplot.tsv").read_text() == pilot.app.clipboard
        assert "copied-lossplot.tsv" in status(pilot).note
        losses = bench(pilot).run_shown.losses.tolist()
        assert [(int(epoch), float(loss)) for epoch, loss in rows] == [*enumerate(losses, start=1)]
        bench(pilot).query_one(Timeline).focus()
        await pilot.press("C")
        assert "0\tunit 1.2 dead from the start\n" in pilot.app.clipboard
        seen = set()
        for _ in PANELS:
            await pilot.press("tab")
            await pilot.pause()
            await pilot.press("C")
            panel = bench(pilot).focused_panel
            assert f"copied-{panel_name(panel)}." in status(pilot).note
            seen.add(type(panel))
        assert seen == set(bench(pilot).shown_panels)
        await pilot.press("i", "C")
        lines = pilot.app.clipboard.splitlines()
        assert lines[0].startswith("Update 600 to 601: unit ")
        microscope = pilot.app.screen
        assert isinstance(microscope, MicroscopeScreen)
        lens = microscope.lens
        for line in arithmetic(microscope.anatomy, lens.layer, lens.unit, lens.sample, lens.column):
            assert written(line.made, MANY) in lines
        assert f"{len(lines)} lines: sent to the clipboard" in shown(pilot)
        assert (taken_folder() / "copied-microscope.txt").read_text() == pilot.app.clipboard
        await pilot.press("escape")
        await pilot.pause()
        while not isinstance(bench(pilot).focused_panel, OutputPanel):
            await pilot.press("tab")
            await pilot.pause()
        await pilot.press("C")
        rows = [line.split("\t") for line in pilot.app.clipboard.splitlines()]
        assert rows[0] == ["row", "x0", "x1", "target 0", "output 0", "kept for"]
        outputs = bench(pilot).run_shown.outputs
        assert [float(row[4]) for row in rows[1:]] == outputs[0].tolist()
        await pilot.press("n", "e")
        bench(pilot).look(bench(pilot).view.with_overlay(bench(pilot).run_shown.tree.branches[0]))
        bench(pilot).query_one(LossPlot).focus()
        await pilot.press("C")
        rows = [line.split("\t") for line in pilot.app.clipboard.splitlines()]
        assert rows[:2] == [
            ["epoch", "loss", "B"],
            ["1", repr(float(bench(pilot).run_shown.losses[0])), repr(losses[0])],
        ]
        assert rows[2] == ["2", "", repr(losses[1])]


async def test_a_screenshot_is_saved_wherever_the_home_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        pilot.app.deliver_screenshot()
        await pilot.pause()
        assert "<svg" in (taken_folder() / "screenshot.svg").read_text()
        assert str(taken_folder()) in status(pilot).note
        taken_folder().joinpath("screenshot.svg").unlink()
        taken_folder().rmdir()
        taken_folder().write_text("in the way")
        pilot.app.deliver_screenshot()
        await pilot.pause()
        assert status(pilot).note.startswith("no screenshot: ")
