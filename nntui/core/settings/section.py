"""Sections: dataclasses whose declared entries are validated on construction."""

import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from itertools import chain
from numbers import Integral, Real
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError, one_of, quoted
from nntui.core.settings.rows import Rows


def entry(
    default: Any = MISSING,
    *,
    doc: str,
    choices: Collection[str] | None = None,
    formula: Callable[[str, str], None] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    most: int | None = None,
    later: bool = False,
) -> Any:
    """A dataclass field with its meaning (``doc``), its choices and its limits.

    ``most`` is that of rows, or of numbers in a list.

    ``choices`` is read whenever a value is checked, so a registry can grow.  With
    ``formula(key, text)``, which raises ConfigError, other texts may be formulas.  ``later``
    marks a key that earlier versions did not have: `Section.identity` leaves it out at its
    default, so that the hashes of older presets and sessions stay what they were.
    """
    return field(
        default=default,
        metadata={
            "doc": doc,
            "choices": choices,
            "formula": formula,
            "low": low,
            "high": high,
            "above": above,
            "below": below,
            "most": most,
            "later": later,
        },
    )


_LIMITS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("low", "at least", operator.ge),
    ("high", "at most", operator.le),
    ("above", "more than", operator.gt),
    ("below", "less than", operator.lt),
)


def check_number(key: str, value: Any, whole: bool, limits: Mapping[str, Any]) -> int | float:
    """``value`` as a finite number within ``limits`` (low, high, above, below), or ConfigError."""
    kind = "a whole number" if whole else "a number"
    # NumPy's numbers are registered with these ABCs; bool is an Integral too, but not valid here.
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        raise ConfigError(key, f"must be {kind}, not {quoted(value)}")
    given: Any = value  # mypy knows no conversions of the abstract types
    try:
        number = operator.index(given) if whole else float(given)
    except OverflowError:
        raise ConfigError(key, "is too large for a float") from None
    if not whole and not math.isfinite(number):
        raise ConfigError(key, f"must be finite, not {number}")
    for limit, words, holds in _LIMITS:
        bound = limits.get(limit)
        if bound is not None and not holds(number, bound):
            raise ConfigError(key, f"must be {words} {bound:,}, not {quoted(value)}")
    return number


def check_rows(key: str, value: Any) -> Rows:
    """``value`` as rows of finite floats, all of one width.

    Raises ConfigError that names the first invalid row or number.
    """
    if isinstance(value, Rows):
        return value
    if not isinstance(value, (list, tuple)) or not value:
        raise ConfigError(key, "must be a list of rows, such as [[0, 1], [1, 0]]")
    return _rows_at_once(value) or _rows_one_by_one(key, value)


def _rows_at_once(value: list[Any] | tuple[Any, ...]) -> Rows | None:
    """Fast path for rows of finite Python numbers; None if they must be checked one by one."""
    if not set(map(type, value)) <= {list, tuple} or len(set(map(len, value))) != 1:
        return None
    if not set(map(type, chain.from_iterable(value))) <= {float, int} or not value[0]:
        return None
    try:
        made = np.array(value, dtype=np.float64)
    except OverflowError:
        return None
    return Rows(made) if np.isfinite(made).all() else None


def _rows_one_by_one(key: str, value: list[Any] | tuple[Any, ...]) -> Rows:
    rows: list[list[float]] = []
    for index, row in enumerate(value):
        if not isinstance(row, (list, tuple)) or not row:
            raise ConfigError(f"{key}.{index}", f"must be a row of numbers, not {quoted(row)}")
        rows.append(_numbers(f"{key}.{index}", row))
        if len(rows[-1]) != len(rows[0]):
            raise ConfigError(
                f"{key}.{index}",
                f"has {len(rows[-1])} numbers where the first row has {len(rows[0])}",
            )
    return Rows(np.array(rows))


def _check_length(key: str, value: Any, most: int | None, what: str) -> None:
    if most is not None and isinstance(value, (list, tuple, Rows)) and len(value) > most:
        raise ConfigError(key, f"has {len(value):,} {what}; at most {most:,} are allowed")


def _numbers(key: str, row: list[Any] | tuple[Any, ...]) -> list[float]:
    if set(map(type, row)) == {float} and all(map(math.isfinite, row)):
        return list(row)
    return [
        float(check_number(f"{key}.{column}", cell, False, {})) for column, cell in enumerate(row)
    ]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the configuration; its entries are checked one by one on construction."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (value is None and each.default is None):
                object.__setattr__(self, each.name, check_entry(each, value))

    def default_of(self, declared: Field[Any]) -> Any:
        """The value of an entry that is left out; MISSING for a required one."""
        return declared.default

    @property
    def identity(self) -> dict[str, Any]:
        """The entries by which equal sections are recognised, in the types of JSON."""
        return {
            each.name: value.digest if isinstance(value, Rows) else value
            for each in fields(self)
            for value in [getattr(self, each.name)]
            if not (each.metadata.get("later") and _is_default(value, each.default))
        }

    @property
    def non_defaults(self) -> dict[str, Any]:
        """The entries that differ from their defaults, in the order of declaration."""
        found = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if not _is_default(value, self.default_of(each)):
                found[each.name] = value
        return found


def _is_default(value: Any, default: Any) -> bool:
    """Whether ``value`` is ``default``; -0.0 == 0.0, but they are different numbers."""
    return bool(value == default) and str(value) == str(default)


def check_entry(declared: Any, value: Any) -> Any:
    """``value`` converted to the type of the field ``declared``.

    Raises ConfigError, with the field's name as its key, for an invalid value.
    """
    key, kind, limits = declared.name, declared.type, declared.metadata
    if limits.get("formula") is not None and isinstance(value, str):
        limits["formula"](key, value)
    elif limits.get("choices") is not None:
        if not isinstance(value, str) or value not in limits["choices"]:
            raise ConfigError(key, one_of(value, limits["choices"]))
    elif kind in (int, float, int | None, float | None):
        return check_number(key, value, kind in (int, int | None), limits)
    elif kind is bool:
        if not isinstance(value, bool):
            raise ConfigError(key, f"must be true or false, not {quoted(value)}")
    elif kind is str or kind == str | None:
        if not isinstance(value, str):
            raise ConfigError(key, f"must be a text in quotes, not {quoted(value)}")
        if not all(each.isprintable() or each in "\n\t" for each in value):
            raise ConfigError(key, "contains a control character")
    elif kind == Rows or kind == Rows | None:
        _check_length(key, value, limits["most"], "rows")
        return check_rows(key, value)
    elif kind == tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise ConfigError(key, f"must be a list of texts in quotes, not {quoted(value)}")
        return tuple(value)
    elif kind in (tuple[float, ...], tuple[float, ...] | None):
        if not isinstance(value, (list, tuple)):
            raise ConfigError(key, f"must be a list of numbers, not {quoted(value)}")
        _check_length(key, value, limits["most"], "numbers")
        return tuple(_numbers(key, value))
    return value
