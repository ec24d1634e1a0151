"""A changed line of a program, and the source and shapes that operators read."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

RATE = re.compile(r"^(n|N|lr|eta|alpha|.*rate|step_size)$")
"""How people call the learning rate."""

Placed = ast.expr | ast.stmt
"""What of a syntax tree has a place in the source."""
Shapes = Mapping[int, Mapping[str, list[int]]]
"""Per line that runs in an update: the shape of each number or array in sight, by its text."""


@dataclass(frozen=True)
class Mutation:
    """New text for some lines of one file; ``operator`` is the kind of mistake."""

    operator: str
    column: int
    lines: tuple[tuple[int, str], ...]
    """Number and new text of each changed line."""

    @property
    def line(self) -> int:
        """The first changed line."""
        return self.lines[0][0]

    def apply(self, source: str) -> str:
        """The changed program."""
        lines = source.split("\n")
        for number, text in self.lines:
            lines[number - 1] = text
        return "\n".join(lines)


class Source:
    """A file, its syntax tree, and what is known of its lines from one update."""

    def __init__(self, text: str, shapes: Shapes) -> None:
        self.lines = text.split("\n")
        self.tree = ast.parse(text)
        self.shapes = shapes
        self.functions = [
            node.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef)
            and len(node.args.args) == 1
            and node.args.args[0].arg != "self"
        ]

    def text(self, node: Placed) -> str:
        """The source text of a node on one line."""
        line = self.lines[node.lineno - 1].encode()
        return line[node.col_offset : node.end_col_offset].decode()

    def operand(self, node: ast.expr) -> str:
        """The text of a node, in brackets where another operator could tear it apart."""
        text = self.text(node)
        simple = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List)
        return text if isinstance(node, simple) else f"({text})"

    def replaced(self, operator: str, node: Placed, text: str) -> Mutation:
        """The mutation that puts ``text`` in place of a node."""
        number, start, end = node.lineno, node.col_offset, node.end_col_offset
        line = self.lines[number - 1].encode()
        return Mutation(
            operator,
            start,
            ((number, (line[:start] + text.encode() + line[end:]).decode()),),
        )

    def between(self, operator: str, left: ast.expr, right: ast.expr, symbol: str) -> Mutation:
        """The mutation of the symbol between two operands."""
        number = left.lineno
        line = self.lines[number - 1].encode()
        start, end = left.end_col_offset or 0, right.col_offset
        old = line[start:end].decode()
        return Mutation(
            operator,
            start,
            ((number, line[:start].decode() + changed_symbol(old, symbol) + line[end:].decode()),),
        )

    def shape(self, node: ast.expr) -> list[int] | None:
        """The shape of a name, attribute or key, where it is known."""
        return self.shapes.get(node.lineno, {}).get(as_key(node))


def changed_symbol(between: str, symbol: str) -> str:
    """What stands between two operands, brackets included, with another symbol."""
    old = next(s for s in ("**", "+", "-", "*", "/", "@", ">=", "<=", ">", "<") if s in between)
    return between.replace(old, symbol, 1)


def as_key(node: ast.expr) -> str:
    """The text under which the judge reports the shape of a name, attribute or key."""
    return ast.unparse(node)


def one_line(node: ast.AST) -> bool:
    """Whether ``node`` is an expression or a statement, all of it on one line."""
    return isinstance(node, ast.expr | ast.stmt) and node.lineno == node.end_lineno


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def is_rate(node: ast.expr) -> bool:
    """Whether a name or attribute is called like a learning rate."""
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return bool(RATE.search(name))


def has_rate(node: ast.expr) -> bool:
    return any(isinstance(each, ast.expr) and is_rate(each) for each in ast.walk(node))


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
