"""Stepping and rewinding a program: at every update the bits of the plain run."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from controlled import alone, written
from sessions_of_processes import all_gone, computed, members, proportional_memory

import nntui
from nntui.program.control.travel import copies, timeline
from nntui.program.program_error import ProgramError

# Every program prints its parameters at the start of an update: the plain run is the oracle.
STYLES = {
    "flat, np.random": """
        import numpy as np
        np.random.seed(4)
        W = np.random.randn(3, 2)
        for i in range(40):  # the loop
            print("state", W.tobytes().hex())
            W -= 0.1 * (W - np.random.randn(3, 2))
        print("done", W)
        """,
    "class, mini-batches, random": """
        import random
        import numpy as np
        class Network:
            def __init__(self):
                self.W = np.ones((4, 4)) * random.random()
            def train(self, data, epochs):
                for epoch in range(epochs):
                    random.shuffle(data)
                    for k in range(0, len(data), 2):  # the loop
                        print("state", self.W.tobytes().hex())
                        for x in data[k : k + 2]:
                            self.W = self.W - 0.01 * np.outer(x, x @ self.W)
                    print("epoch", epoch)
        random.seed(1)
        rng = np.random.default_rng(2)
        Network().train([rng.normal(size=4) for _ in range(8)], 10)
        """,
    "generator and local functions": """
        import numpy as np
        def batches(rng):
            while True:
                yield rng.permutation(5)
        def main():
            rng = np.random.RandomState(3)
            w, v = np.zeros(5), 0.0
            def step(x):
                nonlocal v, w
                v = 0.9 * v + float(x @ w - 1)
                w = w - 0.01 * v * x
            for count, x in enumerate(batches(rng)):  # the loop
                print("state", w.tobytes().hex())
                if count == 39:
                    return w
                step(x)
        print(main())
        """,
    "floats, while, break": """
        import math
        w, b, n = 0.5, [0.25], 0
        while True:  # the loop
            print("state", w.hex(), b[0].hex())
            w -= 0.1 * math.tanh(w - 3)
            b[0] += w
            n += 1
            if n == 40: break
        else:
            print("never")
        """,
    "reads and writes as it goes": """
        import numpy as np
        w = np.zeros(2)
        rows = open("rows.csv")
        for line in rows:  # the loop
            print("state", w.tobytes().hex())
            w = w + np.array([float(x) for x in line.split(",")])
            with open("log.txt", "a") as log:
                log.write(f"{w[0]}\\n")
            w[1] = len(open("log.txt").read())
        """,
}


def loop_of(path: str) -> int:
    """The line that says that it is the loop."""
    lines = Path(path).read_text().splitlines()
    return 1 + next(at for at, line in enumerate(lines) if line.endswith("# the loop"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with what a program may read."""
    (tmp_path / "rows.csv").write_text("".join(f"{k},{k * k}\n" for k in range(40)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check_walk(path: str, moves: int, seed: int) -> None:
    """Take random steps and seeks, and compare what was printed up to each update."""
    plain = alone(path).stdout
    if Path("log.txt").exists():
        Path("log.txt").unlink()
    draws = random.Random(seed)
    states: dict[int, str] = {}
    with nntui.Program(path, loop=loop_of(path)) as program:
        session = program._timeline.session
        for _ in range(moves):
            if draws.random() < 0.4:
                program.step(draws.choice([1, 1, 1, 2, -1, 7]))
            else:
                program.seek(draws.randrange(45))
            lines = [line for line in program.output.splitlines() if is_state(line)]
            assert len(lines) == program.update
            assert plain.startswith(program.output)
            assert states.setdefault(program.update, program.state_hash) == program.state_hash
            expected = [line for line in plain.splitlines() if is_state(line)]
            if program.update < len(expected):
                assert state_of(program) == expected[program.update]
        assert len(set(states.values())) == len(states)
        ending = program.run()
        assert (ending.kind, ending.code) == ("end", 0)
        assert program.printed == plain
        assert not Path("log.txt").exists()
    all_gone(session)


def is_state(line: str) -> bool:
    return line.startswith("state ")


def state_of(program: nntui.Program) -> str:
    variables = program.variables
    if "b[0]" in variables:
        return f"state {variables['w'].hex()} {variables['b[0]'].hex()}"
    name = next(name for name in ("W", "self.W", "w") if name in variables)
    return f"state {np.asarray(variables[name]).tobytes().hex()}"


QUICK = ("class, mini-batches, random", "reads and writes as it goes")


def some_slow(names: Iterable[str], quick: Container[str]) -> list[Any]:
    """The parameters ``names``, of which only ``quick`` are run each time."""
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.slow]) for name in names]


