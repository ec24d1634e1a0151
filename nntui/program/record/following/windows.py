"""Views as functions of the array whose memory they show, and elements read and written."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nntui.program.record.following.live_values import copy_of


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


take = operator.getitem
"""The function of a "take" node."""


def take_number(base: Any, where: Any) -> float:
    """The function of a "take" node of `tolist`: a number of Python."""
    return float(base[where])
