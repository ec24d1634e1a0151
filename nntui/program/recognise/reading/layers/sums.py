"""Reads W x + b off the sum of products that computes it, however the program has written it.

A matrix product, a scalar product, a sum of single products, with or without a bias, over one
sample or many: each becomes a `Block` of units and samples.
"""

import builtins
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.recognise.reading.layers.identities import (
    CONSTANT,
    FIRST,
    Identities,
    moved,
    moves,
)
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Places

Array = np.ndarray

MATRIX_PRODUCTS = frozenset({"@", "dot", "inner", "vdot", "outer"})
PRODUCTS = MATRIX_PRODUCTS | {"*"}
MOST = 4_000_000
"""Elements of a block's tables."""


@dataclass
class Block:
    """The pre-activations that one value holds: ``units`` of them over ``samples``."""

    root: Node
    weights: Array
    """Identities of W, (units, inputs)."""
    bias: Array | None
    """Identities of b, (units,); None without one."""
    negative: bool
    """Whether b is subtracted."""
    inputs: Array
    """Identities of x, (inputs, samples)."""
    values: Array
    """x, (inputs, samples)."""
    unit: Array
    """The unit of each element of ``root``, flat."""
    sample: Array
    """Its sample, flat."""
    products: list[Node]


class Sums:
    """Finds the sums of products with parameters among ``forward``, numbers in order.

    ``parameters`` are the identities of the parameters' elements.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        forward: Sequence[int],
        identities: Identities,
        parameters: Array,
        places: Places,
    ) -> None:
        self._nodes, self._forward, self._identities = nodes, forward, identities
        self._places = places
        self._parameters = np.sort(parameters)
        self._pure: dict[int, bool] = {}
        self.products: set[int] = set()
        self._affine: set[int] = set()
        self._find()

    def is_pure(self, node: Node) -> bool:
        """Whether ``node`` holds parameters and nothing else."""
        known = self._pure.get(node.number)
        if known is None:
            known = self._pure[node.number] = bool(
                np.size(node.value)
                and (not node.inputs or moves(node))
                and self._are_parameters(self._identities.of(node))
            )
        return known

    def _are_parameters(self, numbers: Array) -> bool:
        flat = np.unique(numbers)
        at = np.searchsorted(self._parameters, flat)
        return bool(
            at.size
            and at[-1] < self._parameters.size
            and (self._parameters[np.minimum(at, self._parameters.size - 1)] == flat).all()
        )

    def weight_side(self, node: Node) -> int | None:
        """Which operand of a product is the parameter; None if it is no such product."""
        if node.operation not in PRODUCTS or len(node.arguments) != 2 or node.keywords:
            return None
        sides = [isinstance(each, Ref) and self.is_pure(each.node) for each in node.arguments]
        if sum(sides) != 1:
            return None
        side = sides.index(True)
        if not isinstance(node.arguments[1 - side], Ref):
            literals = self._places.places[node.place].literals if node.place >= 0 else ()
            if len(literals) != 2 or literals[1 - side]:
                return None  # a parameter times a number of the text
        return side

    def _find(self) -> None:
        for number in self._forward:
            node = self._nodes[number]
            if self.weight_side(node) is not None:
                self.products.add(number)
                self._affine.add(number)
            elif self._is_sum(node):
                self._affine.add(number)

    def _is_sum(self, node: Node) -> bool:
        """Whether ``node`` adds up or moves products, biases and zeros, at least one product."""
        if node.operation in ("+", "-"):
            left, right = node.arguments[0], node.arguments[1]
            if node.operation == "-" and not (isinstance(right, Ref) and self.is_pure(right.node)):
                return False
            return self._all_terms([left, right])
        if node.operation == "sum":
            given = node.arguments[0]
            if isinstance(given, (list, tuple)):
                return self._all_terms([*given, *_starts(node)])
            if isinstance(given, Ref) and given.node.number in self._affine:
                inner = given.node
                while moves(inner) and inner.number not in self.products:
                    inner = inner.inputs[0]
                return inner.operation == "*"
            return False
        if moves(node) and node.operation != "setflat":
            return all(each.number in self._affine for each in node.inputs)
        return False

    def _all_terms(self, given: Sequence[Any]) -> bool:
        found = False
        for each in given:
            if isinstance(each, Ref):
                if each.node.number in self._affine:
                    found = True
                elif not (self.is_pure(each.node) or _is_zero(each.node.value)):
                    return False
            elif isinstance(each, (list, tuple)) or not _is_zero(each):
                return False
        return found

    def roots(self, users: Sequence[Sequence[Node]]) -> list[Node]:
        """The sums that no further term is added to, in order."""
        forward = set(self._forward)
        found: set[int] = set()
        for number in self._forward:
            if number not in self._affine or any(
                user.number in self._affine and user.number in forward for user in users[number]
            ):
                continue
            waiting = [self._nodes[number]]
            while waiting:
                node = waiting.pop()
                if node.number not in self.products and moves(node):
                    waiting += node.inputs  # what was only moved is a sum already
                else:
                    found.add(node.number)
        return [self._nodes[number] for number in sorted(found)]

    def read(self, root: Node) -> Block:
        """The block that ``root`` holds; raises NoCounterpartError where it is none."""
        size = int(np.size(root.value))
        rows: list[Array] = []
        columns: list[Array] = []
        tables: list[_Product] = []
        bias: Array | None = None
        negative = False
        for node, gather, minus in self._terms(root):
            if self.weight_side(node) is not None:
                table = self._product(node)
                if table.weights.size + table.inputs.size + len(tables) * size > MOST:
                    raise NoCounterpartError("a layer is too large to be read", node)
                tables.append(table)
                rows.append(table.unit[gather])
                columns.append(table.sample[gather])
                continue
            if bias is not None:
                raise NoCounterpartError("two biases are added to one sum", root)
            bias, negative = self._identities.of(node).reshape(-1)[gather], minus
        if not tables:
            raise NoCounterpartError("a sum has no weights", root)
        unit, first_of_unit = _numbered(np.stack(rows))
        sample, first_of_sample = _numbered(np.stack(columns))
        units, samples = len(first_of_unit), len(first_of_sample)
        if np.unique(unit * samples + sample).size != size or units * samples != size:
            if all(table.node.operation == "*" for table in tables):
                what = "each unit is multiplied by a number of its own, as a normalisation does"
                raise NoCounterpartError(what, tables[0].node)
            raise NoCounterpartError("a product is no dense layer", tables[0].node)
        pairs = list(zip(tables, rows, columns, strict=True))
        weights = np.concatenate([t.weights[row[first_of_unit]] for t, row, _ in pairs], axis=1)
        inputs = np.concatenate([t.inputs[:, col[first_of_sample]] for t, _, col in pairs])
        values = np.concatenate([t.values[:, col[first_of_sample]] for t, _, col in pairs])
        of_units = None
        if bias is not None:
            of_units = bias[first_of_unit]
            if (of_units[unit] != bias).any():
                raise NoCounterpartError("the bias differs from sample to sample", root)
        products = [table.node for table in tables]
        return Block(root, weights, of_units, negative, inputs, values, unit, sample, products)

    def _terms(self, root: Node) -> Iterator[tuple[Node, Array, bool]]:
        """The terms of a sum: each with the flat position in it of each element of ``root``."""
        waiting: list[tuple[Node, Array, bool]] = [(root, np.arange(np.size(root.value)), False)]
        while waiting:
            node, gather, minus = waiting.pop()
            if node.number in self.products or self.is_pure(node):
                yield node, gather, minus
                continue
            if node.operation in ("+", "-"):
                for at in (1, 0):
                    given = node.arguments[at]
                    if isinstance(given, Ref) and not self._is_nothing(given.node):
                        sign = minus != (at == 1 and node.operation == "-")
                        waiting.append((given.node, _broadcast(given.node, node)[gather], sign))
            elif node.operation == "sum":
                waiting += self._summed(node, gather, minus)
            elif moves(node) and len(node.inputs) == 1:
                inner = node.inputs[0]
                sent = moved(node, {inner.number: FIRST + _positions(inner)})
                if sent is None or (sent == CONSTANT).any():
                    raise NoCounterpartError("a sum is taken apart", node)
                where = (sent - FIRST).astype(np.int64).reshape(-1)[gather]
                waiting.append((inner, where, minus))
            else:
                raise NoCounterpartError("something is added to W x + b", node)

    def _is_nothing(self, node: Node) -> bool:
        return node.number not in self._affine and not self.is_pure(node) and _is_zero(node.value)

    def _summed(self, node: Node, gather: Array, minus: bool) -> list[tuple[Node, Array, bool]]:
        given = node.arguments[0]
        if isinstance(given, (list, tuple)):
            if node.function is not builtins.sum and np.size(node.value) != 1:
                raise NoCounterpartError("a sum is taken along an axis of a list", node)
            terms = [each.node for each in (*given, *_starts(node)) if isinstance(each, Ref)]
            return [
                (each, _broadcast(each, node)[gather], minus)
                for each in reversed(terms)
                if not self._is_nothing(each)
            ]
        inner = given.node
        shape = np.shape(inner.value)
        axis = node.keywords.get("axis", node.arguments[1] if len(node.arguments) > 1 else None)
        if axis is None:
            table = _positions(inner).reshape(1, -1)
        else:
            table = np.moveaxis(_positions(inner), int(axis), -1).reshape(-1, shape[int(axis)])
        if node.function is builtins.sum and axis is None and len(shape) > 1:
            table = np.moveaxis(_positions(inner), 0, -1).reshape(-1, shape[0])
        return [(inner, table[gather, at], minus) for at in reversed(range(table.shape[1]))]

    def _product(self, node: Node) -> "_Product":
        side = self.weight_side(node)
        assert side is not None
        own = node.arguments[side].node
        weights = self._identities.of(own)
        other = node.arguments[1 - side]
        if isinstance(other, Ref):
            inputs, values = self._identities.of(other.node), np.asarray(other.node.value, float)
        else:
            values = np.asarray(other, float)
            inputs = np.full(values.shape, CONSTANT)
        shape = np.shape(node.value)
        if node.operation == "*" or (node.operation == "dot" and not weights.shape):
            return _single_products(node, shape, weights, inputs, values)
        return _matrix_product(node, side, shape, weights, inputs, values)


@dataclass
class _Product:
    """A product, element by element: the row of ``weights`` and the column of ``inputs``."""

    node: Node
    weights: Array
    inputs: Array
    values: Array
    unit: Array
    sample: Array


def _single_products(
    node: Node, shape: tuple[int, ...], weights: Array, inputs: Array, values: Array
) -> _Product:
    own = np.broadcast_to(weights, shape).reshape(-1)
    other = np.broadcast_to(inputs, shape).reshape(-1)
    value = np.broadcast_to(values, shape).reshape(-1)
    unit, first_of_unit = _numbered(own[None])
    sample, first_of_sample = _numbered(other[None])
    return _Product(
        node,
        own[first_of_unit][:, None],
        other[first_of_sample][None],
        value[first_of_sample][None],
        unit,
        sample,
    )


def _matrix_product(
    node: Node, side: int, shape: tuple[int, ...], weights: Array, inputs: Array, values: Array
) -> _Product:
    """Bring W to (units, inputs) and x to (inputs, samples)."""
    if weights.ndim > 2 or values.ndim == 0:
        raise NoCounterpartError("a product is no dense layer", node)
    operation = node.operation
    if operation == "outer":
        weights, inputs, values = weights.reshape(-1, 1), inputs.reshape(1, -1), values.reshape(-1)
        values = values[None]
        first = side == 0
    elif operation == "vdot":
        weights, inputs, values = weights.reshape(1, -1), inputs.reshape(-1, 1), values.reshape(-1)
        values = values[:, None]
        first = True
    elif operation == "inner":
        weights = np.atleast_2d(weights)
        inputs, values = (np.atleast_2d(each) for each in (inputs, values))
        inputs, values = (each.reshape(-1, each.shape[-1]).T for each in (inputs, values))
        first = side == 0
    elif side == 0:
        weights = np.atleast_2d(weights)
        axis = max(values.ndim - 2, 0)
        inputs, values = (
            np.moveaxis(each, axis, 0).reshape(each.shape[axis], -1) for each in (inputs, values)
        )
        first = True
        if values.size and len(shape) > 2 and operation == "@":
            # (batch, units, columns): the samples are the batch and the columns.
            return _batched(node, shape, weights, inputs, values)
    else:
        weights = weights[None] if weights.ndim == 1 else weights.T
        inputs, values = (each.reshape(-1, each.shape[-1]).T for each in (inputs, values))
        first = False
    units, samples = weights.shape[0], values.shape[1]
    if units * samples != int(np.prod(shape)) or weights.shape[1] != values.shape[0]:
        raise NoCounterpartError("a product is no dense layer", node)
    unit, sample = np.divmod(np.arange(units * samples), samples)
    if not first:
        sample, unit = np.divmod(np.arange(units * samples), units)
    return _Product(node, weights, inputs, values, unit, sample)


def _batched(
    node: Node, shape: tuple[int, ...], weights: Array, inputs: Array, values: Array
) -> _Product:
    columns = shape[-1]
    unit = np.broadcast_to(np.arange(shape[-2])[:, None], shape).reshape(-1)
    batches = np.arange(int(np.prod(shape[:-2]))).reshape(*shape[:-2], 1, 1)
    sample = np.broadcast_to(batches * columns + np.arange(columns), shape).reshape(-1)
    return _Product(node, weights, inputs, values, unit, sample)


def _numbered(keys: Array) -> tuple[Array, Array]:
    """The columns of ``keys`` numbered in the order in which they come first, and where that is."""
    if len(keys) == 1:
        _, first, inverse = np.unique(keys[0], return_index=True, return_inverse=True)
    else:
        _, first, inverse = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return rank[np.reshape(inverse, -1)], first[order]


def _positions(node: Node) -> Array:
    return np.arange(np.size(node.value)).reshape(np.shape(node.value))


def _broadcast(node: Node, within: Node) -> Array:
    """The flat position in ``node`` of each element of ``within``, to which it is broadcast."""
    return np.broadcast_to(_positions(node), np.shape(within.value)).reshape(-1)


def _starts(node: Node) -> Collection[Any]:
    """What a built-in sum starts from."""
    given = node.arguments[1:2] if node.function is builtins.sum else ()
    return [*given, *(value for name, value in node.keywords.items() if name == "start")]


def _is_zero(value: Any) -> bool:
    return isinstance(value, (int, float, np.ndarray, np.generic)) and not np.any(value)
