"""The plain copy of a program: what it was, with a switch to the recorded copy here and there."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from typing import Any

from nntui.program.record.places import Places, Site
from nntui.program.record.rewriting.numbering import FUNCTIONS, NO_PLACE, loop_of, place_of
from nntui.program.record.rewriting.recorded_copy import RecordedCopy
from nntui.program.record.rewriting.syntax import (
    at,
    attribute,
    call,
    constant,
    declarations,
    docstring_length,
    statement,
)

DEEPEST_PLAIN = 2
"""A function defined within this many recorded copies exists only recorded: copies of copies
would double with every level."""

DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
COMPOUND = (ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Match, ast.TryStar)


class PlainCopy(ast.NodeTransformer):
    """Rewrites a tree in place. `loops`: numbers of those that may switch; None: all.

    The expressions at `sites` of `places` tell the recorder what they give.
    """

    def __init__(
        self,
        loops: frozenset[int] | None,
        places: Places | None = None,
        sites: Sequence[Site] = (),
    ) -> None:
        self.loops = loops
        self.places, self.sites = places, sites
        self.classes: list[str | None] = [None]
        self.open_loops: list[int] = []
        self.recorded_depth = 0

    def visit(self, node: ast.AST) -> Any:
        """The plain copy of a node; that of a site tells what it gives."""
        number = place_of(node) if self.sites and self.places is not None else NO_PLACE
        new = super().visit(node)
        if number != NO_PLACE and self.places is not None:
            place = self.places.places[number]
            for at_site, site in enumerate(self.sites):
                if site.is_at(place):
                    return seen(new, at_site, paired=site.paired)
        return new

    def ticks(self, node: ast.AST) -> bool:
        """Whether a loop tells the recorder of its turns."""
        return self.loops is None or loop_of(node) in self.loops

    # ---- blocks

    def module(self, tree: ast.Module) -> ast.Module:
        """The whole file: definitions once, other statements each in two copies."""
        kept = docstring_length(tree.body)
        for each in tree.body[kept:]:
            if not (isinstance(each, ast.ImportFrom) and each.module == "__future__"):
                break
            kept += 1
        head = tree.body[:kept] + declarations(tree.body)
        tree.body = head + self.one_by_one(tree.body[kept:])
        return tree

    def one_by_one(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Every statement in two copies of its own: what runs once needs no copies of copies."""
        result: list[ast.stmt] = []
        for each in body:
            if isinstance(each, COMPOUND):
                result += self._compound(each)
            else:
                result += self.in_two([each])
        return result

    def _compound(self, node: Any) -> list[ast.stmt]:
        for header in ("test", "subject"):
            if hasattr(node, header):
                setattr(node, header, self.visit(getattr(node, header)))
        for block in ("body", "orelse", "finalbody"):
            if inner := getattr(node, block, None):
                setattr(node, block, self.one_by_one(inner))
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            part.body = self.one_by_one(part.body)
        for part in getattr(node, "handlers", []):
            part.body.insert(0, self.caught(part))
        if getattr(node, "finalbody", []):
            node.finalbody.insert(0, self.caught(node))
        for item in getattr(node, "items", []):
            item.context_expr = self.visit(item.context_expr)
        return [node, self.caught(node)] if hasattr(node, "items") else [node]

    def caught(self, node: ast.AST) -> ast.stmt:
        """`if _nn.on: _nn.caught(...)`: an exception may have ended calls and loops."""
        told = statement(call("caught", constant(loop_of(node))), node)
        return at(ast.If(attribute("on"), [told], []), node)

    def segments(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Runs of statements in two copies each; definitions between them once."""
        result: list[ast.stmt] = []
        run: list[ast.stmt] = []
        for each in body:
            if isinstance(each, DEFINITIONS):
                result += self.in_two(run) + self.visited([each])
                run = []
            else:
                run.append(each)
        return result + self.in_two(run)

    def in_two(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """`if not _nn.on: plain; else: recorded`, where there is anything to record."""
        if not any(place_of(node) != NO_PLACE for each in body for node in ast.walk(each)):
            return self.visited(body)
        if len(body) == 1 and isinstance(body[0], DEFINITIONS):
            return self.visited(body)
        recorded = self.recorded(copy.deepcopy(body))
        test = ast.UnaryOp(ast.Not(), attribute("on"))
        return [at(ast.If(test, self.visited(body), recorded), body[0])]

    def visited(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The plain copy of a block."""
        result: list[ast.stmt] = []
        for each in body:
            new = self.visit(each)
            result += new if isinstance(new, list) else [new]
        return result

    def recorded(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The recorded copy of a block."""
        self.recorded_depth += 1
        try:
            return RecordedCopy(self).block(body)
        finally:
            self.recorded_depth -= 1

    # ---- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: Any) -> ast.AST:
        node.args = self.visit(node.args)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        loops, self.open_loops = self.open_loops, []
        kept = docstring_length(node.body)
        head, body = node.body[:kept] + declarations(node.body), node.body[kept:]
        only_recorded = self.recorded_depth >= DEEPEST_PLAIN
        node.body = head + (self.recorded(body) if only_recorded else self.segments(body))
        self.open_loops = loops
        return node  # type: ignore[no-any-return]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.args = self.visit(node.args)
        if not any(place_of(part) != NO_PLACE for part in ast.walk(node.body)):
            return node
        loops, self.open_loops = self.open_loops, []
        recorded = self._recorded_expression(copy.deepcopy(node.body))
        if self.recorded_depth >= DEEPEST_PLAIN:
            node.body = recorded
        else:
            plain = self.visit(node.body)
            test = ast.UnaryOp(ast.Not(), attribute("on"))
            node.body = at(ast.IfExp(test, plain, recorded), node.body)
        self.open_loops = loops
        return node

    def _recorded_expression(self, node: ast.expr) -> Any:
        self.recorded_depth += 1
        try:
            return RecordedCopy(self).visit(node)
        finally:
            self.recorded_depth -= 1

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.classes.append(node.name)
        loops, self.open_loops = self.open_loops, []
        kept = docstring_length(node.body)
        body = node.body[kept:]
        node.body = node.body[:kept] + declarations(body) + self.visited(body)
        self.open_loops = loops
        self.classes.pop()
        return node

    def _declared(self, node: ast.stmt) -> ast.stmt:
        return at(ast.Pass(), node)

    visit_Global = visit_Nonlocal = _declared

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    # ---- loops

    def visit_For(self, node: ast.For) -> Any:
        node.iter = self.visit(node.iter)
        return self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        node.iter = self.visit(node.iter)
        return self._loop(node)

    def visit_While(self, node: ast.While) -> Any:
        node.test = self.visit(node.test)
        return self._loop(node)

    def _loop(self, node: Any) -> Any:
        node.orelse = self.visited(node.orelse)
        if not self.ticks(node):
            node.body = self.visited(node.body)
            return node
        number = loop_of(node)
        self.open_loops.append(number)
        told = call("iteration", constant(number))
        recorded = self.recorded(copy.deepcopy(node.body))
        test = ast.UnaryOp(ast.Not(), ast.BoolOp(ast.And(), [attribute("awake"), told]))
        node.body = [at(ast.If(test, self.visited(node.body), recorded), node)]
        self.open_loops.pop()
        left = statement(call("left", constant(number)), node)
        return [node, at(ast.If(attribute("awake"), [left], []), node)]

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        if loop_of(node) != NO_PLACE and self.ticks(node):
            node.iter = at(call("each", constant(loop_of(node)), node.iter), node.iter)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        value = self.visit(node.value) if node.value is not None else None
        if self.open_loops:
            value = self.leaving(value or constant(None), node)
        node.value = value
        return node

    def leaving(self, value: ast.expr, node: ast.AST) -> ast.expr:
        """The value of a `return` out of loops, which are left by it."""
        numbers = [constant(number) for number in reversed(self.open_loops)]
        return at(call("leave", at(value, node), *numbers), node)

    # ---- formats

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and is_text(node.left):
            return at(call("format", node.left, node.right), node)
        return node


def seen(node: Any, site: int, *, paired: bool) -> Any:
    """An expression, or an augmented assignment, that tells the recorder what it gives or takes."""
    number = constant(site)
    if isinstance(node, ast.BinOp) and paired:
        operands = [ast.arg("left"), ast.arg("right")]
        names = [ast.Name(each.arg, ast.Load()) for each in operands]
        body = at(ast.BinOp(names[0], node.op, names[1]), node)
        empty: list[Any] = []
        function = ast.Lambda(ast.arguments(empty, operands, None, [], [], None, []), body)
        return at(call("met", number, at(function, node), node.left, node.right), node)
    if isinstance(node, ast.AugAssign) and paired:
        if not isinstance(node.value, (ast.Constant, ast.Name)):  # it must not be computed twice
            return node
        before = copy.deepcopy(node.target)
        before.ctx = ast.Load()
        told = statement(call("compared", number, before, copy.deepcopy(node.value)), node)
        return [told, node]
    if isinstance(node, ast.AugAssign):
        node.value = at(call("seen", number, node.value), node.value)
    elif isinstance(node, ast.expr) and not isinstance(node, ast.Starred):
        return at(call("seen", number, node), node)
    return node


def is_text(node: ast.expr) -> bool:
    """Whether an expression is text as written."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )
