"""A program under the debugger: every value is what the plain run has, wherever the cursor goes."""

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from controlled import alone, written
from sessions_of_processes import all_gone

from nntui.program.checking import CheckRequest
from nntui.program.control.travel.timeline import InterruptedTravelError
from nntui.program.debugging.loops_of_text import line_in
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.program.program_error import ProgramError

LINE = """
    import numpy as np
    np.random.seed(4)
    X = np.random.randn(6, 2)
    y = X @ np.array([[1.0], [-2.0]]) + 0.5
    W, b, rate = np.random.randn(2, 1), np.zeros((1, 1)), 0.1
    for epoch in range(12):
        for at in range(0, 6, 2):
            x, t = X[at:at + 2], y[at:at + 2]
            error = x @ W + b - t
            loss = np.mean(error ** 2)
            print(repr(float(loss)), W.tobytes().hex())
            dW = 2 * x.T @ error / 2
            db = 2 * error.sum(axis=0, keepdims=True) / 2
            W = W - rate * dW
            b -= rate * db
    print("done")
    """
LOOP, LOSS, GRADIENT = 8, 11, 13
"""Lines of the program: its updates, its loss, its gradient of W."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program."""
    return written(tmp_path_factory.mktemp("program"), LINE)


@pytest.fixture(scope="module")
def run(path: str) -> Iterator[ProgramRun]:
    """It, opened."""
    found = ProgramRun(CheckRequest(path))
    found.open()
    yield found
    timeline = found.branches[0].timeline
    assert timeline is not None
    found.branches[0].seek(1)
    session = timeline.session
    found.close()
    all_gone(session)


@pytest.fixture(scope="module")
def plain(path: str) -> list[tuple[float, str]]:
    """Loss and weights of every update of the plain run."""
    lines = alone(path).stdout.splitlines()
    return [(float(each.split()[0]), each.split()[1]) for each in lines if each != "done"]


def test_it_knows_the_loops_the_loss_and_that_all_is_right(run: ProgramRun) -> None:
    seen = seen_of(run)
    assert (seen.loop, seen.epoch_loop) == ((run.file, LOOP), (run.file, LOOP - 1))
    assert seen.check is not None
    assert seen.check.ok is True
    assert seen.loss_name == "np.mean(error ** 2) (line 11)"
    assert "right" in seen.check.parameters[0].verdict
    assert not seen.problem


def test_a_random_walk_sees_what_the_plain_run_has(
    run: ProgramRun, plain: list[tuple[float, str]]
) -> None:
    run.switch(run.branches[0], None)
    draws = random.Random(3)
    hashes: dict[int, str] = {}
    for update in [5, 0, *(draws.randrange(36) for _ in range(10))]:
        assert run.seek(update) == update
        seen = seen_of(run)
        assert seen.update == update
        weights = next(each for each in seen.variables if each.name == "W")
        assert weights.shape == (2, 1)
        assert run.branch.value("W").tobytes().hex() == plain[update][1]
        assert hashes.setdefault(update, seen.state_hash) == seen.state_hash
        assert len(seen.output.splitlines()) == update
    record = run.branch.record
    known = len(record.by_update)
    assert record.by_update.read().tolist() == [loss for loss, _ in plain[:known]]


def test_losses_are_means_of_epochs_where_there_are_epochs(
    run: ProgramRun, plain: list[tuple[float, str]]
) -> None:
    run.switch(run.branches[0], None)
    run.seek(0)
    assert run.epoch() == 3
    assert run.epoch() == 6
    run.seek(31)
    seen = seen_of(run)
    assert (seen.epoch, seen.by_epoch) == (10, True)
    means = np.reshape([loss for loss, _ in plain[:30]], (10, 3)).mean(axis=1)
    assert np.array_equal(seen.branch.losses.read(0, 10), means)
    assert run.branch.record.update_of(4) == 12


def test_each_line_has_the_values_of_the_update_at_the_cursor(
    run: ProgramRun, plain: list[tuple[float, str]]
) -> None:
    run.switch(run.branches[0], None)
    run.seek(7)
    update = run.look()
    assert update.update == 7
    (loss,) = update.on(run.file, LOSS)
    assert loss.last.most == plain[7][0] == pytest.approx(update.loss)
    (gradient,) = update.on(run.file, GRADIENT)
    assert (gradient.target, gradient.last.shape, gradient.last.of) == ("dW", (2, 1), "W")
    assert gradient.last.number == pytest.approx(gradient.last.true)
    step = next(each for each in update.parameters if each.name == "W").step
    assert step == pytest.approx(-0.1 * gradient.last.number)
    assert seen_of(run).marks[run.file, GRADIENT] == "right"
    assert run.branch.value("W").tobytes().hex() == plain[7][1], "looking moves nothing"


