"""Fields of frozen dataclasses that are read from strict JSON and written to it.

JSON knows no NaN and no infinity: numbers that are not finite become null, and so None.  Imports
the standard library alone.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any, TypeVar

Kind = TypeVar("Kind")
Read = Callable[[Any], Any]
"""Reads a value of JSON; raises ValueError for any other."""


def a_text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError(f"a text is needed, not {value!r:.40}")
    return value


def a_flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"true or false is needed, not {value!r:.40}")
    return value


def a_whole(value: Any) -> int:
    """An integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number is needed, not {value!r:.40}")
    return value


def a_number(value: Any) -> float | None:
    """A number, or None for null and for what is not finite."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"a number or null is needed, not {value!r:.40}")
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def one_of(choices: tuple[str, ...]) -> Read:
    """Reads one of ``choices``."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)} is needed, not {value!r:.40}")
        return str(value)

    return read


def maybe(read: Read) -> Read:
    """Reads null, or what ``read`` reads."""
    return lambda value: None if value is None else read(value)


def many(read: Read) -> Read:
    """Reads a list of what ``read`` reads, as a tuple."""

    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"a list is needed, not {value!r:.40}")
        return tuple(map(read, value))

    return read_all


def record(kind: type[Any]) -> Read:
    """Reads an object as a dataclass of ``kind``."""
    return lambda value: read_record(kind, value)


def entry(read: Read, default: Any = MISSING, beside: bool = False) -> Any:
    """A field that ``read`` reads; ``beside``: it is no part of the public JSON."""
    metadata = {"read": read, "beside": beside}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def read_record(kind: type[Kind], value: Any) -> Kind:
    """The dataclass ``kind`` from an object; raises ValueError, with the place, for any other."""
    if not isinstance(value, Mapping):
        raise ValueError(f"an object is needed, not {value!r:.40}")
    known: dict[str, Any] = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for name in value:
        if name not in known:
            raise ValueError(f"there is no entry {name!r:.40}")
    read = {}
    for name, each in known.items():
        if name not in value:
            if each.default is MISSING:
                raise ValueError(f"{name}: it is missing")
            continue
        try:
            read[name] = each.metadata["read"](value[name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return kind(**read)


def plain(value: Any, *, beside: bool = True) -> Any:
    """``value`` as values of strict JSON; ``beside``: also what is no part of the public JSON."""
    if is_dataclass(value):
        return {
            each.name: plain(getattr(value, each.name), beside=beside)
            for each in fields(value)
            if beside or not each.metadata.get("beside")
        }
    if isinstance(value, tuple):
        return [plain(each, beside=beside) for each in value]
    return a_number(value) if isinstance(value, float) else value
