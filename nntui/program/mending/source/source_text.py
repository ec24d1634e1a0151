"""A program's text and tree side by side: which characters a node is, and how to replace them.

A replacement changes the characters of one node alone, so that formatting and comments stay.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

Placed = ast.expr | ast.stmt | ast.keyword
"""Nodes that have a place in the source."""

BLOCKS = ("body", "orelse", "finalbody")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_BINARY = {
    ast.BitOr: 6, ast.BitXor: 7, ast.BitAnd: 8, ast.LShift: 9, ast.RShift: 9, ast.Add: 10,
    ast.Sub: 10, ast.Mult: 11, ast.MatMult: 11, ast.Div: 11, ast.FloorDiv: 11, ast.Mod: 11,
    ast.Pow: 13,
}  # fmt: skip
_UNARY, _POWER, _ATOM = 12, 13, 15
SYMBOLS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
    ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=",
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """The characters from ``start`` up to ``end`` become ``text``."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with ``edits``, which do not overlap."""
    for edit in sorted(edits, key=lambda each: (each.start, each.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def whole_lines(text: str) -> str:
    """``text`` with the end of its last line."""
    return text if not text or text.endswith("\n") else text + "\n"


def binding(node: ast.AST) -> int:
    """How tightly an expression binds: one beside an operator that binds tighter needs brackets."""
    match node:
        case ast.BinOp():
            return _BINARY[type(node.op)]
        case ast.UnaryOp():
            return 4 if isinstance(node.op, ast.Not) else _UNARY
        case ast.Compare():
            return 5
        case ast.BoolOp():
            return 3 if isinstance(node.op, ast.And) else 2
        case ast.IfExp() | ast.Lambda():
            return 1
        case ast.NamedExpr() | ast.Yield() | ast.YieldFrom() | ast.Starred():
            return 0
        case ast.Await():
            return 14
    return _ATOM


@lru_cache(maxsize=4096)
def expression(text: str) -> ast.expr:
    """The tree of the expression ``text``, which nobody changes.  Raises SyntaxError."""
    return ast.parse(text, mode="eval").body


def bracketed(text: str, least: int) -> str:
    """``text``, in brackets where it binds less than ``least``."""
    node = expression(text.strip())
    has_brackets = node.col_offset > 0 and not isinstance(node, ast.GeneratorExp)
    return f"({text})" if binding(node) < least and not has_brackets else text


def unbracketed(text: str) -> str:
    """``text`` without brackets around the whole of it."""
    node = expression(text.strip())
    if node.col_offset == 0 or isinstance(node, ast.GeneratorExp):
        return text
    return ast.get_source_segment(text.strip(), node) or text


class SourceText:
    """One file of a program.  Offsets count characters from 0, lines from 1."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.tree = ast.parse(text)
        self._functions: dict[int, int] = {}
        self._lines: dict[ast.stmt, tuple[int, int] | None] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Every node's parent."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    # Where things are.

    def offset(self, line: int, column: int) -> int:
        """The offset of ``column``, which counts bytes of UTF-8 as a tree does."""
        start = self._starts[line - 1]
        if self.text.isascii():
            return start + column
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        before = self.text[start:end].encode()[:column]
        return start + len(before.decode(errors="ignore"))

    def span(self, node: Placed) -> tuple[int, int]:
        """The offsets of the start and the end of ``node``, without brackets around it."""
        start = self.offset(node.lineno, node.col_offset)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = self.offset(node.end_lineno, node.end_col_offset)
        return start, end

    def of(self, node: Placed) -> str:
        """The source of ``node``."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_at(self, offset: int) -> int:
        """The line of ``offset``."""
        return self.text.count("\n", 0, offset) + 1

    def lines_of(self, statement: ast.stmt) -> tuple[int, int] | None:
        """The offsets of the whole lines of ``statement``, up to the start of the next line.

        None where it shares them with another statement.
        """
        if statement not in self._lines:
            self._lines[statement] = self._whole_lines(statement)
        return self._lines[statement]

    def _whole_lines(self, statement: ast.stmt) -> tuple[int, int] | None:
        first = min(
            [statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))]
        )
        start = self._starts[first - 1]
        last = statement.end_lineno or statement.lineno
        end = self._starts[last] if last < len(self._starts) else len(self.text)
        before = self.text[start : self.span(statement)[0]] if first == statement.lineno else ""
        behind = self.text[self.span(statement)[1] : end].strip()
        if before.strip() or (behind and not behind.startswith("#")):
            return None
        return start, end

    def indentation(self, statement: ast.stmt) -> str:
        """The blanks before ``statement``."""
        start = self._starts[statement.lineno - 1]
        line = self.text[start : self.span(statement)[0]]
        return line if not line.strip() else line[: len(line) - len(line.lstrip())]

    def statement_at(self, line: int) -> ast.stmt | None:
        """The innermost statement that covers ``line``."""
        found: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
                found = node  # the walk goes from outer to inner
        return found

    def function_of(self, node: ast.AST) -> ast.AST:
        """The innermost function around ``node``, or the module."""
        return next((each for each in self.around(node) if isinstance(each, FUNCTIONS)), self.tree)

    def function_at(self, line: int) -> int:
        """The line of the function around the statement at ``line``; 0 for the module."""
        if line not in self._functions:
            statement = self.statement_at(line)
            function = self.tree if statement is None else self.function_of(statement)
            self._functions[line] = getattr(function, "lineno", 0)
        return self._functions[line]

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What ``node`` stands in, from the inside outwards."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """The block that ``statement`` stands in."""
        parent = self.parents[statement]
        for name in BLOCKS:
            block = getattr(parent, name, None)
            if isinstance(block, list) and statement in block:
                return block
        return [statement]

    def operator(self, node: ast.BinOp) -> tuple[int, int]:
        """The offsets of the operator of ``node``."""
        at, end = self.span(node.left)[1], self.span(node.right)[0]
        symbol = SYMBOLS.get(type(node.op), "")
        while symbol and at < end:
            if self.text.startswith(symbol, at):
                return at, at + len(symbol)
            at = self.text.index("\n", at) if self.text[at] == "#" else at + 1
        raise ValueError("an operator that is not found")

    def sides(self, node: ast.BinOp) -> tuple[str, str]:
        """The operands of ``node`` with the brackets around them."""
        start, end = self.operator(node)
        whole = self.span(node)
        return self.text[whole[0] : start].rstrip(" \t\\\n"), self.text[end : whole[1]].lstrip()

    # Replacing.

    def replacing(self, node: Placed, text: str) -> Edit:
        """The edit that puts the expression ``text`` in place of ``node``, with brackets if needed.

        Raises SyntaxError if ``text`` is no expression.
        """
        start, end = self.span(node)
        new = expression(text.strip())
        has_own = new.col_offset > 0 and not isinstance(new, ast.GeneratorExp | ast.Tuple)
        needs = binding(new) < self._needed(node, new)
        if has_own and (self._is_bracketed(node) or not needs):
            text = unbracketed(text)
        elif needs and not has_own and not self._is_bracketed(node):
            text = f"({text})"
        return Edit(start, end, text)

    def _is_bracketed(self, node: Placed) -> bool:
        """Whether brackets of its own stand around ``node``, not those of a call or the like."""
        if not isinstance(
            self.parents.get(node), ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute
        ):
            return False
        start, end = self.span(node)
        before, behind = self.text[:start].rstrip(), self.text[end:].lstrip()
        return before.endswith("(") and behind.startswith(")")

    def inserting(
        self, statement: ast.stmt, before: str = "", behind: str = "", removing: bool = False
    ) -> list[Edit]:
        """The edit that puts whole lines around those of ``statement``, or takes them away.

        None where it shares its lines with another statement.
        """
        span = self.lines_of(statement)
        if span is None:
            return []
        own = "" if removing else whole_lines(self.text[span[0] : span[1]])
        return [Edit(*span, before + own + behind)]

    def _needed(self, node: ast.AST, new: ast.AST) -> int:
        """How tightly ``new`` must bind to stand in the place of ``node``."""
        parent = self.parents.get(node)
        match parent:
            case ast.BinOp(op=ast.Pow()):
                return _ATOM if node is parent.left else _UNARY
            case ast.BinOp():
                least = _BINARY[type(parent.op)]
                # a product of a product needs no brackets; a difference or a quotient does
                both = isinstance(parent.op, ast.Add | ast.Mult) and not (
                    isinstance(new, ast.BinOp) and isinstance(new.op, ast.MatMult)
                )
                return least if node is parent.left or both else least + 1
            case ast.UnaryOp() | ast.Compare() | ast.BoolOp():
                return binding(parent) + 1
            case ast.IfExp():
                return 2
            case ast.Attribute() | ast.Await():
                return _ATOM
            case ast.Call():
                return _ATOM if node is parent.func else 1
            case ast.Subscript():
                return _ATOM if node is parent.value else 0
        return 0
