"""Products with a Jacobian that has no rule: by sent index numbers, or by finite differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nntui.program.record.node import Node
from nntui.program.record.recompute import Patched, call

MOST_ELEMENTS = 4_096
"""Operands with more elements are not differentiated numerically, unless elementwise."""
FIRST_INDEX = 2.0**40
STEP, TINY = 1e-3, 1e-6
"""Steps, relative to an element; of fourth order, and of second where the function has a kink."""
SMALL = 0.1
"""Smaller elements are moved as if they were as large as this."""
ALIKE = 1e-6


class NotDifferentiableError(Exception):
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
    """By central differences. Raises NotDifferentiableError where that takes too many."""
    return [(each, _gradient(node, each, np.asarray(g), values)) for each in operands(node)]


def _gradient(node: Node, operand: Node, g: Any, values: Any) -> Any:
    """The adjoint of one operand.

    Slices that do not depend on each other, as the rows of a softmax, are moved at once.
    """
    value = np.asarray(values[operand.number], float)
    apart = independent(node, operand, values)
    others = tuple(axis for axis in range(value.ndim) if axis not in apart)
    sizes = [value.shape[axis] for axis in others]
    if int(np.prod(sizes)) > MOST_ELEMENTS:
        raise NotDifferentiableError(node, f"{value.size} elements and no rule")

    def result(where: tuple[Any, ...], part: Any) -> Any:
        moved = value.copy()
        moved[where] = part
        patch = {operand.number: like(moved, values[operand.number])}
        return call(node, Patched(values, patch))

    gradient = np.empty(value.shape)
    for chosen in np.ndindex(*sizes):
        where = [slice(None)] * value.ndim
        for axis, at in zip(others, chosen, strict=True):
            where[axis] = slice(at, at + 1)
        index = tuple(where)
        slope = g * _slope(partial(result, index), value[index])
        gradient[index] = np.sum(slope, axis=others, keepdims=True) if apart else np.sum(slope)
    return gradient


def independent(node: Node, operand: Node, values: Any) -> tuple[int, ...]:
    """The axes along which every slice of the result depends on the same slice of the operand."""
    value = np.asarray(values[operand.number], float)
    before = np.asarray(values[node.number])
    if before.ndim != value.ndim:
        return ()
    return tuple(
        axis
        for axis in range(value.ndim)
        if before.shape[axis] == value.shape[axis] > 1
        and all(_is_apart(node, operand, values, axis, half) for half in _halves(value.shape[axis]))
    )


def _halves(count: int) -> Iterator[Any]:
    """Masks such that of any two slices each moves once without the other."""
    numbers = np.arange(count)
    for bit in range((count - 1).bit_length()):
        half = (numbers >> bit) % 2 == 1
        yield half
        yield ~half


def _is_apart(node: Node, operand: Node, values: Any, axis: int, moved: Any) -> bool:
    """Whether some slices along an axis can move without moving the others."""
    value = np.asarray(values[operand.number], float)
    before = np.asarray(values[node.number])
    shape = [moved.size if each == axis else 1 for each in range(value.ndim)]
    shifted = value + moved.reshape(shape) * STEP * np.maximum(np.abs(value), SMALL)
    patch = {operand.number: like(shifted, values[operand.number])}
    after = np.asarray(call(node, Patched(values, patch)))
    still = np.flatnonzero(~moved)
    return after.shape == before.shape and np.array_equal(
        np.take(after, still, axis), np.take(before, still, axis), equal_nan=True
    )


def _slope(result: Callable[[Any], Any], part: Any) -> Any:
    """The derivative by a part that moves as one; beside a kink that of the nearest neighbours."""
    size = np.maximum(np.abs(part), SMALL)
    steps = [np.asarray(result(part + k * STEP * size)) for k in (-2, -1, 1, 2)]
    far_below, below, above, far_above = (each.astype(float) for each in steps)
    smooth = (8 * (above - below) - (far_above - far_below)) / (12 * STEP * size)
    if steps[0].dtype != np.float64:
        return smooth
    ends = [np.asarray(result(part + k * TINY * size), float) for k in (-1, 1)]
    near = (ends[1] - ends[0]) / (2 * TINY * size)
    return np.where(np.abs(smooth - near) <= ALIKE * (1 + np.abs(near)), smooth, near)
