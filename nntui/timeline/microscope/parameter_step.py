"""The descent of one update: the gradient of one weight, what cuts it, and the optimiser's step."""

import math
from collections.abc import Iterator

import numpy as np

from nntui.core.engine.update import optimiser_of
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.expression import Call, Expression
from nntui.core.formulas.parsing import formula
from nntui.core.number_text import number_text
from nntui.core.parts.faults import Fault, LayerGradient
from nntui.core.parts.optimisers import CLIPPED
from nntui.core.tape import Array, Tape
from nntui.timeline.microscope.equation import Equation, Place, numbers
from nntui.timeline.microscope.numeric_formula import (
    Quantity,
    Total,
    minus,
    over,
    times,
    value_of,
    with_numbers,
)


def gradient(at: Place) -> Iterator[Equation]:
    """The gradient: summed over the samples, with the penalties, and as the faults leave it."""
    tensor, layer = f"gradient of {at.letter}", at.layer
    known, made = at.own(at.computed.tensors[tensor, layer]), list(_faulty(at))
    replaced = at.column is None and any(each.replaces_bias_gradient for each in at.faults)
    if not replaced:
        deltas = numbers(at.computed.tensors["delta", layer][at.unit], "delta")
        terms: tuple[Expression, ...] = deltas
        what = "delta"
        if at.column is not None:
            x = numbers(at.computed.incoming(layer)[at.column], "x")
            terms, what = tuple(map(times, deltas, x)), "delta*x"
        share, total = terms[at.sample], Total(terms, f"sum of {what}")
        why = "the delta is the gradient of the bias"
        notes: tuple[str, ...] = ()
        if at.column is not None:
            why = "the delta times what came in through this weight"
            if x[at.sample].amount == 0.0:
                notes = ("x = 0 on this sample, so this weight gets no gradient from it",)
        if len(terms) > 1:
            name = "g of this sample"
            yield Equation(tensor, layer, name, share, value_of(share), why, notes)
            why, notes = f"the sum over the {len(terms):,} samples of the batch", ()
        penalties = _penalties(at)
        if penalties:
            why += ", and the penalty"
        whole: Expression = share if len(terms) == 1 else total
        whole = Total((whole, *penalties)) if penalties else whole
        value = made[0][1] if made else known
        yield Equation(tensor, layer, "g", whole, value, why, notes)
    for fault, before, after in made:
        yield Equation(
            tensor,
            layer,
            "g",
            _rule(at, fault, before, after),
            after,
            "what the fault hands to the optimiser",
            () if replaced else (f"it takes the place of {number_text(before)}",),
            (fault,),
        )


def _penalties(at: Place) -> tuple[Expression, ...]:
    if at.column is None:
        return ()
    configuration, w = at.computed.configuration, Quantity(_parameter(at), at.parameter)
    found: list[Expression] = []
    if configuration.l2:
        found.append(times(Quantity(configuration.l2, "l2"), w))
    if configuration.l1:
        found.append(times(Quantity(configuration.l1, "l1"), Call("sign", (w,))))
    return tuple(found)


def _parameter(at: Place) -> float:
    return at.own(at.computed.before[at.letter, at.layer])


def _faulty(at: Place) -> Iterator[tuple[Fault, float, float]]:
    """The faults that change the gradient, each with what it was before and after.

    They are played on copies, so whatever a fault does to a gradient is what is shown.
    """
    computed, layer = at.computed, at.layer
    configuration, W = computed.configuration, computed.before["W", layer].copy()
    b = computed.before.get(("b", layer))
    b = None if b is None else b.copy()
    delta, x = computed.tensors["delta", layer], computed.incoming(layer)
    with np.errstate(all="ignore"):
        penalty = configuration.l2 * W + configuration.l1 * np.sign(W)
        gW = delta.dot(x.T) + penalty
    placed = [each for each in at.faults if each.weights_gradient]
    if at.column is not None and placed:
        before, gW = at.own(gW), _in_place(at, placed[-1]) + penalty
        yield placed[-1], before, at.own(gW)
    replaced = any(each.replaces_bias_gradient for each in at.faults)
    gb = None if b is None else np.zeros_like(b) if replaced else delta.sum(axis=1, keepdims=True)
    is_mean = configuration.training.reduction == "mean"
    g = gW if at.column is not None else gb
    assert g is not None
    for fault in at.faults:
        before, tape = at.own(g), Tape()
        fault.record_gradient(tape, LayerGradient(W, b, gW, gb, computed.samples, is_mean))
        with np.errstate(all="ignore"):
            tape.play()
        here = at.column is None and fault.replaces_bias_gradient
        if here or not _same(before, at.own(g)):
            yield fault, before, at.own(g)


