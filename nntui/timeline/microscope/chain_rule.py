"""The chain of one update: forward to the output, the loss, and back to the delta of one unit."""

from collections.abc import Iterator

import numpy as np

from nntui.core.parts.activations import Activation, Softmax
from nntui.core.parts.faults import Elsewhere
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.normalisation import EPSILON
from nntui.core.tape import Array
from nntui.timeline.microscope.equation import Equation, Place, counted, mean, numbers
from nntui.timeline.microscope.formula_numbers import loss_slope, loss_term, slope_of, value_of
from nntui.timeline.microscope.numeric_expression import (
    Difference,
    Expression,
    Number,
    Power,
    Quotient,
    Sum,
    call,
    number,
    product,
)

FAINT = 0.01
"""A slope below this, and not 0, lets next to nothing through."""


def forward(at: Place) -> Iterator[Equation]:
    """z, a, and what a normalisation makes of it."""
    computed, layer, bias = at.computed, at.layer, at.bias
    weights = numbers(computed.before["W", layer][at.unit], "w")
    x = numbers(computed.incoming(layer)[:, at.sample], "x")
    late = tuple(each for each in at.faults if each.bias_after_activation and bias is not None)
    z: Expression = Sum(tuple(map(product, weights, x)), "sum of w*x")
    why = "what comes in, each times its weight"
    if bias is not None and not late:
        z, why = Sum((z, bias)), f"{why}, and the bias"
    notes = () if any(each.value for each in x) else ("all that comes in is 0",)
    yield Equation("z", layer, "z", z, at.at("z"), why, notes, late)

    function = computed.function(layer)
    value = value_of(function, numbers(at.units("z", layer), "z"), at.unit)
    a = value or Number(at.at("a"), f"{function.name}(z)")
    if late and bias is not None:
        a = Sum((a, bias))
    why = f"what the activation makes of it: {function.name}, {function.formula}"
    yield Equation("a", layer, "a", a, at.at("a"), why, (), late)
    if at.normalised:
        yield from _normalisation(at)


def _normalisation(at: Place) -> Iterator[Equation]:
    values = numbers(at.units("a", at.layer), "a")
    middle = mean(values, "sum of a")
    m = Number(middle.value, "mean")
    squares = tuple(Power(Difference(a, m), Number(2.0)) for a in values)
    spread = call("sqrt", Sum((mean(squares, "sum of (a - mean)^2"), Number(EPSILON))))
    h = Quotient(Difference(values[at.unit], m), at.spread)
    why = "layer normalisation: the mean over the layer's units"
    yield Equation("spread", at.layer, "mean", middle, m.value, why)
    yield Equation("spread", at.layer, "spread", spread, at.spread.value, "how far they lie apart")
    yield Equation("h", at.layer, "h", h, at.at("h"), "what the next layer sees")


def loss(at: Place) -> Iterator[Equation]:
    """The error of the unit, if it is an output, and the training loss of the sample."""
    computed, last = at.computed, at.last
    kind = computed.configuration.training.loss
    z, error = at.units("z", last), at.units("error", last)
    outputs, targets = computed.output(last)[:, at.sample], computed.y[:, at.sample]
    with np.errstate(all="ignore"):
        known = LOSSES[kind].terms(*(each.reshape(-1, 1) for each in (z, error, targets)))
    terms = tuple(
        loss_term(kind, *each) or Number(float(value), "loss of one output")
        for *each, value in zip(
            numbers(z, "z"), _seen(at), numbers(targets, "target"), known[:, 0], strict=True
        )
    )
    if at.layer == last:
        output, target = (float(each[at.unit]) for each in (outputs, targets))
        error_of = Difference(Number(output, "output"), Number(target, "target"))
        why = "how far the output is from its target"
        yield Equation("error", last, "error", error_of, at.at("error"), why)
    total = terms[0] if len(terms) == 1 else Sum(terms, "sum over the outputs")
    yield Equation("error", last, "loss", total, float(known.sum()), f"{kind} of this sample")


def _seen(at: Place) -> tuple[Number, ...]:
    """The outputs as the loss sees them: a cross-entropy computes them from z."""
    computed, last = at.computed, at.last
    outputs = numbers(computed.output(last)[:, at.sample], "output")
    if not (computed.fused and any(each.bias_after_activation for each in computed.faults[last])):
        return outputs
    function, z = computed.function(last), numbers(at.units("z", last), "z")
    values = (value_of(function, z, unit) for unit in range(len(z)))
    return tuple(
        Number(value.value, f"{function.name}(z)") if value else output
        for value, output in zip(values, outputs, strict=True)
    )


def backward(at: Place) -> Iterator[Equation]:
    """What comes back to the unit, the slope of its activation, and delta."""
    if at.computed.fused and at.layer == at.last:
        activation = at.computed.function(at.layer).name
        why = f"{at.computed.configuration.training.loss} and {activation} differentiated at once"
        yield Equation("delta", at.layer, "delta", _loss_slope(at), at.at("delta"), why, _none(at))
        return
    upstream = _from_loss(at) if at.layer == at.last else _from_above(at)
    yield upstream
    incoming = Number(upstream.value, upstream.name)
    if at.normalised:
        for equation in _through_normalisation(at):
            yield equation
            incoming = Number(equation.value, equation.name)
    yield from _delta(at, incoming)


def _loss_slope(at: Place) -> Expression:
    training = at.computed.configuration.training
    samples = at.computed.samples if training.reduction == "mean" else None
    slope = loss_slope(training.loss, Number(at.at("error"), "error"), samples)
    return slope or Number(at.at("delta" if at.computed.fused else "upstream"), "slope of the loss")


def _coming(at: Place) -> str:
    return "dL/dh" if at.normalised else "dL/da"


