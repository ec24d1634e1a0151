"""The reported loss: its units, its sum over a batch, and its value at the end of an epoch."""

from typing import Any

import numpy as np

from nntui.core.engine.algebra import Algebra
from nntui.core.engine.data import load_data
from nntui.core.engine.network import Forward, Layout, faults_by_layer
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.recording import recorded_sum
from nntui.core.parts.losses import LOSSES, Value, loss_value
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.data_settings import NO_SCALING
from nntui.core.tape import Array

ROWS_AT_ONCE, MOST_AT_ONCE = 64, 4096
"""Rows that pass forward together: as many as in an update, but at least enough to be fast, and
few enough that their buffers stay in the cache."""


def is_unscaled(configuration: Configuration) -> bool:
    """Whether errors are brought to the units that the targets have without ``scale_targets``."""
    scaled = configuration.data.scale_targets != NO_SCALING
    return scaled and not LOSSES[configuration.report.loss].is_entropy


def reported_sum(configuration: Configuration, z: Array, error: Array, y: Array) -> Value:
    """A function that reads the buffers and returns the reported loss, summed over the samples.

    ``z``, ``error`` and ``y`` are (outputs, samples), as the network computes them; errors are
    brought to the units of the report first (see `DataArrays.units`).
    """
    loss = LOSSES[configuration.report.loss]
    if not is_unscaled(configuration):
        return loss.value(z, error, y)
    units, stated = load_data(configuration).units, np.empty_like(error)
    factor = units.reshape(-1, *(1,) * (error.ndim - 1))
    value = loss.value(z, stated, y)

    def total() -> Any:
        np.multiply(error, factor, stated)
        return value()

    return total


def reported_value(configuration: Configuration, z: Array, error: Array, y: Array) -> float:
    """The reported loss of one network over all columns of the arrays, without penalties."""
    if is_unscaled(configuration):
        with np.errstate(all="ignore"):
            error = error * load_data(configuration).units
    return loss_value(configuration.report.loss, configuration.report.reduction, z, error, y)


def reported_penalty(configuration: Configuration, theta: Array) -> Value:
    """A function that computes the reported penalty, ``l2/2 * sum w^2 + l1 * sum |w|``.

    A fault may replace the sum of squares.  Without a reported penalty the function returns 0.
    """
    l1, l2 = configuration.l1, configuration.l2
    if not (configuration.report.penalty and (l1 or l2)):
        return lambda: 0.0
    weights = [W for W, _ in Layout.of(configuration).views(theta)]
    squares = []
    for faults, W in zip(faults_by_layer(configuration), weights, strict=True):
        wrong = [each.penalty for each in faults if each.penalty]
        term = formula(wrong[-1] if wrong else "w^2")
        squares.append(recorded_sum(term, {"w": W}, W.shape))
    sizes = [recorded_sum(formula("abs(w)"), {"w": W}, W.shape) for W in weights]

    def penalty() -> Any:
        of_squares = l2 / 2.0 * sum(total() for total in squares) if l2 else 0.0
        return of_squares + l1 * sum(total() for total in sizes) if l1 else of_squares

    return penalty


class ReportedLoss:
    """States the reported loss with the live parameters ``theta``.

    ``theta`` is a vector in the order of `Layout`, followed by the axes of ``algebra``; a loss is
    a number, or for replicas an array (replicas,).
    """

    def __init__(self, configuration: Configuration, theta: Array, algebra: Algebra) -> None:
        self._configuration, self._theta, self._algebra = configuration, theta, algebra
        self._means = configuration.report.reduction == "mean"
        self._penalty = reported_penalty(configuration, theta)
        self._parts: list[tuple[Array, Forward, Array, Array, Value]] = []

    def of_epoch(self, total: Any) -> Any:
        """The reported loss of an epoch whose batches add up to ``total``."""
        return self._stated(total, self._configuration.samples_per_epoch)

    def of_all_rows(self) -> Any:
        """The reported loss over all training rows."""
        total: Any = 0.0
        for columns, forward, error, batch, summed in self._parts or self._recorded():
            np.copyto(batch, columns)
            np.subtract(forward.play(), batch[-len(error) :], error)
            total = total + summed()
        return self._stated(total, self._configuration.data.training_rows)

    def _stated(self, total: Any, samples: int) -> Any:
        return (total / samples if self._means else total) + self._penalty()

    def _recorded(self) -> list[tuple[Array, Forward, Array, Array, Value]]:
        """For each part of the rows: its columns, and what is played to sum up their loss.

        How many rows a part has depends on the configuration alone, because sums over other
        parts would be rounded otherwise.
        """
        configuration, tail = self._configuration, self._algebra.tail
        xy, outputs = load_data(configuration).xy, configuration.data.outputs
        size = min(max(configuration.batch_size, ROWS_AT_ONCE), MOST_AT_ONCE)
        parameters = Layout.of(configuration).views(self._theta)
        made: dict[int, tuple[Forward, Array, Array, Value]] = {}
        for start in range(0, xy.shape[1], size):
            columns = xy[:, start : start + size].reshape(len(xy), -1, *(1 for _ in tail))
            samples = columns.shape[1]
            if samples not in made:
                batch, error = np.empty(columns.shape), np.empty((outputs, samples, *tail))
                x, y = batch[:-outputs], batch[-outputs:]
                forward = Forward(configuration, parameters, x, self._algebra)
                summed = reported_sum(configuration, forward.layers[-1].z, error, y)
                made[samples] = forward, error, batch, summed
            self._parts.append((columns, *made[samples]))
        return self._parts
