"""Faults: planted deviations from correct backpropagation, named and switchable.

Each hook of a `Fault` is handed the correct thing and returns, or records, what the faulty
program uses in its place.  Faults of one network combine: each sees what the one before left.
A new fault is one class in this module and its entry in `FAULTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nntui.core.activations import ACTIVATIONS, Activation, Identity, activation
from nntui.core.tape import Array, Tape

Penalty = Callable[[Array], float]


@dataclass(frozen=True)
class Fault:
    """The base: no deviation.  ``what`` it is, the ``symptom`` one sees, how to ``mend`` it."""

    name = ""
    what = ""
    symptom = ""
    mend = ""

    updates_before_backprop = False
    """Whether the layer is updated before the gradient passes back through its weights."""

    def derivative(self, correct: Activation) -> Activation:
        """The activation whose derivative backpropagation uses."""
        return correct

    def gradient(self, tape: Tape, W: Array, b: Array | None, gW: Array, gb: Array | None) -> None:
        """Record what is done to a layer's gradients before the optimiser gets them."""

    def penalty(self, correct: Penalty) -> Penalty:
        """The term of the reported loss that stands for the weights' penalty."""
        return correct


class BiasDecay(Fault):
    """The bias itself is taken for its gradient."""

    name = "bias-decay"
    what = "b -= lr*b: the bias itself is used where its gradient belongs"
    symptom = "biases shrink towards 0 whatever the data say, and never learn"
    mend = "use the sum of the layer's deltas over the batch as the gradient of b"

    def gradient(self, tape: Tape, W: Array, b: Array | None, gW: Array, gb: Array | None) -> None:
        if gb is not None and b is not None:
            tape.add(np.copyto, gb, b)


class UpdateBeforeBackprop(Fault):
    """A layer's weights change before the gradient passes back through them."""

    name = "update-before-backprop"
    what = "the gradient passes back through weights that this update has already changed"
    symptom = "the layers below follow a gradient that belongs to no loss; worse at large rates"
    mend = "compute every gradient with the weights of the forward pass, then update all layers"
    updates_before_backprop = True


@dataclass(frozen=True)
class _FromZ(Activation):
    """The derivative of an activation that is not the layer's own, and so needs its own value."""

    other: Activation

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        value = np.empty_like(a)
        self.other.forward(tape, z, value)
        self.other.derivative(tape, z, value, slope)


@dataclass(frozen=True)
class WrongDerivative(Fault):
    """Backpropagation uses the derivative of another activation, ``of``.

    An output layer whose loss is differentiated through its activation at once (cross-entropy)
    never evaluates the derivative, and this fault leaves it as it is.
    """

    of: str = "identity"

    name = "derivative"
    what = "f'(z) is the derivative of another activation (identity: always 1)"
    symptom = "units that ought to be blocked pass the gradient on; the descent goes astray"
    mend = "use the derivative of the activation that the forward pass uses"

    def derivative(self, correct: Activation) -> Activation:
        other = activation(self.of)
        return other if isinstance(other, Identity) else _FromZ(other)


class PenaltySum(Fault):
    """The printed penalty sums the weights where their squares belong."""

    name = "penalty-sum"
    what = "the reported penalty adds up w instead of w^2"
    symptom = "the printed loss is off, may even fall below 0; training itself is not touched"
    mend = "report l2/2 times the sum of the squared weights"

    def penalty(self, correct: Penalty) -> Penalty:
        return lambda W: float(W.sum())


FAULTS: dict[str, type[Fault]] = {
    fault.name: fault for fault in (BiasDecay, UpdateBeforeBackprop, WrongDerivative, PenaltySum)
}


def fault(name: str, *, of: str | None = None) -> Fault:
    """The fault called ``name``; KeyError if there is none."""
    kind = FAULTS[name]
    if kind is WrongDerivative and of is not None:
        return WrongDerivative(of=of)
    return kind()


DERIVATIVES = tuple(ACTIVATIONS)
