"""What of an update is compared with the gradient: the step, or the gradient it is made of.

Gradient descent and momentum (its memory at 0) step along the gradient itself. Adam, RMSProp,
Adagrad and clipping do not: there the gradient that the program hands to its optimiser is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nntui.program.judge.update.carried import ROUNDING, retention
from nntui.program.judge.update.recorded_update import ADDING_AT, PASSING, Recording, ancestors
from nntui.program.record.node import Node
from nntui.program.record.recompute import replay

Array = np.ndarray
Values = Sequence[Any]


SPARED = ("nothing", "the first row", "the first column", "what is not updated")
"""What of a parameter weight decay may leave alone."""


class Reading(Protocol):
    """Reads what has to be minus a multiple of the gradient off the values of a recording."""

    @property
    def adapts(self) -> bool:
        """Whether the step itself is no multiple of it, as with Adam."""

    @property
    def climbs(self) -> bool:
        """Whether the step is known to go along it where it should go against it."""

    @property
    def decay(self) -> float:
        """How many times the parameter is set aside, as the part of weight decay."""

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """The vector for the parameter ``name``; None where there is none."""


@dataclass(frozen=True)
class Step:
    """The parameter's step, less what weight decay adds to it."""

    decay: float = 0.0
    """What is read holds -decay times the parameter."""
    spared: str = "nothing"
    """What of a matrix does not decay: one of `SPARED`."""
    adapts: bool = False
    climbs: bool = False

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """See `Reading.read`."""
        before = np.asarray(recording.start[name].value, float)
        after = np.asarray(values[recording.end[name].number], float)
        if after.shape != before.shape:
            return None
        return without_decay(after - before, self.decay, before, self.spared)


@dataclass(frozen=True)
class HandedGradient:
    """The gradient that the program hands to its optimiser, found again by its key."""

    key: Any
    climbs: bool = False
    """Whether the optimiser steps along it rather than against it."""
    adapts: bool = True
    decay: float = 0.0
    """What is read holds -decay times the parameter: a penalty's part of the gradient."""
    spared: str = "nothing"
    """What of a matrix does not decay: one of `SPARED`."""
    apart: bool = False
    """Whether the parameter shrinks by a part of itself beside what the optimiser adds."""

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """See `Reading.read`."""
        node = recording.by_key.get(self.key)
        if node is None:
            return None
        found = np.asarray(values[node.number], float)
        if not self.climbs:
            found = -found
        before = np.asarray(recording.start[name].value, float)
        if found.size != before.size:
            return None
        return without_decay(found.reshape(before.shape), self.decay, before, self.spared)


def without_decay(found: Array, decay: float, parameter: Array, spared: str) -> Array:
    """What is read of an update, less ``-decay`` times the ``parameter`` that is not spared."""
    return found + decay * decaying(parameter, spared, found) if decay else found


def decaying(parameter: Array, spared: str, step: Array) -> Array:
    """``parameter`` with 0 where weight decay spares it; ``step`` is what is read of its update."""
    if spared == "what is not updated":
        return np.where(step != 0, parameter, 0.0)
    if spared == "nothing" or parameter.ndim != 2:
        return parameter
    found = parameter.copy()
    if spared == "the first row":
        found[:1] = 0
    else:
        found[:, :1] = 0
    return found


def handed_gradients(
    recording: Recording, name: str, memories: Collection[str]
) -> list[HandedGradient]:
    """Values that the whole update of ``name`` goes through before any memory comes in.

    The one nearest to the update comes first.
    """
    own, end = recording.start[name], recording.end[name]
    of_memory = recording.mask(memories)
    # From the end back to where neither the parameter's own chain nor a memory is left.
    border: list[Node] = []
    apart = False
    waiting, seen = [end], set()
    own_chain = _additive_chain(recording, own, end)
    while waiting:
        node = waiting.pop()
        if node.number in seen or node is own:
            continue
        seen.add(node.number)
        if _is_multiple(recording, node, own):
            apart = True  # weight decay beside what the optimiser makes of the gradient
        elif node.number in own_chain or recording.depends[node.number] & of_memory:
            waiting += node.inputs
        elif recording.depends[node.number] and node.operation != "leaf":
            border.append(node)
    if not border or (apart and retention(recording, name) > 1 + ROUNDING):
        return []  # no penalty makes weights larger
    chains = [_single_chain(recording, node) for node in border]
    common = [node for node in chains[0] if all(node in chain for chain in chains[1:])]
    size = np.size(own.value)
    return [HandedGradient(node.key, apart=apart) for node in common if np.size(node.value) == size]


