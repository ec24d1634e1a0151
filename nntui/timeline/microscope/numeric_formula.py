"""Formulas with the numbers of one unit on one sample in them: what they come to, as text.

One tree gives the value, the formula in names and the formula in numbers, so that what is
printed cannot differ from what is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from nntui.core.formulas.evaluation import power
from nntui.core.formulas.expression import (
    UNITS,
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from nntui.core.formulas.functions import COMPARISONS, FUNCTIONS
from nntui.core.formulas.prepared import expanded
from nntui.core.formulas.printing import ATOM, PRODUCT, SIGN, SUM, Printer, formula_text
from nntui.core.number_text import number_text

MOST_NODES = 40
"""A formula of more parts is shown by its value alone."""


@dataclass(frozen=True)
class Quantity(Expression):
    """A number, and the name that stands for it (none: it stands for itself)."""

    amount: float
    name: str = ""


@dataclass(frozen=True)
class Total(Expression):
    """``a + b + ...``; ``name`` is what many terms are called together."""

    terms: tuple[Expression, ...]
    name: str = ""

    @property
    def parts(self) -> tuple[Expression, ...]:
        return self.terms


Values = Mapping[str, Quantity | tuple[Quantity, ...]]
"""What a formula's names stand for: a number, or one number for each unit of the layer."""


def minus(left: Expression, right: Expression) -> Operation:
    """``left - right``."""
    return Operation("-", left, right)


def times(*factors: Expression) -> Expression:
    """The product of ``factors``."""
    return reduce(lambda left, right: Operation("*", left, right), factors)


def over(top: Expression, bottom: Expression) -> Operation:
    """``top / bottom``."""
    return Operation("/", top, bottom)


_OPERATIONS: dict[str, Any] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": power,
}


def value_of(expression: Expression) -> float:
    """What ``expression`` comes to in double precision; infinities and NaN are values too."""
    with np.errstate(all="ignore"):
        return float(_value(expression))


def _value(node: Expression) -> Any:
    match node:
        case Quantity(amount) | Number(amount):
            return np.float64(amount)
        case Total(terms):
            return np.sum([_value(term) for term in terms])
        case Negative(part):
            return -_value(part)
        case Operation(symbol, left, right):
            return _OPERATIONS[symbol](_value(left), _value(right))
        case Call(function, arguments):
            ufunc: Any = FUNCTIONS[function].ufunc
            return ufunc(*(_value(each) for each in arguments))
    raise TypeError(type(node).__name__)


def text_of(expression: Expression, most: int | None) -> str:
    """The formula: in names without ``most``, else in numbers.

    A sum of more than ``most`` terms is cut in the middle; what is left out is given as one
    number, so that the equation still holds.
    """
    return _Writer(most).text(expression)


class _Writer(Printer):
    """Writes quantities as names or as numbers, and ``a - b`` for ``a + (-b)``."""

    def __init__(self, most: int | None) -> None:
        super().__init__()
        self._most = most

    def number(self, value: float) -> str:
        return number_text(value)

    def _print(self, node: Expression) -> tuple[str, int]:
        match node:
            case Quantity(amount, name):
                written = name if self._most is None and name else number_text(amount)
                return written, SIGN if written.startswith("-") else ATOM
            case Total(terms, name):
                if self._most is None and name:
                    return name, SUM
                return self._sum(terms), SUM
            case Negative(part):
                return f"-{self._behind(part, PRODUCT)}", SIGN
            case Operation("+", left, right):
                return self._sum((left, right)), SUM
        return super()._print(node)

    def _sum(self, terms: tuple[Expression, ...]) -> str:
        if not terms:
            return "0"
        most = self._most
        if most is None or len(terms) <= most:
            return _joined([self.text(term) for term in terms])
        last = most // 3
        first = most - last
        middle = terms[first : len(terms) - last]
        left_out = f"[{len(middle):,} more: {number_text(value_of(Total(middle)))}]"
        ends = [self.text(term) for term in (*terms[:first], *terms[len(terms) - last :])]
        return _joined([*ends[:first], left_out, *ends[first:]])


def _joined(terms: list[str]) -> str:
    line = terms[0]
    for term in terms[1:]:
        line += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return line


def is_readable(expression: Expression) -> bool:
    """Whether ``expression`` is short enough to be written out."""
    return sum(1 for _ in expanded(expression).walk()) <= MOST_NODES


def with_numbers(expression: Expression, values: Values, unit: int = 0) -> Expression:
    """``expression`` for one ``unit`` of a layer, with the numbers of ``values`` in it.

    Of a formula in pieces it is the piece that applies.
    """
    units = max((len(v) for v in values.values() if isinstance(v, tuple)), default=1)

    def of(node: Expression, unit: int) -> Expression:
        match node:
            case Name(name):
                found = values[name]
                return found[unit] if isinstance(found, tuple) else found
            case Choice(symbol, left, right, then, other):
                holds = COMPARISONS[symbol](value_of(of(left, unit)), value_of(of(right, unit)))
                return of(then if holds else other, unit)
            case Operation("*" | "/" as symbol, Negative(part), right):
                # -a*b reads better than (-a)*b, and comes to the same.
                return Negative(of(Operation(symbol, part, right), unit))
            case Call(function, (part,)) if function in UNITS:
                return reduced(function, part)
        return node.rebuilt(tuple(of(part, unit) for part in node.parts))

    def reduced(function: str, part: Expression) -> Expression:
        terms = tuple(of(part, unit) for unit in range(units))
        if function == "greatest":
            return Quantity(max(map(value_of, terms)), f"max {formula_text(part)}")
        total = Total(terms, f"sum of {formula_text(part)}")
        return total if function == "total" else over(total, Quantity(float(units), "units"))

    return of(expanded(expression), unit)
