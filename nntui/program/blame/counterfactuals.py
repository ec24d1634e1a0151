"""One value of an update replaced by another: what a repair of one line would compute.

An edit knows nodes by their keys and so applies to every recording; where a line is run for every
sample, or called for every layer, it applies to all of these turns alike.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nntui.program.blame.scene import Scene
from nntui.program.blame.turns import turns
from nntui.program.record.adjoints import pullback
from nntui.program.record.node import Node

Array = np.ndarray
Fixed = dict[int, Any]
Swaps = dict[int, dict[int, Any]]


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
            if value is not None:
                fixed[each.number] = value * self.factor
        return (fixed, {}) if fixed else None


@dataclass(frozen=True)
class Negated:
    """The value with the key ``node`` gets the other sign."""

    node: Any

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        node = recording.by_key.get(self.node)
        if node is None:
            return None
        values = ((each.number, each.value) for each, _ in turns(recording, node, []))
        return {number: -np.asarray(value, float) for number, value in values}, {}


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
            found_slope = scene.slope(at, head.key).get(tail.number)
            value = None if found_slope is None else shaped(found_slope, each)
            if value is not None:
                fixed[each.number] = value
        return (fixed, {}) if fixed else None


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
    factor: float = 1.0

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
            fixed[node.number] = value * self.factor
        return (fixed, {}) if fixed else None


@dataclass(frozen=True)
class WholeDerivatives:
    """Values become the whole derivatives by others: ``pairs`` has the keys of both.

    Each is named, for turns in which the same line serves one parameter after the other.
    """

    pairs: tuple[tuple[Any, Any], ...]
    factor: float = 1.0

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        recording = scene.recordings[at]
        fixed: Fixed = {}
        for key, whole in self.pairs:
            node, forward = recording.by_key.get(key), recording.by_key.get(whole)
            true = None if forward is None else scene.true(at).get(forward.number)
            if node is None or true is None:
                return None
            value = shaped(true, node)
            if value is None:
                return None
            fixed[node.number] = value * self.factor
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
