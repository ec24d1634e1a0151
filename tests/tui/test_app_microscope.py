"""The microscope in the app: what it looks at, before how it looks."""

import asyncio
import re

import numpy as np
import pytest
from piloted import SIZES, bench, reached, shown, status, until
from support import made
from textual.pilot import Pilot

from nntui.presets import load_preset
from nntui.presets.schema import override
from nntui.timeline import Run
from nntui.timeline.microscope import arithmetic, written
from nntui.timeline.microscope.computed import dissect
from nntui.timeline.microscope.substeps import Phase
from nntui.tui.actions import MICROSCOPE
from nntui.tui.app import NNTUI
from nntui.tui.drawing.titles import title_of
from nntui.tui.microscope.equations_panel import EquationsPanel, tell
from nntui.tui.microscope.known_values import KnownValues
from nntui.tui.microscope.microscope_screen import MicroscopeScreen
from nntui.tui.microscope.substep_heatmap import SubstepHeatmap
from nntui.tui.microscope.substep_ladder import SubstepLadder
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.status_line import DIVERGED, PAST, PAUSED, StatusLine
from nntui.tui.screens.help import HelpScreen
from nntui.tui.workbench.screen import WorkbenchScreen

pytestmark = pytest.mark.slow

PARTS = "forward 0|forward 1|forward 2|loss|backward 2|update 2|backward 1|update 1|backward 0"


def lens(pilot: Pilot[None]) -> tuple[int, int, int, int | None, int]:
    chosen = screen(pilot).lens
    return chosen.layer, chosen.unit, chosen.sample, chosen.column, chosen.parts


def screen(pilot: Pilot[None]) -> MicroscopeScreen:
    found = pilot.app.screen
    assert isinstance(found, MicroscopeScreen)
    return found


def told(pilot: Pilot[None], width: int = 10_000) -> list[str]:
    """The lines of the arithmetic, however wide."""
    panel = screen(pilot).query_one(EquationsPanel)
    assert panel.told is not None
    return [text for text, _ in tell(panel.told, width)[0]]


def cells(pilot: Pilot[None]) -> dict[str, list[str]]:
    """What the panel of known numbers shows of each unit."""
    panel = screen(pilot).query_one(KnownValues)
    rows = ["".join(segment.text for segment in panel.render_line(y)) for y in range(1, 100)]
    return {row.split()[0].lstrip(">"): row.split()[1:] for row in rows if row.strip()}


async def test_it_opens_where_the_heatmaps_cursor_is_and_takes_it_along() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        heatmap = bench(pilot).query_one(Heatmap)
        heatmap.cell = (6, 4)
        await pilot.press("i")
        await pilot.pause()
        # Sample 4 is not in the batch of the next update, which is row 0 alone.
        assert lens(pilot) == (1, 2, 0, 0, 10)
        assert screen(pilot).anatomy.rows == (0,)
        title = title_of(screen(pilot).query_one(EquationsPanel))
        assert title == "Update 0 to 1: unit 1.2, sample 0, weight w[0]"
        await pilot.press("up", "up", "up", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, WorkbenchScreen)
        assert heatmap.cell == (3, 0)
        heatmap.cell = (9, 4)  # the target: no unit
        await pilot.press("i")
        await pilot.pause()
        assert lens(pilot)[:2] == (2, 0)
        await pilot.press("i")
        await pilot.pause()
        assert isinstance(pilot.app.screen, WorkbenchScreen)


async def test_a_row_of_the_batch_is_found_in_it() -> None:
    preset = override(load_preset("add-relu"), {"training.batch": 3})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        bench(pilot).query_one(Heatmap).cell = (0, 4)
        await pilot.press("u", "i")
        await pilot.pause()
        assert screen(pilot).anatomy.rows == (3, 4, 5)
        assert lens(pilot)[2] == 1
        await pilot.press("enter")
        await pilot.pause()
        assert (screen(pilot).anatomy.rows, lens(pilot)[2]) == ((0, 1, 2), 0)
        await pilot.press("right", "right", "enter")
        await pilot.pause()
        assert lens(pilot)[2] == 0
        await pilot.press("b")
        await pilot.pause()
        assert lens(pilot)[2] == 2


