"""The stepper: the buffers of an update, and the updates recorded in them for each batch size."""

from collections.abc import Sequence

import numpy as np

from nntui.core.engine.algebra import Algebra, Single
from nntui.core.engine.network import Layout
from nntui.core.engine.update import Update, make_arena, optimiser_of
from nntui.core.parts.optimisers import Clock
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array


class Stepper:
    """Makes updates of one configuration, from any parameters and any batch.

    ``theta``, ``gradient`` and each of ``slots`` are live vectors in the order of `Layout`,
    followed by the axes of ``algebra``; writing to them changes where the next update starts.
    """

    def __init__(self, configuration: Configuration, algebra: Algebra | None = None) -> None:
        self._configuration, self._algebra = configuration, algebra or Single()
        tail = self.tail = self._algebra.tail
        size = Layout.of(configuration).size
        self.arena = make_arena(configuration, tail)
        self.clock = Clock()
        self.theta = self.arena.view("theta", size, *tail)
        self.gradient = self.arena.view("gradient", size, *tail)
        self.slot_names = optimiser_of(configuration).slots
        self.slots = [self.arena.view(name, size, *tail) for name in self.slot_names]
        self._updates: dict[tuple[int, ...], Update] = {}

    def restore(self, theta: Array, slots: Sequence[Array] | None = None, count: int = 0) -> None:
        """Start from ``theta`` and ``slots`` (zeros if None), after ``count`` updates."""
        # A small batch uses only part of the buffers; non-finite numbers that a divergence left
        # in the rest would be taken for its own.
        self.arena.flat.fill(0.0)
        self.theta[...] = theta
        for own, values in zip(self.slots, slots or (), strict=bool(slots)):
            own[...] = values
        self.clock.count[...] = count

    def update_for(self, shape: tuple[int, ...]) -> Update:
        """The update for batches of ``shape``, recorded on first use.

        A batch has inputs stacked on targets, one column per sample.
        """
        if shape not in self._updates:
            self._updates[shape] = Update(
                self._configuration, self.arena, np.empty(shape), self.clock, self._algebra
            )
        return self._updates[shape]

    def batches(self, epoch: Array) -> list[tuple[Update, Array]]:
        """Split ``epoch`` into batches: for each, the update for its size, and its columns."""
        size = self._configuration.batch_size
        parts = (epoch[:, at : at + size] for at in range(0, epoch.shape[1], size))
        return [(self.update_for(part.shape), part) for part in parts]

    def make(self, batch: Array) -> Update:
        """Perform the update for ``batch`` and return it."""
        update = self.update_for(batch.shape)
        np.copyto(update.batch, batch)
        with np.errstate(all="ignore"):
            for call in update.calls:
                call()
        return update
