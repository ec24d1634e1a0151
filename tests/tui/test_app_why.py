"""The Why panel: it follows the cursor, points, jumps, explains, mends and experiments."""

import asyncio
import re
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from piloted import SIZES, bench, settled, shown, status, until
from prepared_diagnoses import BEGAN, LEAKY, failing, found, noting, quick, sweeping
from textual.pilot import Pilot

from nntui import Run, load_preset
from nntui.diagnosis import diagnose as diagnosis_module
from nntui.diagnosis.experiments.fix_branch import branch_with
from nntui.diagnosis.finding import Diagnosis
from nntui.diagnosis.observation import Observation
from nntui.presets.schema import override
from nntui.timeline.history.termination import Trainable
from nntui.timeline.history.time_slices import TimeSlicer
from nntui.tui.app import NNTUI
from nntui.tui.drawing.unit_lines import ARROW
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.screens.explain import ExplainScreen
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.workbench import experiments

pytestmark = pytest.mark.slow

Patch = pytest.MonkeyPatch


@pytest.fixture
def calls(monkeypatch: Patch) -> list[int]:
    """The updates that were diagnosed, each at once."""
    noted: list[int] = []
    monkeypatch.setattr(diagnosis_module, "diagnose", noting(noted))
    return noted


def why(pilot: Pilot[None]) -> WhyPanel:
    return bench(pilot).query_one(WhyPanel)


def told(pilot: Pilot[None]) -> str:
    return why(pilot).copied()


async def known(pilot: Pilot[None], update: int) -> None:
    """Wait until the diagnosis of ``update`` is shown, and no newer one is made."""

    def holds() -> bool:
        panel = why(pilot)
        at = panel.content.diagnosis is not None and panel.content.diagnosis.update == update
        return at and not panel.content.awaited

    await until(pilot, holds)


