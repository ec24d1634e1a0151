"""One value of an update replaced by another: what a repair of one line would compute.

An edit knows nodes by their keys and so applies to every recording; where a line is run for every
sample, or called for every layer, it applies to all of these turns alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nntui.program.blame.scene import Scene
from nntui.program.judge.recording import Recording, line_key
from nntui.program.record.adjoints import pullback
from nntui.program.record.node import Node

Array = np.ndarray
Fixed = dict[int, Any]
Swaps = dict[int, dict[int, Any]]
MOST_TURNS = 600


class Edit(Protocol):
    """Replaces values of a recording."""

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """(values by node number, inputs by node number and input number); None if it cannot."""


@dataclass(frozen=True)
class TrueDerivative:
    """The value with the key ``node`` becomes the loss's derivative by that with ``forward``."""

    node: Any
    forward: Any
    factor: float = 1.0

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        node, forward = recording.by_key.get(self.node), recording.by_key.get(self.forward)
        if node is None or forward is None:
            return None
        fixed: Fixed = {}
        for each, (other,) in turns(recording, node, [forward]):
            found = scene.true(at).get(other.number, np.zeros(np.shape(other.value)))
            value = shaped(found, each)
            if value is None:
                return None
            fixed[each.number] = value * self.factor
        return fixed, {}


@dataclass(frozen=True)
class LocalDerivative:
    """The value ``node`` becomes the derivative of ``activation`` by ``before``, all by key."""

    node: Any
    activation: Any
    before: Any

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        keys = (self.node, self.activation, self.before)
        found = [recording.by_key.get(key) for key in keys]
        node, activation, before = found
        if node is None or activation is None or before is None:
            return None
        fixed: Fixed = {}
        for each, (head, tail) in turns(recording, node, [activation, before]):
            value = scene.slope(at, head.key).get(tail.number)
            if value is None:
                return None
            fixed[each.number] = np.reshape(value, np.shape(each.value))
        return fixed, {}


@dataclass(frozen=True)
class OtherOperand:
    """On one line the value with the key ``used`` is replaced by that with ``meant``.

    ``nodes`` are the keys of the operations on that line.
    """

    nodes: tuple[Any, ...]
    used: Any
    meant: Any
    transposed: bool = False

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        used, meant = recording.by_key.get(self.used), recording.by_key.get(self.meant)
        if used is None or meant is None:
            return None
        swaps: Swaps = {}
        for key in self.nodes:
            node = recording.by_key.get(key)
            if node is None:
                continue
            for each, (one, other) in turns(recording, node, [used, meant]):
                found = self._inputs(each, one, other)
                if found:
                    swaps.setdefault(each.number, {}).update(found)
        return ({}, swaps) if swaps else None

    def _inputs(self, node: Node, used: Node, meant: Node) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for each in node.inputs:
            is_view = each.operation == "view" and each.inputs and each.inputs[0] is used
            if self.transposed:
                if each is used:
                    found[each.number] = np.asarray(used.value).T
                elif is_view and np.shape(each.value) == np.shape(used.value):
                    found[each.number] = np.asarray(used.value)
            elif each is used:
                found[each.number] = meant.value
            elif is_view and np.shape(used.value) == np.shape(meant.value):
                found[each.number] = np.ravel(meant.value)[each.positions]
            elif is_view and np.shape(each.value) == np.shape(used.value)[::-1]:
                found[each.number] = np.asarray(meant.value).T
        return found


@dataclass(frozen=True)
class EdgeDerivatives:
    """Values become the parts of the derivatives by one input that come through one operation.

    ``edges`` holds (key of the value, key of the operation, position of the input).
    """

    edges: tuple[tuple[Any, Any, int], ...]

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        fixed: Fixed = {}
        for key, through, position in self.edges:
            node, forward = recording.by_key.get(key), recording.by_key.get(through)
            true = None if forward is None else scene.true(at).get(forward.number)
            if node is None or forward is None or true is None:
                return None
            target = forward.inputs[position]
            parts = [
                value for each, value in pullback(forward, true, recording.values) if each is target
            ]
            value = shaped(sum(parts, np.zeros(np.shape(target.value))), node)
            if value is None:
                return None
            fixed[node.number] = value
        return (fixed, {}) if fixed else None


@dataclass(frozen=True)
class Together:
    """Several edits at once; one that cannot be applied makes all of them fail."""

    edits: tuple[Edit, ...]

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        fixed: Fixed = {}
        swaps: Swaps = {}
        for edit in self.edits:
            found = edit.apply(scene, at)
            if found is None:
                return None
            fixed.update(found[0])
            for number, inputs in found[1].items():
                swaps.setdefault(number, {}).update(inputs)
        return fixed, swaps


def shaped(value: Array, node: Node) -> Array | None:
    """``value`` in the shape of ``node``, transposed where the program keeps it so."""
    wanted = np.shape(node.value)
    value = np.asarray(value, float)
    if value.size != int(np.prod(wanted)):
        return None
    if value.shape == wanted:
        return value
    return value.T if value.shape == wanted[::-1] else value.reshape(wanted)


def turns(
    recording: Recording, node: Node, others: Sequence[Node]
) -> Iterator[tuple[Node, list[Node]]]:
    """``node`` and ``others``, and the same of every other turn of the loops that they share."""
    yield node, list(others)
    shared = len(node.path)
    is_shared = False
    for other in others:
        if other.place < 0 and other.operation == "leaf":
            continue
        is_shared = True
        common = 0
        while (
            common < min(len(node.path), len(other.path))
            and node.path[common] == other.path[common]
        ):
            common += 1
        shared = min(shared, common)
    if not is_shared or shared == 0:
        return
    for twin in recording.by_line.get(line_key(node), ())[:MOST_TURNS]:
        if twin is node or twin.occurrence != node.occurrence:
            continue
        if twin.path[:shared] == node.path[:shared] or twin.path[shared:] != node.path[shared:]:
            continue
        found = []
        for other in others:
            if other.place < 0 and other.operation == "leaf":
                found.append(other)
                continue
            key = (
                twin.path[:shared] + other.path[shared:],
                other.place,
                other.occurrence,
                other.operation,
            )
            if key not in recording.by_key:
                break
            found.append(recording.by_key[key])
        else:
            yield twin, found
