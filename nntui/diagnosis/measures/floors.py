"""Floors: exact lower bounds of the reported loss for families of outputs.

The bounds hold for fixed parameters.  A loss accumulated during an epoch may lie a little below,
because the parameters change from batch to batch.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from nntui.core.parts.losses import LOSSES
from nntui.core.settings.report_settings import Report
from nntui.core.tape import Array
from nntui.diagnosis.deadline import NEVER, Deadline

Groups = npt.NDArray[np.intp]
DIGITS = 12
"""Decimals to which two directions count as equal."""
STATIONARY = 1e-7
"""The largest entry of the gradient at what counts as an optimum; inputs have spread 1."""
STEPS = 100
"""Most steps of Newton's method; about ten are usual."""


class Cost:
    """A reported loss over all training rows as a function of the outputs.

    ``samples`` is how many a report covers, ``units`` that of `DataArrays`.
    """

    def __init__(self, report: Report, samples: int, units: Array | None = None) -> None:
        self._loss, self._samples, self._units = LOSSES[report.loss], samples, units
        self._mean = report.reduction == "mean"

    def of(self, output: Array, y: Array) -> float:
        """The reported loss of ``output`` for ``y``, both (outputs, samples)."""
        mean = float(self.each(output, y).mean())
        return mean if self._mean else mean * self._samples

    def each(self, output: Array, y: Array) -> Array:
        """Likewise for each sample, (samples,)."""
        match self._loss.needs_output:
            case "sigmoid":
                terms = _cross(y, output) + _cross(1.0 - y, 1.0 - output)
            case "softmax":
                terms = _cross(y, output)
            case _:
                error = output - y if self._units is None else (output - y) * self._units
                terms = self._loss.terms(output, error, y)
        return np.asarray(terms.sum(axis=0))

    @property
    def absolute(self) -> bool:
        """Whether it grows with the size of the error, not with its square."""
        return self._loss.is_absolute

    @property
    def compares_shares(self) -> bool:
        """Whether it is a cross-entropy."""
        return self._loss.is_entropy

    @property
    def has_floors(self) -> bool:
        """Whether the least loss of a family of outputs is known for it."""
        return self._loss.is_quadratic or self.absolute

    def constant(self, y: Array) -> float:
        """The floor of an output that is the same for all samples."""
        return self.grouped(y, np.zeros(y.shape[1], dtype=np.intp))

    def grouped(self, y: Array, groups: Groups) -> float:
        """The floor of an output that is the same within each of ``groups``.

        The best is the group's mean, for absolute errors its median.
        """
        best, counts = np.empty_like(y), np.bincount(groups)
        for row, out in zip(y, best, strict=True):
            if self.absolute:
                values = _weighted_medians(groups, row, np.ones_like(row))
            else:
                values = np.bincount(groups, row) / counts
            out[...] = values[groups]
        return self.of(best, y)

    def multiples(self, keys: Array, factors: Array, y: Array, low: float = -np.inf) -> float:
        """The floor of outputs ``factor * v(key)``, with any ``v`` of at least ``low`` per key.

        ``keys`` is (anything, samples), ``factors`` (samples,).  Least squares, or the weighted
        median, key by key.
        """
        # Digits are those of each row's own size: inputs may be as small as they like.
        size = np.abs(keys).max(axis=1, keepdims=True)
        keys = np.divide(keys, size, out=np.zeros_like(keys), where=size > 0.0)
        groups = equal_columns(np.round(keys, DIGITS))
        best = np.zeros_like(y)
        squares = np.bincount(groups, factors * factors)
        for row, out in zip(y, best, strict=True):
            if self.absolute:
                ratios = np.divide(row, factors, out=np.zeros_like(row), where=factors != 0.0)
                values = _weighted_medians(groups, ratios, np.abs(factors))
            else:
                products = np.bincount(groups, factors * row)
                values = np.divide(
                    products, squares, out=np.zeros_like(products), where=squares > 0.0
                )
            out[...] = factors * np.maximum(values, low)[groups]
        return self.of(best, y)


def _cross(y: Array, p: Array) -> Array:
    """``-y log p``, 0 where y is."""
    with np.errstate(all="ignore"):
        return np.where(y > 0.0, -y * np.log(p), 0.0)


