"""The stated training loss as a landscape: its value, its gradient and its curvature.

All is computed from the stated configuration, so it is what the program should follow, whatever
it does follow.
"""

from dataclasses import replace

import numpy as np

from nntui.core.algebra import Single
from nntui.core.backprop import Update, make_arena
from nntui.core.configuration import Configuration
from nntui.core.data import DataArrays
from nntui.core.losses import loss_of
from nntui.core.network import Forward, Layout
from nntui.core.optimisers import Clock
from nntui.core.tape import Array

MOST_SAMPLES = 1000
"""Of more training rows, that many evenly chosen ones stand for all."""
ROUNDS = 12
"""Of the power iteration; the largest eigenvalue is then known to some per cent."""
REACH = 1e-5
"""The step of the difference of two gradients, beside the length of the parameters."""


class Landscape:
    """The stated loss over some rows; parameters are flat vectors in the order of `Layout`."""

    def __init__(self, stated: Configuration, data: DataArrays, rows: Array | None = None) -> None:
        training = replace(
            stated.training,
            reduction="mean",
            optimiser="sgd",
            momentum=0.0,
            batch="full",
            order="in-order",
            draws=None,
            clip_value=None,
            clip_norm=None,
        )
        self._configuration = replace(stated, training=training)
        self.layout = Layout.of(stated)
        self._weights = np.zeros(self.layout.size)
        for W, _ in self.layout.views(self._weights):
            W.fill(1.0)
        columns = np.concatenate([data.x, data.y])
        if rows is None:
            step = -(-columns.shape[1] // MOST_SAMPLES)
            batch = columns[:, ::step]
        else:
            batch = columns[:, rows]
        self._x, self._y = batch[: len(data.x)], batch[len(data.x) :]
        arena = make_arena(self._configuration)
        self._theta = arena.view("theta", self.layout.size)
        self._gradient = arena.view("gradient", self.layout.size)
        self._update = Update(
            self._configuration, arena, np.ascontiguousarray(batch), Clock(), Single()
        )

    def gradient(self, theta: Array) -> Array:
        """The gradient of the mean loss over the rows, penalties included."""
        self._theta[...] = theta
        with np.errstate(all="ignore"):
            for call in self._update.calls:
                call()
        return self._gradient.copy()

    def penalty_gradient(self, theta: Array) -> Array:
        """The part of it that the penalties give."""
        stated = self._configuration
        return np.asarray(self._weights * (stated.l2 * theta + stated.l1 * np.sign(theta)))

    def loss(self, theta: Array) -> float:
        """The mean loss over the rows, without penalties."""
        forward = Forward(self._configuration, self.layout.views(theta), self._x)
        error = forward.play() - self._y
        return loss_of(
            self._configuration.training.loss, "mean", forward.layers[-1].z, error, self._y
        )

    def curvature(self, theta: Array) -> float:
        """The largest eigenvalue of the Hessian of the mean loss, 0 if none is above 0.

        Power iteration with Hessian-vector products (Pearlmutter 1994), here centred differences
        of the gradient; from a fixed start, so that it is the same every time.
        """
        direction = np.random.RandomState(0).randn(len(theta))
        direction += self.gradient(theta)
        reach, largest = REACH * (1.0 + float(np.linalg.norm(theta))), 0.0
        for _ in range(ROUNDS):
            length = float(np.linalg.norm(direction))
            if not 0.0 < length < np.inf:
                break
            direction = direction / length
            ahead = self.gradient(theta + reach * direction)
            product = (ahead - self.gradient(theta - reach * direction)) / (2.0 * reach)
            largest = max(largest, float(direction @ product))
            direction = product
        return largest if np.isfinite(largest) else 0.0
