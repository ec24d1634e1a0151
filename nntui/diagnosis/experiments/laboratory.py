"""Where fixes are tried: many changed presets, each from the same seeds, side by side in a time."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from nntui.core.engine.data import load_data
from nntui.diagnosis.finding import Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.sweeps.block import Block, Outcome, replicas_side_by_side, seconds_of, train_block

HEARTBEAT = 0.1
"""Seconds between two calls of the progress, at the most, where others do the training."""
LONGEST_BLOCK = 1.0
"""Seconds that a block should take at most, where seeds are trained one by one."""
AHEAD = 2
"""Blocks handed out for each worker: one to train, one to begin with at once."""
PROBE = 0.03
"""Seconds of training by which the speed of the machine is told."""

Progress = Callable[[str, float], bool]
"""Called with what is being done and the share of the time that is spent; False ends it."""


@dataclass(eq=False)
class Trial:
    """One fix, and how the seeds ended with it, by the number of epochs."""

    fix: Fix
    preset: Preset
    """The preset with the fix in it."""
    outcomes: dict[int, dict[int, Outcome]] = field(default_factory=lambda: defaultdict(dict))
    slowness: float | None = None
    """Seconds that its blocks take for each that was estimated; None before the first."""

    @classmethod
    def of(cls, preset: Preset, fix: Fix) -> "Trial":
        """A trial of ``fix`` on ``preset``."""
        return cls(fix, with_goal(override(preset, fix.changes), preset))

    def block(self, seeds: Sequence[int], epochs: int) -> Block:
        """What trains ``seeds`` for ``epochs``."""
        return Block(self.preset.configuration, self.preset.goal, epochs, tuple(seeds))

    @property
    def side_by_side(self) -> bool:
        """Whether its seeds are trained together, so that more of them cost little."""
        return replicas_side_by_side(self.preset.configuration) > 1


def with_goal(changed: Preset, preset: Preset) -> Preset:
    """``changed`` with the goal of ``preset`` in its own units, where its targets are scaled.

    A squared loss shrinks with the square of the targets, an absolute one with the targets; a
    column that shrinks most decides.
    """
    now, before = (load_data(each.configuration).y for each in (changed, preset))
    if now.shape != before.shape or (now == before).all():
        return changed
    spread, spread_before = np.ptp(now, axis=1), np.ptp(before, axis=1)
    moving = spread_before > 0
    if not moving.any():
        return changed
    power = 2 if "squared" in preset.configuration.report.loss else 1
    ratio = float((spread[moving] / spread_before[moving]).min()) ** power
    return replace(changed, goal=replace(changed.goal, loss=changed.goal.loss * ratio))


Task = tuple[Trial, Sequence[int], int]
"""A trial, the seeds to train, and for how many epochs."""


def timed(block: Block) -> tuple[list[Outcome], float]:
    """The outcomes of ``block``, and the seconds that they took."""
    started = perf_counter()
    outcomes = train_block(block)
    return outcomes, perf_counter() - started


class Laboratory:
    """Trains blocks on an executor, or in this thread without one, until a time is over.

    Which seeds come to an end depends on the time, how each of them ends does not.
    """

    def __init__(
        self,
        executor: Executor | None,
        workers: int,
        seconds: float,
        progress: Progress | None = None,
    ) -> None:
        self.executor, self.workers = executor, max(workers, 1)
        self.started, self.seconds = perf_counter(), seconds
        self.stopped = False
        """Whether the progress asked for an end."""
        self.slowness = 1.0
        """As `Trial.slowness`, of the first trial."""
        self._progress = progress

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.started + self.seconds - perf_counter()

    def probe(self, trial: Trial, seeds: Sequence[int]) -> None:
        """Learn how fast this machine is from a few epochs of ``trial``."""
        one = seconds_of(trial.block(seeds, 1))
        epochs = max(int(PROBE / max(one, 1e-9)), 1)
        if one < self.left / 10:
            timed(trial.block(seeds, 1))  # what only the first one takes
            _, seconds = timed(trial.block(seeds, epochs))
            self.slowness = max(seconds / (epochs * one), 0.1)

    def seconds_for(self, tasks: Iterable[Task]) -> float:
        """About how long ``tasks`` take when all workers share them."""
        total = 0.0
        for trial, seeds, epochs in tasks:
            slowness = self.slowness if trial.slowness is None else trial.slowness
            total += seconds_of(trial.block(seeds, epochs)) * slowness
        return total / self.workers

    def run(self, words: str, tasks: Iterable[Task], share: float = 1.0) -> bool:
        """Train ``tasks`` in their order; whether all came to an end.

        After ``share`` of the time that is left no further block is begun.
        """
        waiting = deque(
            (trial, block)
            for trial, seeds, epochs in tasks
            for block in self._blocks(trial, seeds, epochs)
        )
        until = perf_counter() + share * self.left
        running: dict[Future[tuple[list[Outcome], float]], tuple[Trial, Block]] = {}
        while self.go_on(words) and (running or (waiting and perf_counter() < until)):
            if self.executor is None:
                trial, block = waiting.popleft()
                self._note(trial, block, timed(block))
                continue
            while waiting and len(running) < AHEAD * self.workers and perf_counter() < until:
                trial, block = waiting.popleft()
                running[self.executor.submit(timed, block)] = trial, block
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
            self.stopped = not self._progress(words, 1 - self.left / max(self.seconds, 1e-9))
        return not self.stopped and self.left > 0

    def _blocks(self, trial: Trial, seeds: Sequence[int], epochs: int) -> Iterable[Block]:
        left = [seed for seed in seeds if seed not in trial.outcomes[epochs]]
        size = len(left)
        if not trial.side_by_side and left:
            one = self.seconds_for([(trial, left[:1], epochs)]) * self.workers
            size = max(int(LONGEST_BLOCK / max(one, 1e-9)), 1)
        for start in range(0, len(left), max(size, 1)):
            yield trial.block(left[start : start + size], epochs)

    def _note(self, trial: Trial, block: Block, result: tuple[list[Outcome], float]) -> None:
        outcomes, seconds = result
        trial.outcomes[block.epochs].update((each.seed, each) for each in outcomes)
        trial.slowness = max(seconds / max(seconds_of(block), 1e-9), 0.01)