def _is_multiple(recording: Recording, node: Node, own: Node) -> bool:
    """Whether ``node`` is a parameter ``own`` times what depends on nothing that changes."""
    while node.operation in PASSING | {"*", "/", "neg"} and node is not own:
        fed = [each for each in node.inputs if recording.depends[each.number]]
        if len(fed) != 1:
            return False
        node = fed[0]
    return node is own


def with_direction(
    handed: HandedGradient, recordings: Sequence[Recording], name: str
) -> HandedGradient:
    """``handed`` with the direction in which the optimiser goes by it."""
    signs = []
    for recording in recordings:
        node, end = recording.by_key.get(handed.key), recording.end.get(name)
        if node is not None and end is not None:
            sign = response(recording, node, end)
            if sign:
                signs.append(sign)
    return replace(handed, climbs=bool(signs) and min(signs) > 0)


def response(recording: Recording, gradient: Node, behind: Node) -> float:
    """1.0 where ``behind`` goes along the ``gradient`` it is made of, -1.0 against it, else 0.0.

    That is seen where it is computed again from minus the gradient: what is remembered of earlier
    ones stays the same, and a second moment is that of the gradient itself.
    """
    try:
        with np.errstate(all="ignore"):
            replaced = {gradient.number: -gradient.value}
            values = replay(recording.nodes, replaced, upto=behind.number + 1)
            change = np.asarray(behind.value, float) - np.asarray(values[behind.number], float)
            along = float(np.ravel(change) @ np.ravel(np.asarray(gradient.value, float)))
    except (TypeError, ValueError, ArithmeticError):
        return 0.0
    return float(np.sign(along)) if np.isfinite(along) else 0.0


def _additive_chain(recording: Recording, own: Node, end: Node) -> set[int]:
    """Nodes between the start and the end of a parameter to which only something is added."""
    found = {own.number}
    for node in recording.nodes[own.number + 1 : end.number + 1]:
        if node.operation in PASSING | ADDING_AT | {"+", "-", "setflat"} and any(
            each.number in found for each in node.inputs
        ):
            found.add(node.number)
    return found - {own.number}


SHRINKING = frozenset({"norm", "sqrt", "sum", "max", "amax", "minimum", "min", "maximum"})
"""What a number is made with by which a gradient is clipped to a length."""


def _single_chain(recording: Recording, node: Node) -> list[Node]:
    """``node`` and, back from it, the one value that each is made of."""
    chain = [node]
    while node.operation != "leaf":
        inputs = [each for each in dict.fromkeys(node.inputs) if recording.depends[each.number]]
        if len(inputs) == 2 and node.operation in ("*", "/"):
            small, large = sorted(inputs, key=lambda each: np.size(each.value))
            clips = np.size(small.value) == 1 and small.operation in SHRINKING | {"/", "*"}
            if clips and np.size(large.value) > 1:
                inputs = [large]
            elif np.size(large.value) == 1:
                inputs = _clipped_number(recording, inputs)
        if len(inputs) == 2 and node.operation == "*":
            # A square that is written as a product, perhaps with a constant in between.
            one, other = (_single_chain(recording, each) for each in inputs)
            if inputs[1] in one:
                inputs = [inputs[1]]
            elif inputs[0] in other:
                inputs = [inputs[0]]
        if len(inputs) != 1:
            break
        node = inputs[0]
        chain.append(node)
    return chain


def _clipped_number(recording: Recording, inputs: list[Node]) -> list[Node]:
    """Of a number and what its own size makes to clip it, the number; else both."""
    for number, other in (inputs, inputs[::-1]):
        if other.operation in SHRINKING:
            behind = ancestors([other])
            if any(each.number in behind for each in _single_chain(recording, number)):
                return [number]
    return inputs


def is_nonlinear(recording: Recording, name: str, memories: Collection[str]) -> bool:
    """Whether a memory comes into the update through a root, a power or a quotient."""
    of_memory = recording.mask(memories)
    waiting, seen = [recording.end[name]], set()
    while waiting:
        node = waiting.pop()
        if node.number in seen or not recording.depends[node.number] & of_memory:
            continue
        seen.add(node.number)
        if node.operation in ("sqrt", "**"):
            return True
        waiting += node.inputs
    return False


def read_all(
    readings: Mapping[str, Reading], recording: Recording, values: Values
) -> dict[str, Array | None]:
    """What every parameter's reading reads off ``values`` of ``recording``."""
    return {name: reading.read(recording, name, values) for name, reading in readings.items()}
