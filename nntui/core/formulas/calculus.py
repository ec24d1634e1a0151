"""Simplification and symbolic differentiation of expressions."""

from functools import lru_cache

import numpy as np

from nntui.core.formulas.expression import (
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from nntui.core.formulas.functions import COMPARISONS, FUNCTIONS
from nntui.core.formulas.parsing import formula

ZERO, ONE = Number(0.0), Number(1.0)
_ARITHMETIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}


def add(left: Expression, right: Expression) -> Expression:
    """``left + right``, simplified."""
    if left == ZERO:
        return right
    return left if right == ZERO else _folded("+", left, right)


def subtract(left: Expression, right: Expression) -> Expression:
    """``left - right``, simplified."""
    if right == ZERO:
        return left
    return negative(right) if left == ZERO else _folded("-", left, right)


def negative(part: Expression) -> Expression:
    """``-part``, simplified."""
    match part:
        case Number(value):
            return Number(-value)
        case Negative(inner):
            return inner
    return Negative(part)


def multiply(left: Expression, right: Expression) -> Expression:
    """``left * right``, simplified; two constant factors are merged."""
    match left, right:
        case (Number(0.0), _) | (_, Number(0.0)):
            return ZERO
        case (Number(1.0), other) | (other, Number(1.0)):
            return other
        case (Number(-1.0), other) | (other, Number(-1.0)):
            return negative(other)
        case Number(one), Operation("*", Number(two), other):
            return multiply(Number(one * two), other)
        case Number(one), Operation("/", other, Number(two)):
            return multiply(Number(one / two), other)
    return _folded("*", left, right)


def divide(left: Expression, right: Expression) -> Expression:
    """``left / right``, simplified."""
    if right == ONE:
        return left
    return ZERO if left == ZERO and right != ZERO else _folded("/", left, right)


def power(left: Expression, right: Expression) -> Expression:
    """``left ^ right``, simplified."""
    if right == ONE:
        return left
    return ONE if right == ZERO else _folded("^", left, right)


def _folded(symbol: str, left: Expression, right: Expression) -> Expression:
    if isinstance(left, Number) and isinstance(right, Number):
        with np.errstate(all="ignore"):
            value = float(_ARITHMETIC[symbol](np.float64(left.value), right.value))
        if np.isfinite(value):
            return Number(value)
    return Operation(symbol, left, right)


_SIMPLIFIED = {"+": add, "-": subtract, "*": multiply, "/": divide, "^": power}


@lru_cache(maxsize=4096)
def simplified(expression: Expression) -> Expression:
    """The same with constants folded, and without terms of 0 and factors of 1."""
    parts = tuple(simplified(part) for part in expression.parts)
    match expression:
        case Operation(symbol):
            return _SIMPLIFIED[symbol](*parts)
        case Negative():
            return negative(*parts)
        case Choice(symbol):
            return _chosen(symbol, *parts)
        case Call(function) if function in FUNCTIONS:
            return _called(function, parts)
        case Call("dot") if all(isinstance(each, Number) for each in parts):
            return multiply(*parts)
    return expression.rebuilt(parts)


def _chosen(
    symbol: str, left: Expression, right: Expression, then: Expression, other: Expression
) -> Expression:
    if isinstance(left, Number) and isinstance(right, Number):
        return then if COMPARISONS[symbol](left.value, right.value) else other
    return Choice(symbol, left, right, then, other)


def _called(name: str, arguments: tuple[Expression, ...]) -> Expression:
    numbers = [each.value for each in arguments if isinstance(each, Number)]
    function = FUNCTIONS[name]
    if len(numbers) < len(arguments):
        return Call(name, arguments)
    if function.ufunc is None:
        return simplified(formula(function.body).bound(dict(zip("xy", numbers, strict=False))))
    with np.errstate(all="ignore"):
        value = float(function.ufunc(*numbers))
    return Number(value) if np.isfinite(value) else Call(name, arguments)


@lru_cache(maxsize=1024)
def derivative(expression: Expression, name: str) -> Expression:
    """The derivative with respect to the variable ``name``, simplified.

    At a kink of abs, max or min it is the slope from the left where the pieces determine it.
    """
    match expression:
        case Number():
            return ZERO
        case Name(own):
            return ONE if own == name else ZERO
        case Negative(part):
            return negative(derivative(part, name))
        case Operation(symbol, left, right):
            return _of_operation(symbol, left, right, expression, name)
        case Choice(symbol, left, right, then, other):
            one, two = derivative(then, name), derivative(other, name)
            return one if one == two else Choice(symbol, left, right, one, two)
        case Call(function, arguments):
            total: Expression = ZERO
            known = dict(zip("xy", arguments, strict=False)) | {"f": expression}
            for slope, argument in zip(FUNCTIONS[function].slopes, arguments, strict=True):
                inner = derivative(argument, name)
                if inner != ZERO:
                    total = add(total, multiply(simplified(formula(slope).bound(known)), inner))
            return total
    raise TypeError(type(expression).__name__)


def _of_operation(
    symbol: str, left: Expression, right: Expression, whole: Expression, name: str
) -> Expression:
    one, two = derivative(left, name), derivative(right, name)
    match symbol:
        case "+":
            return add(one, two)
        case "-":
            return subtract(one, two)
        case "*":
            return add(multiply(one, right), multiply(left, two))
        case "/":
            if two == ZERO:
                return divide(one, right)
            return divide(subtract(one, multiply(whole, two)), right)
    total: Expression = ZERO
    if one != ZERO:
        total = multiply(multiply(right, power(left, simplified(subtract(right, ONE)))), one)
    if two != ZERO:
        total = add(total, multiply(multiply(whole, Call("log", (left,))), two))
    return total


def switches(expression: Expression) -> tuple[Expression, ...]:
    """The expressions whose signs select the pieces of ``expression``; empty if it is smooth."""
    found: dict[Expression, None] = {}
    for node in expression.walk():
        match node:
            case Call(function, arguments) if function in FUNCTIONS:
                switch = FUNCTIONS[function].switch
                if switch:
                    known = dict(zip("xy", arguments, strict=False))
                    found[simplified(formula(switch).bound(known))] = None
            case Choice(_, left, right):
                found[simplified(subtract(left, right))] = None
    return tuple(each for each in found if each.names)
