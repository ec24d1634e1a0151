"""What can be said about a network and its training: frozen dataclasses, checked when made.

Every entry is declared once, with its meaning, its choices and its limits; the preset loader,
the overrides and the app read these declarations and hold no list of their own.
"""

import difflib
import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import cached_property
from numbers import Integral, Real
from typing import Any

from nntui.core.activations import ACTIVATIONS, KINKS
from nntui.core.errors import ConfigError, quoted
from nntui.core.faults import DERIVATIVES, FAULTS
from nntui.core.formula import check_formula
from nntui.core.initialisers import BIAS_INITIALISERS, INITIALISERS
from nntui.core.losses import LOSSES, REDUCTIONS
from nntui.core.optimisers import OPTIMISERS

Rows = tuple[tuple[float, ...], ...]

MOST_PARAMETERS = 10_000_000
MOST_NUMBERS = 100_000_000
"""Limits, checked before any memory is taken: one vector of parameters is then at most 80 MB,
and the data with all buffers of an update at most 800 MB."""

BIASES = ("none", "per-unit", "shared-start")
FULL = "full"


def entry(
    default: Any = MISSING,
    *,
    doc: str,
    choices: Iterable[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field that says what it means and what it may be."""
    return field(
        default=default,
        metadata={
            "doc": doc,
            "choices": None if choices is None else tuple(choices),
            "low": low,
            "high": high,
            "above": above,
            "below": below,
        },
    )


def one_of(value: object, choices: Iterable[str]) -> str:
    """A message for a ``value`` that is none of ``choices``: the nearest, or all of them."""
    names, text = list(choices), value if isinstance(value, str) else ""
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    said = f"did you mean {' or '.join(near)}?" if near else f"one of: {', '.join(names)}"
    return f"{quoted(value)} is not known; {said}"


_LIMITS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("low", "at least", operator.ge),
    ("high", "at most", operator.le),
    ("above", "more than", operator.gt),
    ("below", "less than", operator.lt),
)


def _check_number(key: str, value: Any, whole: bool, limits: Mapping[str, Any]) -> int | float:
    kind = "a whole number" if whole else "a number"
    # NumPy's numbers are registered with these; a bool is a whole number to Python, not to us.
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        raise ConfigError(key, f"must be {kind}, not {quoted(value)}")
    given: Any = value  # the abstract types tell mypy nothing about conversions
    try:
        number = operator.index(given) if whole else float(given)
    except OverflowError:
        raise ConfigError(key, "is too large for a float") from None
    if not whole and not math.isfinite(number):
        raise ConfigError(key, f"must be finite, not {number}")
    for limit, words, holds in _LIMITS:
        bound = limits.get(limit)
        if bound is not None and not holds(number, bound):
            raise ConfigError(key, f"must be {words} {bound:,}, not {quoted(value)}")
    return number


def check_rows(key: str, value: Any) -> Rows:
    """``value`` as rows of finite floats, all of one width; ConfigError says which is not."""
    if not isinstance(value, (list, tuple)) or not value:
        raise ConfigError(key, "must be a list of rows, such as [[0, 1], [1, 0]]")
    rows = []
    for index, row in enumerate(value):
        if not isinstance(row, (list, tuple)) or not row:
            raise ConfigError(f"{key}.{index}", f"must be a row of numbers, not {quoted(row)}")
        rows.append(
            tuple(
                float(_check_number(f"{key}.{index}.{column}", cell, False, {}))
                for column, cell in enumerate(row)
            )
        )
        if len(rows[-1]) != len(rows[0]):
            raise ConfigError(
                f"{key}.{index}",
                f"has {len(rows[-1])} numbers where the first row has {len(rows[0])}",
            )
    return tuple(rows)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the configuration whose entries are checked one by one when it is made."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (value is None and each.default is None):
                object.__setattr__(self, each.name, self._checked(each, value))

    @staticmethod
    def _checked(each: Any, value: Any) -> Any:
        key, kind, limits = each.name, each.type, each.metadata
        if limits.get("choices") is not None:
            if not isinstance(value, str) or value not in limits["choices"]:
                raise ConfigError(key, one_of(value, limits["choices"]))
        elif kind in (int, float, int | None, float | None):
            return _check_number(key, value, kind in (int, int | None), limits)
        elif kind is bool:
            if not isinstance(value, bool):
                raise ConfigError(key, f"must be true or false, not {quoted(value)}")
        elif kind is str or kind == str | None:
            if not isinstance(value, str):
                raise ConfigError(key, f"must be a text in quotes, not {quoted(value)}")
            if not all(each.isprintable() or each in "\n\t" for each in value):
                raise ConfigError(key, "has a control character in it")
        elif kind == Rows or kind == Rows | None:
            return check_rows(key, value)
        elif kind == tuple[str, ...]:
            if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
                raise ConfigError(key, f"must be a list of texts in quotes, not {quoted(value)}")
            return tuple(value)
        elif kind == tuple[float, ...]:
            if not isinstance(value, (list, tuple)):
                raise ConfigError(key, f"must be a list of numbers, not {quoted(value)}")
            return check_rows(key, [value])[0] if value else ()
        return value


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The data rows: a table, or a formula of x evaluated at evenly spaced points."""

    inputs: Rows | None = entry(None, doc="the inputs of each data row (a table)")
    targets: Rows | None = entry(None, doc="the targets of each data row (a table)")
    formula: str | None = entry(None, doc="instead of a table: y as a formula of x")
    start: float | None = entry(None, doc="first x of the formula (0)")
    stop: float | None = entry(None, doc="last x of the formula (1)")
    samples: int | None = entry(None, doc="how many evenly spaced x (101)", low=1, high=1_000_000)
    constant_inputs: tuple[float, ...] = entry((), doc="constant columns added to every row")
    target_divisor: float = entry(1.0, doc="every target is divided by this", above=0.0)
    probe: Rows | None = entry(None, doc="rows to predict after training")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.formula is not None:
            if self.inputs is not None or self.targets is not None:
                raise ConfigError("formula", "stands beside inputs or targets: give one or other")
            check_formula("formula", str(self.formula))
            for name, value in (("start", 0.0), ("stop", 1.0), ("samples", 101)):
                if getattr(self, name) is None:
                    object.__setattr__(self, name, value)
        elif self.inputs is None or self.targets is None:
            missing = "inputs" if self.inputs is None else "targets"
            raise ConfigError(missing, "is missing: give inputs and targets, or a formula")
        elif any(x is not None for x in (self.start, self.stop, self.samples)):
            raise ConfigError("", "start, stop and samples belong to a formula, not to a table")
        elif len(self.inputs) != len(self.targets):
            raise ConfigError(
                "targets", f"has {len(self.targets)} rows where inputs has {len(self.inputs)}"
            )
        if self.probe is not None and len(self.probe[0]) not in (self.given, self.width):
            raise ConfigError(
                "probe", f"has rows of {len(self.probe[0])} numbers; the inputs have {self.given}"
            )

    @property
    def rows(self) -> int:
        """How many data rows there are."""
        return len(self.inputs) if self.inputs is not None else self.samples or 0

    @property
    def given(self) -> int:
        """How many inputs a row has, without the constant columns."""
        return len(self.inputs[0]) if self.inputs is not None else 1

    @property
    def width(self) -> int:
        """How many inputs the network has, the constant columns included."""
        return self.given + len(self.constant_inputs)

    @property
    def outputs(self) -> int:
        """How many targets a row has."""
        return len(self.targets[0]) if self.targets is not None else 1


@dataclass(frozen=True, kw_only=True)
class Layer(Section):
    """One dense layer: its units, and how they start."""

    units: int = entry(doc="how many units", low=1, high=100_000)
    activation: str = entry("identity", doc="the activation function", choices=ACTIVATIONS)
    leak: float = entry(0.01, doc="slope of leaky-relu below zero", low=0.0, below=1.0)
    kink: str = entry("left", doc="derivative of relu and leaky-relu at z = 0", choices=KINKS)
    init: str = entry("he", doc="how the weights start", choices=INITIALISERS)
    scale: float = entry(1.0, doc="factor on the weights' start", low=-1e300, high=1e300)
    bias: str = entry("per-unit", doc="shared-start: one draw for the layer", choices=BIASES)
    bias_init: str = entry("zeros", doc="how the bias starts", choices=BIAS_INITIALISERS)
    bias_scale: float = entry(1.0, doc="factor on the bias's start", low=-1e300, high=1e300)
    normalise: bool = entry(False, doc="layer normalisation after the activation")


@dataclass(frozen=True, kw_only=True)
class Training(Section):
    """How one update is made."""

    loss: str = entry(doc="the loss whose gradient is followed", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of a batch", choices=REDUCTIONS)
    optimiser: str = entry("sgd", doc="the rule of the update", choices=OPTIMISERS)
    learning_rate: float = entry(doc="the step's factor", low=0.0)
    momentum: float = entry(0.0, doc="share of the last step that is kept", low=0.0, below=1.0)
    batch: int | str = entry(FULL, doc="samples per update, in order; or full")
    l2: float = entry(0.0, doc="penalty l2/2 * sum w^2 on the weights", low=0.0)
    l2_per_sample: bool = entry(False, doc="divide l2 by the number of data rows")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch != FULL:
            if isinstance(self.batch, str):
                raise ConfigError(
                    "batch", f'must be a whole number or "full", not {quoted(self.batch)}'
                )
            _check_number("batch", self.batch, True, {"low": 1, "high": MOST_NUMBERS})


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """The reported loss: what the program prints after each epoch.

    It is summed over the samples as the epoch runs, each with the parameters it was trained on
    (with one batch an epoch, that is the loss before the update).
    """

    loss: str = entry(doc="the loss that is printed", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of the epoch", choices=REDUCTIONS)
    penalty: bool = entry(False, doc="add the l2 penalty of the weights after the epoch")


@dataclass(frozen=True, kw_only=True)
class FaultEntry(Section):
    """A fault that is switched on, in all layers or in those listed."""

    name: str = entry(doc="which fault", choices=FAULTS)
    layers: tuple[int, ...] | None = entry(None, doc="the layers it concerns; all if not given")
    of: str | None = entry(None, doc="fault derivative: whose derivative", choices=DERIVATIVES)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers is not None:
            if not isinstance(self.layers, (list, tuple)):
                raise ConfigError("layers", f"must be a list of layers, not {quoted(self.layers)}")
            numbers = tuple(
                int(_check_number(f"layers.{at}", number, True, {"low": 0}))
                for at, number in enumerate(self.layers)
            )
            object.__setattr__(self, "layers", numbers)
        if self.of is not None and self.name != "derivative":
            raise ConfigError("of", f"belongs to the fault derivative, not to {self.name}")

    def concerns(self, layer: int) -> bool:
        """Whether the fault is on in ``layer``."""
        return self.layers is None or layer in self.layers


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that decides a run, but for the seed."""

    data: Data
    layers: tuple[Layer, ...]
    training: Training
    report: Report
    faults: tuple[FaultEntry, ...] = ()

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError("layers", "is empty: a network needs at least one layer")
        last = len(self.layers) - 1
        if self.layers[-1].units != self.data.outputs:
            raise ConfigError(
                f"layers.{last}.units",
                f"is {self.layers[-1].units}, but the targets have {self.data.outputs} "
                f"{'column' if self.data.outputs == 1 else 'columns'}",
            )
        for section, key in ((self.training, "training"), (self.report, "report")):
            self._check_output(key, section.loss)
        for index, fault in enumerate(self.faults):
            for number in fault.layers or ():
                if number > last:
                    raise ConfigError(
                        f"faults.{index}.layers", f"there is no layer {number}; the last is {last}"
                    )
        self._check_sizes()

    def _check_output(self, key: str, loss: str) -> None:
        needed, output = LOSSES[loss].needs_output, self.layers[-1]
        if needed is not None and (output.activation != needed or output.normalise):
            raise ConfigError(
                f"{key}.loss",
                f"{loss} needs a {needed} output, but layer {len(self.layers) - 1} is "
                f"{'normalised' if output.normalise else output.activation}",
            )

    def _check_sizes(self) -> None:
        parameters, width = 0, self.data.width
        for index, layer in enumerate(self.layers):
            parameters += layer.units * (width + (layer.bias != "none"))
            width = layer.units
            if parameters > MOST_PARAMETERS:
                raise ConfigError(
                    f"layers.{index}.units",
                    f"makes {parameters:,} parameters; at most {MOST_PARAMETERS:,} are possible",
                )
        units = sum(layer.units for layer in self.layers)
        numbers = self.data.rows * (2 * self.data.width + 3 * units)
        numbers += self.batch_size * 6 * units + 5 * parameters
        if numbers > MOST_NUMBERS:
            raise ConfigError(
                "data",
                f"{self.data.rows:,} rows through {units:,} units take {numbers:,} numbers; "
                f"at most {MOST_NUMBERS:,} are possible",
            )

    @cached_property
    def canonical(self) -> bytes:
        """The configuration as text, equal for equal ones; probe rows decide nothing: left out."""
        content = asdict(self)
        del content["data"]["probe"]
        return json.dumps(content, sort_keys=True).encode()

    @property
    def batch_size(self) -> int:
        """Samples per update; the last batch of an epoch may be smaller."""
        batch = self.training.batch
        return self.data.rows if batch == FULL else min(int(batch), self.data.rows)

    @property
    def updates_per_epoch(self) -> int:
        """Updates in one pass over the data."""
        return -(-self.data.rows // self.batch_size)

    @property
    def l2(self) -> float:
        """The factor of the penalty's gradient: the gradient of W gains ``l2 * W``."""
        training = self.training
        return training.l2 / self.data.rows if training.l2_per_sample else training.l2
