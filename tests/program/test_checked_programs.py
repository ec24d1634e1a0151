"""``nntui check`` on whole programs: what is printed, what is refused, what is left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import command, parsed, refused

import nntui
from nntui.program import ProgramError, check

RIGHT = """\
import sys
import numpy as np
rate = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
X = np.random.randn(6, 2)
y = X @ np.array([[1.0], [2.0]])
W = np.random.randn(2, 1)
for epoch in range(40):
    out = X @ W
    loss = np.mean((out - y) ** 2)
    W -= rate * 2 * X.T @ (out - y) / len(X)
print(loss)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where the programs are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_right_program_is_right_and_stays_as_it_was(folder: Path) -> None:
    Path("net.py").write_text(RIGHT)
    answer = check("net.py", ["0.2"], seed=5)
    assert answer.ok is True
    assert answer.confirmed
    (parameter,) = answer.parameters
    assert (parameter.name, parameter.shape, parameter.verdict) == ("W", (2, 1), "right")
    assert parameter.factor == pytest.approx(0.2, rel=1e-6)
    assert answer.loop is not None
    assert (answer.loop.file, answer.loop.line) == ("net.py", 7)
    assert answer.loss is not None
    assert (answer.loss.kind, answer.loss.line) == ("own", 9)
    assert (answer.arguments, answer.seed, answer.seeded_by_us) == (("0.2",), 5, False)
    assert answer.python == sys.executable
    assert [each.name for each in folder.iterdir()] == ["net.py"]


def test_a_printed_loss_is_called_by_what_is_printed(folder: Path) -> None:
    Path("net.py").write_text(RIGHT.replace("    W -=", '    print(epoch, "loss", loss)\n    W -='))
    done = command("check", "net.py")
    assert "`loss` in line 10, the program's own" in done.stdout
    found = check("net.py").as_json()["loss"]
    assert (found["text"], "named" in found) == ('print(epoch, "loss", loss)', False)


TOLERANCE = """\
import numpy as np
X = np.random.randn(30, 1)
y, w, before = 3 * X, 0.0, 1e9
while True:
    out = w * X
    loss = np.mean((out - y) ** 2)
    w -= 0.01 * 2 * np.mean((out - y) * X)
    if abs(before - loss) < 1e-7:
        break
    before = loss
"""


def test_a_loss_that_is_held_against_the_one_before_is_the_programs_own(folder: Path) -> None:
    Path("net.py").write_text(TOLERANCE)
    answer = check("net.py")
    assert answer.loss is not None
    assert (answer.loss.kind, answer.loss.line) == ("own", 6)
    assert answer.parameters[0].factor == pytest.approx(0.01, rel=1e-6)


def test_a_program_that_goes_uphill_is_wrong_in_that_line(folder: Path) -> None:
    Path("net.py").write_text(RIGHT.replace("W -=", "W +="))
    done = command("check", "net.py", "--json", "--", "0.05")
    assert (done.returncode, done.stderr) == (1, "")
    answer = parsed(done.stdout)
    assert answer["ok"] is False
    assert answer["arguments"] == ["0.05"]
    first = answer["findings"][0]
    assert (first["code"], first["file"], first["line"]) == ("wrong-sign", "net.py", 10)
    assert first["text"] == "W += rate * 2 * X.T @ (out - y) / len(X)"
    assert first["parameters"] == ["W"]


