"""What the containers of a program hold: elements, attributes and fields, and their names."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import BuiltinFunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

Setter = Callable[[Any], None]

LONGEST = 300
"""Numbers in a list that is still taken apart; a longer one is a record of losses, or data."""
CLOSED = (ModuleType, BuiltinFunctionType, MethodType, np.ufunc)
PLAIN = (int, str, bool, bytes, type(None))


def is_own(value: Any, modules: Mapping[str, ModuleType]) -> bool:
    """Whether ``value`` is an object of a class that the program defines."""
    kind = type(value)
    return getattr(kind, "__module__", None) in modules and kind is not type


def parts_of(
    value: Any, modules: Mapping[str, ModuleType], everything: bool
) -> Iterator[tuple[str, Any, Setter | None]]:
    """What is directly within ``value``, with the end of its name and its setter."""
    kind = type(value)
    if kind in PLAIN or kind is float or isinstance(value, CLOSED):
        return
    if isinstance(value, type):
        if value.__module__ in modules:
            yield from _attributes(value, dict(value.__dict__))
        return
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            for at, each in enumerate(value.flat):
                yield f"[{at}]", each, _put_flat(value, at)
        return
    if isinstance(value, list | tuple | deque):
        if (
            len(value) > LONGEST
            and not everything
            and all(type(each) in (float, int, np.float64) for each in list(value)[:50])
        ):
            return
        fields = getattr(value, "_fields", None) if isinstance(value, tuple) else None
        for at, each in enumerate(list(value)):
            put = None if isinstance(value, tuple) else _put_item(value, at)
            yield f".{fields[at]}" if fields else f"[{at}]", each, put
    elif isinstance(value, dict):
        for at, (key, each) in enumerate(list(value.items())):
            yield f"[{_key(key, at)}]", each, _put_item(value, key)
    if is_own(value, modules) or (
        kind.__module__ == "types" and kind.__name__ == "SimpleNamespace"
    ):
        try:  # without asking methods of the program's own
            variables = object.__getattribute__(value, "__dict__")
        except AttributeError:
            variables = {}
        yield from _attributes(value, variables)
        for base in kind.__mro__:
            slots = base.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                member = base.__dict__.get(name)
                if isinstance(member, MemberDescriptorType):
                    with suppress(AttributeError):  # it has no value yet
                        yield f".{name}", member.__get__(value), _put_attribute(value, name)


def _attributes(owner: Any, variables: dict[str, Any]) -> Iterator[tuple[str, Any, Setter]]:
    for name, each in list(variables.items()):
        if not name.startswith("__"):
            yield f".{name}", each, _put_attribute(owner, name)


def _put_attribute(owner: Any, name: str) -> Setter:
    if isinstance(owner, type):
        return lambda new: setattr(owner, name, new)
    return lambda new: object.__setattr__(owner, name, new)


def _put_item(owner: Any, key: Any) -> Setter:
    def put(new: Any) -> None:
        owner[key] = new

    return put


def _put_flat(array: np.ndarray, at: int) -> Setter:
    def put(new: Any) -> None:
        array.flat[at] = new

    return put


def _key(key: Any, at: int) -> str:
    """A dictionary's key as source; an object, whose text may hold its address, by its place."""
    if isinstance(key, (*PLAIN, float)) or (
        isinstance(key, tuple) and all(isinstance(each, (*PLAIN, float)) for each in key)
    ):
        return repr(key)
    return f"<key {at}>"


def is_generator(value: Any) -> bool:
    return isinstance(value, np.random.Generator | np.random.RandomState | random.Random)
