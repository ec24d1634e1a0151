"""Benchmark cases of the app on a person's own program: keys, rest, and memory of its processes."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nntui.bench.measurement import Measurement
from nntui.bench.pseudo_terminal import Terminal, TerminalSpec, terminal
from nntui.bench.screen_cases import KEYS, MIB, SLOWEST_KEY, amount, effects

PROGRAM = """
import numpy as np
np.random.seed(1)
X = np.random.randn(40, 2)
y = np.tanh(X @ np.array([[1.0], [-2.0]]))
W1, W2, rate = np.random.randn(2, 8), np.random.randn(8, 1), 0.01
for k in range(1_000_000_000):
    a = np.tanh(X @ W1)
    error = a @ W2 - y
    loss = np.mean(error ** 2)
    dW2 = 2 * a.T @ error / len(X)
    dW1 = 2 * X.T @ ((error @ W2.T) * (1 - a ** 2)) / len(X)
    W1, W2 = W1 - rate * dW1, W2 - rate * dW2
"""
"""A program as small as those of the questions, which trains practically without end."""
UPDATES, JUMPS = 10_000, 40
JUMP = 0.7
"""Seconds that a jump is given; only what differs is drawn, so that no text tells its end."""
MOST_MEMORY = 200.0
"""MiB of all its processes beyond the app, going back and forth over `UPDATES`."""
RESTING, MOST_TICKS = 10.0, 5
"""Seconds without a key, and hundredths of a second that all processes may compute then."""


@contextmanager
def opened(spec: TerminalSpec) -> Iterator[Terminal]:
    """The app on the program, which has been checked."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.py"
        path.write_text(PROGRAM)
        spec = replace(spec, variables={**spec.variables, "NNTUI_DATA_DIR": folder})
        with terminal(("-m", "nntui", str(path)), spec) as app:
            app.wait_for(b"steps")
            app.read(1.0)
            yield app


def program_keys() -> Iterator[Measurement]:
    """The time from a key to its effect while the program trains."""
    with opened(TerminalSpec(120, 40)) as app:
        app.press(b" ")
        app.wait_for(b"running")
        app.read(1.0)
        case = "a program of one's own: key to effect while it trains, 120x40"
        yield effects(case, app, KEYS, SLOWEST_KEY, (b"linear loss axis", b"logarithmic loss axis"))


def program_rest() -> Iterator[Measurement]:
    """What an idle program costs: bytes and processor time."""
    with opened(TerminalSpec(120, 40)) as app:
        app.read(1.0)
        before = _ticks(app)
        sent = app.read(RESTING)
        case = f"a program of one's own: {RESTING:g} s without a key"
        yield amount(f"{case}, bytes", sent, "B", 0.0)
        yield amount(
            f"{case}, processor time", 10.0 * (_ticks(app) - before), "ms", 10.0 * MOST_TICKS
        )


def program_memory() -> Iterator[Measurement]:
    """The memory of all its processes, after jumps over many updates."""
    drawn = random.Random(1)
    with opened(TerminalSpec(120, 40)) as app:
        alone = _shared_out(app.process.pid)
        for update in (UPDATES, *(drawn.randrange(UPDATES) for _ in range(JUMPS))):
            app.press(b"j")
            app.wait_for(b"Go to update")
            app.press(f"{update}\r".encode())
            app.read(JUMP)
        used = sum(map(_shared_out, _family(app.process.pid)))
        case = f"a program of one's own: memory of {JUMPS} jumps over {UPDATES:,} updates"
        yield amount(case, (used - alone) / MIB, "MiB", MOST_MEMORY)


def _family(process: int) -> list[int]:
    """``process`` and all that come from it, by their session's and parents' numbers."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _shared_out(process: int) -> int:
    """The proportional set size of ``process`` in bytes: shared pages are shared out."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _ticks(app: Terminal) -> int:
    """Hundredths of a second that the app and its processes have computed."""
    total = 0
    for each in _family(app.process.pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total


PROGRAM_SCREEN_CASES = (program_keys, program_rest, program_memory)
