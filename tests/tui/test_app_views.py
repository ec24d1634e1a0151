"""The heatmap's kinds, the outputs and the plots in the app, driven by keys."""

import re
from pathlib import Path

import numpy as np
import pytest
from piloted import SIZES, bench, shown, status
from textual.pilot import Pilot

from nntui import Run, load_preset
from nntui.presets.schema import override
from nntui.timeline.microscope.next_update import Ahead
from nntui.timeline.sessions.session import load
from nntui.timeline.views.compare import DIFFERENCE
from nntui.timeline.views.grid import ALL, GRADIENTS, HELD, KINDS, LAYER, WEIGHTS
from nntui.timeline.views.measurements import DEAD, PLOTS, REPORTED, TEST, Measurements
from nntui.timeline.views.outputs import FitCurve, Graph, Samples, Surface, output_kinds
from nntui.tui.app import NNTUI
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import describe
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel

pytestmark = pytest.mark.slow


def heatmap(pilot: Pilot[None]) -> Heatmap:
    return bench(pilot).query_one(Heatmap)


async def test_the_heatmap_goes_through_all_kinds_and_the_run_stays() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "e", "b")
        run = bench(pilot).run_shown
        before = (run.state_hash, run.update, run.head)
        for kind in (*KINDS[1:], KINDS[0]):
            await pilot.press("v")
            await pilot.pause()
            assert heatmap(pilot).view.kind is kind
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
        assert panel.view.ordered
        assert panel.unit == (0, 2)
        sizes = [float(np.abs(row.values).mean()) for row in panel._rows[:4]]
        assert sizes == sorted(sizes, reverse=True)
        await pilot.press("A")
        await pilot.pause()
        assert panel.cell == (2, 1)
        for alone in (0, 1, 2, None):
            await pilot.press("L")
            await pilot.pause()
            assert panel.view.layer == alone
            layers = {row.layer for row in panel._rows} - {None}
            assert layers == ({0, 1, 2} if alone is None else {alone})
        for scale in (ALL, HELD, LAYER):
            await pilot.press("a")
            await pilot.pause()
            assert panel.view.scale == scale
            assert f"scale {scale}" in shown(pilot)
        await pilot.press("a", "a")
        held = dict(panel._ends)
        await pilot.press("n", "m")
        assert panel._ends == held
        await pilot.press("a")
        assert panel._ends != held


async def test_what_was_scrolled_while_the_panel_was_away_has_no_empty_rows() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("W", "z")
        for row in range(10):
            heatmap(pilot).cell = (row, 0)
            await pilot.pause()
        await pilot.press("z")
        await pilot.pause()
        first, last, count = map(int, re.findall(r"rows (\d+)-(\d+) of (\d+)", shown(pilot))[0])
        assert first < last <= count


async def test_branches_are_compared_in_the_kind_that_is_shown() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "3", "0", "0", "enter", "f", "down", "enter", "e")
        await pilot.press("v", "v", "v", "v", "d", "d")
        await pilot.pause()
        run, panel = bench(pilot).run_shown, heatmap(pilot)
        assert (panel.view.kind, panel.view.shown) == (GRADIENTS, DIFFERENCE)
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
        await pilot.press("d", "d")
        await pilot.pause()
        np.testing.assert_array_equal([row.values[:4] for row in panel._rows[4:8]], gradients[1])


async def test_only_rows_that_changed_are_drawn_again() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        panel = heatmap(pilot)
        before = list(panel._strips)
        panel.cell = (1, 2)
        await pilot.pause()
        changed = [y for y, strip in enumerate(panel._strips) if strip != before[y]]
        rows = {panel._viewport.lines.index(0) + 1, panel._viewport.lines.index(1) + 1}
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
        assert heatmap(pilot).view.kind is WEIGHTS
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
            assert status(pilot).note


