"""The trainer: plays updates, keeps count of batches and epochs, and stops where numbers end."""

from collections.abc import Callable

import numpy as np

from nntui.core.backprop import Update, make_arena, optimiser_of, reported_penalty
from nntui.core.configuration import Configuration
from nntui.core.data import DataArrays, load_data
from nntui.core.divergence import locate
from nntui.core.network import Forward, Layout, Parameters, draw_parameters
from nntui.core.state import Divergence, State, frozen
from nntui.core.tape import Array

OnEpoch = Callable[[int, float], None]


def initial_state(configuration: Configuration, seed: int) -> State:
    """Update 0 of a run: parameters drawn from ``RandomState(seed)``, nothing trained."""
    random = np.random.RandomState(seed)
    theta = frozen(draw_parameters(configuration, random))
    random_state = tuple(random.get_state(legacy=True))
    slots = tuple(frozen(np.zeros_like(theta)) for _ in optimiser_of(configuration).slots)
    return State(configuration, 0, 0, 0, 0.0, theta, slots, random_state)


class Trainer:
    """Trains one network, one update at a time, from any state of its configuration.

    ``on_epoch(epoch, loss)`` is called with the number and the reported loss of every epoch
    that is finished.
    """

    def __init__(self, state: State, on_epoch: OnEpoch) -> None:
        configuration = state.configuration
        self.configuration = configuration
        self.data: DataArrays = load_data(configuration)
        self._on_epoch = on_epoch
        self._arena = make_arena(configuration)
        size = Layout.of(configuration).size
        self._theta = self._arena.view("theta", size)
        self._slots = [self._arena.view(name, size) for name in optimiser_of(configuration).slots]
        self._penalty = reported_penalty(configuration, self._theta)
        self._batches = self._prepare_batches()
        self.restore(state)

    def _prepare_batches(self) -> list[tuple[Update, Array]]:
        """Per batch of an epoch: the update for its size, and its columns of the data."""
        rows, size = self.configuration.data.rows, self.configuration.batch_size
        columns = np.concatenate([self.data.x, self.data.y])
        updates: dict[int, Update] = {}
        batches = []
        for start in range(0, rows, size):
            part = columns[:, start : start + size]
            samples = part.shape[1]
            if samples not in updates:
                updates[samples] = Update(self.configuration, self._arena, samples)
            batches.append((updates[samples], part))
        return batches

    def restore(self, state: State) -> None:
        """Go to ``state``, which must belong to the trainer's configuration."""
        # A batch smaller than the largest leaves part of the buffers as they were, and what a
        # divergence left there must not be taken for its own.
        self._arena.flat.fill(0.0)
        self._theta[...] = state.theta
        for buffer, values in zip(self._slots, state.slots, strict=True):
            buffer[...] = values
        self.update, self.epoch, self.position = state.update, state.epoch, state.position
        self._loss_sum, self._random = state.loss_sum, state.random
        self.divergence = state.divergence

    @property
    def state(self) -> State:
        """The present state, as a value of its own."""
        return State(
            self.configuration,
            self.update,
            self.epoch,
            self.position,
            self._loss_sum,
            frozen(self._theta),
            tuple(frozen(slot) for slot in self._slots),
            self._random,
            self.divergence,
        )

    @property
    def parameters(self) -> Parameters:
        """Per layer W and b: views into the live parameters, not copies."""
        return Layout.of(self.configuration).views(self._theta)

    def next_batch(self) -> range:
        """The data rows that the next update will use."""
        return self._rows(self.position)

    def _rows(self, position: int) -> range:
        size = self.configuration.batch_size
        start = position * size
        return range(start, min(start + size, self.configuration.data.rows))

    def forward(self, x: Array) -> Forward:
        """The forward pass of ``x`` (inputs, samples) with the live parameters, not yet played."""
        return Forward(self.configuration, self.parameters, x)

    def advance(self, updates: int) -> None:
        """Make ``updates`` updates; a divergence is the last one made."""
        batches, arena = self._batches, self._arena
        flat, dot, copyto, infinite = arena.flat, np.dot, np.copyto, np.inf
        position, loss_sum, count = self.position, self._loss_sum, len(batches)
        with np.errstate(all="ignore"):
            for _ in range(0 if self.divergence else updates):
                update, columns = batches[position]
                copyto(update.batch, columns)
                for call in update.calls:
                    call()
                loss_sum += update.reported()
                self.update += 1
                position += 1
                finite = dot(flat, flat) < infinite and -infinite < loss_sum < infinite
                if not finite and not (arena.all_finite() and np.isfinite(loss_sum)):
                    self.divergence = self._locate(position - 1, loss_sum)
                if position == count:
                    loss = self._finish_epoch(loss_sum)
                    if not (-infinite < loss < infinite or self.divergence):
                        self.divergence = self._locate(position - 1, loss)
                    position, loss_sum = 0, 0.0
                if self.divergence:
                    break
        self.position, self._loss_sum = position, loss_sum

    def _finish_epoch(self, loss_sum: float) -> float:
        if self.configuration.report.reduction == "mean":
            loss_sum /= self.configuration.data.rows
        loss = loss_sum + self._penalty()
        self.epoch += 1
        self._on_epoch(self.epoch - 1, loss)
        return loss

    def _locate(self, position: int, loss: float) -> Divergence:
        written = self._batches[position][0].written
        return locate(written, self.update, self._rows(position), loss)
