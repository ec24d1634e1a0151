"""The stated training loss: value, gradient and curvature.

Everything is computed from the stated configuration: it is the loss that the program should
minimise, whatever it does.
"""

from dataclasses import replace

import numpy as np

from nntui.core.engine.data import DataArrays
from nntui.core.engine.network import Forward, Layout
from nntui.core.engine.stepper import Stepper
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array

MOST_SAMPLES = 1000
"""At most this many training rows are used, evenly spaced."""
MOST_PRODUCTS = 50_000_000
"""Bound on parameters times rows; larger networks use fewer rows."""
ROUNDS = 12
"""Iterations of the power method, which give the largest eigenvalue to a few per cent."""
REACH = 1e-5
"""Step of a difference, relative to the norm of the parameters."""


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
            most = min(MOST_SAMPLES, MOST_PRODUCTS // self.layout.size + 1)
            batch = columns[:, :: -(-columns.shape[1] // most)]
        else:
            batch = columns[:, rows]
        self._x, self._y = batch[: len(data.x)], batch[len(data.x) :].copy()
        self._probe = np.zeros(self.layout.size)
        self._forward = Forward(
            self._configuration, self.layout.views(self._probe), np.ascontiguousarray(self._x)
        )
        self._stepper = Stepper(self._configuration)
        self._batch = batch.copy()

    def gradient(self, theta: Array) -> Array:
        """The gradient of the mean loss over the rows, penalties included."""
        self._stepper.theta[...] = theta
        self._stepper.make(self._batch)
        return self._stepper.gradient.copy()

    def of_weights(self, theta: Array) -> Array:
        """``theta`` with 0 for the biases."""
        return np.asarray(self._weights * theta)

    def penalty_gradient(self, theta: Array) -> Array:
        """The part of it that the penalties give."""
        stated = self._configuration
        return np.asarray(self._weights * (stated.l2 * theta + stated.l1 * np.sign(theta)))

    def curvature(self, theta: Array) -> float:
        """The largest eigenvalue of the Gauss-Newton matrix of the mean loss, penalty included.

        That is the Hessian without the curvature of the network itself (Schraudolph 2002), found
        by power iteration from a fixed start.  At a kink a difference of two gradients jumps, but
        outputs do not: the change of the outputs along a direction is a difference of forward
        passes, and the gradient for an error of just that size is the product with the matrix.
        0 for a loss whose slope is not in proportion to the error, as absolute errors have it.
        """
        if not LOSSES[self._configuration.training.loss].is_quadratic:
            return 0.0
        direction = np.random.RandomState(0).randn(len(theta))
        reach, largest = REACH * (1.0 + float(np.linalg.norm(theta))), 0.0
        output, penalty = self._output(theta), self.penalty_gradient(theta)
        targets = self._batch[len(self._x) :]
        for _ in range(ROUNDS):
            length = float(np.linalg.norm(direction))
            if not 0.0 < length < np.inf:
                break
            direction = direction / length
            ahead = self._output(theta + reach * direction)
            change = (ahead - self._output(theta - reach * direction)) / (2.0 * reach)
            targets[...] = output - change
            product = self.gradient(theta) - penalty
            product += self._configuration.l2 * self._weights * direction
            largest = max(largest, float(direction @ product))
            direction = product
        targets[...] = self._y
        return largest if np.isfinite(largest) else 0.0

    def _output(self, theta: Array) -> Array:
        self._probe[...] = theta
        return self._forward.play().copy()