CHOSEN: tuple[tuple[str, tuple[int, int, int, int | None]], ...] = (
    ("down", (0, 1, 0, 0)),
    ("up", (0, 0, 0, 0)),
    ("down down down down", (1, 0, 0, 0)),
    ("shift+down", (2, 0, 0, 0)),
    ("shift+down shift+up", (0, 0, 0, 0)),
    ("tab", (1, 0, 0, 0)),
    ("tab tab tab", (0, 0, 0, 0)),
    ("shift+tab", (2, 0, 0, 0)),
    ("right", (0, 0, 1, 0)),
    ("left", (0, 0, 0, 0)),
    ("shift+right", (0, 0, 5, 0)),
    ("right right shift+left", (0, 0, 0, 0)),
    ("]", (0, 0, 0, 1)),
    ("] ]", (0, 0, 0, None)),
    ("] ] ] [", (0, 0, 0, 1)),
    ("}", (0, 0, 0, None)),
    ("} {", (0, 0, 0, 0)),
    # The bias stays the bias, and a weight that the layer has not becomes its last.
    ("} tab", (1, 0, 0, None)),
    ("tab ] ] ] shift+tab", (0, 0, 0, 1)),
)
"""Keys, and the layer, unit, sample and weight that they come to from the first ones."""


async def test_keys_choose_unit_sample_and_weight() -> None:
    names = {"[": "left_square_bracket", "]": "right_square_bracket"}
    names |= {"{": "left_curly_bracket", "}": "right_curly_bracket"}
    preset = override(load_preset("add-relu"), {"training.batch": "full"})
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        first = screen(pilot).lens
        for keys, expected in CHOSEN:
            screen(pilot).lens = first
            await pilot.press(*(names.get(key, key) for key in keys.split()))
            await pilot.pause()
            assert lens(pilot)[:4] == expected, keys
            run, lines = bench_run(pilot), told(pilot)
            for line in arithmetic(dissect(run), *expected):
                assert written(line.made, 12) in lines, keys


def bench_run(pilot: Pilot[None]) -> Run:
    return screen(pilot)._subject.run_shown


async def test_the_parts_of_an_update_are_walked_and_show_what_is_known() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("N", "3", "enter", "i")
        await pilot.pause()
        ladder = screen(pilot).query_one(SubstepLadder)
        assert "|".join(step.name for step in ladder.steps) == f"{PARTS}|update 0"
        complete = cells(pilot)
        assert not any("." in row for row in complete.values())
        await pilot.press("space")
        await pilot.pause()
        assert lens(pilot) == (0, 0, 0, 0, 1)
        assert "[forward 0]" in shown(pilot)
        known = cells(pilot)
        assert known["0.1"] == [*complete["0.1"][:2], ".", "."]
        assert known["1.0"] == [".", ".", ".", "."]
        assert any(line.startswith("a = ") for line in told(pilot))
        assert not any(line.startswith(("loss", "delta", "g ")) for line in told(pilot))
        assert "Next comes forward 1. This unit's next numbers come with loss." in told(pilot)
        # The unit follows the layer that is at work.
        for layer in (1, 2, 2, 2, 2, 1, 1, 0):
            await pilot.press("space")
            assert lens(pilot)[0] == layer
        assert lens(pilot)[4] == 9
        await pilot.press("backspace", "backspace")
        assert lens(pilot)[4] == 7
        assert ladder.known == 7
        await pilot.press("home")
        assert lens(pilot)[4] == 1
        await pilot.press("backspace")
        assert lens(pilot)[4] == 1
        await pilot.press("end")
        await pilot.pause()
        assert lens(pilot)[4] == 10
        assert cells(pilot) == complete
        await pilot.press("space")
        assert lens(pilot)[4] == 1


async def test_the_part_under_way_is_in_view() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(80, 24)) as pilot:
        await pilot.press("i")
        for part in range(1, 10):
            await pilot.press("space")
            await pilot.pause()
            name = screen(pilot).query_one(SubstepLadder).steps[part - 1].name.upper()
            await until(pilot, lambda name=name: f"{name}: " in shown(pilot))


async def test_enter_makes_the_update_and_b_takes_it_back() -> None:
    preset = load_preset("add-relu")
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press("e", "i", "space", "space")
        await pilot.press("enter")
        await pilot.pause()
        run = bench_run(pilot)
        assert run.update == 7
        assert run.state_hash == reached(preset, 0, 7)
        assert screen(pilot).anatomy.update == 7
        assert lens(pilot)[4] == 1  # one who walks, walks on from the first part
        assert run.state_hash in shown(pilot)
        assert "Update 7 to 8" in shown(pilot)
        await pilot.press("end", "u")
        await pilot.pause()
        assert (run.update, lens(pilot)[4]) == (8, 10)
        await pilot.press("b")
        await pilot.pause()
        assert (run.update, run.head) == (7, 8)
        assert screen(pilot).query_one(StatusLine).content.state == PAST
        assert screen(pilot).anatomy.update == 7
        await pilot.press("escape")
        await pilot.pause()
        assert status(pilot).snapshot is not None
        assert "update 7 of 8" in shown(pilot)


