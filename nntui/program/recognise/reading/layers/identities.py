"""Numbers every element of every recorded value, so that copies of an element can be told.

What only moves elements (views, transposes, stacking, reading, writing) keeps their numbers;
everything else gives new ones.  Arrays of other codes are sent along the same ways.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nntui.program.record.deriving.rules import COPYING
from nntui.program.record.node import Node, Ref
from nntui.program.record.recompute import Patched, call

Array = np.ndarray

FIRST = 2.0**40
"""The first number: what is smaller, after a copy, was a constant."""
CONSTANT = -1.0
"""The number of an element that is a constant of the program's text."""
CASTS = frozenset({"float", "float64", "float32", "astype", "item", "positive", "asmatrix"})
"""Operations that hand on each element at its place."""
ADDRESSING = frozenset({"view", "take", "unview", "setflat"})


def moves(node: Node) -> bool:
    """Whether it only moves elements of its operands."""
    operation = node.operation
    return bool(node.inputs) and (
        operation in ADDRESSING or operation in CASTS or operation in COPYING
    )


def moved(node: Node, codes: Mapping[int, Array]) -> Array | None:
    """Where ``node`` sends the ``codes`` of its operands (by number, at least `FIRST` each).

    Elements that come from elsewhere get `CONSTANT`; None where it cannot be told.
    """
    shape = np.shape(node.value)
    operation = node.operation
    if operation in ADDRESSING:
        return _addressed(node, codes)
    if operation in CASTS:
        given = codes.get(node.inputs[0].number)
        return None if given is None or given.size != np.size(node.value) else given.reshape(shape)
    patches: dict[int, Any] = {}
    for each in node.inputs:
        given = codes.get(each.number)
        if given is None:
            given = np.full(np.shape(each.value), CONSTANT)
        patches[each.number] = given if isinstance(each.value, np.ndarray) else float(given.item())
    before = node.keywords
    node.keywords = {name: value for name, value in before.items() if name != "dtype"}
    try:
        sent = np.asarray(call(node, Patched([], patches)), float)
    except Exception:
        return None
    finally:
        node.keywords = before
    if sent.size != np.size(node.value):
        return None
    return np.where(sent >= FIRST, sent, CONSTANT).reshape(shape)


def _addressed(node: Node, codes: Mapping[int, Array]) -> Array | None:
    positions = node.positions
    if positions is None:
        return None
    first = node.inputs[0]
    given = codes.get(first.number)
    if node.operation in ("view", "take"):
        if given is None:
            return None
        return np.asarray(given.reshape(-1)[positions], float).reshape(np.shape(node.value))
    if node.operation == "unview":
        if given is None:
            return None
        whole = np.full(np.size(node.value), CONSTANT)
        whole[np.reshape(positions, -1)] = given.reshape(-1)
        return whole.reshape(np.shape(node.value))
    whole = np.full(np.size(node.value), CONSTANT) if given is None else given.reshape(-1).copy()
    value = node.arguments[1]
    written: Any = CONSTANT
    if isinstance(value, Ref):
        written = codes.get(value.node.number, CONSTANT)
    whole[np.reshape(positions, -1)] = np.broadcast_to(written, np.shape(positions)).reshape(-1)
    return whole.reshape(np.shape(node.value))


class Identities:
    """The numbers of the elements of ``nodes``, made as they are asked for."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._known: dict[int, Array] = {}
        self._starts: list[float] = []
        self._of: list[int] = []
        self._next = FIRST

    def of(self, node: Node) -> Array:
        """The numbers of the elements of ``node``, in its shape."""
        waiting = [node]
        while waiting:
            last = waiting[-1]
            if last.number in self._known:
                waiting.pop()
                continue
            missing = []
            if moves(last):
                missing = [each for each in last.inputs if each.number not in self._known]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            self._known[last.number] = self._made(last)
        return self._known[node.number]

    def _made(self, node: Node) -> Array:
        if moves(node):
            sent = moved(node, self._known)
            if sent is not None:
                return sent
        size = int(np.size(node.value))
        found = (self._next + np.arange(size)).reshape(np.shape(node.value))
        self._starts.append(self._next)
        self._of.append(node.number)
        self._next += size
        return found

    def sources(self, numbers: Array) -> tuple[Array, Array]:
        """The numbers of the nodes that elements were made in, and their flat positions there.

        Both are -1 for constants.
        """
        at = np.searchsorted(self._starts, numbers, side="right") - 1
        real = (numbers >= FIRST) & (at >= 0)
        nodes = np.where(real, np.asarray(self._of, int)[np.maximum(at, 0)], -1)
        starts = np.asarray(self._starts, float)[np.maximum(at, 0)]
        return nodes, np.where(real, numbers - starts, -1).astype(np.int64)
