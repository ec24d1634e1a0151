"""Faults of the forward pass, which no gradient shows: the softmax's axis, the first nan or inf."""

from typing import Any

import numpy as np

from nntui.program.judge.update.recorded_update import Recording, operand
from nntui.program.record.node import Node
from nntui.program.record.places import Places

Finding = dict[str, Any]


def found_at(
    places: Places, node: Node, code: str, cause: str, evidence: str, fix: str, sure: bool
) -> Finding:
    """A finding at the line of ``node``."""
    place = places.places[node.place]
    return {
        "code": code,
        "file": place.file,
        "line": place.line,
        "text": places.line(place),
        "cause": cause,
        "parameters": [],
        "evidence": evidence,
        "fix": fix,
        "confidence": "proven" if sure else "likely",
    }


def of_softmax(recording: Recording, places: Places) -> list[Finding]:
    """A softmax that adds up to 1 over the samples where the targets do so over the classes."""
    found = []
    for node in recording.nodes:
        if node.operation != "/" or node.place < 0 or np.ndim(node.value) != 2:
            continue
        above, below = operand(node, 0), operand(node, 1)
        if above is None or below is None or above.operation != "exp":
            continue
        if below.operation != "sum" or np.size(below.value) >= np.size(above.value):
            continue
        sums = _axes_of_one(np.asarray(node.value, float))
        target = _target(recording, node)
        if sums == [True, True]:
            continue
        if target is not None:
            meant = _axes_of_one(target)
        elif _takes_one_of_each_row(recording, node):
            meant = [False, True]
        else:
            continue
        if sum(meant) == 1 and sums != meant and any(sums):
            axis = sums.index(True)
            found.append(
                found_at(
                    places,
                    node,
                    "softmax-axis",
                    "the softmax is taken over the samples, not over the classes",
                    f"its values add up to 1 along axis {axis}, the targets along axis {1 - axis}",
                    f"sum over axis {1 - axis}, with keepdims=True",
                    True,
                )
            )
    return found[:1]


def _axes_of_one(value: np.ndarray) -> list[bool]:
    with np.errstate(all="ignore"):
        return [bool(np.allclose(value.sum(axis=axis), 1.0, atol=1e-6)) for axis in (0, 1)]


def _target(recording: Recording, node: Node) -> np.ndarray | None:
    for user in recording.users[node.number]:
        if user.operation not in ("-", "*"):
            continue
        for each in user.inputs:
            if each is not node and np.shape(each.value) == np.shape(node.value):
                value = np.asarray(each.value, float)
                if not recording.depends[each.number] and set(np.unique(value)) <= {0.0, 1.0}:
                    return value
    return None


def _takes_one_of_each_row(recording: Recording, node: Node) -> bool:
    """Whether one entry of each row is read, as ``p[range(n), labels]`` does."""
    rows, columns = np.shape(node.value)
    for user in recording.users[node.number]:
        if user.operation == "take" and np.size(user.value) == rows != columns:
            positions = user.positions
            if positions is not None:
                return bool((np.ravel(positions) // columns == np.arange(rows)).all())
    return False


REASONS = {
    "log": "the logarithm of 0 or of a negative number",
    "exp": "exp of a number above 709 is beyond the largest float",
    "/": "a division by 0, or of two infinities",
    "sqrt": "the root of a negative number",
    "**": "a power beyond the largest float, or of a negative number",
}
MENDS = {
    "log": "keep its argument away from 0, as with np.clip(p, 1e-12, 1 - 1e-12)",
    "exp": "subtract the largest entry first (softmax), or use a form that does not overflow",
    "/": "keep the divisor away from 0",
}


def of_not_finite(places: Places, node: Node, update: int | None) -> Finding:
    """The first operation with finite operands and a result that is not finite.

    Where there is none, ``node`` is a value that was not finite before.
    """
    if not node.inputs:
        return _of_first_value(places, node, update)
    shown = []
    for each in node.inputs[:2]:
        value = np.asarray(each.value, float)
        if value.size:
            shown.append(
                f"{each.name or 'an operand'} from {np.min(value):.4g} to {np.max(value):.4g}"
            )
    result = np.asarray(node.value, float)
    kind = "nan" if np.isnan(result).any() else "inf"
    reason = REASONS.get(node.operation, f"the result of {node.operation} is beyond a float")
    when = "" if update is None else f" at update {update:,}"
    return found_at(
        places,
        node,
        "not-finite",
        f"{reason}: the first {kind} of training{when}",
        f"{int(np.sum(~np.isfinite(result)))} of {result.size} results are not finite"
        + (f", from {'; '.join(shown)}" if shown else ""),
        MENDS.get(node.operation, "smaller steps: a smaller learning rate, or scaled inputs"),
        True,
    )


def _targets(text: str | None) -> list[str]:
    """The names in the target of an assignment, which may be several."""
    return [each.strip() for each in (text or "").strip("()[]").split(",")]


def _of_first_value(places: Places, node: Node, update: int | None) -> Finding:
    """A value that no recorded operation made is not finite: the line that it comes from."""
    value = np.asarray(node.value, float)
    kind = "nan" if np.isnan(value).any() else "inf"
    name = node.name or "a value"
    made = [each for each in places.places if node.name in _targets(each.target)]
    place = made[0] if made else places.places[node.place] if node.place >= 0 else None
    since = "from the start" if not update else f"before update {update:,}"
    return {
        "code": "not-finite",
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "text": None if place is None else places.line(place),
        "cause": f"{name} holds {kind} {since}",
        "parameters": [],
        "evidence": f"{int(np.sum(~np.isfinite(value)))} of its {value.size} entries are not finite"
        ", and no operation of the updates made them",
        "fix": f"give {name} finite values before training",
        "confidence": "proven" if place is not None and not update else "likely",
    }
