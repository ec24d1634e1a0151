"""Validated, frozen configuration: data, layers, training, report and faults.

Every entry is declared once, with its meaning, its choices and its limits; the preset loader,
the overrides and the app read these declarations and keep no list of their own.
"""

import json
from dataclasses import Field, dataclass, fields
from functools import cached_property
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.activations import (
    ACTIVATIONS,
    KINKS,
    check_activation,
    check_slope,
    is_same,
)
from nntui.core.parts.data_formula import check_formula
from nntui.core.parts.datasets import DATASETS
from nntui.core.parts.faults import FAULTS, check_of, fault, gradient_shape
from nntui.core.parts.initialisers import BIAS_INITIALISERS, DRAW_ORDERS, INITIALISERS
from nntui.core.parts.losses import LOSSES, REDUCTIONS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, check_number, entry

MOST_PARAMETERS = 10_000_000
MOST_NUMBERS = 100_000_000
"""Limits, checked before any memory is allocated: they keep a vector of parameters below 80 MB,
and the data with all buffers of an update below 800 MB."""

MOST_ROWS = 1_000_000
WIDEST = 1e150
"""Limit of a uniform distribution's bounds, whose difference must be finite."""
SCALINGS = ("none", "standard", "minmax")
BATCH, ALL = REPORTED_ROWS = ("batch", "all")
BEFORE, AFTER = MOMENTS = ("before", "after")
ORDERS = ("in-order", "shuffled", "random")
BIASES = ("none", "per-unit", "shared-start")
MOST_SKIPPED = 10_000_000
FULL = "full"

