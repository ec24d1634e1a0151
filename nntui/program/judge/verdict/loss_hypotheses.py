"""What a program may be minimising: its own numbers, or a usual loss of its predictions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.judge.update.carried import added, is_added_to
from nntui.program.judge.update.recorded_update import (
    Recording,
    ancestors,
    line_key,
    operand,
    origin,
)
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Places

OWN = "own"
SQUARED = "squared-error"
BINARY = "binary-cross-entropy"
CATEGORICAL = "categorical-cross-entropy"
USUAL = (SQUARED, BINARY, CATEGORICAL)
"""The losses that are assumed where the program's own does not explain its updates."""

LOSS_NAME = re.compile(
    r"loss|cost|err|mse|sse|rmse|nll|ent?ropy|objective|perda|fehler|kosten|custo|perte|coste|"
    r"^(e|j|l|c|s|ce|obj|energy)$",
    re.IGNORECASE,
)
"""Names that programs give to their loss, in several languages."""
DERIVATIVE_NAME = re.compile(r"delta|grad|deriv|slope", re.IGNORECASE)
"""In the source of what keeps numbers that are rather derivatives than a loss."""
REPORTING = re.compile(r"log|print|report|record|show|hist|plot|append|write", re.IGNORECASE)
"""Functions that a loss is handed to."""
MOST = 60
"""Hypotheses that are looked at."""


@dataclass(frozen=True)
class Loss:
    """One hypothesis; its value is found again in every recording by its key.

    ``key`` is that of the program's own number, or for a usual loss the line on which the
    prediction meets its target; ``side`` is then the argument that is the prediction.
    """

    kind: str
    key: Any
    side: int = 0
    prior: float = 0.0
    place: int = -1
    name: str = ""

    def seeds(self, recording: Recording) -> dict[Node, np.ndarray] | None:
        """The loss's derivative by each node that it is read off; None where there is none."""
        if self.kind == OWN:
            node = recording.by_key.get(self.key)
            return None if node is None else {node: np.ones(np.shape(node.value))}
        found: dict[Node, np.ndarray] = {}
        for prediction, target in self._pairs(recording):
            slope = _slope(self.kind, prediction, target)
            if slope is None:
                return None
            found[prediction] = found[prediction] + slope if prediction in found else slope
        return found or None

    def value(self, recording: Recording) -> float:
        """The loss of the recorded update; nan where there is none."""
        if self.kind == OWN:
            node = recording.by_key.get(self.key)
            return float("nan") if node is None else float(np.sum(node.value))
        total = 0.0
        with np.errstate(all="ignore"):
            for prediction, target in self._pairs(recording):
                p = np.asarray(prediction.value, float)
                if self.kind == SQUARED:
                    total += 0.5 * float(np.sum((p - target) ** 2))
                elif self.kind == BINARY:
                    total -= float(np.sum(target * np.log(p) + (1 - target) * np.log(1 - p)))
                else:
                    total -= float(np.sum(target * np.log(p)))
        return total

    def tops(self, recording: Recording) -> list[Node]:
        """The nodes that the loss is read off."""
        if self.kind == OWN:
            node = recording.by_key.get(self.key)
            return [] if node is None else [node]
        return [prediction for prediction, _ in self._pairs(recording)]

    def targets(self, recording: Recording) -> list[np.ndarray]:
        """What the predictions are compared with; empty for a number of the program's own."""
        if self.kind == OWN:
            return []
        return [target for _, target in self._pairs(recording)]

    def _pairs(self, recording: Recording) -> Iterator[tuple[Node, np.ndarray]]:
        """Predictions and their targets, each prediction once."""
        seen: set[Any] = set()
        for node in recording.by_line.get(self.key, ()):
            prediction = operand(node, self.side)
            if prediction is None:
                continue
            entry = prediction.operation == "take" and np.size(prediction.value) == 1
            same: Any = prediction.number
            if entry:
                same = (prediction.inputs[0].number, np.ravel(prediction.positions).tolist()[0])
            if same in seen:
                continue
            seen.add(same)
            other = node.arguments[1 - self.side]
            value = other.node.value if isinstance(other, Ref) else other
            yield prediction, np.asarray(value, float)


def _slope(kind: str, prediction: Node, target: np.ndarray) -> np.ndarray | None:
    p = np.asarray(prediction.value, float)
    with np.errstate(all="ignore"):
        try:
            error: np.ndarray = p - target
        except ValueError:
            return None
        if error.shape != p.shape:
            return _summed(error, p.shape) if kind == SQUARED else None
        if kind == SQUARED:
            return error
        slope: np.ndarray = error / (p * (1 - p)) if kind == BINARY else -target / p
    return slope if np.isfinite(slope).all() else None


