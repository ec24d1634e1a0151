"""Ranks the seeds of a sweep by final loss."""

import math
from collections.abc import Sequence

from nntui.presets.preset import Goal
from nntui.sweeps.block import Outcome


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """``outcomes`` by ascending final loss; those that are not finite come last."""
    return sorted(outcomes, key=lambda each: (_sortable(each), each.seed))


def _sortable(outcome: Outcome) -> float:
    loss = outcome.final_loss
    return math.inf if loss is None or not math.isfinite(loss) or outcome.diverged else loss


def rank_of(outcomes: Sequence[Outcome], seed: int) -> int | None:
    """The rank of ``seed``, 1 for the lowest final loss; None if it is not in ``outcomes``."""
    ranks = {outcome.seed: rank for rank, outcome in enumerate(ranked(outcomes), start=1)}
    return ranks.get(seed)


def spread(outcomes: Sequence[Outcome]) -> tuple[float, float, float] | None:
    """The lowest, the median and the highest finite final loss; None if there is none."""
    losses = [loss for loss in map(_sortable, ranked(outcomes)) if math.isfinite(loss)]
    return (losses[0], losses[len(losses) // 2], losses[-1]) if losses else None


def solved_count(outcomes: Sequence[Outcome], goal: Goal) -> int:
    """How many of ``outcomes`` reach the goal."""
    return sum(outcome.solved(goal) for outcome in outcomes)
