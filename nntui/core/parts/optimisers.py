"""Optimisers: the rule that turns a gradient into a change of the parameters.

An optimiser sees flat vectors: ``theta`` (parameters), ``gradient``, ``step`` and one vector of
the same shape for each of its slots, so the same rule serves one layer or the whole network.
Slots start at 0.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nntui.core.parts.registry import make
from nntui.core.tape import Array, Tape


@dataclass(frozen=True, eq=False)
class Clock:
    """What an optimiser reads besides gradients: 0-d arrays that the trainer keeps up to date."""

    rate: Array = field(default_factory=lambda: np.zeros(()))
    """The learning rate of the present epoch."""
    count: Array = field(default_factory=lambda: np.zeros(()))
    """The number of the update that is being made; the first is 1."""


@dataclass(frozen=True)
class Optimiser(ABC):
    """One rule; subclasses record its calls on a tape."""

    name = ""
    formula = ""
    summary = ""

    counts = False
    """Whether it reads the clock's count."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors it carries from update to update."""
        return ()

    @abstractmethod
    def direction(
        self, tape: Tape, gradient: Array, step: Array, slots: dict[str, Array], clock: Clock
    ) -> Array:
        """Record the direction of the step and return the buffer that holds it."""

    def update(
        self,
        tape: Tape,
        theta: Array,
        gradient: Array,
        step: Array,
        slots: dict[str, Array],
        clock: Clock,
    ) -> None:
        """Record ``step = rate * direction`` and ``theta -= step``."""
        direction = self.direction(tape, gradient, step, slots, clock)
        tape.add(np.multiply, direction, clock.rate, step)
        tape.add(np.subtract, theta, step, theta)


@dataclass(frozen=True)
class SGD(Optimiser):
    """Gradient descent, with heavy-ball momentum (Polyak 1964) when ``momentum`` is not 0."""

    momentum: float = 0.0

    name = "sgd"
    formula = "v = momentum*v + g;  theta -= rate*v"
    summary = "gradient descent, with momentum if wanted"

    @property
    def slots(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def direction(
        self, tape: Tape, gradient: Array, step: Array, slots: dict[str, Array], clock: Clock
    ) -> Array:
        if not self.momentum:
            return gradient
        velocity = slots["velocity"]
        tape.add(np.multiply, velocity, self.momentum, velocity)
        tape.add(np.add, velocity, gradient, velocity)
        return velocity


@dataclass(frozen=True)
class Nesterov(SGD):
    """Momentum that looks ahead (Nesterov 1983, in the form of Sutskever et al. 2013)."""

    name = "nesterov"
    formula = "v = momentum*v + g;  theta -= rate*(g + momentum*v)"
    summary = "momentum that looks one step ahead"

    def direction(
        self, tape: Tape, gradient: Array, step: Array, slots: dict[str, Array], clock: Clock
    ) -> Array:
        velocity = super().direction(tape, gradient, step, slots, clock)
        if velocity is gradient:
            return gradient
        tape.add(np.multiply, velocity, self.momentum, step)
        tape.add(np.add, step, gradient, step)
        return step


@dataclass(frozen=True)
class RMSProp(Optimiser):
    """Steps scaled by a running mean square of the gradient (Tieleman and Hinton 2012)."""

    rho: float = 0.9
    epsilon: float = 1e-8

    name = "rmsprop"
    formula = "s = rho*s + (1 - rho)*g^2;  theta -= rate*g/(sqrt(s) + epsilon)"
    summary = "each parameter's step is scaled by its gradient's recent size"

    @property
    def slots(self) -> tuple[str, ...]:
        return ("square",)

    def direction(
        self, tape: Tape, gradient: Array, step: Array, slots: dict[str, Array], clock: Clock
    ) -> Array:
        square = slots["square"]
        _running_mean(tape, square, self.rho, gradient, step, squared=True)
        tape.add(np.sqrt, square, step)
        tape.add(np.add, step, self.epsilon, step)
        tape.add(np.divide, gradient, step, step)
        return step


@dataclass(frozen=True)
class Adam(Optimiser):
    """Running means of the gradient and its square, bias-corrected (Kingma and Ba 2015)."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    name = "adam"
    formula = (
        "m = beta1*m + (1 - beta1)*g;  s = beta2*s + (1 - beta2)*g^2;  "
        "theta -= rate*m/(1 - beta1^t) / (sqrt(s/(1 - beta2^t)) + epsilon)"
    )
    summary = "momentum and scaled steps in one"
    counts = True

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean", "square")

    def direction(
        self, tape: Tape, gradient: Array, step: Array, slots: dict[str, Array], clock: Clock
    ) -> Array:
        mean, square = slots["mean"], slots["square"]
        _running_mean(tape, mean, self.beta1, gradient, step, squared=False)
        _running_mean(tape, square, self.beta2, gradient, step, squared=True)
        seen1, seen2 = np.zeros(()), np.zeros(())
        for beta, seen in ((self.beta1, seen1), (self.beta2, seen2)):
            tape.add(np.power, beta, clock.count, seen)
            tape.add(np.subtract, 1.0, seen, seen)
        tape.add(np.divide, square, seen2, step)
        tape.add(np.sqrt, step, step)
        tape.add(np.add, step, self.epsilon, step)
        tape.add(np.multiply, step, seen1, step)
        tape.add(np.divide, mean, step, step)
        return step


def _running_mean(
    tape: Tape, mean: Array, keep: float, gradient: Array, scratch: Array, *, squared: bool
) -> None:
    """Record ``mean = keep*mean + (1 - keep)*g``, or ``g^2``."""
    tape.add(np.multiply, mean, keep, mean)
    tape.add(np.multiply, gradient, 1.0 - keep, scratch)
    if squared:
        tape.add(np.multiply, scratch, gradient, scratch)
    tape.add(np.add, mean, scratch, mean)


OPTIMISERS: dict[str, type[Optimiser]] = {
    each.name: each for each in (SGD, Nesterov, RMSProp, Adam)
}


def optimiser(name: str, **parameters: Any) -> Optimiser:
    """The optimiser called ``name``, with those of ``parameters`` that it takes.

    Raises KeyError if there is none.
    """
    return make(OPTIMISERS, name, parameters)
