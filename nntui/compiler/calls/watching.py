"""Watching: the tests whether numbers are finite, and which of them others make superfluous.

A number that is not finite makes every sum and product that it enters not finite as well; where
those are tested, it needs no test of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from nntui.compiler.calls.array_operations import SUM, WATCH, Elementwise, Reduction, Step
from nntui.compiler.calls.regions import AnyArray, Memory, View

PASSED_ON = {
    "add": 2,
    "subtract": 2,
    "multiply": 2,
    "divide": 1,
    "positive": 1,
    "negative": 1,
    "abs": 1,
    "sqrt": 1,
}
"""How many of the first operands of a function make its result not finite when they are not: an
infinite number times 0 is NaN, a finite one divided by an infinite one is 0."""
EXTREMES = ("maximum", "minimum")
"""Functions whose result is not finite where all of their operands are not."""


def is_test(step: Step) -> bool:
    """Whether ``step`` is a test, which changes nothing."""
    return isinstance(step, Elementwise) and step.function == WATCH


def with_tests(steps: Sequence[Step], watched: Iterable[AnyArray], memory: Memory) -> list[Step]:
    """``steps`` with a test of each watched number after it was written for the last time."""
    masks = {}
    for each in watched:
        view = memory.view(each)
        masks[view.region] = view.touched(memory.regions[view.region].size)
    tested: list[Step] = []
    late: list[Step] = []
    for step in reversed(steps):
        mask = masks.get(step.out.region)
        if mask is not None:
            touched = step.out.touched(len(mask))
            test = Elementwise(WATCH, (step.out,), step.out)
            if (mask & touched).any():
                if mask[touched].all():
                    tested.append(test)
                else:
                    late.append(test)
                mask &= ~touched
        tested.append(step)
    return [*reversed(tested), *late]


def without_superfluous(steps: Sequence[Step]) -> list[Step]:
    """``steps`` without the tests that can only fail where a later one fails too."""
    kept: list[Step] = []
    later = _Consequences(steps)
    for number in range(len(steps) - 1, -1, -1):
        step = steps[number]
        if is_test(step) and later.is_tested(number, step.out):
            later.drop(number)
        else:
            kept.append(step)
    return kept[::-1]


class _Consequences:
    """Which tests fail because a number is not finite."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self._reading: dict[int, list[int]] = defaultdict(list)
        self._writing: dict[int, list[int]] = defaultdict(list)
        for number, step in enumerate(steps):
            for region in {view.region for view in step.reads}:
                self._reading[region].append(number)
            if not is_test(step):
                self._writing[step.out.region].append(number)
        self._dropped: set[int] = set()
        self._known: dict[int, bool] = {}

    def drop(self, number: int) -> None:
        """The test at ``number`` is not made."""
        self._dropped.add(number)

    def is_tested(self, number: int, view: View) -> bool:
        """Whether a later test fails wherever ``view``, as it is after a step, is not finite."""
        wild = {(number, view)}
        waiting = [(number, view)]
        while waiting:
            at, seen = waiting.pop()
            for following in self._readers(at, seen):
                step = self._steps[following]
                if is_test(step):
                    if following not in self._dropped and _covers(step.out, seen):
                        return True
                elif isinstance(step, Reduction):
                    if _sums(step, seen) and self._after(following):
                        return True
                elif self._passes(step, following, wild) and (following, step.out) not in wild:
                    wild.add((following, step.out))
                    waiting.append((following, step.out))
        return False

    def _after(self, number: int) -> bool:
        if number not in self._known:
            self._known[number] = self.is_tested(number, self._steps[number].out)
        return self._known[number]

    def _readers(self, at: int, view: View) -> list[int]:
        """The later steps that read ``view`` as it was left by the step ``at``."""
        changed = next(
            (
                number
                for number in self._writing[view.region]
                if number > at and self._steps[number].out.overlaps(view)
            ),
            len(self._steps),
        )
        return [number for number in self._reading[view.region] if at < number <= changed]

    def _passes(self, step: Elementwise, number: int, wild: set[tuple[int, View]]) -> bool:
        """Whether the result of ``step`` is not finite at the places where ``wild`` is not."""
        whole = step.function in EXTREMES
        entering = [
            any(
                isinstance(operand, View)
                and (operand == view if whole else _covers(operand, view))
                and number in self._readers(at, view)
                for at, view in wild
            )
            for operand in step.operands
        ]
        return all(entering) if whole else any(entering[: PASSED_ON.get(step.function, 0)])


def _covers(operand: View, view: View) -> bool:
    """Whether ``operand`` has every number of ``view``."""
    if operand.region != view.region:
        return False
    if operand == view:
        return True
    size = max(operand.span[1], view.span[1])
    return not (view.touched(size) & ~operand.touched(size)).any()


def _sums(step: Reduction, view: View) -> bool:
    """Whether every number of ``view`` enters a sum."""
    return step.kind == SUM and any(_covers(factor, view) for factor in step.factors)
