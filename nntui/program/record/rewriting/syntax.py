"""Pieces of syntax tree that call the recorder."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

Tree = TypeVar("Tree", bound=ast.AST)
RECORDER = "_nn"


def at(new: Tree, old: ast.AST) -> Tree:
    """A new piece of tree, at the lines of the old one."""
    return ast.copy_location(new, old)


def constant(value: Any) -> ast.Constant:
    return ast.Constant(value)


def attribute(name: str) -> ast.Attribute:
    """An attribute of the recorder."""
    return ast.Attribute(ast.Name(RECORDER, ast.Load()), name, ast.Load())


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a method of the recorder."""
    return ast.Call(attribute(name), list(arguments), [])


def statement(expression: ast.expr, old: ast.AST) -> ast.stmt:
    """An expression as a statement, at the lines of the old one."""
    return at(ast.Expr(at(expression, old)), old)


def index(node: ast.expr) -> ast.expr:
    """What stands between the brackets, as an expression that can be handed on."""
    if isinstance(node, ast.Slice):
        parts = [part or constant(None) for part in (node.lower, node.upper, node.step)]
        return at(call("slice", *parts), node)
    if isinstance(node, ast.Tuple):
        return at(ast.Tuple([index(element) for element in node.elts], ast.Load()), node)
    return node


def mangled(name: str, owner: str | None) -> str:
    """The name by which a class keeps its private attribute `__name`."""
    if owner is None or not name.startswith("__") or name.endswith("__") or not owner.strip("_"):
        return name
    return f"_{owner.lstrip('_')}{name}"


class Declarations(ast.NodeVisitor):
    """Collects the `global` and `nonlocal` statements of one scope."""

    def __init__(self) -> None:
        self.found: list[ast.stmt] = []

    def visit_Global(self, node: ast.Global) -> None:
        self.found.append(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.found.append(node)

    def _other_scope(self, node: ast.AST) -> None:
        pass

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _other_scope


def declarations(body: list[ast.stmt]) -> list[ast.stmt]:
    """The `global` and `nonlocal` statements of a scope: two copies of one would be an error."""
    visitor = Declarations()
    for each in body:
        visitor.visit(each)
    return visitor.found


def docstring_length(body: list[ast.stmt]) -> int:
    """How many statements must stay first: 1 with a docstring, else 0."""
    match body[:1]:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            return 1
    return 0
