"""Memory: which buffer an array belongs to, and where its numbers lie in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]

DOUBLE, FLAG = np.dtype(np.float64), np.dtype(np.bool_)


class NotCompilableError(ValueError):
    """A recorded call that the compiler does not know; NumPy plays it."""


@dataclass(frozen=True)
class View:
    """An array as a part of a region; offset and strides are counted in numbers."""

    region: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """0 along an axis of length 1, and along one that is broadcast."""

    @property
    def span(self) -> tuple[int, int]:
        """The first number of its region that it may touch, and the one after the last."""
        reach = sum(
            stride * (size - 1) for stride, size in zip(self.strides, self.shape, strict=True)
        )
        return self.offset, self.offset + reach + 1

    def overlaps(self, other: "View") -> bool:
        """Whether the two may share a number: the spans between their ends meet."""
        (first, last), (start, end) = self.span, other.span
        return self.region == other.region and first < end and start < last

    def broadcast(self, shape: tuple[int, ...]) -> "View":
        """The same as an array of ``shape``; raises NotCompilableError if that is impossible."""
        missing = len(shape) - len(self.shape)
        own = (1,) * missing + self.shape
        if missing < 0 or any(a not in (1, b) for a, b in zip(own, shape, strict=True)):
            raise NotCompilableError(f"{self.shape} does not fit {shape}")
        return View(self.region, self.offset, shape, (0,) * missing + self.strides)

    def touched(self, size: int) -> npt.NDArray[np.bool_]:
        """Which of the ``size`` numbers of its region it touches."""
        mask = np.zeros(size, dtype=np.bool_)
        base = mask[self.offset :]
        steps = tuple(stride * mask.itemsize for stride in self.strides)
        np.lib.stride_tricks.as_strided(base, self.shape, steps)[...] = True
        return mask


@dataclass(frozen=True, eq=False)
class Region:
    """A buffer: memory that belongs together, and that no other region shares."""

    index: int
    values: AnyArray
    """The whole buffer, one-dimensional and contiguous."""
    kept: bool
    """Whether its contents count before and after a call; if not, they are scratch or constant."""

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(self.values.size)


class Memory:
    """The regions that the calls of a program touch, numbered in the order of their first use.

    ``kept`` are the buffers whose contents count outside of the calls, ``parts`` others that are
    separate although they lie in one block of memory.
    """

    def __init__(self, kept: Iterable[AnyArray] = (), parts: Iterable[AnyArray] = ()) -> None:
        self.regions: list[Region] = []
        named = [*((each, True) for each in kept), *((each, False) for each in parts)]
        self._named = sorted(
            ((*_extent(each), each, is_kept) for each, is_kept in named), key=lambda each: each[0]
        )
        self._known: dict[int, Region] = {}

    def view(self, array: AnyArray) -> View:
        """Where ``array`` lies; NotCompilableError if its numbers are not float64 or bool."""
        if array.dtype not in (DOUBLE, FLAG):
            raise NotCompilableError(f"an array of {array.dtype}")
        start, end = _extent(array)
        region = self._region(array, start, end)
        item = array.itemsize
        offset = (start - region.values.ctypes.data) // item
        strides = tuple(
            stride // item if size > 1 else 0
            for stride, size in zip(array.strides, array.shape, strict=True)
        )
        if any(stride < 0 for stride in strides):
            raise NotCompilableError("an array that is read backwards")
        return View(region.index, offset, array.shape, strides)

    def _region(self, array: AnyArray, start: int, end: int) -> Region:
        for first, last, named, kept in self._named:
            if first <= start and end <= last:
                return self._numbered(first, named.reshape(-1), kept)
            if start < last and first < end:
                raise NotCompilableError("an array across two buffers")
        root: Any = array
        while isinstance(root.base, np.ndarray):
            root = root.base
        if not (root.flags.c_contiguous or root.flags.f_contiguous):
            raise NotCompilableError("an array without a contiguous buffer")
        return self._numbered(root.ctypes.data, root.reshape(-1, order="A"), False)

    def _numbered(self, start: int, values: AnyArray, kept: bool) -> Region:
        if start not in self._known:
            self._known[start] = Region(len(self.regions), values, kept)
            self.regions.append(self._known[start])
        return self._known[start]


def _extent(array: AnyArray) -> tuple[int, int]:
    start = array.ctypes.data
    reach = sum(
        stride * (size - 1) for stride, size in zip(array.strides, array.shape, strict=True)
    )
    return start, start + reach + array.itemsize
