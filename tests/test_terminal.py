"""The app in a real terminal: how it starts, how it ends, and what it leaves behind."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import nntui
from nntui.timeline import shelf

LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"


@dataclass
class Terminal:
    """A process in a pseudo-terminal, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    master: int
    written: bytes = b""

    def read(self, seconds: float) -> bytes:
        """What is written within ``seconds``, or until there is nobody left to write."""
        start = len(self.written)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break  # the time is over
            try:
                part = os.read(self.master, 65536)
            except OSError:
                break
            if not part:
                break
            self.written += part
        return self.written[start:]

    def wait_for(self, text: bytes) -> None:
        deadline = time.monotonic() + 30
        while text not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            self.read(0.1)

    def hang_up(self) -> None:
        """Close our end, as a dropped connection does."""
        os.close(self.master)
        self.master = -1

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def ended(self) -> int:
        """The exit code, once everything was read."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            self.read(0.1)
        self.read(0.2)
        return self.process.returncode


def _environment() -> dict[str, str]:
    """Ours, without the size that a test runner may have put there."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1"}


@contextmanager
def terminal(
    *arguments: str,
    columns: int = 80,
    lines: int = 24,
    errors: int | None = None,
    program: tuple[str, ...] = ("-m", "nntui"),
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave if errors is None else errors,
        start_new_session=True,
        # The terminal that the session belongs to: when it goes, the kernel sends SIGHUP.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env=_environment(),
    )
    os.close(slave)
    running = Terminal(process, master)
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        if running.master >= 0:
            os.close(running.master)


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
        app.read(0.5)
        app.press(b"N23\r")
        app.wait_for(b"seed 23")


def saved() -> list[nntui.Run]:
    """What can be resumed, the latest first; every file must be whole."""
    entries = shelf.entries()
    assert [entry.problem for entry in entries] == [None] * len(entries)
    return [nntui.load_session(entry.path) for entry in entries]


def straight(run: nntui.Run) -> str:
    """The hash of a run that went to the same update in one go."""
    plain = nntui.Run(nntui.load_preset("add-tanh"), run.seed)
    plain.step(run.update)
    return plain.state_hash


def test_a_connection_that_drops_while_training_loses_nothing() -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b"ue")
        app.wait_for(b"epoch 1")
        app.press(b"cn ")
        app.wait_for(b"running")
        app.read(0.5)
        app.hang_up()
        assert app.process.wait(30) == 128 + signal.SIGHUP
    (run,) = saved()
    assert (run.seed, len(run.tree.branches), run.tree.root.checkpoints) == (1, 2, (6,))
    assert run.update > 6
    assert run.state_hash == straight(run)
    with terminal("open", shelf.entries()[0].name) as app:
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
        "from nntui.tui.screens.stepping import Stepping\n"
        "from nntui.cli import main\n"
        "def crash(self):\n    raise RuntimeError('a mistake of ours')\n"
        "Stepping.action_faster = crash\n"
        "sys.exit(main())\n"
    )
    with terminal("add-tanh", program=(str(tmp_path / "crashing.py"),)) as app:
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


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
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
    for delay in (0.2, 0.3, 0.4, 0.6, 1.0):
        with terminal("add-relu") as app:
            time.sleep(delay)
            os.close(app.master)
            app.process.send_signal(signal.SIGHUP)
            app.process.wait(20)
            app.master = os.open(os.devnull, os.O_RDONLY)


def test_running_slowly_writes_little() -> None:
    with terminal("add-tanh") as app:
        app.wait_for(b"update 0")
        app.press(b"-" * 6 + b" ")
        app.wait_for(b"running")
        app.read(1.0)
        assert len(app.read(4.0)) < 100_000


def test_nothing_is_written_while_nothing_happens() -> None:
    with terminal("add-relu") as app:
        app.wait_for(b"update 0")
        app.press(b"e")
        app.wait_for(b"update 6")
        app.read(1.0)
        assert app.read(1.5) == b""


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


@pytest.mark.system("tmux")
@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)])
def test_the_screen_in_tmux(columns: int, lines: int) -> None:
    name = f"nntui-test-{os.getpid()}-{columns}"
    tmux = ["tmux", "-L", name, "-f", "/dev/null"]

    def screen() -> str:
        return subprocess.run(
            [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
        ).stdout

    def wait_for(pattern: str) -> str:
        for _ in range(300):
            if re.search(pattern, text := screen()):
                return text
            time.sleep(0.1)
        raise AssertionError(text)

    size = ["-x", str(columns), "-y", str(lines)]
    command = f"{sys.executable} -m nntui"
    environment = {**_environment(), "LC_ALL": "C.UTF-8"}
    subprocess.run([*tmux, "new-session", "-d", *size, command], check=True, env=environment)
    try:
        assert "add-relu" in wait_for("looks like yours")
        subprocess.run([*tmux, "send-keys", "Enter"], check=True)
        text = wait_for(r"(?s)update 0.*Loss.*Activations")
        assert max(map(len, text.splitlines())) <= columns
        for part in ("Loss", "Activations", "Network", "FAULT bias-decay", "Story", "? help"):
            assert part in text
        subprocess.run([*tmux, "send-keys", "m", "b", "n", "u"], check=True)
        wait_for("seed 1.*\n.*update 1 ")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
