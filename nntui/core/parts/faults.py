"""Faults: planted deviations from correct backpropagation, named and switchable.

A fault gives, as formulas, what a faulty program uses instead of the correct gradient, slope,
backward weights or penalty.  Faults of one network combine: each is applied to the result of the
one before.  A new fault is one entry of `FAULTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import PRODUCTS, Expression, Name
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.prepared import shape_of
from nntui.core.formulas.reading import read_choice, read_formula
from nntui.core.formulas.recording import record
from nntui.core.parts.activations import ACTIVATIONS, CHAIN_RULE, Backward, activation
from nntui.core.tape import Array, Tape

GRADIENT_NAMES = ("delta", "x", "z", "a", "W", "error")
"""The variables of a `gradient` fault's formula: values of its layer, (units, samples), its
weights, and ``error``, the network's output minus the target."""
STEP_NAMES = ("rate", "l1", "l2")
"""The learning rate, and the factors of the penalties."""
_G = Name("g")


class LayerGradient(NamedTuple):
    """A layer's parameters and their gradients from backpropagation."""

    W: Array
    b: Array | None
    gW: Array
    gb: Array | None
    samples: int
    """How many samples the gradients are summed or averaged over."""
    mean: bool
    """Whether the training loss is a mean over the samples."""


class FaultSite(NamedTuple):
    """The properties of a layer that decide whether a fault has an effect there."""

    has_bias: bool
    has_layer_below: bool
    is_differentiated: bool
    """Whether the activation's derivative is evaluated; not if the loss already contains it."""
    is_penalised: bool
    """Whether the reported loss contains a penalty on the weights."""
    is_decayed: bool
    """Whether the gradient contains a penalty on the weights."""
    mixes_units: bool
    """Whether the activation computes each unit from all of them, as a softmax does."""


