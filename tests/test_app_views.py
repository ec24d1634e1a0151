"""The heatmap's kinds, the outputs and the plots in the app, driven by keys."""

import re

import numpy as np
import pytest
from textual.pilot import Pilot

from nntui import Run, load_preset
from nntui.presets.schema import override
from nntui.timeline.ahead import Ahead
from nntui.timeline.compared import DIFFERENCE, B
from nntui.timeline.grid import ALL, GRADIENTS, HELD, KINDS, LAYER, WEIGHTS
from nntui.tui.app import NNTUI
from nntui.tui.screens.workbench import Workbench
from nntui.tui.widgets.heatmap import Heatmap
from nntui.tui.widgets.status import StatusLine

SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def bench(pilot: Pilot[None]) -> Workbench:
    screen = pilot.app.screen
    assert isinstance(screen, Workbench)
    return screen


def heatmap(pilot: Pilot[None]) -> Heatmap:
    return bench(pilot).query_one(Heatmap)


def shown(pilot: Pilot[None]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_the_heatmap_goes_through_all_kinds_and_the_run_stays() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "e", "b")
        run = bench(pilot).run_shown
        before = (run.state_hash, run.update, run.head)
        for kind in (*KINDS[1:], KINDS[0]):
            await pilot.press("v")
            await pilot.pause()
            assert heatmap(pilot).kind is kind
            title = str(heatmap(pilot).border_title)
            assert title.startswith(kind.title)
            assert ("of update 12" in title) is kind.ahead
            assert title[:30] in shown(pilot)
        assert (run.state_hash, run.update, run.head) == before


async def test_the_heatmap_follows_the_cursor_with_the_gradients_of_the_next_update() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("v", "v", "v", "v")
        for key in ("u", "e", "b", "m"):
            await pilot.press(key)
            await pilot.pause()
            ahead = Ahead().of(bench(pilot).run_shown.state)
            assert ahead is not None
            W = [row.values[:2] for row in heatmap(pilot)._rows[:4]]
            np.testing.assert_array_equal(W, ahead.layers[0].gradient_W)


async def test_the_cell_is_read_out_in_every_kind() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e")
        heatmap(pilot).focus()
        await pilot.press("down")
        run = bench(pilot).run_shown
        W, b = run.parameters[0]
        ahead = Ahead().of(run.state)
        assert ahead is not None
        layer = ahead.layers[0]
        await pilot.press("v", "v")
        await pilot.pause()
        assert f"0.1 sample 0  delta {layer.delta[1, 0]:.6g}" in shown(pilot)
        await pilot.press("v", "right")
        await pilot.pause()
        assert f"0.1 w[1]  {W[1, 1]:.6g}" in shown(pilot)
        await pilot.press("end", "v")
        await pilot.pause()
        assert b is not None
        assert layer.gradient_b is not None
        numbers = f"0.1 b  {b[1]:.6g}  gradient {layer.gradient_b[1]:.6g}"
        assert numbers in shown(pilot)
        await pilot.press("left")
        await pilot.pause()
        assert "0.1 w[3]  no such input" in shown(pilot)


async def test_layers_order_and_scale_are_switched_by_keys() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m")
        panel = heatmap(pilot)
        panel.cell = (2, 1)
        await pilot.press("A")
        await pilot.pause()
        assert panel.ordered
        assert panel.unit == (0, 2)
        sizes = [float(np.abs(row.values).mean()) for row in panel._rows[:4]]
        assert sizes == sorted(sizes, reverse=True)
        await pilot.press("A")
        await pilot.pause()
        assert panel.cell == (2, 1)
        for alone in (0, 1, 2, None):
            await pilot.press("L")
            await pilot.pause()
            assert panel.alone == alone
            layers = {row.layer for row in panel._rows} - {None}
            assert layers == ({0, 1, 2} if alone is None else {alone})
        for scale in (ALL, HELD, LAYER):
            await pilot.press("a")
            await pilot.pause()
            assert panel.scale == scale
            assert f"scale {scale}" in shown(pilot)
        await pilot.press("a", "a")
        held = dict(panel._ends)
        await pilot.press("n", "m")
        assert panel._ends == held
        await pilot.press("a")
        assert panel._ends != held


async def test_branches_are_compared_in_the_kind_that_is_shown() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "3", "0", "0", "enter", "f", "down", "enter", "e")
        await pilot.press("v", "v", "v", "v", "d", "d")
        await pilot.pause()
        run, panel = bench(pilot).run_shown, heatmap(pilot)
        assert (panel.kind, panel.shown) == (GRADIENTS, DIFFERENCE)
        other = Run.on(run.tree, run.tree.root, 306)
        gradients = []
        for each in (run, other):
            ahead = Ahead().of(each.state)
            assert ahead is not None
            gradients.append(ahead.layers[1].gradient_W)
        found = [row.values[:4] for row in panel._rows[4:8]]
        np.testing.assert_array_equal(found, gradients[0] - gradients[1])
        assert "A-B" in shown(pilot)
        assert re.search(r"A -?\d.*B -?\d.*A-B -?\d", shown(pilot))
        panel.shown = B
        await pilot.pause()
        np.testing.assert_array_equal([row.values[:4] for row in panel._rows[4:8]], gradients[1])


async def test_only_rows_that_changed_are_drawn_again() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        panel = heatmap(pilot)
        before = list(panel._strips)
        panel.cell = (1, 2)
        await pilot.pause()
        changed = [y for y, strip in enumerate(panel._strips) if strip != before[y]]
        rows = {panel._view.lines.index(0) + 1, panel._view.lines.index(1) + 1}
        height = panel.content_size.height
        assert set(changed) == rows | {height - 1, height - 2}


async def test_after_a_divergence_the_heatmap_says_that_nothing_follows() -> None:
    preset = override(load_preset("xor-relu"), {"training.learning_rate": 1e5})
    async with NNTUI(preset).run_test(size=(120, 40)) as pilot:
        bench(pilot).run_shown.step(2000)
        await pilot.press("v", "v")
        await pilot.pause()
        assert "diverged: no update follows" in shown(pilot)
        await pilot.press("down", "v")
        await pilot.pause()
        assert heatmap(pilot).kind is WEIGHTS
        assert heatmap(pilot)._rows


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["add-tanh", "square-fixed"])
async def test_every_kind_fits_every_size(size: tuple[int, int], name: str) -> None:
    async with NNTUI(load_preset(name)).run_test(size=size) as pilot:
        await pilot.press("e", "n", "e")
        heatmap(pilot).focus()
        for _ in KINDS:
            await pilot.press("v", "ctrl+end", "end", "ctrl+home", "home")
            await pilot.pause()
            panel = heatmap(pilot)
            assert len(str(panel.border_title)) <= panel.size.width - 6
            for y in range(panel.content_size.height):
                assert panel.render_line(y).cell_length == panel.content_size.width
            assert bench(pilot).query_one(StatusLine).note
