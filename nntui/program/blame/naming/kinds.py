"""Names the kind of a wrong value: what it lacks, or what it is instead of the true one."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.evidence.turns import turns
from nntui.program.blame.repairs.counterfactuals import shaped
from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.record.adjoints import NotDifferentiableError, adjoints
from nntui.program.record.node import Node
from nntui.program.record.recompute import replay

Array = np.ndarray
NAME = re.compile(r"[\w.]+(\[[^\]]*\])*")
"""What needs no brackets in a formula."""
Formula = Callable[[Recording, Node, Node], Array | None]
"""(recording, activation, pre-activation) to values."""
STATES = 3
"""In which a formula has to be the slope."""
Made = Callable[[int, Node, Array], Array | None]
"""(recording, node, its value) to what the value should have been, up to a factor."""

FEW = 6
"""Activations of the value's shape that are looked at beside the nearest."""
PARALLEL = 1e-6
"""Relative difference up to which a made value counts as the true one."""


def one_factor(scene: Scene, node: Node, forward: Node, made: Made) -> float | None:
    """The factor c of ``true = c * made``, if it is one number in all states; else None."""
    factors = []
    for at in scene.informative:
        recording = scene.recordings[at]
        one, other = recording.by_key.get(node.key), recording.by_key.get(forward.key)
        if one is None or other is None:
            continue
        for each, (by,) in turns(recording, one, [other]):
            found = scene.true(at).get(by.number)
            true = None if found is None else shaped(found, each)
            with np.errstate(all="ignore"):
                value = made(at, each, np.asarray(each.value, float))
            if true is None or value is None or np.shape(value) != np.shape(true):
                return None
            length, size = float(np.linalg.norm(true)), float(np.linalg.norm(value))
            if length < 1e-12 * max(scene.judgement.scales[at], 1e-300):
                continue
            if size == 0 or not np.isfinite(size):
                return None
            factor = float(np.sum(true * value)) / size**2
            if np.linalg.norm(true - factor * value) > PARALLEL * length:
                return None
            factors.append(factor)
    if len(factors) < 2 or np.ptp(factors) > 1e-4 * np.max(np.abs(factors)):
        return None
    return factors[0]


def what_it_is(scene: Scene, node: Node, forward: Node) -> tuple[str, str, str]:
    """(code, cause, mend) of a value that should be the derivative of the loss by ``forward``."""
    called, by = scene.called(node), scene.called(forward)
    factor = one_factor(scene, node, forward, lambda at, each, value: value)
    if factor is not None and factor < 0:
        return "wrong-sign", f"{called} has the wrong sign", "change its sign"
    if factor is not None:
        return (
            "wrong-factor",
            f"{called} is {1 / factor:.6g} times what the other gradients need",
            f"multiply it by {factor:.6g}",
        )
    own = _own_value(scene, node, forward)
    if own is not None:
        return (
            "bias-decay",
            f"{called} is a multiple of {own} itself, not of its gradient",
            f"use the gradient of the loss with respect to {own}",
        )
    if np.size(node.value) > 1 and _is_flat(node) and not _is_flat_true(scene, forward):
        return (
            "scalar-for-outer-product",
            f"{called} is one number for all entries of {by}: a dot product where an outer "
            "product belongs",
            "use np.outer(a, b), or column @ row",
        )
    for activation, before in _near_pairs(scene, forward):
        found = _by_slope(scene, node, forward, activation, before)
        if found is not None:
            return found
    missing = _parameters_left_out(scene, node, forward)
    if missing:
        names = " and ".join(missing)
        return (
            "no-weights-in-backprop",
            f"{called} is not propagated back through {names}, on the way from the loss to {by}",
            f"multiply by the transpose of {names}",
        )
    return (
        "gradient",
        f"{called} is not the derivative of the loss with respect to {by}",
        f"compute the derivative of the loss with respect to {by} here",
    )


def _near_pairs(scene: Scene, forward: Node) -> list[tuple[Node, Node]]:
    """The (activation, pre-activation) pairs that ``forward`` is one of, then a few others."""
    size = np.size(forward.value)
    pairs = [pair for pair in scene.activations if np.size(pair[1].value) == size]
    own = [pair for pair in pairs if forward in pair]
    return own + [pair for pair in pairs if pair not in own][: FEW if size > 1 else 0]


