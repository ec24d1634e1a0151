"""Forks of a running program: exact, with a reply or an error, and never left behind."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from controlled import inside, written

from nntui.program.control import wire
from nntui.program.control.execution import Execution
from nntui.program.control.forks import Reply

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")

TRAINING = """
import random
import numpy as np
np.random.seed(1); random.seed(2)
rng = np.random.default_rng(3)
W = np.random.randn(3)
def batches():
    for k in range(8):
        yield rng.normal(size=3) + random.random()
for x in batches():
    W = W - 0.1 * (W - x) * np.random.rand()
print(W)
"""


LOOP = [TRAINING.splitlines().index("for x in batches():") + 1]


def at_third(path: str, job: Any, **options: Any) -> Any:
    """What ``job(execution)`` returns at the start of the third iteration of the program."""

    def begin(execution: Execution, reply: Reply) -> None:
        count = [0]

        def turn(_: int) -> None:
            count[0] += 1
            if count[0] == 3:
                answer = job(execution)
                if answer is not None:
                    reply(answer)

        execution.on_iteration = turn

    return inside(path, begin, **{"loops": LOOP, **options})


def hashes_to_the_end(execution: Execution, reply: Reply) -> None:
    """Replies the hash of the state at every following iteration, and what was printed."""
    seen = [execution.state_hash()]
    execution.on_iteration = lambda _: seen.append(execution.state_hash())
    execution.on_end = lambda: reply({"hashes": seen, "printed": execution.output.text()})


def test_a_fork_and_its_parent_have_the_same_future(tmp_path: Path) -> None:
    futures: list[Any] = []

    def job(execution: Execution) -> Any:
        for _ in range(2):
            answer = execution.fork(lambda reply: hashes_to_the_end(execution, reply), 10)
            if answer is None:
                return None
            futures.append(answer)

        def conclude(answer: dict[str, Any]) -> None:
            execution.reply({"all": [*futures, answer]})

        hashes_to_the_end(execution, conclude)  # type: ignore[arg-type]
        return None

    first, second, own = at_third(written(tmp_path, TRAINING), job)["all"]
    assert first == second == own
    assert len(set(own["hashes"])) == len(own["hashes"]) == 6


def test_a_reply_keeps_numbers_and_arrays_to_the_bit(tmp_path: Path) -> None:
    values = {
        "arrays": [np.array([1.0, np.nan, -0.0]), np.eye(2, dtype=np.float32), np.array(3)],
        "integers": np.arange(3, dtype=np.int8),
        "flags": np.array([[True], [False]]),
        "numbers": [0.1, float("inf"), 2**70, True, None, 1j],
        "nested": {"a": {"b": [np.zeros((0, 2))]}},
        "text": "\udcff é \0",
    }

    def job(execution: Execution) -> Any:
        return execution.fork(lambda reply: reply(values), 10)

    seen = at_third(written(tmp_path, TRAINING), job)
    assert seen["numbers"] == values["numbers"]
    assert seen["text"] == values["text"]
    pairs = [*zip(values["arrays"], seen["arrays"], strict=True)]
    pairs += [(values[name], seen[name]) for name in ("integers", "flags")]
    pairs.append((values["nested"]["a"]["b"][0], seen["nested"]["a"]["b"][0]))  # type: ignore[index]
    for old, new in pairs:
        assert (old.dtype, old.shape, old.tobytes()) == (new.dtype, new.shape, new.tobytes())


@pytest.mark.parametrize("data", [b"", b"\0", b"\5[1,2]x", b"\7[2, 99][]{}", wire.encode({})[:-1]])
def test_what_is_no_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.decode(data)


def endless(_: Reply) -> None:
    while True:
        time.sleep(1)


def greedy(reply: Reply) -> None:
    # One array that no memory which the process had before, and has free again, can hold.
    reply({"numbers": len(np.ones(1 << 27))})


def killed(_: Reply) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing(_: Reply) -> None:
    raise ZeroDivisionError("of ours")


def unsendable(reply: Reply) -> None:
    reply({"what": object()})


ERRORS = {
    "time": (endless, "no answer within 0.5 s"),
    "memory": (greedy, "Unable to allocate"),
    "died": (killed, "its process was ended by SIGKILL"),
    "failed": (failing, "ZeroDivisionError: of ours"),
    "unsendable": (unsendable, "a object cannot be sent"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_a_fork_without_a_proper_reply_gives_an_error(tmp_path: Path, kind: str) -> None:
    job, message = ERRORS[kind]

    def third(execution: Execution) -> Any:
        execution.memory = 64 << 20
        return execution.fork(job, 0.5 if kind == "time" else 20)

    answer = at_third(written(tmp_path, TRAINING), third)
    assert answer["error"] == ("failed" if kind == "unsendable" else kind)
    assert message in answer["message"]


def test_the_end_of_the_program_in_a_fork_is_an_error_that_says_how(tmp_path: Path) -> None:
    def job(execution: Execution) -> Any:
        return execution.fork(lambda _: None, 10)

    answer = at_third(written(tmp_path, f"{TRAINING}\n1 / 0"), job)
    assert answer["error"] == "ended"
    assert answer["ending"]["message"] == "ZeroDivisionError: division by zero"


def test_a_fault_of_a_hook_is_not_caught_by_the_program(tmp_path: Path) -> None:
    text = "for i in range(5):\n    try:\n        for k in range(2): pass\n    except: pass\n"

    def begin(execution: Execution, _: Reply) -> None:
        def turn(loop: int) -> None:
            if loop == 1:
                raise KeyError("of ours")

        execution.on_iteration = turn

    answer = inside(written(tmp_path, text), begin)
    assert (answer["error"], answer["message"]) == ("failed", "KeyError: 'of ours'")


def test_forks_of_forks_end_with_them(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers"

    def deeper(execution: Execution, depth: int) -> Any:
        def job(reply: Reply) -> None:
            with open(f"/proc/{os.getpid()}/stat") as file:
                group = int(file.read().rpartition(")")[2].split()[2])
            real_open = os.open(numbers, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(real_open, f"{os.getpid()} {group}\n".encode())
            if depth:
                deeper(execution, depth - 1)
            endless(reply)

        return execution.fork(job, 1.0 if depth == 2 else 60)

    execution = Execution(written(tmp_path, TRAINING))
    assert deeper(execution, 2)["error"] == "time"
    pids = [int(line.split()[0]) for line in numbers.read_text().splitlines()]
    assert len(pids) == 3
    for pid in pids:
        gone_process(pid)


def gone_process(pid: int) -> None:
    """Wait until process ``pid`` runs no more."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state in "ZX":
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} still runs")


def test_a_deadline_may_be_further_away_than_the_system_can_wait() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"x")
    assert wire.wait(ours, time.monotonic() + 1e13)
    os.close(ours)
    os.close(theirs)
