"""Operators and functions by their canonical names, and callables that replay can call again."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

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


class Method:
    """Calls a method by its name, as a function of the object and the arguments."""

    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, value: Any, /, *arguments: Any, **keywords: Any) -> Any:
        return getattr(value, self.__name__)(*arguments, **keywords)


class Part:
    """One of several results of a function."""

    __slots__ = ("__name__", "function", "number")

    def __init__(self, function: Callable[..., Any], number: int) -> None:
        self.function, self.number, self.__name__ = function, number, name_of(function)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)[self.number]


class Changing:
    """A function that changes its first argument, as one that gives a changed copy."""

    __slots__ = ("__name__", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.__name__ = function, name_of(function)

    def __call__(self, target: Any, *arguments: Any, **keywords: Any) -> Any:
        changed = np.array(target, copy=True, order="K", subok=True)
        self.function(changed, *arguments, **keywords)
        return changed


class Cast:
    """An operation whose result takes the type of the array it is written into."""

    __slots__ = ("__name__", "dtype", "function", "shape")

    def __init__(self, function: Callable[..., Any], target: np.ndarray[Any, Any]) -> None:
        self.function, self.__name__ = function, name_of(function)
        self.dtype, self.shape = target.dtype, target.shape

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        result = np.asanyarray(self.function(*arguments, **keywords))
        result = result.astype(self.dtype, copy=False)
        return result if result.shape == self.shape else np.broadcast_to(result, self.shape)


def older_format(text: Any, values: Any) -> Any:
    """`text % values`; arrays of one element count as numbers, as they did before NumPy 2.4."""
    try:
        return text % values
    except TypeError:
        plain = tuple(map(_number, values)) if isinstance(values, tuple) else _number(values)
        return text % plain


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


def words(text: str) -> frozenset[str]:
    """The names in a text."""
    return frozenset(text.split())
