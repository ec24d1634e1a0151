"""Elements: what is read from arrays, written into them, and run over."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np

from nntui.program.record.callables import Concatenating
from nntui.program.record.following.live_values import copy_of, is_followed, owner_of
from nntui.program.record.following.windows import take, with_elements
from nntui.program.record.hooks.binding import Binding
from nntui.program.record.node import Ref

CONCATENATORS = {type(np.r_): "r_", type(np.c_): "c_"}


class Elements(Binding):
    """Hooks for `x[i]`, as a value and as a target, and for loops over arrays."""

    def item(self, place: int, owner: Any, where: Any) -> Any:
        """`owner[where]`."""
        if self.on and isinstance(owner, np.flatiter):
            owner, where = self.of_array(owner, where)
        result = owner[where]
        if not self.on:
            return result
        if not isinstance(owner, np.ndarray):
            return self._indexed(place, owner, where, result)
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

    def _indexed(self, place: int, owner: Any, where: Any, result: Any) -> Any:
        """`np.r_[...]`, `np.c_[...]`: operations that look like an index."""
        name = CONCATENATORS.get(type(owner))
        if name is None:
            return result
        arguments = where if type(where) is tuple else (where,)
        return self.result(name, Concatenating(owner), arguments, {}, result, place)

    def of_array(self, owner: np.flatiter[Any], where: Any) -> tuple[Any, Any]:
        """An element of `x.flat` as one of `x`, or of a view of it, where there is one."""
        base = owner.base
        if isinstance(where, (int, np.integer)):
            return base, np.unravel_index(int(where) % base.size, base.shape)
        return (base.reshape(-1), where) if base.flags.c_contiguous else (owner, where)

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
        if self.on and isinstance(owner, np.flatiter):
            owner, where = self.of_array(owner, where)
        if not self.on or not isinstance(owner, np.ndarray):
            owner[where] = value
            if isinstance(owner, np.flatiter):
                self.doubt()
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

    def counted(self, place: int, values: Any) -> Any:
        """What a comprehension runs over: each of its elements is a turn, as of a loop."""
        return self._counted(-2 - place, values) if self.on else values

    def _counted(self, number: int, values: Any) -> Iterator[Any]:
        for value in values:
            if self.on:
                self.trail.turn(number)
            yield value
        if self.on:
            self.trail.end(number)

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


class Element:
    """An element as the target of an assignment."""

    __slots__ = ("_owner", "_place", "_recorder", "_where")

    def __init__(self, recorder: Elements, place: int, owner: Any, where: Any) -> None:
        self._recorder, self._place, self._owner, self._where = recorder, place, owner, where

    def _write(self, value: Any) -> None:
        self._recorder.write(self._place, self._owner, self._where, value)

    value = property(None, _write)
