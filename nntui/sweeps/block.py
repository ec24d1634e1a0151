"""Trains a block of seeds to the end, as a pure function that any executor can run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nntui.core.engine.ensemble import (
    Ensemble,
    numbers_per_replica,
    products_per_update,
    samples_per_update,
    worthwhile,
)
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer, initial_states
from nntui.core.settings.configuration import Configuration
from nntui.presets.preset import Goal

CACHE = 1_800_000
"""Maximum bytes of the buffers of replicas trained together, to stay in a core's cache."""
FEWEST = 4
"""Minimum replicas for which training together is faster than one by one (measured)."""
SECONDS_PER_LAYER = 6.5e-6
"""Approximate overhead in seconds of an update per layer, for any number of replicas."""
CHECK_EVERY = 256
"""Number of updates between two checks for replicas that might overflow."""
STRIDE = 0.02
"""Approximate seconds of training a single network between two calls of ``stopped``."""


def never() -> bool:
    """False: the default of ``stopped``, which trains to the end."""
    return False


@dataclass(frozen=True)
class Block:
    """The seeds to train in one call, with everything that this needs."""

    configuration: Configuration
    goal: Goal
    epochs: int
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """How the run of one seed ended."""

    seed: int
    final_loss: float | None
    """The last reported loss; None if there is none."""
    updates: int
    diverged: bool

    def solved(self, goal: Goal) -> bool:
        """See `timeline.Run.solved`."""
        return not self.diverged and goal.reached(self.final_loss)


def replicas_side_by_side(configuration: Configuration) -> int:
    """How many replicas to train together; 1 if single networks are faster."""
    if not worthwhile(configuration):
        return 1
    return max(CACHE // (8 * numbers_per_replica(configuration)), 8)


def seconds_per_update(configuration: Configuration) -> float:
    """A rough estimate in seconds for one update of one replica, on a core of about 2020."""
    numbers = numbers_per_replica(configuration)
    if replicas_side_by_side(configuration) > 1:
        return 0.5e-9 * numbers * samples_per_update(configuration) / configuration.batch_size
    normalised = sum(layer.normalise for layer in configuration.layers)
    return (
        8e-6 + 12e-6 * normalised + 1.5e-9 * numbers + 0.3e-9 * products_per_update(configuration)
    )


def seconds_of(block: Block) -> float:
    """A rough estimate in seconds for training ``block`` to the end, on a core of about 2020."""
    configuration = block.configuration
    side_by_side = replicas_side_by_side(configuration)
    updates = block.epochs * configuration.updates_per_epoch
    seconds = len(block.seeds) * seconds_per_update(configuration)
    if side_by_side > 1:
        groups = -(-len(block.seeds) // side_by_side)
        seconds += groups * SECONDS_PER_LAYER * len(configuration.layers)
    return updates * seconds


@np.errstate(all="ignore")
def train_block(block: Block, stopped: Callable[[], bool] = never) -> list[Outcome]:
    """Train every seed of ``block``; each outcome equals that of a single run of the seed.

    ``stopped()`` is called every few updates; once it is true, only finished seeds are returned.
    Of seeds trained together that is all or none, because solved ones finish early.
    """
    size = replicas_side_by_side(block.configuration)
    outcomes: list[Outcome] = []
    for start in range(0, len(block.seeds), size):
        if stopped():
            break
        seeds = block.seeds[start : start + size]
        states = list(initial_states(block.configuration, seeds))
        ended = list(_train(block, seeds, states, stopped))
        if size > 1 and None in ended:
            break
        outcomes += [each for each in ended if each is not None]
    return outcomes


def _train(
    block: Block, seeds: Sequence[int], states: Sequence[State], stopped: Callable[[], bool]
) -> Iterator[Outcome | None]:
    """The outcome of each seed, in the order of their ends; None where training was stopped."""
    if block.epochs == 0 or len(states) < FEWEST or not worthwhile(block.configuration):
        for seed, state in zip(seeds, states, strict=True):
            yield _train_single(block, seed, state, stopped)
        return
    per_epoch = block.configuration.updates_per_epoch
    look = max(CHECK_EVERY // per_epoch, 1)
    ensemble, seeds = Ensemble(states), list(seeds)
    losses = np.full(ensemble.count, np.nan)
    known: list[float | None] = [None] * len(seeds)
    while ensemble.epoch < block.epochs:
        if stopped():
            yield None
            return
        before, begun = ensemble.state(), ensemble.epoch
        at_target: dict[int, Outcome] = {}
        total = np.zeros(ensemble.count)
        for epoch, losses in ensemble.train(min(look, block.epochs - begun)):
            # A sum stays non-finite once one of its terms is.
            total += losses
            if block.goal.stop:
                for column in np.flatnonzero(losses <= block.goal.loss).tolist():
                    updates = (epoch + 1) * per_epoch
                    outcome = Outcome(seeds[column], float(losses[column]), updates, False)
                    at_target.setdefault(column, outcome)
        wild = ~(np.isfinite(total) & ensemble.safe())
        for column in np.flatnonzero(wild).tolist():
            # Replicas that might overflow, or did, are trained again one by one from the last
            # check, which finds the exact update.
            at_target.pop(column, None)
            state = before.replica(column)
            yield _train_single(block, seeds[column], state, stopped, known[column])
        yield from at_target.values()
        going = [c for c in range(ensemble.count) if not wild[c] and c not in at_target]
        if ensemble.epoch >= block.epochs:
            updates = ensemble.epoch * per_epoch
            for column in going:
                yield Outcome(seeds[column], float(losses[column]), updates, False)
            return
        if not going:
            return
        losses = losses[going]
        known = losses.tolist()
        if len(going) < ensemble.count:
            seeds = [seeds[column] for column in going]
            now = ensemble.state()
            ensemble = Ensemble([now.replica(column) for column in going])


def _train_single(
    block: Block,
    seed: int,
    state: State,
    stopped: Callable[[], bool],
    known: float | None = None,
) -> Outcome | None:
    """Train one seed from ``state``; None if stopped.

    ``known`` is the loss that was reported last, if any.
    """
    losses = [] if known is None else [known]
    trainer = Trainer(state, lambda epoch, loss: losses.append(loss))
    per_epoch, report = block.configuration.updates_per_epoch, block.configuration.report
    stops = block.goal.stop
    stride = max(int(STRIDE / seconds_per_update(block.configuration)), 1)
    while trainer.epoch < block.epochs and trainer.divergence is None:
        if stopped():
            return None
        end = min(report.next_from(trainer.epoch) + 1, block.epochs) if stops else block.epochs
        trainer.advance(min((end - trainer.epoch) * per_epoch - trainer.position, stride))
        del losses[:-1]
        at_end = trainer.position == 0
        if stops and at_end and losses and block.goal.reached(losses[-1]):
            break
    final = losses[-1] if losses else None
    return Outcome(seed, final, trainer.update, trainer.divergence is not None)
