"""Operators and functions by their canonical names."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "@": operator.matmul,
    "%": operator.mod,
    "//": operator.floordiv,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.iadd,
    "-": operator.isub,
    "*": operator.imul,
    "/": operator.itruediv,
    "**": operator.ipow,
    "@": operator.imatmul,
    "%": operator.imod,
    "//": operator.ifloordiv,
    "&": operator.iand,
    "|": operator.ior,
    "^": operator.ixor,
    "<<": operator.ilshift,
    ">>": operator.irshift,
}


# The name of a function, where an operation has more than one.
CANONICAL = {
    "add": "+",
    "subtract": "-",
    "sub": "-",
    "multiply": "*",
    "mul": "*",
    "divide": "/",
    "true_divide": "/",
    "truediv": "/",
    "power": "**",
    "pow": "**",
    "float_power": "**",
    "matmul": "@",
    "mod": "%",
    "remainder": "%",
    "floor_divide": "//",
    "floordiv": "//",
    "negative": "neg",
    "greater": ">",
    "gt": ">",
    "greater_equal": ">=",
    "ge": ">=",
    "less": "<",
    "lt": "<",
    "less_equal": "<=",
    "le": "<=",
    "equal": "==",
    "eq": "==",
    "not_equal": "!=",
    "ne": "!=",
    "absolute": "abs",
    "fabs": "abs",
    "amax": "max",
    "amin": "min",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "fsum": "sum",
    "take": "taken",  # "take" are elements read by an index
}


def canonical(name: str) -> str:
    """The canonical name of an operation."""
    return CANONICAL.get(name, name)


def name_of(function: Any) -> str:
    """The name of any callable."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())