async def test_the_outputs_are_seen_in_every_way_there_is_and_the_story_comes_back() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(80, 24)) as pilot:
        await pilot.press("m")
        run, story = bench(pilot).run_shown, bench(pilot).query_one(StoryPanel)
        before = run.state_hash
        await pilot.press("k")
        await pilot.pause()
        panel = bench(pilot).query_one(OutputPanel)
        assert panel.has_focus
        assert not story.region
        seen = []
        for _ in output_kinds(run):
            assert panel.picture is not None
            seen.append(type(panel.picture))
            assert str(panel.border_title)[:20] in shown(pilot)
            await pilot.press("K")
            await pilot.pause()
        assert seen == [Surface, Surface, Samples, Graph]
        assert run.state_hash == before
        await pilot.press("k")
        await pilot.pause()
        assert story.region
        assert story.has_focus
        assert not panel.region


async def test_the_chosen_sample_is_read_out_and_follows_the_run() -> None:
    async with NNTUI(load_preset("square-fixed")).run_test(size=(120, 40)) as pilot:
        await pilot.press("e", "k", "end", "left")
        await pilot.pause()
        panel, run = bench(pilot).query_one(OutputPanel), bench(pilot).run_shown
        assert panel.sample == 199
        for _ in range(2):
            text = f"row 199  target 0.99  output {run.outputs[0, 199]:.4g}  x 0.995"
            assert text in shown(pilot)
            await pilot.press("e")
            await pilot.pause()
        await pilot.press("K", "K")
        await pilot.pause()
        assert re.search(rf"199 +0.9900 +{run.outputs[0, 199]:.4f}", shown(pilot))


async def test_the_surface_of_a_unit_is_that_of_the_heatmaps_cursor() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("k", "K")
        heatmap(pilot).cell = (5, 0)
        await pilot.press("u")
        await pilot.pause()
        panel = bench(pilot).query_one(OutputPanel)
        assert isinstance(panel.picture, Surface)
        assert panel.picture.name == "unit 1.1"
        assert "surface of unit 1.1" in shown(pilot)


async def test_the_outputs_of_b_follow_the_key_of_the_heatmap() -> None:
    async with NNTUI(load_preset("xor-sigmoid")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "n", "m", "t", "up", "o", "k")
        await pilot.pause()
        panel, other = bench(pilot).query_one(OutputPanel), bench(pilot).other
        assert other is not None
        for shown_now in ("A", "B", "A-B"):
            assert f"Output {shown_now}: surface of output" in shown(pilot)
            assert f"B {other.outputs[0, 0]:.4g}" in shown(pilot)
            await pilot.press("d")
            await pilot.pause()
        await pilot.press("K", "K")
        await pilot.pause()
        assert "Output A, B: row by row" in shown(pilot)
        assert isinstance(panel.picture, Samples)
        assert panel.picture.other is not None
        np.testing.assert_array_equal(panel.picture.other, other.outputs)


@pytest.mark.parametrize("size", [*SIZES, (90, 30)])
@pytest.mark.parametrize("name", ["add-tanh", "square-fixed", "xor-relu"])
async def test_the_outputs_fit_every_size(size: tuple[int, int], name: str) -> None:
    async with NNTUI(load_preset(name)).run_test(size=size) as pilot:
        await pilot.press("e", "k")
        await pilot.pause()
        panel = bench(pilot).query_one(OutputPanel)
        for _ in output_kinds(bench(pilot).run_shown):
            for line in range(panel.content_size.height):
                assert panel.render_line(line).cell_length == panel.content_size.width
            assert panel.region.bottom <= size[1] - 3
            assert panel.size.height >= 4
            await pilot.press("K")
            await pilot.pause()
        await pilot.press("z")
        await pilot.pause()
        assert panel.region.width == size[0]
        for kind in (LossPlot, Heatmap):
            await pilot.press("tab")
            await pilot.pause()
            if not isinstance(bench(pilot).focused, kind):
                await pilot.press("tab")
                await pilot.pause()
            assert bench(pilot).query_one(kind).region.width == size[0]


async def test_a_surface_without_colours_tells_its_signs_in_glyphs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "k", "K")
        await pilot.pause()
        heatmap(pilot).cell = (0, 0)
        text = "".join(
            segment.text
            for line in range(12)
            for segment in bench(pilot).query_one(OutputPanel).render_line(line)
        )
        assert {"░", "▒"} <= set(text)
        assert "▀" not in text
        for _ in range(4):
            await pilot.press("K")
        pilot.app.theme = "textual-light"
        await pilot.pause()


