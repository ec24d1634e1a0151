"""Trains a block of seeds to the end, as a pure function that any executor can run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nntui.core.engine.ensemble import (
    Ensemble,
    is_normalised,
    numbers_per_replica,
    products_per_update,
    samples_per_update,
    worthwhile,
)
from nntui.core.engine.player_names import AUTO, COMPILED, NUMPY
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer, initial_states
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array
from nntui.players.compiled_ensemble import (
    REPLICAS,
    CompiledEnsemble,
    replicas_fill_vectors,
)
from nntui.players.player_choice import chosen_player
from nntui.players.trainers import trainer_of
from nntui.presets.preset import Goal

CACHE = 1_800_000
"""Maximum bytes of the buffers of replicas trained together, to stay in a core's cache."""
FEWEST = 4
"""Minimum replicas for which training together is faster than one by one (measured)."""
SECONDS_PER_LAYER = 6.5e-6
"""Approximate overhead in seconds of an update per layer, for any number of replicas."""
CHECK_EVERY = {NUMPY: 256, COMPILED: 4096}
"""Number of updates between two checks for replicas that might overflow, by player."""
WORTH_COMPILING = 0.3
"""Seconds of NumPy's work from which compiling pays for itself."""
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
    player: str = AUTO
    """See `player_names`; ``auto`` is decided where the block is trained."""

    @property
    def settled(self) -> "Block":
        """The same, with NumPy as its player where that may be chosen and the work is short.

        Outcomes of both players agree, so that short work need not wait for the compiler.  Those
        of layer normalisation do not: it amplifies the last bits (see `worthwhile`).
        """
        free = self.player == AUTO and not is_normalised(self.configuration)
        short = free and _seconds(self, NUMPY) < WORTH_COMPILING
        return replace(self, player=NUMPY) if short else self


@dataclass(frozen=True)
class Outcome:
    """How the run of one seed ended."""

    seed: int
    final_loss: float | None
    """The last reported loss; None if there is none."""
    updates: int
    diverged: bool
    player: str = NUMPY
    """What made the updates."""

    def solved(self, goal: Goal) -> bool:
        """See `timeline.Run.solved`."""
        return not self.diverged and goal.reached(self.final_loss)


def player_of(block: Block) -> str:
    """What trains ``block`` here: ``numpy`` or ``compiled``; raises what `chosen_player` raises."""
    return chosen_player(block.player, block.configuration)


