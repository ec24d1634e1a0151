"""Live values: which of them are followed, their copies and their identities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

FOLLOWED_KINDS = "fiub"
LARGE = 8_000_000
"""Bytes from which on an array is not copied before something is written to it."""

identity = object.__hash__
"""Tells objects apart as `id` does, which raises an audit event each time: three times as slow."""


def is_followed(value: Any) -> bool:
    """Whether values of this type are recorded: floats, arrays of numbers, NumPy's scalars."""
    kind = type(value)
    if kind is float:
        return True
    if isinstance(value, np.ndarray):
        return value.dtype.kind in FOLLOWED_KINDS
    return isinstance(value, (np.floating, np.integer))


def owner_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory this one shows: itself, or the last array of its bases."""
    while True:
        base = array.base
        if base is None:
            return array
        if not isinstance(base, np.ndarray):  # stride tricks keep the array in a holder
            base = getattr(base, "base", None)
            if not isinstance(base, np.ndarray):
                return array
        array = base


def copy_of(value: Any) -> Any:
    """A copy with the same layout in memory: BLAS gives other last bits for another layout."""
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def is_borrowable(value: Any) -> bool:
    """Whether a result is so large that it is copied only when something is written to it."""
    return type(value) is np.ndarray and value.nbytes >= LARGE and value.base is None


def fresh(value: Any) -> Any:
    """An equal scalar with an identity of its own."""
    return value * 1.0 if type(value) is float else value.copy()


def separate(live: Iterable[Any]) -> None:
    """Give every number that can be set an identity of its own.

    Python keeps one object for equal numbers that stand in one piece of code: two parameters that
    both start as 0.1 would be one value. `live` are values with their `name`, `value` and `set`.
    """
    for each in live:
        if each.set is not None and isinstance(each.value, (float, np.floating)):
            each.set(fresh(each.value))


def same_bits(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays are equal to the last bit, nan included."""
    if left is right:
        return True
    return (
        left.shape == right.shape
        and left.dtype == right.dtype
        and left.tobytes("A") == right.tobytes("A")
    )