def _in_place(at: Place, fault: Fault) -> Array:
    """What ``fault`` puts in the place of the gradient of W, of the shape of W."""
    tensors, layer = at.computed.tensors, at.layer
    W, expression = at.computed.before["W", layer], fault.of_weights()
    assert expression is not None
    values = {name: tensors[name, layer] for name in ("delta", "z", "a")}
    values |= {"x": at.computed.incoming(layer), "W": W, "error": tensors["error", at.last]}
    with np.errstate(all="ignore"):
        return np.asarray(np.zeros_like(W) + evaluate(expression, values))


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _rule(at: Place, fault: Fault, before: float, after: float) -> Expression:
    """What the fault does in a formula, where it is one of those known here."""
    g, samples = Quantity(before, "g"), Quantity(float(at.computed.samples), "samples")
    is_mean = at.computed.configuration.training.reduction == "mean"
    if fault.weights_gradient:
        own = Quantity(at.own(_in_place(at, fault)), str(fault.parameters["of"]))
        penalties = _penalties(at)
        return Total((own, *penalties)) if penalties else own
    text = fault.gradient or (fault.bias_gradient if at.column is None else "")
    if not text:
        return Quantity(after)
    values = {name: Quantity(float(value), name) for name, value in fault.parameters.items()}
    values |= {"g": g, "b": at.bias or g, "samples": samples, "mean": Quantity(float(is_mean))}
    return with_numbers(formula(text), values)


def clipping(at: Place) -> Iterator[Equation]:
    """What is cut from the gradient on its way to the optimiser."""
    training, tensor = at.computed.configuration.training, f"clipped gradient of {at.letter}"
    if (tensor, at.layer) not in at.computed.tensors:
        return
    g = at.own(at.computed.tensors[f"gradient of {at.letter}", at.layer])
    known = at.own(at.computed.tensors[tensor, at.layer])
    if training.clip_value is not None:
        most = Quantity(training.clip_value, "clip_value")
        cut = with_numbers(CLIPPED, {"g": Quantity(g, "g"), "clip_value": most})
        within = value_of(cut) == g
        clipped = known if training.clip_norm is None else value_of(cut)
        notes = ("it lies within, so nothing is cut",) if within else ()
        why = "cut to between minus and plus clip_value"
        yield Equation(tensor, at.layer, "g clipped", cut, clipped, why, notes)
        g = clipped
    if training.clip_norm is not None:
        norm = _norm(at, training.clip_value)
        own, most = Quantity(g, "g"), Quantity(training.clip_norm, "clip_norm")
        whole: Expression = own
        notes = (
            f"the norm, {number_text(norm)}, is not above {number_text(most.amount)}, "
            "so nothing is cut",
        )
        if norm > most.amount:
            whole, notes = times(own, over(most, Quantity(norm, "norm"))), ()
        why = "all gradients are shrunk together if their norm is above clip_norm"
        yield Equation(tensor, at.layer, "g clipped", whole, known, why, notes)


def _norm(at: Place, most: float | None) -> float:
    """The norm of the gradients that are clipped together: a layer updated early is alone."""
    early = {
        layer
        for layer, faults in enumerate(at.computed.faults)
        if any(each.updates_before_backprop for each in faults)
    }
    together = {at.layer} if at.layer in early else set(range(at.last + 1)) - early
    found: list[Array] = [
        values.ravel()
        for (tensor, layer), values in at.computed.tensors.items()
        if tensor.startswith("gradient of ") and layer in together
    ]
    flat = np.concatenate(found)
    if most is not None:
        flat = np.clip(flat, -most, most)
    largest = float(np.abs(flat).max(initial=0.0))
    with np.errstate(all="ignore"):
        # Divided by the largest, so that no square overflows.
        return largest * float(np.linalg.norm(flat / largest)) if largest > 0.0 else largest


def update(at: Place) -> Iterator[Equation]:
    """What the optimiser carries on, its step, and the new value."""
    computed, letter, layer = at.computed, at.letter, at.layer
    training, tensors = computed.configuration.training, computed.tensors
    handed = f"clipped gradient of {letter}"
    if (handed, layer) not in tensors:
        handed = f"gradient of {letter}"
    g = Quantity(at.own(tensors[handed, layer]), "g")
    rule = optimiser_of(computed.configuration)
    slots = rule.slots
    old, new = (
        {slot: at.own(each[f"{slot} of {letter}", layer]) for slot in slots}
        for each in (computed.before, tensors)
    )
    step = at.own(tensors[f"step of {letter}", layer])
    direction: Expression = Quantity(step, "step")
    values = {name: Quantity(value, name) for name, value in rule.parameters.items()}
    values |= {"g": g, "rate": Quantity(computed.rate, "rate")}
    values |= {"t": Quantity(float(computed.count), "t")}
    carried = {symbol: slot for symbol, slot in rule.letters.items() if slot in slots}
    values |= {symbol: Quantity(old[slot], symbol) for symbol, slot in carried.items()}
    for symbol, expression in rule.readable:
        line = with_numbers(expression, values)
        if symbol == "step":
            direction = line
        else:
            slot = rule.letters[symbol]
            why = f"{training.optimiser} carries its {slot} on"
            yield Equation(f"{slot} of {letter}", layer, symbol, line, new[slot], why)
            values[symbol] = Quantity(new[slot], symbol)
    why = f"the step of {training.optimiser}, scaled by the learning rate"
    still = (f"the step is 0: {at.parameter} stays as it is",) if step == 0.0 else ()
    yield Equation(f"step of {letter}", layer, "step", direction, step, why, still)
    before, after = Quantity(_parameter(at), at.parameter), at.own(tensors[letter, layer])
    why = "minus the step: against the gradient"
    whole = minus(before, Quantity(step, "step"))
    lower = layer > 0 and at.column is not None
    early = [each for each in at.faults if each.updates_before_backprop and lower]
    notes = tuple(
        f"{each.name}: layer {layer - 1} gets its error through the new W" for each in early
    )
    yield Equation(letter, layer, f"new {at.parameter}", whole, after, why, notes)
