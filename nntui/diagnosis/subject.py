"""Subject of a diagnosis: the interface through which any program is observed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nntui.core.engine.algebra import Single
from nntui.core.engine.data import DataArrays, load_data
from nntui.core.engine.network import Forward, Layout, activation_of
from nntui.core.engine.reported_loss import ReportedLoss
from nntui.core.engine.state import Order
from nntui.core.engine.stepper import Stepper
from nntui.core.engine.trainer import learning_rate
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array


@dataclass(frozen=True, eq=False)
class LayerValues:
    """The program's forward pass through one layer; arrays are (units, samples)."""

    z: Array
    a: Array
    h: Array
    """The input of the next layer: ``a``, normalised if the layer is."""


@dataclass(frozen=True, eq=False)
class Observed:
    """One update observed from outside; vectors are flat, in the order of `Layout`."""

    rows: Order
    """The training rows of its batch."""
    before: Array
    after: Array
    gradient: Array
    """The gradient as the program computes it, with penalties, before clipping."""
    loss: float
    """The batch's contribution to the printed loss, summed over its rows."""


class Subject(Protocol):
    """A program that trains a network, together with its author's description of it."""

    stated: Configuration
    """The configuration the program is meant to implement; it never contains a fault."""
    slopes: Mapping[int, str]
    """By layer, the slopes that its author wrote and that are not the activation's derivative."""
    data: DataArrays

    def forward(self, theta: Array, x: Array) -> list[LayerValues]:
        """The forward pass of ``x`` (inputs, samples) with the parameters ``theta``."""

    def updates(self, theta: Array, batches: Sequence[Order], epoch: int = 0) -> list[Observed]:
        """Consecutive updates on a scratch copy, from ``theta`` and a fresh optimiser.

        ``batches`` holds the training rows of each; ``epoch`` decides the learning rate.
        """

    def printed(self, theta: Array) -> float:
        """The loss that the program would print for all training rows at ``theta``."""


class RecordedForward:
    """The forward pass of ``x`` (inputs, samples), recorded once and played at any parameters."""

    def __init__(self, configuration: Configuration, x: Array) -> None:
        layout = Layout.of(configuration)
        self.x = x
        self._theta = np.empty(layout.size)
        self._passed = Forward(configuration, layout.views(self._theta), x)

    def at(self, theta: Array) -> list[LayerValues]:
        """The values at the parameters ``theta``, flat; the arrays are the caller's."""
        self._theta[...] = theta
        self._passed.play()
        return [
            LayerValues(z=layer.z.copy(), a=layer.a.copy(), h=layer.h.copy())
            for layer in self._passed.layers
        ]


class Program:
    """The program described by a preset's configuration, faults included."""

    def __init__(self, configuration: Configuration) -> None:
        self._actual = configuration
        self.slopes: Mapping[int, str] = wrong_slopes(configuration)
        layers = tuple(
            replace(layer, slope=None) if index in self.slopes else layer
            for index, layer in enumerate(configuration.layers)
        )
        self.stated: Configuration = replace(configuration, layers=layers, faults=())
        self.data: DataArrays = load_data(self.stated)
        self._recorded: RecordedForward | None = None

    def forward(self, theta: Array, x: Array) -> list[LayerValues]:
        """See `Subject.forward`."""
        recorded = self._recorded
        if recorded is None or recorded.x is not x:
            recorded = self._recorded = RecordedForward(self._actual, x)
        return recorded.at(theta)

    def updates(self, theta: Array, batches: Sequence[Order], epoch: int = 0) -> list[Observed]:
        """See `Subject.updates`."""
        stepper = Stepper(with_batch(self._actual, max(map(len, batches))))
        stepper.restore(theta)
        stepper.clock.rate[...] = learning_rate(self._actual, epoch)
        found = []
        for batch in batches:
            before = stepper.theta.copy()
            update = stepper.make(self.data.xy[:, batch])
            with np.errstate(all="ignore"):
                loss = float(update.reported())
            found.append(
                Observed(batch, before, stepper.theta.copy(), stepper.gradient.copy(), loss)
            )
        return found

    def printed(self, theta: Array) -> float:
        """See `Subject.printed`."""
        with np.errstate(all="ignore"):
            return float(ReportedLoss(self._actual, theta, Single()).of_all_rows())


def wrong_slopes(configuration: Configuration) -> dict[int, str]:
    """By layer, the slopes of ``configuration`` that are not the activation's derivative."""
    return {
        index: layer.slope
        for index, layer in enumerate(configuration.layers)
        if layer.slope is not None and not activation_of(layer).is_differentiated
    }


def with_batch(configuration: Configuration, samples: int) -> Configuration:
    """``configuration`` for batches of ``samples`` rows, so that buffers are no larger."""
    training = replace(configuration.training, batch=samples)
    return replace(configuration, training=training)
