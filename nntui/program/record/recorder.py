"""The recorder: what the recorded copy of a program calls, and the recording it makes."""

from __future__ import annotations

import builtins
import gc
import operator
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .calls import Calls
from .memory import Copies, Memory, copy_of, fresh, is_followed, owner_of, take, with_elements
from .node import Node, Path, Ref
from .operations import BINARY, IN_PLACE, Cast, older_format
from .places import Places
from .trail import Trail

Hook = Callable[[int], None]

MOST_NODES = 60_000
MOST_BYTES = 400_000_000
LONGEST_LIST = 5_000
"""Lists with more elements than this are not looked into."""
DEEPEST_LIST = 4
SWITCHES = frozenset({"on", "on_iteration", "on_left"})
NUMBERS = frozenset({float, int, np.float64})
NO_KEYWORDS: dict[str, Any] = {}


class Recorder:
    """Records while `on`.

    nodes        the recording, operands before results
    assignments  (place, node, path) of every value that was assigned, and returned
    outputs      (place, node, function name) of scalars given to print, append, formats and the
                 program's own functions
    on_iteration, on_left  called with a loop's number when a turn starts, when the loop is left
    on_full      called once when there are more than `most_nodes` or `most_bytes`; None: `on`
                 becomes False. `full` tells
    warnings     what the recording could not follow, in words
    """

    on: bool
    awake: bool

    def __init__(self, places: Places | None = None) -> None:
        self.places = places if places is not None else Places()
        self.on_iteration: Hook | None = None
        self.on_left: Hook | None = None
        self.on_full: Callable[[], None] | None = None
        self.most_nodes, self.most_bytes = MOST_NODES, MOST_BYTES
        self.on = self._collects = False
        self.calls = Calls(self)
        self.copies = Copies()
        self.reset()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in SWITCHES:
            switches = self.__dict__
            if name == "on" and "memory" in switches:
                self._switched(bool(value))
            awake = switches.get("on") or switches.get("on_iteration") or switches.get("on_left")
            object.__setattr__(self, "awake", bool(awake))

    def _switched(self, on: bool) -> None:
        if on:
            self.memory.doubt()  # what ran meanwhile was not recorded
            if gc.isenabled():  # it would go through all nodes again and again
                gc.disable()
                object.__setattr__(self, "_collects", True)
        elif self._collects:
            gc.enable()
            object.__setattr__(self, "_collects", False)

    def reset(self) -> None:
        """Forget the recording; `on`, the hooks and the bounds stay."""
        self.nodes: list[Node] = []
        self.assignments: list[tuple[int, Node, Path]] = []
        self.outputs: list[tuple[int, Node, str]] = []
        self.warnings: list[str] = []
        self.copies.next_recording()
        self.trail = Trail()
        self.memory = Memory(self.make, self.copies)
        self.bytes = 0
        self.full = False

    # ---- loops

    def iteration(self, number: int) -> bool:
        """A loop starts another turn; whether it is recorded."""
        hook = self.on_iteration
        if hook is not None:
            hook(number)
        if self.on:
            self.trail.turn(number)
        return self.on

    def left(self, number: int) -> None:
        """A loop is over."""
        if self.on:
            self.trail.end(number)
        hook = self.on_left
        if hook is not None:
            hook(number)

    def leave(self, value: Any, *numbers: int) -> Any:
        """The program returns from within loops."""
        for number in numbers:
            self.left(number)
        return value

    def turn(self, number: int) -> None:
        """A loop without hooks starts another turn."""
        if self.on:
            self.trail.turn(number)

    def end(self, number: int) -> None:
        """A loop without hooks is over."""
        if self.on:
            self.trail.end(number)

    # ---- nodes

    def make(
        self,
        operation: str,
        function: Callable[..., Any] | None,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        value: Any,
        place: int,
        name: str | None = None,
    ) -> Node:
        """Append a node; `value` must be a copy."""
        trail = self.trail
        node = Node(
            len(self.nodes),
            operation,
            function,
            arguments,
            keywords,
            value,
            place,
            trail.path,
            trail.occurrence(place, operation),
            name,
        )
        self.nodes.append(node)
        if operation != "view":
            self.bytes += getattr(value, "nbytes", 24)
        if node.number >= self.most_nodes or self.bytes > self.most_bytes:
            self._fill()
        return node

    def _fill(self) -> None:
        if self.full:
            return
        self.full = True
        self.warnings.append(f"the recording is full with {len(self.nodes):,} values")
        if self.on_full is not None:
            self.on_full()
        else:
            self.on = False

    def node_of(self, value: Any, name: str | None = None) -> Node | None:
        """The node of a live value; a new leaf where it was not seen before; None: not followed."""
        if not self.on:
            self.memory.doubt()
        node = self.memory.node_of(value, name)
        if node is not None and node.name is None and name is not None:
            node.name = name
        return node

    def refer(self, value: Any, depth: int = 0) -> Any:
        """An argument as a node keeps it: references for what is followed, copies of the rest."""
        kind = type(value)
        if kind is float:
            node = self.memory.node_of(value)
            return value if node is None else Ref(node)
        if kind is list or kind is tuple:
            if depth < DEEPEST_LIST and len(value) <= LONGEST_LIST:
                return kind([self.refer(element, depth + 1) for element in value])
            return value
        if kind is int or kind is str or value is None:
            return value
        node = self.memory.node_of(value)
        if node is not None:
            return Ref(node)
        return value.copy() if kind is np.ndarray else value

    def result(
        self,
        operation: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        result: Any,
        place: int,
    ) -> Any:
        """Record that a function gave a result; returns it with an identity of its own."""
        if not is_followed(result):
            return result
        if isinstance(result, np.ndarray):
            if self.memory.is_known(result):
                return result  # a view of something known, or an argument itself
        elif any(result is argument for argument in arguments) or self.memory.is_known(result):
            result = fresh(result)
        referred = tuple([self.refer(argument) for argument in arguments])
        named = {name: self.refer(argument) for name, argument in keywords.items()}
        node = self.make(operation, function, referred, named, copy_of(result), place)
        self.memory.put(result, node)
        return result

    # ---- operators

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
        node = self.make(operation, function, arguments, NO_KEYWORDS, copy_of(result), place)
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
            return function(left, right)
        finally:
            if self.trail is trail:
                trail.leave(frame)

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
        if isinstance(owner, np.ndarray) and self.on:
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
        if isinstance(value, np.ndarray) and np.may_share_memory(value, owner):
            self.augment(place, operation, value, operand)
        else:
            self.write(place, owner, where, self.binary(place, operation, value, operand))

    # ---- elements

    def item(self, place: int, owner: Any, where: Any) -> Any:
        """`owner[where]`."""
        result = owner[where]
        if not self.on:
            return result
        if isinstance(owner, np.flatiter) and type(where) is int:
            return self.item(place, owner.base, np.unravel_index(where, owner.base.shape))
        if not isinstance(owner, np.ndarray):
            return self.calls.indexed(place, owner, where, result)
        if not is_followed(result):
            return result
        if isinstance(result, np.ndarray) and owner_of(result) is owner_of(owner):
            return result
        node = self.memory.node_of(owner)
        if node is None:
            return result
        made = self.make("take", take, (Ref(node), self.kept(where)), {}, copy_of(result), place)
        self.memory.put(result, made)
        return result

    def kept(self, where: Any) -> Any:
        """An index as a node keeps it."""
        if type(where) is tuple:
            return tuple(self.kept(part) for part in where)
        if type(where) is list:
            return list(where)
        if isinstance(where, np.ndarray):
            node = self.memory.node_of(where) if self.memory.is_known(where) else None
            return Ref(node) if node is not None else where.copy()
        return where

    def element(self, place: int, owner: Any, where: Any) -> Element:
        """`owner[where]` as a target: its `value` is assigned to."""
        return Element(self, place, owner, where)

    def write(self, place: int, owner: Any, where: Any, value: Any) -> None:
        """`owner[where] = value`."""
        if self.on and isinstance(owner, np.flatiter) and type(where) is int:
            owner, where = owner.base, np.unravel_index(where, owner.base.shape)
        if not self.on or not isinstance(owner, np.ndarray):
            owner[where] = value
            if self.on:
                self.bound(place, value)
            return
        node = self.memory.node_of(owner)
        if node is None:
            owner[where] = value
            return
        before = self.memory.before_writing(owner)
        referred, kept = self.refer(value), self.kept(where)
        owner[where] = value
        arguments = (Ref(node), referred, kept)
        made = self.make("setflat", with_elements, arguments, {}, copy_of(owner), place)
        self.memory.written(owner, before, made, place)
        self.assignments.append((place, made, self.trail.path))

    def iterate(self, place: int, values: Any, apart: bool = False) -> Any:
        """What a loop runs over; the elements of an array are read one by one.

        `apart`: each is itself taken apart, into the parts of the loop's target.
        """
        if not self.on or not isinstance(values, (np.ndarray, np.flatiter)):
            return values
        if isinstance(values, np.flatiter):
            base: np.ndarray[Any, Any] = values.base
            return self._elements(place, values) if base.dtype.kind == "f" else values
        if values.dtype.kind != "f" or values.ndim != 1 + apart:
            return values
        return self._rows(place, values) if apart else self._elements(place, values)

    def _elements(self, place: int, values: Any) -> Iterator[Any]:
        for number in range(len(values)):
            yield self.item(place, values, number)

    def _rows(self, place: int, values: np.ndarray[Any, Any]) -> Iterator[Any]:
        for row in values:
            yield self._elements(place, row)

    def unpacked(self, place: int, values: Any) -> Any:
        """What is assigned to several targets at once."""
        return self.iterate(place, values)

    @staticmethod
    def slice(start: Any, stop: Any, step: Any) -> builtins.slice:
        """`start:stop:step` between brackets."""
        return builtins.slice(start, stop, step)

    # ---- names

    def literal(self, value: float) -> float:
        """A number as written, which has nothing to do with the same number elsewhere."""
        if not self.on:
            return value
        value = fresh(value)
        self.memory.put(value, None)
        return value

    def bound(self, place: int, value: Any) -> Any:
        """A value is assigned, or returned."""
        if not self.on:
            return value
        target = self.places.places[place].target
        if is_followed(value):
            self._bind(place, value, target)
        elif type(value) in (list, tuple) and len(value) <= 100:
            names = _names(target, len(value))
            for element, name in zip(value, names, strict=True):
                if is_followed(element):
                    self._bind(place, element, name)
        return value

    def _bind(self, place: int, value: Any, name: str | None) -> None:
        node = self.memory.node_of(value)
        if node is None:
            return
        self.assignments.append((place, node, self.trail.path))
        if node.name is None and name != "<return>":
            node.name = name

    def show(self, place: int, value: Any, function: str) -> None:
        """A value is given to something that prints or keeps it."""
        if type(value) is tuple:
            for each in value:
                self.show(place, each, function)
        elif is_followed(value) and np.size(value) == 1:
            node = self.memory.node_of(value)
            if node is not None:
                self.outputs.append((place, node, function))

    def shown(self, place: int, value: Any) -> Any:
        """A value within an f-string."""
        if self.on:
            self.show(place, value, "format")
        return value

    def format(self, text: Any, values: Any, place: int = -1) -> Any:
        """`text % values`."""
        if self.on:
            self.show(place, values, "%")
        return older_format(text, values)

    # ---- calls

    def prepare(self, place: int, function: Any, /, *arguments: Any, **keywords: Any) -> bool:
        """Whether the recorder made a call (`value` has the result), or the program must."""
        return self.calls.prepare(sys._getframe(1), place, function, arguments, keywords)

    def value(self) -> Any:
        """The result of the call the recorder made."""
        return self.calls.take_value()

    def function(self) -> Any:
        """What the program must call."""
        return self.calls.own[0]

    def arguments(self) -> Any:
        """With what the program must call it."""
        return self.calls.own[1]

    def keywords(self) -> Any:
        """With what the program must call it."""
        return self.calls.own[2]

    def returned(self, result: Any) -> Any:
        """A call that the program made is over."""
        return self.calls.returned(sys._getframe(1), result)

    def caught(self, loop: int) -> None:
        """An exception may have come back to the program, within a loop, or -1."""
        if not self.on:
            return
        self.trail.caught(sys._getframe(1), loop)
        self.doubt()

    def doubted(self, result: Any) -> Any:
        """The result of something that may have changed any array."""
        self.doubt()
        return result

    def doubt(self) -> None:
        """Something ran that may have changed any array."""
        self.memory.doubt()
        self.memory.trusting = not self.trail.is_abroad()

    def is_own(self, code: CodeType) -> bool:
        """Whether code is the program's."""
        return code.co_filename in self.places.sources


class Element:
    """An element as the target of an assignment."""

    __slots__ = ("_owner", "_place", "_recorder", "_where")

    def __init__(self, recorder: Recorder, place: int, owner: Any, where: Any) -> None:
        self._recorder, self._place, self._owner, self._where = recorder, place, owner, where

    def _write(self, value: Any) -> None:
        self._recorder.write(self._place, self._owner, self._where, value)

    value = property(None, _write)


def _set_item(owner: Any, where: Any, value: Any) -> None:
    owner[where] = value


PLAIN_UFUNC = np.ndarray.__array_ufunc__
PLAIN_TYPES = frozenset({float, int, bool, complex, str, bytes, list, tuple, dict, set, type(None)})


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


def _names(target: str | None, count: int) -> list[str | None]:
    """The names of a target `a, b, c`, where they are simple."""
    if target is not None:
        parts = [part.strip() for part in target.strip("()[]").split(",")]
        if len(parts) == count and all("*" not in part for part in parts):
            return list(parts)
    return [None] * count