async def test_branches_with_other_inputs_have_their_own_views() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        run = bench(pilot).run_shown
        await pilot.press("k", "e")
        data = {"formula": "x**2", "samples": 5}
        bench(pilot).actions.branching.start(1)
        await pilot.press("L", "L", "L", "v", "v")
        run.seek(0)
        layers = [{"units": 3}, {"units": 1}]
        run.change(data=data, layers=layers)
        bench(pilot).show("")
        await pilot.pause()
        assert {row.layer for row in heatmap(pilot)._rows} == {0, 1}
        assert isinstance(bench(pilot).query_one(OutputPanel).picture, FitCurve)


async def test_the_plot_goes_through_what_there_is_and_the_run_stays() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "j", "3", "0", "0", "enter")
        run, plot = bench(pilot).run_shown, bench(pilot).query_one(LossPlot)
        before = (run.state_hash, run.update, run.head)
        offered = [each for each in PLOTS if each is not TEST]
        for each in (*offered[1:], REPORTED):
            await pilot.press("P")
            await pilot.pause()
            assert plot.content.view.plot is each
            assert f"{each.title} (" in shown(pilot)
            if each is not REPORTED:
                measured = Measurements().along(run.branch, fine=True)
                assert [one.update for one in plot.content.measured] == [
                    one.update for one in measured
                ]
                assert [one.gradients for one in plot.content.measured] == [
                    one.gradients for one in measured
                ]
                assert len(measured) > 64
        assert plot.content.measured == ()
        assert (run.state_hash, run.update, run.head) == before


async def test_the_inspector_line_reads_the_plot_and_goes_there() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "m")
        run, plot = bench(pilot).run_shown, bench(pilot).query_one(LossPlot)
        plot.focus()
        await pilot.press("right")
        assert plot.inspected == 200
        await pilot.press("left", "left_square_bracket")
        await pilot.pause()
        at = plot.inspected
        assert at is not None
        assert at == 189
        assert f"epoch {at}: {run.losses[at - 1]:.6g}" in str(plot.border_title)
        assert f"epoch {at}: {run.losses[at - 1]:.6g}" in shown(pilot)
        await pilot.press("home")
        assert plot.inspected == 1
        await pilot.press("end", "left", "enter")
        await pilot.pause()
        assert (run.epoch, run.update, run.head) == (199, 199 * 6, 1200)
        await pilot.press("P", "P")
        await pilot.pause()
        near = min(plot.content.measured, key=lambda each: abs(each.epochs - 199))
        values = "  ".join(f"{layer} {norm:.3g}" for layer, norm in enumerate(near.gradients))
        assert f"update {near.update:,}: {values}" in str(plot.border_title)
        await pilot.press("delete")
        await pilot.pause()
        assert plot.inspected is None
        assert "axis, by epoch" in shown(pilot)


async def test_the_recent_epochs_are_plotted_and_all_again() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "m", "m")
        plot = bench(pilot).query_one(LossPlot)
        axis = plot._rows[-1]
        assert "0" in "".join(text for text, _ in axis).split()
        await pilot.press("G")
        await pilot.pause()
        assert "".join(text for text, _ in plot._rows[-1]).split() == ["270", "285", "300"]
        plot.focus()
        await pilot.press("home")
        assert plot.inspected == 270
        await pilot.press("G")
        await pilot.pause()
        assert plot._rows[-1] == axis


async def test_other_branches_are_ghosts_behind_the_losses_until_a_key_takes_them_away() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        plot = bench(pilot).query_one(LossPlot)
        for key in ("m", "n", "m", "n", "e"):
            await pilot.press(key)
        await pilot.pause()
        run = bench(pilot).run_shown
        first, second, _ = run.tree.branches
        assert [each.losses for each in plot.content.ghosts.curves] == [first.losses, second.losses]
        assert "dotted: 2 other branches" in shown(pilot)
        assert any(role == "ghost" for row in plot._rows for _, role in row)
        await pilot.press("Y")
        await pilot.pause()
        assert "dotted" not in shown(pilot)
        assert not any(role == "ghost" for row in plot._rows for _, role in row)
        assert bench(pilot).saved_view["ghosts"] is False
        await pilot.press("Y", "t", "up", "o")
        await pilot.pause()
        other = bench(pilot).other
        assert other is not None
        assert other.branch is second
        assert [each.losses for each in plot.content.ghosts.curves] == [first.losses]
        assert "dotted: 1 other branch" in shown(pilot)


