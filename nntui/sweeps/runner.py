"""Runs a sweep: splits the seeds into blocks, and trains the blocks on any executor."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from time import perf_counter

from nntui.core.engine.player_names import AUTO, COMPILED
from nntui.players.player_choice import check_player
from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed
from nntui.sweeps.block import (
    Block,
    Outcome,
    player_of,
    replicas_side_by_side,
    seconds_per_update,
    train_block,
)
from nntui.sweeps.processes import local_processes
from nntui.sweeps.result import SweepResult

WORTH_PROCESSES = 0.5
"""Minimum seconds of training for which starting processes is worth it."""
LONGEST_BLOCK = 2.0
"""Maximum seconds that a block should take, because results arrive block by block."""
FEWEST_SIDE_BY_SIDE = 256
"""Minimum replicas in a block, even if it takes longer: fewer are inefficient."""
IN_FLIGHT = 4
"""Blocks submitted per worker: enough to keep it busy, few to abandon at an early end."""
HEARTBEAT = 0.2
"""Maximum seconds between two calls of the progress callback."""

ProgressCallback = Callable[[Sequence[Outcome], int], bool]
"""Called with the outcomes so far and the number of seeds; returning False ends the sweep early."""


def sweep(
    preset: Preset,
    seeds: Iterable[int] = range(100),
    executor: Executor | None = None,
    *,
    epochs: int | None = None,
    player: str = AUTO,
    progress: ProgressCallback | None = None,
) -> SweepResult:
    """Train ``preset`` from each of ``seeds`` for ``epochs`` (None: the preset's own budget).

    ``executor`` is any ``concurrent.futures.Executor``; without one, local processes are used
    if the sweep is long enough.  Each seed's outcome equals that of a single run to 1e-9, whatever
    the ``player``: ``numpy``, ``compiled``, or ``auto``, which is decided where a block is trained.
    Raises ConfigError for an invalid seed, and for a player that does not exist or is not
    installed.
    """
    check_player(player)
    asked = [check_seed(seed) for seed in seeds]
    budget = preset.goal.epochs if epochs is None else epochs
    started, done = perf_counter(), dict[int, Outcome]()
    whole = Block(preset.configuration, preset.goal, budget, tuple(asked), player).settled
    seconds = seconds_per_update(preset.configuration, player_of(whole))
    seconds *= budget * preset.configuration.updates_per_epoch
    workers = _workers(seconds * len(asked)) if executor is None else 0
    sharing = workers or _guessed_workers(executor)
    blocks = _blocks(whole, seconds, sharing)
    with local_processes(workers) as local:
        for outcomes in _results(blocks, executor or local, sharing):
            done.update((outcome.seed, outcome) for outcome in outcomes)
            if progress is not None and not progress(list(done.values()), len(set(asked))):
                break
    return SweepResult(
        preset,
        budget,
        tuple(done[seed] for seed in asked if seed in done),
        perf_counter() - started,
    )


def _workers(seconds: float) -> int:
    """How many processes to start for ``seconds`` of training; 0 if it is too short."""
    return 0 if seconds < WORTH_PROCESSES else os.cpu_count() or 1


def _guessed_workers(executor: Executor | None) -> int:
    if executor is None:
        return 1
    return int(getattr(executor, "_max_workers", 0) or os.cpu_count() or 1)


def _blocks(whole: Block, seconds: float, workers: int) -> Iterator[Block]:
    """Split ``whole`` into blocks that are short, but wide enough to be fast.

    ``seconds`` is the estimate for one seed.
    """
    seeds = whole.seeds
    player = player_of(whole)
    side_by_side = replicas_side_by_side(whole.configuration, player)
    share = max(-(-len(seeds) // workers), 1)
    size = max(min(int(LONGEST_BLOCK / max(seconds, 1e-9)), share), 1)
    if player == COMPILED:
        # Whole groups, of which a block may have any number.
        size = max(size // side_by_side * side_by_side, min(side_by_side, share))
    elif side_by_side > 1:
        size = min(max(size, min(FEWEST_SIDE_BY_SIDE, share)), side_by_side)
    for start in range(0, len(seeds), size):
        part = tuple(seeds[start : start + size])
        yield replace(whole, seeds=part)


def _results(
    blocks: Iterator[Block], executor: Executor | None, workers: int
) -> Iterator[list[Outcome]]:
    if executor is None:
        yield from map(train_block, blocks)
        return
    waiting: set[Future[list[Outcome]]] = set()
    try:
        while True:
            for block in islice(blocks, IN_FLIGHT * workers - len(waiting)):
                waiting.add(executor.submit(train_block, block))
            if not waiting:
                return
            done, waiting = wait(waiting, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            broken = {each for each in done if isinstance(each.exception(), BrokenProcessPool)}
            # Yield even if no block is done, so that the caller can end the sweep before broken
            # blocks raise: a signal to the process group ends the workers too, and is no error.
            yield [outcome for future in done - broken for outcome in future.result()]
            for future in broken:
                future.result()
    finally:
        for future in waiting:
            future.cancel()
