"""The same line at other turns of its loops: other samples, other layers, other moments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nntui.program.judge.recorded_update import Recording, line_key
from nntui.program.record.node import Node

MOST_TURNS = 600
DEEPEST = 5
"""Operations that are followed back to see which forward values a turn works on."""


@dataclass
class Shift:
    """How one turn's values correspond to another's."""

    turns: dict[Any, int] = field(default_factory=dict)
    """By loop, how many turns later."""
    leaves: dict[int, Node] = field(default_factory=dict)
    """Values that were not computed in the recording, such as the weights of another layer."""
    between: tuple[Node, Node] | None = None
    """The two turns, as long as what they work on has not been compared."""

    def learn(self, one: Node, other: Node) -> bool:
        """Take ``one`` and ``other`` for the same value of two turns; False if they cannot be."""
        if one is other:
            return True
        if one.operation == "leaf" or other.operation == "leaf":
            if one.operation != other.operation:
                return False
            return self.leaves.setdefault(one.number, other) is other
        if (one.place, one.operation, len(one.path)) != (
            other.place,
            other.operation,
            len(other.path),
        ):
            return False
        for step, another in zip(one.path, other.path, strict=True):
            if step == another:
                continue
            if not (isinstance(step, tuple) and isinstance(another, tuple)):
                return False
            if step[1] != another[1]:
                return False
            by = another[2] - step[2]
            if self.turns.setdefault(step[1], by) != by:
                return False
        return True

    def of(self, recording: Recording, node: Node) -> Node | None:
        """The value that corresponds to ``node``."""
        if node.operation == "leaf":
            self._compare()
            return self.leaves.get(node.number, node)
        if any(isinstance(step, tuple) and step[1] not in self.turns for step in node.path):
            self._compare()
        path = tuple(
            (step[0], step[1], step[2] + self.turns.get(step[1], 0))
            if isinstance(step, tuple)
            else step
            for step in node.path
        )
        if path == node.path:
            return node
        return recording.by_key.get((path, node.place, node.occurrence, node.operation))

    def _compare(self) -> None:
        """Learn from the forward values that both turns work on."""
        if self.between is None:
            return
        waiting, seen = [(*self.between, 0)], set()
        self.between = None
        while waiting:
            one, other, depth = waiting.pop()
            if one is other or (one.number, other.number) in seen:
                continue
            seen.add((one.number, other.number))
            if len(one.inputs) != len(other.inputs) or depth >= DEEPEST:
                continue
            # A sum over turns has its own last value there, which says nothing.
            waiting += [
                (*pair, depth + 1)
                for pair in zip(one.inputs, other.inputs, strict=True)
                if pair[0].operation == pair[1].operation and self.learn(*pair)
            ]


def turns(
    recording: Recording, node: Node, others: Sequence[Node]
) -> Iterator[tuple[Node, list[Node]]]:
    """``node`` and ``others``, and the same of every other turn of the loops around it."""
    yield node, list(others)
    for twin, shift in _twins(recording, node):
        found = [shift.of(recording, other) for other in others]
        if all(each is not None for each in found):
            yield twin, [each for each in found if each is not None]


def _twins(recording: Recording, node: Node) -> list[tuple[Node, Shift]]:
    known: dict[int, list[tuple[Node, Shift]]] = recording.__dict__.setdefault("_twins", {})
    if node.number not in known:
        known[node.number] = []
        if node.place < 0 and node.operation == "view" and node.inputs:
            known[node.number] = [
                (each, shift)
                for base, shift in _twins(recording, node.inputs[0])
                for each in recording.users[base.number]
                if each.operation == "view" and _is_same_part(each, node)
            ]
        elif any(isinstance(step, tuple) for step in node.path):
            for twin in recording.by_line.get(line_key(node), ())[:MOST_TURNS]:
                if twin is node or twin.occurrence != node.occurrence:
                    continue
                shift = _shift(node, twin)
                if shift is not None:
                    known[node.number].append((twin, shift))
    return known[node.number]


def _shift(node: Node, twin: Node) -> Shift | None:
    shift = Shift(between=(node, twin))
    return shift if shift.learn(node, twin) else None


def _is_same_part(one: Node, other: Node) -> bool:
    return np.shape(one.value) == np.shape(other.value) and (
        one.positions is None
        or other.positions is None
        or np.array_equal(one.positions, other.positions)
    )
