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

from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.worker import Job, Timed, do, make_ready, share, timed
from nntui.diagnosis.finding import Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import merged, override
from nntui.sweeps.block import Block, Outcome, replicas_side_by_side, seconds_of

HEARTBEAT = 0.1
"""Longest time in seconds between two calls of the progress while workers train."""
LONGEST_BLOCK = 1.0
"""Planned duration of a block in seconds, if seeds are trained one by one."""
AHEAD = 2
"""Blocks submitted per worker: one in training, one waiting."""
GRACE = 1 / 3
"""Share of the time after a round that its last blocks may use to finish."""
PROBE = 0.03
"""Seconds of training from which the speed of the machine is estimated."""
STARTING, PROBING = 0.3, 0.1
"""Shares of the remaining time for starting the workers and for measuring the speed."""

OnProgress = Callable[[str, float], bool]
"""Called with the current activity and the share of time used; returns False to stop."""


@dataclass(eq=False)
class Trial:
    """A fix and the outcomes of its seeds, by number of epochs."""

    base: Preset
    """The preset that is diagnosed."""
    fix: Fix
    rows: int | None = None
    """Rows per epoch, drawn at random; None for the preset's own epochs."""
    outcomes: dict[int, dict[int, Outcome]] = field(default_factory=lambda: defaultdict(dict))
    slowness: float | None = None
    """Ratio of the measured to the estimated duration of its blocks; None before the first."""

    @cached_property
    def changes(self) -> Mapping[str, Any]:
        """The changed entries of `preset`, by dotted key."""
        return merged({} if self.rows is None else shortened(self.rows), self.fix.changes)

    @cached_property
    def preset(self) -> Preset:
        """The preset with the fix applied and its goal adapted."""
        return with_goal(override(self.base, self.changes), self.base)

    def block(self, seeds: Sequence[int], epochs: int) -> Block:
        """The block that trains ``seeds`` for ``epochs``."""
        return Block(self.preset.configuration, self.preset.goal, epochs, tuple(seeds))

    @property
    def side_by_side(self) -> bool:
        """Whether its seeds are trained side by side, so that more of them cost little."""
        return replicas_side_by_side(self.preset.configuration) > 1


def shortened(rows: int) -> dict[str, Any]:
    """Changes by which an epoch consists of ``rows`` rows drawn at random."""
    return {"training.order": "random", "training.draws": rows}


def with_goal(changed: Preset, preset: Preset) -> Preset:
    """``changed`` with the goal of ``preset``, to be held against its own reported loss.

    Scaled targets are reported in the units of the data, so only a sum differs: it grows with the
    number of rows that a report covers.
    """
    now, before = changed.configuration, preset.configuration
    if now.report.reduction != "sum" or now.reported_samples == before.reported_samples:
        return changed
    ratio = now.reported_samples / before.reported_samples
    return replace(changed, goal=replace(changed.goal, loss=changed.goal.loss * ratio))


Task = tuple[Trial, Sequence[int], int]
"""A trial, the seeds to train, and the number of epochs."""


class Laboratory:
    """Trains blocks on an executor, or in this thread without one, until a deadline.

    Time decides which seeds finish, but not their outcomes.
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
        """The preset that is diagnosed, and the end of all training."""
        self.executor, self.workers = executor, max(workers, 1)
        self._whole = deadline.left
        self.stopped = False
        """Whether the progress asked to stop."""
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
        """Remove the file written for the workers."""
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _file(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name, "preset")

    @property
    def left(self) -> float:
        """The remaining seconds."""
        return self.deadline.left

    def measure_speed(self, trial: Trial, seeds: Sequence[int]) -> None:
        """Measure the speed of a few epochs of ``trial`` on all workers at once."""
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
        """The ratio of measured to estimated duration of ``block`` on the slowest worker.

        If the block does not finish in time, the time that has passed is a lower bound.
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
        """The estimated duration of ``tasks`` on all workers together."""
        total = 0.0
        for trial, seeds, epochs in tasks:
            slowness = self.slowness if trial.slowness is None else trial.slowness
            total += seconds_of(trial.block(seeds, epochs)) * slowness
        return total / self.workers

    def run(self, words: str, tasks: Iterable[Task], share: float = 1.0) -> bool:
        """Train ``tasks`` in order; returns whether all of them finished.

        After ``share`` of the remaining time no further block is started; running ones have a
        part of the rest to finish.
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
                running[self._submit(trial, block, cut)] = trial, block
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
        """Report ``words`` as the current activity; returns whether to continue."""
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
            # An unfinished block gives a lower bound.
            trial.slowness = max(trial.slowness, slowness)
