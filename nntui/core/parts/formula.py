"""Formulas of one variable x, read as data: parsed, checked against a list, never executed."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError, quoted
from nntui.core.tape import Array

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    name: getattr(np, name) for name in ("sin", "cos", "tanh", "exp", "log", "sqrt", "abs", "sign")
}
_NAMES = {"pi": np.float64(math.pi), "e": np.float64(math.e)}
_LONGEST = 200


def _evaluate(node: ast.expr, x: Any) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            # Python's own numbers would grow without bound in 9**9**9, and be complex in (-8)**0.5.
            return np.float64(value)
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            # What NumPy makes of x**2, for a float exponent too.
            base = _evaluate(left, x)
            return base * base
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_evaluate(left, x), _evaluate(right, x))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_evaluate(operand, x))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_evaluate(argument, x))
    raise ValueError(ast.unparse(node))


def _parse(key: str, text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ConfigError(key, f"is longer than {_LONGEST} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError(
            key, f"{quoted(text)} is not a formula; an example: sin(2*pi*x) + x**2"
        ) from None


def evaluate_formula(key: str, text: str, x: Array) -> Array:
    """``text`` at each of ``x``, an array of the same shape.

    ``+ - * / **``, ``pi``, ``e`` and sin, cos, tanh, exp, log, sqrt, abs, sign are known.
    Raises ConfigError, with ``key``, for anything else and for a result that is not finite.
    """
    body = _parse(key, text)
    try:
        with np.errstate(all="ignore"):
            y = np.broadcast_to(_evaluate(body, x), x.shape)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise ConfigError(
            key,
            f"cannot evaluate {error}; known are x, pi, e, + - * / ** and {', '.join(FUNCTIONS)}",
        ) from None
    if not np.isfinite(y).all():
        at = float(x[~np.isfinite(y)][0])
        raise ConfigError(key, f"{quoted(text)} is not finite at x = {at:g}")
    return np.array(y)


def check_formula(key: str, text: str) -> None:
    """ConfigError unless ``text`` can be evaluated; finiteness is only known with the x."""
    body = _parse(key, text)
    try:
        with np.errstate(all="ignore"):
            _evaluate(body, np.zeros(1))
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise ConfigError(
            key,
            f"cannot evaluate {error}; known are x, pi, e, + - * / ** and {', '.join(FUNCTIONS)}",
        ) from None
