"""Activations: the value ``a = f(z)`` and the derivative ``f'(z)``, element by element.

The piecewise ones take a convention for the derivative at the kink ``z = 0``, because programs
differ there and the difference is felt: ``left`` is the slope from below, ``right`` the slope
from above, ``zero`` is 0.
"""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array, Tape

KINKS = ("left", "right", "zero")


@dataclass(frozen=True)
class Activation:
    """One activation function; subclasses record its calls on a tape.

    Shapes: ``z``, ``a``, ``slope``, ``upstream`` and ``delta`` are all ``(units, samples)``.
    """

    name = ""
    formula = ""
    summary = ""

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        """Record ``a = f(z)``."""
        raise NotImplementedError

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        """Record ``slope = f'(z)``; ``a`` holds ``f(z)``."""
        raise NotImplementedError

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
        tape.add(np.maximum, z, 0.0, out=a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        tape.add(np.heaviside, z, 1.0 if self.kink == "right" else 0.0, slope)

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


ACTIVATIONS: dict[str, type[Activation]] = {
    kind.name: kind for kind in (Identity, ReLU, LeakyReLU, Tanh, Sigmoid)
}


def activation(name: str, *, leak: float = 0.01, kink: str = "left") -> Activation:
    """The activation called ``name``, with the parameters it takes; KeyError if unknown."""
    kind = ACTIVATIONS[name]
    if kind is ReLU:
        return ReLU(kink=kink)
    if kind is LeakyReLU:
        return LeakyReLU(leak=leak, kink=kink)
    return kind()
