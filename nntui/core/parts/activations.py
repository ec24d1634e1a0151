"""Activations: the value ``a = f(z)`` and the derivative ``f'(z)``, element by element.

The piecewise ones take a convention for the derivative at the kink ``z = 0``, because programs
differ there and the difference is felt: ``left`` is the slope from below, ``right`` the slope
from above, ``zero`` is 0.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.parts.registry import make
from nntui.core.tape import Array, Tape

KINKS = ("left", "right", "zero")


@dataclass(frozen=True)
class Activation(ABC):
    """One activation function; subclasses record its calls on a tape.

    Shapes: ``z``, ``a``, ``slope``, ``upstream`` and ``delta`` are all ``(units, samples)``.
    """

    name = ""
    formula = ""
    summary = ""

    @abstractmethod
    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        """Record ``a = f(z)``."""

    @abstractmethod
    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        """Record ``slope = f'(z)``; ``a`` holds ``f(z)``."""

    def backward(
        self, tape: Tape, z: Array, a: Array, upstream: Array, slope: Array, delta: Array
    ) -> None:
        """Record ``delta = dL/dz`` from ``upstream = dL/da`` by the chain rule."""
        self.derivative(tape, z, a, slope)
        tape.add(np.multiply, upstream, slope, delta)

    def dead(self, a: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Per unit: is it active on no sample, so that no gradient can ever reach it?

        Only a function that is flat on a whole half-line can lose a unit for good.
        """
        return np.zeros(a.shape[0], dtype=np.bool_)


class Identity(Activation):
    """No activation: a linear unit."""

    name = "identity"
    formula = "a = z"
    summary = "a linear unit; the usual output for regression"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        tape.add(np.copyto, a, z)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(slope.fill, 1.0)


@dataclass(frozen=True)
class ReLU(Activation):
    """The rectifier (Nair and Hinton 2010)."""

    kink: str = "left"

    name = "relu"
    formula = "a = max(0, z)"
    summary = "the rectifier; a unit with z <= 0 on every sample is dead"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        # NumPy compares two arrays twice as fast as an array and a number.
        tape.add(np.maximum, z, np.zeros_like(z), out=a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        if self.kink == "right":
            tape.add(np.heaviside, z, 1.0, slope)
        else:
            tape.add(np.sign, a, slope)

    def dead(self, a: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray(~(a > 0.0).any(axis=1))


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """The rectifier that leaks (Maas, Hannun and Ng 2013); ``0 <= leak < 1``."""

    leak: float = 0.01
    kink: str = "left"

    name = "leaky-relu"
    formula = "a = z if z > 0 else leak*z"
    summary = "a rectifier that lets a little through below zero"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        tape.add(np.multiply, z, self.leak, a)
        tape.add(np.maximum, z, a, out=a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        if self.kink == "zero":
            # sign(z) is -1, 0 or 1, and max(s, -leak*s) maps these to leak, 0 and 1.
            scratch = np.empty_like(slope)
            tape.add(np.sign, z, slope)
            tape.add(np.multiply, slope, -self.leak, scratch)
            tape.add(np.maximum, slope, scratch, out=slope)
        else:
            tape.add(np.heaviside, z, 1.0 if self.kink == "right" else 0.0, slope)
            tape.add(np.maximum, slope, self.leak, out=slope)


class Tanh(Activation):
    """The hyperbolic tangent."""

    name = "tanh"
    formula = "a = tanh(z)"
    summary = "between -1 and 1; saturates for |z| above 3"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        tape.add(np.tanh, z, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(np.multiply, a, a, slope)
        tape.add(np.subtract, 1.0, slope, slope)


class Sigmoid(Activation):
    """The logistic function."""

    name = "sigmoid"
    formula = "a = 1 / (1 + exp(-z))"
    summary = "between 0 and 1, slope at most 1/4; saturates for |z| above 5"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        # exp overflows to infinity for z < -709, and 1/(1 + inf) is then the exact limit 0.
        tape.add(np.negative, z, a)
        tape.add(np.exp, a, a)
        tape.add(np.add, a, 1.0, a)
        tape.add(np.divide, 1.0, a, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(np.subtract, 1.0, a, slope)
        tape.add(np.multiply, a, slope, slope)


@dataclass(frozen=True)
class ELU(Activation):
    """The exponential linear unit (Clevert, Unterthiner and Hochreiter 2015), ``alpha > 0``."""

    alpha: float = 1.0

    name = "elu"
    formula = "a = z if z > 0 else alpha*(exp(z) - 1)"
    summary = "a rectifier that bends smoothly to -alpha (parameter alpha)"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        # max(z, 0) + alpha*expm1(min(z, 0)): the exponential never sees a positive number.
        above = np.empty_like(z)
        tape.add(np.minimum, z, 0.0, out=a)
        tape.add(np.expm1, a, a)
        tape.add(np.multiply, a, self.alpha, a)
        tape.add(np.maximum, z, 0.0, out=above)
        tape.add(np.add, a, above, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(np.minimum, z, 0.0, out=slope)
        tape.add(np.exp, slope, slope)
        if self.alpha != 1.0:
            above = np.empty_like(z)
            tape.add(np.heaviside, z, 0.0, above)
            tape.add(np.multiply, above, 1.0 - self.alpha, above)
            tape.add(np.multiply, slope, self.alpha, slope)
            tape.add(np.add, slope, above, slope)


class GELU(Activation):
    """The Gaussian error linear unit, in its tanh form (Hendrycks and Gimpel 2016)."""

    name = "gelu"
    formula = "a = z/2 * (1 + tanh(sqrt(2/pi) * (z + 0.044715*z^3)))"
    summary = "a smooth rectifier, in the tanh form"

    ROOT, CUBE = math.sqrt(2.0 / math.pi), 0.044715
    _FAR = 40.0
    """Beyond, the tanh is 1 to the last bit, and a cube could overflow."""

    def _near(self, tape: Tape, z: Array) -> Array:
        near = np.empty_like(z)
        tape.add(np.minimum, z, self._FAR, out=near)
        tape.add(np.maximum, near, -self._FAR, out=near)
        return near

    def _bend(self, tape: Tape, z: Array, out: Array) -> None:
        """Record ``out = tanh(sqrt(2/pi) * (z + 0.044715*z^3))``."""
        z = self._near(tape, z)
        tape.add(np.multiply, z, z, out)
        tape.add(np.multiply, out, self.CUBE, out)
        tape.add(np.add, out, 1.0, out)
        tape.add(np.multiply, out, z, out)
        tape.add(np.multiply, out, self.ROOT, out)
        tape.add(np.tanh, out, out)

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        self._bend(tape, z, a)
        tape.add(np.add, a, 1.0, a)
        tape.add(np.multiply, a, z, a)
        tape.add(np.multiply, a, 0.5, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        # (1 + t)/2 + z/2 * (1 - t^2) * sqrt(2/pi) * (1 + 3*0.044715*z^2), t the tanh above.
        bend, inner = np.empty_like(z), np.empty_like(z)
        self._bend(tape, z, bend)
        z = self._near(tape, z)
        tape.add(np.multiply, z, z, inner)
        tape.add(np.multiply, inner, 3.0 * self.CUBE, inner)
        tape.add(np.add, inner, 1.0, inner)
        tape.add(np.multiply, inner, self.ROOT, inner)
        tape.add(np.multiply, inner, z, inner)
        tape.add(np.multiply, bend, bend, slope)
        tape.add(np.subtract, 1.0, slope, slope)
        tape.add(np.multiply, slope, inner, slope)
        tape.add(np.add, slope, bend, slope)
        tape.add(np.add, slope, 1.0, slope)
        tape.add(np.multiply, slope, 0.5, slope)


class Softplus(Activation):
    """The smooth rectifier (Dugas et al. 2001); its derivative is the sigmoid."""

    name = "softplus"
    formula = "a = log(1 + exp(z))"
    summary = "a smooth rectifier, never quite 0"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        tape.add(np.logaddexp, z, 0.0, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        Sigmoid().forward(tape, z, slope)


class Softmax(Activation):
    """Shares that add up to 1 over the layer's units; an output for classes.

    Its Jacobian is full: ``delta_i = a_i * (u_i - sum_j u_j a_j)``.
    """

    name = "softmax"
    formula = "a_i = exp(z_i) / sum_j exp(z_j)"
    summary = "shares of the layer's units; with categorical-cross-entropy"

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        # Without the greatest z, which cancels, the exponentials overflow.
        one = np.empty((1, *z.shape[1:]))
        tape.add(np.maximum.reduce, z, 0, None, one, True)
        tape.add(np.subtract, z, one, a)
        tape.add(np.exp, a, a)
        tape.add(np.add.reduce, a, 0, None, one, True)
        tape.add(np.divide, a, one, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        """Record the diagonal ``a*(1 - a)``, which is not the whole of its derivative."""
        Sigmoid().derivative(tape, z, a, slope)

    def backward(
        self, tape: Tape, z: Array, a: Array, upstream: Array, slope: Array, delta: Array
    ) -> None:
        one = np.empty((1, *z.shape[1:]))
        self.derivative(tape, z, a, slope)
        tape.add(np.multiply, upstream, a, delta)
        tape.add(np.add.reduce, delta, 0, None, one, True)
        tape.add(np.subtract, upstream, one, delta)
        tape.add(np.multiply, delta, a, delta)


ACTIVATIONS: dict[str, type[Activation]] = {
    kind.name: kind
    for kind in (
        Identity,
        ReLU,
        LeakyReLU,
        Tanh,
        Sigmoid,
        ELU,
        GELU,
        Softplus,
        Softmax,
    )
}


def activation(name: str, **parameters: Any) -> Activation:
    """The activation called ``name``, with those of ``parameters`` that it takes.

    Raises KeyError if there is none.
    """
    return make(ACTIVATIONS, name, parameters)