SINGLE = """
    import numpy as np
    np.random.seed(1)
    X = np.random.randn(2, 6)
    Y = X[:1] - X[1:]
    W1, b1, W2 = np.random.randn(3, 2), np.zeros((3, 1)), np.random.randn(1, 3)
    for step in range(4):
        h = np.tanh(W1 @ X + b1)
        out = W2 @ h
        loss = np.mean((out - Y) ** 2)
        print(loss)
        d = 2 * (out - Y) / 6
        dh = (W2.T @ d) * (1 - h ** 2)
        total = np.sum(dh)
        db1 = total / 1.0
        W2 -= 0.1 * d @ h.T
        W1 -= 0.1 * dh @ X.T
        b1 -= 0.1 * db1
    """


def test_a_number_in_place_of_a_gradient_is_held_beside_the_true_one(tmp_path: Path) -> None:
    path = written(tmp_path, SINGLE)
    run = ProgramRun(CheckRequest(path))
    run.open()
    try:
        update = run.look()
        of = {each.line: each.last for line in range(1, 20) for each in update.on(run.file, line)}
        found = next(each for each in of.values() if each.of == "b1")
        assert found is of[15]
        assert found.shape == ()
        assert found.true is not None
        assert found.true.shape == (3, 1)
        dh = of[13].number
        np.testing.assert_allclose(found.true[:, 0], np.sum(dh, axis=1))
        assert [each.of for each in of.values()].count("b1") == 1
    finally:
        run.close()


def test_the_end_shows_the_last_update_and_goes_back(
    run: ProgramRun, plain: list[tuple[float, str]]
) -> None:
    run.switch(run.branches[0], None)
    assert run.seek(1 << 60) == 36
    run.look()
    seen = seen_of(run)
    assert seen.ended_here
    assert (seen.epoch, seen.seen.update) == (12, 35)
    assert seen.seen.on(run.file, LOSS)[0].last.most == plain[35][0]
    assert seen.output.endswith("done\n")
    assert [each.kind for each in seen.events][-1] == "ended"
    run.seek(2)
    assert seen_of(run).output.count("\n") == 2


def test_a_fork_has_another_value_from_there_on_and_only_there(run: ProgramRun, path: str) -> None:
    run.switch(run.branches[0], None)
    run.seek(6)
    branch = run.fork("rate", 0.02)
    assert (run.branch, run.overlaid) == (branch, run.branches[0])
    changed = (
        Path(path)
        .read_text()
        .replace("        x, t =", "        if (epoch, at) == (2, 0): rate = 0.02\n        x, t =")
    )
    other = written(Path(path).parent, changed, "changed.py")
    lines = alone(other).stdout.splitlines()
    for update in (20, 6, 9, 0, 35):
        run.seek(update)
        assert run.branch.value("W").tobytes().hex() == lines[update].split()[1]
    seen = seen_of(run)
    assert (seen.branch.forked_at, seen.overlaid) == (6, 0)
    branch.close()
    run.seek(12)
    assert run.branch.value("W").tobytes().hex() == lines[12].split()[1], "after all was lost"
    with pytest.raises(ProgramError, match="variable nothing"):
        run.fork("nothing", 1.0)


def test_an_edit_of_the_file_is_noticed_and_runs_to_the_same_update(
    tmp_path: Path, path: str
) -> None:
    own = written(tmp_path, Path(path).read_text(), "own.py")
    run = ProgramRun(CheckRequest(own))
    try:
        run.open()
        run.seek(10)
        assert not run.edited_texts()
        text = Path(own).read_text().replace("0.1\n", "0.05\n")
        Path(own).write_text(text)
        os.utime(own, ns=(1, 1))
        assert run.edited_texts() == {run.file: text}
        branch = run.with_texts({run.file: text}, "edited", "as edited")
        assert (branch.update, run.overlaid) == (10, run.branches[0])
        assert branch.value("W").tobytes().hex() == alone(own).stdout.splitlines()[10].split()[1]
        assert not run.edited_texts(), "a branch runs it"
        assert run.diff_of_branch().count("\n+") == 2
        run.show(run.branches[0])
        assert run.update == 10
        assert seen_of(run).files[0].lines[5].endswith("0.1")
    finally:
        run.close()


def test_another_seed_takes_the_place_of_the_programs_own(run: ProgramRun) -> None:
    run.switch(run.branches[0], None)
    run.seek(0)
    before = run.branch.value("W")
    run.anew(run.seed + 1)
    assert not np.array_equal(run.branch.value("W"), before)
    assert seen_of(run).seed == 1
    run.anew(None)
    assert np.array_equal(run.branch.value("W"), before)


DYING = """
    import numpy as np
    X, y = np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[0.0], [0.0]])
    W, V = np.array([[0.3, 1.0], [0.3, 1.0]]), np.ones((2, 1))
    for k in range(40):
        a = np.maximum(X @ W, 0.0)
        e = a @ V - y
        loss = np.mean(e ** 2)
        if k == 23: print("late")
        dV = a.T @ e
        dW = X.T @ ((e @ V.T) * (a > 0))
        W[:, 0] -= 0.01
        W, V = W - 0.001 * dW, V - 0.001 * dV
    """


