"""Ticks of an axis: round numbers, with texts that tell them apart."""

import math
from collections.abc import Sequence

import numpy as np

from nntui.core.number_text import told_apart
from nntui.core.tape import Array

Ticks = tuple[tuple[float, str], ...]
"""Positions on the axis (the exponent, on a log axis) with the text to print there."""


def nice_numbers(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` round numbers (1, 2 or 5 times a power of ten) from ``low`` to ``high``."""
    span = (high - low) / max(most - 1, 1)
    if not (math.isfinite(span) and span > 0.0):
        return [low]
    power = 10.0 ** math.floor(math.log10(span))
    if power == 0.0:
        return [low]
    step = next(power * f for f in (1.0, 2.0, 5.0, 10.0) if power * f >= span * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def ticks_of(low: float, high: float, most: int, log: bool) -> Ticks:
    """At most ``most`` ticks from ``low`` to ``high``, which are exponents on a ``log`` axis."""
    if not log:
        return _labelled(nice_numbers(low, high, most), log)
    # Beyond 1e-307 and 1e307 the padded ends are no floats any more.
    low, high = max(low, -307.0), min(high, 307.0)
    decades = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
    if len(decades) >= 2:
        stride = -(-len(decades) // most)
        return _labelled(list(map(float, decades[::stride])), log)
    values = [v for v in nice_numbers(10.0**low, 10.0**high, most) if v > 0.0]
    return _labelled([math.log10(value) for value in values], log)


def _labelled(places: Sequence[float], log: bool) -> Ticks:
    """Ticks at ``places``, whose texts differ where they do."""
    # The logarithm of the greatest floats is rounded up, to where its power would overflow.
    values = [10.0 ** min(place, 308.2547) if log else place for place in places]
    return tuple(zip(places, told_apart(values), strict=True))


def with_top(ticks: Ticks, low: float, high: float, most: int, y: Array, log: bool) -> Ticks:
    """``ticks`` with one at the greatest loss, which is read first.

    Where the last tick would share its row with that loss, the loss takes its place: a label must
    not stand beside a line that is somewhere else.  So it does where there is room for one.
    """
    if not len(y):
        return ticks
    top, room = float(np.max(y)), (high - low) / max(2 * most - 1, 1)
    if most == 1:
        return _labelled([top], log)
    apart = top - ticks[-1][0] if ticks else np.inf
    if abs(apart) < room / 8 or apart <= -room:
        return ticks
    kept = ticks if apart >= room else ticks[:-1]
    return _labelled([*(place for place, _ in kept), top], log)


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with a little room, also around a single value."""
    room = 0.05 * (high - low) or 0.1 * abs(high) or 0.1
    return low - room, high + room