def _from_loss(at: Place) -> Equation:
    training, value = at.computed.configuration.training, at.at("upstream")
    why = f"how the loss changes with the output ({training.loss}"
    why += f", the mean of {at.computed.samples:,})" if training.reduction == "mean" else ")"
    notes = ("the error is 0: there is nothing to mend",) if value == 0.0 else ()
    return Equation("upstream", at.layer, _coming(at), _loss_slope(at), value, why, notes)


def _from_above(at: Place) -> Equation:
    above, value = at.layer + 1, at.at("upstream")
    weights = at.computed.back(above)[:, at.unit]
    deltas = at.units("delta", above)
    pairs = tuple(map(product, numbers(weights, "w"), numbers(deltas, "delta")))
    W = at.computed.before["W", above]
    wrong = tuple(
        each
        for each in at.computed.faults[above]
        if each.updates_before_backprop or each.weights_back(W) is not W
    )
    notes = []
    zeros = int((deltas == 0.0).sum())
    if zeros:
        ending = ": no error comes down" if value == 0.0 else ""
        notes.append(f"delta = 0 for {counted(zeros, len(deltas), 'unit')} above{ending}")
    if not weights.any():
        notes.append("w = 0 to all units above: no error comes down")
    return Equation(
        "upstream",
        at.layer,
        _coming(at),
        Sum(pairs, f"sum of w*delta of layer {above}"),
        value,
        "what comes back from above, through the weights that lead there",
        tuple(notes),
        wrong,
    )


def _through_normalisation(at: Place) -> Iterator[Equation]:
    upstream = numbers(at.units("upstream", at.layer), "dL/dh")
    h = numbers(at.units("h", at.layer), "h")
    middle = mean(upstream, "sum of dL/dh")
    along = mean(tuple(map(product, upstream, h)), "sum of dL/dh*h")
    m, p = Number(middle.value, "mean"), Number(along.value, "along")
    down = Quotient(Difference(Difference(upstream[at.unit], m), product(h[at.unit], p)), at.spread)
    for name, expression, why in (
        ("mean", middle, "back through the normalisation: what moves all units alike ..."),
        ("along", along, "... and what only stretches them has no effect"),
        ("dL/da", down, "what is left of it"),
    ):
        yield Equation("slope", at.layer, name, expression, expression.value, why)


def _coming_to_all(at: Place) -> Array:
    """dL/da of every unit of the layer, (units,)."""
    u = at.units("upstream", at.layer)
    if not at.normalised:
        return u
    h = at.units("h", at.layer)
    with np.errstate(all="ignore"):
        return np.asarray((u - u.mean() - h * (u * h).mean()) / at.spread.amount)


def _used(function: Activation) -> tuple[Activation, str, bool]:
    """What is differentiated, where (z or a), and whether with all of a softmax's Jacobian."""
    place = "z"
    while isinstance(function, Elsewhere):
        if function.place is None:
            return function.inner, place, False
        function, place = function.inner, "a"
    return function, place, isinstance(function, Softmax)


def _delta(at: Place, incoming: Number) -> Iterator[Equation]:
    own = at.computed.function(at.layer)
    used, place, whole = _used(at.computed.differentiated(at.layer))
    places = numbers(at.units(place, at.layer), place)
    name, known = f"{used.name}'({place})", at.at("slope")
    slope, reason = slope_of(used, places, at.unit)
    a = at.computed.tensors["a", at.layer]
    wrong = tuple(each for each in at.faults if each.derivative(own, a) is not own)
    why = "how much of that the activation lets through"
    yield Equation(
        "slope",
        at.layer,
        name,
        slope or Number(known, name),
        known,
        f"{why}: {reason}" if reason else why,
        () if whole else _blocked(at, name),
        wrong,
    )
    delta: Expression = product(incoming, Number(known, name))
    why = f"the chain rule, {incoming.name} times {name}: how the loss changes with z"
    if whole:
        values = (value_of(used, places, unit) for unit in range(len(places)))
        shares = tuple(Number(each.value if each else np.nan, "a") for each in values)
        upstream = numbers(_coming_to_all(at), "dL/da")
        mixed = Sum(tuple(map(product, upstream, shares)), "sum of dL/da*a")
        delta = product(shares[at.unit], Difference(incoming, mixed))
        why = "the chain rule through softmax, where each z moves all units"
    yield Equation("delta", at.layer, "delta", delta, at.at("delta"), why, _none(at))


def _blocked(at: Place, name: str) -> tuple[str, ...]:
    """What to say of a slope that is 0, or next to nothing."""
    computed, slope = at.computed, at.at("slope")
    slopes, everywhere = computed.tensors["slope", at.layer][at.unit], computed.blocked[at.layer]
    zeros = int((slopes == 0.0).sum())
    rows = computed.configuration.data.training_rows
    if slope == 0.0:
        text = f"{name} = 0 for {counted(zeros, len(slopes), 'sample')} of the batch"
        ending = "no gradient passes"
        if everywhere is not None and len(slopes) < rows:
            text += f" (and for {counted(int(everywhere[at.unit]), rows, 'training row')})"
        return (f"{text}: {ending}",)
    if zeros:
        others = counted(zeros, len(slopes), "sample")
        return (f"{name} = 0 for {others} of the batch, but not for this one",)
    if abs(slope) < FAINT:
        return (f"{name} is only {number(slope)}: next to nothing passes (saturated)",)
    return ()


def _none(at: Place) -> tuple[str, ...]:
    deltas = at.computed.tensors["delta", at.layer][at.unit]
    if deltas.any():
        return ()
    every = counted(len(deltas), len(deltas), "sample")
    return (f"delta = 0 for {every} of the batch: the unit gets no gradient",)