async def test_nothing_is_trained_by_looking() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("e", "i")
        run = bench_run(pilot)
        before = (run.state_hash, run.head, len(run.tree.branches))
        for key in ("space", "down", "right", "right_square_bracket", "tab", "backspace", "end"):
            await pilot.press(key)
        await pilot.press("pagedown", "pageup", "home", "escape")
        await pilot.pause()
        assert (run.state_hash, run.head, len(run.tree.branches)) == before


async def test_a_run_is_paused_to_be_looked_at() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        await until(pilot, lambda: bench(pilot).run_shown.update > 0)
        await pilot.press("i")
        await pilot.pause()
        run = bench_run(pilot)
        assert screen(pilot).query_one(StatusLine).content.state == PAUSED
        update = run.update
        await asyncio.sleep(0.1)
        assert run.update == update == screen(pilot).anatomy.update


async def test_a_fault_is_shown_beside_what_is_correct() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("u", "u", "u", "i", "tab", "right_curly_bracket")
        await pilot.pause()
        lines = told(pilot)
        at = lines.index("g = b = 1.48725")
        assert "FAULT bias-decay" in lines[at + 2]
        assert lines[at + 3].strip() == "correct: g = delta = 0"
        assert "gradient of b of layer 1: off by up to 1.49 (all should be 0)" in lines
        await pilot.press("escape", "x")
        await pilot.press(*"faults=[]", "enter")
        await pilot.pause()
        await pilot.press("i", "tab", "right_curly_bracket")
        await pilot.pause()
        assert not any("FAULT" in line or "correct" in line for line in told(pilot))
        assert "g = delta = 0" in told(pilot)


async def test_numbers_that_are_off_are_marked() -> None:
    async with NNTUI(load_preset("xor-relu-layernorm")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "i")
        await pilot.pause()
        known, anatomy = cells(pilot), screen(pilot).anatomy
        assert known["0.0"][-1].startswith("!")
        assert not known["1.0"][-1].startswith("!")
        off = float(known["0.0"][-1].lstrip("!"))
        assert off == pytest.approx(anatomy.made.tensors["delta", 0][0, 0], rel=1e-2)


async def test_where_a_run_diverged_the_update_that_diverged_is_shown() -> None:
    preset = override(load_preset("xor-relu"), {"training.learning_rate": 1e5})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "i")
        await pilot.pause()
        run = bench_run(pilot)
        assert run.divergence is not None
        assert screen(pilot).anatomy.update == run.update - 1
        assert run.divergence.what in " ".join(told(pilot))
        ended = run.update
        await pilot.press("enter")
        await pilot.pause()
        assert run.update == ended
        assert screen(pilot).query_one(StatusLine).content.state == DIVERGED
        await pilot.press("b")
        await pilot.pause()
        assert screen(pilot).anatomy.update == run.update == ended - 1


WIDE_CLASSES = made(
    {
        "data": {
            "inputs": [[n / 7, -n] for n in range(9)],
            "targets": [[1, 0], [0, 1], [1, 0]] * 3,
        },
        "layers": [
            {"units": 40, "activation": "gelu", "normalise": True},
            {"units": 2, "activation": "softmax"},
        ],
        "training": {
            "loss": "categorical-cross-entropy",
            "learning_rate": 0.1,
            "optimiser": "adam",
            "clip_norm": 0.01,
            "l2": 0.1,
        },
        "faults": ["derivative-at-a", "sum-for-mean"],
    }
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["add-relu", "classes"])
async def test_nothing_is_cut_off(name: str, size: tuple[int, int]) -> None:
    preset = WIDE_CLASSES if name == "classes" else load_preset(name)
    async with NNTUI(preset).run_test(size=size) as pilot:
        await pilot.press("u", "i")
        await pilot.pause()
        text = shown(pilot)
        for part in (
            "Update 1 to 2",
            "Known so far",
            "space next part",
            "? help",
            "Esc close",
        ):
            assert part in text
        assert bench_run(pilot).state_hash in text
        panels = [screen(pilot).query_one(kind) for kind in (KnownValues, EquationsPanel)]
        for panel in panels:
            assert panel.region.right <= size[0]
            assert panel.region.bottom <= size[1] - 1
            assert panel.content_size.height >= 4
        # Scrolled from end to end, every line of the arithmetic comes by.
        equations = screen(pilot).query_one(EquationsPanel)
        width = equations.scrollable_content_region.width
        wanted = {line.strip() for line in told(pilot, width) if line.strip()}
        assert all(len(line) <= width for line in told(pilot, width))
        seen = ""
        while equations.scroll_y < equations.max_scroll_y:
            seen += shown(pilot)
            await pilot.press("pagedown")
            await pilot.pause()
        seen += shown(pilot)
        assert {line for line in wanted if line not in seen} == set()