@dataclass(frozen=True, eq=False)
class Fault:
    """One deviation: ``what`` it is, the ``symptom`` one sees, and the ``fix``.

    Its formulas are over what they replace: ``g`` (a gradient; with ``b``, ``samples``, and
    ``mean``, 1 or 0), ``W`` or ``w``, and over the fault's own ``parameters``.
    """

    name: str
    what: str = ""
    symptom: str = ""
    fix: str = ""
    gradient: str = ""
    """What the optimiser gets instead of a gradient ``g``, for W and for b."""
    bias_gradient: str = ""
    """The same for the bias alone."""
    back: str = ""
    """What is used instead of ``W`` to pass the gradient down; it also reads `STEP_NAMES`."""
    error_down: bool = False
    """Whether dL/da instead of delta is passed down."""
    penalty: str = ""
    """What the reported penalty sums instead of ``w^2``, a formula of ``w``."""
    slope: bool = False
    """Whether ``of`` names the activation whose slope is used, or is a formula of that slope."""
    slope_at_output: bool = False
    """Whether the slope is evaluated at ``a`` instead of ``z``."""
    weights_gradient: bool = False
    """Whether ``of`` replaces the weights' gradient, before penalties are added."""
    updates_before_backprop: bool = False
    """Whether the layer is updated before the gradient passes back through its weights."""
    bias_after_activation: bool = False
    """Whether the bias is added to ``a`` instead of ``z``."""
    over_samples: bool = False
    """Whether what a softmax sums over the units is summed over the samples."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The keys of its entry that it reads, with their values."""

    @property
    def replaces_bias_gradient(self) -> bool:
        """Whether it replaces the bias's gradient regardless of its value."""
        return bool(self.bias_gradient) and "g" not in formula(self.bias_gradient).names

    def touches(self, site: FaultSite) -> bool:
        """Whether the fault changes anything in a layer at ``site``."""
        if self.bias_gradient or self.bias_after_activation:
            return site.has_bias
        if self.over_samples:
            return site.mixes_units
        if self.error_down:
            return site.has_layer_below and site.is_differentiated
        if self.back or self.updates_before_backprop:
            shrinks = bool(self.back) and "rate" in formula(self.back).names
            return site.has_layer_below and (site.is_decayed or not shrinks)
        if self.slope or self.slope_at_output:
            return site.is_differentiated
        return site.is_penalised if self.penalty else True

    def handed(self, of_bias: bool, values: Mapping[str, Expression | float]) -> Expression:
        """What the optimiser gets for the gradient ``g`` of W, or of b; ``g`` if unchanged.

        ``values`` gives ``samples`` and ``mean``.
        """
        text = self.gradient or (self.bias_gradient if of_bias else "")
        return simplified(formula(text).bound({**self.parameters, **values})) if text else _G

    def of_weights(self) -> Expression | None:
        """What replaces the weights' gradient, over `GRADIENT_NAMES`; None if nothing does."""
        return formula(self.parameters["of"]) if self.weights_gradient else None

    def record_gradient(self, tape: Tape, layer: LayerGradient) -> None:
        """Record the change of a layer's gradients before the optimiser gets them."""
        values = {"samples": float(layer.samples), "mean": float(layer.mean)}
        for of_bias, own, g in ((False, layer.W, layer.gW), (True, layer.b, layer.gb)):
            if g is None or own is None:
                continue
            handed = self.handed(of_bias, values)
            if handed != _G:
                record(tape, handed, {"g": g, "b": own}, g)

    def backward(self, correct: Backward, value: Expression) -> Backward:
        """What backpropagation uses instead of ``correct``; ``value`` is the activation's."""
        if self.slope_at_output:
            return correct.at_output(value)
        if not self.slope:
            return correct
        of = self.parameters["of"]
        if of in ACTIVATIONS:
            return activation(of).diagonal
        return Backward(simplified(formula(of)), CHAIN_RULE, of)

    def down(self, W: Expression, values: Mapping[str, float]) -> Expression:
        """What passes the gradient down instead of ``W``; ``values`` are known `STEP_NAMES`."""
        return simplified(formula(self.back).bound(values).bound({"W": W})) if self.back else W

    def weights_back(self, tape: Tape, W: Array, rate: Array, values: Mapping[str, float]) -> Array:
        """Record the weights that pass the gradient to the layer below, and return their buffer.

        ``rate`` is the learning rate, ``values`` the factors of the penalties.
        """
        down = self.down(Name("W"), values)
        if down == Name("W"):
            return W
        weights = np.empty_like(W)
        record(tape, down, {"W": W, "rate": rate}, weights)
        return weights


