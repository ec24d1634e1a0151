"""Programs in a pseudo-terminal of ours, and what they leave behind."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import nntui
from nntui.timeline.sessions import session_folder

PATIENCE = 90.0
"""Seconds after which what should come is given up, on however busy a machine."""
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
        """Wait until ``text`` was written."""
        self._until(lambda: text in self.written)

    def goes_on(self) -> None:
        """Wait until more is written."""
        length = len(self.written)
        self._until(lambda: len(self.written) > length)

    def falls_silent(self, seconds: float = 1.5) -> None:
        """Wait until nothing is written for so long."""
        self._until(lambda: self.read(seconds) == b"")

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, self.written[-2000:]
            self.read(0.1)

    def hang_up(self) -> None:
        """Close our end, as a dropped connection does."""
        os.close(self.master)
        self.master = -1

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def answers(self, keys: bytes, text: bytes) -> None:
        """Press ``keys``, and wait for a ``text`` that was not there before."""
        self.read(0.2)
        self.written = b""
        self.press(keys)
        self.wait_for(text)

    def ended(self) -> int:
        """The exit code, once everything was read."""
        self._until(lambda: self.process.poll() is not None)
        self.read(0.2)
        return self.process.returncode


def environment(**variables: str) -> dict[str, str]:
    """Ours, without the size that a test runner may have put there, and with ``variables``."""
    left_out = ("COLUMNS", "LINES", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "COLORTERM")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}


def resize(terminal: int, columns: int, lines: int) -> None:
    """Give a terminal another size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@contextmanager
def terminal(
    *arguments: str,
    columns: int = 80,
    lines: int = 24,
    errors: int | None = None,
    program: tuple[str, ...] = (sys.executable, "-m", "nntui"),
    **variables: str,
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    resize(slave, columns, lines)
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave if errors is None else errors,
        start_new_session=True,
        # The terminal that the session belongs to: when it goes, the kernel sends SIGHUP.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env=environment(**variables),
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


def saved() -> list[nntui.Run]:
    """What can be resumed, the latest first; every file must be whole."""
    entries = session_folder.entries()
    assert [entry.problem for entry in entries] == [None] * len(entries)
    return [nntui.load_session(entry.path) for entry in entries]


def straight(run: nntui.Run) -> str:
    """The hash of a run that went to the same update in one go."""
    plain = nntui.Run(nntui.load_preset("add-tanh"), run.seed)
    plain.step(run.update)
    return plain.state_hash
