"""Settings of the data: where the rows come from, and how they are scaled and split."""

import json
from dataclasses import Field, dataclass, fields
from functools import cached_property
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.data_formula import check_formula
from nntui.core.parts.datasets import DATASETS
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, entry

MOST_ROWS = 1_000_000
MOST_PROBES, MOST_CONSTANTS = 1_000, 1_000
MOST_NUMBERS = 100_000_000
"""Limit of the numbers in the data and all buffers of an update, which keeps them below 800 MB."""
NO_SCALING, STANDARD, MINMAX = SCALINGS = ("none", "standard", "minmax")

SOURCE_DEFAULTS: dict[str, dict[str, Any]] = {
    "inputs": {},
    "formula": {"start": 0.0, "stop": 1.0, "samples": 101},
    "set": {"classes": 2, "samples": 101},
}
"""The entries that name a data source, each with the defaults that it fills in."""


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The data rows: a table, a formula of x at evenly spaced points, or a drawn set."""

    inputs: Rows | None = entry(None, doc="table: the inputs of each data row", most=MOST_ROWS)
    targets: Rows | None = entry(None, doc="table: the targets of each data row", most=MOST_ROWS)
    input_names: tuple[str, ...] = entry((), doc="table: what the inputs are called")
    target_names: tuple[str, ...] = entry((), doc="table: likewise the targets, or the classes")
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
    constant_inputs: tuple[float, ...] = entry(
        (), doc="constants appended to every row's inputs", most=MOST_CONSTANTS
    )
    scale_inputs: str = entry(
        NO_SCALING,
        doc="each input column to mean 0 and deviation 1 (standard), or to 0..1 (minmax)",
        choices=SCALINGS,
    )
    scale_targets: str = entry(NO_SCALING, doc="likewise each target column", choices=SCALINGS)
    target_divisor: float = entry(
        1.0, doc="every target is divided by this, after scale_targets", above=0.0
    )
    test_share: float = entry(0.0, doc="share of the rows kept out of training", low=0.0, below=1.0)
    probe: Rows | None = entry(None, doc="rows to predict after training", most=MOST_PROBES)

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
        for name in ("input_names", "target_names") if source != "inputs" else ():
            if getattr(self, name):
                raise ConfigError(name, f"does not belong to a {source}")
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
            for names, width in (("input_names", self.given), ("target_names", self.outputs)):
                if len(getattr(self, names)) not in (0, width):
                    raise ConfigError(names, f"must be {width} names, one a column")
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
        """The data as canonical text: equal data have equal text.

        Probe rows and the names of columns are left out.
        """
        content = self.__getstate__()
        for name in ("probe", "input_names", "target_names"):
            del content[name]
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
