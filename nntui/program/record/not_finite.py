"""The first operation of a recording that gives nan or inf from finite operands, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nntui.program.record.node import Node

PASSING = frozenset({"view", "unview", "take", "setflat"})


def is_finite(value: Any) -> bool:
    """Whether a value is a number, or numbers, all of them finite."""
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def first_not_finite(nodes: Iterable[Node]) -> Node | None:
    """The first value that is not finite though its operands are; None: there is none.

    A leaf that is not finite counts where no operation made one before it.
    """
    leaf = None
    for node in nodes:
        if is_finite(node.value):
            continue
        if not node.inputs:
            leaf = leaf or node
        elif node.operation not in PASSING and all(is_finite(each.value) for each in node.inputs):
            return node
    return leaf


def reason(node: Node) -> str:
    """Why: "log of 0", "log of a negative number", "overflow", "0/0", "division by 0", ..."""
    with np.errstate(all="ignore"):
        return _reason(node)


def _reason(node: Node) -> str:
    operation = node.operation
    result = np.asarray(node.value, float)
    here = ~np.isfinite(result)
    values = [_seen(each.value, result.shape) for each in node.inputs]
    if not values:
        return "not finite from the start"
    if operation == "/" and len(node.arguments) == 2:
        divisor = _argument(node, 1, result.shape)
        if divisor is not None and np.any(divisor[here] == 0):
            return "0/0" if np.isnan(result[here]).any() else "division by 0"
    first = values[0]
    if first is not None and operation in ("log", "log2", "log10", "log1p"):
        shifted = first + 1 if operation == "log1p" else first
        return "log of 0" if np.any(shifted[here] == 0) else "log of a negative number"
    if operation == "sqrt":
        return "square root of a negative number"
    if operation == "**" and np.isnan(result[here]).any():
        return "power of a negative number"
    if np.isnan(result[here]).all():
        return "inf - inf, or 0 * inf, within the operation"
    return "overflow"


def _argument(node: Node, number: int, shape: tuple[int, ...]) -> Any:
    from nntui.program.record.node import fill

    return _seen(fill(node.arguments[number], None), shape)


def _seen(value: Any, shape: tuple[int, ...]) -> Any:
    """An operand in the shape of the result; None where it has another."""
    try:
        return np.broadcast_to(np.asarray(value, float), shape)
    except (TypeError, ValueError):
        return None
