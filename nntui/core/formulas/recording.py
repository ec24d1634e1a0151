"""Records an expression on a tape: one NumPy call per operation, into preallocated buffers.

Trailing axes are broadcast, so that a formula works for one network and for many replicas.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import (
    Call,
    Choice,
    Expression,
    Name,
    Negative,
    Number,
    Operation,
)
from nntui.core.formulas.functions import FUNCTIONS
from nntui.core.formulas.prepared import Prepared, prepared
from nntui.core.tape import Array, Tape

_UFUNCS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
}


_BOTH = (0, 1)


class Outer(Protocol):
    """Records the sum of ``u v^T`` over the samples; see `engine.algebra.Algebra`."""

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        """Record ``gW = delta x^T``."""


def record(
    tape: Tape,
    expression: Expression,
    values: Mapping[str, Array],
    out: Array,
    algebra: Outer | None = None,
) -> None:
    """Record ``out = expression``; ``values`` maps its names to arrays.

    ``out`` may be one of ``values``: it is read before it is written.  A smaller result is
    broadcast to ``out``.  ``algebra`` is needed for outer products only.
    """
    ready = prepared(expression)
    expression, reads = ready.expression, ready.reads
    aliases = {name for name, array in values.items() if np.may_share_memory(array, out)}
    recorder = _Recorder(tape, values, aliases, ready, algebra)
    if sum(reads.get(name, 0) for name in aliases) > 1 or recorder.shape(expression) != out.shape:
        result = recorder.operand(expression, None)
        if isinstance(result, float):
            tape.add(out.fill, result)
        else:
            tape.add(np.copyto, out, result)
    else:
        recorder.compute(expression, out)


def recorded(tape: Tape, expression: Expression, values: Mapping[str, Array], out: Array) -> Array:
    """Like `record`, and return the buffer of the result: that of the variable for a bare name."""
    expression = simplified(expression)
    if isinstance(expression, Name):
        return values[expression.name]
    record(tape, expression, values, out)
    return out


@dataclass(frozen=True, eq=False)
class RecordedSum:
    """The sum of an expression over its first two axes, as the calls that compute its terms.

    Calling it reads the current arrays and returns a float; with further axes, an array of their
    shape.
    """

    value: Callable[[], Any]
    """What a call does; on its own it is a little faster."""
    calls: tuple[Callable[[], object], ...]
    """What fills `terms`."""
    terms: Array
    squared: bool = False
    """Whether the squares of the terms are summed."""
    divisor: float = 1.0
    """What the sum is divided by."""

    def __call__(self) -> Any:
        return self.value()

    def after(self, call: Callable[[], object]) -> "RecordedSum":
        """The same, with ``call`` before it."""
        value = self.value

        def prepared() -> Any:
            call()
            return value()

        return replace(self, value=prepared, calls=(call, *self.calls))


def recorded_sum(
    expression: Expression, values: Mapping[str, Array], shape: tuple[int, ...]
) -> RecordedSum:
    """The sum of ``expression``, of ``shape``, over its first two axes."""
    match expression:
        case Name(name):
            array = values[name]
            return RecordedSum(lambda: np.add.reduce(array, _BOTH), (), array)
        case Operation("^", Name(name), Number(2.0)):
            return RecordedSum(_sum_of_squares(values[name]), (), values[name], squared=True)
        case Operation("/", inner, Number(divisor)):
            whole = recorded_sum(inner, values, shape)
            total = whole.value
            return replace(whole, value=lambda: total() / divisor, divisor=whole.divisor * divisor)
    tape, terms = Tape(), np.empty(shape)
    record(tape, expression, values, terms)
    calls = tuple(tape.calls)

    def summed() -> Any:
        for call in calls:
            call()
        return np.add.reduce(terms, _BOTH)

    return RecordedSum(summed, calls, terms)


def _sum_of_squares(array: Array) -> Callable[[], Any]:
    if array.ndim == 2:
        flat, dot = array.reshape(-1), np.dot
        return lambda: float(dot(flat, flat))
    if array.shape[:2] == (1, 1):
        one = array[0, 0]
        return lambda: one * one
    return lambda: np.einsum("obr,obr->r", array, array)


def _ufunc(name: str) -> Callable[..., object]:
    ufunc = FUNCTIONS[name].ufunc
    assert ufunc is not None  # functions without one are expanded before
    return ufunc


class _Recorder:
    """Records one expression; a part that occurs twice is computed once."""

    def __init__(
        self,
        tape: Tape,
        values: Mapping[str, Array],
        aliases: set[str],
        ready: Prepared,
        algebra: Outer | None,
    ) -> None:
        self._tape, self._values, self._aliases, self._algebra = tape, values, aliases, algebra
        self._shapes = ready.shapes({name: array.shape for name, array in values.items()})
        self._same, self._uses = ready.same, ready.uses
        self._done: dict[int, Array] = {}
        """By the first of the nodes that are equal."""

    def shape(self, node: Expression) -> tuple[int, ...]:
        """The shape of the value of ``node``."""
        return self._shapes[id(node)]

    def operand(self, node: Expression, target: Array | None) -> Array | float:
        """The value of ``node``, computed into ``target`` if that may be overwritten."""
        match node:
            case Number(value):
                return value
            case Name(name):
                return self._values[name]
        first = self._same[id(node)]
        if first in self._done:
            return self._done[first]
        shared = self._uses[first] > 1
        if target is None or shared or target.shape != self.shape(node):
            target = np.empty(self.shape(node))
        self.compute(node, target)
        if shared:
            self._done[first] = target
        return target

    def compute(self, node: Expression, out: Array) -> None:
        """Record ``out = node``; ``out`` has the shape of ``node``."""
        tape = self._tape
        match node:
            case Number(value):
                tape.add(out.fill, value)
            case Name(name):
                tape.add(np.positive, self._values[name], out)
            case Negative(part):
                tape.add(np.negative, self.operand(part, out), out)
            case Operation("^", left, Number(exponent)) if exponent in (2.0, 3.0):
                self._power(left, exponent, out)
            case Operation(symbol, left, right):
                tape.add(_UFUNCS[symbol], *self._operands(left, right, out), out)
            case Choice():
                self._choose(node, out)
            case Call("total" | "mean" | "greatest" as function, (part,)):
                values = self.operand(part, None)
                reduce = np.maximum.reduce if function == "greatest" else np.add.reduce
                tape.add(reduce, values, 0, None, out, True)
                if function == "mean":
                    tape.add(np.divide, out, float(self.shape(part)[0]), out)
            case Call("outer", (left, right)):
                assert self._algebra is not None
                self._algebra.outer(tape, self._array(left), self._array(right), out)
            case Call("dot", (left, right)):
                self._dot(self._array(left), self._array(right), out)
            case Call(function, (part,)):
                tape.add(_ufunc(function), self.operand(part, out), out)
            case Call(function, (left, right)):
                one, two = self._operands(left, right, out)
                if function in ("max", "min"):
                    # NumPy compares two arrays twice as fast as an array and a number.
                    one, two = (
                        np.full(out.shape, each) if isinstance(each, float) else each
                        for each in (one, two)
                    )
                # maximum and minimum take the output by keyword only; for the others it is as fast.
                tape.add(_ufunc(function), one, two, out=out)
            case _:
                raise TypeError(type(node).__name__)

    def _array(self, node: Expression) -> Array:
        value = self.operand(node, None)
        return np.array([[value]]) if isinstance(value, float) else value

    def _operands(
        self, left: Expression, right: Expression, out: Array
    ) -> tuple[Array | float, Array | float]:
        """Both operands; at most one of them is computed into ``out``."""
        # The operand that reads the old contents of ``out`` is first; only it may overwrite them.
        if self._aliases & right.names:
            two = self.operand(right, out)
            return self.operand(left, None), two
        if self._aliases & left.names:
            one = self.operand(left, out)
            return one, self.operand(right, None)
        one = self.operand(left, out)
        return one, self.operand(right, None if one is out else out)

    def _power(self, base: Expression, exponent: float, out: Array) -> None:
        values = self.operand(base, out if exponent == 2.0 else None)
        self._tape.add(np.multiply, values, values, out)
        if exponent == 3.0:
            self._tape.add(np.multiply, out, values, out)

    def _choose(self, node: Choice, out: Array) -> None:
        left, right = self.operand(node.left, None), self.operand(node.right, None)
        holds = np.empty(
            np.broadcast_shapes(self.shape(node.left), self.shape(node.right)), dtype=np.bool_
        )
        self._tape.add(_UFUNCS[node.symbol], left, right, holds)
        then, other = self.operand(node.then, None), self.operand(node.other, None)
        self._tape.add(np.copyto, out, other)
        self._tape.add(np.copyto, out, then, where=holds)

    def _dot(self, left: Array, right: Array, out: Array) -> None:
        product = np.empty(np.broadcast_shapes(left.shape, right.shape))
        column = np.empty((1, *product.shape[1:]))
        self._tape.add(np.multiply, left, right, product)
        self._tape.add(np.add.reduce, product, 0, None, column, True)
        self._tape.add(np.add.reduce, column, 1, None, out, True)
