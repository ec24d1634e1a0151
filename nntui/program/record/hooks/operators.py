"""Operators: between numbers and arrays, of the program's own classes, and in place."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from nntui.program.record.callables import Cast
from nntui.program.record.following.live_values import copy_of, is_borrowable, is_followed, owner_of
from nntui.program.record.hooks.elements import Elements
from nntui.program.record.node import Ref
from nntui.program.record.operations import BINARY, IN_PLACE

NUMBERS = frozenset({float, int, np.float64})
NO_KEYWORDS: dict[str, Any] = {}
PLAIN_UFUNC = np.ndarray.__array_ufunc__
PLAIN_TYPES = frozenset({float, int, bool, complex, str, bytes, list, tuple, dict, set, type(None)})


class Operators(Elements):
    """Hooks for operators and augmented assignments."""

    def binary(self, place: int, operation: str, left: Any, right: Any) -> Any:
        """`left operation right`."""
        if operation == "%" and isinstance(left, (str, bytes)):
            return self.format(left, right, place)
        function = BINARY[operation]
        if not self.on:
            return function(left, right)
        if not (type(left) in NUMBERS and type(right) in NUMBERS):
            if is_overloaded(left) or is_overloaded(right):
                return self.overloaded(place, operation, left, right, function)
            if isinstance(left, np.matrix) or isinstance(right, np.matrix):
                operation = matrix_operation(operation, left, right)
        result = function(left, right)
        if not is_followed(result):
            return result
        literals = self.places.places[place].literals
        arguments = (
            left if literals[0] else self.refer(left),
            right if literals[-1] else self.refer(right),
        )
        kept = result if is_borrowable(result) else copy_of(result)
        node = self.make(operation, function, arguments, NO_KEYWORDS, kept, place)
        self.memory.put(result, node)
        return result

    def overloaded(
        self, place: int, operation: str, left: Any, right: Any, function: Callable[..., Any]
    ) -> Any:
        """An operator whose operands are the program's own objects, or arrays of objects."""
        if is_array_of_objects(left) or is_array_of_objects(right):
            return self.elementwise(place, operation, left, right)
        frame = sys._getframe(1)
        trail = self.trail
        trail.enter(frame, place, function, (), {})
        try:
            result = function(left, right)
        finally:
            if self.trail is trail:
                trail.leave(frame)
        if not self.on or not is_followed(result) or self.memory.is_known(result):
            return result
        return self.result(operation, function, (left, right), {}, result, place)

    def elementwise(self, place: int, operation: str, left: Any, right: Any) -> Any:
        """An operator over arrays of objects, element by element."""
        pairs = np.broadcast(np.asarray(left, object), np.asarray(right, object))
        results = np.empty(pairs.shape, object)
        flat = results.reshape(-1)
        for number, (one, other) in enumerate(pairs):
            if operation == "neg":
                flat[number] = self.negative(place, one)
            else:
                flat[number] = self.binary(place, operation, one, other)
        return results

    def negative(self, place: int, value: Any) -> Any:
        """`-value`."""
        if not self.on:
            return -value
        if is_overloaded(value):
            return self.overloaded(place, "neg", value, value, lambda one, _: -one)
        return self.result("neg", operator.neg, (value,), {}, -value, place)

    def augment(self, place: int, operation: str, value: Any, operand: Any) -> Any:
        """What a name holds after `name operation= operand`."""
        result = self._augmented(place, operation, value, operand)
        return self.bound(place, result) if self.on else result

    def _augmented(self, place: int, operation: str, value: Any, operand: Any) -> Any:
        if not isinstance(value, np.ndarray):
            if self.on and (is_followed(value) or is_followed(operand)):
                return self.binary(place, operation, value, operand)
            return IN_PLACE[operation](value, operand)
        if not self.on:
            return IN_PLACE[operation](value, operand)
        if value.dtype.kind == "O":
            value[...] = self.elementwise(place, operation, value, operand)
            return value
        memory = self.memory
        before, node = memory.before_writing(value), memory.node_of(value)
        other = operand if self.places.places[place].literals[-1] else self.refer(operand)
        result = IN_PLACE[operation](value, operand)
        if node is None:
            return result
        if result is not value:  # a matrix product, or another type
            return self.result(operation, BINARY[operation], (value, operand), {}, result, place)
        if isinstance(value, np.matrix):
            operation = matrix_operation(operation, value, operand)
        function = Cast(BINARY[operation], value)
        made = self.make(operation, function, (Ref(node), other), {}, copy_of(value), place)
        memory.written(value, before, made, place)
        return result

    def held_attribute(self, owner: Any, name: str) -> tuple[Any, ...]:
        """The target of an augmented assignment, read before its operand is computed."""
        return setattr, owner, name, getattr(owner, name)

    def held_element(self, owner: Any, where: Any) -> tuple[Any, ...]:
        """The target of an augmented assignment, read before its operand is computed."""
        if self.on and isinstance(owner, np.flatiter):
            owner, where = self.of_array(owner, where)
        if self.on and isinstance(owner, (np.ndarray, np.flatiter)):
            return self.write, owner, where, None
        return _set_item, owner, where, owner[where]

    def augment_held(self, place: int, operation: str, held: tuple[Any, ...], operand: Any) -> None:
        """`owner.name operation= operand`, `owner[where] operation= operand`."""
        store, owner, where, value = held
        if store is _set_item or store is setattr:
            store(owner, where, self.augment(place, operation, value, operand))
            if store is setattr and isinstance(owner, np.ndarray):
                self.doubt()
            return
        value = self.item(place, owner, where)
        if isinstance(value, np.ndarray) and owner_of(value) is owner_of(owner):
            self.augment(place, operation, value, operand)
        else:
            self.write(place, owner, where, self.binary(place, operation, value, operand))


def _set_item(owner: Any, where: Any, value: Any) -> None:
    owner[where] = value


def is_overloaded(value: Any) -> bool:
    """Whether an operator may run the program's own code, or goes through an array of objects."""
    kind = type(value)
    if kind is np.ndarray:
        return bool(value.dtype.kind == "O")
    if kind in PLAIN_TYPES or issubclass(kind, np.generic):
        return False
    if issubclass(kind, np.ndarray):
        own = any(type(getattr(kind, name)) is FunctionType for name in ("__add__", "__sub__"))
        return kind is not np.matrix and (own or kind.__array_ufunc__ is not PLAIN_UFUNC)
    return True


def is_array_of_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def matrix_operation(operation: str, left: Any, right: Any) -> str:
    """What an operator means between matrices."""
    if operation == "*" and np.ndim(left) and np.ndim(right):
        return "@"
    if operation == "**":
        return "matrix_power"
    return operation
