"""Slopes that are right as far as they go: an operation behind the activation has none.

Dropout is the usual one: the slope of the activation is there, and the mask that multiplies the
activation is not.
"""

import numpy as np

from nntui.program.blame.scene import Scene
from nntui.program.judge.recorded_update import ancestors
from nntui.program.record.node import Node

MOST = 8
"""Values between a pre-activation and its activation that are looked at."""


def nearer(scene: Scene, node: Node, activation: Node, before: Node) -> Node | None:
    """The value before ``activation`` whose slope at ``before`` is ``node``, in every state.

    None where ``node`` is the slope of nothing that the forward pass computes on that way.
    """
    behind = ancestors([activation])
    shape = np.shape(before.value)
    between = [
        each
        for each in scene.forward_nodes
        if before.number < each.number < activation.number
        and each.number in behind
        and np.shape(each.value) == shape
        and each.operation != "leaf"
    ]
    for each in reversed(between[-MOST:]):
        if is_slope(scene, node, each, before):
            return each
    return None


def is_slope(scene: Scene, node: Node, activation: Node, before: Node) -> bool:
    """Whether ``node`` is the slope of ``activation`` at ``before`` in every informative state."""
    compared = 0
    for at in scene.informative:
        recording = scene.recordings[at]
        here, tail = recording.by_key.get(node.key), recording.by_key.get(before.key)
        if here is None or tail is None:
            continue
        slope = scene.slope(at, activation.key).get(tail.number)
        value = np.asarray(here.value, float)
        if slope is None or np.shape(slope) != value.shape or not np.allclose(slope, value, 1e-7):
            return False
        compared += 1
    return compared > 0


def multiplied(scene: Scene, slope: Node) -> Node | None:
    """The backward value that ``slope`` is multiplied with; None if that is not one value."""
    found = {
        each.number: each
        for user in scene.recording.users[slope.number]
        if user.operation == "*"
        for each in user.inputs
        if each is not slope and not scene.is_forward(each)
    }
    return next(iter(found.values())) if len(found) == 1 else None
