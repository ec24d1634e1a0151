"""A terminal for measurements: the app in a pseudo-terminal that can be read slowly."""

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
"""Seconds between two reads of a slow line."""
CURSOR_ASKED, CURSOR = b"\x1b[6n", b"\x1b[1;1R"
PATIENCE = 60.0
"""Seconds after which what was awaited will not come any more."""


@dataclass(frozen=True)
class TerminalSpec:
    """A terminal of a size, at the end of a line that carries ``rate`` bytes a second."""

    columns: int = 80
    lines: int = 24
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the environment says of it."""
    rate: int | None = None


class Terminal:
    """A process that draws on a terminal of ours."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, rate: int | None) -> None:
        self.process = process
        self._rate = rate
        self.seen = b""
        """What was read since it was last emptied."""
        self._master = master
        self._credit, self._counted = 0.0, monotonic()

    def read(self, seconds: float) -> int:
        """Read for ``seconds``; returns how many bytes came."""
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
            # What was not used in silence is lost, as on a line.
            self._credit = min(self._credit + (now - self._counted) * self._rate, TICK * self._rate)
            self._counted = now
            room = int(self._credit)
            if room < 1:
                sleep(TICK / 2)
                return 0
        part = os.read(self._master, room)
        self._credit -= len(part)
        self.seen += part
        # As terminals do, once they have shown what came before the question.
        for _ in range(part.count(CURSOR_ASKED)):
            self.press(CURSOR)
        return len(part)

    def press(self, keys: bytes) -> None:
        """Send ``keys``."""
        os.write(self._master, keys)

    def wait_for(self, text: bytes) -> float:
        """Seconds until ``text`` was read; what came before it is forgotten."""
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
    """Python with ``arguments`` on a terminal as ``spec`` describes it."""
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
