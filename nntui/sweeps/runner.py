"""Running a sweep: the seeds in blocks, the blocks on any executor."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from time import perf_counter

from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed
from nntui.sweeps.block import Block, Outcome, replicas_side_by_side, train_block
from nntui.sweeps.processes import local_processes
from nntui.sweeps.result import SweepResult

BLOCKS_PER_WORKER = 4
HEARTBEAT = 0.2
"""Seconds between two calls of the progress, at the most."""
WORTH_PROCESSES = 5_000_000
"""Replica updates below which starting processes costs more than it brings."""
SINGLE_COST = 100
"""About how many updates of a replica side by side one update of a single network costs."""

Progress = Callable[[Sequence[Outcome], int], bool]
"""Called with the outcomes so far, and of how many; False ends the sweep early."""


def sweep(
    preset: Preset,
    seeds: Iterable[int] = range(100),
    executor: Executor | None = None,
    *,
    epochs: int | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Train ``preset`` from each of ``seeds`` for ``epochs`` (the preset's own if None).

    ``executor`` is any ``concurrent.futures.Executor``; without one, local processes are used
    where that pays.  Each seed's outcome is that of a single run.  Raises ConfigError for a seed
    that is none.
    """
    asked = [check_seed(seed) for seed in seeds]
    budget = preset.goal.epochs if epochs is None else epochs
    started, done = perf_counter(), dict[int, Outcome]()
    workers = _workers(preset, len(asked), budget) if executor is None else 0
    blocks = _blocks(preset, asked, budget, workers or _guessed_workers(executor))
    with local_processes(workers) as local:
        for outcomes in _results(blocks, executor or local):
            done.update((outcome.seed, outcome) for outcome in outcomes)
            if progress is not None and not progress(list(done.values()), len(set(asked))):
                break
    return SweepResult(
        preset,
        budget,
        tuple(done[seed] for seed in asked if seed in done),
        perf_counter() - started,
    )


def _workers(preset: Preset, count: int, epochs: int) -> int:
    """How many processes pay; 0 is none but this one."""
    cost = count * epochs * preset.configuration.updates_per_epoch
    if replicas_side_by_side(preset.configuration) == 1:
        cost *= SINGLE_COST
    return 0 if cost < WORTH_PROCESSES else min(os.cpu_count() or 1, count)


def _guessed_workers(executor: Executor | None) -> int:
    return int(getattr(executor, "_max_workers", 0) or os.cpu_count() or 1)


def _blocks(preset: Preset, seeds: Sequence[int], epochs: int, workers: int) -> list[Block]:
    """Blocks of equal size, some for each worker, none smaller than what fits side by side."""
    side_by_side = replicas_side_by_side(preset.configuration)
    shares = workers * BLOCKS_PER_WORKER if workers > 1 else len(seeds)
    size = max(-(-len(seeds) // max(shares, 1)), min(side_by_side, -(-len(seeds) // workers)), 1)
    size = -(-size // side_by_side) * side_by_side if size > side_by_side else size
    return [
        Block(preset.configuration, preset.goal, epochs, tuple(seeds[start : start + size]))
        for start in range(0, len(seeds), size)
    ]


def _results(blocks: Sequence[Block], executor: Executor | None) -> Iterator[list[Outcome]]:
    if executor is None:
        yield from map(train_block, blocks)
        return
    waiting = {executor.submit(train_block, block) for block in blocks}
    try:
        while waiting:
            done, waiting = wait(waiting, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            # Also where nothing is done, so that the caller can end the sweep.
            yield [outcome for future in done for outcome in future.result()]
    finally:
        for future in waiting:
            future.cancel()
