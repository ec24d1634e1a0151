"""Evaluation of an expression with real or complex numbers."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

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

Values = Any
"""A float or an array, real or complex."""


def power(base: Values, exponent: Values) -> Values:
    """``base`` to the ``exponent``; squares and cubes are products, which lose no digits."""
    if isinstance(exponent, float) and exponent in (2.0, 3.0):
        return base * base if exponent == 2.0 else base * base * base
    return np.power(base, exponent)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": power,
}


def evaluate(expression: Expression, values: Mapping[str, Values], axis: int = 0) -> Values:
    """The value of ``expression``; ``values`` maps its names to floats or arrays.

    Units are on ``axis``.  For complex values, the real part selects the piece.  Infinities and
    NaN are possible results; the caller silences NumPy's warnings.
    """
    is_complex = any(np.iscomplexobj(each) for each in values.values())
    known: dict[Expression, Values] = {}

    def value(node: Expression) -> Values:
        if node not in known:
            known[node] = of(node)
        return known[node]

    def of(node: Expression) -> Values:
        match node:
            case Number(number):
                return np.float64(number)
            case Name(name):
                return values[name]
            case Negative(part):
                return np.negative(value(part))
            case Operation("^", left, Number(exponent)):
                return power(value(left), exponent)
            case Operation(symbol, left, right):
                return _OPERATIONS[symbol](value(left), value(right))
            case Choice(symbol, left, right, then, other):
                holds = COMPARISONS[symbol](np.real(value(left)), np.real(value(right)))
                return np.where(holds, value(then), value(other))
            case Call("total", (part,)):
                return np.sum(value(part), axis=axis, keepdims=True)
            case Call("mean", (part,)):
                return np.mean(value(part), axis=axis, keepdims=True)
            case Call("greatest", (part,)):
                return np.max(np.real(value(part)), axis=axis, keepdims=True)
            case Call("outer", (left, right)):
                return value(left) @ np.swapaxes(value(right), -1, -2)
            case Call("dot", (left, right)):
                return np.sum(value(left) * value(right))
            case Call(function, arguments):
                return call(function, tuple(value(each) for each in arguments))
        raise TypeError(type(node).__name__)

    def call(name: str, arguments: tuple[Values, ...]) -> Values:
        function = FUNCTIONS[name]
        if is_complex and function.complex is not None:
            return function.complex(*arguments)
        if function.ufunc is not None:
            return function.ufunc(*arguments)
        inner = dict(zip("xy", arguments, strict=False))
        return evaluate(formula(function.body), inner, axis)

    return value(expression)


def scalar_function(expression: Expression) -> Callable[[Mapping[str, float]], float]:
    """Compile ``expression`` to a function of Python floats, for frequent evaluation.

    It raises OverflowError and ZeroDivisionError as Python's operators do.
    """
    match expression:
        case Number(number):
            return lambda values: number
        case Name(name):
            return lambda values: values[name]
        case Negative(part):
            inner = scalar_function(part)
            return lambda values: -inner(values)
        case Operation(symbol, left, right):
            apply = _SCALAR[symbol]
            one, two = scalar_function(left), scalar_function(right)
            return lambda values: apply(one(values), two(values))
        case Call(function, arguments):
            ufunc = FUNCTIONS[function].ufunc
            assert ufunc is not None
            parts = [scalar_function(each) for each in arguments]
            return lambda values: float(ufunc(*(each(values) for each in parts)))
    raise TypeError(type(expression).__name__)


_SCALAR: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
