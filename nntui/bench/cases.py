"""Benchmark cases: networks, sweeps, frameworks and growth; each yields measurements."""

import os
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from nntui.bench import baselines, peers, player_cases, timeline_cases
from nntui.bench.baselines import Steps
from nntui.bench.comparison import compare
from nntui.bench.measurement import Measurement, stepping, void
from nntui.core.engine.player_names import NUMPY
from nntui.presets import load_preset, read_preset
from nntui.presets.preset import Preset
from nntui.sweeps.block import Block, train_block
from nntui.sweeps.processes import local_processes

SCENARIOS: dict[str, tuple[Callable[[], Steps], int, float]] = {
    "add-relu": (baselines.add_relu, 3000, 0.5),
    "square-leaky-relu": (baselines.square_leaky_relu, 400, 0.6),
}
"""Per preset: the baseline, updates per round, and the target ratio."""
SWEEP_EPOCHS = 1000
SWEEP_TARGET = 1 / 250
LARGE, LARGE_BATCH, LARGE_TARGET = (64, 512, 512, 10), 256, 1.3


def single() -> Iterator[Measurement]:
    """One network against its author's loop."""
    for name, (baseline, count, target) in SCENARIOS.items():
        found = compare(stepping(load_preset(name), NUMPY), count, baseline(), count)
        yield Measurement(
            f"{name}, by NumPy", found.ratio, target, found.ours, "author's loop", found.theirs
        )


def frameworks() -> Iterator[Measurement]:
    """The same network in PyTorch and JAX, where they are installed."""
    for name, steps in (
        ("PyTorch, eager", peers.torch_eager()),
        ("JAX, jit", peers.jax_single()),
    ):
        if steps is None:
            yield Measurement(f"add-relu: {name} is not installed", None, None, None, name, None)
        else:
            found = compare(stepping(load_preset("add-relu")), 1500, steps, 600, rounds=5)
            yield Measurement("add-relu", found.ratio, None, found.ours, name, found.theirs)


def sweeps() -> Iterator[Measurement]:
    """Many seeds on one core against the author's loop, per update of a replica."""
    preset, loop = load_preset("add-relu"), baselines.add_relu()
    for count in (1, 10, 100, 1000, 10_000):
        epochs = SWEEP_EPOCHS if count <= 1000 else SWEEP_EPOCHS // 5
        found = compare(
            _sweeping(preset, count, epochs), count * epochs * 6, loop, 1500, _rounds(count)
        )
        target = SWEEP_TARGET if count == 1000 else None
        case = f"sweep of add-relu, {count:,} seed{'s' if count > 1 else ''}, one core, by NumPy"
        yield Measurement(case, found.ratio, target, found.ours, "author's loop", found.theirs)
    updates = 600
    many = peers.jax_many(1000, updates)
    if many is None:
        yield Measurement("sweep: JAX is not installed", None, None, None, "JAX, vmap", None)
    else:
        ours = _sweeping(preset, 1000, updates // 6)
        found = compare(ours, 1000 * updates, many, 1000 * updates, rounds=5)
        yield Measurement(
            "sweep of add-relu, 1,000 seeds", found.ratio, None, found.ours, "JAX", found.theirs
        )


def _rounds(count: int) -> int:
    return 9 if count <= 100 else 5


def _sweeping(preset: Preset, count: int, epochs: int) -> Steps:
    block = Block(preset.configuration, preset.goal, epochs, tuple(range(count)), NUMPY)
    return lambda _: void(train_block(block))


def cores() -> Iterator[Measurement]:
    """4000 seeds on two cores against one; the ratio is the speed-up."""
    if (os.cpu_count() or 1) < 2:
        yield Measurement("two cores: this machine has one", None, None, None, "one core", None)
        return
    preset, epochs, share = load_preset("add-relu"), 500, 250
    blocks = [
        Block(preset.configuration, preset.goal, epochs, tuple(range(start, start + share)), NUMPY)
        for start in range(0, 4000, share)
    ]
    with local_processes(2) as executor:
        assert executor is not None
        list(executor.map(train_block, blocks[:2]))
        pairs = [
            (
                _timed(lambda: list(map(train_block, blocks))),
                _timed(lambda: list(executor.map(train_block, blocks))),
            )
            for _ in range(3)
        ]
    one, two = sorted(pairs, key=lambda pair: pair[0] / pair[1])[1]
    each = 4000 * epochs * 6
    yield Measurement(
        "4,000 seeds, times faster on 2 cores", one / two, 1.7, two / each, "1 core", one / each
    )


def _timed(action: Callable[[], Any]) -> float:
    started = perf_counter()
    action()
    return perf_counter() - started


def growth() -> Iterator[Measurement]:
    """The time of an update by the width of two hidden layers, and by the batch size."""
    for width in (4, 16, 64, 256, 1024):
        yield _grown(f"2-{width}-{width}-1, one sample", network((2, width, width, 1), 1), width)
    for samples in (1, 10, 100, 1000, 10_000):
        preset = network((2, 16, 16, 1), samples)
        yield _grown(f"2-16-16-1, {samples:,} samples at once", preset, samples)


def _grown(case: str, preset: Preset, size: int) -> Measurement:
    steps, count = stepping(preset), max(2000 // size, 5)
    steps(2)
    times = sorted(_timed(lambda: steps(count)) / count for _ in range(5))
    return Measurement(case, None, None, times[2], "", None)


def large() -> Iterator[Measurement]:
    """A network whose time is dominated by matrix products."""
    preset = network(LARGE, LARGE_BATCH)
    found = compare(
        stepping(preset), 10, baselines.matrix_products(LARGE, LARGE_BATCH), 10, rounds=7
    )
    case = f"{'-'.join(map(str, LARGE))}, batch {LARGE_BATCH}"
    yield Measurement(case, found.ratio, LARGE_TARGET, found.ours, "bare products", found.theirs)


def network(sizes: tuple[int, ...], samples: int) -> Preset:
    """A preset of a ReLU network with linear output and a full batch of ``samples`` rows."""
    rows = [[(7 * r + 3 * c) % 11 / 11 for c in range(sizes[0])] for r in range(samples)]
    targets = [[(5 * r + c) % 7 / 7 for c in range(sizes[-1])] for r in range(samples)]
    layers = [{"units": units, "activation": "relu"} for units in sizes[1:-1]]
    source = {
        "data": {"inputs": rows, "targets": targets},
        "layers": [*layers, {"units": sizes[-1]}],
        "training": {"loss": "squared-error", "learning_rate": 1e-3},
        "report": {"loss": "squared-error"},
        "goal": {"loss": 0.0, "epochs": 1},
    }
    return read_preset("made", source)


CASES = (
    single,
    player_cases.compiled,
    large,
    sweeps,
    cores,
    frameworks,
    growth,
    timeline_cases.recording,
    timeline_cases.seeking,
    timeline_cases.saving,
)
