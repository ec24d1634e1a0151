"""Functions of the program that compute slopes: each call is held against the slope it should be.

A wrong formula in such a function spoils every layer that calls it, so that no repair of one value
explains much. Here the function is mended in all of its calls at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.blame.candidates import Candidate
from nntui.program.blame.counterfactuals import Fixed, Swaps, shaped
from nntui.program.blame.scene import Scene
from nntui.program.judge.recorded_update import Recording, ancestors, origin
from nntui.program.record.adjoints import NotDifferentiableError, pullback
from nntui.program.record.node import Node

Array = np.ndarray
MOST_CALLS = 400
"""Calls in one update that are looked at; a function of single numbers has one for each unit."""
STATES = 3
"""In which a call is compared with the slope."""
COST = 0.1
LONGEST = 30
"""Operations of an activation function that are followed."""


@dataclass(frozen=True)
class SlopeCall:
    """One call: its result, and the activation whose slope at ``before`` that should be."""

    result: Node
    activation: Node
    before: Node


@dataclass(frozen=True)
class SlopeFunction:
    """Every result computed at ``place`` becomes the true slope of the activation it is of."""

    place: int

    def apply(self, scene: Scene, at: int) -> tuple[Fixed, Swaps] | None:
        """See `Edit.apply`."""
        fixed: Fixed = {}
        for call in slope_calls(scene, at, self.place):
            slope = true_slope(scene.recordings[at], call)
            if slope is None:
                return None
            fixed[call.result.number] = slope
        return (fixed, {}) if fixed else None


def function_candidates(scene: Scene, wrong: Sequence[str]) -> list[Candidate]:
    """The functions none of whose calls gives a true slope, as repairs."""
    places: dict[int, None] = {}
    for node in scene.backward(wrong):
        if node.place >= 0 and _calls(node) and _leaves_its_call(scene.recording, node):
            places.setdefault(node.place)
    found = []
    for place in places:
        calls = list(slope_calls(scene, scene.at, place))
        if not calls or _is_right_somewhere(scene, place, calls):
            continue
        first = calls[0]
        found.append(
            Candidate(
                SlopeFunction(place),
                first.result,
                first.result.number,
                COST,
                forward=first.activation,
                before=first.before,
            )
        )
    return found


def _is_right_somewhere(scene: Scene, place: int, calls: Sequence[SlopeCall]) -> bool:
    """Whether a call gives the true slope in all states: then the function is right."""
    right: dict[Any, int] = {}
    states = scene.informative[:STATES]
    for at in states:
        here = calls if at == scene.at else list(slope_calls(scene, at, place))
        for call in here:
            slope = true_slope(scene.recordings[at], call)
            if slope is not None and np.allclose(slope, _value(call.result), rtol=1e-7):
                right[call.result.key] = right.get(call.result.key, 0) + 1
    return any(count == len(states) for count in right.values())


def slope_calls(scene: Scene, at: int, place: int) -> Iterator[SlopeCall]:
    """The calls whose result is computed at ``place`` from one forward value of its shape."""
    recording = scene.recordings[at]
    forward = scene.forward_of(at)
    results = [node for node in recording.nodes if node.place == place]
    for node in results[:MOST_CALLS]:
        if node.number in forward or not _leaves_its_call(recording, node):
            continue
        argument = _argument(recording, node)
        if (
            argument is None
            or argument.number not in forward
            or np.shape(argument.value) != np.shape(node.value)
        ):
            continue
        # An activation may be all that the loss is made of, so that it is looked at first.
        before = _before(scene, at, argument)
        if before is not argument:
            yield SlopeCall(node, argument, before)
            continue
        activation = _activation_of(scene, at, argument)
        if activation is not argument:
            yield SlopeCall(node, activation, argument)


def true_slope(recording: Recording, call: SlopeCall) -> Array | None:
    """The derivative of the activation by what it is computed from, in the shape of the result."""
    adjoint: dict[int, Array] = {call.activation.number: np.ones(np.shape(call.activation.value))}
    waiting = [call.activation]
    numbers = {call.activation.number}
    while waiting:  # what lies between, last first
        waiting.sort(key=lambda each: each.number)
        node = waiting.pop()
        if node is call.before:
            break
        try:
            with np.errstate(all="ignore"):
                parts = pullback(node, adjoint[node.number], recording.values)
        except (ArithmeticError, ValueError, TypeError, NotDifferentiableError):
            return None
        for each, part in parts:
            if each.number < call.before.number or not recording.depends[each.number]:
                continue
            known = adjoint.get(each.number)
            adjoint[each.number] = part if known is None else known + part
            if each.number not in numbers:
                numbers.add(each.number)
                waiting.append(each)
    found = adjoint.get(call.before.number)
    return None if found is None else shaped(found, call.result)


def _leaves_its_call(recording: Recording, node: Node) -> bool:
    """Whether ``node`` is used outside the call that computed it."""
    calls = _calls(node)
    return bool(calls) and any(
        _calls(user)[: len(calls)] != calls for user in recording.users[node.number]
    )


def _argument(recording: Recording, node: Node) -> Node | None:
    """The one value from outside that a call's result is computed from; None if there are more."""
    calls = _calls(node)
    outside: dict[int, Node] = {}
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one.number in seen or not recording.depends[one.number]:
            continue
        seen.add(one.number)
        if one.operation != "leaf" and _calls(one)[: len(calls)] == calls:
            waiting += one.inputs
        else:
            outside[one.number] = one
    return origin(next(iter(outside.values()))) if len(outside) == 1 else None


