"""Train many variants of a preset from the same seeds until a deadline."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nntui.core.engine.data import load_data
from nntui.core.settings.configuration import Configuration
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.worker import Job, Timed, do, make_ready, share, timed
from nntui.diagnosis.finding import Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import merged, override
from nntui.sweeps.block import Block, Outcome, replicas_side_by_side, seconds_of

HEARTBEAT = 0.1
"""Seconds between two calls of the progress, at the most, where others do the training."""
LONGEST_BLOCK = 1.0
"""Seconds that a block should take at most, where seeds are trained one by one."""
AHEAD = 2
"""Blocks handed out for each worker: one to train, one to begin with at once."""
GRACE = 1 / 3
"""Of the time that a round leaves to the next ones, the share that its last blocks may take."""
PROBE = 0.03
"""Seconds of training by which the speed of the machine is told."""
STARTING, PROBING = 0.3, 0.1
"""Shares of the time left that workers may take to start, and that the speed may take to tell."""

OnProgress = Callable[[str, float], bool]
"""Called with what is being done and the share of the time that is spent; False ends it."""


@dataclass(eq=False)
class Trial:
    """One fix, and how the seeds ended with it, by the number of epochs."""

    base: Preset
    """The preset that is diagnosed."""
    fix: Fix
    rows: int | None = None
    """An epoch is so many rows drawn at random; None for those of the preset."""
    outcomes: dict[int, dict[int, Outcome]] = field(default_factory=lambda: defaultdict(dict))
    slowness: float | None = None
    """Seconds that its blocks take for each that was estimated; None before the first."""

    @cached_property
    def changes(self) -> Mapping[str, Any]:
        """What `preset` has changed."""
        return merged({} if self.rows is None else shortened(self.rows), self.fix.changes)

    @cached_property
    def preset(self) -> Preset:
        """The preset with the fix in it, and a goal to match."""
        return with_goal(override(self.base, self.changes), self.base)

    def block(self, seeds: Sequence[int], epochs: int) -> Block:
        """What trains ``seeds`` for ``epochs``."""
        return Block(self.preset.configuration, self.preset.goal, epochs, tuple(seeds))

    @property
    def side_by_side(self) -> bool:
        """Whether its seeds are trained together, so that more of them cost little."""
        return replicas_side_by_side(self.preset.configuration) > 1


def shortened(rows: int) -> dict[str, Any]:
    """The changes that make an epoch of ``rows`` rows, drawn at random."""
    return {"training.order": "random", "training.draws": rows}


def with_goal(changed: Preset, preset: Preset) -> Preset:
    """``changed`` with the goal of ``preset`` in the units of its own reported loss.

    A squared loss shrinks with the square of the targets, an absolute one with the targets; a
    column that shrinks most decides.  A sum shrinks with the number of rows in an epoch.
    """
    now, before = changed.configuration, preset.configuration
    ratio = _loss_ratio(now, before)
    if now.report.reduction == "sum":
        ratio *= now.samples_per_epoch / before.samples_per_epoch
    if ratio == 1.0:
        return changed
    return replace(changed, goal=replace(changed.goal, loss=changed.goal.loss * ratio))


def _loss_ratio(changed: Configuration, before: Configuration) -> float:
    """How many times as large a loss the targets of ``changed`` make."""
    if changed.data == before.data:
        return 1.0
    now, then = load_data(changed).y, load_data(before).y
    if now.shape != then.shape or (now == then).all():
        return 1.0
    spread, spread_before = np.ptp(now, axis=1), np.ptp(then, axis=1)
    moving = spread_before > 0
    if not moving.any():
        return 1.0
    power = 2 if "squared" in before.report.loss else 1
    return float((spread[moving] / spread_before[moving]).min()) ** power


Task = tuple[Trial, Sequence[int], int]
"""A trial, the seeds to train, and for how many epochs."""


class Laboratory:
    """Trains blocks on an executor, or in this thread without one, until a deadline.

    Which seeds come to an end depends on the time, how each of them ends does not.
    """

    def __init__(
        self,
        preset: Preset,
        executor: Executor | None,
        workers: int,
        deadline: Deadline,
        progress: OnProgress | None = None,
    ) -> None:
        self.preset, self.deadline = preset, deadline
        """What all trials are made of, and until when."""
        self.executor, self.workers = executor, max(workers, 1)
        self._whole = deadline.left
        self.stopped = False
        """Whether the progress asked for an end."""
        self.slowness = 1.0
        """As `Trial.slowness`, of the first trial."""
        self._progress = progress
        self._folder: TemporaryDirectory[str] | None = None
        self._ready: list[Future[None]] = []
        if executor is not None:
            self._folder = TemporaryDirectory(prefix="nntui-")
            share(preset, self._file)
            self._ready = [executor.submit(make_ready, self._file) for _ in range(self.workers)]

    def close(self) -> None:
        """Remove what was written for the workers."""
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _file(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name, "preset")

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.deadline.left

    def measure_speed(self, trial: Trial, seeds: Sequence[int]) -> None:
        """Learn how fast this machine is from a few epochs of ``trial``, on all workers at once."""
        one = seconds_of(trial.block(seeds, 1))
        epochs = max(int(PROBE / max(one, 1e-9)), 1)
        if one < self.left / 10:
            wait(self._ready, timeout=max(self.deadline.share(STARTING).left, 0.0))
            until = self.deadline.share(PROBING)
            # The first time something is trained takes longer.
            self.slowness = self._slowness(trial, trial.block(seeds, 1), until)
            if not until.passed:
                self.slowness = self._slowness(trial, trial.block(seeds, epochs), until)

    def _slowness(self, trial: Trial, block: Block, until: Deadline) -> float:
        """The seconds that the slowest worker takes for each that was estimated for ``block``.

        Where it does not come to an end in time, those that have passed: it is slower than that.
        """
        started = self.deadline.clock()
        if self.executor is None:
            results = [timed(block, until)]
        else:
            futures = [self._submit(trial, block, until) for _ in range(self.workers)]
            done, _ = wait(futures, timeout=max(until.left, 0.0))
            results = [each.result() for each in done if each.exception() is None]
        taken = [seconds for ended, seconds in results if len(ended) == len(block.seeds)]
        if len(taken) < len(results) or not results:
            taken = [self.deadline.clock() - started]
        return max(max(taken) / max(seconds_of(block), 1e-9), 0.1)

    def _submit(self, trial: Trial, block: Block, cut: Deadline) -> Future[Timed]:
        assert self.executor is not None
        job = Job(self._file, trial.changes, block.goal, block.epochs, block.seeds)
        return self.executor.submit(do, job, cut)

    def seconds_for(self, tasks: Iterable[Task]) -> float:
        """About how long ``tasks`` take when all workers share them."""
        total = 0.0
        for trial, seeds, epochs in tasks:
            slowness = self.slowness if trial.slowness is None else trial.slowness
            total += seconds_of(trial.block(seeds, epochs)) * slowness
        return total / self.workers

    def run(self, words: str, tasks: Iterable[Task], share: float = 1.0) -> bool:
        """Train ``tasks`` in their order; whether all came to an end.

        After ``share`` of the time that is left no further block is begun; those that are trained
        then have a part of the rest to come to an end.
        """
        waiting = deque(
            (trial, block)
            for trial, seeds, epochs in tasks
            for block in self._blocks(trial, seeds, epochs)
        )
        until, cut = self.deadline.share(share), self.deadline.share(share + (1 - share) * GRACE)
        running: dict[Future[Timed], tuple[Trial, Block]] = {}
        while self.go_on(words) and (running or (waiting and not until.passed)):
            if self.executor is None:
                trial, block = waiting.popleft()
                self._note(trial, block, timed(block, cut))
                continue
            while waiting and len(running) < AHEAD * self.workers and not until.passed:
                trial, block = waiting.popleft()
                try:
                    running[self._submit(trial, block, cut)] = trial, block
                except BrokenProcessPool:
                    self.stopped = True
                    break
            done, _ = wait(running, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    # A signal to the whole group ends the workers first.
                    self.stopped = True
                else:
                    self._note(*task, future.result())
        return not waiting and not running

    def go_on(self, words: str) -> bool:
        """Tell the progress that ``words`` are being done; whether there is time for more."""
        if self._progress is not None and not self.stopped:
            self.stopped = not self._progress(words, 1 - self.left / max(self._whole, 1e-9))
        return not self.stopped and self.left > 0

    def _blocks(self, trial: Trial, seeds: Sequence[int], epochs: int) -> Iterable[Block]:
        left = [seed for seed in seeds if seed not in trial.outcomes[epochs]]
        size = len(left)
        if not trial.side_by_side and left:
            one = self.seconds_for([(trial, left[:1], epochs)]) * self.workers
            size = max(int(LONGEST_BLOCK / max(one, 1e-9)), 1)
        for start in range(0, len(left), max(size, 1)):
            yield trial.block(left[start : start + size], epochs)

    def _note(self, trial: Trial, block: Block, result: Timed) -> None:
        outcomes, seconds = result
        trial.outcomes[block.epochs].update((each.seed, each) for each in outcomes)
        slowness = max(seconds / max(seconds_of(block), 1e-9), 0.01)
        if len(outcomes) == len(block.seeds):
            trial.slowness = slowness
        elif trial.slowness is not None:
            # It is slower than that: it did not come to an end.
            trial.slowness = max(trial.slowness, slowness)
