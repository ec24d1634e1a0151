"""Faults: planted deviations from correct backpropagation, named and switchable.

Each hook of a `Fault` is handed the correct thing and returns, or records, what the faulty
program uses in its place.  Faults of one network combine: each sees what the one before left.
A new fault is one class in this module and its entry in `FAULTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nntui.core.parts.activations import ACTIVATIONS, Activation, Identity, activation
from nntui.core.parts.registry import make
from nntui.core.tape import Array, Tape

Penalty = Callable[[Array], Any]
"""From a layer's weights in one row to a number: a sum over the first axis, for many networks
side by side an array of them."""


class LayerGradient(NamedTuple):
    """A layer's parameters and the gradients that backpropagation gave them."""

    W: Array
    b: Array | None
    gW: Array
    gb: Array | None
    samples: int
    """How many samples the gradients are reduced over."""
    mean: bool
    """Whether the training loss is a mean over the samples."""


class Place(NamedTuple):
    """What a layer offers a fault to change."""

    has_bias: bool
    has_layer_below: bool
    is_differentiated: bool
    """Whether the activation's derivative is evaluated: not where the loss does it at once."""
    is_penalised: bool
    """Whether the reported loss holds a penalty on the weights."""


@dataclass(frozen=True)
class Fault:
    """The base: no deviation.  ``what`` it is, the ``symptom`` one sees, how to ``mend`` it."""

    name = ""
    what = ""
    symptom = ""
    mend = ""

    updates_before_backprop = False
    """Whether the layer is updated before the gradient passes back through its weights."""
    bias_after_activation = False
    """Whether the bias is added to ``a`` and not to ``z``."""
    replaces_bias_gradient = False
    """Whether `gradient` sets the bias's gradient whatever it was."""

    def touches(self, place: Place) -> bool:
        """Whether the fault changes anything in a layer at ``place``."""
        return True

    def derivative(self, correct: Activation, a: Array) -> Activation:
        """The activation whose derivative backpropagation uses; ``a`` is the layer's buffer."""
        return correct

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        """Record what is done to a layer's gradients before the optimiser gets them."""

    def weights_back(self, correct: Array) -> Array:
        """The weights through which the gradient passes to the layer below."""
        return correct

    def penalty(self, correct: Penalty) -> Penalty:
        """The term of the reported loss that stands for the weights' penalty."""
        return correct


class BiasDecay(Fault):
    """The bias itself is taken for its gradient."""

    name = "bias-decay"
    what = "b -= lr*b: the bias itself is used where its gradient belongs"
    symptom = "biases shrink towards 0 whatever the data say, and never learn"
    mend = "use the sum of the layer's deltas over the batch as the gradient of b"
    replaces_bias_gradient = True

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        if layer.gb is not None and layer.b is not None:
            tape.add(np.positive, layer.b, layer.gb)

    def touches(self, place: Place) -> bool:
        return place.has_bias


class UpdateBeforeBackprop(Fault):
    """A layer's weights change before the gradient passes back through them."""

    name = "update-before-backprop"
    what = "the gradient passes back through weights that this update has already changed"
    symptom = "the layers below follow a gradient that belongs to no loss; worse at large rates"
    mend = "compute every gradient with the weights of the forward pass, then update all layers"
    updates_before_backprop = True

    def touches(self, place: Place) -> bool:
        return place.has_layer_below


@dataclass(frozen=True, eq=False)
class Elsewhere(Activation):
    """``inner``, to be differentiated with a value of its own: at ``place`` or, without one, at z.

    Without a place, of a softmax only the diagonal is used.
    """

    inner: Activation
    place: Array | None = None

    def forward(self, tape: Tape, z: Array, a: Array) -> None:
        self.inner.forward(tape, z, a)

    def derivative(self, tape: Tape, z: Array, a: Array, slope: Array) -> None:
        place, value = z if self.place is None else self.place, np.empty_like(a)
        self.inner.forward(tape, place, value)
        self.inner.derivative(tape, place, value, slope)

    def backward(
        self, tape: Tape, z: Array, a: Array, upstream: Array, slope: Array, delta: Array
    ) -> None:
        if self.place is None:
            super().backward(tape, z, a, upstream, slope, delta)
            return
        value = np.empty_like(a)
        self.inner.forward(tape, self.place, value)
        self.inner.backward(tape, self.place, value, upstream, slope, delta)


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

    def derivative(self, correct: Activation, a: Array) -> Activation:
        other = activation(self.of)
        return other if isinstance(other, Identity) else Elsewhere(other)

    def touches(self, place: Place) -> bool:
        return place.is_differentiated


