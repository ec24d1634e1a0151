"""Writes what a program computes element by element of z as a formula that presets read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nntui.program.recognise.reading.layers.identities import moves
from nntui.program.record.node import Node, Ref

LONGEST = 200
"""Characters of a formula in a preset."""
LONGEST_FACTOR = 80
DEEPEST = 60

FUNCTIONS = {
    **{name: name for name in ("exp", "log", "tanh", "sin", "cos", "sqrt", "abs", "sign")},
    **{name: name for name in ("expm1", "log1p", "floor", "logaddexp")},
    "expit": "sigmoid",
    "maximum": "max",
    "minimum": "min",
    "fmax": "max",
    "fmin": "min",
}
"""The names that presets have for operations."""
COMPARISONS = ("<", "<=", ">", ">=", "==")
OPERATIONS = ("+", "-", "*", "/", "**")


def formula_text(node: Node, names: Mapping[int, str]) -> str | None:
    """``node`` as a formula of the nodes ``names`` (by number); None where there is none."""
    try:
        text = _text(node, names, DEEPEST)
    except _NoFormulaError:
        return None
    text = _bare(text)
    return text if len(text) <= LONGEST else None


class _NoFormulaError(Exception):
    pass


def _text(node: Node, names: Mapping[int, str], depth: int) -> str:
    if node.number in names:
        return names[node.number]
    if depth == 0:
        raise _NoFormulaError
    operation, arguments = node.operation, node.arguments

    def operand(at: int) -> str:
        return _argument(arguments[at], names, depth - 1)

    if moves(node) and node.operation != "setflat" and len(node.inputs) == 1:
        return _text(node.inputs[0], names, depth - 1)
    if operation in OPERATIONS and len(arguments) == 2:
        return f"({operand(0)} {operation} {operand(1)})"
    if operation in COMPARISONS and len(arguments) == 2:
        return f"where({_bare(operand(0))} {operation} {_bare(operand(1))}, 1, 0)"
    if operation == "neg":
        return f"(-{operand(0)})"
    if operation == "square":
        return f"({operand(0)} ** 2)"
    if operation == "reciprocal":
        return f"(1 / {operand(0)})"
    if operation == "positive":
        return operand(0)
    if operation in FUNCTIONS and not node.keywords:
        inside = ", ".join(_bare(operand(at)) for at in range(len(arguments)))
        return f"{FUNCTIONS[operation]}({inside})"
    if operation in ("max", "min") and len(arguments) == 2 and not node.keywords:
        return f"{operation}({_bare(operand(0))}, {_bare(operand(1))})"
    if operation == "where" and len(arguments) == 3:
        return f"where({_condition(arguments[0], names, depth)}, {operand(1)}, {operand(2)})"
    if operation == "clip" and len(arguments) == 3:
        return f"max(min({_bare(operand(0))}, {operand(2)}), {operand(1)})"
    if operation in ("ones_like", "zeros_like"):
        return "1" if operation == "ones_like" else "0"
    if not node.inputs or not _depends(node, names):
        return _number(node.value)
    raise _NoFormulaError


def _depends(node: Node, names: Mapping[int, str]) -> bool:
    waiting, seen = [node], set()
    least = min(names, default=0)
    while waiting:
        each = waiting.pop()
        if each.number in names:
            return True
        if each.number not in seen and each.number > least:
            seen.add(each.number)
            waiting += each.inputs
    return False


def _argument(given: Any, names: Mapping[int, str], depth: int) -> str:
    if isinstance(given, Ref):
        return _text(given.node, names, depth)
    return _number(given)


def _condition(given: Any, names: Mapping[int, str], depth: int) -> str:
    if isinstance(given, Ref) and given.node.operation in COMPARISONS:
        left, right = (_bare(_argument(each, names, depth)) for each in given.node.arguments)
        return f"{left} {given.node.operation} {right}"
    raise _NoFormulaError


def _number(value: Any) -> str:
    """A number that is the same in every element."""
    if isinstance(value, (list, tuple, str)) or value is None:
        raise _NoFormulaError
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or not array.size:
        raise _NoFormulaError
    first = float(array.reshape(-1)[0])
    if not np.isfinite(first) or (array != first).any():
        raise _NoFormulaError
    text = f"{first:g}" if float(f"{first:g}") == first else repr(first)
    return f"({text})" if first < 0 else text


def _bare(text: str) -> str:
    """``text`` without the parentheses that enclose all of it."""
    while text.startswith("(") and text.endswith(")"):
        level = 0
        for at, character in enumerate(text):
            level += (character == "(") - (character == ")")
            if level == 0 and at < len(text) - 1:
                return text
        text = text[1:-1]
    return text


def factors(nodes: Sequence[Node], among: Mapping[int, str]) -> list[str]:
    """Formulas, of the nodes ``among``, by which something else is multiplied in ``nodes``."""
    found: dict[str, None] = {}
    for node in nodes:
        if node.operation != "*" or len(node.arguments) != 2:
            continue
        for given in node.arguments:
            if isinstance(given, Ref) and _depends(given.node, among):
                text = formula_text(given.node, among)
                if text is not None and len(text) <= LONGEST_FACTOR:
                    found.setdefault(text)
    return list(found)
