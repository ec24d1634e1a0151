"""What of an update is compared with the gradient: the step, or the gradient it is made of.

Gradient descent and momentum (its memory at 0) step along the gradient itself. Adam, RMSProp,
Adagrad and clipping do not: there the gradient that the program hands to its optimiser is read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nntui.program.judge.agreement import CONSTANT, SAME, spread
from nntui.program.judge.recorded_update import ADDING_AT, PASSING, Recording
from nntui.program.record.node import Node
from nntui.program.record.recompute import replay

Array = np.ndarray
Values = Sequence[Any]


class Reading(Protocol):
    """Reads what has to be minus a multiple of the gradient off the values of a recording."""

    @property
    def adapts(self) -> bool:
        """Whether the step itself is no multiple of it, as with Adam."""

    @property
    def climbs(self) -> bool:
        """Whether the step is known to go along it where it should go against it."""

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """The vector for the parameter ``name``; None where there is none."""


@dataclass(frozen=True)
class Step:
    """The parameter's step, less what weight decay adds to it."""

    decay: float = 0.0
    """The step holds -decay times the parameter."""
    spared: str = "nothing"
    """What of a matrix does not decay: a key of `SPARED`."""
    adapts: bool = False
    climbs: bool = False

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """See `Reading.read`."""
        before = np.asarray(recording.start[name].value, float)
        after = np.asarray(values[recording.end[name].number], float)
        if after.shape != before.shape:
            return None
        step: Array = after - before
        return step + self.decay * decaying(before, self.spared, step) if self.decay else step


@dataclass(frozen=True)
class HandedGradient:
    """The gradient that the program hands to its optimiser, found again by its key."""

    key: Any
    climbs: bool = False
    """Whether the optimiser steps along it rather than against it."""
    adapts: bool = True

    def read(self, recording: Recording, name: str, values: Values) -> Array | None:
        """See `Reading.read`."""
        node = recording.by_key.get(self.key)
        if node is None:
            return None
        found = np.asarray(values[node.number], float)
        if not self.climbs:
            found = -found
        shape = np.shape(recording.start[name].value)
        return found.reshape(shape) if found.size == int(np.prod(shape)) else None


SPARED = ("nothing", "the first row", "the first column", "what is not updated")


def decaying(parameter: Array, spared: str, step: Array) -> Array:
    """``parameter`` with 0 where weight decay spares it; ``step`` is its update."""
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


def weight_decay(
    recordings: Sequence[Recording], gradients: Sequence[Array | None], name: str
) -> Step | None:
    """The decay that, taken off the steps of ``name``, leaves multiples of the gradient.

    It is found by least squares in every state, and counts where one coefficient serves all.
    """
    if np.size(recordings[0].start[name].value) < 3:
        return None
    for spared in SPARED:
        fits: list[tuple[float, float, bool]] = []
        for recording, gradient in zip(recordings, gradients, strict=True):
            if name not in recording.start or gradient is None:
                continue
            step = recording.step(name)
            if step is None:
                continue
            whole = np.asarray(recording.start[name].value, float)
            parameter = decaying(whole, spared, step).ravel()
            if not (np.any(gradient) and np.any(parameter) and np.any(step)):
                continue
            fit = _fit(step.ravel(), np.ravel(gradient), parameter)
            if fit is None:
                fits.clear()
                break
            fits.append(fit)
        felt = [decay for _, decay, is_felt in fits if is_felt]
        if len(felt) < 2 or spread(felt) > CONSTANT:
            continue
        if spread([rate for rate, _, _ in fits]) <= CONSTANT:
            return Step(decay=float(np.median(felt)), spared=spared)
    return None


def _fit(step: Array, gradient: Array, parameter: Array) -> tuple[float, float, bool] | None:
    """(rate, decay, whether it is felt) of ``step = -rate * gradient - decay * parameter``."""
    if not (np.isfinite(step).all() and np.isfinite(gradient).all()):
        return None
    lengths = np.linalg.norm(gradient), np.linalg.norm(parameter)
    if not all(lengths):  # entries below 1e-160, whose squares are 0
        return None
    columns = np.stack([gradient / lengths[0], parameter / lengths[1]], axis=1)
    solution = np.linalg.lstsq(columns, step, rcond=None)[0]
    size = np.linalg.norm(step)
    if np.linalg.norm(columns @ solution - step) > SAME * size:
        return None
    felt = abs(solution[1]) > 1e-6 * size
    return -float(solution[0] / lengths[0]), -float(solution[1] / lengths[1]), bool(felt)


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
    waiting, seen = [end], set()
    own_chain = _additive_chain(recording, own, end)
    while waiting:
        node = waiting.pop()
        if node.number in seen or node is own:
            continue
        seen.add(node.number)
        if node.number in own_chain or recording.depends[node.number] & of_memory:
            waiting += node.inputs
        elif recording.depends[node.number] and node.operation != "leaf":
            border.append(node)
    if not border:
        return []
    chains = [_single_chain(recording, node) for node in border]
    common = [node for node in chains[0] if all(node in chain for chain in chains[1:])]
    size = np.size(own.value)
    return [HandedGradient(node.key) for node in common if np.size(node.value) == size]


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
            inputs = [large] if clips and np.size(large.value) > 1 else inputs
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
