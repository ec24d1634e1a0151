"""The app on a person's own program, driven with keys: state and messages, never time."""

import os
import random
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from controlled import alone
from piloted import SIZES, shown, until
from textual.pilot import Pilot

from nntui.core.errors import ConfigError
from nntui.program.checking import CheckRequest
from nntui.program.debugging.seen import LineValue, ProgramSeen, Value
from nntui.program.debugging.sessions.program_session import load_program_session
from nntui.tui.app import NNTUI
from nntui.tui.drawing.printed_text import as_printed, in_one_line
from nntui.tui.drawing.shortening import middled
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageLine
from nntui.tui.programs.actions.fork_text import edited_line, read_change
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap, grid_of
from nntui.tui.programs.panels.code_style import coloured, cut
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.program_status import ProgramStatus
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.panels.value_text import line_text
from nntui.tui.programs.program_screen import ProgramScreen

WRONG = """
    import numpy as np
    np.random.seed(4)
    X = np.random.randn(6, 2)
    y = np.tanh(X @ np.array([[1.0], [-2.0]]))
    W, rate = np.random.randn(2, 1), 0.1
    for k in range(40):
        z = X @ W
        a = np.tanh(z)
        error = a - y
        loss = 0.5 * np.sum(error ** 2)
        if k % 5 == 0:
            print("loss", loss)
        dW = X.T @ (error * (1 - z ** 2))
        W = W - rate * dW
    """
LOOP, GRADIENT = 7, 14


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program with a wrong slope."""
    path = tmp_path / "mynet.py"
    path.write_text(dedent(WRONG))
    return str(path)


def screen_of(pilot: Pilot[None]) -> ProgramScreen:
    """The program's screen, which must be in front."""
    screen = pilot.app.screen
    assert isinstance(screen, ProgramScreen)
    return screen


class Said(NamedTuple):
    """What the status and the message line say."""

    seen: ProgramSeen
    state: str
    note: str


def status(pilot: Pilot[None]) -> Said:
    """What its status and its message line say."""
    content = screen_of(pilot).query_one(ProgramStatus).content
    assert content is not None
    note = screen_of(pilot).query_one(MessageLine).content.note
    return Said(content.seen, content.state, note)


async def at_rest(pilot: Pilot[None]) -> Said:
    """Wait until the program does nothing, and the values of its lines are there."""

    def rests() -> bool:
        screen = screen_of(pilot)
        seen = screen.seen
        recorded = bool(seen.seen.lines or seen.seen.problem or seen.problem)
        return not screen.control.is_busy and recorded

    await until(pilot, rests)
    return status(pilot)


async def pressed(pilot: Pilot[None], *keys: str) -> Said:
    """Press ``keys``, and wait for what comes of them."""
    await pilot.press(*keys)
    return await at_rest(pilot)


async def test_the_keys_of_the_workbench_step_a_program(program: str) -> None:
    app = NNTUI(program=CheckRequest(program))
    async with app.run_test(size=(120, 40)) as pilot:
        content = await at_rest(pilot)
        source = screen_of(pilot).query_one(SourcePanel)
        assert (content.state, source.line) == ("paused", LOOP)
        assert (await pressed(pilot, "u")).seen.update == 1
        assert (await pressed(pilot, "u", "u", "u")).seen.update == 4
        content = await pressed(pilot, "b")
        assert (content.state, content.seen.update, content.seen.head) == ("at the past", 3, 4)
        await pressed(pilot, "h")
        content = await pressed(pilot, "j", "1", "2", "enter")
        assert content.seen.update == 12
        assert content.seen.output.count("loss") == 3
        await until(pilot, lambda: "0.5 * np.sum(error ** 2)" in shown(pilot))
        content = await pressed(pilot, "c", "m")
        assert (content.state, content.seen.update) == ("ended", 40)
        assert "ended here" in (await pressed(pilot, "space")).note
        assert (await pressed(pilot, "i")).note.startswith("microscope: not for a program")
        plot = screen_of(pilot).query_one(LossPlot).content
        assert plot is not None
        assert (plot.last, plot.unit) == (40, "update")
        content = await pressed(pilot, "B")
        assert content.seen.update == 12
        content = await pressed(pilot, "comma")
        assert content.seen.update < 12
        content = await pressed(pilot, "0")
        assert content.seen.update == 0
        content = await pressed(pilot, "n")
        assert (content.seen.seed, len(content.seen.branches)) == (1, 2)


