"""How the panels share the screen, and what is said where: sizes, messages, clicks, preferences."""

import re
from pathlib import Path

import numpy as np
import pytest
from piloted import SIZES, bench, shown, status, until
from rich.color import ColorSystem
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from nntui import load_preset
from nntui.core.number_text import brief
from nntui.timeline.views.outputs import Surface
from nntui.tui.app import NNTUI
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageLine
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.terminal.preferences import remember, remembered
from nntui.tui.workbench.pace import duration
from nntui.tui.workbench.sizing import Need, shared

slow = pytest.mark.slow
CLASSES = """
data = { csv = "kinds.csv", input_columns = ["length", "width"], classes_from = "kind" }
layers = [{ units = 4, activation = "tanh" }, { units = 2, activation = "softmax" }]
training = { loss = "categorical-cross-entropy", learning_rate = 0.1 }
report = { loss = "categorical-cross-entropy" }
goal = { loss = 0.05, epochs = 3 }
"""


@pytest.mark.parametrize(
    ("rows", "needs", "expected"),
    [
        (30, [Need(5, most=12), Need(8)], [12, 18]),
        (14, [Need(5, most=12, fair=6), Need(8)], [6, 8]),
        (40, [Need(4, most=9), Need(6, most=10)], [30, 10]),
        (10, [Need(8), Need(8)], [8, 2]),
        (50, [Need(5, most=50, fair=12), Need(6, fair=16), Need(9, fair=20)], [14, 16, 20]),
        (20, [], []),
    ],
)
def test_rows_go_to_what_needs_them(rows: int, needs: list[Need], expected: list[int]) -> None:
    found = shared(rows, needs)
    assert found == expected
    assert not needs or sum(found) == rows


def test_a_duration_is_told_in_few_characters() -> None:
    told = [duration(seconds) for seconds in (0, 59.4, 125, 3599, 3 * 3600, 100 * 3600, 1e12)]
    assert told == ["0:00", "0:59", "2:05", "59:59", "3 h", "4 days", "9,999 days"]


def kinds(folder: Path) -> Path:
    """A preset of two classes in a CSV file; it tells no story."""
    random = np.random.RandomState(0)
    rows = [
        f"{x + at:.2f},{y + at:.2f},{('daisy', 'tulip')[at]}"
        for at in (0, 1)
        for x, y in random.rand(20, 2)
    ]
    (folder / "kinds.csv").write_text("\n".join(["length,width,kind", *rows]))
    (folder / "kinds.toml").write_text(CLASSES)
    return folder / "kinds.toml"


def widths(pilot: Pilot[None]) -> dict[str, int]:
    """The columns of the panels that are on the screen, by their class."""
    panels = (bench(pilot).query_one(kind) for kind in bench(pilot).shown_panels)
    return {type(panel).__name__: panel.region.width for panel in panels}


@slow
async def test_a_preset_without_a_story_shows_its_classes_at_every_size(tmp_path: Path) -> None:
    async with NNTUI(load_preset(str(kinds(tmp_path)))).run_test(size=SIZES[1]) as pilot:
        await pilot.press("e", "e", "e")
        panel = bench(pilot).query_one(OutputPanel)
        for size in SIZES[1:]:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: pilot.app.size == size)
            await pilot.pause()
            assert StoryPanel not in bench(pilot).shown_panels
            assert isinstance(panel.picture, Surface)
            assert panel.picture.values.shape[0] == panel.cells[1]
            text = shown(pilot)
            ends = map(brief, (*panel.picture.x, *panel.picture.y))
            axes = ["length x width"] if size[0] > 80 else []  # beside the numbers at its ends
            for part in ("daisy", "tulip", "row 0", *axes, *ends):
                assert part in text
            used = sum(bench(pilot).query_one(kind).region.height for kind in (Heatmap, LossPlot))
            assert used == bench(pilot).query_one("#columns").size.height
        await pilot.press("k", "K", "K")
        await pilot.pause()
        assert re.search(r"row +target +output +p", shown(pilot))
        assert panel.copied().splitlines()[0].split("\t")[1:3] == ["length", "width"]
        samples = panel._samples
        assert samples is not None
        assert samples.class_names == ("daisy", "tulip")
        await pilot.press("space")
        assert "budget of 3 epochs is spent" in status(pilot).note
        assert bench(pilot).run_shown.update == 3
        await pilot.press("space")
        await until(pilot, lambda: bench(pilot).run_shown.update > 3)
        await pilot.press("space")
        await pilot.pause()
        assert "beyond the budget" in shown(pilot)


