"""Exact paired test of two treatments of the same seeds."""

import math

LEVEL = 0.05
"""The two-sided p-value at or below which a difference is significant."""

HELPS, NO_EFFECT, HARMS = "helps", "no effect", "harms"


def p_value(won: int, lost: int) -> float:
    """The exact two-sided p-value of ``won`` and ``lost`` seeds if a fix has no effect.

    McNemar's test (McNemar 1947) in its exact form: only seeds with different outcomes are
    informative, and each of them is won with probability 1/2, so the smaller count is binomial
    (Agresti, Categorical Data Analysis, section 11.1).
    """
    count, least = won + lost, min(won, lost)
    tail = sum(math.comb(count, each) for each in range(least + 1))
    return min(2.0 * tail / 2.0**count, 1.0)


def verdict(won: int, lost: int) -> str:
    """``helps`` or ``harms`` if the difference is significant, else ``no effect``."""
    if p_value(won, lost) > LEVEL:
        return NO_EFFECT
    return HELPS if won > lost else HARMS
