"""Loads the data rows as arrays: scaled inputs and targets, one column per sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakValueDictionary

import numpy as np

from nntui.core.engine.state import Order, frozen
from nntui.core.errors import ConfigError
from nntui.core.formulas.expression import Expression
from nntui.core.parts.data_formula import evaluate_formula
from nntui.core.parts.datasets import draw_dataset
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.data_settings import Data
from nntui.core.settings.rows import Rows
from nntui.core.tape import Array

LARGE = 1e100
"""Above this, columns are divided by a power of two before their squares are taken."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(value / unit - shift) / spread`` for each row of an array; all three are (rows, 1)."""

    unit: Array
    """A power of two, larger than 1 only where a square could overflow."""
    shift: Array
    spread: Array

    @classmethod
    def fitted(cls, kind: str, values: Array) -> "Scaling":
        """The scaling of ``kind`` for ``values``, (rows, samples); constant rows become 0.

        ``standard`` gives mean 0 and deviation 1, ``minmax`` the range 0 to 1, ``none`` nothing.
        """
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
        """``values`` scaled; with kind ``none``, unchanged to the last bit."""
        return np.asarray((values / self.unit - self.shift) / self.spread)

    def undone(self, values: Array) -> Array:
        """The inverse of the scaling."""
        with np.errstate(all="ignore"):
            return np.asarray((values * self.spread + self.shift) * self.unit)


@dataclass(frozen=True, eq=False)
class DataArrays:
    """Training and test rows, read-only.

    ``x`` is (inputs, samples), scaled and with the constant inputs; ``y`` is (outputs, samples).
    """

    xy: Array
    """``x`` stacked on ``y``, (inputs + outputs, samples); both are views into it."""
    test_x: Array
    test_y: Array
    training_rows: Order
    """The numbers of the training rows and of the test rows."""
    test_rows: Order
    scaling: Scaling
    """The scaling of the inputs."""
    target_scaling: Scaling
    """The scaling of the targets, with their divisor."""
    units: Array
    """What an error of 1 is without ``scale_targets``, (outputs, 1)."""
    constants: tuple[float, ...]
    """The constant inputs at the end of every column of ``x``."""

    @property
    def given(self) -> int:
        """How many inputs a row has, constant ones excluded."""
        return len(self.scaling.unit)

    @property
    def width(self) -> int:
        """How many inputs the network has, constant ones included."""
        return self.given + len(self.constants)

    @cached_property
    def x(self) -> Array:
        """Inputs of the training rows, (inputs, samples)."""
        return self.xy[: self.width]

    @cached_property
    def y(self) -> Array:
        """Targets of the training rows, (outputs, samples)."""
        return self.xy[self.width :]

    @cached_property
    def are_shares(self) -> bool:
        """Whether every target, test rows included, is between 0 and 1."""
        return all(((y >= 0.0) & (y <= 1.0)).all() for y in (self.y, self.test_y))

    @cached_property
    def add_up(self) -> bool:
        """Whether the targets of every row, test rows included, add up to 1."""
        sums = (y.sum(axis=0) for y in (self.y, self.test_y))
        return all(np.allclose(each, 1.0, rtol=0.0, atol=1e-9) for each in sums)

    def in_order(self, training: Array, testing: Array) -> Array:
        """Merge columns for training and for test rows, in the order of the data rows."""
        whole = np.empty((len(training), training.shape[1] + testing.shape[1]))
        whole[:, self.training_rows], whole[:, self.test_rows] = training, testing
        return whole

    def inputs(self, rows: Rows | Sequence[Sequence[float]] | Array, key: str = "inputs") -> Array:
        """``rows`` as inputs of the network, (inputs, rows): scaled, with constants appended.

        Rows may already end with the constants.  Raises ConfigError, with ``key``, for rows of
        another width or with other constants.
        """
        x = np.array(rows, dtype=np.float64).T
        if x.shape[0] == self.width:
            x, constants = x[: self.given], x[self.given :]
            if (constants != np.array(self.constants).reshape(-1, 1)).any():
                raise ConfigError(key, f"ends with other constants than {list(self.constants)}")
        elif x.shape[0] != self.given:
            also = f" (or {self.width} with the constants)" if self.constants else ""
            raise ConfigError(
                key, f"has {x.shape[0]} numbers; the network has {self.given} inputs{also}"
            )
        return np.concatenate([self.scaling(x), _repeated(self.constants, x.shape[1])])


