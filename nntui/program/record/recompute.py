"""Computes a recording again, with some of its values replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nntui.program.record.node import Node, Ref, fill


class Patched:
    """The values as one node sees them."""

    __slots__ = ("patches", "values")

    def __init__(self, values: list[Any], patches: Mapping[int, Any]) -> None:
        self.values, self.patches = values, patches

    def __getitem__(self, number: int) -> Any:
        return self.patches[number] if number in self.patches else self.values[number]


def solid(value: Any) -> Any:
    """`value` with elements of its own: of repeated ones matrix products take a hundred times."""
    if isinstance(value, np.ndarray) and 0 in value.strides and value.size > 1:
        return value.copy()
    return value


def call(node: Node, values: Any) -> Any:
    """The result of a node's function for these values of its operands."""
    assert node.function is not None
    arguments = [fill(argument, values) for argument in node.arguments]
    if not node.keywords:
        return node.function(*arguments)
    keywords = {name: fill(value, values) for name, value in node.keywords.items()}
    return node.function(*arguments, **keywords)


def replay(
    nodes: Sequence[Node],
    fixed: Mapping[int, Any] | None = None,
    swaps: Mapping[int, Mapping[int, Any]] | None = None,
    upto: int | None = None,
) -> list[Any]:
    """The value of every node after some were replaced.

    `fixed` replaces the value of a node for everything behind it. `swaps` replaces what one node
    is given: number of the node -> number of its operand -> value. Nodes below `upto` (default:
    all) that depend on these are computed again with the functions that were recorded; the others
    keep their values. Raises what the functions raise.
    """
    fixed, swaps = fixed or {}, swaps or {}
    values = [node.value for node in nodes]
    changed = bytearray(len(nodes))
    for number, value in fixed.items():
        values[number] = solid(value)
        changed[number] = 1
    start = min([*fixed, *swaps], default=len(nodes))
    for node in nodes[start:upto]:
        number = node.number
        for each in node.inputs:
            if changed[each.number]:
                break
        else:
            if number not in swaps:
                continue
        if number in fixed or not node.inputs or node.function is None:
            continue
        patches = swaps.get(number)
        if patches:
            patches = {number: solid(value) for number, value in patches.items()}
            values[number] = call(node, Patched(values, patches))
        else:
            values[number] = call(node, values)
        changed[number] = 1
    return values


__all__ = ["Ref", "call", "replay"]