def _summed(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``value`` summed over the axes along which ``shape`` was broadcast."""
    while value.ndim > len(shape):
        value = value.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and value.shape[axis] != 1:
            value = value.sum(axis=axis, keepdims=True)
    return value


def candidates(recording: Recording, parameters: Sequence[str], places: Places) -> list[Loss]:
    """The hypotheses for the loss of ``recording``, the program's own numbers first."""
    mask = recording.mask(parameters)

    def depends(node: Node) -> bool:
        at = node.number
        return bool(recording.depends[at] & mask) and not recording.after[at] & mask

    found = list(_own(recording, parameters, places, depends))
    found += _usual(recording, parameters, places, depends)
    best: dict[Any, Loss] = {}
    for each in found:
        known = best.get((each.kind, each.key))
        if known is None or each.prior > known.prior:
            best[each.kind, each.key] = each
    usual = [each for each in best.values() if each.kind != OWN]
    if usual:
        # A number that steps are computed from is rather an error on its way back than a loss.
        behind = ancestors(recording.end[name] for name in parameters)
        fed = {recording.nodes[number].key for number in behind}
        best = {at: each for at, each in best.items() if each.kind != OWN or each.key not in fed}
    return list(best.values())[:MOST]


def _own(
    recording: Recording, parameters: Sequence[str], places: Places, depends: Any
) -> Iterator[Loss]:
    errors = _errors(recording, places, recording.mask(parameters))
    # What is added to a parameter is a gradient, whatever its name.
    errors |= added(recording, parameters)

    def is_number(node: Node) -> bool:
        return (
            np.size(node.value) == 1
            and depends(node)
            and node.operation != "leaf"
            and origin(node).number not in errors
        )

    def is_partial_sum(node: Node) -> bool:
        return any(
            user.place == node.place and user.operation == "+" and is_number(user)
            for user in recording.users[node.number]
        )

    for place, node, function in recording.outputs:
        if REPORTING.search(function) and is_number(node):
            prior = 0.5 if DERIVATIVE_NAME.search(places.text(place)) else 3.0
            yield Loss(OWN, node.key, prior=prior, place=place, name=node.name or "")
    for place, node, _ in recording.assignments:
        target = places.places[place].target or ""
        last = re.split(r"[.\[]", target)[-1 if not target.endswith("]") else 0]
        if LOSS_NAME.search(last) and is_number(node) and not is_partial_sum(node):
            yield Loss(OWN, node.key, prior=2.0, place=node.place, name=target)
    for name in recording.changed:
        end = recording.end[name]
        if name in parameters or end.operation != "+" or len(end.inputs) != 2:
            continue
        start, gained = recording.start[name], None
        if end.inputs[0] is start:
            gained = end.inputs[1]
        elif end.inputs[1] is start:
            gained = end.inputs[0]
        if gained is not None and depends(gained) and np.size(gained.value) == 1:
            prior = 2.5 if LOSS_NAME.search(name) else 1.0
            yield Loss(OWN, gained.key, prior=prior, place=end.place, name=name)


def _errors(recording: Recording, places: Places, mask: int) -> set[int]:
    """Differences of a prediction and a target: no loss, though often called error."""
    found: set[int] = set()
    # A loss that is held against that of the update before is no prediction.
    kept = {
        (recording.start[name].number, recording.end[name].number)
        for name in recording.changed
        if name in recording.start and np.size(recording.end[name].value) == 1
    }
    for node in recording.nodes:
        if node.operation != "-" or node.place < 0 or any(places.places[node.place].literals):
            continue
        sides = [operand(node, at) for at in (0, 1)]
        numbers = tuple(None if side is None else side.number for side in sides)
        if numbers in kept or numbers[::-1] in kept:
            continue
        if any(side is not None and not recording.depends[side.number] & mask for side in sides):
            found.add(node.number)
            found.update(each.number for each in node.inputs)
    return found


def _usual(
    recording: Recording, parameters: Sequence[str], places: Places, depends: Any
) -> Iterator[Loss]:
    own = {recording.start[name].number for name in parameters if name in recording.start}
    mask = recording.mask(parameters)
    # A bias that is taken off, and learns by what depends on no weight, is no target.
    carried = {
        recording.start[name].number for name in recording.changed if is_added_to(recording, name)
    }

    def is_multiple(node: Node) -> bool:
        """Whether a parameter itself is scaled, as by weight decay, and nothing is predicted."""
        if node.number in own:
            return True
        fed = [each for each in node.inputs if recording.depends[each.number]]
        return node.operation in ("*", "/", "neg") and len(fed) == 1 and is_multiple(fed[0])

    lines: set[Any] = set()
    for node in recording.nodes:
        if node.operation not in ("-", "/") or node.place < 0 or len(node.arguments) < 2:
            continue
        key = line_key(node)
        if key in lines:
            continue
        literals = places.places[node.place].literals or (False, False)
        for side in (0, 1):
            prediction, other = operand(node, side), operand(node, 1 - side)
            if prediction is None or not depends(prediction) or is_multiple(prediction):
                continue
            label = _is_label(node, prediction)
            if other is None and ((literals[1 - side] and not label) or node.operation == "/"):
                continue
            if other is not None and recording.depends[other.number] & mask:
                continue
            if other is not None and other.number in carried:
                continue
            value = node.arguments[1 - side] if other is None else other.value
            if isinstance(value, bool) or np.asarray(value).dtype.kind not in "fiub":
                continue
            if node.operation == "/" and np.shape(value) != np.shape(prediction.value):
                continue
            lines.add(key)
            usual = USUAL if node.operation == "-" else (BINARY, CATEGORICAL)
            for at, kind in enumerate((CATEGORICAL,) if label else usual):
                yield Loss(kind, key, side, 1.5 - 0.3 * at, node.place, prediction.name or "")
            break


def _is_label(node: Node, prediction: Node) -> bool:
    """Whether 1 is taken off the entries of the right classes, as with integer labels."""
    return (
        node.operation == "-"
        and prediction.operation == "take"
        and not isinstance(node.arguments[1], Ref)
        and np.size(node.arguments[1]) == 1
        and bool(np.all(np.asarray(node.arguments[1]) == 1))
    )
