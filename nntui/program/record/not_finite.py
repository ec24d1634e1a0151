"""Finds the first operation of a recording whose result is not finite."""
from collections.abc import Sequence
import numpy as np
from nntui.program.record.node import Node

def first_not_finite(nodes: Sequence[Node]) -> Node | None:
    """The first node with finite operands and a result that is not finite."""
    for node in nodes:
        if node.place < 0 or node.operation == "leaf":
            continue
        if _finite(node.value):
            continue
        if all(_finite(each.value) for each in node.inputs):
            return node
    return None

def _finite(value):
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
