"""Benchmark cases of the timeline: recording, seeking, history size, saving, very long runs."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from nntui.bench.baselines import Steps
from nntui.bench.comparison import compare
from nntui.bench.measurement import Measurement, stepping, void
from nntui.core.engine.trainer import Trainer, initial_state
from nntui.presets import load_preset
from nntui.presets.preset import Preset
from nntui.timeline.run import Run

MIB = 2**20
SEEKS = 100
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
SOUGHT = ("line-tanh", "square-leaky-relu")
"""The scenario with the fastest update, and the slowest one of those that are run for long."""
RECORDED = {"add-relu": 3000, "line-tanh": 3000, "square-leaky-relu": 500}
"""Updates per round."""
SLOWEST_SEEK, LARGEST_HISTORY, DEAREST_RECORDING = 50.0, 64.0, 1.1
"""Targets: milliseconds, MiB, and the ratio to an update without recording."""
MILLION, MILLIONS, LARGEST_GROWTH = 1_000_000, 10, 4.0


def recording() -> Iterator[Measurement]:
    """`Run.step` against the trainer alone, for the same updates."""
    for name, count in RECORDED.items():
        preset = load_preset(name)
        found = compare(stepping(preset), count, _bare(preset), count, rounds=15)
        case = f"{name}, recorded"
        yield Measurement(
            case, found.ratio, DEAREST_RECORDING, found.ours, "not recorded", found.theirs
        )


def _bare(preset: Preset) -> Steps:
    losses: list[float] = []
    state = initial_state(preset.configuration, 2)
    trainer = Trainer(state, lambda _, loss: losses.append(loss))
    return lambda count: void(trainer.advance(count))


def seeking() -> Iterator[Measurement]:
    """The time of random seeks, hash included, and the size of the history, as a run grows.

    A run of each network seeks 100 random updates at lengths of 1e3, 1e4, 1e5 and 1e6.
    """
    random = np.random.RandomState(0)
    for name in SOUGHT:
        run = Run(load_preset(name))
        for length in LENGTHS:
            run.seek(length)
            times = []
            for update in random.randint(0, length, SEEKS).tolist():
                started = perf_counter()
                run.seek(update)
                assert run.state_hash
                times.append(perf_counter() - started)
            median, slow = np.percentile(times, [50, 95]).tolist()
            within = f"{length:,} updates of {name}"
            case = f"seek in {within}: 95th percentile, and median time"
            yield _measured(case, 1e3 * slow, "ms", SLOWEST_SEEK, median)
            size = run.tree.budget.nbytes + 8 * len(run.branch.losses)
            yield _measured(f"history of {within}", size / MIB, "MiB", LARGEST_HISTORY)


def saving() -> Iterator[Measurement]:
    """Saving and loading a session of 100,000 updates with three more branches."""
    from nntui.timeline.sessions.session import load, write

    run = Run(load_preset("add-relu"))
    run.step(100_000)
    for number in range(3):
        run.seek(20_000 * (number + 1))
        run.fork(**{"training.learning_rate": 0.02 + 0.01 * number}).step(20_000)
    case = "session of 160,000 updates of add-relu, 4 branches"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.nntui"
        started = perf_counter()
        saved = run.capture()
        captured = perf_counter()
        write(saved, path)
        written = perf_counter()
        load(path)
        yield Measurement(f"{case}: capture", None, None, captured - started, "", None)
        yield Measurement(f"{case}: write", None, None, written - captured, "", None)
        yield Measurement(f"{case}: load", None, None, perf_counter() - written, "", None)
        yield _measured(f"{case}: file", path.stat().st_size / MIB, "MiB", None)


def long_run() -> Iterator[Measurement]:
    """Growth of resident memory over ten million updates of a small run, beyond 8 bytes per epoch.

    It must run first: memory freed by other cases would hide the growth.
    """
    run, before = Run(load_preset("line-tanh")), 0.0
    for million in range(1, MILLIONS + 1):
        run.step(MILLION)
        beyond = (resident() - 8 * run.epoch) / MIB
        if million == 1:
            before = beyond
        else:
            case = f"memory from 1 to {million} million updates of line-tanh, beyond its losses"
            yield _measured(case, beyond - before, "MiB", LARGEST_GROWTH)


def resident() -> int:
    """The resident memory of this process in bytes; its peak where only that is known."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource  # not on every system

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def _measured(
    case: str, value: float, unit: str, target: float | None, seconds: float | None = None
) -> Measurement:
    return Measurement(case, None, target, seconds, "", None, value, unit)