def _own_value(scene: Scene, node: Node, forward: Node) -> str | None:
    """The parameter ``forward``, if the value is computed from it and from nothing else."""
    name = scene.parameter_starts.get(forward.number)
    recording = scene.recording
    if name is None or recording.depends[node.number] != recording.bit[name]:
        return None
    value, own = np.ravel(node.value).astype(float), np.ravel(forward.value).astype(float)
    lengths = float(np.linalg.norm(value) * np.linalg.norm(own))
    is_multiple = value.size == own.size and abs(value @ own) >= (1 - 1e-9) * lengths
    return name if is_multiple or value.size == 1 else None


def _by_slope(
    scene: Scene, node: Node, forward: Node, activation: Node, before: Node
) -> tuple[str, str, str] | None:
    slope = f"the slope of {scene.called(activation)} at {scene.called(before)}"

    def of(at: int, each: Node) -> Array | None:
        recording = scene.recordings[at]
        found = _turn(recording, node, each, (activation, before))
        if found is None:
            return None
        value = scene.slope(at, found[0].key).get(found[1].number)
        return None if value is None else shaped(value, each)

    def without(at: int, each: Node, value: Array) -> Array | None:
        true = of(at, each)
        return None if true is None else value * true

    if one_factor(scene, node, forward, without) is not None:
        return (
            "derivative-missing",
            f"{scene.called(node)} is not multiplied by {slope}",
            f"multiply it by {_true_formula(scene, activation, before) or slope}",
        )

    def twice(at: int, each: Node, value: Array) -> Array | None:
        true = of(at, each)
        if true is None or not np.all(true):
            return None
        quotient: Array = value / true
        return quotient

    if one_factor(scene, node, forward, twice) is not None:
        return (
            "derivative",
            f"{scene.called(node)} is multiplied by {slope} once too often",
            "remove that factor",
        )
    for name, code, instead in SLOPES:

        def other(at: int, each: Node, value: Array, instead: Any = instead) -> Array | None:
            true = of(at, each)
            found = _turn(scene.recordings[at], node, each, (activation, before))
            if true is None or found is None:
                return None
            used = instead(scene.recordings[at], found[0], found[1])
            used = None if used is None else shaped(used, each)
            if used is None or not np.any(used) or np.allclose(used, true):
                return None
            kept = used != 0
            return np.where(kept, value * true / np.where(kept, used, 1.0), 0.0)

        if one_factor(scene, node, forward, other) is not None:
            return (
                code,
                f"{scene.called(node)} uses {_written(scene, name, activation, before)} instead of "
                f"{slope}",
                _use_slope(scene, activation, before),
            )
    return None


def slope_kind(scene: Scene, node: Node, activation: Node, before: Node) -> tuple[str, str, str]:
    """(code, cause, mend) of a value that should be the slope of ``activation`` at ``before``."""
    slope = f"the slope of {scene.called(activation)} at {scene.called(before)}"
    value = np.asarray(node.value, float)
    for name, code, instead in SLOPES:
        used = instead(scene.recording, activation, before)
        if used is not None and np.shape(used) == value.shape and np.allclose(used, value, 1e-9):
            called, used_is = scene.called(node), _written(scene, name, activation, before)
            cause = f"{called} is {used_is} instead of {slope}"
            if _without_blanks(used_is) in _without_blanks(called):
                cause = f"{called} is not {slope}"  # its own source says what it is
            return code, cause, _use_slope(scene, activation, before)
    cause = f"{scene.called(node)} is not {slope}"
    return "derivative", cause, _use_slope(scene, activation, before)


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _use_slope(scene: Scene, activation: Node, before: Node) -> str:
    """The mend: the true slope as a formula where it is a known one."""
    slope = f"the slope of {scene.called(activation)} at {scene.called(before)}"
    formula = _true_formula(scene, activation, before)
    return f"use {slope}" if formula is None else f"use {formula}, {slope}"


def _true_formula(scene: Scene, activation: Node, before: Node) -> str | None:
    """The slope of ``activation`` at ``before``, as programs write it; None if it is none of them.

    It has to be its value in every informative state: in one alone a formula may fit by chance.
    """
    for name, _, of in SLOPES:
        if "{" in name and all(
            _is_formula(scene, at, activation, before, of) for at in _states(scene)
        ):
            return _written(scene, name, activation, before)
    return None


def _states(scene: Scene) -> list[int]:
    return scene.informative[:STATES]


def _is_formula(scene: Scene, at: int, activation: Node, before: Node, of: Formula) -> bool:
    recording = scene.recordings[at]
    head, tail = recording.by_key.get(activation.key), recording.by_key.get(before.key)
    if head is None or tail is None or np.shape(head.value) != np.shape(tail.value):
        return False
    slope, value = scene.slope(at, head.key).get(tail.number), of(recording, head, tail)
    return (
        slope is not None
        and value is not None
        and bool(np.any(slope))
        and np.allclose(slope, value, 1e-9)
    )


