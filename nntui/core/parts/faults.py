"""Faults: planted deviations from correct backpropagation, named and switchable.

A fault says in formulas what the faulty program uses in the place of the correct thing: of a
gradient, a slope, the weights on the way back, or a penalty.  Faults of one network combine:
each sees what the one before left.  A new fault is one entry of `FAULTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import PRODUCTS, Expression, Name
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.reading import read_choice, read_formula
from nntui.core.formulas.recording import record, shape_of
from nntui.core.parts.activations import ACTIVATIONS, CHAIN_RULE, Backward, activation
from nntui.core.tape import Array, Tape

GRADIENT_NAMES = ("delta", "x", "z", "a", "W", "error")
"""What the formula of a `gradient` fault may read: values of its layer, (units, samples), its
weights, and the network's output minus the target."""
_G = Name("g")


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


@dataclass(frozen=True, eq=False)
class Fault:
    """One deviation: ``what`` it is, the ``symptom`` one sees, how to ``mend`` it.

    Its formulas are over what they replace: ``g`` (a gradient; with ``b``, ``samples``, and
    ``mean``, 1 or 0), ``W`` or ``w``, and over the fault's own ``parameters``.
    """

    name: str
    what: str = ""
    symptom: str = ""
    mend: str = ""
    gradient: str = ""
    """What the optimiser gets in the place of a gradient ``g``, of W and of b."""
    bias_gradient: str = ""
    """The same for the bias alone."""
    back: str = ""
    """What stands for ``W`` where the gradient passes down."""
    penalty: str = ""
    """What is summed in the place of ``w^2`` in the reported penalty, a formula of ``w``."""
    slope: bool = False
    """Whether ``of`` names the activation whose slope is used, or gives that slope."""
    slope_at_output: bool = False
    """Whether the slope is evaluated at ``a`` in the place of ``z``."""
    weights_gradient: bool = False
    """Whether ``of`` stands in the place of the weights' gradient, before penalties."""
    updates_before_backprop: bool = False
    """Whether the layer is updated before the gradient passes back through its weights."""
    bias_after_activation: bool = False
    """Whether the bias is added to ``a`` and not to ``z``."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The keys of its entry that it reads, with their values."""

    @property
    def replaces_bias_gradient(self) -> bool:
        """Whether it sets the bias's gradient whatever it was."""
        return bool(self.bias_gradient) and "g" not in formula(self.bias_gradient).names

    def touches(self, place: Place) -> bool:
        """Whether the fault changes anything in a layer at ``place``."""
        if self.bias_gradient or self.bias_after_activation:
            return place.has_bias
        if self.back or self.updates_before_backprop:
            return place.has_layer_below
        if self.slope or self.slope_at_output:
            return place.is_differentiated
        return place.is_penalised if self.penalty else True

    def handed(self, of_bias: bool, values: Mapping[str, Expression | float]) -> Expression:
        """What the optimiser gets for the gradient ``g`` of W, or of b; ``g`` if that is right.

        ``values`` says what ``samples`` and ``mean`` are.
        """
        text = self.gradient or (self.bias_gradient if of_bias else "")
        return simplified(formula(text).bound({**self.parameters, **values})) if text else _G

    def of_weights(self) -> Expression | None:
        """What stands in the place of the weights' gradient, over `GRADIENT_NAMES`."""
        return formula(self.parameters["of"]) if self.weights_gradient else None

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        """Record what is done to a layer's gradients before the optimiser gets them."""
        values = {"samples": float(layer.samples), "mean": float(layer.mean)}
        for of_bias, own, g in ((False, layer.W, layer.gW), (True, layer.b, layer.gb)):
            if g is None or own is None:
                continue
            handed = self.handed(of_bias, values)
            if handed != _G:
                record(tape, handed, {"g": g, "b": own}, g)

    def backward(self, correct: Backward, value: Expression) -> Backward:
        """What backpropagation uses for ``correct``, in a layer with the activation ``value``."""
        if self.slope_at_output:
            return correct.at_output(value)
        if not self.slope:
            return correct
        of = self.parameters["of"]
        if of in ACTIVATIONS:
            return activation(of).diagonal
        return Backward(simplified(formula(of)), CHAIN_RULE, of)

    def weights_back(self, tape: Tape, W: Array) -> Array:
        """The weights through which the gradient passes to the layer below, recorded."""
        if not self.back:
            return W
        weights = np.empty_like(W)
        record(tape, formula(self.back), {"W": W}, weights)
        return weights


