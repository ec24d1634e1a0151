"""Computes a recording again, with some of its values replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nntui.program.record.node import Node, Ref, fill


class Patched:
    """The values as one node sees them."""

    __slots__ = ("patches", "values")

    def __init__(self, values: list[Any], patches: Mapping[int, Any]) -> None:
        self.values, self.patches = values, patches

    def __getitem__(self, number: int) -> Any:
        return self.patches[number] if number in self.patches else self.values[number]


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
        values[number] = value
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
        values[number] = call(node, Patched(values, patches) if patches else values)
        changed[number] = 1
    return values


__all__ = ["Ref", "call", "replay"]
