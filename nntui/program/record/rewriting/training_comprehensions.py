"""Comprehensions that are loops of a training: ``[train(x) for x in data]``.

Their elements call a function of the same file that changes something outside of it.  Those that
only compute, as the activations of a layer, are no loops: there are many of them in an update.
"""

from __future__ import annotations

import ast

EAGER = (ast.ListComp, ast.SetComp, ast.DictComp)
EXHAUSTING = frozenset({"sum", "max", "min", "list", "tuple", "set", "sorted", "dict", "fsum"})
"""They take all that a generator gives, before anything else is done."""


def is_exhausted(node: ast.AST, call: ast.Call) -> bool:
    """Whether ``node``, an argument of ``call``, is a generator that runs to its end there."""
    return (
        isinstance(node, ast.GeneratorExp)
        and isinstance(call.func, ast.Name)
        and call.func.id in EXHAUSTING
    )


def training_comprehensions(tree: ast.AST) -> dict[ast.expr, ast.comprehension]:
    """The comprehensions of ``tree`` that train, and the innermost ``for`` of each."""
    changing = _changing(tree)
    if not changing:
        return {}
    found: list[ast.expr] = [node for node in ast.walk(tree) if isinstance(node, EAGER)]
    found += [
        each
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for each in node.args
        if is_exhausted(each, node)
    ]
    return {
        node: last
        for node in found
        for last in [node.generators[-1]]  # type: ignore[attr-defined]
        if not last.is_async and any(_calls(part) & changing for part in _elements(node))
    }


def _elements(node: ast.expr) -> list[ast.expr]:
    return [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]


def _changing(tree: ast.AST) -> set[str]:
    """The names of functions that change something outside, or call such a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    calls = [(node.name, _calls(node)) for node in functions]
    found = {node.name for node in functions if node.name != "__init__" and _changes(node)}
    while more := {name for name, called in calls if called & found} - found - {"__init__"}:
        found |= more
    return found


def _changes(function: ast.FunctionDef) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            return True
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            return True
    return False


def _calls(node: ast.AST) -> set[str]:
    """The names of what is called within ``node``, without what they belong to."""
    functions = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    return {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in functions
        if isinstance(each, ast.Name | ast.Attribute)
    }
