"""Which backward values are true derivatives, and where the first that is none is computed.

Values are compared over several states at once, up to one factor: two derivatives that agree in
all of them are taken for one. That costs a look-up for each value, so it serves recordings of any
size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nntui.program.blame.scene import Scene
from nntui.program.judge.readings import Values
from nntui.program.record.adjoints import NotDifferentiableError, wanted
from nntui.program.record.deriving.rules import COPYING
from nntui.program.record.node import Node

Array = np.ndarray
STATES = 3
"""Over which values are compared."""
CELL = 1e-6
"""Width of the cells that normalised values are sorted into; neighbours are looked at, too."""
SAME = 1e-7
SUMS = COPYING | {"+", "-", "setflat", "unview"}
"""Operations whose result is wrong where one of their operands is."""
LARGE = 1_000_000
"""Entries from which on no derivative by data is computed."""
ENTRIES = 500
"""Of a larger array about so many entries are compared, at equal distances."""


@dataclass(frozen=True)
class Edge:
    """The part of the derivative by ``input`` that comes through ``node``; None: all of it."""

    node: Node
    input: Node | None


class Verified:
    """The true derivatives among the backward values of a scene.

    ``values`` are those of repairs made so far, by recording. ``alone`` compares the values of one
    recording: for programs whose values have another order in every update, as when a graph is
    walked through a set.
    """

    def __init__(
        self, scene: Scene, values: Mapping[int, Values] | None = None, alone: bool = False
    ) -> None:
        self.scene, self._values, self._alone = scene, values or {}, alone
        self._states = [scene.at] if alone else scene.informative[:STATES]
        self._known: dict[tuple[int, int], list[tuple[Array, Edge, bool]]] = {}
        for edge, value in sorted(self._true(), key=lambda each: self._is_by_data(each[0])):
            vector = self._normal(value)
            if vector is not None:
                positive = _is_positive(value)
                self._known.setdefault(_cell(vector), []).append((vector, edge, positive))

    def _is_by_data(self, edge: Edge) -> bool:
        """Whether it is the derivative by what no parameter comes into, as by a target.

        That by a prediction is the same with the other sign, and is what programs mean.
        """
        return not self.scene.recording.depends[(edge.input or edge.node).number]

    def _normal(self, value: Array) -> Array | None:
        """``value`` with length 1, its largest entry positive; None where it has no direction.

        A number of one state alone has no direction, and keeps its size.
        """
        if value.size > ENTRIES:
            value = value[:: value.size // ENTRIES]
        length = float(np.linalg.norm(value))
        if not np.isfinite(length) or length == 0:
            return None
        if value.size == 1:
            return np.array([length])
        value = value / length
        largest = value[int(np.argmax(np.abs(value)))]
        return value if largest > 0 else -value

    def _true(self) -> Iterator[tuple[Edge, Array]]:
        """Derivatives by forward values, and the part that comes through each operation."""
        scene = self.scene
        for node in scene.recording.nodes:
            if node.number not in scene.forward:
                continue
            parts: list[dict[int, Array]] = []
            whole: list[Array] = []
            for at in self._states:
                recording = scene.recordings[at]
                same = node if at == scene.at else recording.by_key.get(node.key)
                true = None if same is None else scene.true(at).get(same.number)
                if same is None or true is None:
                    break
                whole.append(np.ravel(true))
                parts.append(self._parts(at, same, true))
            else:
                yield Edge(node, None), np.concatenate(whole)
                for position in parts[0]:
                    if all(position in each for each in parts):
                        value = np.concatenate([np.ravel(each[position]) for each in parts])
                        yield Edge(node, node.inputs[position]), value

    def _parts(self, at: int, node: Node, true: Array) -> dict[int, Array]:
        if node.operation == "leaf":
            return {}
        try:
            recording = self.scene.recordings[at]
            is_large = any(np.size(each.value) > LARGE for each in node.inputs)
            with np.errstate(all="ignore"):
                needed = recording.needed if is_large else None
                found = wanted(node, true, recording.values, needed)
        except (ArithmeticError, ValueError, TypeError, NotDifferentiableError):
            return {}
        left = list(enumerate(node.inputs))
        parts = {}
        for each, value in found:
            at_position = next((at for at in left if at[1] is each), None)
            if at_position is not None:
                left.remove(at_position)
                parts[at_position[0]] = value
        return parts

    def edge(self, node: Node) -> Edge | None:
        """The derivative that ``node`` is a multiple of; None if it is none."""
        found = self._at(node)
        return None if found is None else found[0]

    def parts(self, node: Node) -> list[Node]:
        """Values with several users, by which ``node`` is the derivative through one of them."""
        found = (edge.input for edge, _ in self._matches(node))
        forward = self.scene.is_forward
        users = self.scene.recording.users
        return [
            each
            for each in dict.fromkeys(found)
            if each is not None and sum(map(forward, users[each.number])) > 1
        ]

    def sign(self, node: Node) -> float | None:
        """1.0 where ``node`` is a positive multiple of a derivative, -1.0 of a negative one."""
        found = self._at(node)
        return None if found is None else found[1]

    def _at(self, node: Node) -> tuple[Edge, float] | None:
        if node.number not in self._edges:
            self._edges[node.number] = self._find(node)
        return self._edges[node.number]

    @cached_property
    def _edges(self) -> dict[int, tuple[Edge, float] | None]:
        return {}

    def _find(self, node: Node) -> tuple[Edge, float] | None:
        return next(self._matches(node), None)

    def _matches(self, node: Node) -> Iterator[tuple[Edge, float]]:
        values = []
        for at in self._states:
            same = node if at == self.scene.at else self.scene.recordings[at].by_key.get(node.key)
            if same is None:
                return
            value = self._values[at][same.number] if at in self._values else same.value
            values.append(np.ravel(np.asarray(value, float)))
        joined = np.concatenate(values)
        vector = self._normal(joined)
        if vector is None:
            return
        size, cell = _cell(vector)
        for near in (cell, cell - 1, cell + 1):
            for other, edge, positive in self._known.get((size, near), ()):
                if float(np.max(np.abs(vector - other))) < SAME * float(np.max(np.abs(other))):
                    yield edge, 1.0 if positive == _is_positive(joined) else -1.0

    def scale(self, node: Node) -> float:
        """How many times the true derivatives are that ``node`` is computed from, sign included.

        A program may divide by the number of samples early or late; 1.0 where nothing tells.
        """
        scene, true = self.scene, self.scene.true(self.scene.at)
        waiting, seen = list(node.inputs), set()
        while waiting:
            one = waiting.pop(0)
            if one.number in seen or scene.is_forward(one):
                continue
            seen.add(one.number)
            edge = self.edge(one)
            if edge is None or edge.input is not None:
                waiting += one.inputs
                continue
            value = np.ravel(np.asarray(one.value, float))
            other = np.ravel(true[edge.node.number])
            size = float(other @ other)
            if other.size == value.size and size > 0:
                found = float(value @ other) / size
                if np.isfinite(found) and found:
                    return found
        return 1.0

    def frontier(self, wrong: Sequence[str]) -> list[Node]:
        """Values that are no true derivative and lead to none, computed from such that are.

        They come in their order. A product that is true only once its last factor has come in
        leads to a true one, and is not among them.
        """
        scene = self.scene
        backward = scene.backward(wrong)
        numbers = {node.number for node in backward}
        ends = {
            scene.recording.end[name].number
            for name in scene.judgement.parameters
            if name in scene.recording.end
        }
        fine: set[int] = set()
        for node in reversed(backward):
            users = [each for each in scene.recording.users[node.number] if each.number in numbers]
            if self.edge(node) is not None or (
                users and all(each.number in fine for each in users)
            ):
                fine.add(node.number)
        carried: set[int] = set()
        spoilt: set[int] = set()
        found = []
        for node in backward:
            inputs = [each.number for each in node.inputs]
            if node.number in ends:
                # A parameter after its update, which a stale line goes on with.
                continue
            if any(number in spoilt for number in inputs):
                spoilt.add(node.number)
            elif node.number in fine:
                if self.edge(node) is not None or any(number in carried for number in inputs):
                    carried.add(node.number)
            elif any(number in carried for number in inputs):
                spoilt.add(node.number)
                known = carried | spoilt | fine
                unknown = [n for n in inputs if n in numbers and n not in known]
                if node.operation in SUMS and unknown:
                    # The summands that are no derivatives are wrong, rather than the sum.
                    node = self._root(unknown[0], numbers, known)
                if node.place >= 0 and node not in found:
                    found.append(node)
        return found

    def _root(self, number: int, numbers: set[int], known: set[int]) -> Node:
        """Where the first value arises, of those not ``known``, that leads to this one."""
        nodes = self.scene.recording.nodes
        while True:
            before = [
                each.number
                for each in nodes[number].inputs
                if each.number in numbers and each.number not in known
            ]
            if not before:
                return nodes[number]
            number = before[0]

    def beside(self, node: Node) -> list[Node]:
        """``node`` and what it is computed from, back to the derivative that it hands on.

        That derivative is among them: it may be true of another value than it should be by then,
        as where a factor was left out.
        """
        scene = self.scene
        found: dict[int, Node] = {}
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one.number in found:
                continue
            found[one.number] = one
            handed_on = self.edge(one)
            for each in one.inputs:
                if scene.is_forward(each) or not scene.recording.depends[each.number]:
                    continue
                edge = self.edge(each)
                same = edge is not None and handed_on is not None and edge.node is handed_on.node
                if edge is None or same or one is node:
                    waiting.append(each)
        return [found[number] for number in sorted(found)]


def _is_positive(value: Array) -> bool:
    """Whether the entry of ``value`` with the largest size is positive."""
    if value.size > ENTRIES:
        value = value[:: value.size // ENTRIES]
    return bool(value[int(np.argmax(np.abs(value)))] > 0)


def _cell(vector: Array) -> tuple[int, int]:
    """Where a normalised vector is looked for: its size, and a number of its entries."""
    weights = np.cos(np.arange(1, vector.size + 1))
    seen = float(weights @ vector) if vector.size > 1 else float(np.log(vector[0]))
    return vector.size, int(np.floor(seen / CELL))
