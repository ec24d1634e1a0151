"""The ensemble: many networks of one configuration trained together, each from its own state.

The recorded update is that of a single network, on arrays with replicas as an additional last
axis.  The results of a replica do not depend on the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.engine.algebra import Replicas
from nntui.core.engine.data import load_data
from nntui.core.engine.network import Layout
from nntui.core.engine.player_names import NUMPY
from nntui.core.engine.reported_loss import ReportedLoss
from nntui.core.engine.state import Order, State, frozen
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.trainer import draw_order, learning_rate
from nntui.core.engine.update import make_arena
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.report_settings import BEFORE
from nntui.core.tape import Array

MOST_PRODUCTS = 10_000
"""Multiplications in an update above which single networks with BLAS are faster (measured)."""
MOST_DRAWN = 250_000
"""Row numbers that are drawn ahead for all replicas together."""
SAFE = 250.0
"""Decades that a product over all layers may span without overflow (a float reaches 1e308)."""


def is_normalised(configuration: Configuration) -> bool:
    """Whether a layer is normalised."""
    return any(layer.normalise for layer in configuration.layers)


def worthwhile(configuration: Configuration) -> bool:
    """Whether replicas train faster together than one by one, with the same results.

    Not with layer normalisation: it divides by the spread of units that are nearly equal at first,
    which amplifies the last bits of sums that an ensemble takes in another order.
    """
    if is_normalised(configuration):
        return False
    return products_per_update(configuration) <= MOST_PRODUCTS


def samples_per_update(configuration: Configuration) -> float:
    """The samples of an update, with those that a report over all rows adds on average.

    It passes them forward only, which costs about a third of an update.
    """
    report, samples = configuration.report, float(configuration.batch_size)
    if not report.covers_all:
        return samples
    updates = report.every * configuration.updates_per_epoch
    return samples + configuration.data.training_rows / (3 * updates)


def products_per_update(configuration: Configuration) -> float:
    """The multiplications of one pass of `samples_per_update` through the network."""
    shapes = Layout.of(configuration).shapes
    weights = sum(units * inputs for units, inputs, _ in shapes)
    return weights * samples_per_update(configuration)


def numbers_per_replica(configuration: Configuration) -> int:
    """How many float64 numbers the buffers of one replica hold."""
    return int(make_arena(configuration).flat.size)


class Ensemble:
    """Trains replicas by NumPy, all from the beginning of the same epoch.

    Raises ValueError if the states are not at the beginning of the same epoch.
    """

    PLAYER = NUMPY

    def __init__(self, states: Sequence[State]) -> None:
        first = states[0]
        configuration = self.configuration = first.configuration
        self.count = len(states)
        algebra = Replicas(self.count)
        self._stepper = Stepper(configuration, algebra)
        self.theta = self._stepper.theta
        self._place(states)
        self._reported = ReportedLoss(configuration, self.theta, algebra)
        self._rows = load_data(configuration).xy
        samples = configuration.samples_per_epoch
        self._epoch: Array = self._rows[:, :, np.newaxis]
        if first.order is not None:
            self._epoch = np.empty((len(self._rows), samples, self.count))
        self._batches = self._stepper.batches(self._epoch)

    def _place(self, states: Sequence[State]) -> None:
        first = states[0]
        if any((each.update, each.position) != (first.update, 0) for each in states):
            raise ValueError("replicas must be at the beginning of the same epoch")
        self.epoch, self._update = first.epoch, first.update
        slots = [np.column_stack(each) for each in zip(*(s.slots for s in states), strict=True)]
        theta = np.column_stack([each.theta for each in states])
        self._stepper.restore(theta, slots, self._update - first.since)
        self._randoms = [each.random for each in states]
        self._orders: Order | None = None
        if first.order is not None:
            self._orders = np.column_stack(
                [each.order for each in states if each.order is not None]
            )

    def train(self, epochs: int) -> Iterator[tuple[int, Array]]:
        """Train ``epochs`` epochs; yield each one that reports, with its losses, (replicas,).

        Orders are drawn for many epochs at once, so `state` is valid only after the last.
        """
        report, orders = self.configuration.report, self._drawn(epochs)
        early = report.covers_all and report.when == BEFORE
        last = len(self._batches) - 1
        for _ in range(epochs):
            self._stepper.clock.rate[...] = learning_rate(self.configuration, self.epoch)
            if self._orders is not None:
                self._rows.take(self._orders, 1, self._epoch)
            due, total = report.is_due(self.epoch), np.zeros(self.count)
            accumulates, losses = due and not report.covers_all, total
            with np.errstate(all="ignore"):
                for at, (update, part) in enumerate(self._batches):
                    if due and early and at == last:
                        losses = self._reported.of_all_rows()
                    np.copyto(update.batch, part)
                    for call in update.calls:
                        call()
                    if accumulates:
                        total += update.reported()
                if accumulates:
                    losses = self._reported.of_epoch(total)
                elif due and not early:
                    losses = self._reported.of_all_rows()
            self._update += len(self._batches)
            self.epoch += 1
            if self._orders is not None:
                self._orders = next(orders)
            if due:
                yield self.epoch - 1, losses

    def trained(self, epochs: int) -> tuple[range, Array]:
        """Train ``epochs`` epochs; returns those that report, and losses, (reports, replicas)."""
        reports = self.configuration.report.epochs(self.epoch, self.epoch + epochs)
        losses = np.empty((len(reports), self.count))
        for place, (_, row) in enumerate(self.train(epochs)):
            losses[place] = row
        return reports, losses

    def _drawn(self, epochs: int) -> Iterator[Order]:
        """The orders of the ``epochs`` that follow the present one, each (samples, replicas)."""
        samples = self.configuration.samples_per_epoch
        columns = len(self._randoms)
        at_once = max(MOST_DRAWN // (samples * columns), 1)
        random = np.random.RandomState()
        for start in range(0, epochs, at_once):
            drawn = np.empty((min(at_once, epochs - start), samples, columns), dtype=np.intp)
            for column, state in enumerate(self._randoms):
                random.set_state(state)
                order = draw_order(self.configuration, random, len(drawn))
                assert order is not None
                drawn[:, :, column] = order.reshape(-1, samples)
                self._randoms[column] = tuple(random.get_state(legacy=True))
            yield from drawn

    def safe(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each replica's parameters are too small for any overflow, (replicas,)."""
        depth = 2 * len(self.configuration.layers)
        widest = max(inputs for _, inputs, _ in Layout.of(self.configuration).shapes)
        largest = 10.0 ** (SAFE / depth) / widest
        return np.asarray((np.abs(self.theta) < largest).all(axis=0))

    def state(self) -> "EnsembleState":
        """The current state of all replicas, as a copy."""
        return EnsembleState(
            self.configuration,
            self._update,
            self.epoch,
            self.theta.copy(),
            tuple(slot.copy() for slot in self._stepper.slots),
            tuple(self._randoms),
            None if self._orders is None else self._orders.copy(),
            self.PLAYER,
        )


@dataclass(frozen=True, eq=False)
class EnsembleState:
    """The state of all replicas at the beginning of an epoch; arrays have a column per replica."""

    configuration: Configuration
    update: int
    epoch: int
    theta: Array
    slots: tuple[Array, ...]
    randoms: tuple[tuple[Any, ...], ...]
    orders: Order | None
    player: str = NUMPY

    def replica(self, column: int) -> State:
        """The state of replica ``column`` as that of a single network."""
        return State(
            self.configuration,
            self.update,
            self.epoch,
            0,
            0.0,
            frozen(self.theta[:, column]),
            tuple(frozen(slot[:, column]) for slot in self.slots),
            self.randoms[column],
            None if self.orders is None else frozen(self.orders[:, column]),
            player=self.player,
        )
