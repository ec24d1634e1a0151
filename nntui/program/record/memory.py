"""Which node a live value is: scalars by identity, arrays by buffer, version and address."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .node import Node, Ref

FOLLOWED_KINDS = "fiub"
Maker = Callable[..., Node]


def is_followed(value: Any) -> bool:
    """Whether values of this type are recorded: floats, arrays of numbers, NumPy's scalars."""
    kind = type(value)
    if kind is float:
        return True
    if isinstance(value, np.ndarray):
        return value.dtype.kind in FOLLOWED_KINDS
    return isinstance(value, (np.floating, np.integer))


def owner_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory this one shows: itself, or the last array of its bases."""
    while True:
        base = array.base
        if base is None:
            return array
        if not isinstance(base, np.ndarray):  # stride tricks keep the array in a holder
            base = getattr(base, "base", None)
            if not isinstance(base, np.ndarray):
                return array
        array = base


def copy_of(value: Any) -> Any:
    """A copy with the same layout in memory: BLAS gives other last bits for another layout."""
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def fresh(value: Any) -> Any:
    """An equal scalar with an identity of its own."""
    return value * 1.0 if type(value) is float else value.copy()


def separate(live: Iterable[Any]) -> None:
    """Give every number that can be set an identity of its own.

    Python keeps one object for equal numbers that stand in one piece of code: two parameters that
    both start as 0.1 would be one value. `live` are values with their `name`, `value` and `set`.
    """
    for each in live:
        if each.set is not None and isinstance(each.value, (float, np.floating)):
            each.set(fresh(each.value))


def same_bits(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays are equal to the last bit, nan included."""
    if left is right:
        return True
    return (
        left.shape == right.shape
        and left.dtype == right.dtype
        and left.tobytes("A") == right.tobytes("A")
    )


def address_of(array: np.ndarray[Any, Any]) -> int:
    """Where the first element lies."""
    return int(array.__array_interface__["data"][0])


class Window:
    """Shows part of an array's memory under another shape: what NumPy calls a view."""

    __slots__ = ("base", "base_dtype", "dtype", "offset", "shape", "strides", "subtype")

    def __init__(self, view: np.ndarray[Any, Any], base: np.ndarray[Any, Any]) -> None:
        self.offset = address_of(view) - address_of(base)
        self.shape, self.strides, self.dtype = view.shape, view.strides, view.dtype
        self.subtype = type(view)
        self.base = (base.shape, base.strides)
        self.base_dtype = base.dtype

    def key(self) -> tuple[Any, ...]:
        """Two windows with one key show the same elements."""
        return (self.offset, self.shape, self.strides, self.dtype.str, self.subtype)

    def __call__(self, base: Any) -> np.ndarray[Any, Any]:
        """The view of `base`, in its own memory."""
        return self._show(np.asarray(base), self.dtype, self.offset, self.strides)

    def _show(
        self,
        base: np.ndarray[Any, Any],
        dtype: np.dtype[Any],
        offset: int,
        strides: tuple[int, ...],
    ) -> np.ndarray[Any, Any]:
        if base.strides != self.base[1] or base.shape != self.base[0]:
            base = self.like_base(base)
        memory = base.reshape(-1) if base.flags.c_contiguous else base.ravel(order="K")
        shown: np.ndarray[Any, Any] = np.ndarray(self.shape, dtype, memory, offset, strides)
        return shown if self.subtype is np.ndarray else shown.view(self.subtype)

    def like_base(self, values: Any = None, dtype: Any = None) -> np.ndarray[Any, Any]:
        """An array with the base's layout, holding `values` (or zeros)."""
        shape, strides = self.base
        order = sorted(range(len(shape)), key=lambda axis: (-abs(strides[axis]), axis))
        layout = np.zeros([shape[axis] for axis in order], dtype or self.base_dtype)
        layout = layout.transpose(np.argsort(order)) if shape else layout
        if values is not None:
            layout[...] = np.asarray(values).reshape(shape)
        return layout

    def spread(self, shown: Any) -> np.ndarray[Any, Any] | None:
        """An array like the base, of 0 but for what is shown; None where windows overlap."""
        if self.dtype != np.float64 or self.base_dtype != np.float64:
            return None
        reach = self.dtype.itemsize
        for stride, count in sorted(zip(map(abs, self.strides), self.shape, strict=True)):
            if count > 1 and stride < reach:
                return None
            reach += (count - 1) * stride
        base = self.like_base()
        self._show(base, self.dtype, self.offset, self.strides)[...] = shown
        return base

    def positions(self) -> np.ndarray[Any, Any] | None:
        """Flat positions, in the base's order of indices, of every element shown."""
        size = self.base_dtype.itemsize
        if self.dtype.itemsize != size or self.offset % size or any(s % size for s in self.strides):
            return None
        count = int(np.prod(self.base[0], dtype=np.int64))
        index = np.dtype(np.int64)
        scale = index.itemsize // size if size <= index.itemsize else 0
        numbers = self.like_base(np.arange(count), index)
        if not scale:
            return None
        strides = tuple(s * scale for s in self.strides)
        numbers_window = Window.__new__(Window)
        numbers_window.shape, numbers_window.subtype = self.shape, np.ndarray
        numbers_window.base = (numbers.shape, numbers.strides)
        return np.array(numbers_window._show(numbers, index, self.offset * scale, strides))


