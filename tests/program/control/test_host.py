"""Asking a program: an answer or an error, never a traceback, and no process left behind."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from controlled import alone, written
from sessions_of_processes import all_gone, members

from nntui import Program
from nntui.program.control.client import Host, Task, ask
from nntui.program.program_error import ProgramError

FIND = "nntui.program.inside.inside_check:find_loop"


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sessions of the hosts that are started; all their processes must be gone at the end."""
    found: list[int] = []
    start = Host.start

    def noted(host: Host, *arguments: Any, **named: Any) -> None:
        start(host, *arguments, **named)
        found.append(host.number)

    monkeypatch.setattr(Host, "start", noted)
    return found


CASES = {
    "while True: pass\n": (0.5, "no answer within 0.5 s"),
    "import os\nos.abort()\n": (30.0, "its process was ended by SIGABRT"),
    "import os\nos._exit(3)\n": (30.0, "'kind': 'exit', 'code': 3"),
}


@pytest.mark.parametrize("text", CASES)
def test_whatever_the_program_does_there_is_an_answer(
    tmp_path: Path, text: str, sessions: list[int]
) -> None:
    seconds, message = CASES[text]
    answer = ask(Task(written(tmp_path, text)), FIND, {"seconds": 20.0}, seconds)
    assert message in str(answer)
    assert len(sessions) == 1
    all_gone(sessions[0])


@pytest.mark.slow
def test_a_fault_of_what_is_asked_is_an_answer(tmp_path: Path, sessions: list[int]) -> None:
    path = written(tmp_path, "x = 1\n")
    for function in ("json:loads", "json:nothing", "no_such_module:f"):
        answer = ask(Task(path), function, {}, 30)
        assert answer["error"] == "failed"
        assert "Traceback" in answer["traceback"]
    for session in sessions:
        all_gone(session)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["host", "all", "group"])
def test_a_host_that_is_killed_is_an_error(tmp_path: Path, whom: str, sessions: list[int]) -> None:
    path = written(tmp_path, "while True: pass\n")

    def kill() -> None:
        while not sessions or len(members(sessions[0])) < 3:
            stop.wait(0.02)
        for number in [sessions[0]] if whom == "host" else members(sessions[0]):
            if whom != "group" or number != sessions[0]:
                with suppress(ProcessLookupError):  # those before may have taken it along
                    os.kill(number, signal.SIGKILL)

    stop = threading.Event()
    thread = threading.Thread(target=kill)
    thread.start()
    answer = ask(Task(path), FIND, {"seconds": 20.0}, 40)
    thread.join()
    assert answer["error"] == "died"
    assert "SIGKILL" in answer["message"]
    all_gone(sessions[0])


@pytest.mark.slow
def test_an_interruption_leaves_no_process(tmp_path: Path, sessions: list[int]) -> None:
    path = written(tmp_path, "while True: pass\n")

    def interrupt() -> None:
        while not sessions or len(members(sessions[0])) < 3:
            stop.wait(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    stop = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        ask(Task(path), FIND, {"seconds": 30.0}, 60)
    thread.join()
    all_gone(sessions[0])


def test_an_interpreter_that_cannot_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1\n")
    fake = tmp_path / "fake"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 2\n")
    fake.chmod(0o755)
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    told = {
        str(tmp_path / "none"): "none cannot be run: No such file or directory",
        str(fake): "fake cannot be used as the interpreter: its process ended with exit code 2: "
        "broken",
        str(bare): "NumPy is missing; install it with",
    }
    for python, message in told.items():
        with pytest.raises(ProgramError) as caught:
            ask(Task(path, python=python), FIND, {}, 30)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_program_finds_the_packages_that_it_finds_alone(tmp_path: Path) -> None:
    """nntui's own folders are not on its path."""
    text = "import sys\nprint(sys.path, 'textual' in sys.modules, 'click' in sys.modules)\n"
    path = written(tmp_path, text)

    with Program(path) as program:
        program.run()
        assert program.printed == alone(path).stdout
