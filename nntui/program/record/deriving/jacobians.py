"""Products with a Jacobian that has no rule: by sent index numbers, or by finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from nntui.program.record.node import Node
from nntui.program.record.recompute import Patched, call

MOST_ELEMENTS = 4_096
"""Operands with more elements are not differentiated numerically, unless elementwise."""
FIRST_INDEX = 2.0**40
STEP = 1e-3
HALVES = 3


class NotDifferentiableError(NotImplementedError):
    """An operation has no rule and is too large for finite differences; `node` says which."""

    def __init__(self, node: Node, why: str) -> None:
        super().__init__(f"{node.operation}: {why}")
        self.node = node


def operands(node: Node) -> list[Node]:
    """The recorded operands that have derivatives, each once."""
    unique = {each.number: each for each in node.inputs}
    return [each for each in unique.values() if np.asarray(each.value).dtype.kind == "f"]


def like(values: Any, model: Any) -> Any:
    """Values as an operand of the model's type."""
    if isinstance(model, np.ndarray):
        array = np.array(values, float).reshape(model.shape)
        return array if type(model) is np.ndarray else array.view(type(model))
    number = float(np.reshape(values, ()))
    return np.float64(number) if isinstance(model, np.generic) else number


def traced(node: Node, g: Any, values: Any) -> list[tuple[Node, Any]] | None:
    """Of an operation that only moves elements: number the elements, and see where they went."""
    first, spans, patches = FIRST_INDEX, [], {}
    for operand in operands(node):
        value = values[operand.number]
        size = int(np.size(value))
        patches[operand.number] = like(first + np.arange(size), value)
        spans.append((operand, first, size))
        first += size + 1
    try:
        sent = np.asarray(call(node, Patched(values, patches)), float).reshape(-1)
    except Exception:
        return None
    flat = np.broadcast_to(g, np.shape(node.value)).reshape(-1)
    if sent.size != flat.size:
        return None
    result = []
    seen = np.asarray(values[node.number], float).reshape(-1)
    for operand, start, size in spans:
        here = (sent >= start) & (sent < start + size)
        where = (sent[here] - start).astype(np.int64)
        elements = np.asarray(values[operand.number], float).reshape(-1)
        if not np.array_equal(elements[where], seen[here], equal_nan=True):
            return None  # what moves where depends on the values
        gradient = np.bincount(where, flat[here], size)
        result.append((operand, gradient.reshape(np.shape(values[operand.number]))))
    return result


def numeric(node: Node, g: Any, values: Any) -> list[tuple[Node, Any]]:
    """Central differences of fourth order. Raises NotDifferentiableError where too large."""
    result = []
    for operand in operands(node):
        value = np.asarray(values[operand.number], float)
        gradient = elementwise(node, operand, g, values)
        if gradient is None:
            if value.size > MOST_ELEMENTS:
                raise NotDifferentiableError(node, f"{value.size} elements and no rule")
            gradient = np.empty(value.size)
            for number in range(value.size):
                direction = np.zeros(value.size)
                direction[number] = 1.0
                change = directional(node, operand, direction.reshape(value.shape), values)
                gradient[number] = np.sum(np.asarray(g) * change)
            gradient = gradient.reshape(value.shape)
        result.append((operand, gradient))
    return result


def elementwise(node: Node, operand: Node, g: Any, values: Any) -> Any:
    """The gradient where every result depends on the one element at its place; else None."""
    value = np.asarray(values[operand.number], float)
    before = np.asarray(values[node.number])
    if value.size < 2 or before.shape != value.shape or before.dtype.kind != "f":
        return None
    chooser = np.random.default_rng(0)
    for _ in range(HALVES):
        moved = chooser.random(value.shape) < 0.5
        shifted = like(value + moved * step_of(value), values[operand.number])
        after = np.asarray(call(node, Patched(values, {operand.number: shifted})))
        if after.shape != before.shape or np.any(after[~moved] != before[~moved]):
            return None
    return np.asarray(g) * directional(node, operand, np.ones(value.shape), values)


def step_of(value: Any) -> Any:
    """A step for every element."""
    return STEP * np.maximum(np.abs(value), 0.1)


def directional(node: Node, operand: Node, direction: Any, values: Any) -> Any:
    """The derivative of a node's value along a direction of one operand."""
    value = np.asarray(values[operand.number], float)
    for shrink in (1.0, 1e-3):
        step = step_of(value) * shrink
        if not np.all(direction):
            step = np.full(value.shape, np.max(step * np.abs(direction)))
        results = []
        for factor in (-2, -1, 1, 2):
            moved = like(value + factor * step * direction, values[operand.number])
            result = call(node, Patched(values, {operand.number: moved}))
            results.append(np.asarray(result, float))
        far_below, below, above, far_above = results
        change = (8 * (above - below) - (far_above - far_below)) / 12
        divisor = step if np.shape(change) == step.shape else np.max(step)
        change = change / divisor
        if np.all(np.isfinite(change)):
            break
    return change