def test_the_update_of_an_event_is_found_between_two_looks(tmp_path: Path) -> None:
    run = ProgramRun(CheckRequest(written(tmp_path, DYING)))
    try:
        run.open()
        run.look()
        run.seek(39)
        run.look()
        events = {each.kind: each for each in seen_of(run).events}
        died, printed = events["died"], events["printed"]
        assert (died.after, died.by, printed.after, printed.by) == (0, 39, 0, 39)
        found = run.locate(died)
        assert found.exact
        assert run.update == found.by
        assert "unit 0 of a" in found.text
        assert run.look().on(run.file, 6)[0].last.dead == (0,)
        run.seek(found.by - 1)
        assert run.look().on(run.file, 6)[0].last.dead == ()
        assert run.locate(printed).by == 24
    finally:
        run.close()


PRINTING = """
    import numpy as np
    np.random.seed(2)
    X, y = np.random.randn(6, 2), np.random.randn(6, 1)
    W = np.random.randn(2, 1)
    for k in range(60):
        error = X @ W - y
        loss = np.mean(error ** 2)
        W = W - 0.1 * 2 * X.T @ error / 6
        if k % 10 == 3:
            print(loss)
    """


def test_the_next_event_is_never_before_the_cursor(tmp_path: Path) -> None:
    run = ProgramRun(CheckRequest(written(tmp_path, PRINTING)))
    try:
        run.open()
        run.seek(50)
        run.seek(20)
        found = []
        while (event := run.next_event()) is not None:
            found.append((event.by, run.update))
        assert found == [(24, 24), (34, 34), (44, 44)]
        assert run.update == 44
    finally:
        run.close()


CRASH = """
    import numpy as np
    w, x = np.zeros(3), np.array([1.0, 2.0, 3.0])
    for k in range(50):
        e = x @ w - 2.0
        loss = e ** 2
        w = w - 0.01 * 2 * e * x
        if k == 5:
            w = w @ np.ones((4, 4))
    """


def test_a_crash_is_told_with_the_values_up_to_it(tmp_path: Path) -> None:
    run = ProgramRun(CheckRequest(written(tmp_path, CRASH)))
    try:
        run.open()
        assert run.seek(40) == 5
        run.look()
        seen = seen_of(run)
        assert seen.ending is not None
        assert (seen.ending.kind, seen.ending.line) == ("crash", 9)
        assert [each.target for each in seen.seen.lines] == ["e", "loss", "w"]
        assert "crashed in line 9" in seen.events[-1].text
    finally:
        run.close()


ENDLESS = CRASH.replace("w = w @ np.ones((4, 4))", "while True: pass")


def test_an_update_without_end_is_interrupted(tmp_path: Path) -> None:
    run = ProgramRun(CheckRequest(written(tmp_path, ENDLESS), time=1.0))
    try:
        run.open()
        run.seek(3)
        timer = threading.Timer(0.3, run.interrupt)
        timer.start()
        with pytest.raises(InterruptedTravelError):
            run.seek(30)
        assert run.update == 3
        assert run.seek(4) == 4
        assert run.look().on(run.file, 5)
    finally:
        run.close()


def test_a_program_without_a_loop_has_its_source_and_its_output(tmp_path: Path) -> None:
    run = ProgramRun(CheckRequest(written(tmp_path, "print('hello')\n")))
    try:
        run.open()
        seen = seen_of(run)
        assert seen.output == "hello\n"
        assert "a loop" in seen.problem
        assert run.seek(5) == 0
    finally:
        run.close()


COUNTS = """
    total = 0
    for k in range(8):
        total += k
        print(total)
    """


def test_a_loop_that_learns_nothing_is_stepped_where_it_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, COUNTS)
    run = ProgramRun(CheckRequest(path))
    try:
        run.open()
        assert "--loop 3" in seen_of(run).problem
    finally:
        run.close()
    run = ProgramRun(CheckRequest(path, loop=3))
    try:
        run.open()
        assert run.seek(4) == 4
        seen = seen_of(run)
        assert (seen.output, seen.problem) == ("0\n1\n3\n6\n", "")
        assert next(x.text for x in seen.variables if x.name == "total") == "6"
        edited = "import math\n" + run.branch.texts[run.file].replace("+= k", "+= 2 * k")
        run.with_texts({run.file: edited}, "edited", "an edit above the loop")
        assert seen_of(run).output == "0\n2\n6\n12\n"
    finally:
        run.close()


def test_a_line_is_found_again_after_an_edit() -> None:
    before = "a\nb\nfor x in y:\n    c\n"
    assert line_in(f"import z\n{before}", before, 3) == 4
    assert line_in(before.replace("in y", "in z"), before, 3) == 3
    assert line_in("for x in y:\n", before, 3) == 1
    assert [line_in("", before, line) for line in (1, 3)] == [1, 1]


def test_what_is_no_program_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no such file"):
        ProgramRun(CheckRequest(str(tmp_path / "nothing.py")))
    with pytest.raises(ProgramError, match="line 1"):
        ProgramRun(CheckRequest(written(tmp_path, "x = = 1\n")))
