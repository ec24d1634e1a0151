"""Gives what is recorded of a syntax tree its numbers, before the tree is copied."""

from __future__ import annotations

import ast
import re

from nntui.program.record.places import Loop, Place, Places
from nntui.program.record.rewriting.training_comprehensions import training_comprehensions

LOOPS = (ast.For, ast.AsyncFor, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.NamedExpr)
CATCHING = (ast.Try, ast.TryStar, ast.ExceptHandler, ast.With, ast.AsyncWith)
NO_PLACE = -1


def is_literal(node: ast.AST) -> bool:
    """Whether a node is a number or text as written, with or without a sign."""
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    return isinstance(node, ast.Constant)


def place_of(node: ast.AST) -> int:
    """The number of a node's place."""
    return int(getattr(node, "nn_place", NO_PLACE))


def loop_of(node: ast.AST) -> int:
    """The number of a loop; of what may catch an exception, that of the loop around it, or -1."""
    return int(getattr(node, "nn_loop", NO_PLACE))


class Numbering:
    """Walks one file's tree in the order of its text."""

    def __init__(self, file: str, source: str, places: Places) -> None:
        self.file = file
        self.places = places
        self.comprehensions: dict[ast.expr, ast.comprehension] = {}
        self.lines = re.split("\r\n|\r|\n", source)
        places.sources[file] = self.lines

    def number(self, tree: ast.Module) -> None:
        """Give every place and loop of the tree its number."""
        self.comprehensions = training_comprehensions(tree)
        for statement in tree.body:
            self._walk(statement, statement, "<module>", None)

    def _walk(self, node: ast.AST, statement: ast.AST, function: str, loop: int | None) -> None:
        if isinstance(node, ast.stmt):
            statement = node
        if isinstance(node, LOOPS):
            loop = self._loop(node, function, loop)
        elif isinstance(node, ast.expr) and node in self.comprehensions:
            loop = self._comprehension(self.comprehensions[node], node, function, loop)
        elif isinstance(node, (*FUNCTIONS, ast.Lambda)):
            function, loop = getattr(node, "name", "<lambda>"), None
        elif isinstance(node, CATCHING):
            node.nn_loop = NO_PLACE if loop is None else loop  # type: ignore[union-attr]
        self._place(node, statement)
        for child in ast.iter_child_nodes(node):
            self._walk(child, statement, function, loop)

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, function: str, parent: int | None
    ) -> int:
        number = len(self.places.loops)
        end = node.end_lineno or node.lineno
        self.places.loops.append(Loop(number, self.file, node.lineno, function, parent, end))
        node.nn_loop = number  # type: ignore[union-attr]
        return number

    def _comprehension(
        self, node: ast.comprehension, around: ast.expr, function: str, parent: int | None
    ) -> int:
        number = len(self.places.loops)
        end = around.end_lineno or around.lineno
        self.places.loops.append(Loop(number, self.file, around.lineno, function, parent, end))
        node.nn_loop = number  # type: ignore[attr-defined]
        return number

    def _place(self, node: ast.AST, statement: ast.AST) -> None:
        match node:
            case ast.BinOp():
                self._add(node, node, "operation", None, (node.left, node.right))
            case ast.UnaryOp(op=ast.USub()):
                self._add(node, node, "negation", None, (node.operand,))
            case ast.Compare():
                self._add(node, node, "comparison", None, (node.left, *node.comparators))
            case ast.Call():
                self._add(node, node, "call", None, tuple(node.args))
            case ast.Subscript(ctx=ast.Store()):
                self._add(node, statement, "assignment", self._written(node), ())
            case ast.Subscript():
                self._add(node, node, "item", None, ())
            case ast.AugAssign():
                operands = (node.target, node.value)
                self._add(node, node, "augmented", self._written(node.target), operands)
            case ast.Assign():
                target = " = ".join(self._written(target) for target in node.targets)
                self._add(node, node, "assignment", target, (node.value,))
            case ast.AnnAssign(value=ast.expr()) | ast.NamedExpr():
                self._add(node, node, "assignment", self._written(node.target), ())
            case ast.Return(value=ast.expr()):
                self._add(node, node, "return", "<return>", ())
            case ast.FormattedValue():
                self._add(node, node.value, "shown", None, ())
            case ast.For() | ast.AsyncFor():
                self._add(node, node.iter, "item", self._written(node.target), ())
            case ast.comprehension():
                self._add(node, node.iter, "item", self._written(node.target), ())
            case ast.Starred(ctx=ast.Load()):
                self._add(node, node.value, "item", None, ())
            case ast.Constant(value=float()):
                self._add(node, node, "literal", None, ())

    def _add(
        self,
        node: ast.AST,
        where: ast.AST,
        kind: str,
        target: str | None,
        operands: tuple[ast.AST, ...],
    ) -> None:
        line, end_line = getattr(where, "lineno", 1), getattr(where, "end_lineno", 1)
        place = Place(
            self.file,
            line,
            self._characters(line, getattr(where, "col_offset", 0)),
            end_line,
            self._characters(end_line, getattr(where, "end_col_offset", 0)),
            kind,
            target,
            tuple(is_literal(operand) for operand in operands),
            where,
        )
        node.nn_place = len(self.places.places)  # type: ignore[attr-defined]
        self.places.places.append(place)

    def _written(self, node: ast.expr) -> str:
        """The source of a target."""
        if node.lineno != node.end_lineno:
            return ast.unparse(node)
        line = self.lines[node.lineno - 1].encode()
        return line[node.col_offset : node.end_col_offset].decode(errors="ignore")

    def _characters(self, line: int, offset: int) -> int:
        """The syntax tree counts bytes of UTF-8; an editor counts characters."""
        if line > len(self.lines):
            return offset
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))