def _written(scene: Scene, template: str, activation: Node, before: Node) -> str:
    """``template`` with the program's names of both values, or with letters for what has none."""
    names, told = {}, []
    for letter, node in (("a", activation), ("z", before)):
        called = scene.called(node)
        names[letter] = called if NAME.fullmatch(called) else letter
        if names[letter] == letter != called and "{" + letter + "}" in template:
            told.append(f"{letter} is {called}")
    text = template.format(**names)
    return f"{text} ({', '.join(told)})" if told else text


def _turn(
    recording: Recording, node: Node, each: Node, others: tuple[Node, Node]
) -> list[Node] | None:
    start = recording.by_key.get(node.key)
    found = [recording.by_key.get(other.key) for other in others]
    if start is None or any(one is None for one in found):
        return None
    for twin, turned in turns(recording, start, [one for one in found if one is not None]):
        if twin is each:
            return turned
    return None


def _at_activation(recording: Recording, activation: Node, before: Node) -> Array | None:
    """The slope of the activation taken at its own value."""
    if np.shape(activation.value) != np.shape(before.value):
        return None
    try:
        with np.errstate(all="ignore"):
            fixed = {before.number: np.asarray(activation.value)}
            values = replay(recording.nodes, fixed, {}, activation.number + 1)
            ones = np.ones(np.shape(activation.value))
            found = adjoints(recording.nodes, {activation: ones}, values)
            return np.asarray(found[before.number]) if before.number in found else None
    except (ArithmeticError, ValueError, TypeError, NotDifferentiableError):
        return None


def _value(node: Node) -> Array:
    return np.asarray(node.value, float)


SLOPES: tuple[tuple[str, str, Formula], ...] = (
    ("the slope at the activation", "derivative-at-a", _at_activation),
    ("the activation itself", "derivative", lambda _r, a, _z: _value(a)),
    ("the pre-activation itself", "derivative", lambda _r, _a, z: _value(z)),
    ("{a} * (1 - {a})", "derivative", lambda _r, a, _z: _value(a) * (1 - _value(a))),
    ("{z} * (1 - {z})", "derivative", lambda _r, _a, z: _value(z) * (1 - _value(z))),
    ("1 - {a}**2", "derivative", lambda _r, a, _z: 1 - _value(a) ** 2),
    ("1 - {z}**2", "derivative", lambda _r, _a, z: 1 - _value(z) ** 2),
    ("1 - {a}", "derivative", lambda _r, a, _z: 1 - _value(a)),
    ("1 - tanh({a})**2", "derivative", lambda _r, a, _z: 1 - np.tanh(_value(a)) ** 2),
    ("1 - tanh({z})**2", "derivative", lambda _r, _a, z: 1 - np.tanh(_value(z)) ** 2),
    ("1 where {z} > 0, else 0", "derivative", lambda _r, _a, z: (_value(z) > 0).astype(float)),
    ("{a} * (1 + {a})", "derivative", lambda _r, a, _z: _value(a) * (1 + _value(a))),
    ("1 + {a}**2", "derivative", lambda _r, a, _z: 1 + _value(a) ** 2),
)
"""(what is used, of the activation a and the pre-activation z; code; its values)."""


def _is_flat(node: Node) -> bool:
    value = np.ravel(np.asarray(node.value, float))
    return bool(np.all(value == value[0]))


def _is_flat_true(scene: Scene, forward: Node) -> bool:
    true = np.ravel(scene.true(scene.at).get(forward.number, np.zeros(1)))
    return bool(np.all(true == true[0]))


def _parameters_left_out(scene: Scene, node: Node, forward: Node) -> list[str]:
    """Parameters between ``forward`` and the loss that the value was not computed with."""
    recording = scene.recording
    down, through = {forward.number}, set()
    for each in recording.nodes[forward.number + 1 :]:
        if each.number in scene.forward and any(one.number in down for one in each.inputs):
            down.add(each.number)
            if each.operation in ("@", "dot", "*", "matmul", "einsum"):
                for one in each.inputs:
                    if one.number not in down:
                        through |= ancestors([one]) & set(scene.parameter_starts)
    used: set[int] = set()
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if one.number in seen:
            continue
        seen.add(one.number)
        if one.operation == "leaf":
            used.add(one.number)
        elif one.number not in scene.forward:
            waiting += one.inputs
    return sorted(scene.parameter_starts[number] for number in through - used)