def equal_columns(columns: Array) -> Groups:
    """For each column of (rows, samples), the number of its group; equal columns are a group.

    Equal columns have equal sums with any factors, so only columns whose sum is not their own
    are compared number by number.
    """
    factors = np.random.RandomState(0).rand(len(columns)) + 0.5
    with np.errstate(all="ignore"):
        # Term by term: a dot product may round equal columns differently.
        sums = sum(factor * row for factor, row in zip(factors, columns, strict=True))
    _, first, groups, counts = np.unique(
        sums, return_index=True, return_inverse=True, return_counts=True
    )
    groups = groups.reshape(-1)
    shared = np.flatnonzero(counts[groups] > 1)
    if (columns[:, shared] == columns[:, first[groups[shared]]]).all():
        return groups
    order = np.lexsort(columns[::-1])
    ordered = columns[:, order]
    begins = np.concatenate([[0], (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])
    groups = np.empty(len(order), dtype=np.intp)
    groups[order] = np.cumsum(begins)
    return groups


def _weighted_medians(groups: Groups, values: Array, weights: Array) -> Array:
    """Per group, a ``v`` of the least ``sum weight * |value - v|``."""
    order = np.lexsort((values, groups))
    behind = np.cumsum(weights[order])
    ends = np.cumsum(np.bincount(groups))
    before = np.concatenate([[0.0], behind[ends[:-1] - 1]])
    places = np.searchsorted(behind, (before + behind[ends - 1]) / 2.0)
    starts = np.concatenate([[0], ends[:-1]])
    return np.asarray(values[order][np.clip(places, starts, ends - 1)])


def onto_simplex(y: Array) -> Array:
    """The nearest columns that are at least 0 and add up to 1 (Held, Wolfe and Crowder 1974)."""
    ordered = -np.sort(-y, axis=0)
    excess = (np.cumsum(ordered, axis=0) - 1.0) / np.arange(1, len(y) + 1).reshape(-1, 1)
    count = (ordered > excess).sum(axis=0)
    return np.asarray(np.maximum(y - excess[count - 1, np.arange(y.shape[1])], 0.0))


def affine_residual(x: Array, y: Array, constant: bool) -> Array:
    """The error of the best linear output of ``x``, with a ``constant`` if wanted."""
    design = np.vstack([x, np.ones((1, x.shape[1]))]) if constant else x
    weights = np.linalg.lstsq(design.T, y.T, rcond=None)[0]
    return np.asarray(y - weights.T @ design)


def softmax_floor(x: Array, y: Array, deadline: Deadline = NEVER) -> float:
    """The least mean cross-entropy of a softmax whose z is affine in ``x``.

    ``y`` is (classes, samples) and adds up to 1.  The problem is convex; Newton's method ends at
    its optimum, and at nearly 0 where a plane separates the classes.  Where it does not get to an
    optimum, or not before the ``deadline``, no floor is known, and 0 is returned.
    """
    spread = x.std(axis=1, keepdims=True)
    x = (x - x.mean(axis=1, keepdims=True)) / np.where(spread > 0.0, spread, 1.0)
    design = np.vstack([x, np.ones((1, x.shape[1]))])
    samples, classes = x.shape[1], len(y)
    weights = np.zeros((classes, len(design)))

    def shares(of: Array) -> Array:
        z = of @ design
        e = np.exp(z - z.max(axis=0))
        return np.asarray(e / e.sum(axis=0))

    def value(of: Array) -> float:
        return float(_cross(y, np.maximum(shares(of), 1e-300)).sum() / samples)

    loss = value(weights)
    for _ in range(STEPS):
        if deadline.passed:
            break
        p = shares(weights)
        gradient = ((p - y) @ design.T / samples).ravel()
        curve = np.empty((classes, len(design), classes, len(design)))
        for one, other in product(range(classes), repeat=2):
            share = p[one] * ((one == other) - p[other])
            curve[one, :, other] = (design * share) @ design.T
        matrix = curve.reshape(len(gradient), -1) / samples + 1e-10 * np.eye(len(gradient))
        step, scale = np.linalg.solve(matrix, gradient).reshape(weights.shape), 1.0
        while value(weights - scale * step) > loss and scale > 1e-6:
            scale /= 2.0
        weights = weights - scale * step
        before, loss = loss, value(weights)
        if loss < 1e-4 or before - loss <= 1e-12 * before:
            break
    left = np.abs((shares(weights) - y) @ design.T / samples).max()
    return loss if left < STATIONARY else 0.0