def replicas_side_by_side(configuration: Configuration, player: str = NUMPY) -> int:
    """How many replicas to train together; 1 if single networks are faster."""
    if player == COMPILED:
        return REPLICAS if replicas_fill_vectors(configuration) else 1
    if not worthwhile(configuration):
        return 1
    return max(CACHE // (8 * numbers_per_replica(configuration)), 8)


def seconds_per_update(configuration: Configuration, player: str = NUMPY) -> float:
    """A rough estimate in seconds for one update of one replica, on a core of about 2020."""
    numbers, products = numbers_per_replica(configuration), products_per_update(configuration)
    if player == COMPILED:
        if replicas_side_by_side(configuration, player) > 1:
            return 0.2e-9 * numbers
        return 0.1e-6 + 0.1e-9 * numbers + 0.25e-9 * products
    if replicas_side_by_side(configuration) > 1:
        return 0.5e-9 * numbers * samples_per_update(configuration) / configuration.batch_size
    normalised = sum(layer.normalise for layer in configuration.layers)
    return 8e-6 + 12e-6 * normalised + 1.5e-9 * numbers + 0.3e-9 * products


def seconds_of(block: Block) -> float:
    """A rough estimate in seconds for training ``block`` to the end, on a core of about 2020."""
    return _seconds(block, player_of(block))


def _seconds(block: Block, player: str) -> float:
    configuration = block.configuration
    side_by_side = replicas_side_by_side(configuration, player)
    updates = block.epochs * configuration.updates_per_epoch
    seconds = len(block.seeds) * seconds_per_update(configuration, player)
    if side_by_side > 1 and player == NUMPY:
        groups = -(-len(block.seeds) // side_by_side)
        seconds += groups * SECONDS_PER_LAYER * len(configuration.layers)
    return updates * seconds


@np.errstate(all="ignore")
def train_block(block: Block, stopped: Callable[[], bool] = never) -> list[Outcome]:
    """Train every seed of ``block``; each outcome equals that of a single run of the seed.

    ``stopped()`` is called every few updates; once it is true, only finished seeds are returned.
    Of seeds trained together that is all or none, because solved ones finish early.
    """
    player = player_of(block)
    trainers = _Trainers(block, player)
    size = trainers.side_by_side
    outcomes: list[Outcome] = []
    for start in range(0, len(block.seeds), size):
        if stopped():
            break
        seeds = block.seeds[start : start + size]
        states = list(initial_states(block.configuration, seeds, player))
        ended = list(_train(trainers, seeds, states, stopped))
        if size > 1 and None in ended:
            break
        outcomes += [each for each in ended if each is not None]
    return outcomes


def _train(
    trainers: "_Trainers",
    seeds: Sequence[int],
    states: Sequence[State],
    stopped: Callable[[], bool],
) -> Iterator[Outcome | None]:
    """The outcome of each seed, in the order of their ends; None where training was stopped."""
    block, player = trainers.block, trainers.player
    if block.epochs == 0 or len(states) < FEWEST or trainers.side_by_side == 1:
        for seed, state in zip(seeds, states, strict=True):
            yield trainers.single(seed, state, stopped)
        return
    per_epoch = block.configuration.updates_per_epoch
    look = max(CHECK_EVERY[player] // per_epoch, 1)
    ensemble, seeds = trainers.ensemble(states), list(seeds)
    last = np.full(ensemble.count, np.nan)
    known: list[float | None] = [None] * len(seeds)
    while ensemble.epoch < block.epochs:
        if stopped():
            yield None
            return
        before, begun = ensemble.state(), ensemble.epoch
        epochs, losses = ensemble.trained(min(look, block.epochs - begun))
        if len(losses):
            last = losses[-1]
        at_target = _at_target(block, seeds, epochs, losses, player) if block.goal.stop else {}
        wild = ~(np.isfinite(losses).all(axis=0) & ensemble.safe())
        for column in np.flatnonzero(wild).tolist():
            # Replicas that might overflow, or did, are trained again one by one from the last
            # check, which finds the exact update.
            at_target.pop(column, None)
            yield trainers.single(seeds[column], before.replica(column), stopped, known[column])
        yield from at_target.values()
        going = [c for c in range(ensemble.count) if not wild[c] and c not in at_target]
        if ensemble.epoch >= block.epochs:
            updates = ensemble.epoch * per_epoch
            for column in going:
                yield Outcome(seeds[column], float(last[column]), updates, False, player)
            return
        if not going:
            return
        last = last[going]
        known = last.tolist()
        if len(going) < ensemble.count:
            seeds = [seeds[column] for column in going]
            now = ensemble.state()
            ensemble = trainers.ensemble([now.replica(column) for column in going])


def _at_target(
    block: Block, seeds: Sequence[int], epochs: range, losses: Array, player: str
) -> dict[int, Outcome]:
    """The outcomes of the columns of ``losses`` that reach the goal, at the first such epoch."""
    reached = losses <= block.goal.loss
    found: dict[int, Outcome] = {}
    for column in np.flatnonzero(reached.any(axis=0)).tolist():
        row = int(reached[:, column].argmax())
        updates = (epochs[row] + 1) * block.configuration.updates_per_epoch
        loss = float(losses[row, column])
        found[column] = Outcome(seeds[column], loss, updates, False, player)
    return found


class _Trainers:
    """Trains the seeds of a block, as far as possible all of them in the same buffers."""

    def __init__(self, block: Block, player: str) -> None:
        self.block, self.player = block, player
        self.side_by_side = replicas_side_by_side(block.configuration, player)
        self._stride = max(int(STRIDE / seconds_per_update(block.configuration, player)), 1)
        self._compiled: CompiledEnsemble | None = None
        self._trainer: Trainer | None = None
        self._losses: list[float] = []

    def ensemble(self, states: Sequence[State]) -> Ensemble:
        """The ensemble of ``states``; it takes the place of the one before."""
        if self.player == NUMPY:
            return Ensemble(states)
        if self._compiled is None:
            self._compiled = CompiledEnsemble(states)
        else:
            self._compiled.restart(states)
        return self._compiled

    def single(
        self,
        seed: int,
        state: State,
        stopped: Callable[[], bool],
        known: float | None = None,
    ) -> Outcome | None:
        """Train one seed from ``state``; None if stopped.

        ``known`` is the loss that was reported last, if any.
        """
        block, losses = self.block, self._losses
        losses[:] = [] if known is None else [known]
        if self._trainer is None:
            self._trainer = trainer_of(state, self._note, self._note_all)
        else:
            self._trainer.restore(state)
        trainer = self._trainer
        per_epoch, report = block.configuration.updates_per_epoch, block.configuration.report
        stops = block.goal.stop
        while trainer.epoch < block.epochs and trainer.divergence is None:
            if stopped():
                return None
            end = min(report.next_from(trainer.epoch) + 1, block.epochs) if stops else block.epochs
            trainer.advance(min((end - trainer.epoch) * per_epoch - trainer.position, self._stride))
            del losses[:-1]
            at_end = trainer.position == 0
            if stops and at_end and losses and block.goal.reached(losses[-1]):
                break
        final = losses[-1] if losses else None
        return Outcome(seed, final, trainer.update, trainer.divergence is not None, self.player)

    def _note(self, epoch: int, loss: float) -> None:
        self._losses.append(loss)

    def _note_all(self, epochs: range, losses: Array) -> None:
        self._losses.append(float(losses[-1]))
