"""Reverse differentiation of a recording: what a change of each value does to the seeded ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType
from typing import Any

import numpy as np

from nntui.program.record.deriving.gradients import gathered, unbroadcast
from nntui.program.record.deriving.jacobians import NotDifferentiableError, numeric, traced
from nntui.program.record.deriving.rules import CONSTANT, COPYING, OF_BUILTINS, RULES, UNDERSTOOD
from nntui.program.record.node import Node, Ref, fill
from nntui.program.record.recompute import solid

PRODUCTS = ("@", "dot", "matmul")
"""Operations whose two adjoints cost as much as the operation each."""

__all__ = ["NotDifferentiableError", "adjoints", "pullback", "wanted"]


def adjoints(
    nodes: Sequence[Node],
    seeds: Mapping[Node, Any],
    values: Sequence[Any] | None = None,
    needed: Sequence[Any] | None = None,
) -> dict[int, Any]:
    """The adjoint of every node that the seeded nodes depend on, by number.

    `seeds` gives the adjoints to start from, of the shapes of their nodes. `values` are those of a
    replay; None: the recorded ones. Adjoints are float64 arrays of their node's shape. `needed`
    says by number of which nodes the adjoint is wanted (None: of all): the data's is often the
    dearest, and serves nobody. Operations without a rule are differentiated numerically; raises
    NotDifferentiableError where such a one is too large for it.
    """
    if values is None:
        values = [node.value for node in nodes]
    found: dict[int, Any] = {}
    for node, seed in seeds.items():
        shape = np.shape(values[node.number])
        adjoint = np.broadcast_to(np.asarray(seed, float), shape)
        found[node.number] = found[node.number] + adjoint if node.number in found else adjoint
    with np.errstate(all="ignore"):
        for number in range(max(found, default=-1), -1, -1):
            g = found.get(number)
            if g is None:
                continue
            for operand, gradient in wanted(nodes[number], g, values, needed):
                before = found.get(operand.number)
                found[operand.number] = gradient if before is None else before + gradient
    return found


def wanted(
    node: Node, g: Any, values: Sequence[Any], needed: Sequence[Any] | None
) -> list[tuple[Node, Any]]:
    """The adjoints that a node hands to those of its operands that are `needed`."""
    if needed is None:
        return pullback(node, g, values)
    asked = [bool(needed[each.number]) for each in node.inputs]
    if not any(asked):
        return []
    if len(asked) == 2 and not all(asked) and node.operation in PRODUCTS:
        one, other = (values[each.number] for each in node.inputs)
        if np.ndim(one) == np.ndim(other) == 2 and len(node.arguments) == 2:
            g = solid(np.asarray(g, float))
            found = g @ np.transpose(other) if asked[0] else np.transpose(one) @ g
            return [(node.inputs[0 if asked[0] else 1], np.asarray(found, float))]
    return [each for each in pullback(node, g, values) if needed[each[0].number]]


def pullback(node: Node, g: Any, values: Sequence[Any]) -> list[tuple[Node, Any]]:
    """The adjoints that a node hands to its operands; an operand may come more than once."""
    operation = node.operation
    if not node.inputs or operation in CONSTANT or not _has_slope(values[node.number]):
        return []
    if operation in ("view", "take", "unview", "setflat"):
        return _moved(node, g, values)
    rule = rule_of(node)
    if rule is not None:
        result = _ruled(node, rule, g, values)
        if result is not None:
            return result
    if operation in COPYING:
        moved = traced(node, g, values)
        if moved is not None:
            return moved
    return numeric(node, g, values)


def rule_of(node: Node) -> Any:
    """The rule for a node's operation; None: there is none."""
    function = node.function
    if type(function) is BuiltinFunctionType and function in OF_BUILTINS:
        return OF_BUILTINS[function]
    return RULES.get(node.operation)


def _has_slope(value: Any) -> bool:
    return type(value) is float or getattr(getattr(value, "dtype", None), "kind", "") == "f"


def _ruled(node: Node, rule: Any, g: Any, values: Sequence[Any]) -> list[tuple[Node, Any]] | None:
    """By a rule; None where it does not apply to these arguments."""
    keywords = dict(node.keywords)
    if not keywords.keys() <= UNDERSTOOD.get(node.operation, frozenset()):
        return None
    if node.operation == "norm" and len(node.arguments) > 1 and node.arguments[1] is not None:
        return None
    keywords.pop("keepdims", None)
    keywords.pop("optimize", None)
    if node.operation == "astype":
        keywords.clear()
    if node.operation == "clip":
        low = keywords.pop("a_min", keywords.pop("min", None))
        high = keywords.pop("a_max", keywords.pop("max", None))
        bounds = [*node.arguments[1:3], None, None]
        low, high = bounds[0] if low is None else low, bounds[1] if high is None else high
        arguments: list[Any] = [node.arguments[0], low, high]
    else:
        arguments = list(node.arguments)
    plain = [_operand(argument, values) for argument in arguments]
    y = np.asarray(values[node.number])
    try:
        gradients = rule(np.asarray(g, float), y, *plain, **keywords)
    except (TypeError, ValueError):  # `NoRuleError` is one of these
        return None
    result: list[tuple[Node, Any]] = []
    for argument, gradient in zip(arguments, gradients, strict=False):
        _hand_on(argument, gradient, values, result)
    return result


def _operand(argument: Any, values: Sequence[Any]) -> Any:
    """An operand as rules want it."""
    value = fill(argument, values)
    if type(argument) is Ref:
        array = np.asarray(value)
        return array.astype(float) if array.dtype.kind in "fiub" else array
    if isinstance(value, (list, np.ndarray)):
        try:
            return np.asarray(value, float)
        except ValueError:  # of several shapes
            return value
    return value


def _hand_on(
    argument: Any, gradient: Any, values: Sequence[Any], result: list[tuple[Node, Any]]
) -> None:
    """Give the gradient of an argument to the nodes within it."""
    if gradient is None:
        return
    if type(argument) is Ref:
        if _has_slope(values[argument.node.number]):
            shape = np.shape(values[argument.node.number])
            result.append((argument.node, unbroadcast(gradient, shape)))
    elif type(argument) in (list, tuple):
        if not isinstance(gradient, list):
            gradient = unbroadcast(gradient, np.shape(fill(argument, values)))
        for element, part in zip(argument, gradient, strict=False):
            _hand_on(element, part, values, result)


def _moved(node: Node, g: Any, values: Sequence[Any]) -> list[tuple[Node, Any]]:
    """Views, elements read and elements written."""
    if node.operation == "view":
        shown = node.arguments[1].spread(g)
        if shown is not None:
            return [(node.inputs[0], shown)]
    positions = node.positions
    if positions is None:
        return []
    first = node.arguments[0]
    shape = np.shape(values[first.node.number])
    flat = np.asarray(g, float)
    if node.operation in ("view", "take"):
        return [(first.node, gathered(flat, positions, shape))]
    if node.operation == "unview":
        return [(first.node, flat.reshape(-1)[positions].reshape(shape))]
    base = flat.reshape(-1).copy()
    base[np.reshape(positions, -1)] = 0.0
    result = [(first.node, base.reshape(flat.shape))]
    taken = flat.reshape(-1)[positions]
    _hand_on(node.arguments[1], taken, values, result)
    return [(each, gradient) for each, gradient in result if _has_slope(values[each.number])]