SOURCE_DEFAULTS: dict[str, dict[str, Any]] = {
    "inputs": {},
    "formula": {"start": 0.0, "stop": 1.0, "samples": 101},
    "set": {"classes": 2, "samples": 101},
}
"""The entries that name a data source, each with the defaults that it fills in."""


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The data rows: a table, a formula of x at evenly spaced points, or a drawn set."""

    inputs: Rows | None = entry(None, doc="table: the inputs of each data row")
    targets: Rows | None = entry(None, doc="table: the targets of each data row")
    formula: str | None = entry(None, doc="instead of a table: y as a formula of x")
    start: float | None = entry(None, doc="formula: first x (0)")
    stop: float | None = entry(None, doc="formula: last x (1)")
    set: str | None = entry(None, doc="instead of a table: a classic 2-D set", choices=DATASETS)
    classes: int | None = entry(None, doc="set: how many classes (2)", low=2, high=20)
    one_hot: bool = entry(False, doc="set: one target column a class, not one column of 0 and 1")
    samples: int | None = entry(
        None, doc="formula, set: how many rows (101)", low=1, high=MOST_ROWS
    )
    noise: float = entry(0.0, doc="formula, set: standard deviation of normal noise", low=0.0)
    seed: int = entry(0, doc="seed of noise, drawn sets and the test split", low=0, high=2**32 - 1)
    constant_inputs: tuple[float, ...] = entry((), doc="constants appended to every row's inputs")
    scale_inputs: str = entry(
        "none",
        doc="each input column to mean 0 and deviation 1 (standard), or to 0..1 (minmax)",
        choices=SCALINGS,
    )
    scale_targets: str = entry("none", doc="likewise each target column", choices=SCALINGS)
    target_divisor: float = entry(
        1.0, doc="every target is divided by this, after scale_targets", above=0.0
    )
    test_share: float = entry(0.0, doc="share of the rows kept out of training", low=0.0, below=1.0)
    probe: Rows | None = entry(None, doc="rows to predict after training")

    def __post_init__(self) -> None:
        super().__post_init__()
        sources = [name for name in SOURCE_DEFAULTS if getattr(self, name) is not None]
        if not sources:
            raise ConfigError("inputs", "is missing: give inputs and targets, a formula, or a set")
        if len(sources) > 1 or (sources != ["inputs"] and self.targets is not None):
            raise ConfigError(
                sources[-1], "conflicts with another data source: give a table, a formula or a set"
            )
        self._check_source(sources[0])
        if self.training_rows < 1:
            raise ConfigError("test_share", f"leaves no row of {self.rows} to train on")
        if self.probe is not None and self.probe.width not in (self.given, self.width):
            raise ConfigError(
                "probe", f"has rows of {self.probe.width} numbers; the inputs have {self.given}"
            )

    def _check_source(self, source: str) -> None:
        """Fill in the defaults of ``source``; raise ConfigError for entries of another source."""
        defaults = SOURCE_DEFAULTS[source]
        for name in ("start", "stop", "samples", "classes"):
            if name in defaults:
                if getattr(self, name) is None:
                    object.__setattr__(self, name, defaults[name])
            elif getattr(self, name) is not None:
                kind = "a table" if source == "inputs" else f"a {source}"
                raise ConfigError(name, f"does not belong to {kind}")
        if source == "inputs":
            if self.noise or self.one_hot:
                raise ConfigError(
                    "noise" if self.noise else "one_hot", "does not belong to a table"
                )
            if self.targets is None:
                raise ConfigError("targets", "is missing: give the targets of each row")
            if len(self.inputs or ()) != len(self.targets):
                raise ConfigError(
                    "targets", f"has {len(self.targets)} rows where inputs has {self.rows}"
                )
        elif source == "formula":
            check_formula("formula", str(self.formula))
            if self.one_hot:
                raise ConfigError("one_hot", "does not belong to a formula")
        else:
            most = DATASETS[str(self.set)].most_classes
            if (self.classes or 0) > most:
                raise ConfigError("classes", f"{self.set} has at most {most}")
            if (self.classes or 0) > 2 and not self.one_hot:
                raise ConfigError("one_hot", "must be true for more than two classes")

    def default_of(self, declared: Field[Any]) -> Any:
        """The value of an entry that is left out, which may depend on the data source."""
        source = next(name for name in SOURCE_DEFAULTS if getattr(self, name) is not None)
        return SOURCE_DEFAULTS[source].get(declared.name, declared.default)

    def __getstate__(self) -> dict[str, Any]:
        """The entries alone; cached values are recomputed after unpickling."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def canonical(self) -> str:
        """The data as canonical text: equal data have equal text.  Probe rows are left out."""
        content = self.__getstate__()
        del content["probe"]
        return json.dumps(content, sort_keys=True, default=lambda rows: rows.digest)

    @property
    def rows(self) -> int:
        """How many data rows there are, test rows included."""
        return len(self.inputs) if self.inputs is not None else self.samples or 0

    @property
    def test_rows(self) -> int:
        """How many rows are held out for testing."""
        return round(self.test_share * self.rows)

    @property
    def training_rows(self) -> int:
        """How many rows are used for training."""
        return self.rows - self.test_rows

    @property
    def given(self) -> int:
        """How many inputs a row has, constant columns excluded."""
        return self.inputs.width if self.inputs is not None else 1 if self.formula else 2

    @property
    def width(self) -> int:
        """How many inputs the network has, constant columns included."""
        return self.given + len(self.constant_inputs)

    @property
    def outputs(self) -> int:
        """How many targets a row has."""
        if self.targets is not None:
            return self.targets.width
        return (self.classes or 1) if self.one_hot else 1


