"""The trainer: plays updates, counts batches and epochs, and stops at a divergence."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from nntui.core.engine.algebra import Single
from nntui.core.engine.data import DataArrays, load_data
from nntui.core.engine.divergence import locate
from nntui.core.engine.network import Forward, Layout, Parameters, draw_parameters
from nntui.core.engine.player_names import NUMPY
from nntui.core.engine.reported_loss import ReportedLoss, reported_value
from nntui.core.engine.state import Divergence, Order, State, frozen
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.update import optimiser_of
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.report_settings import BEFORE
from nntui.core.tape import Array, ComputedTensor

OnEpoch = Callable[[int, float], None]


def draw_order(
    configuration: Configuration, random: np.random.RandomState, epochs: int = 1
) -> Order | None:
    """Draw the order of the next ``epochs``, (epochs * samples,); None for ``in-order``.

    ``shuffled`` is one ``permutation(rows)`` per epoch, ``random`` one ``randint(0, rows, draws)``;
    one ``randint`` for many epochs gives the same numbers.  ``in-order`` draws nothing.
    """
    rows, samples = configuration.data.training_rows, configuration.samples_per_epoch
    match configuration.training.order:
        case "shuffled":
            return frozen(np.concatenate([random.permutation(rows) for _ in range(epochs)]))
        case "random":
            return frozen(random.randint(0, rows, epochs * samples))
    return None


def initial_state(configuration: Configuration, seed: int, player: str = NUMPY) -> State:
    """The state at update 0, before any training; ``player`` will make its updates.

    ``RandomState(seed)`` draws the parameters, then the order of the first epoch.
    """
    random = np.random.RandomState(seed)
    first = _first(configuration, random, player)
    return replace(first, random=tuple(random.get_state(legacy=True)))


def initial_states(
    configuration: Configuration, seeds: Iterable[int], player: str = NUMPY
) -> Iterator[State]:
    """The initial states of many seeds; faster than `initial_state` for each.

    If epochs draw nothing, the states have no random state, because no update would read it.
    """
    # Reseeding is fifty times faster than a new RandomState, and gives the same stream.
    random = np.random.RandomState()
    for seed in seeds:
        random.seed(seed)
        yield _first(configuration, random, player)


def _first(configuration: Configuration, random: np.random.RandomState, player: str) -> State:
    theta = frozen(draw_parameters(configuration, random))
    slots = tuple(frozen(np.zeros_like(theta)) for _ in optimiser_of(configuration).slots)
    order = draw_order(configuration, random)
    kept: tuple[Any, ...] = () if order is None else tuple(random.get_state(legacy=True))
    return State(configuration, 0, 0, 0, 0.0, theta, slots, kept, order, player=player)


def learning_rate(configuration: Configuration, epoch: int) -> float:
    """The learning rate of ``epoch``, counted from 0."""
    training = configuration.training
    factor = SCHEDULES[training.schedule].factor(
        epoch, training.schedule_decay, training.schedule_every
    )
    return training.learning_rate * factor


def learning_rates(configuration: Configuration, epochs: range) -> Array:
    """The `learning_rate` of each of ``epochs``, (epochs,)."""
    if SCHEDULES[configuration.training.schedule].is_constant:
        return np.full(len(epochs), learning_rate(configuration, epochs.start))
    return np.array([learning_rate(configuration, epoch) for epoch in epochs])


class Trainer:
    """Trains one network by NumPy, one update at a time, from any state of its configuration.

    ``on_epoch(epoch, loss)``, if given, is called at the end of every epoch that reports, with its
    number and its reported loss.  A state belongs to the trainer of its player: see `players`.
    """

    PLAYER = NUMPY

    def __init__(self, state: State, on_epoch: OnEpoch | None = None) -> None:
        if state.player != self.PLAYER:
            raise ValueError(f"a state of the player {state.player}, not {self.PLAYER}")
        configuration = state.configuration
        self.configuration = configuration
        self.data: DataArrays = load_data(configuration)
        self._on_epoch = on_epoch
        self._stepper = Stepper(configuration)
        self._clock, self._theta = self._stepper.clock, self._stepper.theta
        self._reported = ReportedLoss(configuration, self._theta, Single())
        self._rows = self.data.xy
        # The samples in the epoch's own order; without one, the data themselves.
        self._epoch = self._rows
        if state.order is not None:
            self._epoch = np.empty((len(self._rows), configuration.samples_per_epoch))
        self._batches = self._stepper.batches(self._epoch)
        self.restore(state)

    def fits(self, state: State) -> bool:
        """Whether it can go to ``state``: one of its configuration and player."""
        return state.configuration is self.configuration and state.player == self.PLAYER

    def restore(self, state: State) -> None:
        """Go to ``state``, which must belong to the trainer's configuration."""
        self._stepper.restore(state.theta, state.slots, state.update - state.since)
        self.update, self.epoch, self.position = state.update, state.epoch, state.position
        self._loss_sum, self._drawn_state = state.loss_sum, state.random
        self._random: np.random.RandomState | None = None
        self.divergence: Divergence | None = state.divergence
        self._since = state.since
        self._begin_epoch(state.order)

    def _begin_epoch(self, order: Order | None) -> None:
        self._clock.rate[...] = learning_rate(self.configuration, self.epoch)
        self._order = order
        if order is not None:
            self._rows.take(order, 1, self._epoch)

    @property
    def state(self) -> State:
        """The current state as an immutable copy."""
        return State(
            self.configuration,
            self.update,
            self.epoch,
            self.position,
            self._loss_sum,
            frozen(self._theta),
            tuple(frozen(slot) for slot in self._stepper.slots),
            self._random_state,
            self._order,
            self.divergence,
            self._since,
            self.PLAYER,
        )

    @property
    def _random_state(self) -> tuple[Any, ...]:
        if self._random is not None:
            self._drawn_state, self._random = tuple(self._random.get_state(legacy=True)), None
        return self._drawn_state

    @property
    def parameters(self) -> Parameters:
        """Per layer W and b, as views into the live parameters."""
        return Layout.of(self.configuration).views(self._theta)

    def next_batch(self) -> Order:
        """The training rows that the next update will use."""
        return self._rows_of(self.position)

    def _rows_of(self, position: int) -> Order:
        size = self.configuration.batch_size
        start = position * size
        if self._order is not None:
            return self._order[start : start + size]
        return np.arange(start, min(start + size, self.configuration.data.training_rows))

    @property
    def written(self) -> tuple[ComputedTensor, ...]:
        """The tensors of the last update in the order of computation, as live buffers."""
        return self._batches[self.position - 1][0].written

    def forward(self, x: Array) -> Forward:
        """The forward pass of ``x`` (inputs, samples) with the live parameters, to be played."""
        return Forward(self.configuration, self.parameters, x)

    @cached_property
    def whole(self) -> Forward:
        """The forward pass of all training rows with the live parameters, to be played."""
        return self.forward(self.data.x)

    @property
    def test_loss(self) -> float | None:
        """The reported loss, without penalties, on the test rows; None without test rows."""
        data = self.data
        if not data.test_x.shape[1]:
            return None
        forward = self.forward(data.test_x)
        error = forward.play() - data.test_y
        return reported_value(self.configuration, forward.layers[-1].z, error, data.test_y)

    def advance(self, updates: int, stop: float | None = None) -> bool:
        """Make ``updates`` updates, or fewer if one diverges; that one is the last.

        An epoch that reports a loss at or below ``stop``, if that is given, is the last too.
        Returns whether there was such an end.
        """
        batches, arena = self._batches, self._stepper.arena
        watched, squares, copy = arena.watched, arena.watched.dot, np.positive
        infinite = np.inf
        lowest, reached = -infinite if stop is None else stop, False
        position, loss_sum, count = self.position, self._loss_sum, len(batches)
        report = self.configuration.report
        accumulates = not report.covers_all and report.is_due(self.epoch)
        early = report.covers_all and report.when == BEFORE
        loss = 0.0
        with np.errstate(all="ignore"):
            for _ in range(0 if self.divergence else updates):
                update, columns = batches[position]
                if early and position == count - 1 and report.is_due(self.epoch):
                    loss = float(self._reported.of_all_rows())
                copy(columns, update.batch)
                for call in update.calls:
                    call()
                if accumulates:
                    loss_sum += update.reported()
                self.update += 1
                position += 1
                # A finite sum of squares proves in one call that all numbers are finite; an
                # infinite one proves nothing.
                finite = squares(watched) < infinite and -infinite < loss_sum < infinite
                if not finite and not (arena.all_finite() and np.isfinite(loss_sum)):
                    self.divergence = self._locate(position - 1, loss_sum)
                if position == count:
                    if report.is_due(self.epoch):
                        if accumulates:
                            loss = float(self._reported.of_epoch(loss_sum))
                        elif not early:
                            loss = float(self._reported.of_all_rows())
                        if self._on_epoch is not None:
                            self._on_epoch(self.epoch, loss)
                        if not (-infinite < loss < infinite or self.divergence):
                            self.divergence = self._locate(position - 1, loss)
                    reached = report.is_due(self.epoch) and loss <= lowest
                    position, loss_sum = 0, 0.0
                    self.epoch += 1
                    self._begin_epoch(self._next_order())
                    accumulates = not report.covers_all and report.is_due(self.epoch)
                    if reached:
                        break
                if self.divergence:
                    break
        self.position, self._loss_sum = position, loss_sum
        return reached or self.divergence is not None

    def _next_order(self) -> Order | None:
        if self._order is None:
            return None
        if self._random is None:
            self._random = np.random.RandomState()
            self._random.set_state(self._drawn_state)
        return draw_order(self.configuration, self._random)

    def _locate(self, position: int, loss: float) -> Divergence:
        """The first number that is not finite, in the buffers of the update at ``position``."""
        written = self._batches[position][0].written
        rows = self.data.training_rows[self._rows_of(position)]
        return locate(written, self.update, rows, loss)
