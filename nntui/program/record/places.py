"""The static facts of a program: every recorded expression, statement and loop, by number."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nntui.program.record.node import Node


@dataclass(frozen=True)
class Place:
    """An expression or a statement of the program. Columns count characters, from 0.

    `kind` is "operation", "negation", "comparison", "call", "item", "assignment", "augmented",
    "return", "literal" or "shown" (within an f-string). `target` is what a statement assigns to, as
    written, or "<return>". `literals` says of each operand, or argument, whether it is a literal.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    target: str | None = None
    literals: tuple[bool, ...] = ()
    node: ast.AST | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Loop:
    """A `for`, a `while`, or a comprehension that trains.

    `parent` is the loop around it in the same function.
    """

    number: int
    file: str
    line: int
    function: str
    parent: int | None
    end_line: int = 0


TOLD = ("operation", "negation", "comparison", "call", "item", "augmented")
"""The kinds of places that may be sites."""


@dataclass(frozen=True)
class Site:
    """An expression of which the plain copy tells the recorder each value; see `Recorder.seen`.

    Where it is ``paired``, a binary operation, it tells both operands.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    paired: bool = False

    def is_at(self, place: Place) -> bool:
        """Whether this is the expression at ``place``."""
        mine = self.line, self.column, self.end_line, self.end_column
        theirs = place.line, place.column, place.end_line, place.end_column
        return mine == theirs and self.file == place.file and place.kind in TOLD


@dataclass
class Places:
    """What the files of one program contain; grows as they are compiled."""

    places: list[Place] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)

    def text(self, place: Place | int) -> str:
        """The source of a place, lines joined as they stand."""
        if isinstance(place, int):
            place = self.places[place]
        lines = self.sources[place.file][place.line - 1 : place.end_line]
        if not lines:
            return ""
        if len(lines) == 1:
            return lines[0][place.column : place.end_column]
        return "\n".join([lines[0][place.column :], *lines[1:-1], lines[-1][: place.end_column]])

    def levels(self, node: Node) -> list[tuple[str, int]]:
        """(file, line) of where a value was computed, then of the calls around it, outwards."""
        numbers = [node.place, *(step for step in reversed(node.path) if isinstance(step, int))]
        found = [self.places[number] for number in numbers if number >= 0]
        return [(place.file, place.line) for place in found]

    def line(self, place: Place | int) -> str:
        """The first line of a place, whole, without the blanks around it."""
        if isinstance(place, int):
            place = self.places[place]
        return self.sources[place.file][place.line - 1].strip()