def _repeated(constants: tuple[float, ...], samples: int) -> Array:
    """Rows of ``constants``, (constants, samples)."""
    return np.repeat(np.array(constants).reshape(-1, 1), samples, axis=1)


def _finite(values: Array) -> Array:
    if not np.isfinite(values).all():
        raise ConfigError("data.noise", "is too large: the data overflow")
    return values


def _raw(data: Data, random: np.random.RandomState) -> tuple[Array, Array]:
    """Inputs (given, rows) and targets (outputs, rows), before any split or scaling."""
    if data.formula is not None:
        with np.errstate(all="ignore"):
            points = np.linspace(data.start or 0.0, data.stop or 0.0, data.rows)
        if not np.isfinite(points).all():
            raise ConfigError("data.start", "to data.stop is too large a range: x overflows")
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
    assert data.inputs is not None
    assert data.targets is not None
    return data.inputs.array.T, data.targets.array.T


_HELD = "_arrays"
"""The attribute of a `Data` instance that caches its arrays."""

_shared: WeakValueDictionary[str, DataArrays] = WeakValueDictionary()
"""All arrays in use, so that equal data share them, such as those of a run's branches."""


def load_data(configuration: Configuration) -> DataArrays:
    """The arrays of ``configuration``'s data, cached and shared between equal data.

    Random numbers come from ``RandomState(data.seed)``: first those of the source, then one
    permutation for the test split, whose first entries are the test rows.  Raises ConfigError if
    a formula cannot be evaluated or a number is not finite.
    """
    data = configuration.data
    arrays: DataArrays | None = vars(data).get(_HELD)
    if arrays is None:
        arrays = _shared.get(data.canonical) or _shared.setdefault(data.canonical, _arrays(data))
        vars(data)[_HELD] = arrays
    return arrays


def _arrays(data: Data) -> DataArrays:
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
        units = target_scaling.unit * target_scaling.spread
    if not np.isfinite(x).all():
        raise ConfigError("data.scale_inputs", "gives inputs that are not finite")
    if not np.isfinite(y).all():
        raise ConfigError(
            "data.target_divisor", "or scale_targets gives targets that are not finite"
        )
    whole = np.concatenate([x, _repeated(data.constant_inputs, data.rows), y])
    width = data.width
    return DataArrays(
        xy=frozen(whole[:, training]),
        test_x=frozen(whole[:width, testing]),
        test_y=frozen(whole[width:, testing]),
        training_rows=training,
        test_rows=testing,
        scaling=scaling,
        target_scaling=replace(target_scaling, spread=target_scaling.spread * data.target_divisor),
        units=frozen(units),
        constants=data.constant_inputs,
    )


def loss_slope(configuration: Configuration) -> Expression:
    """The slope of the training loss that is right for the targets: see `Loss.slope`."""
    loss = LOSSES[configuration.training.loss]
    proper = not loss.needs_sum or load_data(configuration).add_up
    return loss.slope if proper else loss.any_slope


def target_warnings(configuration: Configuration) -> tuple[str, ...]:
    """What is wrong with the targets of a cross-entropy, one line each; empty if nothing is."""
    arrays, said = load_data(configuration), []
    keys = {configuration.training.loss: "training.loss"}
    keys.setdefault(configuration.report.loss, "report.loss")
    for name, key in keys.items():
        loss = LOSSES[name]
        if loss.is_entropy and not arrays.are_shares:
            every = np.concatenate([arrays.y, arrays.test_y], axis=1)
            low, high = every.min(), every.max()
            said.append(
                f"{key}: {name} needs targets between 0 and 1, and these are {low:.6g} to "
                f"{high:.6g}"
            )
        elif loss.needs_sum and not arrays.add_up:
            said.append(f"{key}: {name} needs targets that add up to 1 in each row")
    return tuple(said)