async def test_a_wrong_line_is_marked_explained_and_mended(program: str) -> None:
    app = NNTUI(program=CheckRequest(program))
    async with app.run_test(size=(120, 40)) as pilot:
        content = await pressed(pilot, "u")
        screen = screen_of(pilot)
        assert content.seen.marks[content.seen.file, GRADIENT] == "wrong"
        await pressed(pilot, "W", "enter")
        source = screen.query_one(SourcePanel)
        assert (source.line, screen.focused) == (GRADIENT, source)
        await pressed(pilot, "enter")
        arrays = screen.query_one(ArrayHeatmap).content
        assert arrays is not None
        names = [part.name for part in arrays.parts]
        assert names[0] == "dW"
        assert names[1].startswith("true gradient of W")
        assert names[2] == "difference"
        assert abs(arrays.parts[2].array).max() > 1e-3
        labels = [row.label for row in grid_of(arrays.parts).rows]
        assert labels == ["0", "1", "true 0", "true 1", "diff 0", "diff 1"]
        await pressed(pilot, "W")
        assert screen.query_one(FindingsPanel).has_focus
        await pressed(pilot, "enter", "asterisk", "left_square_bracket")
        assert source.line == GRADIENT
        await pressed(pilot, "right_square_bracket")
        assert source.line == GRADIENT, "behind the last mark comes the first"
        content = await pressed(pilot, "asterisk", "enter")
        assert (content.note, source.line) == (
            f"line {LOOP} gives no array in this update: the first parameter's instead",
            LOOP,
        )
        assert source.has_focus, "the mend is a key wherever the focus is"
        content = await pressed(pilot, "F")
        assert content.seen.branch.name == "mended"
        assert content.seen.check is not None
        assert content.seen.check.ok is True
        assert (content.seen.update, content.seen.overlaid) == (1, 0)
        await pilot.press("X")
        await until(pilot, lambda: " this branch's text as a diff" in shown(pilot))
        assert "the this" not in shown(pilot)
        await pressed(pilot, "enter")
        diff = Path(program).with_name("mynet-mended.diff").read_text()
        assert "\n-dW" not in diff
        assert "+    dW" in diff


async def test_forks_and_edits_are_branches_overlaid(program: str) -> None:
    app = NNTUI(program=CheckRequest(program))
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "j", "6", "enter")
        content = await pressed(pilot, "f", *"rate=0.01", "enter", "u", "u")
        await pressed(pilot, "v", "v", "d", "d")
        arrays = screen_of(pilot).query_one(ArrayHeatmap).content
        assert arrays is not None
        assert arrays.title.startswith("A-B: Parameter W")
        assert abs(arrays.parts[0].array).max() > 0.0
        content = await pressed(pilot, "d", "j", "6", "enter")
        assert (content.seen.branch.forked_at, content.seen.overlaid) == (6, 0)
        assert next(x.text for x in content.seen.variables if x.name == "rate") == "0.01"
        text = Path(program).read_text().replace("0.1\n", "0.3\n")
        Path(program).write_text(text)
        os.utime(program, ns=(1, 1))
        await until(pilot, lambda: status(pilot).seen.edited)
        content = await pressed(pilot, "E")
        assert (content.seen.branch.name, content.seen.update) == ("edited", 6)
        assert len(content.seen.branches) == 3
        assert not content.seen.edited
        Path(program).write_text(text.replace("0.3\n", "0.1\n"))
        os.utime(program, ns=(5, 5))
        content = await pressed(pilot, "E")
        assert content.note.startswith("A is main, whose text the file has again; B is")
        assert (content.seen.branch.name, content.seen.update) == ("main", 6)
        Path(program).write_text(text)
        os.utime(program, ns=(6, 6))
        content = await pressed(pilot, "E")
        assert (content.seen.branch.name, len(content.seen.branches)) == ("edited", 3)
        Path(program).write_text("import numpy as np\nfor k in range(")
        os.utime(program, ns=(2, 2))
        await until(pilot, lambda: "cannot be run" in status(pilot).note)
        await pressed(pilot, "y")
        content = await pressed(pilot, "E")
        assert "cannot be run" in content.note, "it is said again when it is asked for"
        Path(program).write_text("import numpy as np\nnp.nothing\n")
        os.utime(program, ns=(3, 3))
        await until(pilot, lambda: status(pilot).seen.edited)
        content = await pressed(pilot, "E")
        assert content.state == "cannot be stepped"
        assert screen_of(pilot).query_one(SourcePanel).line == 2
        content = await pressed(pilot, "u")
        assert content.note.startswith("it cannot be stepped")
        Path(program).write_text(text.replace("0.3\n", "0.2\n"))
        os.utime(program, ns=(4, 4))
        await until(pilot, lambda: status(pilot).seen.edited)
        content = await pressed(pilot, "E")
        assert (content.seen.update, content.state) == (6, "paused"), "where the last one stood"
        await pressed(pilot, "t")
        await until(pilot, lambda: "edited" in shown(pilot))