FAULTS: dict[str, Fault] = {
    each.name: each
    for each in (
        Fault(
            "bias-decay",
            "b -= lr*b: the bias itself is used instead of its gradient",
            "biases shrink towards 0 regardless of the data, and never learn",
            "use the sum of the layer's deltas over the batch as the gradient of b",
            bias_gradient="b",
        ),
        Fault(
            "update-before-backprop",
            "the gradient passes back through weights that this update has already changed",
            "the layers below follow something that is no loss's gradient; worse at large rates",
            "compute every gradient with the weights of the forward pass, then update all layers",
            updates_before_backprop=True,
        ),
        # If the loss is differentiated together with the output's activation (cross-entropy),
        # the slope is never evaluated, and a wrong one has no effect.
        Fault(
            "derivative",
            "f'(z) is the derivative of another activation (identity: always 1), or a formula",
            "units that should block the gradient pass it on; training goes astray",
            "use the derivative of the activation that the forward pass uses",
            slope=True,
            parameters={"of": "identity"},
        ),
        Fault(
            "penalty-sum",
            "the reported penalty adds up w instead of w^2",
            "the printed loss is wrong, and may even fall below 0; training is not affected",
            "report l2/2 times the sum of the squared weights",
            penalty="w",
        ),
        Fault(
            "derivative-at-a",
            "f'(a) is used instead of f'(z)",
            "with sigmoid or tanh the slopes are wrong but positive: it learns, but slower",
            "evaluate f' at the pre-activation z, or use its form in terms of a",
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
            "the gradient is summed over the batch although the loss is a mean, or the reverse",
            "the rate is too high, or too low, by the number of samples in the batch",
            "divide the gradient by the number of samples exactly where the loss does",
            gradient="g*samples if mean > 0 else g/samples",
        ),
        Fault(
            "wrong-factor",
            "the gradient is multiplied by a factor that the loss does not have",
            "it trains as with another rate; with Adam or RMSProp there is no visible effect",
            "derive the gradient from the intended loss; a gradient check finds the factor",
            gradient="g*factor",
            parameters={"factor": 2.0},
        ),
        Fault(
            "gradient",
            "a formula replaces the weights' gradient, outer(delta, x)",
            "the weights of the layer follow something that is not the gradient of the loss",
            "use the sum over the batch of delta times the layer's input",
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
            "penalty-before-update",
            "W -= lr*l2*W is done between the forward pass and backprop: the gradient passes back "
            "through weights that the penalty has already shrunk",
            "the layers below follow something that is no loss's gradient; worse the larger lr*l2",
            "add the penalty's gradient, l2*W, to that of the loss, and update all layers at once",
            back="W - rate*(l2*W + l1*sign(W))",
        ),
        Fault(
            "error-for-delta",
            "the error dL/da (at the output a - y), not delta = dL/da * f'(z), is passed down",
            "the layer itself learns properly, those below get too much, most where it saturates",
            "pass W^T delta to the layer below, the delta that the layer's own weights use",
            error_down=True,
        ),
        Fault(
            "frozen-bias",
            "the bias is never updated",
            "targets that need an offset cannot be fitted; biases keep their first values",
            "update b with the sum of the layer's deltas over the batch",
            bias_gradient="0",
        ),
        Fault(
            "bias-after-activation",
            "a = f(W x) + b: the bias is added after the activation, and backprop ignores that",
            "kinks and bends cannot move, and the bias follows a wrong gradient",
            "add the bias before the activation: a = f(W x + b)",
            bias_after_activation=True,
        ),
        Fault(
            "softmax-over-samples",
            "the softmax is normalised over the samples of the batch instead of the units",
            "outputs of one sample do not add up to 1; alone in its batch it gets 1 everywhere",
            "take the sum (and the greatest z) over the units of each sample, the classes",
            over_samples=True,
        ),
    )
}


def fault(name: str, **parameters: Any) -> Fault:
    """The fault called ``name``, with ``parameters``; those it does not take, or None, are ignored.

    Raises KeyError for another name.
    """
    kind = FAULTS[name]
    given = {k: v for k, v in parameters.items() if k in kind.parameters and v is not None}
    return replace(kind, parameters={**kind.parameters, **given})


def check_of(key: str, kind: Fault, text: str) -> None:
    """Raise ConfigError unless ``text`` is a valid ``of`` for the fault ``kind``."""
    if kind.weights_gradient:
        read_formula(key, text, GRADIENT_NAMES, PRODUCTS)
    else:
        read_choice(key, text, ACTIVATIONS, ("z", "a"), "a formula of z and a")


_SAMPLES = 1_000_003
"""Stands for the samples of a batch, which no layer has as its number of units."""


def gradient_shape(expression: Expression, units: int, inputs: int, outputs: int) -> None:
    """Raise ValueError, with the reason, unless ``expression`` has the shape of a layer's weights.

    A single number is valid too: it is broadcast.
    """
    of_layer = (units, _SAMPLES)
    shapes = dict.fromkeys(("delta", "z", "a"), of_layer)
    shapes |= {"x": (inputs, _SAMPLES), "error": (outputs, _SAMPLES), "W": (units, inputs)}
    made = shape_of(expression, shapes)
    if made not in ((), (1, 1), (units, inputs)):
        raise ValueError(f"it gives {_in_words(made)}, but W has {units} x {inputs} numbers")


def _in_words(shape: tuple[int, ...]) -> str:
    return " x ".join("samples" if each == _SAMPLES else str(each) for each in shape)