@pytest.mark.parametrize("style", some_slow(STYLES, QUICK))
def test_a_random_walk_meets_the_bits_of_the_plain_run(
    folder: Path, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "INTERVAL", 0.002)  # so that there are many copies
    check_walk(written(folder, STYLES[style]), 40, 1)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_without_forks_it_runs_again_from_the_start(
    folder: Path, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNTUI_NO_FORK", "1")
    check_walk(written(folder, STYLES[style]), 5, 2)


SETS = """
    import random
    class Value:
        def __init__(self, data, parents=()):
            self.data, self.parents = data, set(parents)
    class Leaf(Value):
        pass
    random.seed(1)
    w = 0.5
    for i in range(12):  # the loop
        values = [Leaf(random.random() / 3, ()) for _ in range(40)]
        total = Value(0.0, values)
        for each in total.parents:
            w = w + (each.data - w) / 7
        print(repr(w))
    """


@pytest.mark.slow
def test_a_program_with_threads_runs_again_from_its_start(folder: Path) -> None:
    text = """
        import threading
        from queue import Queue
        rows = Queue(2)
        def read():
            for k in range(30):
                rows.put(k / 7)
        threading.Thread(target=read, daemon=True).start()
        w = 0.0
        for i in range(30):  # the loop
            w += rows.get()
            print(w)
        """
    path = written(folder, text)
    plain = alone(path).stdout
    with nntui.Program(path, loop=loop_of(path)) as program:
        for update in (5, 2, 9, 0, 3):
            assert program.seek(update) == update
            assert program.output.count("\n") == update
            assert plain.startswith(program.output)


@pytest.mark.slow
def test_processes_that_leave_the_group_end_too(folder: Path) -> None:
    text = """
        import os, subprocess, sys
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        subprocess.Popen(sleep, start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            import time; time.sleep(60)
        for i in range(3):  # the loop
            pass
        """
    path = written(folder, text)
    with nntui.Program(path, loop=loop_of(path), allow_effects=True) as program:
        program.step()
        assert len(descendants(program._timeline.session)) >= 5
        seen = descendants(program._timeline.session)
    for number in seen:
        assert not os.path.exists(f"/proc/{number}") or is_zombie(number)


def is_zombie(number: int) -> bool:
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def descendants(root: int) -> list[int]:
    """The process ``root`` and all that it, or they, have started."""
    found = [root]
    for number in found:
        children = Path(f"/proc/{number}/task/{number}/children")
        found += [int(each) for each in children.read_text().split()]
    return found


@pytest.mark.slow
def test_sets_of_objects_have_one_order_in_all_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder, SETS)
    outputs = []
    for forks in ("", "1"):
        monkeypatch.setenv("NNTUI_NO_FORK", forks)
        with nntui.Program(path, loop=loop_of(path)) as program:
            for update in (3, 9, 1, 5, 8):
                program.seek(update)
                outputs.append(program.output)
                assert program.state_hash
            program.run()
            outputs.append(program.printed)
    assert all(outputs[-1].startswith(output) for output in outputs)
    assert outputs[-1].count("\n") == 12


ENDINGS = {
    "print('end')": ("end", 0, 5),
    "": ("end", 0, 5),
    "import sys; sys.exit(4)": ("exit", 4, 5),
    "1 / 0": ("crash", 1, 5),
}
WITHIN = {
    "if i == 3: 1 / 0": ("crash", 1, 3),
    "if i == 3: raise SystemExit('stop')": ("exit", 1, 3),
    "if i == 3: import os; os.remove('rows.csv')": ("refused", 3, 3),
    "if i == 3: import os; os.abort()": ("died", 1, 3),
    "if i == 3: break": ("end", 0, 4),
}


