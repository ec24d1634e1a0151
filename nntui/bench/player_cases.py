"""Benchmark cases of the compiled player: single networks, sweeps and a whole process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

from nntui.bench import baselines, peers
from nntui.bench.baselines import Steps
from nntui.bench.comparison import compare, seconds
from nntui.bench.measurement import Measurement, stepping
from nntui.compiler.installed import is_installed
from nntui.core.engine.player_names import COMPILED
from nntui.presets import load_preset
from nntui.sweeps.block import Block, train_block

LOOPS: dict[str, tuple[Callable[[], Steps], int, int, float]] = {
    "add-relu": (baselines.add_relu, 60_000, 1500, 1 / 30),
    "xor-sigmoid": (baselines.xor_sigmoid, 60_000, 3000, 1 / 15),
}
"""Per preset: the author's loop, our updates and its updates per round, and the target ratio."""
RUN, UPDATES, RUN_TARGET = "add-tanh", 600_000, 1 / 15
SCANNED = 2000
"""Updates in one scan of JAX."""


def compiled() -> Iterator[Measurement]:
    """Compiled updates against authors' loops and JAX, where those are installed."""
    if not is_installed():
        yield Measurement("compiled: nntui[fast] is not installed", None, None, None, "", None)
        return
    for name, (loop, ours, theirs, target) in LOOPS.items():
        found = compare(stepping(load_preset(name), COMPILED), ours, loop(), theirs)
        yield Measurement(
            f"{name}, compiled", found.ratio, target, found.ours, "author's loop", found.theirs
        )
    yield _process()
    square = load_preset("square-leaky-relu")
    yield _against(
        "square-leaky-relu, compiled",
        stepping(square, COMPILED),
        peers.jax_square(None, SCANNED),
        SCANNED,
        1.0,
    )
    for name, many, seeds, updates in (
        ("add-relu", peers.jax_many, 1000, 6000),
        ("square-leaky-relu", peers.jax_square, 16, 2000),
    ):
        preset = load_preset(name)
        epochs = updates // preset.configuration.updates_per_epoch
        block = Block(preset.configuration, preset.goal, epochs, tuple(range(seeds)), COMPILED)
        yield _against(
            f"sweep of {name}, {seeds:,} seeds, compiled",
            partial(_trained, block),
            many(seeds, updates),
            seeds * updates,
            1.0,
        )


def _trained(block: Block, count: int) -> None:
    train_block(block)


def _against(
    case: str, ours: Steps, theirs: Steps | None, count: int, target: float
) -> Measurement:
    if theirs is None:
        seconds(ours, count)
        return Measurement(
            f"{case}; JAX is not installed", None, None, seconds(ours, count), "", None
        )
    found = compare(ours, count, theirs, count, rounds=5)
    return Measurement(case, found.ratio, target, found.ours, "JAX, scan", found.theirs)


def _process() -> Measurement:
    """`RUN` to its end in a process of its own, once its code is kept, and the author's loop."""
    line = [sys.executable, "-m", "nntui", "run", RUN, "--player", COMPILED]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    times = []
    for _ in range(4):
        started = perf_counter()
        subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=True)
        times.append(perf_counter() - started)
    loop = baselines.add_relu()
    seconds(loop, 1500)
    theirs = sorted(seconds(loop, 1500) for _ in range(3))[1]
    ours = sorted(times[1:])[1] / UPDATES
    case = f"the process nntui run {RUN}, per update"
    return Measurement(case, ours / theirs, RUN_TARGET, ours, "author's loop", theirs)
