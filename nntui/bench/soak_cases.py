"""Benchmark cases of a tired machine: many apps side by side, and redraws over a slow line."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from time import monotonic

from nntui.bench.measurement import Measurement
from nntui.bench.pseudo_terminal import Terminal, TerminalSpec
from nntui.bench.screen_cases import endless, opened

APPS = 10
SETTLED, PAUSED = 3.0, 10.0
"""Seconds until apps that were opened are at rest, and for which they are then watched."""
MEGABYTES, PERCENT, MILLISECONDS = 50.0, 0.2, 500.0
"""The most of one app: proportional memory, processor time when paused, and a key's median."""
ROUNDS = 3
LINE, SIZE = 30_000, TerminalSpec(160, 50, {"COLORTERM": "truecolor"})
REDRAWS, SLOWEST = 10, 1000.0
MIB = 2**20


def side_by_side() -> Iterator[Measurement]:
    """Ten apps on one machine: what each takes when paused, and how fast its keys are answered."""
    with ExitStack() as stack:
        preset = stack.enter_context(endless())
        apps = [stack.enter_context(opened(preset)) for _ in range(APPS)]
        _read(apps, SETTLED)
        pids = [app.process.pid for app in apps]
        case = f"of {APPS} apps side by side, "
        yield _one(f"{case}memory of one (PSS)", _memory(pids) / APPS / MIB, "MiB", MEGABYTES)
        computed, started = _computed(pids), monotonic()
        came = _read(apps, PAUSED)
        share = (_computed(pids) - computed) / (monotonic() - started) / APPS
        yield _one(f"{case}processor time of one, paused", 100 * share, "%", PERCENT)
        yield _one(f"{case}bytes of all in {PAUSED:g} s, paused", came, "B", 0.0)
        for app in apps:
            app.press(b" ")
        _read(apps, SETTLED)
        times = []
        for number in range(ROUNDS * APPS):
            app = apps[number % APPS]
            with _being_read([other for other in apps if other is not app]):
                # Every second round finds each app with the other axis.
                times.append(_axis(app, number // APPS % 2 == 0))
        yield _keys(f"{case}key to effect, all at full speed", times, MILLISECONDS)


def redrawn() -> Iterator[Measurement]:
    """A key that is pressed while the whole screen is drawn again, over a slow line."""
    with endless() as preset, opened(preset, replace(SIZE, rate=LINE)) as app:
        app.read(1.0)
        times, paused = [], True
        for _ in range(REDRAWS):
            app.press(b"z")
            app.read(0.15)
            app.seen = b""
            app.press(b" ")
            times.append(app.wait_for(b"running" if paused else b"paused"))
            paused = not paused
            app.read(2.0)
        case = f"key behind a redraw, {LINE // 1000} kB/s, 160x50"
        yield _keys(case, times, SLOWEST)


def _axis(app: Terminal, linear: bool) -> float:
    """Seconds from a key to its effect on the loss axis."""
    app.read(0.05)
    app.seen = b""
    app.press(b"y")
    return app.wait_for(b"linear axis" if linear else b"log axis")


def _read(apps: Sequence[Terminal], seconds: float) -> int:
    """Read what ``apps`` write for so long; returns the bytes."""
    came, deadline = 0, monotonic() + seconds
    while monotonic() < deadline:
        for app in apps:
            came += app.read(0.01)
            app.seen = b""
    return came


@contextmanager
def _being_read(apps: Sequence[Terminal]) -> Iterator[None]:
    """Read what ``apps`` write: one that nobody reads does not run at full speed."""
    ended = Event()

    def read() -> None:
        while not ended.is_set():
            _read(apps, 0.01)

    thread = Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _memory(pids: Sequence[int]) -> int:
    """The bytes of the processes, shared pages counted in proportion."""
    total = 0
    for pid in pids:
        found = re.search(r"Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
        assert found is not None
        total += 1024 * int(found[1])
    return total


def _computed(pids: Sequence[int]) -> float:
    """Seconds of the processor that the processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _one(case: str, value: float, unit: str, target: float) -> Measurement:
    return Measurement(case, None, target, None, "", None, value, unit)


def _keys(case: str, times: Sequence[float], target: float) -> Measurement:
    slow = 1e3 * quantiles(times, n=20)[-1]
    return Measurement(
        f"{case}: p95, and median", None, target, median(times), "", None, slow, "ms"
    )
