"""The data rows as arrays: inputs and targets with one column a sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nntui.core.engine.state import Order, frozen
from nntui.core.errors import ConfigError
from nntui.core.parts.datasets import draw_dataset
from nntui.core.parts.formula import evaluate_formula
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration, Data
from nntui.core.tape import Array

LARGE = 1e100
"""Beyond, squares are taken of numbers divided by a power of two."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(value / unit - shift) / spread``, per row of an array; all are (rows, 1)."""

    unit: Array
    """A power of two, more than 1 only where a square could overflow."""
    shift: Array
    spread: Array

    @classmethod
    def fitted(cls, kind: str, values: Array) -> "Scaling":
        """``standard``: mean 0, deviation 1; ``minmax``: from 0 to 1; constant rows become 0."""
        ones = np.ones((len(values), 1))
        if kind == "none":
            return cls(ones, np.zeros_like(ones), ones)
        largest = np.abs(values).max(axis=1, keepdims=True)
        unit = np.where(largest > LARGE, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1.0)
        values = values / unit
        low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
        if kind == "standard":
            shift, spread = values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True)
        else:
            shift, spread = low, high - low
        constant = low == high
        return cls(unit, np.where(constant, low, shift), np.where(constant, 1.0, spread))

    def __call__(self, values: Array) -> Array:
        """``values`` scaled; where nothing is scaled, the same to the last bit."""
        return np.asarray((values / self.unit - self.shift) / self.spread)

    def undone(self, values: Array) -> Array:
        """What ``values`` were before they were scaled."""
        with np.errstate(all="ignore"):
            return np.asarray((values * self.spread + self.shift) * self.unit)


@dataclass(frozen=True, eq=False)
class DataArrays:
    """Rows to train on and rows to test on, read-only.

    ``x`` is (inputs, samples), scaled and with the constant inputs; ``y`` is (outputs, samples).
    """

    data: Data
    x: Array
    y: Array
    test_x: Array
    test_y: Array
    training_rows: Order
    """Which data rows are trained on, and which are kept for testing."""
    test_rows: Order
    scaling: Scaling
    """That of the inputs."""
    target_scaling: Scaling
    """That of the targets, with their divisor."""

    def in_order(self, training: Array, testing: Array) -> Array:
        """Columns for training and for test rows, put into the order of the data rows."""
        whole = np.empty((len(training), training.shape[1] + testing.shape[1]))
        whole[:, self.training_rows], whole[:, self.test_rows] = training, testing
        return whole

    def inputs(self, rows: Sequence[Sequence[float]] | Array, key: str = "inputs") -> Array:
        """``rows`` as the network takes them; constants are added where a row leaves them out.

        Raises ConfigError, with ``key``, when the rows have any other width.
        """
        x = np.array(rows, dtype=np.float64).T
        if x.shape[0] == self.data.width:
            x, constants = x[: self.data.given], x[self.data.given :]
            if (constants != np.array(self.data.constant_inputs).reshape(-1, 1)).any():
                raise ConfigError(
                    key, f"ends with other constants than {list(self.data.constant_inputs)}"
                )
        elif x.shape[0] != self.data.given:
            also = (
                f" (or {self.data.width} with the constants)" if self.data.constant_inputs else ""
            )
            raise ConfigError(
                key, f"has {x.shape[0]} numbers; the network has {self.data.given} inputs{also}"
            )
        return _with_constants(self.data, self.scaling(x))


def _with_constants(data: Data, x: Array) -> Array:
    constants = np.array(data.constant_inputs).reshape(-1, 1)
    return np.concatenate([x, np.repeat(constants, x.shape[1], axis=1)])


def _finite(values: Array) -> Array:
    if not np.isfinite(values).all():
        raise ConfigError("data.noise", "is too large for floats")
    return values


def _raw(data: Data, random: np.random.RandomState) -> tuple[Array, Array]:
    """Inputs (given, rows) and targets (outputs, rows), before any split or scaling."""
    if data.formula is not None:
        with np.errstate(all="ignore"):
            points = np.linspace(data.start or 0.0, data.stop or 0.0, data.rows)
        if not np.isfinite(points).all():
            raise ConfigError("data.start", "to data.stop is too far for floats")
        y = evaluate_formula("data.formula", data.formula, points)
        if data.noise:
            with np.errstate(over="ignore"):
                y = _finite(y + data.noise * random.randn(data.rows))
        return points.reshape(1, -1), y.reshape(1, -1)
    if data.set is not None:
        with np.errstate(over="ignore"):
            points, labels = draw_dataset(
                data.set, random, data.rows, data.classes or 2, data.noise
            )
        points = _finite(points)
        if data.one_hot:
            return points.T, np.eye(data.classes or 2)[labels].T
        return points.T, labels.reshape(1, -1).astype(np.float64)
    return np.array(data.inputs).T, np.array(data.targets).T


def load_data(configuration: Configuration) -> DataArrays:
    """The arrays of ``configuration``'s data.

    Random numbers come from ``RandomState(data.seed)``: first those of the source, then one
    permutation for the test split, whose first entries are the rows to test on.  Raises
    ConfigError where a formula cannot be evaluated, a number would not be finite, or a loss
    cannot take the targets.
    """
    data = configuration.data
    random = np.random.RandomState(data.seed)
    x, y = _raw(data, random)
    training = np.arange(data.rows)
    testing = training[:0]
    if data.test_rows:
        order = random.permutation(data.rows)
        testing, training = np.sort(order[: data.test_rows]), np.sort(order[data.test_rows :])
    with np.errstate(all="ignore"):
        scaling = Scaling.fitted(data.scale_inputs, x[:, training])
        x = scaling(x)
        target_scaling = Scaling.fitted(data.scale_targets, y[:, training])
        y = target_scaling(y) / data.target_divisor
    if not np.isfinite(x).all():
        raise ConfigError("data.scale_inputs", "makes inputs that are not finite")
    if not np.isfinite(y).all():
        raise ConfigError("data.target_divisor", "or scale_targets makes targets not finite")
    _check_targets(configuration, y)
    whole = _with_constants(data, x)
    return DataArrays(
        data,
        x=frozen(whole[:, training]),
        y=frozen(y[:, training]),
        test_x=frozen(whole[:, testing]),
        test_y=frozen(y[:, testing]),
        training_rows=training,
        test_rows=testing,
        scaling=scaling,
        target_scaling=replace(target_scaling, spread=target_scaling.spread * data.target_divisor),
    )


def _check_targets(configuration: Configuration, y: Array) -> None:
    for section, loss in (
        ("training", configuration.training.loss),
        ("report", configuration.report.loss),
    ):
        needed = LOSSES[loss].needs_output
        if needed is not None and not ((y >= 0.0) & (y <= 1.0)).all():
            raise ConfigError(f"{section}.loss", f"{loss} needs targets between 0 and 1")
        if needed == "softmax" and not np.allclose(y.sum(axis=0), 1.0, rtol=0.0, atol=1e-9):
            raise ConfigError(f"{section}.loss", f"{loss} needs targets that add up to 1 in a row")
