"""Bands: nests that are computed block by block of columns, so that a block stays in the cache.

A column is an index along the axis whose numbers lie side by side: a sample, or a replica.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nntui.compiler.calls.fusion import RESULTS, Nest, vector_axis
from nntui.compiler.calls.regions import View

LEAST = 48
"""Columns from which blocks are worth it."""


@dataclass
class Band:
    """Consecutive nests; with ``columns``, all compute the same columns of their results."""

    nests: list[Nest]
    columns: int = 0
    """How many there are; 0 for a nest that stands alone."""
    axes: list[int] = field(default_factory=list)
    """The axis of the columns in the shape of each nest."""

    @property
    def columned(self) -> list[tuple[Nest, int | None]]:
        """Each nest with its axis of columns; None for a nest that stands alone."""
        axes: Sequence[int | None] = self.axes or [None]
        return list(zip(self.nests, axes, strict=True))


def banded(nests: Sequence[Nest]) -> list[Band]:
    """``nests`` as bands of as many as possible.

    A nest is moved to an earlier band if it depends on nothing that it overtakes.
    """
    bands: list[Band] = []
    waiting = list(nests)
    while waiting:
        nest = waiting.pop(0)
        axis = _columns(nest)
        if axis is None or nest.shape[axis] < LEAST:
            bands.append(Band([nest]))
            continue
        band = Band([nest], nest.shape[axis], [axis])
        left: list[Nest] = []
        for other in waiting:
            at = _columns(other)
            if (
                at is not None
                and other.shape[at] == band.columns
                and all(
                    _by_columns(each, place, other, at)
                    for each, place in zip(band.nests, band.axes, strict=True)
                )
                and all(_independent(each, other) for each in left)
            ):
                band.nests.append(other)
                band.axes.append(at)
            else:
                left.append(other)
        waiting = left
        bands.append(band if len(band.nests) > 1 else Band([nest]))
    return bands


def _independent(one: Nest, two: Nest) -> bool:
    """Whether the order of two nests does not matter."""
    return not any(
        written.overlaps(view)
        for before, after in ((one, two), (two, one))
        for written in (step.out for step in before.steps)
        for step in after.steps
        for view in (*step.reads, step.out)
    )


def row_length(views: Iterable[tuple[View, int]]) -> int:
    """How far apart the rows of all ``views`` lie, each with its axis of columns; 0 for one row.

    That is the greatest common divisor of all other strides.
    """
    others = (
        stride for view, axis in views for at, stride in enumerate(view.strides) if at != axis
    )
    return math.gcd(*others)


def _columns(nest: Nest) -> int | None:
    if nest.mode != RESULTS:
        return None
    views = [view for step in nest.steps for view in step.reads]
    return vector_axis(nest.shape, views, [step.out for step in nest.steps])


def _by_columns(before: Nest, at: int, nest: Nest, axis: int) -> bool:
    """Whether a column of ``nest`` needs, and changes, only the same column of ``before``."""
    for earlier in before.steps:
        for later in nest.steps:
            pairs = [(earlier.out, view) for view in (*later.reads, later.out)]
            pairs += [(view, later.out) for view in earlier.reads]
            if not all(_same_column(one, at, two, axis) for one, two in pairs):
                return False
    return True


def _same_column(one: View, at: int, two: View, axis: int) -> bool:
    if not one.overlaps(two):
        return True
    if one.strides[at] != 1 or two.strides[axis] != 1:
        return False
    length = row_length([(one, at), (two, axis)])
    if not length:
        return one.offset == two.offset
    return length >= one.shape[at] and (one.offset - two.offset) % length == 0
