"""Parses text to an expression: by Python's grammar, checked node by node, never executed."""

import ast
import difflib
import math
import re
import warnings
from collections.abc import Collection
from functools import lru_cache

from nntui.core.errors import ConfigError, quoted
from nntui.core.formulas.expression import (
    PRODUCTS,
    UNITS,
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from nntui.core.formulas.functions import FUNCTIONS

LONGEST = 200
"""Maximum characters of a user's formula; this bounds its nodes too."""
DEEPEST = 40
"""Maximum levels of nested operations, so that no formula exhausts Python's stack."""
CONSTANTS = {"pi": math.pi, "e": math.e}

_OPERATIONS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
}


def parse_formula(
    key: str, text: str, names: Collection[str], products: Collection[str] = ()
) -> Expression:
    """Parse a user's formula ``text`` over the variables ``names``.

    It may contain ``+ - * / ^`` (or ``**``), ``p if a > b else q``, pi, e, the functions of
    `FUNCTIONS`, and those of ``products`` (see `expression.PRODUCTS`).  Raises ConfigError, with
    ``key``, for anything else, and for a formula that is too long or nested too deeply.
    """
    if len(text) > LONGEST:
        raise ConfigError(key, f"is longer than {LONGEST} characters")
    strange = re.search(r"[^ -~]|#", text)
    if strange is not None:
        raise ConfigError(key, f"has the character {quoted(strange[0])}, which no formula has")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as of "1if", which Python would rather not read
            body = _tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        example = "sin(2*pi*x) + x**2" if "x" in names else "z * sigmoid(z)"
        raise ConfigError(key, f"{quoted(text)} is not a formula; an example: {example}") from None
    return _Parser(key, names, (*FUNCTIONS, *products)).read(body, DEEPEST)


@lru_cache(maxsize=1024)
def formula(text: str) -> Expression:
    """Parse one of nntui's own formulas: any names, and the reductions of `expression.UNITS`."""
    return _Parser("", None, (*FUNCTIONS, *UNITS, *PRODUCTS)).read(_tree(text), DEEPEST)


def _tree(text: str) -> ast.expr:
    return ast.parse(text.strip().replace("^", "**"), mode="eval").body


class _Parser:
    """Converts Python's syntax tree; ``names`` None allows every name."""

    def __init__(self, key: str, names: Collection[str] | None, functions: Collection[str]) -> None:
        self._key, self._names, self._functions = key, names, functions

    def read(self, node: ast.expr, depth: int) -> Expression:
        if depth == 0:
            raise ConfigError(self._key, f"is nested more than {DEEPEST} levels deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth - 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self.read(operand, depth - 1)
                return Number(-part.value) if isinstance(part, Number) else Negative(part)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                symbol = _OPERATIONS[type(op)]
                return Operation(symbol, self.read(left, depth - 1), self.read(right, depth - 1))
            case ast.IfExp(test=test, body=then, orelse=other):
                return self._choice(test, then, other, depth)
            case ast.Call(func=ast.Name(id="where"), args=[test, then, other], keywords=[]):
                return self._choice(test, then, other, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, depth)
        raise ConfigError(self._key, f"cannot use {quoted(ast.unparse(node))}; {self._known()}")

    def _number(self, value: int | float) -> Number:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ConfigError(self._key, "has a number that is too large for a float")
        return Number(number)

    def _name(self, name: str) -> Expression:
        if self._names is not None and name in self._names:
            return Name(name)
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        if self._names is None:
            return Name(name)
        raise ConfigError(self._key, f"does not know {name}{self._near(name)}; {self._known()}")

    def _call(self, name: str, arguments: list[ast.expr], depth: int) -> Expression:
        if name == "where":
            said = "where() takes a comparison and two values: where(a > b, p, q)"
            raise ConfigError(self._key, said)
        if name not in self._functions:
            raise ConfigError(
                self._key, f"does not know {name}(){self._near(name)}; {self._known()}"
            )
        arity = FUNCTIONS[name].arity if name in FUNCTIONS else 2 if name in PRODUCTS else 1
        if len(arguments) != arity:
            raise ConfigError(
                self._key,
                f"{name}() takes {arity} argument{'s' * (arity > 1)}, not {len(arguments)}",
            )
        return Call(name, tuple(self.read(each, depth - 1) for each in arguments))

    def _choice(self, test: ast.expr, then: ast.expr, other: ast.expr, depth: int) -> Choice:
        match test:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                parts = (self.read(each, depth - 1) for each in (left, right, then, other))
                return Choice(_COMPARISONS[type(op)], *parts)
        raise ConfigError(
            self._key, f"needs a comparison such as z > 0, not {quoted(ast.unparse(test))}"
        )

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(name, [*(self._names or ()), *self._functions], n=1)
        return f" (did you mean {near[0]}?)" if near else ""

    def _known(self) -> str:
        names = ", ".join([*(self._names or ()), *CONSTANTS])
        return f"known are {names}, + - * / ^, where(a > b, p, q) and {', '.join(self._functions)}"
