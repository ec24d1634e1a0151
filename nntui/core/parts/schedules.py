"""Schedules: the factor on the learning rate in each epoch.

A new schedule is one entry of `SCHEDULES`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.evaluation import scalar_function
from nntui.core.formulas.expression import Expression
from nntui.core.formulas.parsing import formula


@dataclass(frozen=True)
class Schedule:
    """One schedule: ``formula`` gives the factor over ``epoch`` (from 0), ``decay``, ``every``."""

    name: str
    formula: str
    summary: str

    @property
    def expression(self) -> Expression:
        """The formula, parsed."""
        return simplified(formula(self.formula))

    @cached_property
    def is_constant(self) -> bool:
        """Whether the factor is the same in every epoch."""
        return "epoch" not in self.expression.names

    @cached_property
    def _function(self) -> Callable[[Mapping[str, float]], float]:
        return scalar_function(self.expression)

    def factor(self, epoch: int, decay: float, every: int) -> float:
        """The factor in ``epoch``, counted from 0; infinite if it overflows."""
        try:
            return self._function({"epoch": float(epoch), "decay": decay, "every": float(every)})
        except OverflowError:
            return math.inf


SCHEDULES: dict[str, Schedule] = {
    each.name: each
    for each in (
        Schedule("constant", "1", "the same rate throughout"),
        Schedule(
            "step",
            "decay^floor(epoch / every)",
            "multiplied by decay after every schedule_every epochs",
        ),
        Schedule(
            "exponential",
            "decay^(epoch / every)",
            "falls smoothly, by the factor decay in schedule_every epochs",
        ),
        Schedule("inverse", "1 / (1 + decay*epoch / every)", "falls like one over the epoch"),
        Schedule(
            "cosine",
            "decay + (1 - decay)*(1 + cos(pi*min(epoch / every, 1)))/2",
            "falls along half a cosine to the share decay (Loshchilov and Hutter 2017)",
        ),
    )
}