SHUFFLED = """
    import numpy as np
    np.random.seed(3)
    X, y = np.random.randn(6, 2), np.random.randn(6, 1)
    W, rate, step = np.random.randn(2, 1), 0.1, 0
    for epoch in range(9):
        for at in np.random.permutation(6):
            if step == -1:
                rate = 0.02
            x, t = X[at:at + 1], y[at:at + 1]
            error = x @ W - t
            print(step, repr(float(error[0, 0])), W.tobytes().hex())
            dW = 2 * x.T @ error
            W = W - rate * dW
            step += 1
    """
"""It prints its whole state, draws in every epoch, and can be told where its rate changes."""


async def test_a_random_walk_shows_what_a_plain_run_prints(tmp_path: Path) -> None:
    path, forked, walk = tmp_path / "walk.py", 20, random.Random(5)
    path.write_text(dedent(SHUFFLED))
    expected = alone(str(path)).stdout.splitlines(keepends=True)
    other = tmp_path / "forked.py"
    other.write_text(dedent(SHUFFLED).replace("step == -1", f"step == {forked}"))
    changed = alone(str(other)).stdout.splitlines(keepends=True)
    assert changed[: forked + 1] == expected[: forked + 1]
    assert changed[forked + 1] != expected[forked + 1]

    async def walk_along(lines: list[str]) -> None:
        for _ in range(12):
            keys = walk.choice(
                ("u", "u", "b", "e", "0", "h", "comma", "full_stop", "c", "B", "j", "j", "j")
            )
            typed = (*str(walk.randrange(len(lines))), "enter") if keys == "j" else ()
            seen = (await pressed(pilot, keys, *typed)).seen
            assert seen.output == "".join(lines[: seen.update]), (keys, typed)

    async with NNTUI(program=CheckRequest(str(path))).run_test(size=SIZES[0]) as pilot:
        await at_rest(pilot)
        await walk_along(expected)
        await pressed(pilot, "j", *str(forked), "enter")
        await pressed(pilot, "f", *"rate=0.02", "enter")
        await walk_along(changed)


async def test_every_size_shows_every_panel(program: str) -> None:
    app = NNTUI(program=CheckRequest(program))
    async with app.run_test(size=SIZES[1]) as pilot:
        await pressed(pilot, "u")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for key in ("W", "V", "v", "k", "z", "z", "question_mark", "escape"):
                await pilot.press(key)
            await until(pilot, lambda: "update 1" in shown(pilot))
            picture = shown(pilot)
            assert picture.splitlines()[-1].strip(), "the keys are in sight"
            width = max(map(len, picture.splitlines()))
            assert width <= size[0]


async def test_a_program_that_crashes_says_so(tmp_path: Path) -> None:
    path = tmp_path / "crash.py"
    text = dedent(WRONG).replace(
        "        print(", "        assert k < 5, 'too far'\n        print("
    )
    path.write_text(text)
    app = NNTUI(program=CheckRequest(str(path)))
    async with app.run_test(size=(100, 30)) as pilot:
        await at_rest(pilot)
        content = await pressed(pilot, "space")
        assert (content.state, content.seen.update) == ("crashed", 5)
        await until(pilot, lambda: "crashed in line 13: AssertionError: too far" in shown(pilot))
        assert content.seen.output.rstrip().endswith("AssertionError: too far")
        source = screen_of(pilot).query_one(SourcePanel)
        assert (source.line, content.seen.marks[str(path), 13]) == (13, "stopped")
        content = await pressed(pilot, "u", "F")
        assert "wrong" not in content.note
        # What is seen and told while the screen is taken down finds no panels.
        screen = screen_of(pilot)
        await screen.query("*").remove()
        screen.take(screen.seen)
        screen.tell("too late")
        screen.look(screen.view)
        screen.perform("one_update")


