"""The app in a real terminal: how it starts, how it ends, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from process_groups import at_work
from terminals import (
    LEFT_ALTERNATE_SCREEN,
    PATIENCE,
    environment,
    saved,
    straight,
    terminal,
)

from nntui.timeline.sessions import session_folder

pytestmark = pytest.mark.slow


def test_keys_step_the_run_and_q_leaves_the_terminal_as_it_was() -> None:
    with terminal("add-relu") as app:
        app.wait_for(b"update 0")
        app.press(b"u")
        app.wait_for(b"update 1")
        app.press(b"q")
        assert app.ended() == 0
        assert LEFT_ALTERNATE_SCREEN in app.written
        assert b"Traceback" not in app.written


def test_a_number_typed_as_fast_as_a_paste_is_not_lost() -> None:
    with terminal("add-relu") as app:
        app.wait_for(b"update 0")
        app.press(b"N23\r")
        app.wait_for(b"seed 23")


def test_bytes_that_are_no_text_do_not_end_the_app() -> None:
    with terminal("add-relu") as app:
        app.wait_for(b"update 0")
        app.press(b"\xff\xe9u\xc3")
        app.wait_for(b"update 1")
        app.press(b"\x1b[200~\xe9t\xe9\x1b[201~u")
        app.wait_for(b"update 2")
        app.press(b"q")
        assert app.ended() == 0
        assert b"codec" not in app.written


def test_a_connection_that_drops_while_training_loses_nothing() -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b"ue")
        app.wait_for(b"epoch 1")
        app.press(b"cn ")
        app.wait_for(b"running")
        at_work(app.process.pid)
        app.hang_up()
        assert app.process.wait(PATIENCE) == 128 + signal.SIGHUP
    (run,) = saved()
    assert (run.seed, len(run.tree.branches), run.tree.root.checkpoints) == (1, 2, (6,))
    assert run.update > 6
    assert run.state_hash == straight(run)
    with terminal("open", session_folder.entries()[0].name) as app:
        app.wait_for(f"update {run.update:,}".encode())
        app.press(b"u")
        app.wait_for(f"update {run.update + 1:,}".encode())
        app.press(b"q")
        assert app.ended() == 0
    (again,) = saved()
    assert again.update == run.update + 1
    assert again.state_hash == straight(again)


@pytest.mark.parametrize("name", ["SIGTERM", "q"])
def test_a_termination_saves_first(name: str) -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b"m")
        app.wait_for(b"epoch 100")
        if name == "SIGTERM":
            app.process.terminate()
        else:
            app.press(b"q")
        app.ended()
        assert b"nntui open add-tanh" in app.written
    (run,) = saved()
    assert (run.update, run.state_hash) == (600, straight(run))


def test_a_crash_saves_what_there_is(tmp_path: Path) -> None:
    """A key that raises, in an app that is otherwise the real one."""
    (tmp_path / "crashing.py").write_text(
        "import sys\n"
        "from nntui.tui.workbench.actions.stepping import Stepping\n"
        "from nntui.cli import main\n"
        "def crash(self, by):\n    raise RuntimeError('a mistake of ours')\n"
        "Stepping._change_speed = crash\n"
        "sys.exit(main())\n"
    )
    with terminal("add-tanh", program=(sys.executable, str(tmp_path / "crashing.py"))) as app:
        app.wait_for(b"update 0")
        app.press(b"m")
        app.wait_for(b"epoch 100")
        app.press(b"+")
        assert app.ended() != 0
        assert LEFT_ALTERNATE_SCREEN in app.written
    (run,) = saved()
    assert (run.update, run.state_hash) == (600, straight(run))


def test_a_session_that_is_none_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.nntui"
    path.write_bytes(b"PK" + bytes(100))
    with terminal("open", str(path)) as app:
        assert app.ended() == 2
        assert app.written.count(b"\n") == 1
        assert b"bad.nntui" in app.written


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_leaves_the_terminal_as_it_was(name: str) -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b" ")
        app.wait_for(b"running")
        number = getattr(signal, name)
        app.process.send_signal(number)
        assert app.ended() == 128 + number
        assert LEFT_ALTERNATE_SCREEN in app.written
        assert b"Traceback" not in app.written


def test_a_terminal_that_goes_away_at_start_leaves_no_process() -> None:
    for delay in (0.2, 0.4, 0.8):  # any moment will do: these are just three
        with terminal("add-relu") as app:
            time.sleep(delay)
            os.close(app.master)
            app.process.send_signal(signal.SIGHUP)
            app.process.wait(PATIENCE)
            app.master = os.open(os.devnull, os.O_RDONLY)


def test_running_slowly_writes_little() -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b"-" * 6 + b" ")
        app.wait_for(b"running")
        app.goes_on()
        assert len(app.read(2.0)) < 50_000


def test_nothing_is_written_while_nothing_happens() -> None:
    with terminal("add-relu") as app:
        app.wait_for(b"update 0")
        app.press(b"e")
        app.wait_for(b"update 6")
        app.falls_silent()


def test_a_terminal_too_small_is_refused_in_one_line() -> None:
    with terminal("add-relu", columns=59, lines=24) as app:
        assert app.ended() == 2
        said = app.written.decode().replace("\r", "")
        assert said.count("\n") == 1
        assert "60 columns and 16 rows" in said


def test_a_redirected_error_stream_is_refused_in_one_line() -> None:
    with terminal("add-relu", errors=subprocess.PIPE) as app:
        assert app.ended() == 2
        assert app.process.stderr is not None
        said = app.process.stderr.read().decode()
        app.process.stderr.close()
        assert said.count("\n") == 1
        assert "standard error" in said


MOUSE = b"\x1b[?1000h"


def test_the_options_work_before_and_after_the_preset() -> None:
    for arguments in (("--ascii", "--no-mouse", "add-relu"), ("add-relu", "--no-mouse", "--ascii")):
        with terminal(*arguments) as app:
            app.wait_for(b"update 0")
            app.press(b"m")
            app.wait_for(b"epoch 100")
            app.press(b"q")
            assert app.ended() == 0
        assert app.written.isascii()
        assert b"+-" in app.written
        assert MOUSE not in app.written


def test_the_options_work_without_a_preset() -> None:
    with terminal("--ascii", "--color", "16", COLORTERM="truecolor") as app:
        app.wait_for(b"looks like yours")
        app.read(0.3)
        assert app.written.isascii()
        assert MOUSE in app.written
        assert not re.search(rb"[\[;][34]8;", app.written)
        app.press(b"q")
        assert app.ended() == 0


def test_a_session_opens_with_the_options() -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.answers(b"u", b"update 1 ")
        app.press(b"q")
        assert app.ended() == 0
    with terminal("open", session_folder.entries()[0].name, "--ascii") as app:
        app.wait_for(b"update 1 ")
        assert app.written.isascii()


def test_over_ssh_it_says_what_it_does_without() -> None:
    with terminal("add-relu", SSH_TTY="/dev/pts/9", COLORTERM="truecolor") as app:
        app.wait_for(b"ssh: 5 frames/s, 256 colours")
        assert b"38;5;" in app.written
        assert not re.search(rb"[\[;]38;2;", app.written)
    with terminal("add-relu", "--fps", "9", "--color", "truecolor", SSH_TTY="/dev/pts/9") as app:
        app.wait_for(b"update 0")
        app.read(0.3)
        assert b"ssh:" not in app.written
        assert re.search(rb"[\[;]38;2;", app.written)


def test_a_stopped_process_makes_up_for_nothing() -> None:
    stopped = 3.0
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.answers(b"---", b"25/s")
        started = time.monotonic()
        app.answers(b" ", b"running")
        app.goes_on()
        app.process.send_signal(signal.SIGSTOP)
        time.sleep(stopped)
        app.process.send_signal(signal.SIGCONT)
        app.answers(b" ", b"paused")
        running = time.monotonic() - started - stopped
        app.press(b"q")
        app.ended()
    (run,) = saved()
    assert 0 < run.update < 25 * (running + 1)


@contextmanager
def in_tmux(command: str, columns: int, lines: int) -> Iterator[Callable[..., str]]:
    """Run ``command`` in tmux; gives a function that sends it a command of its own."""
    tmux = ["tmux", "-L", f"nntui-test-{os.getpid()}-{columns}", "-f", "/dev/null"]

    def tell(*words: str) -> str:
        return subprocess.run([*tmux, *words], capture_output=True, text=True, check=True).stdout

    size = ["-x", str(columns), "-y", str(lines)]
    start = [*tmux, "new-session", "-d", *size, command]
    subprocess.run(start, check=True, env=environment(LC_ALL="C.UTF-8"))
    try:
        yield tell
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def shown(tell: Callable[..., str], pattern: str) -> str:
    """The screen, once ``pattern`` is on it."""
    return awaited(tell, lambda text: re.search(pattern, text) is not None)


def awaited(tell: Callable[..., str], holds: Callable[[str], bool], *options: str) -> str:
    """The screen, as capture-pane prints it with ``options``, once it ``holds``."""
    deadline = time.monotonic() + PATIENCE
    while not holds(text := tell("capture-pane", "-p", *options)):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


def still(tell: Callable[..., str]) -> str:
    """The screen with its colours, once it has stayed the same for a second."""
    before, same = "", 0

    def stays(text: str) -> bool:
        nonlocal before, same
        before, same = text, same + 1 if text == before else 0
        return same == 10

    return awaited(tell, stays, "-e")


@pytest.mark.system("tmux")
@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)])
def test_the_screen_in_tmux(columns: int, lines: int) -> None:
    with in_tmux(f"{sys.executable} -m nntui", columns, lines) as tell:
        assert "add-relu" in shown(tell, "looks like yours")
        tell("send-keys", "Enter")
        text = shown(tell, r"(?s)update 0.*Loss.*Activations")
        assert max(map(len, text.splitlines())) <= columns
        for part in ("Loss", "Activations", "Network", "FAULT bias-decay", "Story", "? help"):
            assert part in text
        tell("send-keys", "m", "b", "n", "u")
        shown(tell, "seed 1.*\n.*update 1 ")


@pytest.mark.system("tmux")
@pytest.mark.parametrize("options", ["", "--ascii"])
def test_what_differs_adds_up_to_the_whole_picture(options: str) -> None:
    """Piece by piece the screen gets what it gets when all of it is drawn anew."""
    with in_tmux(f"{sys.executable} -m nntui add-tanh {options}", 100, 30) as tell:
        shown(tell, "update 0 ")
        for keys, pattern in (
            ("m", "update 600 "),
            ("b b", "update 598 "),
            ("n", "seed 1 "),
            ("m", "update 600 "),
            ("t", "o overlay"),
            ("Up", "."),
            ("o", "B main"),
            ("z", "z shows all"),
            ("z y", "linear axis"),
            ("Space", "running"),
            ("Space", "paused"),
            ("j", "Go to update"),
            ("1 2 Enter", "update 12 "),
        ):
            tell("send-keys", *keys.split())
            shown(tell, pattern)
        pieces = still(tell)
        tell("resize-window", "-x", "101")
        awaited(tell, lambda text: max(map(len, text.splitlines())) == 101)
        tell("resize-window", "-x", "100")
        awaited(tell, lambda text: text == pieces, "-e")
        assert pieces.isascii() is bool(options)
