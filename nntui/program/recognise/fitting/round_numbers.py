"""Finds the number that a person wrote behind one that was measured."""

from collections.abc import Iterable

NEAR = 1e-9
"""Relative difference up to which a measured number is the written one."""


def is_near(one: float, other: float) -> bool:
    """Whether two numbers are one, up to the rounding of a measurement."""
    return abs(one - other) <= NEAR * max(abs(one), abs(other))


def digits_of(value: float) -> int:
    """How many digits the number needs, up to rounding; 15 if there is no short form."""
    for digits in range(1, 13):
        if is_near(float(f"{value:.{digits}g}"), value):
            return digits
    return 15


def written(value: float, known: Iterable[float] = (), divisors: Iterable[int] = ()) -> float:
    """The number behind ``value``: one of those ``known``, a short one, or a short one divided."""
    best = min((abs(each - value), each) for each in (*known, value))[1]
    for each in known:
        if is_near(each, value) and abs(each - value) <= abs(best - value) + NEAR * abs(value):
            return each
    for divisor in (1, *divisors):
        digits = digits_of(value * divisor)
        if digits <= 6:
            return float(f"{value * divisor:.{digits}g}") / divisor
    digits = digits_of(value)
    return float(f"{value:.{digits}g}") if digits < 13 else value