async def test_a_session_shows_what_was_seen_and_runs_when_it_is_told(program: str) -> None:
    Path(program).write_text(Path(program).read_text().replace("np.random.seed(4)", ""))
    app = NNTUI(program=CheckRequest(program))
    async with app.run_test(size=(120, 40)) as pilot:
        content = await pressed(pilot, "j", "9", "enter")
        state, seed = content.seen.state_hash, content.seen.seed
        assert seed is not None, "the program sets none"
        await pressed(pilot, "S")
        path = screen_of(pilot).keeper.path
        assert path is not None
    assert app.save_all() == [f"saved; look again with: nntui open {path.stem}"]
    Path(program).write_text(Path(program).read_text() + "# edited\n")
    session = load_program_session(path)
    app = NNTUI(program=session)
    async with app.run_test(size=(120, 40)) as pilot:
        content = await at_rest(pilot)
        assert (content.seen.update, content.seen.state_hash) == (9, state)
        assert (content.seen.seed, content.seen.seeded_by_us) == (seed, True)
        await until(pilot, lambda: "0.5 * np.sum(error ** 2)" in shown(pilot))
        await until(pilot, lambda: "+# edited" in shown(pilot))
        content = await pressed(pilot, "u")
        assert "nothing has run" in content.note
        content = await pressed(pilot, "E", "enter")
        assert "the same state" in content.note
        assert (await pressed(pilot, "u")).seen.update == 10


async def test_why_a_program_cannot_be_stepped_is_said_in_full(tmp_path: Path) -> None:
    path = tmp_path / "alone.py"
    path.write_text("for k in range(3):\n    print(k)\n")
    async with NNTUI(program=CheckRequest(str(path))).run_test(size=SIZES[0]) as pilot:
        content = await at_rest(pilot)
        assert (content.state, content.seen.output) == ("cannot be stepped", "0\n1\n2\n")
        words = content.seen.problem.split()
        assert sum(map(len, words)) + len(words) > SIZES[0][0], "more than a row"
        await until(pilot, lambda: set(words) <= set(shown(pilot).split()))


async def test_marks_lead_from_file_to_file(program: str) -> None:
    text = Path(program).read_text()
    slope = "def slope(z):\n    return 1 - z ** 2\n"
    Path(program).with_name("slopes.py").write_text(slope)
    text = text.replace("(1 - z ** 2)", "slope(z)").replace("np\n", "np\nimport slopes\n", 1)
    Path(program).write_text(text.replace("slope(z)", "slopes.slope(z)"))
    async with NNTUI(program=CheckRequest(program)).run_test(size=(120, 40)) as pilot:
        await at_rest(pilot)
        await until(pilot, lambda: "wrong: slopes.py, line 2" in shown(pilot))
        source = screen_of(pilot).query_one(SourcePanel)
        for _ in range(3):
            await pressed(pilot, "right_square_bracket")
            if source.content is not None and source.content.file.endswith("slopes.py"):
                break
        await until(pilot, lambda: "line 2: proven wrong" in shown(pilot))


def test_what_a_program_prints_does_not_steer_the_terminal() -> None:
    assert as_printed("\x1b[31mloss\x1b[0m 1\x1b[2J\n\x1b]0;title\x07end") == "loss 1\nend"
    assert as_printed(" 10%\r 20%\r100%\r\nnext\tb") == "100%\nnext    b"
    assert in_one_line("Exception: a\nb\x1b[31mred\u202eX") == "Exception: a bred X"
    assert coloured(("a = 1\x1b[2J",))[0][0][0].startswith("a")
    assert "\x1b" not in "".join(text for text, _ in coloured(("a = 1\x1b[2J",))[0])


def test_what_is_cut_off_says_so() -> None:
    assert cut((("p = ", "code"), ("tanh", "name"), ("(z)", "code")), 8)[-1] == ("tan…", "name")
    assert "".join(text for text, _ in cut((("a", "code"), ("=1", "code")), 3)) == "a=1"
    assert middled("parameters['W1']", 9) == "pa…['W1']"
    value = Value((16, 1), -0.00046712, 0.00041212, 0, tuple(range(12)))
    line = (LineValue("", 3, "dW", 1, (value,)),)
    assert line_text(line, 40) == "16x1  -0.000467 .. 0.000412  ▁▂▂▃▄▅▅▆▇██"
    assert line_text(line, 25) == "16x1  -0.00047 .. 0.00041"
    assert len(line_text(line, 33)) <= 33


def test_what_a_fork_takes() -> None:
    assert read_change("rate = 1e-3", "") == ("rate", 1e-3)
    name, value = read_change("W=[[1, 2]]", "")
    assert (name, value.tolist()) == ("W", [[1.0, 2.0]])
    assert edited_line("a = 1\nb = 2\n", 2, " 2 -> 3") == "a = 1\nb = 3\n"
    for wrong in ("rate", "rate=", "=1", "rate=open('x')", "W=[[1], [2, 3]]", "line 9: 1 -> 2"):
        with pytest.raises(ConfigError):
            read_change(wrong, "x = 1\n")
