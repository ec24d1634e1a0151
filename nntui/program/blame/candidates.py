"""The repairs that are tried: every wrong backward value against every value it could be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.blame.counterfactuals import (
    EdgeDerivatives,
    Edit,
    LocalDerivative,
    Negated,
    OtherOperand,
    Together,
    TrueDerivative,
    WholeDerivatives,
)
from nntui.program.blame.scene import Line, Scene
from nntui.program.blame.verified import Verified
from nntui.program.judge.recorded_update import ancestors
from nntui.program.record.node import Node

STEPS_BACK = 7
"""From an activation back to its pre-activation, and to the weights in it."""
LARGE = 400
"""Backward values from which on only those with a name are tried."""
FIRST_SIGNS = 4
"""Values with the wrong sign that are tried."""
WIDE = 60
"""Operations of one line, calls made from it included, from which on no operand is exchanged."""
STALE, SAME_SHAPE, TRANSPOSED, OTHER_SHAPE, DERIVATIVE, SLOPE, ALIKE = (
    0.2,
    0.8,
    0.5,
    0.9,
    1.0,
    1.5,
    0.6,
)
"""How natural a repair is: the smaller the more."""
PART = 0.3
MOST_PARTS = 24
"""Values that are tried as a part of a derivative."""


@dataclass(frozen=True)
class Candidate:
    """An edit, the value it is made at, and its place in the order in which values arise."""

    edit: Edit
    node: Node
    order: float
    cost: float
    forward: Node | None = None
    """What the value should be the derivative by."""
    before: Node | None = None
    """For a slope: the pre-activation."""
    used: Node | None = None
    meant: Node | None = None
    stale: bool = False
    part: bool = False
    """Whether the value is a part of the derivative by `forward`, and stands for all of it."""
    line: Line | None = None

    @property
    def is_operand(self) -> bool:
        """Whether one operand of a line is replaced."""
        return self.used is not None


def candidates(
    scene: Scene,
    wrong: Sequence[str],
    named: bool | None = None,
    near: Sequence[Node] | None = None,
    verified: Verified | None = None,
) -> list[Candidate]:
    """The repairs for the parameters ``wrong``, of values with a name or of those without.

    ``near`` restricts them to these values. They come in the order in which the values arise:
    what is right already changes nothing.
    """
    backward = scene.backward(wrong) if near is None else near
    verified = Verified(scene) if verified is None else verified
    found = list(_values(scene, backward, named, verified))
    if named is not False:
        found += _operands(scene, backward)
    return sorted(found, key=lambda each: (each.order, each.cost))


def sign_candidates(scene: Scene, wrong: Sequence[str], verified: Verified) -> list[Candidate]:
    """The first values on the way back that are derivatives with the wrong sign, as repairs.

    They explain more than steps that go up: a penalty that is added to them has the right sign.
    """
    found: list[Candidate] = []
    turned: set[int] = set()
    for node in scene.backward(wrong):
        follows = any(each.number in turned for each in node.inputs)
        if verified.sign(node) != -1.0:
            continue
        turned.add(node.number)
        edge = verified.edge(node)
        if not follows and edge is not None and len(found) < FIRST_SIGNS:
            edit = Negated(node.key)
            found.append(Candidate(edit, node, node.number, STALE, forward=edge.node))
    return found


def edge_candidates(scene: Scene, verified: Verified, frontier: Sequence[Node]) -> list[Candidate]:
    """Repairs of a line that hands a derivative on through one operation, in all its turns.

    What is handed on is known to be the derivative by that operation's result.
    """
    first = frontier[0]
    twins = [
        node for node in frontier if node.place == first.place and node.operation == first.operation
    ]
    options: list[list[tuple[Any, Any, int]]] = []
    ways: list[tuple[str, int]] = []
    for at, node in enumerate(twins):
        known = [
            edge
            for each in node.inputs
            for edge in [verified.edge(each)]
            if edge is not None and edge.input is None
        ]
        ways_here: dict[tuple[str, int], tuple[Any, Any, int]] = {}
        for edge in known:
            for position, target in enumerate(edge.node.inputs):
                if np.size(target.value) == np.size(node.value):
                    way = (edge.node.operation, position)
                    ways_here.setdefault(way, (node.key, edge.node.key, position))
        if at == 0:
            ways = list(ways_here)
            options = [[] for _ in ways]
        for each, edges in zip(ways, options, strict=True):
            if each in ways_here:
                edges.append(ways_here[each])
    found = []
    for edges in options:
        if edges:
            forward = scene.recording.by_key[edges[0][1]].inputs[edges[0][2]]
            edit = EdgeDerivatives(tuple(edges), verified.scale(first))
            found.append(Candidate(edit, first, first.number, DERIVATIVE - 0.1, forward=forward))
    return found


def part_candidates(scene: Scene, verified: Verified, wrong: Sequence[str]) -> list[Candidate]:
    """Values that are the part of a derivative that comes through one operation, made whole.

    A value that is used by several operations has a derivative by all of them: a program that
    forgets to add them up goes on with one.
    """
    recording = scene.recording
    by_line: dict[Any, list[tuple[Node, Node, Line]]] = {}
    behind = {
        recording.start[name].number: ancestors([recording.end[name]])
        for name in wrong
        if name in recording.start and name in recording.end
    }
    for node in scene.backward(wrong):
        number = recording.named.get(node.number, node.place)
        # What is added to other parts is meant to be one.
        if number < 0 or any(user.operation in ("+", "-") for user in recording.users[node.number]):
            continue
        place = scene.places.places[number]
        line = (place.file, place.line, _calls(node))
        known = verified.parts(node)
        # Parts that equal each other are told apart by the parameter that they update.
        own = [each for each in known if node.number in behind.get(each.number, ())]
        for whole in (own or known)[:1]:
            by_line.setdefault((number, node.operation, line), []).append((node, whole, line))
    found = []
    for pairs in by_line.values():
        node, whole, line = pairs[0]
        scale = verified.scale(node)
        edits: list[Edit] = [
            TrueDerivative(node.key, whole.key, scale),
            WholeDerivatives(tuple((one.key, other.key) for one, other, _ in pairs), scale),
        ]
        found += [
            Candidate(edit, node, node.number, PART, forward=whole, part=True, line=line)
            for edit in edits
        ]
    return found[:MOST_PARTS]


def _values(
    scene: Scene, backward: Sequence[Node], named: bool | None, verified: Verified
) -> Iterator[Candidate]:
    recording = scene.recording
    is_large = len(backward) > LARGE
    lines: dict[Any, int] = {}
    ends = {
        recording.end[name].number for name in scene.judgement.parameters if name in recording.end
    }
    for node in backward:
        scale: float | None = None
        is_named = node.number in recording.named
        if is_large and (not is_named or node.operation == "setflat"):
            continue
        if not is_large and named is not None and is_named is not named:
            continue
        static = (node.place, node.operation, *_calls(node))
        lines[static] = lines.get(static, 0) + 1
        if is_large and lines[static] > 3:
            continue
        size, shape = np.size(node.value), np.shape(node.value)
        meant = scene.likely_meant if size > 1 else _numbers_meant(scene, verified, node)
        for forward in meant:
            if np.size(forward.value) != size:
                continue
            alike = _squeezed(forward) in (_squeezed(node), _squeezed(node)[::-1])
            own = forward.number in scene.parameter_starts
            if (size == 1 or alike) and not (own and node.number in ends):
                scale = verified.scale(node) if scale is None else scale
                edit = TrueDerivative(node.key, forward.key, scale)
                yield Candidate(edit, node, node.number, DERIVATIVE, forward=forward)
        for activation, before in scene.activations:
            if np.shape(before.value) == shape and np.size(before.value) == size:
                slope = LocalDerivative(node.key, activation.key, before.key)
                yield Candidate(slope, node, node.number, SLOPE, forward=activation, before=before)


def _numbers_meant(scene: Scene, verified: Verified, node: Node) -> list[Node]:
    """Numbers that the number ``node`` can be meant to be the derivative by.

    Those are what the value was computed from whose derivative it is, or is handed: of numbers
    there are too many to try them all.
    """
    known = [edge for each in (node, *node.inputs) for edge in [verified.edge(each)] if edge]
    waiting = [(edge.node, 0) for edge in known]
    found: dict[int, Node] = {}
    while waiting:
        one, depth = waiting.pop(0)
        if one.number in found or depth > STEPS_BACK or np.size(one.value) != 1:
            continue
        if scene.recording.depends[one.number]:
            found[one.number] = one
            waiting += [(each, depth + 1) for each in one.inputs]
    if not known:
        return [scene.recording.nodes[number] for number in scene.parameter_starts]
    return [found[number] for number in sorted(found)]


def _are_of_a_kind(scene: Scene, one: Node, other: Node) -> bool:
    """Whether two numbers play one role: weights, data, or results of one operation."""
    if one.operation != other.operation:
        return False
    own = one.number in scene.parameter_starts
    return own is (other.number in scene.parameter_starts)


def _calls(node: Node) -> tuple[Any, ...]:
    return tuple(step for step in node.path if not isinstance(step, tuple))


def _squeezed(node: Node) -> tuple[int, ...]:
    return tuple(length for length in np.shape(node.value) if length != 1)


def _operands(scene: Scene, backward: Sequence[Node]) -> Iterator[Candidate]:
    is_large = len(backward) > LARGE
    pool = _pool(scene)
    starts = list(scene.parameter_starts)
    alike = {(one.number, other.number) for one, other in scene.activations}
    alike |= {(one, other) for one in starts for other in starts}
    by_line: dict[Any, list[Node]] = {}
    for node in backward:
        for line in scene.lines(node):
            by_line.setdefault(line, []).append(node)
    for line, nodes in by_line.items():
        yield from _stale(scene, line, nodes)
        if len(nodes) > WIDE:
            continue
        inside = {node.number for node in nodes}
        keys = tuple(node.key for node in nodes)
        used: dict[int, tuple[Node, int]] = {}
        for node in nodes:
            for each in node.inputs:
                if each.number not in inside:
                    one = each.inputs[0] if each.operation == "view" and each.inputs else each
                    used.setdefault(one.number, (one, node.number))
        for one, first in used.values():
            order = first - 0.01 * len(line[2])
            shape = np.shape(one.value)
            if len(shape) == 2 and shape[0] == shape[1] > 1:
                edit = OtherOperand(keys, one.key, one.key, transposed=True)
                yield Candidate(edit, nodes[-1], order, TRANSPOSED, used=one, meant=one, line=line)
            for other in pool:
                if other is one or other.number in inside or other.number >= max(inside):
                    continue
                if np.ndim(other.value) != len(shape):
                    continue
                same = np.shape(other.value) == shape
                known = (one.number, other.number) in alike
                if not (shape or known or _are_of_a_kind(scene, one, other)):
                    continue
                if not same and (np.size(other.value) == 1 or is_large):
                    continue
                if is_large:
                    continue
                cost = SAME_SHAPE if same else OTHER_SHAPE
                if (one.number, other.number) in alike or (other.number, one.number) in alike:
                    cost = ALIKE
                edit = OtherOperand(keys, one.key, other.key)
                yield Candidate(edit, nodes[-1], order, cost, used=one, meant=other, line=line)


def _stale(scene: Scene, line: Any, nodes: Sequence[Node]) -> Iterator[Candidate]:
    """All parameters that a line uses after their updates, with their values before."""
    recording = scene.recording
    starts: dict[int, Node] = {}
    for name in scene.judgement.parameters:
        if name in recording.start and name in recording.end:
            starts[recording.end[name].number] = recording.start[name]
    inside = {node.number for node in nodes}
    used: dict[int, tuple[Node, int]] = {}
    for node in nodes:
        for each in node.inputs:
            one = each.inputs[0] if each.operation == "view" and each.inputs else each
            if one.number in starts and one.number not in inside:
                used.setdefault(one.number, (one, node.number))
    if not used:
        return
    keys = tuple(node.key for node in nodes)
    edits = tuple(
        OtherOperand(keys, one.key, starts[number].key) for number, (one, _) in used.items()
    )
    one = next(iter(used.values()))[0]
    order = min(number for _, number in used.values()) - 0.01 * len(line[2])
    yield Candidate(
        Together(edits),
        nodes[-1],
        order,
        STALE,
        used=one,
        meant=starts[one.number],
        stale=True,
        line=line,
    )


def _pool(scene: Scene) -> list[Node]:
    """Values that a line could have used instead: what has a name, and pre-activations."""
    recording = scene.recording
    pool: dict[int, Node] = {number: recording.nodes[number] for number in recording.named}
    for node in recording.nodes:
        entry = node.operation == "take" and np.size(node.value) == 1
        named_leaf = node.operation == "leaf" and node.name
        if node.number in scene.forward and (entry or named_leaf):
            pool[node.number] = node
    for pair in scene.activations:
        pool.update({node.number: node for node in pair})
    for number in scene.parameter_starts:
        pool[number] = recording.nodes[number]
    return list(pool.values())
