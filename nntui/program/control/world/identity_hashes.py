"""Hashes of objects that have none of their own: by their order, not by their address.

Python hashes such an object by its address, and so orders a set of them.  Addresses change with
everything that takes memory, and a sum over such a set then differs in its last bits from one run
of the program to the next.
"""

import builtins
import itertools
import weakref
from collections.abc import Callable, Collection
from typing import Any

Body = tuple[str, int]
"""The file and the first line of the body of a class."""


class IdentityHashes:
    """Numbers objects when they are hashed first: those of the classes in ``bodies``.

    These may become more.
    """

    def __init__(self, bodies: Collection[Body]) -> None:
        self._bodies = bodies
        self._numbers: dict[int, _Reference] = {}
        self._count = itertools.count()

    def install(self) -> None:
        """Watch the making of classes from here on."""
        original = builtins.__build_class__
        bodies = self._bodies

        def build_class(body: Any, name: str, /, *bases: Any, **named: Any) -> Any:
            made = original(body, name, *bases, **named)
            code = body.__code__
            if (
                (code.co_filename, code.co_firstlineno) in bodies
                and getattr(made, "__hash__", None) is object.__hash__
                and not issubclass(made, BaseException)
            ):
                made.__hash__ = self._hash()
            return made

        builtins.__build_class__ = build_class

    def number_anew(self) -> None:
        """Give the next objects the numbers from 0 on again, which others may have, too.

        Iterations that hash new objects in one order then have one order in their sets.
        """
        self._count = itertools.count()

    def _hash(self) -> Callable[[Any], int]:
        """A method `__hash__`; it is called very often."""
        known, numbers, hashes = self._numbers.get, self._numbers, self
        address = object.__hash__  # `id` would raise an audit event each time

        def forget(reference: _Reference) -> None:
            del numbers[reference.key]

        def __hash__(self: Any) -> int:  # noqa: N807
            key = address(self)
            found = known(key)
            if found is None:
                try:
                    found = _Reference(self, forget)
                except TypeError:  # a class with slots and no room for references
                    return key
                found.key = key
                found.number = next(hashes._count)
                numbers[key] = found
            return found.number

        return __hash__


class _Reference(weakref.ref[Any]):
    """A weak reference to an object: its address may be another's when it has ended."""

    __slots__ = ("key", "number")
    key: int
    number: int