async def test_the_panel_takes_the_place_of_the_story_and_gives_it_back(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("W")
        await known(pilot, 0)
        assert why(pilot).has_focus
        assert not bench(pilot).query_one(StoryPanel).is_on_screen
        await until(pilot, lambda: "Nothing found" in shown(pilot))
        assert "Checked: dead units; the code." in told(pilot)
        await pilot.press("W")
        await pilot.pause()
        assert not why(pilot).is_on_screen
        bench(pilot).query_one(Heatmap).focus()
        await pilot.press("z", "W")
        await pilot.pause()
        assert why(pilot).is_on_screen
        await pilot.press("W")
        await pilot.pause()
        assert bench(pilot).query_one(StoryPanel).has_focus


async def test_it_follows_the_cursor_also_into_the_past(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "m")
        await known(pilot, 600)
        assert "at update 600 4 of 4 units" in told(pilot)
        assert "proven, layer 1, since update 300" in told(pilot)
        assert "Also seen" in told(pilot)
        await pilot.press("j", "2", "9", "9", "enter")
        await known(pilot, 299)
        assert "Nothing found." in told(pilot)
        await pilot.press("u")
        await known(pilot, 300)
        assert "at update 300 4 of 4 units" in told(pilot)


async def test_one_diagnosis_at_a_time_is_made_and_the_latest_wins(monkeypatch: Patch) -> None:
    noted: list[int] = []
    free = threading.Event()
    free.set()
    monkeypatch.setattr(diagnosis_module, "diagnose", noting(noted, free))
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        free.clear()
        await pilot.press("b")
        await until(pilot, lambda: noted[-1] == 599)
        for _ in range(7):
            await pilot.press("b")
        free.set()
        await known(pilot, 592)
        assert noted[noted.index(599) :] == [599, 592]


async def test_the_old_diagnosis_stays_until_the_newer_is_made(monkeypatch: Patch) -> None:
    wait = False
    go_on = asyncio.Event()

    def diagnose(case: Observation) -> Diagnosis:
        while wait and not go_on.is_set():
            time.sleep(0.01)
        return found(case)

    monkeypatch.setattr(diagnosis_module, "diagnose", diagnose)
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        wait = True
        await pilot.press("0")
        await until(pilot, lambda: why(pilot).content.awaited)
        assert "at update 600 ..." in told(pilot)
        go_on.set()
        await known(pilot, 0)


async def test_what_nobody_sees_costs_nothing(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("u", "e", "m", "b")
        await asyncio.sleep(0.1)
        assert calls == []
        await pilot.press("W")
        await known(pilot, 605)
        await asyncio.sleep(0.5)
        assert calls == [605]
        bench(pilot).query_one(Heatmap).focus()
        await pilot.press("z", "b")
        await asyncio.sleep(0.5)
        assert calls == [605]
        await pilot.press("z")
        await known(pilot, 604)
        await pilot.press("i", "b")
        await asyncio.sleep(0.5)
        assert calls == [605, 604]
        await pilot.press("escape")
        await known(pilot, 603)
        await pilot.press("l")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LibraryScreen)
        await asyncio.sleep(0.4)
        assert calls == [605, 604, 603]


async def test_training_on_is_diagnosed_now_and_then(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "minus", "minus", "space")
        await until(pilot, lambda: len(calls) >= 3)
        await pilot.press("space")
        await known(pilot, bench(pilot).run_shown.update)
        assert calls == sorted(calls)


async def test_the_units_of_the_chosen_finding_are_pointed_at(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        heatmap = bench(pilot).query_one(Heatmap)
        await until(pilot, lambda: bool(heatmap.view.marked))
        assert heatmap.view.marked == {(1, unit) for unit in range(4)}
        await pilot.pause()
        assert [f"1.{unit}{ARROW}" in shown(pilot) for unit in range(4)] == [True] * 4
        await pilot.press("down")
        await pilot.pause()
        assert heatmap.view.marked == {(0, 0), (0, 2)}
        assert heatmap.unit == (0, 0)
        await pilot.press("up")
        await pilot.pause()
        assert heatmap.unit == (1, 0)
        await pilot.press("down")
        await pilot.pause()
        assert re.findall(rf"(\d\.\d){ARROW}", shown(pilot)) == ["0.0", "0.2"]
        await pilot.press("W")
        await pilot.pause()
        assert ARROW not in shown(pilot)
        await pilot.press("W")
        await pilot.pause()
        assert shown(pilot).count(ARROW) == 2
        await pilot.press("0")
        await known(pilot, 0)
        await pilot.pause()
        assert ARROW not in shown(pilot)


async def test_enter_jumps_to_where_it_began(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        await pilot.press("enter")
        await until(pilot, lambda: bench(pilot).run_shown.update == BEGAN)
        assert "since here" in status(pilot).note
        await pilot.press("h", "down", "enter")
        await until(pilot, lambda: "onset unknown" in status(pilot).note)
        assert bench(pilot).run_shown.update == 600


async def test_a_finding_is_explained_with_formula_and_source(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        await pilot.press("M")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ExplainScreen)
        text = re.sub(r"[\s│]+", " ", shown(pilot))
        for part in ("a = 0 on every sample", "counted", "above zero on some sample", LEAKY.text):
            assert part in text
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        assert WhyPanel.explained[:40] in shown(pilot)


async def test_a_fix_becomes_a_branch_overlaid_on_the_original(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        run = bench(pilot).run_shown
        mine = run.branch
        await pilot.press("down", "F")
        await until(pilot, lambda: status(pilot).note.startswith("B: "))
        other = bench(pilot).other
        assert other is not None
        assert (run.branch, run.update) == (mine, 600)
        assert (other.branch.update, other.branch.forked_at) == (600, 0)
        said = r"B: .* at update 600, with the fix from update 0 on; A, without: not solved, .* 600"
        assert re.fullmatch(said, status(pilot).note)
        assert re.search(r"momentum 0.9, from update 0 on: .*at update 600\. A, which", told(pilot))
        straight = Run(load_preset("add-relu")).fork(**{"training.momentum": 0.9})
        straight.step(600)
        assert Run.on(run.tree, other.branch, 600).state_hash == straight.state_hash
        await pilot.press("F")
        await pilot.pause()
        assert len(run.tree.branches) == 2


async def test_where_nothing_is_trained_a_fix_is_trained_to_its_own_end(
    calls: list[int], monkeypatch: Patch
) -> None:
    monkeypatch.setattr("prepared_diagnoses.BEGAN", 0)
    preset = override(load_preset("add-relu"), {"goal.epochs": 700})
    async with NNTUI(preset).run_test(size=(80, 24)) as pilot:
        await pilot.press("W")
        await known(pilot, 0)
        await pilot.press("down", "F")
        await until(pilot, lambda: status(pilot).note.startswith("B: "))
        run, other = bench(pilot).run_shown, bench(pilot).other
        assert other is not None
        assert (run.update, run.head) == (0, 0)
        assert (other.branch.epoch, other.branch.forked_at) == (700, 0)
        assert re.search("momentum 0.9, from update 0 on: not solved, .* 4,200", told(pilot))
        await pilot.press("F")
        await pilot.pause()
        assert (other.branch.epoch, len(run.tree.branches)) == (700, 2)


async def test_of_several_fixes_one_is_chosen_and_structure_begins_at_update_0(
    calls: list[int],
) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        tree = bench(pilot).run_shown.tree
        for keys, forked_at in ((["enter"], 0), (["down", "enter"], BEGAN - 1)):
            await pilot.press("F")
            await pilot.pause()
            assert isinstance(pilot.app.screen, Choose)
            await pilot.press(*keys)
            count = len(tree.branches)
            await until(pilot, lambda: not bench(pilot).running)
            branch = tree.branches[-1]
            assert len(tree.branches) == count
            assert (branch.forked_at, branch.update) == (forked_at, 600)


async def test_the_cursor_moves_while_a_fix_is_trained_and_space_stops_it(
    calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        run = bench(pilot).run_shown
        run.step(30_000)
        await pilot.press("W")
        await known(pilot, 30_000)
        left = [5]

        def few(
            slicer: TimeSlicer, line: Trainable, target: int, seconds: float, stop: float | None
        ) -> bool:
            """The cursor goes at once; a fix is trained by one update, and never to its end."""
            if line is run:
                line.step(target - line.update)
            elif left[0]:
                left[0] -= 1
                line.step(1)
            return line.update >= target

        monkeypatch.setattr(TimeSlicer, "train", few)
        press = pilot.app.simulate_key  # and go on at once
        for key in ("down", "F"):
            press(key)
        await until(pilot, lambda: bench(pilot).running)
        other = bench(pilot).other
        assert other is not None
        press("b")
        await until(pilot, lambda: run.update == 29_999)
        assert bench(pilot).running
        before = other.head
        left[0] += 5
        await until(pilot, lambda: other.head > before)
        press("space")
        await until(pilot, lambda: not bench(pilot).running)
        assert before < other.head < run.head == 30_000


def test_a_fix_parts_before_it_began_and_keeps_what_was_changed_before() -> None:
    run = Run(load_preset("add-relu"))
    run.step(400)
    run.change(**{"training.learning_rate": 0.02})
    run.step(200)
    branch = branch_with(run, {"training.momentum": 0.9}, since=BEGAN)
    assert branch.forked_at == BEGAN - 1
    assert branch.changes == {"training.momentum": 0.9, "training.learning_rate": 0.02}
    assert branch_with(run, {"training.momentum": 0.9}, since=BEGAN) is branch
    assert branch_with(run, {"training.batch": 2}, since=BEGAN).forked_at == 294
    first = branch_with(run, {"layers.1.activation": "tanh"}, since=BEGAN)
    assert first.forked_at == 0
    assert first.changes["training.learning_rate"] == 0.02
    assert branch_with(run, {"layers.1.activation": "tanh"}) is first
    assert run.update == 600


@pytest.mark.parametrize("change", [{"training.speed": 1}, {"training.momentum": "much"}])
def test_a_fix_that_the_preset_cannot_take_is_refused(change: dict[str, object]) -> None:
    run = Run(load_preset("add-relu"))
    run.step(400)
    with pytest.raises(ValueError, match="training"):
        branch_with(run, change, since=BEGAN)
    assert len(run.tree.branches) == 1


async def test_experiments_are_listed_and_one_becomes_a_branch(
    calls: list[int], monkeypatch: Patch
) -> None:
    monkeypatch.setattr(experiments, "on", quick)
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "R")
        await until(pilot, lambda: len(why(pilot).content.experiments.fixes) == 2)
        assert "98 of 100 solve, 57 without: helps" in told(pilot)
        await pilot.press("m")
        await known(pilot, 600)
        await pilot.press("down", "down", "M")
        await pilot.pause()
        assert "training.momentum = 0.9" in shown(pilot)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: status(pilot).note.startswith("B: "))
        other = bench(pilot).other
        assert other is not None
        assert other.branch.changes == {"training.momentum": 0.9}
        assert (other.branch.forked_at, other.branch.update) == (0, 600)
        await pilot.press("t", "down", "enter")
        await until(pilot, lambda: why(pilot).content.experiments.fixes == ())


async def test_experiments_that_fail_say_so(calls: list[int], monkeypatch: Patch) -> None:
    monkeypatch.setattr(experiments, "on", failing)
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "R")
        await until(pilot, lambda: "nothing can be tried" in told(pilot))
        assert not why(pilot).content.experiments.going


async def begun(pilot: Pilot[None], folder: Path) -> None:
    """Wait until the experiments have told something."""
    await until(pilot, lambda: re.search(r"[1-9]\d* of 100000", told(pilot)) is not None)
    assert (folder / "begun").exists()


async def test_keys_work_while_experiments_run_and_they_are_cancelled(
    calls: list[int], monkeypatch: Patch, tmp_path: Path
) -> None:
    monkeypatch.setattr(experiments, "on", partial(sweeping, tmp_path))
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "R")
        await begun(pilot, tmp_path)
        await pilot.press("e", "u", "b")
        assert bench(pilot).run_shown.update == 6
        assert why(pilot).content.experiments.going
        await pilot.press("R")
        await until(pilot, lambda: (tmp_path / "ended").exists())
        assert not why(pilot).content.experiments.going
        assert "cancelled" in told(pilot)


async def test_leaving_ends_the_experiments(
    calls: list[int], monkeypatch: Patch, tmp_path: Path
) -> None:
    monkeypatch.setattr(experiments, "on", partial(sweeping, tmp_path))
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W", "R")
        await begun(pilot, tmp_path)
        await pilot.press("q")
    await until(pilot, (tmp_path / "ended").exists)


async def test_leaving_does_not_wait_for_a_diagnosis(monkeypatch: Patch) -> None:
    entered, ended = asyncio.Event(), asyncio.Event()
    leave = False

    def diagnose(case: Observation) -> Diagnosis:
        entered.set()
        while not leave:
            time.sleep(0.01)
        ended.set()
        return found(case)

    monkeypatch.setattr(diagnosis_module, "diagnose", diagnose)
    async with NNTUI(load_preset("add-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("W")
        await until(pilot, entered.is_set)
        await pilot.press("q")
    assert not ended.is_set()
    leave = True


@pytest.mark.parametrize("size", SIZES)
async def test_all_of_the_text_can_be_read(
    calls: list[int], monkeypatch: Patch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(experiments, "on", quick)
    bring, brought = WhyPanel._show_best, list[WhyPanel]()

    def show_best(panel: WhyPanel) -> None:
        bring(panel)
        brought.append(panel)

    monkeypatch.setattr(WhyPanel, "_show_best", show_best)
    async with NNTUI(load_preset("add-relu")).run_test(size=size) as pilot:
        await pilot.press("m", "W", "R")
        await known(pilot, 600)
        await until(pilot, lambda: bool(brought))
        await settled()
        why(pilot).scroll_home(animate=False)
        for zoomed in (False, True):
            if zoomed:
                await pilot.press("z")
            await pilot.press("home")
            seen = await read(pilot)
            for word in told(pilot).split():
                assert word in seen
            why(pilot).scroll_home(animate=False)


async def read(pilot: Pilot[None]) -> set[str]:
    """The words that are seen in the panel while one scrolls down."""
    words: set[str] = set()
    before = ""
    while True:
        await pilot.pause()
        lines = shown(pilot).splitlines()
        region = why(pilot).content_region
        lines = [line[region.x : region.right] for line in lines[region.y : region.bottom]]
        words |= set(" ".join(lines).split())
        if "\n".join(lines) == before:
            return words
        before = "\n".join(lines)
        await pilot.press("pagedown")


async def test_a_bug_in_a_run_of_which_nobody_knows_whether_it_learns(monkeypatch: Patch) -> None:
    async with NNTUI(load_preset("xor-relu")).run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 400)
        said = " ".join(told(pilot).split())
        assert "The loss is 1.023, the goal 0.1, too far at this pace. The program has a" in said


async def test_nothing_moves_when_a_new_diagnosis_says_the_same(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:
        await pilot.press("m", "W")
        await known(pilot, 600)
        await pilot.press("down")
        await until(pilot, lambda: why(pilot).scroll_offset.y > 0)
        await pilot.pause()
        before = why(pilot).scroll_offset
        await pilot.press("u")
        await known(pilot, 601)
        await pilot.pause()
        assert why(pilot).scroll_offset == before
        assert "rate-too-low" in getattr(why(pilot).chosen, "code", "")


@pytest.mark.parametrize(("name", "failed"), [("add-relu", True), ("line-leaky-relu-bias", False)])
async def test_who_failed_is_told_the_key(name: str, failed: bool, calls: list[int]) -> None:
    async with NNTUI(load_preset(name)).run_test(size=(80, 24)) as pilot:
        bar = bench(pilot).query_one(KeyBar)

        def offered() -> bool:
            return "why" in [action.name for action in bar.fitting(bar.size.width)]

        assert not offered()
        await pilot.press("space")
        await until(pilot, lambda: not bench(pilot).running)
        await pilot.pause()
        assert offered() is failed
        assert ("W says why" in status(pilot).note) is failed


async def test_on_a_small_screen_the_outputs_and_the_panel_take_turns(calls: list[int]) -> None:
    async with NNTUI(load_preset("add-relu")).run_test(size=(80, 24)) as pilot:

        def there() -> list[bool]:
            kinds: list[type[WhyPanel | OutputPanel]] = [WhyPanel, OutputPanel]
            return [bench(pilot).query_one(kind).is_on_screen for kind in kinds]

        keys: list[tuple[str, list[bool]]] = [
            ("k", [False, True]),
            ("W", [True, False]),
            ("k", [False, True]),
            ("k", [False, False]),
            ("W", [True, False]),
            ("k", [False, True]),
        ]
        for key, expected in keys:
            await pilot.press(key)
            await pilot.pause()
            assert there() == expected


@pytest.mark.parametrize(
    ("solved", "decided", "note"),
    [
        (False, True, "the cause: the output is 0; reduced: 48 of 100 seeds"),
        (False, False, "suspected: the output is 0; reduced: 48 of 100 seeds"),
        (True, True, "reduced: 48 of 100 seeds"),
    ],
)
def test_the_experiments_say_which_cause_they_leave(solved: bool, decided: bool, note: str) -> None:
    fix = {"fix": "linear", "set": {"layers.2.activation": "identity"}, "seeds": 48, "solved": 43}
    tried = {**fix, "baseline_solved": 25, "verdict": "no effect", "decided": False}
    told = experiments.told(
        {
            "experiments": [tried],
            "headline": {"cause": "the output is 0"},
            "solved": solved,
            "decided": decided,
            "reduced": "48 of 100 seeds",
        }
    )
    assert told.note == note
    assert [each.result for each in told.fixes] == ["43 of 48 solve, 25 without: undecided"]
    assert experiments.told({"experiments": []}).note == "there was nothing to try"
