"""The repairs that are tried: every wrong backward value against every value it could be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.blame.edits import Edit, LocalDerivative, OtherOperand, TrueDerivative
from nntui.program.blame.scene import Scene
from nntui.program.judge.recording import Recording
from nntui.program.record.node import Node

LARGE = 400
"""Backward values from which on only those with a name are tried."""
STALE, SAME_SHAPE, TRANSPOSED, OTHER_SHAPE, DERIVATIVE, SLOPE = 0.2, 0.8, 0.5, 0.9, 1.0, 1.5
"""How natural a repair is: the smaller the more."""


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
    line: tuple[str, int, tuple[Any, ...]] | None = None

    @property
    def is_operand(self) -> bool:
        """Whether one operand of a line is replaced."""
        return isinstance(self.edit, OtherOperand)


def candidates(scene: Scene, wrong: Sequence[str], named: bool) -> list[Candidate]:
    """The repairs for the parameters ``wrong``, of values with a name or of those without.

    They come in the order in which the values arise: what is right already changes nothing.
    """
    backward = scene.backward(wrong)
    found = list(_values(scene, backward, named))
    if named:
        found += _operands(scene, backward)
    return sorted(found, key=lambda each: (each.order, each.cost))


def _values(scene: Scene, backward: Sequence[Node], named: bool) -> Iterator[Candidate]:
    recording = scene.recording
    is_large = len(backward) > LARGE
    lines: dict[Any, int] = {}
    ends = {recording.end[name].number for name in recording.changed}
    for node in backward:
        is_named = node.number in recording.named
        if is_large and (not is_named or node.operation == "setflat"):
            continue
        if not is_large and is_named is not named:
            continue
        static = (node.place, node.operation, *_calls(node))
        lines[static] = lines.get(static, 0) + 1
        if is_large and lines[static] > 3:
            continue
        size, shape = np.size(node.value), np.shape(node.value)
        for forward in scene.forward_nodes:
            if np.size(forward.value) != size:
                continue
            alike = _squeezed(forward) in (_squeezed(node), _squeezed(node)[::-1])
            own = forward.number in scene.parameter_starts
            if (size == 1 or alike) and not (own and node.number in ends):
                edit = TrueDerivative(node.key, forward.key)
                yield Candidate(edit, node, node.number, DERIVATIVE, forward=forward)
        for activation, before in scene.activations:
            if np.shape(before.value) == shape and np.size(before.value) == size:
                slope = LocalDerivative(node.key, activation.key, before.key)
                yield Candidate(slope, node, node.number, SLOPE, forward=activation, before=before)


def _calls(node: Node) -> tuple[Any, ...]:
    return tuple(step for step in node.path if not isinstance(step, tuple))


def _squeezed(node: Node) -> tuple[int, ...]:
    return tuple(length for length in np.shape(node.value) if length != 1)


def _operands(scene: Scene, backward: Sequence[Node]) -> Iterator[Candidate]:
    recording = scene.recording
    is_large = len(backward) > LARGE
    pool = _pool(scene)
    by_line: dict[Any, list[Node]] = {}
    for node in backward:
        for line in scene.lines(node):
            by_line.setdefault(line, []).append(node)
    for line, nodes in by_line.items():
        if is_large and len(nodes) > LARGE:
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
                if not same and (np.size(other.value) == 1 or is_large):
                    continue
                stale = _is_stale(recording, one, other, scene)
                if is_large and not stale:
                    continue
                cost = STALE if stale else SAME_SHAPE if same else OTHER_SHAPE
                edit = OtherOperand(keys, one.key, other.key)
                yield Candidate(
                    edit, nodes[-1], order, cost, used=one, meant=other, stale=stale, line=line
                )


def _is_stale(recording: Recording, used: Node, meant: Node, scene: Scene) -> bool:
    """Whether a parameter is used as it is after its update, where its value before is meant."""
    return any(
        used is recording.end[name] and meant is recording.start[name]
        for name in scene.judgement.parameters
        if name in recording.start
    )


def _pool(scene: Scene) -> list[Node]:
    """Values that a line could have used instead: those with a name, and the forward ones."""
    recording = scene.recording
    pool: dict[int, Node] = {}
    for number in recording.named:
        pool[number] = recording.nodes[number]
    for node in recording.nodes:
        plain = node.operation not in ("view", "unview") and (
            node.operation != "take" or np.size(node.value) == 1
        )
        leaf = node.operation == "leaf"
        if node.number in scene.forward and plain and (recording.depends[node.number] or leaf):
            pool[node.number] = node
    for name in scene.judgement.parameters:
        if name in recording.start:
            pool[recording.start[name].number] = recording.start[name]
    return list(pool.values())
