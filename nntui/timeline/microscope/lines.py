"""Lines of arithmetic: each equation as the update has it, beside the correct one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nntui.core.number_text import number_text
from nntui.timeline.microscope import chain_rule, parameter_step
from nntui.timeline.microscope.computed import ROUNDING, Anatomy, Computed
from nntui.timeline.microscope.equation import Equation, Place
from nntui.timeline.microscope.numeric_formula import text_of

MOST_TERMS = 6
"""Terms of a sum that are written out; the middle of a longer one is given as one number."""


@dataclass(frozen=True)
class Line:
    """One equation, and what correct backpropagation has in its place where that differs."""

    made: Equation
    correct: Equation | None
    step: int
    """The number of the sub-step that makes it known."""

    @property
    def faulty(self) -> bool:
        """Whether a fault changes this very equation, not only the numbers in it."""
        return bool(self.made.faults)


def written(equation: Equation, most: int = MOST_TERMS) -> str:
    """The equation in one line: ``name = formula = numbers = value``."""
    parts = [equation.name]
    names, figures = text_of(equation.expression, None), text_of(equation.expression, most)
    for part in (names, figures, number_text(equation.value)):
        if part != parts[-1]:
            parts.append(part)
    return " = ".join(parts)


def arithmetic(
    anatomy: Anatomy, layer: int, unit: int, sample: int, column: int | None
) -> tuple[Line, ...]:
    """All equations of one unit on one sample of the batch, down to the new value of one weight.

    ``column`` is the number of the weight, None for the bias; ``sample`` counts in the batch.
    Raises IndexError for what the network or the batch does not have.
    """
    _check(anatomy.made, layer, unit, sample, column)
    made = list(_equations(Place(anatomy.made, layer, unit, sample, column)))
    right = {}
    if anatomy.correct is not anatomy.made:
        place = Place(anatomy.correct, layer, unit, sample, column)
        right = {(each.tensor, each.name): each for each in _equations(place)}
    last = {(each.tensor, each.name): number for number, each in enumerate(made)}
    lines = []
    for at, equation in enumerate(made):
        key = equation.tensor, equation.name
        correct = right.get(key) if last[key] == at else None
        if correct is not None and _agree(equation.value, correct.value):
            correct = None
        step = anatomy.step_of(equation.tensor, equation.layer)
        lines.append(Line(equation, correct, step))
    return tuple(lines)


def _equations(place: Place) -> Iterator[Equation]:
    for part in (
        chain_rule.forward,
        chain_rule.loss,
        chain_rule.backward,
        parameter_step.gradient,
        parameter_step.clipping,
        parameter_step.update,
    ):
        yield from part(place)


def _agree(one: float, other: float) -> bool:
    near = ROUNDING * max(abs(one), abs(other))
    return one == other or abs(one - other) <= near or (math.isnan(one) and math.isnan(other))


def _check(computed: Computed, layer: int, unit: int, sample: int, column: int | None) -> None:
    layers = computed.configuration.layers
    if not 0 <= layer < len(layers):
        raise IndexError(f"there is no layer {layer}; the last is {len(layers) - 1}")
    if not 0 <= unit < layers[layer].units:
        raise IndexError(f"layer {layer} has no unit {unit}; the last is {layers[layer].units - 1}")
    if not 0 <= sample < computed.samples:
        raise IndexError(f"the batch has no sample {sample}; the last is {computed.samples - 1}")
    if column is None and ("b", layer) not in computed.before:
        raise IndexError(f"layer {layer} has no bias")
    most = computed.before["W", layer].shape[1]
    if column is not None and not 0 <= column < most:
        raise IndexError(f"a unit of layer {layer} has no weight {column}; the last is {most - 1}")
