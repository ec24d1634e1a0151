"""Exact paired test of two treatments of the same seeds."""

import math

LEVEL = 0.05
"""The chance, two-sided, below which a difference counts."""

HELPS, NO_EFFECT, HARMS = "helps", "no effect", "harms"


def p_value(won: int, lost: int) -> float:
    """The two-sided exact probability of seeds ``won`` and ``lost`` if a fix did nothing.

    McNemar's test (McNemar 1947) in its exact form: only seeds with different outcomes tell
    anything, and each of them is won with probability 1/2, so the lesser count is binomial
    (Agresti, Categorical Data Analysis, section 11.1).
    """
    count, least = won + lost, min(won, lost)
    tail = sum(math.comb(count, each) for each in range(least + 1))
    return min(2.0 * tail / 2.0**count, 1.0)


def verdict(won: int, lost: int) -> str:
    """``helps`` or ``harms`` where the difference counts, else ``no effect``."""
    if p_value(won, lost) > LEVEL:
        return NO_EFFECT
    return HELPS if won > lost else HARMS
