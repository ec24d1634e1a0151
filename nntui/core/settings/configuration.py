"""Validated, frozen configuration: data, layers, training, report and faults together.

Every entry is declared once, with its meaning, its choices and its limits, in the section it
belongs to; the preset loader, the overrides and the app read these declarations and keep no list of
their own.  Here stands what one section asks of another.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.activations import is_same
from nntui.core.parts.faults import fault, gradient_shape
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.data_settings import MOST_NUMBERS, Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.training_settings import FULL, Training

MOST_PARAMETERS = 10_000_000
"""Limit, checked before any memory is allocated: it keeps a vector of parameters below 80 MB."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that determines a run, except the seed."""

    data: Data
    layers: tuple[Layer, ...]
    training: Training
    report: Report
    faults: tuple[FaultEntry, ...] = ()
    draws: Draws = field(default_factory=Draws)

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

    @property
    def numbers(self) -> int:
        """How many numbers the data and all buffers of an update hold, 8 bytes each."""
        units = sum(layer.units for layer in self.layers)
        numbers = (self.data.rows + self.samples_per_epoch) * (2 * self.data.width + 3 * units)
        return numbers + self.batch_size * 6 * units + 5 * self.parameters

    @property
    def parameters(self) -> int:
        """How many weights and biases there are."""
        inputs = (self.data.width, *(layer.units for layer in self.layers))
        pairs = zip(self.layers, inputs, strict=False)
        return sum(layer.units * (width + (layer.bias != "none")) for layer, width in pairs)

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
        if self.numbers > MOST_NUMBERS:
            units = sum(layer.units for layer in self.layers)
            raise ConfigError(
                "data",
                f"{self.data.rows:,} rows through {units:,} units need {self.numbers:,} numbers; "
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
