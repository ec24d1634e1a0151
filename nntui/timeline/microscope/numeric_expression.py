"""Expressions: the right-hand side of an equation, with the numbers in it.

One tree gives the value, the formula in names and the formula in numbers, so that what is
printed cannot differ from what is meant.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.core.formulas.functions import FUNCTIONS

DIGITS = 6
"""Significant digits of a printed number."""
SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly a kind of expression binds, loosest first."""


def number(value: float) -> str:
    """``value`` as it is printed; a zero has no sign."""
    return f"{value + 0.0:.{DIGITS}g}"


class Expression(ABC):
    """A number, or numbers and what is done with them."""

    binds = ATOM

    @property
    @abstractmethod
    def value(self) -> float:
        """What it comes to, in double precision; infinities and NaN are values too."""

    @abstractmethod
    def text(self, most: int | None) -> str:
        """The formula: in names without ``most``, else in numbers.

        A sum of more than ``most`` terms is cut in the middle; what is left out is given as one
        number, so that the equation still holds.
        """

    def inside(self, binds: int, most: int | None) -> str:
        """`text`, in parentheses if it stands where only what ``binds`` more tightly can."""
        text = self.text(most)
        return f"({text})" if self.binds < binds or text.startswith("-") else text


@dataclass(frozen=True)
class Number(Expression):
    """A number, and the name that stands for it (none: it stands for itself)."""

    amount: float
    name: str = ""

    @property
    def value(self) -> float:
        return float(self.amount)

    def text(self, most: int | None) -> str:
        return self.name if most is None and self.name else number(self.amount)


@dataclass(frozen=True)
class Sum(Expression):
    """``a + b + ...``; ``name`` is what many terms are called together."""

    terms: tuple[Expression, ...]
    name: str = ""

    binds = SUM

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            return float(np.sum([term.value for term in self.terms]))

    def text(self, most: int | None) -> str:
        if most is None and self.name:
            return self.name
        if not self.terms:
            return "0"
        shown = [term.text(most) for term in self.terms]
        if most is not None and len(shown) > most:
            last = most // 3
            first = most - last
            middle = Sum(self.terms[first : len(shown) - last])
            left_out = f"[{len(middle.terms):,} more: {number(middle.value)}]"
            shown = [*shown[:first], left_out, *shown[len(shown) - last :]]
        text = shown[0]
        for term in shown[1:]:
            text += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
        return text


@dataclass(frozen=True)
class Difference(Expression):
    """``left - right``."""

    left: Expression
    right: Expression

    binds = SUM

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            return float(np.subtract(self.left.value, self.right.value))

    def text(self, most: int | None) -> str:
        return f"{self.left.text(most)} - {self.right.inside(PRODUCT, most)}"


@dataclass(frozen=True)
class Negative(Expression):
    """``-part``."""

    part: Expression

    binds = SUM

    @property
    def value(self) -> float:
        return -self.part.value

    def text(self, most: int | None) -> str:
        return f"-{self.part.inside(PRODUCT, most)}"


@dataclass(frozen=True)
class Product(Expression):
    """``a*b*...``."""

    factors: tuple[Expression, ...]

    binds = PRODUCT

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            return float(np.prod([factor.value for factor in self.factors]))

    def text(self, most: int | None) -> str:
        first, *others = self.factors
        head = first.text(most) if first.binds >= PRODUCT else first.inside(PRODUCT, most)
        return "*".join([head, *(each.inside(POWER, most) for each in others)])


@dataclass(frozen=True)
class Quotient(Expression):
    """``top/bottom``."""

    top: Expression
    bottom: Expression

    binds = PRODUCT

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            return float(np.divide(self.top.value, self.bottom.value))

    def text(self, most: int | None) -> str:
        top = self.top.text(most) if self.top.binds >= PRODUCT else self.top.inside(PRODUCT, most)
        return f"{top}/{self.bottom.inside(POWER, most)}"


@dataclass(frozen=True)
class Power(Expression):
    """``base^exponent``."""

    base: Expression
    exponent: Expression

    binds = POWER

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            return float(np.power(self.base.value, self.exponent.value))

    def text(self, most: int | None) -> str:
        return f"{self.base.inside(ATOM, most)}^{self.exponent.inside(ATOM, most)}"


@dataclass(frozen=True)
class Call(Expression):
    """A function of some arguments."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def value(self) -> float:
        with np.errstate(all="ignore"):
            ufunc: Any = FUNCTIONS[self.function].ufunc
            return float(ufunc(*(each.value for each in self.arguments)))

    def text(self, most: int | None) -> str:
        return f"{self.function}({', '.join(each.text(most) for each in self.arguments)})"


def call(function: str, *arguments: Expression) -> Call:
    """``function`` of ``arguments``."""
    return Call(function, arguments)


def product(*factors: Expression) -> Product:
    """The product of ``factors``."""
    return Product(factors)
