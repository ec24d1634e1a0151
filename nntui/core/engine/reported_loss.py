"""The reported loss: its units, its sum over a batch, and its value at the end of an epoch."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from nntui.core.engine.algebra import Algebra
from nntui.core.engine.data import load_data
from nntui.core.engine.network import Forward, Layout, faults_by_layer
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.recording import RecordedSum, recorded_sum
from nntui.core.parts.losses import LOSSES, loss_value
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


def reported_sum(configuration: Configuration, z: Array, error: Array, y: Array) -> RecordedSum:
    """The reported loss, summed over the samples; to be called when the buffers are filled.

    ``z``, ``error`` and ``y`` are (outputs, samples), as the network computes them; errors are
    brought to the units of the report first (see `DataArrays.units`).
    """
    loss = LOSSES[configuration.report.loss]
    if not is_unscaled(configuration):
        return loss.value(z, error, y)
    units, stated = load_data(configuration).units, np.empty_like(error)
    factor = units.reshape(-1, *(1,) * (error.ndim - 1))
    return loss.value(z, stated, y).after(partial(np.multiply, error, factor, stated))


def reported_value(configuration: Configuration, z: Array, error: Array, y: Array) -> float:
    """The reported loss of one network over all columns of the arrays, without penalties."""
    if is_unscaled(configuration):
        with np.errstate(all="ignore"):
            error = error * load_data(configuration).units
    return loss_value(configuration.report.loss, configuration.report.reduction, z, error, y)


@dataclass(frozen=True, eq=False)
class ReportedPenalty:
    """The reported penalty, ``l2/2 * sum w^2 + l1 * sum |w|``: factors, each with its sums.

    A fault may replace the sum of squares.  Without a reported penalty there is no sum.
    """

    sums: tuple[tuple[float, tuple[RecordedSum, ...]], ...]
    """Each factor with one sum for every layer."""

    @classmethod
    def of(cls, configuration: Configuration, theta: Array) -> "ReportedPenalty":
        """The penalty of ``theta``, a live vector in the order of `Layout`."""
        l1, l2 = configuration.l1, configuration.l2
        if not (configuration.report.penalty and (l1 or l2)):
            return cls(())
        weights = [W for W, _ in Layout.of(configuration).views(theta)]
        squares = []
        for faults, W in zip(faults_by_layer(configuration), weights, strict=True):
            wrong = [each.penalty for each in faults if each.penalty]
            squares.append((formula(wrong[-1] if wrong else "w^2"), W))
        sizes = [(formula("abs(w)"), W) for W in weights]
        return cls(
            tuple(
                (factor, tuple(recorded_sum(term, {"w": W}, W.shape) for term, W in terms))
                for factor, terms in ((l2 / 2.0, squares), (l1, sizes))
                if factor
            )
        )

    def __call__(self) -> Any:
        total: Any = 0.0
        for factor, sums in self.sums:
            total = total + factor * sum(each.value() for each in sums)
        return total


class ReportedPart(NamedTuple):
    """Rows that pass forward together, and what is played to sum up their loss."""

    columns: Array
    """Inputs stacked on targets, a column for each row."""
    batch: Array
    """Where the columns are copied to."""
    forward: Forward
    error: Array
    summed: RecordedSum

    @property
    def y(self) -> Array:
        """The targets, in `batch`."""
        return self.batch[-len(self.error) :]


class ReportedLoss:
    """States the reported loss with the live parameters ``theta``.

    ``theta`` is a vector in the order of `Layout`, followed by the axes of ``algebra``; a loss is
    a number, or for replicas an array (replicas,).
    """

    def __init__(self, configuration: Configuration, theta: Array, algebra: Algebra) -> None:
        self._configuration, self._theta, self._algebra = configuration, theta, algebra
        self._means = configuration.report.reduction == "mean"
        self.penalty = ReportedPenalty.of(configuration, theta)

    def of_epoch(self, total: Any) -> Any:
        """The reported loss of an epoch whose batches add up to ``total``."""
        return self._stated(total, self._configuration.samples_per_epoch)

    def of_all_rows(self) -> Any:
        """The reported loss over all training rows."""
        total: Any = 0.0
        for part in self.parts:
            np.copyto(part.batch, part.columns)
            np.subtract(part.forward.play(), part.y, part.error)
            total = total + part.summed.value()
        return self._stated(total, self._configuration.data.training_rows)

    def _stated(self, total: Any, samples: int) -> Any:
        return (total / samples if self._means else total) + self.penalty()

    @cached_property
    def parts(self) -> list[ReportedPart]:
        """All training rows, in parts.

        How many rows a part has depends on the configuration alone, because sums over other
        parts would be rounded otherwise.
        """
        configuration, tail = self._configuration, self._algebra.tail
        xy, outputs = load_data(configuration).xy, configuration.data.outputs
        size = min(max(configuration.batch_size, ROWS_AT_ONCE), MOST_AT_ONCE)
        parameters = Layout.of(configuration).views(self._theta)
        made: dict[int, ReportedPart] = {}
        parts: list[ReportedPart] = []
        for start in range(0, xy.shape[1], size):
            columns = xy[:, start : start + size].reshape(len(xy), -1, *(1 for _ in tail))
            samples = columns.shape[1]
            if samples not in made:
                batch, error = np.empty(columns.shape), np.empty((outputs, samples, *tail))
                forward = Forward(configuration, parameters, batch[:-outputs], self._algebra)
                z, y = forward.layers[-1].z, batch[-outputs:]
                summed = reported_sum(configuration, z, error, y)
                made[samples] = ReportedPart(columns, batch, forward, error, summed)
            parts.append(made[samples]._replace(columns=columns))
        return parts