def positions_of(shape: tuple[int, ...], index: Any) -> Any:
    """Flat positions, in C order, of what an index selects of an array of this shape."""
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)[index]


def show(base: Any, window: Window) -> Any:
    """The function of a "view" node."""
    return window(base)


def hide(shown: Any, window: Window) -> Any:
    """The function of an "unview" node: the array of which `shown` is a view."""
    base = window.like_base()
    window(base)[...] = shown
    return base


def with_elements(base: Any, value: Any, where: Any) -> Any:
    """The function of a "setflat" node: a copy of `base` with the elements at `where` written."""
    changed = copy_of(np.asanyarray(base))
    if isinstance(where, Window):
        if changed.strides != where.base[1]:
            changed = where.like_base(changed)
        where(changed)[...] = value
    else:
        changed[where] = value
    return changed


class Buffer:
    """What is known of the memory that an array owns."""

    __slots__ = ("checked", "node", "owner", "windows")

    def __init__(self, owner: np.ndarray[Any, Any], node: Node, checked: int) -> None:
        self.owner, self.node, self.checked = owner, node, checked
        self.windows: dict[tuple[Any, ...], Node] = {}  # of this version


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
        entry = self.scalars.get(id(value))
        if entry is not None:
            return entry[1]
        if isinstance(value, np.ndarray):
            return self._array(value, name) if value.dtype.kind in FOLLOWED_KINDS else None
        if not is_followed(value):
            return None
        node = self.make("leaf", None, (), {}, value, -1, name)
        self.scalars[id(value)] = (value, node)
        return node

    def _array(self, array: np.ndarray[Any, Any], name: str | None) -> Node:
        owner = owner_of(array)
        if owner is array:
            return self._owner(owner, name).node
        if owner.dtype.kind not in FOLLOWED_KINDS:  # part of complex numbers, or of records
            return self._owner(array, name).node
        buffer = self._owner(owner, None)
        node = buffer.node
        known = self.shown.get(id(array))
        if known is not None and known[1] is node:
            return known[2]
        window = Window(array, owner)
        view = buffer.windows.get(window.key())
        if view is None:
            view = self.make("view", show, (Ref(node), window), {}, window(node.value), -1, name)
            buffer.windows[window.key()] = view
        self.shown[id(array)] = (array, node, view)
        return view

    def _owner(self, owner: np.ndarray[Any, Any], name: str | None) -> Buffer:
        buffer = self.buffers.get(id(owner))
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
        if same_bits(buffer.node.value, owner):
            buffer.checked = self.doubts
            return buffer
        node = self.make("leaf", None, (), {}, copy_of(owner), -1, "changed unseen")
        return self._own(owner, node)

    def _own(self, owner: np.ndarray[Any, Any], node: Node) -> Buffer:
        self.buffers[id(owner)] = buffer = Buffer(owner, node, self.doubts)
        return buffer

    def is_known(self, value: Any) -> bool:
        """Whether a value has a node: it was computed, or read, before."""
        if isinstance(value, np.ndarray):
            return id(owner_of(value)) in self.buffers
        return id(value) in self.scalars

    def doubt(self) -> None:
        """Something ran that may have changed any array."""
        self.doubts += 1

    def doubt_array(self, array: np.ndarray[Any, Any]) -> None:
        """Something ran that may have changed this array."""
        buffer = self.buffers.get(id(owner_of(array)))
        if buffer is not None:
            buffer.checked = -1

    # ---- writing

    def put(self, value: Any, node: Node | None) -> None:
        """A value is the result of a node; None: a literal, not followed."""
        if not isinstance(value, np.ndarray):
            self.scalars[id(value)] = (value, node)
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
        if buffer.node.value is owner:  # large, and not copied until now
            buffer.node.value = copy_of(owner)
            for view in buffer.windows.values():
                view.value = view.arguments[1](buffer.node.value)
        return buffer.node

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


LARGE = 8_000_000
"""Bytes from which on an array that comes from outside is not copied before it is written to."""
WORTH_SHARING = 16_000


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
        kept = self.before.get(id(array))
        if kept is None or not same_bits(kept[1], array):
            kept = (array, copy_of(array))
        self.kept[id(array)] = kept
        return kept[1]


take = operator.getitem
"""The function of a "take" node."""


def take_number(base: Any, where: Any) -> float:
    """The function of a "take" node of `tolist`: a number of Python."""
    return float(base[where])
