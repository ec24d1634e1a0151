"""A pseudo-terminal for measurements, whose reading rate can be limited."""

import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

TICK = 0.01
"""Seconds between two reads at a limited rate."""
CURSOR_ASKED, CURSOR = b"\x1b[6n", b"\x1b[1;1R"
PATIENCE = 60.0
"""Seconds to wait for a text before giving up."""


@dataclass(frozen=True)
class TerminalSpec:
    """The size of a terminal, and the ``rate`` of its connection in bytes per second."""

    columns: int = 80
    lines: int = 24
    variables: Mapping[str, str] = field(default_factory=dict)
    """Additional environment variables."""
    rate: int | None = None


class Terminal:
    """A process that draws on a pseudo-terminal."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, rate: int | None) -> None:
        self.process = process
        self._rate = rate
        self.seen = b""
        """The bytes read since it was last emptied."""
        self._master = master
        self._credit, self._counted = 0.0, monotonic()
        self._begun = b""
        """What may be the beginning of a question."""

    def read(self, seconds: float) -> int:
        """Read for ``seconds``; returns the number of bytes."""
        came, deadline = 0, monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            came += self._take()
        return came

    def _take(self) -> int:
        room = 65536
        if self._rate is not None:
            now = monotonic()
            # Capacity that was not used is lost, as on a real connection.
            self._credit = min(self._credit + (now - self._counted) * self._rate, TICK * self._rate)
            self._counted = now
            room = int(self._credit)
            if room < 1:
                sleep(TICK / 2)
                return 0
        part = os.read(self._master, room)
        self._credit -= len(part)
        self.seen += part
        # Answer as terminals do, after showing everything that came before the question.
        came = self._begun + part
        for _ in range(came.count(CURSOR_ASKED)):
            self.press(CURSOR)
        self._begun = came[-len(CURSOR_ASKED) + 1 :]
        return len(part)

    def press(self, keys: bytes) -> None:
        """Send ``keys``."""
        os.write(self._master, keys)

    def wait_for(self, text: bytes) -> float:
        """Read until ``text`` appears, drop everything up to it, and return the seconds taken.

        Raises TimeoutError after `PATIENCE` seconds.
        """
        started = monotonic()
        while (at := self.seen.find(text)) < 0:
            if monotonic() - started > PATIENCE:
                raise TimeoutError(f"{text!r} was not shown, but {self.seen[-500:]!r}")
            if select.select([self._master], [], [], TICK)[0]:
                self._take()
        self.seen = self.seen[at + len(text) :]
        return monotonic() - started


@contextmanager
def terminal(arguments: Sequence[str], spec: TerminalSpec) -> Iterator[Terminal]:
    """Run Python with ``arguments`` on a terminal as described by ``spec``."""
    import fcntl  # not on every system
    import pty
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", spec.lines, spec.columns, 0, 0))
    left_out = ("COLUMNS", "LINES", "NO_COLOR", "SSH_TTY", "SSH_CONNECTION")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **spec.variables},
    )
    os.close(slave)
    try:
        yield Terminal(process, master, spec.rate)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(master)
