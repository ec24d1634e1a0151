"""Train many variants of a preset from the same seeds until a deadline."""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, zip_longest
from typing import Any

from nntui.core.engine.player_names import AUTO
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.results import Ended
from nntui.diagnosis.experiments.worker import Job, do, make_ready, train_until
from nntui.diagnosis.finding import Fix
from nntui.players.player_choice import chosen_player
from nntui.presets.preset import Preset
from nntui.presets.schema import merged, override
from nntui.sweeps.block import Block, Outcome, replicas_side_by_side, seconds_of

HEARTBEAT = 0.1
"""Longest time in seconds between two calls of the progress while workers train."""
LONGEST_BLOCK = 0.5
"""Planned duration of a block in seconds, if seeds are trained one by one."""
AHEAD = 2
"""Blocks submitted per worker: one in training, one waiting."""

OnProgress = Callable[[str, float], bool]
"""Called with the current activity and the share of time used; returns False to stop."""


@dataclass(eq=False)
class Trial:
    """A fix and the outcomes of its seeds, by the epochs of the round."""

    base: Preset
    """The preset that is diagnosed."""
    fix: Fix
    rows: int | None = None
    """Rows per epoch, drawn at random; None for the preset's own epochs."""
    player: str = AUTO
    """What makes the updates; see `core.engine.player_names`."""
    outcomes: dict[int, dict[int, Outcome]] = field(default_factory=lambda: defaultdict(dict))

    @cached_property
    def changes(self) -> Mapping[str, Any]:
        """The changed entries of `preset`, by dotted key."""
        return merged({} if self.rows is None else shortened(self.rows), self.fix.changes)

    @cached_property
    def preset(self) -> Preset:
        """The preset with the fix applied and its goal adapted."""
        return with_goal(override(self.base, self.changes), self.base)

    def hold_against(self, loss: float) -> None:
        """Hold all outcomes against another goal of the preset that is diagnosed."""
        self.base = replace(self.base, goal=replace(self.base.goal, loss=loss))
        self.__dict__.pop("preset", None)

    def epochs(self, epochs: int) -> int:
        """The epochs it is trained for in a round of ``epochs``.

        That is the same share of its own budget as ``epochs`` are of the preset's.
        """
        own, given = self.preset.goal.epochs, self.base.goal.epochs
        return epochs if own == given else max(epochs * own // max(given, 1), 1)

    def block(self, seeds: Sequence[int], epochs: int) -> Block:
        """The block that trains ``seeds`` in a round of ``epochs``."""
        length = self.epochs(epochs)
        preset = self.preset
        made = Block(preset.configuration, preset.goal, length, tuple(seeds), self.player)
        return made.settled

    def seconds(self, seeds: Sequence[int], epochs: int) -> float:
        """A rough estimate for that on one core: it depends on the preset, not on the machine."""
        return seconds_of(self.block(seeds, epochs))

    def seconds_left(self, seeds: Sequence[int], epochs: int) -> float:
        """The same where a stop rule ends the seeds that were solved, as early as before."""
        goal, per_epoch = self.preset.goal, self.preset.configuration.updates_per_epoch
        if goal.stop:
            ends = {
                seed: each.updates
                for outcomes in self.outcomes.values()
                for seed, each in outcomes.items()
                if each.solved(goal)
            }
            if all(seed in ends for seed in seeds):
                epochs = -(-max(ends[seed] for seed in seeds) // per_epoch)
        return self.seconds(seeds, epochs)

    def ended(self) -> dict[int, dict[int, Ended]]:
        """See `Tried.ended`."""
        goal = self.preset.goal
        unit = goal.loss if goal.loss > 0.0 else 1.0
        return {
            epochs: {
                seed: Ended(each.solved(goal), _final(each) / unit)
                for seed, each in list(outcomes.items())
            }
            for epochs, outcomes in list(self.outcomes.items())
        }

    @property
    def side_by_side(self) -> bool:
        """Whether its seeds are trained side by side, so that more of them cost little."""
        configuration = self.preset.configuration
        player = chosen_player(self.player, configuration)
        return replicas_side_by_side(configuration, player) > 1


def _final(outcome: Outcome) -> float:
    """The final loss, that of a diverged run being infinite."""
    loss = outcome.final_loss
    return math.inf if outcome.diverged or loss is None or not math.isfinite(loss) else loss


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
"""A trial, the seeds to train, and the epochs of the round."""


class Laboratory:
    """Trains blocks on an executor, or in this thread without one, until a deadline.

    The processes of the executor share the preset.

    The deadline cuts off what is under way; it decides neither what is trained nor its outcomes.
    """

    def __init__(
        self,
        preset: Preset,
        executor: Executor | None,
        workers: int,
        deadline: Deadline,
        progress: OnProgress | None = None,
        player: str = AUTO,
    ) -> None:
        self.preset, self.deadline, self.player = preset, deadline, player
        """The preset that is diagnosed, and the end of all training."""
        self.executor, self.workers = executor, max(workers, 1)
        self._whole = deadline.left
        self.stopped = False
        """Whether the progress asked to stop."""
        self._progress = progress
        if executor is not None:
            for _ in range(self.workers):
                executor.submit(make_ready)

    @property
    def left(self) -> float:
        """The remaining seconds."""
        return self.deadline.left

    def run(self, words: str, tasks: Iterable[Task]) -> bool:
        """Train ``tasks``, the first seeds of all of them first; returns whether all finished."""
        blocks = [
            [(trial, epochs, block) for block in self._blocks(trial, seeds, epochs)]
            for trial, seeds, epochs in tasks
        ]
        waiting: deque[tuple[Trial, int, Block]]
        waiting = deque(filter(None, chain.from_iterable(zip_longest(*blocks))))
        running: dict[Future[list[Outcome]], tuple[Trial, int, Block]] = {}
        while self.go_on(words) and (running or waiting):
            if self.executor is None:
                trial, epochs, block = waiting.popleft()
                if not self._note(trial, epochs, train_until(block, self.deadline), block):
                    return False
                continue
            while waiting and len(running) < AHEAD * self.workers:
                trial, epochs, block = waiting.popleft()
                job = Job(trial.changes, block.goal, block.epochs, block.seeds, block.player)
                running[self.executor.submit(do, job, self.deadline)] = trial, epochs, block
            done, _ = wait(running, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
            for future in done:
                trial, epochs, block = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    # A signal to the whole group ends the workers first.
                    self.stopped = True
                else:
                    self._note(trial, epochs, future.result(), block)
        return not waiting and not running

    def go_on(self, words: str) -> bool:
        """Report ``words`` as the current activity; returns whether to continue."""
        if self._progress is not None and not self.stopped:
            self.stopped = not self._progress(words, 1 - self.left / max(self._whole, 1e-9))
        return not self.stopped and self.left > 0

    def _blocks(self, trial: Trial, seeds: Sequence[int], epochs: int) -> Iterable[Block]:
        left = [seed for seed in seeds if seed not in trial.outcomes[epochs]]
        size = max(len(left), 1)
        if not trial.side_by_side and left:
            one = trial.seconds(left[:1], epochs)
            size = max(int(LONGEST_BLOCK / max(one, 1e-9)), 1)
        for start in range(0, len(left), size):
            yield trial.block(left[start : start + size], epochs)

    def _note(self, trial: Trial, epochs: int, outcomes: list[Outcome], block: Block) -> bool:
        """Keep the outcomes of ``block``; returns whether all of its seeds came to an end."""
        trial.outcomes[epochs].update((each.seed, each) for each in outcomes)
        return len(outcomes) == len(block.seeds)
