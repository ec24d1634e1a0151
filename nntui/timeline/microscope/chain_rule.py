"""The chain of one update: forward to the output, the loss, and back to the delta of one unit."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nntui.core.engine.data import loss_slope
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.expression import Call, Expression, Name
from nntui.core.formulas.parsing import formula
from nntui.core.number_text import number_text
from nntui.core.parts.activations import Activation, Backward
from nntui.core.parts.losses import LOSSES, Loss
from nntui.core.parts.normalisation import ALONG_H, MEAN, MEAN_OF_U, NORMALISED, SPREAD, THROUGH
from nntui.core.tape import Array, Tape
from nntui.timeline.microscope.equation import Equation, Place, counted, numbers
from nntui.timeline.microscope.numeric_formula import (
    Quantity,
    Total,
    is_readable,
    minus,
    over,
    times,
    value_of,
    with_numbers,
)

DIGITS_LEFT = 1e-6
"""A textbook loss that is off by a larger share has lost the digits that are shown."""
_AT_KINK = {
    "left": "the slope from the left",
    "right": "the slope from the right",
    "zero": "0",
}
FAINT = 0.01
"""A slope below this, and not 0, lets next to nothing through."""


def forward(at: Place) -> Iterator[Equation]:
    """z, a, and what a normalisation makes of it."""
    computed, layer, bias = at.computed, at.layer, at.bias
    weights = numbers(computed.before["W", layer][at.unit], "w")
    x = numbers(computed.incoming(layer)[:, at.sample], "x")
    late = tuple(each for each in at.faults if each.bias_after_activation and bias is not None)
    z: Expression = Total(tuple(map(times, weights, x)), "sum of w*x")
    why = "what comes in, each times its weight"
    if bias is not None and not late:
        z, why = Total((z, bias)), f"{why}, and the bias"
    notes = () if any(each.amount for each in x) else ("all that comes in is 0",)
    yield Equation("z", layer, "z", z, at.at("z"), why, notes, late)

    function = computed.function(layer)
    summed = tuple(each for each in at.faults if each.over_samples and at.over_samples)
    if summed:
        a = _activation_at(function, numbers(computed.tensors["z", layer][at.unit], "z"), at.sample)
    else:
        a = _activation_at(function, numbers(at.units("z", layer), "z"), at.unit)
    if late and bias is not None:
        a = Total((a, bias))
    why = f"what the activation makes of it: {function.letter}, {function.formula}"
    yield Equation("a", layer, "a", a, at.at("a"), why, (), (*late, *summed))
    if at.normalised:
        yield from _normalisation(at)


def _activation_at(function: Activation, z: tuple[Quantity, ...], unit: int) -> Expression:
    """``f(z)`` of one unit; ``z`` are those of the whole layer, which only softmax reads."""
    parameters = {
        name: Quantity(value, name) for name, value in function.parameters.items() if name != "kink"
    }
    return with_numbers(formula(function.text), {"z": z, **parameters}, unit)


def _normalisation(at: Place) -> Iterator[Equation]:
    values: dict[str, Quantity | tuple[Quantity, ...]] = {
        "a": numbers(at.units("a", at.layer), "a"),
        "spread": at.spread,
    }
    middle = with_numbers(MEAN, values)
    values["mean"] = Quantity(value_of(middle), "mean")
    spread, h = with_numbers(SPREAD, values), with_numbers(NORMALISED, values, at.unit)
    why = "layer normalisation: the mean over the layer's units"
    yield Equation("spread", at.layer, "mean", middle, value_of(middle), why)
    yield Equation("spread", at.layer, "spread", spread, at.spread.amount, "how far they lie apart")
    yield Equation("h", at.layer, "h", h, at.at("h"), "what the next layer sees")


def loss(at: Place) -> Iterator[Equation]:
    """The error of the unit, if it is an output, and the training loss of the sample."""
    computed, last = at.computed, at.last
    kind = LOSSES[computed.configuration.training.loss]
    z, error = at.units("z", last), at.units("error", last)
    outputs, targets = computed.output(last)[:, at.sample], computed.y[:, at.sample]
    with np.errstate(all="ignore"):
        zs, errors, ys = (each.reshape(-1, 1) for each in (z, error, targets))
        known = kind.terms(zs, errors, ys)[:, 0]
    terms = tuple(
        _loss_term(at, kind, unit, output, float(value))
        for unit, (output, value) in enumerate(zip(_seen(at), known, strict=True))
    )
    if at.layer == last:
        output, target = (float(each[at.unit]) for each in (outputs, targets))
        error_of = minus(Quantity(output, "output"), Quantity(target, "target"))
        why = "how far the output is from its target"
        yield Equation("error", last, "error", error_of, at.at("error"), why)
    total = terms[0] if len(terms) == 1 else Total(terms, "sum over the outputs")
    yield Equation("error", last, "loss", total, float(known.sum()), f"{kind.name} of this sample")


def _loss_term(at: Place, kind: Loss, unit: int, output: Quantity, known: float) -> Expression:
    """The training loss of one output: in its textbook form, unless that has lost its digits."""
    computed, last = at.computed, at.last
    target = Quantity(float(computed.y[unit, at.sample]), "target")
    term = with_numbers(kind.textbook, {"a": output, "y": target})
    if kind.shown and not abs(value_of(term) - known) <= DIGITS_LEFT * abs(known):
        values = {
            "z": numbers(at.units("z", last), "z"),
            "error": numbers(at.units("error", last), "error"),
            "y": numbers(computed.y[:, at.sample], "target"),
        }
        term = with_numbers(kind.term, values, unit)
    return term


def _seen(at: Place) -> tuple[Quantity, ...]:
    """The outputs as the loss sees them: a cross-entropy computes them from z."""
    computed, last = at.computed, at.last
    outputs = numbers(computed.output(last)[:, at.sample], "output")
    if not (computed.fused and any(each.bias_after_activation for each in computed.faults[last])):
        return outputs
    function, z = computed.function(last), numbers(at.units("z", last), "z")
    return tuple(
        Quantity(value_of(_activation_at(function, z, unit)), f"{function.letter}(z)")
        for unit in range(len(z))
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
    incoming = Quantity(upstream.value, upstream.name)
    if at.normalised:
        for equation in _through_normalisation(at):
            yield equation
            incoming = Quantity(equation.value, equation.name)
    yield from _delta(at, incoming)


def _loss_slope(at: Place) -> Expression:
    training = at.computed.configuration.training
    slope = loss_slope(at.computed.configuration)
    values: dict[str, Any] = {
        "error": Quantity(at.at("error"), "error"),
        "y": Quantity(float(at.computed.y[at.unit, at.sample]), "target"),
        "z": Quantity(at.at("z"), "z"),
    }
    if any(isinstance(node, Call) for node in slope.walk()):
        values["error"] = numbers(at.units("error", at.layer), "error")
        values["y"] = numbers(at.computed.y[:, at.sample], "target")
        line = with_numbers(slope, values, at.unit)
    else:
        line = with_numbers(slope, values)
    if training.reduction == "sum" or at.computed.samples == 1:
        return line
    return over(line, Quantity(float(at.computed.samples), "samples"))


def _coming(at: Place) -> str:
    return "dL/dh" if at.normalised else "dL/da"


def _from_loss(at: Place) -> Equation:
    training, value = at.computed.configuration.training, at.at("upstream")
    why = f"how the loss changes with the output ({training.loss}"
    why += f", the mean of {at.computed.samples:,})" if training.reduction == "mean" else ")"
    notes = ("the error is 0: there is nothing to correct",) if value == 0.0 else ()
    return Equation("upstream", at.layer, _coming(at), _loss_slope(at), value, why, notes)


def _from_above(at: Place) -> Equation:
    above, value = at.layer + 1, at.at("upstream")
    weights = at.computed.back(above)[:, at.unit]
    faults = at.computed.faults[above]
    errors = any(each.error_down for each in faults)
    tensor, passed = "delta", "delta"
    if errors and ("slope", above) in at.computed.tensors:
        tensor = "upstream"
        passed = "dL/dh" if at.computed.configuration.layers[above].normalise else "dL/da"
    deltas = at.units(tensor, above)
    pairs = tuple(map(times, numbers(weights, "w"), numbers(deltas, passed)))
    W, rate, penalties = at.computed.before["W", above], np.array(0.0), at.computed.penalties
    wrong = tuple(
        each
        for each in faults
        if each.updates_before_backprop
        or each.error_down
        or each.weights_back(Tape(), W, rate, penalties) is not W
    )
    notes = []
    zeros = int((deltas == 0.0).sum())
    if zeros:
        ending = ": no error comes down" if value == 0.0 else ""
        notes.append(f"{passed} = 0 for {counted(zeros, len(deltas), 'unit')} above{ending}")
    if not weights.any():
        notes.append("w = 0 to all units above: no error comes down")
    return Equation(
        "upstream",
        at.layer,
        _coming(at),
        Total(pairs, f"sum of w*{passed} of layer {above}"),
        value,
        "what comes back from above, through the weights that lead there",
        tuple(notes),
        wrong,
    )


def _through_normalisation(at: Place) -> Iterator[Equation]:
    values: dict[str, Quantity | tuple[Quantity, ...]] = {
        "u": numbers(at.units("upstream", at.layer), "dL/dh"),
        "h": numbers(at.units("h", at.layer), "h"),
        "spread": at.spread,
    }
    middle, along = (with_numbers(each, values) for each in (MEAN_OF_U, ALONG_H))
    values |= {"m": Quantity(value_of(middle), "mean"), "p": Quantity(value_of(along), "along")}
    known = THROUGH.replaced({MEAN_OF_U: Name("m"), ALONG_H: Name("p")})
    for name, expression, why in (
        ("mean", middle, "back through the normalisation: what moves all units alike ..."),
        ("along", along, "... and what only stretches them has no effect"),
        ("dL/da", with_numbers(known, values, at.unit), "what is left of it"),
    ):
        yield Equation("slope", at.layer, name, expression, value_of(expression), why)


def _coming_to_all(at: Place) -> Array:
    """dL/da of every unit of the layer, (units,)."""
    u = at.units("upstream", at.layer)
    if not at.normalised:
        return u
    h = at.units("h", at.layer)
    with np.errstate(all="ignore"):
        return np.asarray((u - u.mean() - h * (u * h).mean()) / at.spread.amount)


def _delta(at: Place, incoming: Quantity) -> Iterator[Equation]:
    own = at.computed.function(at.layer)
    used, known = at.computed.backward(at.layer), at.at("slope")
    values = _places(at, own)
    slope, reason = _slope(used, values[used.place][at.unit], known)
    wrong = tuple(
        each for each in at.faults if each.backward(own.backward, own.value) is not own.backward
    )
    why = "how much of that the activation lets through"
    yield Equation(
        "slope",
        at.layer,
        used.label,
        with_numbers(used.slope, values, at.unit) if slope is None else slope,
        known,
        f"{why}: {reason}" if reason else why,
        _blocked(at, used.label) if used.is_elementwise else (),
        wrong,
    )
    values["slope"] = (Quantity(known, used.label),) * len(values["z"])
    values["u"] = (incoming,) * len(values["z"])
    why = f"the chain rule, {incoming.name} times {used.label}: how the loss changes with z"
    if not used.is_elementwise:
        values["u"] = numbers(_coming_to_all(at), "dL/da")
        why = f"the chain rule through {own.name}, where each z moves all units"
    delta = with_numbers(used.delta, values, at.unit)
    yield Equation("delta", at.layer, "delta", delta, at.at("delta"), why, _none(at))


def _places(at: Place, own: Activation) -> dict[str, tuple[Quantity, ...]]:
    """What a slope is a formula of, for each unit of the layer."""
    z = at.units("z", at.layer)
    with np.errstate(all="ignore"):
        if at.over_samples:
            every = at.computed.tensors["z", at.layer]
            value = evaluate(own.value, {"z": every}, axis=1)[:, at.sample : at.sample + 1]
        else:
            value = evaluate(own.value, {"z": z.reshape(-1, 1)})
    return {
        "z": numbers(z, "z"),
        "a": numbers(at.units("a", at.layer), "a"),
        "f": numbers(np.broadcast_to(value, (len(z), 1))[:, 0], "a"),
    }


def _slope(used: Backward, at: Quantity, known: float) -> tuple[Expression | None, str]:
    """The slope where a formula would say little, and why it is that."""
    if used.kink:
        if at.amount == 0.0:
            return Quantity(known), f"{at.name} is exactly 0; there {_AT_KINK[used.kink]} is taken"
        return Quantity(known), f"because {at.name} {'>' if at.amount > 0.0 else '<'} 0"
    if not is_readable(used.slope):
        return Quantity(known, used.label), ""
    return None, "the derivative of a straight line" if not used.slope.names else ""


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
        return (f"{name} is only {number_text(slope)}: next to nothing passes (saturated)",)
    return ()


def _none(at: Place) -> tuple[str, ...]:
    deltas = at.computed.tensors["delta", at.layer][at.unit]
    if deltas.any():
        return ()
    every = counted(len(deltas), len(deltas), "sample")
    return (f"delta = 0 for {every} of the batch: the unit gets no gradient",)
