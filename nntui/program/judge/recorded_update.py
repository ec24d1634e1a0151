"""One recorded update: its values, what each depends on, and what it starts and ends with."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nntui.program.record.node import Node, Ref

PASSING = frozenset(
    {"view", "unview", "take", "array", "asarray", "copy", "astype", "float", "item", "reshape"}
)
"""Operations that hand their input on, whole or in part."""
ADDING_AT = frozenset({"add.at", "subtract.at"})
"""Operations that add to some entries of their first input."""

MUCH = 2_000_000
"""Numbers in a value from which on it is data, if no update changes it."""


class Recording:
    """One iteration of a loop as it was recorded, from its start to its end.

    ``start`` and ``end`` hold the nodes of live values by the person's names for them.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        assignments: Sequence[tuple[int, Node, tuple[Any, ...]]],
        outputs: Sequence[tuple[int, Node, str]],
        start: Mapping[str, Node],
        end: Mapping[str, Node],
        complete: bool = True,
    ) -> None:
        self.nodes, self.assignments, self.outputs = nodes, assignments, outputs
        self.start, self.end, self.complete = start, end, complete
        self.values = [node.value for node in nodes]
        """The values by node number, as `adjoints` and `replay` take them."""
        self.changed = self._changed()
        """Numbers and arrays of floats that end as another value; of several names the first."""
        self.bit = {name: 1 << at for at, name in enumerate(self.changed)}
        self.depends = [0] * len(nodes)
        """By node number, the changed values of the start that it depends on, as bits."""
        self.after = [0] * len(nodes)
        """By node number, the changed values of the *end* that it depends on, as bits."""
        self.moving: dict[str, set[int]] = {}
        """By name, what is added to it: kept by whoever finds out."""
        self._follow()

    def _changed(self) -> list[str]:
        found: dict[tuple[int, int], str] = {}
        for name in self.start:
            if name in self.end and self._is_changed(name):
                found.setdefault((self.start[name].number, self.end[name].number), name)
        return list(found.values())

    def _is_changed(self, name: str) -> bool:
        before, after = self.start[name], self.end[name]
        return (
            before is not after
            and np.asarray(before.value).dtype.kind == "f"
            and np.asarray(after.value).dtype.kind in "fi"
            and np.size(before.value) > 0
        )

    def _follow(self) -> None:
        own = [0] * len(self.nodes)
        for name in self.changed:
            self.depends[self.start[name].number] |= self.bit[name]
            own[self.end[name].number] |= self.bit[name]
        for node in self.nodes:
            at = node.number
            for each in node.inputs:
                self.depends[at] |= self.depends[each.number]
                self.after[at] |= self.after[each.number] | own[each.number]

    def mask(self, names: Iterable[str]) -> int:
        """The bits of ``names``; those that do not change have none."""
        return sum(self.bit.get(name, 0) for name in names)

    @cached_property
    def size(self) -> int:
        """The numbers in all of its values."""
        return sum(np.size(node.value) for node in self.nodes)

    @cached_property
    def needed(self) -> list[bool]:
        """By node number, whether its adjoint serves anybody: that of much data does not."""
        return [
            bool(self.depends[node.number]) or np.size(node.value) <= MUCH for node in self.nodes
        ]

    @cached_property
    def by_key(self) -> dict[Any, Node]:
        """The first node of every key."""
        found: dict[Any, Node] = {}
        for node in self.nodes:
            found.setdefault(node.key, node)
        return found

    @cached_property
    def by_line(self) -> dict[Any, list[Node]]:
        """Nodes of one place, reached by the same calls, whatever turn the loops are at."""
        found: dict[Any, list[Node]] = {}
        for node in self.nodes:
            if node.place >= 0:
                found.setdefault(line_key(node), []).append(node)
        return found

    @cached_property
    def users(self) -> list[list[Node]]:
        """By node number, the nodes that take it as an input."""
        found: list[list[Node]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for each in dict.fromkeys(node.inputs):
                found[each.number].append(node)
        return found

    @cached_property
    def named(self) -> dict[int, int]:
        """By node number, the place of the first assignment of that value."""
        found: dict[int, int] = {}
        for place, node, _ in self.assignments:
            found.setdefault(node.number, place)
        return found

    def step(self, name: str) -> np.ndarray | None:
        """End minus start of ``name``; None where its shape changes."""
        before = np.asarray(self.start[name].value, float)
        after = np.asarray(self.end[name].value, float)
        return after - before if before.shape == after.shape else None


def ancestors(nodes: Iterable[Node | None]) -> set[int]:
    """The numbers of ``nodes`` and of all that they were computed from."""
    found: set[int] = set()
    waiting = [node for node in nodes if node is not None]
    while waiting:
        node = waiting.pop()
        if node.number not in found:
            found.add(node.number)
            waiting += node.inputs
    return found


def line_key(node: Node) -> tuple[Any, ...]:
    """What nodes of one place and operation share, whatever turn the loops around are at."""
    calls = tuple(step for step in node.path if not isinstance(step, tuple))
    return (node.place, calls, node.operation)


def operand(node: Node, at: int) -> Node | None:
    """The recorded value of argument ``at``, or None where it is a constant."""
    given = node.arguments[at] if at < len(node.arguments) else None
    return given.node if isinstance(given, Ref) else None


def origin(node: Node) -> Node:
    """The value that ``node`` is a view, part or copy of."""
    while node.operation in PASSING and len(node.inputs) == 1:
        node = node.inputs[0]
    return node
