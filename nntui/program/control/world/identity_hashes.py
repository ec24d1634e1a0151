"""Hashes of objects that have none of their own: by their order, not by their address.

Python hashes such an object by its address, and so orders a set of them.  Addresses change with
everything that takes memory, and a sum over such a set then differs in its last bits from one run
of the program to the next.
"""

import builtins
import weakref
from collections.abc import Collection
from typing import Any

Body = tuple[str, int]
"""The file and the first line of the body of a class."""


class IdentityHashes:
    """Numbers objects when they are hashed first: those of the classes in ``bodies``.

    These may become more.
    """

    def __init__(self, bodies: Collection[Body]) -> None:
        self._bodies = bodies
        self._numbers: dict[int, int] = {}
        self._references: dict[int, weakref.ref[Any]] = {}
        self._next = 0

    def install(self) -> None:
        """Watch the making of classes from here on."""
        original = builtins.__build_class__
        bodies, hash_of = self._bodies, self._hash

        def build_class(body: Any, name: str, /, *bases: Any, **named: Any) -> Any:
            made = original(body, name, *bases, **named)
            code = body.__code__
            if (
                (code.co_filename, code.co_firstlineno) in bodies
                and getattr(made, "__hash__", None) is object.__hash__
                and not issubclass(made, BaseException)
            ):
                made.__hash__ = lambda each: hash_of(each)
            return made

        builtins.__build_class__ = build_class

    def _hash(self, value: Any) -> int:
        key = id(value)
        number = self._numbers.get(key)
        if number is None:
            try:
                reference = weakref.ref(value, lambda _: self._forget(key))
            except TypeError:  # a class with slots and no room for references
                return object.__hash__(value)
            number = self._next
            self._next += 1
            self._numbers[key], self._references[key] = number, reference
        return number

    def _forget(self, key: int) -> None:
        """The object has ended: its address may be another's next."""
        del self._numbers[key], self._references[key]
