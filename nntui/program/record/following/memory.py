"""Which node a live value is: scalars by identity, arrays by buffer, version and address."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from nntui.program.record.following.live_values import (
    FOLLOWED_KINDS,
    LARGE,
    copy_of,
    identity,
    is_followed,
    owner_of,
    same_bits,
)
from nntui.program.record.following.windows import Window, hide, show, with_elements
from nntui.program.record.node import Node, Ref

Maker = Callable[..., Node]
SAMPLE = 4_096
"""Elements of an array that was not copied which tell whether it has changed."""
WORTH_SHARING = 16_000
OURS = 3
"""References to a borrowed array that are ours: its buffer's, its node's, the one that counts."""


class Copies:
    """Copies of arrays that come from outside, shared while they do not change."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        self.before = self.kept

    def next_recording(self) -> None:
        """Forget what the last recording had no use for."""
        self.before, self.kept = self.kept, {}

    def of(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """A copy, perhaps the one made before; of a large array itself."""
        if array.nbytes >= LARGE:
            return array
        if array.nbytes < WORTH_SHARING:
            return copy_of(array)  # type: ignore[no-any-return]
        kept = self.before.get(identity(array))
        if kept is None or not same_bits(kept[1], array):
            kept = (array, copy_of(array))
        self.kept[identity(array)] = kept
        return kept[1]


class Buffer:
    """What is known of the memory that an array owns."""

    __slots__ = ("checked", "node", "owner", "sample", "windows")

    def __init__(self, owner: np.ndarray[Any, Any], node: Node, checked: int) -> None:
        self.owner, self.node, self.checked = owner, node, checked
        self.windows: dict[tuple[Any, ...], Node] = {}  # of this version
        self.sample = self._sample() if self.is_borrowed() else b""

    def is_borrowed(self) -> bool:
        """Whether the node's value is the program's array itself."""
        return self.node.value is self.owner

    def _sample(self) -> bytes:
        flat = self.owner.ravel(order="K")
        return flat[:: max(1, flat.size // SAMPLE)].tobytes()

    def is_unchanged(self) -> bool:
        """Whether the memory is what the node's value says."""
        if self.is_borrowed():
            return self._sample() == self.sample
        return same_bits(self.node.value, self.owner)

    def copy(self) -> None:
        """Give the node a value of its own, and so the views of it."""
        self.node.value = copy_of(self.owner)
        for view in self.windows.values():
            view.value = view.arguments[1](self.node.value)


class Memory:
    """Finds and keeps the nodes of live values. Keeps the values alive, so that no id is reused.

    The memory of an array is compared with its last known value where something may have changed
    it unseen: at first after every `doubt`.
    """

    def __init__(self, make: Maker, copies: Copies | None = None) -> None:
        self.make = make
        self.copies = copies if copies is not None else Copies()
        self.buffers: dict[int, Buffer] = {}
        self.shown: dict[int, tuple[Any, Node, Node]] = {}
        self.scalars: dict[int, tuple[Any, Node | None]] = {}
        self.doubts = 0
        self.trusting = True
        self.is_shared = False  # something else can write to the arrays at any time

    # ---- reading

    def node_of(self, value: Any, name: str | None = None) -> Node | None:
        """The node of a live value; a new leaf where it is not known; None: not followed."""
        entry = self.scalars.get(identity(value))
        if entry is not None:
            return entry[1]
        if isinstance(value, np.ndarray):
            return self._array(value, name) if value.dtype.kind in FOLLOWED_KINDS else None
        if not is_followed(value):
            return None
        node = self.make("leaf", None, (), {}, value, -1, name)
        self.scalars[identity(value)] = (value, node)
        return node

    def _array(self, array: np.ndarray[Any, Any], name: str | None) -> Node:
        owner = owner_of(array)
        if owner is array:
            return self._owner(owner, name).node
        if owner.dtype.kind not in FOLLOWED_KINDS:  # part of complex numbers, or of records
            return self._owner(array, name).node
        buffer = self._owner(owner, None)
        node = buffer.node
        known = self.shown.get(identity(array))
        if known is not None and known[1] is node:
            return known[2]
        window = Window(array, owner)
        view = buffer.windows.get(window.key())
        if view is None:
            view = self.make("view", show, (Ref(node), window), {}, window(node.value), -1, name)
            buffer.windows[window.key()] = view
        self.shown[identity(array)] = (array, node, view)
        return view

    def _owner(self, owner: np.ndarray[Any, Any], name: str | None) -> Buffer:
        buffer = self.buffers.get(identity(owner))
        if buffer is None:
            node = self.make("leaf", None, (), {}, self.copies.of(owner), -1, name)
            return self._own(owner, node)
        if (
            self.trusting
            and buffer.checked == self.doubts
            and owner.shape == buffer.node.value.shape
            and not self.is_shared
        ):
            return buffer
        if buffer.is_unchanged():
            buffer.checked = self.doubts
            return buffer
        node = self.make("leaf", None, (), {}, copy_of(owner), -1, "changed unseen")
        return self._own(owner, node)

    def _own(self, owner: np.ndarray[Any, Any], node: Node) -> Buffer:
        self.buffers[identity(owner)] = buffer = Buffer(owner, node, self.doubts)
        return buffer

    def is_known(self, value: Any) -> bool:
        """Whether a value has a node: it was computed, or read, before."""
        if isinstance(value, np.ndarray):
            return identity(owner_of(value)) in self.buffers
        return identity(value) in self.scalars

    def doubt(self) -> None:
        """Something ran that may have changed any array."""
        self.doubts += 1

    def doubt_array(self, array: np.ndarray[Any, Any]) -> None:
        """Something ran that may have changed this array."""
        buffer = self.buffers.get(identity(owner_of(array)))
        if buffer is not None:
            buffer.checked = -1

    # ---- writing

    def put(self, value: Any, node: Node | None) -> None:
        """A value is the result of a node; None: a literal, not followed."""
        if not isinstance(value, np.ndarray):
            self.scalars[identity(value)] = (value, node)
            return
        assert node is not None
        owner = owner_of(value)
        if owner is value or owner.dtype.kind not in FOLLOWED_KINDS:
            self._own(value, node)
            return
        window = Window(value, owner)
        positions = window.positions()
        if positions is not None and positions.size == owner.size == np.unique(positions).size:
            base = self.make("unview", hide, (Ref(node), window), {}, copy_of(owner), -1)
        else:
            rest = self.make("leaf", None, (), {}, copy_of(owner), -1)
            arguments = (Ref(rest), Ref(node), window)
            base = self.make("setflat", with_elements, arguments, {}, copy_of(owner), -1)
        self._own(owner, base).windows[window.key()] = node

    def before_writing(self, array: np.ndarray[Any, Any]) -> Node:
        """The node of the memory behind an array that is about to be changed."""
        owner = owner_of(array)
        if owner.dtype.kind not in FOLLOWED_KINDS:
            owner = array
        buffer = self._owner(owner, None)
        if buffer.is_borrowed():
            buffer.copy()
        return buffer.node

    def settle(self) -> None:
        """The recording is over: copy the results that the program still has and may change."""
        for buffer in self.buffers.values():
            is_result = buffer.node.operation != "leaf"
            if is_result and buffer.is_borrowed() and sys.getrefcount(buffer.owner) > OURS:
                buffer.copy()

    def written(self, array: np.ndarray[Any, Any], before: Node, node: Node, place: int) -> Node:
        """An array now holds the value of a node; returns the node of the memory behind it."""
        owner = owner_of(array)
        if owner is array or owner.dtype.kind not in FOLLOWED_KINDS:
            self._own(array, node)
            return node
        window = Window(array, owner)
        arguments = (Ref(before), Ref(node), window)
        changed = self.make("setflat", with_elements, arguments, {}, copy_of(owner), place)
        self._own(owner, changed).windows[window.key()] = node
        return changed