@pytest.mark.parametrize("forks", some_slow(["", "1"], [""]))
@pytest.mark.parametrize(
    "end", some_slow([*ENDINGS, *WITHIN], ["print('end')", "if i == 3: 1 / 0"])
)
def test_it_stays_at_the_last_update_however_it_ends(
    folder: Path, end: str, forks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNTUI_NO_FORK", forks)
    if forks and end not in (
        "print('end')",
        "if i == 3: 1 / 0",
        "if i == 3: import os; os.abort()",
    ):
        pytest.skip("as with forks")
    kind, code, last = {**ENDINGS, **WITHIN}[end]
    within, behind = (end, "") if end in WITHIN else ("pass", end)
    text = f"w = 0.0\nfor i in range(5):\n    {within}\n    w += 1\n    print(w)\n{behind}\n"
    with nntui.Program(written(folder, text), loop=2) as program:
        assert program.ended is None
        assert program.seek(100) == program.update == program.head == last
        assert program.ended is not None
        assert (program.ended.kind, program.ended.code) == (kind, code)
        if kind in ("crash", "refused"):
            assert program.ended.line == (3 if end in WITHIN else 6)
        assert program.variables["w"] == last if kind != "end" or end not in WITHIN else True
        assert program.step() == last
        assert program.seek(1) == 1
        assert (program.variables["w"], program.output) == (1.0, "1.0\n")
        assert program.step(-5) == 0
        assert program.head == last
    assert (folder / "rows.csv").exists()


@pytest.mark.slow
def test_what_ends_in_front_of_the_first_update_is_an_error(folder: Path) -> None:
    never = "never = 0\nfor i in range(never):\n    pass\n"
    cases = {
        never: "mynet.py ended before the loop on line 2 began",
        f"1 / 0\n{never}": "has no loop on line 2",
        f"import numpy as np; np.loadtxt('no.csv')\n{never}": "has no loop on line 2",
        "x = {}['W']\nfor i in range(3): pass\n": (
            "mynet.py, line 1: KeyError: 'W', before the first update"
        ),
        "import nothing_like_it\nfor i in range(3): pass\n": (
            f"install it with: {sys.executable} -m pip install nothing_like_it"
        ),
        "import torch\nfor i in range(3): pass\n": "the program trains with PyTorch",
    }
    with pytest.raises(ProgramError, match="no such file"):
        nntui.Program("none.py")
    for text, told in cases.items():
        with pytest.raises(ProgramError) as caught:
            nntui.Program(written(folder, text), loop=2)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


def test_large_arrays_come_when_they_are_looked_at(folder: Path) -> None:
    text = "import numpy as np\nX = np.arange(300000.0)\nfor i in range(3):\n    X[0] += 1\n"
    with nntui.Program(written(folder, text), loop=3) as program:
        variables = program.variables
        assert variables["X"][0] == 0.0
        assert variables["X"].shape == (300000,)
        other = program.variables
        program.step()
        assert variables["X"][0] == 0.0
        assert program.variables["X"][0] == 1.0
        with pytest.raises(LookupError):
            _ = other["X"]


def test_a_seek_can_be_bounded_stopped_and_interrupted(folder: Path) -> None:
    text = "import time\nn = 0\nwhile True:\n    n += 1\n    time.sleep(0.001)\n"
    with nntui.Program(written(folder, text), loop=3) as program:
        reached = program.seek(10**9, seconds=0.05)
        assert 0 < reached == program.update == program.variables["n"] < 10**9
        arrived = threading.Event()

        def stop() -> None:
            while not arrived.wait(0.2):  # one that comes before the seek is forgotten
                program._timeline.stop()

        stopping = threading.Thread(target=stop)
        stopping.start()
        further = program.seek(10**9)
        arrived.set()
        stopping.join()
        assert reached < further < 10**9
        interrupt = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            interrupt.start()
            program.seek(10**9, seconds=120.0)
        assert program.update == further
        assert program.variables["n"] == further
        assert program.seek(reached) == program.variables["n"] == reached


@pytest.mark.slow
def test_processes_that_are_killed_are_made_again(folder: Path) -> None:
    path = written(folder, STYLES["flat, np.random"])
    draws = random.Random(5)
    with nntui.Program(path, loop=loop_of(path)) as program:
        states = {}
        for update in range(12):
            program.seek(update)
            states[update] = program.state_hash
        for _ in range(12):
            # With the process that starts the others all end, and none is needed where it stands.
            if alive := members(program._timeline.session):
                with suppress(ProcessLookupError):  # those of the round before are still ending
                    os.kill(draws.choice(alive), signal.SIGKILL)
            update = draws.randrange(12)
            program.seek(update)
            assert program.update == update
            assert program.state_hash == states[update]
        assert program.ended is None


SCRIPT = """
import sys, time
import nntui
program = nntui.Program(sys.argv[1], loop=int(sys.argv[2]))
program.seek(30)
program.seek(7)
print(program._timeline.session, program._timeline._host.scratch, flush=True)
{then}
"""


@pytest.mark.parametrize(
    ("then", "number"),
    [
        ("program.seek(10**9)", signal.SIGKILL),
        pytest.param("program.seek(10**9)", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("program.seek(10**9)", signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param("program.seek(10**9)", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("time.sleep(60)", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("1 / 0", None, marks=pytest.mark.slow),
        pytest.param("", None, marks=pytest.mark.slow),
        pytest.param("import os; os._exit(1)", None, marks=pytest.mark.slow),
    ],
)
def test_no_process_and_no_file_is_left_behind(
    folder: Path, then: str, number: signal.Signals | None
) -> None:
    endless = "import numpy as np\nn = 0\nwhile True:\n    n += 1\n    A = np.eye(3) @ np.eye(3)\n"
    path = written(folder, endless)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(then=then), path, "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    session, scratch = process.stdout.readline().split()
    if number is not None:
        assert len(members(int(session))) >= 3
        process.send_signal(number)
    process.wait()
    process.stdout.close()
    all_gone(int(session))
    for _ in range(500):
        if not os.path.exists(scratch):
            break
        time.sleep(0.01)
    assert not os.path.exists(scratch)


@pytest.mark.slow
def test_it_is_idle_between_two_moves_and_takes_little_memory(folder: Path) -> None:
    text = """
        import numpy as np
        W = np.zeros((8, 8))
        losses = []
        for i in range(100000):  # the loop
            W = W - 0.01 * (W - 1)
            losses.append(float(W.sum()))
        """
    path = written(folder, text)
    with nntui.Program(path, loop=loop_of(path)) as program:
        assert program.seek(10_000) == 10_000
        session = program._timeline.session
        assert proportional_memory(session) < 200 << 20
        before = computed(session)
        time.sleep(0.3)
        assert computed(session) == before
        assert len(program._timeline.processes()) <= copies.MOST_COPIES + 1


@pytest.mark.slow
def test_copies_of_a_large_program_are_bounded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MEMORY", 40 << 20)
    monkeypatch.setattr(timeline, "INTERVAL", 0.0)
    text = "import numpy as np\nA = np.zeros(1 << 20)\nfor i in range(60):\n    A += 1\n"
    with nntui.Program(written(folder, text), loop=3) as program:
        assert program.seek(55) == 55
        kept = program._timeline._copies
        assert sum(copies.private_memory(each.number) for each in kept) < 60 << 20
        assert program.seek(20) == 20
        assert program.variables["i"] == 20 or program.variables["i"] == 19


def test_gaps_between_copies_grow_towards_the_start() -> None:
    kept: list[int] = []
    for update in range(0, 10_000, 7):
        kept.append(update)
        if len(kept) > 24:
            del kept[copies.dispensable(kept)]
        assert kept[0] == 0
        assert kept[-1] == update
    gaps = np.diff(kept)
    assert max(gaps) < 2500
    assert gaps[-1] < 50
    assert np.mean(gaps[:8]) > 4 * np.mean(gaps[-8:])


@pytest.mark.parametrize(
    "text", ["import sys\nprint(sys.argv[1:])\nsys.exit(3)\n", "print(1)\n1 / 0\n"]
)
def test_a_run_to_the_end_is_the_plain_run(folder: Path, text: str) -> None:
    path = written(folder, text)
    plain = alone(path, "-a", "b c")
    with nntui.Program(path, ["-a", "b c"]) as program:
        ending = program.run()
        assert (ending.code, program.printed, program.errors) == (
            plain.returncode,
            plain.stdout,
            plain.stderr,
        )


@pytest.mark.slow
def test_warnings_and_seeds_are_those_of_the_plain_run(folder: Path) -> None:
    text = """
        import warnings
        import numpy as np
        for i in range(3):
            print(np.array([1.0, 2.0]) / np.zeros(2))
            warnings.warn("mine")
        np.log(np.array([-1.0]))
        """
    path = written(folder, text)
    plain = alone(path)
    with nntui.Program(path) as program:
        program.run()
        assert (program.printed, program.errors) == (plain.stdout, plain.stderr)
    with nntui.Program(
        written(folder, "import random\nx = random.random()\nfor i in range(2): pass\n"), loop=3
    ) as unseeded:
        assert (unseeded.seed, unseeded.seeded_by_us) == (0, True)


@pytest.mark.slow
def test_the_linear_algebra_gives_the_same_bits(folder: Path) -> None:
    text = dedent("""
        import numpy as np
        rng = np.random.RandomState(0)
        A, W = rng.randn(300, 400), rng.randn(400, 350)
        for i in range(4):
            W = W - 0.001 * A.T @ (A @ W)
            print(np.linalg.svd(W)[1].tobytes().hex()[:99])
    """)
    path = written(folder, text)
    with nntui.Program(path, loop=5) as program:
        program.seek(3)
        program.seek(1)
        program.run()
        assert program.printed == alone(path).stdout
