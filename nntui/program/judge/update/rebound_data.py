"""Data that an iteration binds to its own name again: converted, scaled, with noise added."""

import numpy as np

from nntui.program.judge.update.recorded_update import PASSING, Recording
from nntui.program.record.node import Node


def is_rebound_data(recording: Recording, name: str) -> bool:
    """Whether the array ``name`` is made of itself and of fresh numbers alone, as data are.

    What learns is made of data, or of other values that learn.  A value that becomes a multiple
    of itself is none of these: a bias that is changed by a part of itself is a parameter.
    """
    start, end = recording.start[name], recording.end[name]
    if np.size(start.value) < 2 or np.shape(start.value) != np.shape(end.value):
        return False
    if recording.depends[end.number] & ~recording.bit[name]:
        return False
    live = {node.number for node in recording.start.values() if np.size(node.value) > 1}
    live.discard(start.number)
    waiting, seen = [end], set()
    while waiting:
        node = waiting.pop()
        if node.number in live:
            return False
        if node.number not in seen and node is not start:
            seen.add(node.number)
            waiting += node.inputs
    stays = np.any(start.value) and not np.any(recording.step(name))
    return bool(stays) or not _is_multiple(end, start)


def _is_multiple(node: Node, start: Node) -> bool:
    """Whether ``node`` is a sum of multiples of ``start`` by numbers, and of nothing else."""
    if node is start:
        return True
    arrays = [each for each in node.inputs if np.size(each.value) > 1]
    linear = node.operation in PASSING | {"+", "-", "*", "/", "neg"}
    lone = node.operation in ("+", "-") or len(arrays) == 1
    return linear and lone and bool(arrays) and all(_is_multiple(each, start) for each in arrays)