FAULTS: dict[str, Fault] = {
    each.name: each
    for each in (
        Fault(
            "bias-decay",
            "b -= lr*b: the bias itself is used where its gradient belongs",
            "biases shrink towards 0 whatever the data say, and never learn",
            "use the sum of the layer's deltas over the batch as the gradient of b",
            bias_gradient="b",
        ),
        Fault(
            "update-before-backprop",
            "the gradient passes back through weights that this update has already changed",
            "the layers below follow a gradient that belongs to no loss; worse at large rates",
            "compute every gradient with the weights of the forward pass, then update all layers",
            updates_before_backprop=True,
        ),
        # Where the loss is differentiated through the output's activation at once
        # (cross-entropy), the slope is never evaluated, and a wrong one changes nothing.
        Fault(
            "derivative",
            "f'(z) is the derivative of another activation (identity: always 1), or a formula",
            "units that ought to be blocked pass the gradient on; the descent goes astray",
            "use the derivative of the activation that the forward pass uses",
            slope=True,
            parameters={"of": "identity"},
        ),
        Fault(
            "penalty-sum",
            "the reported penalty adds up w instead of w^2",
            "the printed loss is off, may even fall below 0; training itself is not touched",
            "report l2/2 times the sum of the squared weights",
            penalty="w",
        ),
        Fault(
            "derivative-at-a",
            "f'(a) is used where f'(z) belongs",
            "with sigmoid or tanh the slopes are wrong but positive: it learns, astray and slower",
            "evaluate f' at the pre-activation z, or use the form of it that is written in a",
            slope_at_output=True,
        ),
        Fault(
            "wrong-sign",
            "the gradient has the wrong sign: w += lr*g",
            "the loss rises from the first update on, and the parameters run away",
            "subtract the gradient; or take the error as output minus target, "
            "not target minus output",
            gradient="-g",
        ),
        Fault(
            "sum-for-mean",
            "the gradient is summed over the batch though the loss is its mean, or the reverse",
            "the rate is too high, or too low, by the number of samples in the batch",
            "divide the gradient by the number of samples exactly where the loss does",
            gradient="g*samples if mean > 0 else g/samples",
        ),
        Fault(
            "wrong-factor",
            "the gradient is multiplied by a factor that the loss does not have",
            "it trains as with another rate; with Adam or RMSProp nothing is seen at all",
            "derive the gradient from the loss that is meant; a gradient check finds the factor",
            gradient="g*factor",
            parameters={"factor": 2.0},
        ),
        Fault(
            "gradient",
            "a formula stands in the place of the weights' gradient, outer(delta, x)",
            "the weights of the layer follow something that is not the slope of the loss",
            "use the sum over the batch of delta times what the layer was given",
            weights_gradient=True,
            parameters={"of": "dot(delta, a)"},
        ),
        Fault(
            "no-weights-in-backprop",
            "the delta is passed to the layer below without being multiplied by the weights",
            "all units below get the same error; only the layer itself learns properly",
            "pass W^T delta to the layer below",
            back="1",
        ),
        Fault(
            "frozen-bias",
            "the bias is never updated",
            "what needs an offset cannot be fitted; biases stay where they started",
            "update b with the sum of the layer's deltas over the batch",
            bias_gradient="0",
        ),
        Fault(
            "bias-after-activation",
            "a = f(W x) + b: the bias is added after the activation, and backprop does not know",
            "kinks and bends cannot move, and the bias follows a gradient that is not its own",
            "add the bias before the activation: a = f(W x + b)",
            bias_after_activation=True,
        ),
    )
}


def fault(name: str, **parameters: Any) -> Fault:
    """The fault called ``name``, with those of ``parameters`` that it takes and that are not None.

    Raises KeyError if there is none.
    """
    kind = FAULTS[name]
    given = {k: v for k, v in parameters.items() if k in kind.parameters and v is not None}
    return replace(kind, parameters={**kind.parameters, **given})


def check_of(key: str, kind: Fault, text: str) -> None:
    """ConfigError unless ``text`` is what the fault ``kind`` takes as ``of``."""
    if kind.weights_gradient:
        read_formula(key, text, GRADIENT_NAMES, PRODUCTS)
    else:
        read_choice(key, text, ACTIVATIONS, ("z", "a"), "a formula of z and a")


_SAMPLES = 1_000_003
"""Stands for the samples of a batch, which no layer has as its number of units."""


def gradient_shape(expression: Expression, units: int, inputs: int, outputs: int) -> None:
    """ValueError, with what is wrong, unless ``expression`` has the shape of a layer's weights.

    One number is as good: it stands for all of them.
    """
    of_layer = (units, _SAMPLES)
    shapes = dict.fromkeys(("delta", "z", "a"), of_layer)
    shapes |= {"x": (inputs, _SAMPLES), "error": (outputs, _SAMPLES), "W": (units, inputs)}
    made = shape_of(expression, shapes)
    if made not in ((), (1, 1), (units, inputs)):
        raise ValueError(f"it gives {_in_words(made)}, but W has {units} x {inputs} numbers")


def _in_words(shape: tuple[int, ...]) -> str:
    return " x ".join("samples" if each == _SAMPLES else str(each) for each in shape)