async def test_it_can_be_drawn_without_colours_and_at_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("i", *["space"] * 5)
        for size in [(50, 10), (5, 2), (300, 90), (60, 16), (110, 21), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert "[backward 2]" in shown(pilot)
        assert ">2.0" in shown(pilot)
        assert pilot.app.no_color


async def test_a_unit_is_chosen_with_the_mouse() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        await pilot.click(KnownValues, offset=(5, 1 + 1 + 5))
        assert lens(pilot)[:2] == (1, 1)


async def test_a_wide_layer_scrolls_with_the_unit() -> None:
    async with NNTUI(load_preset("square-leaky-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("i", *["shift+down"] * 7)
        await pilot.pause()
        assert lens(pilot)[:2] == (1, 0)
        assert ">1.0" in shown(pilot)
        assert "rows 60-65 of 65" in shown(pilot)


async def test_help_and_palette_know_every_action() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 60)) as pilot:
        await pilot.press("i")
        await pilot.pause()
        titles = [each.title for each in pilot.app.get_system_commands(pilot.app.screen)]
        for action in MICROSCOPE:
            method = action.name.partition("(")[0]
            if action.name != "quit":
                assert callable(getattr(MicroscopeScreen, f"action_{method}"))
                if method == action.name:
                    assert f"{action.label} ({action.key})" in titles
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        text = re.sub(r"[\s│]+", " ", shown(pilot))
        assert all(action.help in text for action in MICROSCOPE)
        assert "in arithmetic" in text
    keys = [key for action in MICROSCOPE for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_key_bar_keeps_the_next_keys_to_press(width: int) -> None:
    kept = {action.name for action in KeyBar(MICROSCOPE).fitting(width)}
    assert {"next_part", "one_update", "help", "close"} <= kept


async def test_the_microscope_draws_nothing_while_nothing_happens() -> None:
    async with NNTUI(load_preset("add-relu")).run_test() as pilot:
        await pilot.press("i")
        await pilot.pause()
        before = screen(pilot).anatomy
        await asyncio.sleep(0.2)
        assert screen(pilot).anatomy is before
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app._exit


@pytest.mark.parametrize(
    ("name", "updates"), [("add-relu", 6), ("xor-relu-layernorm", 4), ("square-fixed", 1)]
)
async def test_a_heatmap_shows_what_the_part_has_just_made_of_its_layer(
    name: str, updates: int
) -> None:
    results = {"forward": "ha", "loss": ["error"], "backward": ["delta"], "update": ["step of W"]}
    async with NNTUI(load_preset(name)).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "i", "home")
        assert bench_run(pilot).update == updates
        panel = screen(pilot).query_one(SubstepHeatmap)
        await until(pilot, lambda: bool(panel.region))
        for number, step in enumerate(screen(pilot).anatomy.made.steps):
            assert screen(pilot).lens.parts == number + 1
            grid, tensors = panel._grid, screen(pilot).anatomy.made.tensors
            assert grid is not None
            layer = grid.rows[0].layer
            assert layer in step.layers
            tensor = next(each for each in results[str(step.phase)] if (each, layer) in tensors)
            values = np.array([row.values for row in grid.rows])
            expected = tensors[tensor, layer]
            np.testing.assert_array_equal(values[:, : expected.shape[1]], expected)
            assert f"of layer {layer}" in str(panel.border_title)
            assert len(str(panel.border_title)) <= panel.size.width - 6
            for line in range(panel.content_size.height):
                assert panel.render_line(line).cell_length == panel.content_size.width
            if step.phase is Phase.UPDATE and ("step of b", layer) in tensors:
                np.testing.assert_array_equal(values[:, -1:], tensors["step of b", layer])
                assert grid.columns[-1] == "b"
            await pilot.press("space")
            await pilot.pause()


async def test_the_heatmap_of_the_last_part_is_that_of_the_chosen_layer() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("i")
        panel = screen(pilot).query_one(SubstepHeatmap)
        for layer in (1, 2, 0):
            await pilot.press("tab")
            await pilot.pause()
            assert panel._grid is not None
            assert {row.layer for row in panel._grid.rows} == {layer}
            assert str(panel.border_title) == f"Just made: steps to subtract of layer {layer}"


@pytest.mark.parametrize("size", [(80, 24), (109, 40), (120, 33)])
async def test_without_room_there_is_no_heatmap(size: tuple[int, int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=size) as pilot:
        await pilot.press("i", "home")
        await pilot.pause()
        assert not screen(pilot).query_one(SubstepHeatmap).region
        assert screen(pilot).query_one(KnownValues).region.height >= 6
