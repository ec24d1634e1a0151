"""One recorded value: the operation that gave it, and what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Path = tuple[Any, ...]
Key = tuple[Any, ...]


NESTED = (list, tuple)


class Ref:
    """Stands for a node within the arguments of another."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __repr__(self) -> str:
        return f"Ref({self.node.number})"


class Node:
    """A value of the recording.

    number      its index in the recording; operands have smaller numbers
    operation   "+", "-", "*", "/", "**", "@", "neg", "exp", ..., or "leaf" (not computed here),
                "view" and "unview" (other addresses of one memory), "take" (elements read),
                "setflat" (a copy of an array with elements written)
    function    what gives the value again from `arguments` and `keywords`; of a leaf that was drawn
                at random the drawing function, else None
    arguments   operands, with `Ref` for recorded ones, also within lists and tuples
    inputs      the recorded operands, in order
    value       a copy of the result
    place       where in the program (an index into `Places.places`), or -1
    path        call places (int) and turns of loops ("L", loop, turn), from the outside in; a
                comprehension has the number -2 less that of its place
    occurrence  how many values this place gave before, on the same path
    name        of a leaf the live name; else the first variable it was assigned to
    """

    __slots__ = (
        "_positions",
        "arguments",
        "function",
        "inputs",
        "keywords",
        "name",
        "number",
        "occurrence",
        "operation",
        "path",
        "place",
        "value",
    )

    def __init__(
        self,
        number: int,
        operation: str,
        function: Callable[..., Any] | None,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        value: Any,
        place: int,
        path: Path,
        occurrence: int,
        name: str | None = None,
    ) -> None:
        self.number = number
        self.operation = operation
        self.function = function
        self.arguments = arguments
        self.keywords = keywords
        self.inputs: list[Node] = []
        for argument in arguments:
            if type(argument) is Ref:
                self.inputs.append(argument.node)
            elif type(argument) in NESTED:
                self.inputs.extend(references(argument))
        if keywords:
            self.inputs.extend(references(keywords))
        self.value = value
        self.place = place
        self.path = path
        self.occurrence = occurrence
        self.name = name
        self._positions: Any = None

    def __repr__(self) -> str:
        shape = getattr(self.value, "shape", ())
        name = f" {self.name}" if self.name else ""
        return f"<{self.number}: {self.operation}{name} {shape}>"

    @property
    def key(self) -> Key:
        """Finds the same value in another recording of the same code."""
        if self.operation == "leaf" and self.name is not None:
            return ("leaf", self.name)
        return (self.path, self.place, self.occurrence, self.operation)

    @property
    def positions(self) -> Any:
        """Of take, setflat, view, unview: flat positions in the larger, in the smaller's shape.

        None where elements do not correspond one to one (another type in the same memory).
        """
        if self._positions is None:
            where = self.arguments[-1]
            if hasattr(where, "positions"):
                self._positions = where.positions()
            else:
                self._positions = positions_of(self.inputs[0].value.shape, fill(where, None))
        return self._positions


def references(argument: Any) -> Iterator[Node]:
    """The recorded operands within an argument, in order, repetitions included."""
    kind = type(argument)
    if kind is Ref:
        yield argument.node
    elif kind is list or kind is tuple:
        for element in argument:
            yield from references(element)
    elif kind is dict:
        for element in argument.values():
            yield from references(element)


def fill(argument: Any, values: Sequence[Any] | None) -> Any:
    """An argument with values in place of its references; None: the recorded values."""
    kind = type(argument)
    if kind is Ref:
        node = argument.node
        return node.value if values is None else values[node.number]
    if kind is list or kind is tuple:
        return kind(fill(element, values) for element in argument)
    return argument


def positions_of(shape: tuple[int, ...], index: Any) -> Any:
    """Flat positions, in C order, of what an index selects of an array of this shape."""
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)[index]
