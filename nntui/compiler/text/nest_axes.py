"""Axes: those of a nest that can be walked as one, and an array in what is left of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Laid:
    """An array in the axes of a nest, and of a sum within it."""

    region: int
    offset: int
    strides: tuple[int, ...]
    inner: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[int, int, tuple[int, ...]]:
        """What tells it from other arrays in the same axes."""
        return self.region, self.offset, self.strides


def joined_axes(
    sizes: Sequence[int], strides: Sequence[Sequence[int]], apart: int | None = None
) -> tuple[list[int], tuple[int, ...]]:
    """Axes that can be walked as one: the last axis of each group, and the groups' sizes.

    The axis ``apart`` stays alone.
    """
    axes = [axis for axis, size in enumerate(sizes) if size > 1]
    last, joined = list(axes[-1:]), [sizes[axis] for axis in axes[-1:]]
    for axis, following in reversed(list(pairwise(axes))):
        alone = apart in (axis, following)
        if not alone and all(each[axis] == each[following] * sizes[following] for each in strides):
            joined[0] *= sizes[axis]
        else:
            last.insert(0, axis)
            joined.insert(0, sizes[axis])
    return last or [len(sizes) - 1] if sizes else [], tuple(joined) or ((1,) if sizes else ())


def picked(strides: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """The strides of some axes."""
    return tuple(strides[axis] for axis in axes)


def unravelled(at: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """The index of the number ``at`` of an array of these ``sizes``."""
    found: list[int] = []
    for size in reversed(sizes):
        found.insert(0, at % size)
        at //= size
    return tuple(found)