def test_a_diff_mends_what_is_wrong_and_the_file_stays(folder: Path) -> None:
    wrong = RIGHT.replace("W -=", "W +=")
    Path("net.py").write_text(wrong)
    done = command("check", "net.py", "--diff", "--time", "60", "--", "0.05")
    assert (done.returncode, done.stderr) == (1, "")
    behind = done.stdout.partition("\n--- a/net.py\n+++ b/net.py\n@@ ")[2]
    assert "\n-    W += rate * 2 * X.T @ (out - y) / len(X)\n+    W -= rate * 2" in behind
    assert done.stdout.endswith("With this diff every update is the gradient of the loss.\n")
    assert Path("net.py").read_text() == wrong
    assert [each.name for each in folder.iterdir()] == ["net.py"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (1\n", "was never closed"),
        ("x = 1\nprint(x / 0)\n", "net.py:2: the program stopped before its first update: Zero"),
        ("import no_such_module\n", f"{sys.executable} -m pip install no_such_module"),
        (RIGHT, "no loop of net.py begins in line 3; its only loop begins in line 7"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(folder: Path, text: str, told: str) -> None:
    Path("net.py").write_text(text)
    loop = ("--loop", "3") if text == RIGHT else ()
    assert told in refused("check", "net.py", *loop)


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    assert "missing.py: no such file" in refused("check", "missing.py")


def test_an_interpreter_that_is_none_is_refused(folder: Path) -> None:
    Path("net.py").write_text(RIGHT)
    Path("fake").write_text("#!/bin/sh\n")
    Path("fake").chmod(0o755)
    said = refused("check", "net.py", "--python", str(folder / "fake"))
    assert "fake cannot be used as the interpreter" in said


def test_an_effect_is_kept_in_and_told(folder: Path) -> None:
    Path("data.csv").write_text("1,2\n")
    Path("net.py").write_text(f"import os\nos.remove('data.csv')\n{RIGHT}")
    done = command("check", "net.py")
    assert (done.returncode, done.stderr) == (3, "")
    told = " ".join(done.stdout.split())
    assert "it was stopped where it deletes data.csv in line 2" in told
    assert "--allow-effects" in told
    assert Path("data.csv").exists()


@pytest.mark.parametrize(("step", "code"), [("W -=", 3), ("W +=", 1)])
def test_what_was_judged_before_an_effect_is_kept(folder: Path, step: str, code: int) -> None:
    Path("data.csv").write_text("1,2\n")
    Path("net.py").write_text(f"import os\n{RIGHT.replace('W -=', step)}os.remove('data.csv')\n")
    done = command("check", "net.py")
    assert (done.returncode, done.stderr) == (code, "")
    told = " ".join(done.stdout.split())
    assert "deletes data.csv in line 13" in told
    assert ("the updates looked at before are the gradient of the loss" in told) is (code == 3)
    answer = parsed(command("check", "net.py", "--json", "--diff").stdout)
    assert answer["ok"] is (None if code == 3 else False)
    assert [each["name"] for each in answer["parameters"]] == ["W"]
    assert len(answer["findings"]) == (0 if code == 3 else 1)
    assert Path("data.csv").exists()


def test_an_effect_in_the_training_itself_ends_the_trials_before_it(folder: Path) -> None:
    effect = "    if epoch == 5:\n        import os; os.system('mkdir made')\nprint(loss)\n"
    Path("net.py").write_text(RIGHT.replace("print(loss)\n", effect))
    answer = check("net.py")
    assert (answer.ok, answer.updates, answer.refused[0].line) == (None, 4, 12)
    assert [each.verdict for each in answer.parameters] == ["right"]
    assert not Path("made").exists()


def test_what_was_judged_before_the_time_was_up_is_kept(folder: Path) -> None:
    Path("net.py").write_text(RIGHT + "while True:\n    pass\n")
    answer = check("net.py", time=5.0)
    assert (answer.ok, answer.confirmed) == (True, True)
    assert answer.left_out[0].startswith("training was watched up to update 39 ")


@pytest.mark.parametrize(
    "over",
    ["losses = [train(x, t) for x, t in zip(X, y)]", "s = sum(train(*each) for each in rows)"],
)
def test_a_comprehension_that_trains_is_the_loop(folder: Path, over: str) -> None:
    text = f"""\
import numpy as np
np.random.seed(0)
X, y = np.random.randn(6, 2), np.random.randn(6)
rows = list(zip(X, y))
W = np.random.randn(2)
def train(x, t):
    global W
    out = x @ W
    W = W - 0.1 * (out - t) * x
    return 0.5 * (out - t) ** 2
for epoch in range(20):
    {over}
"""
    Path("net.py").write_text(text)
    answer = check("net.py")
    assert (answer.ok, answer.confirmed) == (True, True)
    assert answer.loop is not None
    assert answer.epoch_loop is not None
    assert (answer.loop.line, answer.epoch_loop.line) == (12, 11)
    assert answer.parameters[0].factor == pytest.approx(0.1, rel=1e-6)
    with nntui.Program("net.py", loop=12) as program:
        assert program.seek(14) == 14
        later = program.state_hash
        program.step(-9)
        program.step(9)
        assert program.state_hash == later


def test_a_program_without_a_training_could_not_be_told(folder: Path) -> None:
    Path("net.py").write_text("import sys\nfor i in range(3):\n    print(i)\nsys.exit(3)\n")
    done = command("check", "net.py", "--json")
    assert done.returncode == 3
    answer = parsed(done.stdout)
    assert (answer["ok"], answer["loop"], answer["findings"]) == (None, None, [])
    assert answer["reason"].endswith("was found before it ended itself with exit code 3 (2)")
    assert answer["option"] == ""


def test_a_program_that_misses_its_arguments_says_so(folder: Path) -> None:
    asks = "p = argparse.ArgumentParser()\np.add_argument('data')\np.parse_args()\n"
    Path("net.py").write_text(f"import argparse\n{asks}{RIGHT}")
    told = refused("check", "net.py")
    assert "with exit code 2 (net.py: error: the following arguments are required: data)" in told
    assert told.endswith("its arguments go behind --\n")


PERCEPTRON = """
import numpy as np
X, w, b = np.array([[0, 1], [1, 1]]), np.zeros(2), 0.0
for i in range(3):
    for x, t in zip(X, [0, 1]):
        o = 1 if x @ w + b > 0 else 0
        u = 0.1 * (t - o)
        w += u * x
        b += u
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PERCEPTRON, "the loop in line 5 changes w and b, but its steps do not"),
        ("import numpy as np\nW = np.ones(2) * 1j\nfor i in range(3):\n    W *= 0.9\n", "W is an"),
    ],
)
def test_a_training_that_has_no_gradient_has_a_sentence_of_its_own(
    folder: Path, text: str, told: str
) -> None:
    Path("net.py").write_text(text)
    answer = parsed(command("check", "net.py", "--json").stdout)
    assert (answer["ok"], answer["option"]) == (None, "")
    assert answer["reason"].startswith(told)


def test_a_program_is_stepped_without_naming_its_loop_and_checked(folder: Path) -> None:
    Path("net.py").write_text(RIGHT)
    with nntui.Program("net.py", ["0.2"], seed=5) as program:
        assert program.loop == (str(folder / "net.py"), 7)
        assert program.update == 0
        program.step(2)
        answer = program.check()
        assert answer.ok is True
        assert answer.parameters[0].factor == pytest.approx(0.2, rel=1e-6)
        assert program.update == 2


def test_a_program_without_a_loop_cannot_be_stepped(folder: Path) -> None:
    Path("net.py").write_text("print(3)\n")
    with (
        nntui.Program("net.py") as program,
        pytest.raises(ProgramError, match=r"net\.py: no turn of a loop began before it ended$"),
    ):
        program.step()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_check_leaves_no_process(folder: Path, number: signal.Signals) -> None:
    Path("net.py").write_text("while True:\n    pass\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "nntui", "check", "net.py", "--time", "600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        wait_until(lambda: len(processes_with(folder)) >= 4)  # the command, the host, and its forks
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (128 + number, "", "")
    wait_until(lambda: not processes_with(folder))
    assert [each.name for each in folder.iterdir()] == ["net.py"]


def processes_with(folder: Path) -> list[int]:
    """The processes whose temporary files go to ``folder``."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"TMPDIR={folder}".encode() in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail("it never came to hold")


def test_a_loop_of_another_thread_is_not_around_the_training(folder: Path) -> None:
    waiting = "import queue, threading\nq, back = queue.Queue(), queue.Queue()\ndef serve():\n"
    waiting += "    while True:\n        back.put(q.get())\n"
    waiting += "threading.Thread(target=serve, daemon=True).start()\nq.put(0)\nback.get()\n"
    Path("net.py").write_text(waiting + RIGHT)
    answer = parsed(command("check", "net.py", "--json").stdout)
    assert (answer["ok"], answer["epoch_loop"]) == (True, None)
    assert answer["loop"]["line"] == 7 + waiting.count("\n")


@pytest.mark.skipif(os.name == "nt", reason="file names are text")
def test_a_name_that_the_locale_cannot_decode_is_printed_as_given(folder: Path) -> None:
    Path("größe.py").write_text("x = 1\n")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for name in ("größe.py", "keine-größe.py"):
        done = subprocess.run(
            [sys.executable, "-m", "nntui", "check", name],
            capture_output=True,
            env={**os.environ, "PYTHONCOERCECLOCALE": "0", **ascii_only},
        )
        assert name.encode() in done.stdout + done.stderr


def test_another_ending_than_py_is_told(folder: Path) -> None:
    for name in ("NET.PY", "net.py.txt", "net.pyw"):
        Path(name).write_text(RIGHT)
        assert f"{name} is no program by its name, which must end in .py" in refused("check", name)


def test_an_effect_of_the_loss_that_was_asked_for_is_not_blamed_on_a_line(folder: Path) -> None:
    Path("keep.txt").write_text("x")
    Path("net.py").write_text(RIGHT)
    done = command("check", "net.py", "--loss", "__import__('os').remove('keep.txt')")
    assert "deletes keep.txt in --loss." in " ".join(done.stdout.split())
    assert Path("keep.txt").exists()


def test_what_was_seen_before_the_program_ended_its_process_is_told(folder: Path) -> None:
    assert "for " in RIGHT
    ended = RIGHT.rstrip() + "\nimport os\nos._exit(0)\n"
    Path("net.py").write_text(ended)
    assert command("check", "net.py").returncode == 0


def test_what_makes_no_sense_to_a_program_is_an_error_in_words(folder: Path) -> None:
    Path("net.py").write_text(RIGHT)
    Path("houses.toml").write_text("a = 1\n")
    wrong: dict[str, dict[str, Any]] = {
        r"the arguments are a list, such as \['--x'\]": {"arguments": "--x"},
        "arguments must be texts, not 3": {"arguments": [3]},
        "seed must be a whole number, not 1.5": {"seed": 1.5},
        "loop must be a whole number, not '7'": {"loop": "7"},
    }
    for told, options in wrong.items():
        with pytest.raises(ProgramError, match=told):
            nntui.Program("net.py", **options)
        with pytest.raises(ProgramError, match=told):
            check("net.py", **options)
    with pytest.raises(ProgramError, match=r"houses\.toml is no program"):
        nntui.Program("houses.toml")
    with nntui.Program("net.py", loop=7) as program:
        for n in (1.5, "1"):
            with pytest.raises(ProgramError, match="n must be a whole number"):
                program.step(n)  # type: ignore[arg-type]
        with pytest.raises(ProgramError, match="there is no update -7; the first is 0"):
            program.seek(-7)
        assert (program.step(2), program.step(-5)) == (2, 0)
    with pytest.raises(ProgramError, match=r"net\.py was closed"):
        program.step()