@slow
async def test_panels_have_columns_rows_and_messages_by_what_there_is_to_say() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(200, 60)) as pilot:
        await pilot.press("e")
        await pilot.pause()
        wide = widths(pilot)
        assert 50 < wide["StoryPanel"] < 75
        assert 50 < wide["OutputPanel"] < 75
        heatmap = bench(pilot).query_one(Heatmap)
        assert heatmap.region.height == heatmap.rows_needed
        await pilot.press("n", "r")
        assert len(bench(pilot).run_shown.tree.branches) == 2
        assert "nothing was trained yet" in status(pilot).note
        # A press of a key in the bar is that key.
        bar = bench(pilot).query_one(KeyBar)
        at = shown(pilot).splitlines()[bar.region.y].index("epoch")
        await pilot.click(KeyBar, offset=(at, 0))
        await until(pilot, lambda: bench(pilot).run_shown.epoch == 1)
        await pilot.press("m")
        plot = bench(pilot).query_one(LossPlot)
        await pilot.click(LossPlot, offset=(plot.region.width // 2, 4))
        await pilot.pause()
        assert plot.inspected is not None
        assert 30 < plot.inspected < 70
        before = bench(pilot).run_shown.update
        await pilot.click(LossPlot, offset=(plot.region.width // 2, 4), times=2)
        await until(pilot, lambda: bench(pilot).run_shown.update < before)
        await pilot.click(NetworkPanel, offset=(5, 5))
        assert not bench(pilot).query_one(NetworkPanel).has_focus_within
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        await pilot.press("E")
        await pilot.pause()
        network = bench(pilot).query_one(NetworkPanel)
        assert network.has_focus_within
        assert not bench(pilot).query_one(OutputPanel).region
        assert network.region.height > 20
        await pilot.press("escape")
        await pilot.pause()
        assert not network.has_focus_within
        assert bench(pilot).query_one(OutputPanel).region
        # Long messages take lines of their own, and cover nothing.
        bench(pilot).show(f"a long message {'of many words ' * 12}")
        await pilot.pause()
        message = bench(pilot).query_one(MessageLine)
        assert message.region.height == 2
        assert message.region.bottom == bench(pilot).query_one(Timeline).region.y
        assert not pilot.app.screen.query(Toast)
        heatmap.focus()
        await pilot.press("z")
        await pilot.pause()
        assert "> 1. Give the heatmap all the room" in shown(pilot)


async def test_a_label_of_the_loss_axis_stands_beside_its_own_line() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=SIZES[0]) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: bench(pilot).run_shown.update == 600)
        await pilot.pause()
        text = shown(pilot)  # in one row
        assert "0.597┤" in text
        assert "goal 0.001 lies below" in text
        await pilot.resize_terminal(*SIZES[1])
        await pilot.pause()
        assert re.findall(r"([\d.]+)┤", shown(pilot)) == ["0.597", "0.001"]


@slow
async def test_theme_and_outputs_are_remembered() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        assert OutputPanel in bench(pilot).shown_panels
        await pilot.press("k", "k")
        await pilot.pause()
        assert OutputPanel not in bench(pilot).shown_panels
        # Where a theme has but sixteen colours, other points fit into the picture.
        await pilot.press("k")
        pilot.app.console._color_system = ColorSystem.TRUECOLOR
        panel = bench(pilot).query_one(OutputPanel)
        for theme in ("ansi-dark", "textual-light", "ansi-light"):
            pilot.app.theme = theme
            await pilot.pause()
            assert isinstance(panel.picture, Surface)
            assert panel.picture.values.shape[0] == panel.cells[1]
        await pilot.press("k")
        pilot.app.theme = "nord"
        await pilot.pause()
    assert remembered("theme") == "nord"
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert pilot.app.theme == "nord"
        assert OutputPanel not in bench(pilot).shown_panels
        await pilot.resize_terminal(80, 24)
        await pilot.press("k")
        await pilot.pause()
        assert OutputPanel in bench(pilot).shown_panels
        assert StoryPanel not in bench(pilot).shown_panels
    # Few rows have no room for both: a look at the outputs does not cost the next story.
    assert remembered("outputs shown in few rows") is None
    remember("outputs shown in few rows", True)
    async with NNTUI(load_preset("add-tanh")).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert StoryPanel in bench(pilot).shown_panels