def _activation_of(scene: Scene, at: int, before: Node) -> Node:
    """What is computed from ``before`` alone in one call or on one line of the forward pass."""
    recording, forward = scene.recordings[at], scene.forward_of(at)
    inside, last, frame = {before.number}, before, None
    waiting = [before]
    while waiting and len(inside) < LONGEST:
        one = waiting.pop(0)
        for user in recording.users[one.number]:
            if user.number in inside or user.number not in forward or user.place < 0:
                continue
            made_of = [each for each in user.inputs if recording.depends[each.number]]
            alone = all(each.number in inside for each in made_of)
            if not alone or np.shape(user.value) != np.shape(before.value):
                continue
            frame = _frame(scene, user, before) if frame is None else frame
            if _frame(scene, user, before) != frame:
                continue
            inside.add(user.number)
            waiting.append(user)
            last = max(last, user, key=lambda each: each.number)
    return last


def _before(scene: Scene, at: int, activation: Node) -> Node:
    """What ``activation`` is computed from alone in one call or on one line."""
    recording = scene.recordings[at]
    node = activation
    while (
        node.operation != "leaf"
        and node.place >= 0
        and _is_beside(scene, recording, node, activation)
    ):
        made_of = {each.number: each for each in node.inputs if recording.depends[each.number]}
        if not made_of:
            break
        # Of several inputs that are made of one value, as in exp(z) / (1 + exp(z)).
        source = _common_source(recording, node, list(made_of.values()))
        if source is None or source.operation == "leaf":
            break
        if np.shape(source.value) != np.shape(activation.value):
            break
        node = source
    return node


def _is_beside(scene: Scene, recording: Recording, node: Node, activation: Node) -> bool:
    """Whether both are computed in one call of a function, or on one line."""
    if _calls(node) != _calls(activation):
        return False
    lines = {scene.places.places[each.place].line for each in (node, activation)}
    # What a function computes over several lines counts where it leaves with its result.
    return len(lines) == 1 or _leaves_its_call(recording, activation)


def _common_source(recording: Recording, node: Node, inputs: list[Node]) -> Node | None:
    if len(inputs) == 1:
        return inputs[0]
    shared = set.intersection(*(ancestors([each]) for each in inputs))
    shape = np.shape(node.value)
    options = [
        number
        for number in shared
        if recording.depends[number] and np.shape(recording.nodes[number].value) == shape
    ]
    return recording.nodes[max(options)] if options else None


def _frame(scene: Scene, node: Node, outside: Node | None = None) -> tuple[Any, ...]:
    """The call in which ``node`` is computed, or its line where that is not inside another call."""
    calls = _calls(node)
    if outside is not None and len(calls) > len(_calls(outside)):
        return calls
    place = scene.places.places[node.place]
    return (*calls, place.file, place.line)


def _calls(node: Node) -> tuple[Any, ...]:
    return tuple(step for step in node.path if not isinstance(step, tuple))


def _value(node: Node) -> Array:
    return np.asarray(node.value, float)
