"""Fusion: consecutive operations of one shape become one loop, which keeps numbers in registers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nntui.compiler.calls.array_operations import Reduction, Step
from nntui.compiler.calls.regions import View

RESULTS, TERMS, NOTHING = "results", "terms", "nothing"
FEWEST = 4
"""Numbers side by side from which a vector is worth it."""


@dataclass
class Nest:
    """Operations whose results have one shape, to be computed in one loop over it."""

    shape: tuple[int, ...]
    mode: str
    """What is side by side: see `mode_of`."""
    steps: list[Step] = field(default_factory=list)

    def takes(self, step: Step) -> bool:
        """Whether ``step`` can be computed in the same loop, after the others."""
        if step.out.shape != self.shape or mode_of(step) != self.mode:
            return False
        return all(_independent(before, step) for before in self.steps)


def fused(steps: Sequence[Step]) -> list[Nest]:
    """``steps`` in their order, as loops of as many consecutive ones as possible."""
    nests: list[Nest] = []
    for step in steps:
        if not nests or not nests[-1].takes(step):
            nests.append(Nest(step.out.shape, mode_of(step)))
        nests[-1].steps.append(step)
    return nests


def vector_axis(shape: Sequence[int], views: Sequence[View], outs: Sequence[View]) -> int | None:
    """The longest axis along which all ``views`` lie side by side or stay; None if there is none.

    The first axes of the views are those of ``shape``.
    """
    fitting = [
        axis
        for axis, size in enumerate(shape)
        if size > 1
        and all(out.strides[axis] == 1 for out in outs)
        and all(view.strides[axis] in (0, 1) for view in views)
    ]
    return max(fitting, key=lambda axis: shape[axis], default=None)


def mode_of(step: Step) -> str:
    """What can be computed side by side: results, the terms of one sum, or nothing."""
    shape = step.out.shape
    axis = vector_axis(shape, step.reads, (step.out,))
    if isinstance(step, Reduction):
        longest = step.inner[-1]
        if (
            longest >= FEWEST
            and all(each.strides[-1] in (0, 1) for each in step.factors)
            and (axis is None or shape[axis] < min(FEWEST, longest))
        ):
            return TERMS
    return RESULTS if axis is not None else NOTHING


def _independent(before: Step, step: Step) -> bool:
    """Whether ``step`` may follow ``before`` within a loop: they meet in single numbers only."""
    for written, other in ((before.out, step), (step.out, before)):
        for touched in (*other.reads, other.out):
            if not touched.overlaps(written):
                continue
            whole = isinstance(other, Reduction) and touched is not other.out
            if whole or (touched.offset, touched.strides) != (written.offset, written.strides):
                return False
    return True
