"""Padding: scratch buffers whose rows begin at whole lines of the cache.

A vector across two lines takes twice as long to be loaded and stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nntui.compiler.calls.array_operations import Elementwise, Step
from nntui.compiler.calls.bands import LEAST
from nntui.compiler.calls.regions import AnyArray, View

LINE = 64
"""Bytes of a line of the cache; on some processors it is twice as long."""
NUMBERS = LINE // 8


class Padding:
    """The rows of scratch buffers, as they lie in memory of their own.

    ``views`` are all views of those buffers, by region.
    """

    def __init__(self, views: Mapping[int, Iterable[View]]) -> None:
        self._rows: dict[int, tuple[int, int]] = {}
        self.buffers: dict[int, AnyArray] = {}
        """The memory of each region that is padded."""
        for region, seen in views.items():
            every = list(seen)
            length = _row_length(every)
            if length:
                # Shorter rows are walked as one long row, which gaps would prevent.
                padded = -(-length // NUMBERS) * NUMBERS if length >= LEAST else length
                rows = -(-max(view.span[1] for view in every) // length)
                self._rows[region] = length, padded
                self.buffers[region] = aligned(rows * padded)

    def step(self, step: Step) -> Step:
        """``step`` on the padded buffers."""
        out = self._view(step.out)
        if isinstance(step, Elementwise):
            operands = [self._view(x) if isinstance(x, View) else x for x in step.operands]
            return replace(step, operands=tuple(operands), out=out)
        return replace(step, factors=tuple(map(self._view, step.factors)), out=out)

    def _view(self, view: View) -> View:
        if view.region not in self._rows:
            return view
        length, padded = self._rows[view.region]
        strides = tuple(
            stride // length * padded if stride >= length else stride for stride in view.strides
        )
        row, column = divmod(view.offset, length)
        return View(view.region, row * padded + column, view.shape, strides)


def aligned(count: int) -> AnyArray:
    """Zeros that begin at a line of the cache, (count,)."""
    block = np.zeros(count + NUMBERS)
    start = -(block.ctypes.data // 8) % NUMBERS
    return block[start : start + count]


def _row_length(views: Sequence[View]) -> int:
    """The length of the rows of a buffer, of which every view takes some; 0 if it has none."""
    strides = {stride for view in views for stride in view.strides if stride > 1}
    length = min(strides, default=max(view.span[1] for view in views))
    if any(stride % length for stride in strides):
        return 0
    for view in views:
        along = sum(
            stride * (size - 1)
            for stride, size in zip(view.strides, view.shape, strict=True)
            if stride < length
        )
        if view.offset % length + along >= length:
            return 0
    return length