class PenaltySum(Fault):
    """The printed penalty sums the weights where their squares belong."""

    name = "penalty-sum"
    what = "the reported penalty adds up w instead of w^2"
    symptom = "the printed loss is off, may even fall below 0; training itself is not touched"
    mend = "report l2/2 times the sum of the squared weights"

    def penalty(self, correct: Penalty) -> Penalty:
        return np.add.reduce

    def touches(self, place: Place) -> bool:
        return place.is_penalised


class DerivativeAtValue(Fault):
    """The derivative is evaluated at the activation."""

    name = "derivative-at-a"
    what = "f'(a) is used where f'(z) belongs"
    symptom = "with sigmoid or tanh the slopes are wrong but positive: it learns, astray and slower"
    mend = "evaluate f' at the pre-activation z, or use the form of it that is written in a"

    def derivative(self, correct: Activation, a: Array) -> Activation:
        return Elsewhere(correct, place=a)

    def touches(self, place: Place) -> bool:
        return place.is_differentiated


class WrongSign(Fault):
    """The update climbs."""

    name = "wrong-sign"
    what = "the gradient has the wrong sign: w += lr*g"
    symptom = "the loss rises from the first update on, and the parameters run away"
    mend = (
        "subtract the gradient; or take the error as output minus target, not target minus output"
    )

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        for g in (layer.gW, layer.gb):
            if g is not None:
                tape.add(np.negative, g, g)


class SumForMean(Fault):
    """The gradient is summed where the loss is a mean, or the other way round."""

    name = "sum-for-mean"
    what = "the gradient is summed over the batch though the loss is its mean, or the reverse"
    symptom = "the rate is too high, or too low, by the number of samples in the batch"
    mend = "divide the gradient by the number of samples exactly where the loss does"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        factor = float(layer.samples) if layer.mean else 1.0 / layer.samples
        for g in (layer.gW, layer.gb):
            if g is not None and layer.samples > 1:
                tape.add(np.multiply, g, factor, g)


@dataclass(frozen=True)
class WrongFactor(Fault):
    """The gradient is too large or too small by ``factor``."""

    factor: float = 2.0

    name = "wrong-factor"
    what = "the gradient is multiplied by a factor that the loss does not have"
    symptom = "it trains as with another rate; with Adam or RMSProp nothing is seen at all"
    mend = "derive the gradient from the loss that is meant; a gradient check finds the factor"

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        for g in (layer.gW, layer.gb):
            if g is not None:
                tape.add(np.multiply, g, self.factor, g)


class NoWeightsInBackprop(Fault):
    """The delta goes down without its weights."""

    name = "no-weights-in-backprop"
    what = "the delta is passed to the layer below without being multiplied by the weights"
    symptom = "all units below get the same error; only the layer itself learns properly"
    mend = "pass W^T delta to the layer below"

    def weights_back(self, correct: Array) -> Array:
        return np.ones_like(correct)

    def touches(self, place: Place) -> bool:
        return place.has_layer_below


class FrozenBias(Fault):
    """The bias is never updated."""

    name = "frozen-bias"
    what = "the bias is never updated"
    symptom = "what needs an offset cannot be fitted; biases stay where they started"
    mend = "update b with the sum of the layer's deltas over the batch"
    replaces_bias_gradient = True

    def gradient(self, tape: Tape, layer: LayerGradient) -> None:
        if layer.gb is not None:
            tape.add(layer.gb.fill, 0.0)

    def touches(self, place: Place) -> bool:
        return place.has_bias


class BiasAfterActivation(Fault):
    """The bias is added on the wrong side of the activation."""

    name = "bias-after-activation"
    what = "a = f(W x) + b: the bias is added after the activation, and backprop does not know"
    symptom = "kinks and bends cannot move, and the bias follows a gradient that is not its own"
    mend = "add the bias before the activation: a = f(W x + b)"
    bias_after_activation = True

    def touches(self, place: Place) -> bool:
        return place.has_bias


FAULTS: dict[str, type[Fault]] = {
    each.name: each
    for each in (
        BiasDecay,
        UpdateBeforeBackprop,
        WrongDerivative,
        PenaltySum,
        DerivativeAtValue,
        WrongSign,
        SumForMean,
        WrongFactor,
        NoWeightsInBackprop,
        FrozenBias,
        BiasAfterActivation,
    )
}


def fault(name: str, **parameters: Any) -> Fault:
    """The fault called ``name``, with those of ``parameters`` that it takes and that are not None.

    Raises KeyError if there is none.
    """
    return make(FAULTS, name, parameters)


DERIVATIVES = tuple(ACTIVATIONS)
