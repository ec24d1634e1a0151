"""Formulas with the numbers of one unit on one sample put in for their names."""

from collections.abc import Mapping

from nntui.core.formulas.expression import (
    UNITS,
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Operation,
)
from nntui.core.formulas.expression import Number as Constant
from nntui.core.formulas.functions import COMPARISONS
from nntui.core.formulas.printing import formula_text
from nntui.core.formulas.recording import expanded
from nntui.timeline.microscope import numeric_expression as numeric
from nntui.timeline.microscope.numeric_expression import Number

Values = Mapping[str, Number | tuple[Number, ...]]
"""What a formula's names stand for: a number, or one number for each unit of the layer."""
MOST_NODES = 40
"""A formula of more parts is shown by its value alone."""


def with_numbers(expression: Expression, values: Values, unit: int = 0) -> numeric.Expression:
    """``expression`` for one ``unit`` of a layer, with the numbers of ``values`` in it.

    Of a formula in pieces it is the piece that applies.
    """
    return _Converted(values).of(expanded(expression), unit)


def is_readable(expression: Expression) -> bool:
    """Whether ``expression`` is short enough to be written out."""
    return sum(1 for _ in expanded(expression).walk()) <= MOST_NODES


class _Converted:
    def __init__(self, values: Values) -> None:
        self._values = values
        self._units = max((len(v) for v in values.values() if isinstance(v, tuple)), default=1)

    def of(self, node: Expression, unit: int) -> numeric.Expression:
        """``node`` for ``unit``."""
        match node:
            case Constant(value):
                return Number(value)
            case Name(name):
                found = self._values[name]
                return found[unit] if isinstance(found, tuple) else found
            case Negative(part):
                return numeric.Negative(self.of(part, unit))
            case Operation(symbol, left, right):
                return self._operation(symbol, left, right, unit)
            case Choice(symbol, left, right, then, other):
                holds = COMPARISONS[symbol](self.of(left, unit).value, self.of(right, unit).value)
                return self.of(then if holds else other, unit)
            case Call(function, (part,)) if function in UNITS:
                return self._reduced(function, part)
            case Call(function, arguments):
                return numeric.call(function, *(self.of(each, unit) for each in arguments))
        raise TypeError(type(node).__name__)

    def _operation(
        self, symbol: str, left: Expression, right: Expression, unit: int
    ) -> numeric.Expression:
        one, two = self.of(left, unit), self.of(right, unit)
        match symbol:
            case "+":
                return numeric.Sum((one, two))
            case "-":
                return numeric.Difference(one, two)
            case "*":
                return numeric.product(one, two)
            case "/":
                return numeric.Quotient(one, two)
        return numeric.Power(one, two)

    def _reduced(self, function: str, part: Expression) -> numeric.Expression:
        terms = tuple(self.of(part, unit) for unit in range(self._units))
        if function == "greatest":
            return Number(max(term.value for term in terms), f"max {formula_text(part)}")
        total = numeric.Sum(terms, f"sum of {formula_text(part)}")
        if function == "total":
            return total
        return numeric.Quotient(total, Number(float(self._units), "units"))
