"""Benchmark cases of the real app in a terminal: start, key response, bytes, speed, memory."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from nntui.bench.measurement import Measurement
from nntui.bench.pseudo_terminal import Terminal, TerminalSpec, terminal
from nntui.presets import load_preset
from nntui.timeline.history.time_slices import TimeSlicer
from nntui.timeline.run import Run

ROUNDS = 7
NEEDED = ("-c", "import textual.app, numpy, plotext")
"""The imports alone, which no app with these libraries can avoid."""
FIRST_PAINT, HELP = 2.0, 0.35
KEYS, SLOWEST_KEY = 100, 50.0
"""Keys pressed, and milliseconds."""
SLOW_LINE = 250_000 // 8
"""Bytes per second of a connection of 250 kbit/s."""
SLOW_KEYS, SLOWEST_ON_SLOW_LINE = 20, 1000.0
SECONDS = 4.0
KILOBYTES, SPEED = 20.0, 0.8
RICH = {"COLORTERM": "truecolor"}
OVER_SSH = "80x24, ssh"
TERMINALS = {
    OVER_SSH: TerminalSpec(80, 24, RICH | {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}),
    "80x24, truecolor": TerminalSpec(80, 24, RICH),
    "120x40, truecolor": TerminalSpec(120, 40, RICH),
}
ENDLESS = """
[data]
inputs = [[0.1, 0.2], [0.5, 0.3], [0.2, 0.4], [0.3, 0.7], [0.5, 0.5], [0.4, 0.3]]
targets = [[0.3], [0.8], [0.6], [1.0], [1.0], [0.7]]
[[layers]]
units = 4
activation = "tanh"
[[layers]]
units = 4
activation = "tanh"
[[layers]]
units = 1
[training]
loss = "squared-error"
learning_rate = 1e-5
batch = 1
[report]
loss = "squared-error"
[goal]
loss = 1e-9
epochs = 1_000_000_000
"""
"""A preset as small as the scenarios that trains practically without end."""
MIB = 2**20
MILLIONS, LARGEST_GROWTH = 10, 4.0
"""Updates in the app, and MiB beyond eight bytes an epoch."""


def starting() -> Iterator[Measurement]:
    """The first paint of a workbench, and the help, against the imports alone."""
    paints, helps, needed = [], [], []
    for _ in range(ROUNDS + 1):
        needed.append(_timed(NEEDED))
        helps.append(_timed(("-m", "nntui", "--help")))
        started = perf_counter()
        with opened("add-relu"):
            paints.append(perf_counter() - started)
    for case, found, target in (
        ("first paint of nntui add-relu, whole process", paints, FIRST_PAINT),
        ("nntui --help, whole process", helps, HELP),
    ):
        # The first round is not counted: it reads files that the others find cached.
        pairs = list(zip(found, needed, strict=True))[1:]
        ratio = median(mine / other for mine, other in pairs)
        yield Measurement(case, ratio, target, median(found[1:]), "importing", median(needed[1:]))


def _timed(arguments: tuple[str, ...]) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


@contextmanager
def opened(preset: str, spec: TerminalSpec | None = None) -> Iterator[Terminal]:
    """The app on ``preset``, after its first paint."""
    with tempfile.TemporaryDirectory() as folder:
        spec = spec or TerminalSpec()
        spec = replace(spec, variables={**spec.variables, "NNTUI_DATA_DIR": folder})
        with terminal(("-m", "nntui", preset), spec) as app:
            app.wait_for(b"update 0")
            yield app


@contextmanager
def running(spec: TerminalSpec) -> Iterator[Terminal]:
    """The app training at full speed, one second after its start."""
    with endless() as preset, opened(preset, spec) as app:
        app.read(0.5)
        app.press(b" ")
        app.wait_for(b"running")
        app.read(1.0)
        yield app


@contextmanager
def endless() -> Iterator[str]:
    """The path of a preset that trains practically without end."""
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder) / "endless.toml"
        preset.write_text(ENDLESS)
        yield str(preset)


def keys() -> Iterator[Measurement]:
    """The time from a key to its effect on the screen, during training."""
    with running(TerminalSpec(120, 40)) as app:
        yield effects("key to effect at full speed, 120x40", app, KEYS, SLOWEST_KEY)
    for name, spec in TERMINALS.items():
        with running(replace(spec, rate=SLOW_LINE)) as app:
            case = f"key to effect at full speed over 250 kbit/s, {name}"
            yield effects(case, app, SLOW_KEYS, SLOWEST_ON_SLOW_LINE)


def effects(
    case: str,
    app: Terminal,
    keys: int,
    target: float,
    said: tuple[bytes, bytes] = (b"linear axis", b"log axis"),
) -> Measurement:
    """The time from a key to its effect, of ``keys`` presses of the key of the loss axis.

    What it does is ``said``, in turn.
    """
    times = []
    for number in range(keys):
        app.read(0.05 + 0.013 * (number % 11))
        app.seen = b""
        app.press(b"y")
        times.append(app.wait_for(said[number % 2]))
    slow = 1e3 * quantiles(times, n=20)[-1]
    return Measurement(
        f"{case}: p95, and median", None, target, median(times), "", None, slow, "ms"
    )


def sent() -> Iterator[Measurement]:
    """Bytes per second, training and paused."""
    for name, spec in TERMINALS.items():
        with running(spec) as app:
            rate, over_ssh = app.read(SECONDS) / SECONDS / 1e3, name == OVER_SSH
            target = KILOBYTES if over_ssh else None
            yield amount(f"bytes a second at full speed, {name}", rate, "kB", target)
            if over_ssh:
                app.press(b" ")
                app.read(1.0)
                yield amount("bytes in 3 s, paused", app.read(3.0), "B", 0.0)


def speed() -> Iterator[Measurement]:
    """Updates per second in the app as a share of headless ones, measured in alternation."""
    with endless() as preset:
        run, slicer = Run(load_preset(preset)), TimeSlicer()
    shares, ours = [], []
    with running(TerminalSpec()) as app:
        for _ in range(5):
            first, started = _update(app), perf_counter()
            app.read(SECONDS / 2)
            rate = (_update(app) - first) / (perf_counter() - started)
            app.press(b" ")
            app.wait_for(b"paused")
            app.read(0.3)
            before, started = run.update, perf_counter()
            while perf_counter() - started < SECONDS / 4:
                slicer.train(run, 10**12, 0.1)
            headless = (run.update - before) / (perf_counter() - started)
            app.press(b" ")
            app.wait_for(b"running")
            shares.append(rate / headless)
            ours.append(1 / rate)
    case = "updates a second in the app, at least this share of headless"
    yield Measurement(case, median(shares), SPEED, median(ours), "", None)


def memory() -> Iterator[Measurement]:
    """Growth of resident memory over ten million updates in the app, beyond 8 bytes per epoch."""
    with running(TerminalSpec()) as app:
        before = 0.0
        for million in range(2, MILLIONS + 1):
            while (update := _update(app)) < million * 10**6:
                app.read(0.2)
            beyond = (_resident(app.process.pid) - 8 * update / 6) / MIB
            if million == 2:
                before = beyond
        case = f"memory of the app from 2 to {MILLIONS} million updates, beyond its losses"
        yield amount(case, beyond - before, "MiB", LARGEST_GROWTH)


def _update(app: Terminal) -> int:
    """The next update number on the status line."""
    app.seen = b""
    while not (found := re.findall(rb"update ([\d,]+) ", app.seen)):
        app.read(0.005)
    return int(found[-1].replace(b",", b""))


def _resident(process: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def amount(case: str, value: float, unit: str, target: float | None) -> Measurement:
    """A ``value`` that is compared with nothing but its target."""
    return Measurement(case, None, target, None, "", None, value, unit)


SCREEN_CASES = (starting, keys, sent, speed)