@dataclass(frozen=True, kw_only=True)
class Layer(Section):
    """One dense layer: its units, activation and initialisation."""

    units: int = entry(doc="how many units", low=1, high=100_000)
    activation: str = entry(
        "identity",
        doc="the activation function, or a formula of z",
        choices=ACTIVATIONS,
        formula=check_activation,
    )
    slope: str | None = entry(
        None, doc="a formula's derivative, of z and a (found by nntui)", formula=check_slope
    )
    leak: float = entry(0.01, doc="slope of leaky-relu below zero", low=0.0, below=1.0)
    alpha: float = entry(1.0, doc="elu goes down to -alpha", above=0.0, high=1e6)
    kink: str = entry("left", doc="which slope relu and leaky-relu have at z = 0", choices=KINKS)
    init: str = entry("he", doc="how the weights start", choices=INITIALISERS)
    scale: float = entry(1.0, doc="factor on the weights' start", low=-1e300, high=1e300)
    low: float = entry(
        0.0,
        doc="init uniform: least weight, before the scale",
        low=-WIDEST,
        high=WIDEST,
        later=True,
    )
    high: float = entry(
        1.0,
        doc="init uniform: bound of the weights, before the scale",
        low=-WIDEST,
        high=WIDEST,
        later=True,
    )
    W: Rows | None = entry(
        None, doc="instead of init: the first weights, units x inputs, times the scale", later=True
    )
    bias: str = entry(
        "per-unit", doc="none, one per unit, or all starting from one draw", choices=BIASES
    )
    bias_init: str = entry("zeros", doc="how the bias starts", choices=BIAS_INITIALISERS)
    bias_scale: float = entry(1.0, doc="factor on the bias's start", low=-1e300, high=1e300)
    bias_low: float = entry(
        0.0,
        doc="bias_init uniform: least bias, before the scale",
        low=-WIDEST,
        high=WIDEST,
        later=True,
    )
    bias_high: float = entry(
        1.0,
        doc="bias_init uniform: bound of the bias, before the scale",
        low=-WIDEST,
        high=WIDEST,
        later=True,
    )
    b: tuple[float, ...] | None = entry(
        None, doc="instead of bias_init: the first bias of each unit, times the scale", later=True
    )
    normalise: bool = entry(False, doc="layer normalisation after the activation")

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high in (("low", "high"), ("bias_low", "bias_high")):
            least, bound = getattr(self, low), getattr(self, high)
            if least >= bound:
                raise ConfigError(low, f"is {least:g}, and must be less than {high}, {bound:g}")
        if self.b is not None and self.bias == "none":
            raise ConfigError("b", 'belongs to a layer with a bias, and bias is "none"')

    def check_numbers(self, inputs: int) -> None:
        """Raise ConfigError unless ``W`` and ``b``, if given, fit the units and ``inputs``."""
        has = f"but the layer has {_counted(self.units, 'unit')}"
        if self.W is not None and self.W.array.shape != (self.units, inputs):
            rows, columns = self.W.array.shape
            raise ConfigError("W", f"is {rows} x {columns}, {has} and {_counted(inputs, 'input')}")
        if self.b is not None and len(self.b) != self.units:
            raise ConfigError("b", f"has {_counted(len(self.b), 'number')}, {has}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Draws(Section):
    """In which order the first weights and biases are drawn, and what is drawn before them."""

    order: str = entry(
        DRAW_ORDERS[0],
        doc="each layer's W, then its b; or all W, then all b; or each layer's b, then its W",
        choices=DRAW_ORDERS,
    )
    transposed: bool = entry(False, doc="weights are drawn as inputs x units, and transposed")
    skip_uniform: int = entry(
        0, doc="uniform numbers drawn before and thrown away", low=0, high=MOST_SKIPPED
    )
    skip_normal: int = entry(
        0, doc="after these, normal numbers drawn and thrown away", low=0, high=MOST_SKIPPED
    )


@dataclass(frozen=True, kw_only=True)
class Training(Section):
    """How an update is computed: loss, optimiser, batches and penalties."""

    loss: str = entry(doc="the loss that training minimises", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of a batch", choices=REDUCTIONS)
    optimiser: str = entry("sgd", doc="the rule of the update", choices=OPTIMISERS)
    learning_rate: float = entry(doc="the step's factor", low=0.0)
    momentum: float = entry(0.0, doc="share of the last step that is kept", low=0.0, below=1.0)
    dampening: float = entry(
        0.0,
        doc="sgd: share of the gradient that the velocity leaves out",
        low=0.0,
        high=1.0,
        later=True,
    )
    rho: float = entry(0.9, doc="rmsprop: share of the running square", low=0.0, below=1.0)
    beta1: float = entry(0.9, doc="adam: share of the running mean", low=0.0, below=1.0)
    beta2: float = entry(0.999, doc="adam: share of the running square", low=0.0, below=1.0)
    epsilon: float = entry(1e-8, doc="rmsprop, adam: added to the root", low=0.0)
    schedule: str = entry("constant", doc="the rate's factor over the epochs", choices=SCHEDULES)
    schedule_decay: float = entry(0.5, doc="the schedule's decay", low=0.0, high=1e6)
    schedule_every: int = entry(100, doc="the schedule's period in epochs", low=1, high=10**9)
    batch: int | str = entry(FULL, doc="samples per update, at least 1; or full")
    order: str = entry("in-order", doc="the order of an epoch's rows", choices=ORDERS)
    draws: int | None = entry(
        None, doc="order random: samples an epoch (as many as rows)", low=1, high=MOST_ROWS
    )
    clip_value: float | None = entry(
        None, doc="each number of the gradient is cut to plus or minus this", above=0.0
    )
    clip_norm: float | None = entry(
        None, doc="a gradient whose norm is larger is shrunk to this norm", above=0.0
    )
    l1: float = entry(0.0, doc="penalty l1 * sum |w| on the weights", low=0.0)
    l2: float = entry(0.0, doc="penalty l2/2 * sum w^2 on the weights", low=0.0)
    l2_per_sample: bool = entry(False, doc="divide l1 and l2 by the number of training rows")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch != FULL:
            if isinstance(self.batch, str):
                raise ConfigError(
                    "batch", f'must be a whole number or "full", not {quoted(self.batch)}'
                )
            check_number("batch", self.batch, True, {"low": 1, "high": MOST_NUMBERS})
        if self.draws is not None and self.order != "random":
            raise ConfigError("draws", 'belongs to order = "random"')


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """The reported loss: what the program prints after an epoch.

    With ``rows = "batch"`` it accumulates while the epoch runs: each batch contributes its loss
    with the parameters from before its own update (with one batch per epoch, that is the loss
    before the update), and the penalties are those after the epoch.  With ``rows = "all"`` loss
    and penalties are computed over all training rows at one moment: with the parameters from
    before the epoch's last update, or with those after it.

    It is stated in the units that the targets have without ``data.scale_targets``, so that a
    goal means the same whether targets are scaled or not; cross-entropies have no units.
    """

    loss: str = entry(doc="the loss that is printed", choices=LOSSES)
    reduction: str = entry("mean", doc="over the samples of the epoch", choices=REDUCTIONS)
    penalty: bool = entry(False, doc="add the penalties of the weights")
    rows: str = entry(
        BATCH,
        doc="the samples of the epoch, as they are used; or all training rows at one moment",
        choices=REPORTED_ROWS,
        later=True,
    )
    when: str = entry(
        BEFORE,
        doc="rows all: with the parameters before or after the epoch's last update",
        choices=MOMENTS,
        later=True,
    )
    every: int = entry(
        1, doc="epochs from one report to the next, from epoch 0 on", low=1, high=10**9, later=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.when == AFTER and self.rows != ALL:
            raise ConfigError(
                "when",
                '"after" needs rows = "all": batches count with the parameters from before their '
                "own updates",
            )

    def epochs(self, start: int, stop: int) -> range:
        """The epochs from ``start`` to before ``stop`` whose loss is reported."""
        return range(self.next_from(start), stop, self.every)

    def is_due(self, epoch: int) -> bool:
        """Whether the loss of ``epoch``, counted from 0, is reported."""
        return epoch % self.every == 0

    def next_from(self, epoch: int) -> int:
        """The first epoch from ``epoch`` on whose loss is reported."""
        return -(-epoch // self.every) * self.every

    @property
    def covers_all(self) -> bool:
        """Whether it is computed over all training rows at one moment."""
        return self.rows == ALL


@dataclass(frozen=True, kw_only=True)
class FaultEntry(Section):
    """A fault that is switched on, in all layers or in the listed ones."""

    name: str = entry(doc="which fault", choices=FAULTS)
    layers: tuple[int, ...] | None = entry(None, doc="the layers it affects; all if not given")
    of: str | None = entry(
        None,
        doc="derivative: of which activation (identity), or a formula; gradient: a formula",
        choices=ACTIVATIONS,
        formula=lambda key, text: None,  # what is valid depends on the fault; see `check_of`
    )
    factor: float | None = entry(None, doc="fault wrong-factor: the factor (2)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers is not None:
            if not isinstance(self.layers, (list, tuple)):
                raise ConfigError("layers", f"must be a list of layers, not {quoted(self.layers)}")
            numbers = tuple(
                int(check_number(f"layers.{at}", number, True, {"low": 0}))
                for at, number in enumerate(self.layers)
            )
            object.__setattr__(self, "layers", numbers)
        for key in ("of", "factor"):
            if getattr(self, key) is not None and key not in FAULTS[self.name].parameters:
                takers = [name for name, kind in FAULTS.items() if key in kind.parameters]
                raise ConfigError(
                    key, f"belongs to the fault {' or '.join(takers)}, not to {self.name}"
                )
        if self.of is not None:
            check_of("of", FAULTS[self.name], self.of)

    def concerns(self, layer: int) -> bool:
        """Whether the fault is on in ``layer``."""
        return self.layers is None or layer in self.layers


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that determines a run, except the seed."""

    data: Data
    layers: tuple[Layer, ...]
    training: Training
    report: Report
    faults: tuple[FaultEntry, ...] = ()
    draws: Draws = Draws()

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
        inputs = self.data.width
        for index, layer in enumerate(self.layers):
            try:
                layer.check_numbers(inputs)
            except ConfigError as error:
                raise error.under(f"layers.{index}") from None
            inputs = layer.units
        for section, key in ((self.training, "training"), (self.report, "report")):
            self._check_output(key, section.loss)
        for index, each in enumerate(self.faults):
            for number in each.layers or ():
                if number > last:
                    raise ConfigError(
                        f"faults.{index}.layers", f"there is no layer {number}; the last is {last}"
                    )
            self._check_gradient(f"faults.{index}.of", each)
        self._check_sizes()

    def _check_gradient(self, key: str, entry: FaultEntry) -> None:
        """Raise ConfigError if the fault's formula does not have the shape of the weights."""
        formula, inputs = fault(entry.name, of=entry.of).of_weights(), self.data.width
        for index, layer in enumerate(self.layers):
            if formula is not None and entry.concerns(index):
                shape = (layer.units, inputs)
                try:
                    gradient_shape(formula, *shape, self.data.outputs)
                except ValueError as error:
                    raise ConfigError(key, f"does not fit layer {index}: {error}") from None
            inputs = layer.units

    def _check_output(self, key: str, loss: str) -> None:
        needed, output = LOSSES[loss].needs_output, self.layers[-1]
        if needed is not None and (not is_same(output.activation, needed) or output.normalise):
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
                    f"would create {parameters:,} parameters; at most {MOST_PARAMETERS:,} are "
                    "allowed",
                )
        units = sum(layer.units for layer in self.layers)
        numbers = (self.data.rows + self.samples_per_epoch) * (2 * self.data.width + 3 * units)
        numbers += self.batch_size * 6 * units + 5 * parameters
        if numbers > MOST_NUMBERS:
            raise ConfigError(
                "data",
                f"{self.data.rows:,} rows through {units:,} units need {numbers:,} numbers; "
                f"at most {MOST_NUMBERS:,} are allowed",
            )

    @cached_property
    def canonical(self) -> bytes:
        """The configuration as canonical text, in which only the probe rows are left out."""
        sections: dict[str, Any] = {
            "layers": [each.identity for each in self.layers],
            "training": self.training.identity,
            "report": self.report.identity,
            "faults": [each.identity for each in self.faults],
        }
        if self.draws != Draws():
            sections["draws"] = self.draws.identity
        return f"{self.data.canonical} {json.dumps(sections, sort_keys=True)}".encode()

    @property
    def batch_size(self) -> int:
        """Samples per update; the last batch of an epoch may be smaller."""
        batch = self.training.batch
        return self.samples_per_epoch if batch == FULL else min(int(batch), self.samples_per_epoch)

    @property
    def samples_per_epoch(self) -> int:
        """Samples in one epoch: the training rows, or the given number of random draws."""
        return self.training.draws or self.data.training_rows

    @property
    def reported_samples(self) -> int:
        """Samples that a reported loss sums or averages over."""
        return self.data.training_rows if self.report.covers_all else self.samples_per_epoch

    @property
    def updates_per_epoch(self) -> int:
        """Updates in one epoch."""
        return -(-self.samples_per_epoch // self.batch_size)

    @property
    def l1(self) -> float:
        """The factor of the absolute penalty: the gradient of W gains ``l1 * sign(W)``."""
        return self.training.l1 / self._penalty_divisor

    @property
    def l2(self) -> float:
        """The factor of the squared penalty: the gradient of W gains ``l2 * W``."""
        return self.training.l2 / self._penalty_divisor

    @property
    def _penalty_divisor(self) -> int:
        return self.data.training_rows if self.training.l2_per_sample else 1