async def test_where_there_is_little_room_b_is_told_before_the_ghosts() -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("m", "n", "m", "n", "m", "t", "up", "o")
        await pilot.pause()
        assert "1 dotted; B differs at 0: W of layer 0" in shown(pilot)


async def test_the_overlaid_branch_is_in_every_plot_from_where_it_parted() -> None:
    async with NNTUI(load_preset("add-tanh")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "m", "j", *"600", "enter", "f")
        await pilot.pause()
        await pilot.press(*"training.learning_rate=0.02", "enter", "m")
        await pilot.pause()
        run, plot = bench(pilot).run_shown, bench(pilot).query_one(LossPlot)
        other = bench(pilot).other
        assert other is not None
        for _ in (each for each in PLOTS if each is not TEST and each is not REPORTED):
            await pilot.press("P")
            await pilot.pause()
            theirs = plot.content.measured_other
            assert theirs[0].update <= 600 < theirs[1].update
            assert theirs[-1].update == other.head == 1200
            if plot.content.view.plot is not DEAD:  # none is, so that A's lines hide those of B
                assert any(role == "other" for row in plot._rows for _, role in row)
            assert "B differs at 601" in str(plot.border_subtitle)
        plot.focus()
        await pilot.press("home")
        await pilot.pause()
        assert "  B at " not in str(plot.border_title)
        await pilot.press("end")
        await pilot.pause()
        assert "  B at 1,200: " in str(plot.border_title)
        assert run.update == 1200


@pytest.mark.parametrize("size", SIZES)
async def test_every_plot_fits_every_size(size: tuple[int, int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=size) as pilot:
        for keys in ("e e", "m left", "n m"):
            await pilot.press(*keys.split())
            plot = bench(pilot).query_one(LossPlot)
            plot.focus()
            for _ in PLOTS:
                await pilot.press("P", "left")
                await pilot.pause()
                assert len(str(plot.border_title)) <= plot.size.width - 4
                for line in range(plot.content_size.height):
                    assert plot.render_line(line).cell_length == plot.content_size.width


async def test_what_was_looked_at_is_found_again_in_a_saved_session() -> None:
    app = NNTUI(load_preset("add-tanh"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "v", "v", "v", "L", "A", "a", "P", "P", "G", "k", "K")
        await pilot.press("S")
        view = bench(pilot).saved_view
    assert app.save_all()
    async with NNTUI(session=load(bench_path(app))).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        again = bench(pilot).saved_view
        assert again == view
        assert heatmap(pilot).view.kind is WEIGHTS
        for broken in ({"heatmap": 3}, {"plot": []}, {"output": 7}, {"layer": "x"}, {"scale": 0}):
            bench(pilot).take_view(broken)
            await pilot.pause()


def bench_path(app: NNTUI) -> Path:
    paths = [bench.autosave.path for bench in app._benches.values()]
    assert paths[0] is not None
    return paths[0]


def test_the_network_panel_warns_and_says_how_parameters_start() -> None:
    changes = {
        "training.loss": "binary-cross-entropy",
        "data.targets": [[-1], [1], [1], [2]],
        "layers.0.init": "uniform",
        "layers.0.low": -0.5,
        "layers.1.W": [[0.1] * 5],
        "draws.order": "weights-first",
        "draws.skip_normal": 2,
    }
    said = describe(override(load_preset("xor-sigmoid"), changes), 200).plain
    assert "WARNING training.loss: binary-cross-entropy needs targets between 0 and 1" in said
    assert "W 0.25*uniform(-0.5, 1), no bias" in said
    assert "W as given, no bias" in said
    assert "weights-first, 2 normal numbers skipped" in said


async def test_the_numbers_of_many_samples_stand_apart() -> None:
    preset = override(load_preset("square-fixed"), {"data": {"formula": "x", "samples": 2000}})
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        (header,) = re.findall(r"│sample ([\d ]+)", shown(pilot))
        numbers = [int(each) for each in header.split()]
        assert len(numbers) > 4
        assert max(numbers) < 2000
