"""Operators on indices, accumulations, updates and the order of lines."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from nntui.bench.programs.mutating.mutation import Mutation, Source, one_line


def index_shifted(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """An index one too far or too near."""
    if not isinstance(node, ast.Subscript):
        return
    index = node.slice
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub):
        right = index.right
        if isinstance(right, ast.Constant) and isinstance(right.value, int):
            yield source.replaced("index-shifted", index, source.text(index.left))
            yield source.replaced("index-shifted", right, str(right.value + 1))
    elif isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
        inner = index.operand
        if isinstance(inner, ast.Constant) and isinstance(inner.value, int):
            yield source.replaced("index-shifted", index, f"-{inner.value + 1}")
        else:
            yield source.replaced("index-shifted", index, f"{source.text(index)} - 1")
    elif isinstance(index, ast.Name) and len(index.id) <= 2:
        yield source.replaced("index-shifted", index, f"{index.id} - 1")
    elif isinstance(index, ast.Constant) and type(index.value) is int:
        yield source.replaced("index-shifted", index, str(index.value + 1))


def accumulation_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """``=`` for ``+=``: only the last term is kept."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and one_line(node):
        line = source.lines[node.lineno - 1].replace("+=", "=", 1)
        yield Mutation("accumulation-left-out", node.col_offset, ((node.lineno, line),))


def update_left_out(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A statement that changes a value is commented out."""
    if not isinstance(node, ast.stmt) or not one_line(node):
        return
    changes = isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.Add | ast.Sub)
        and len(node.targets) == 1
        and ast.unparse(node.value.left) == ast.unparse(node.targets[0])
    )
    line = source.lines[node.lineno - 1]
    if changes and ";" not in line:
        indent = line[: len(line) - len(line.lstrip())]
        text = f"{indent}# {line.lstrip()}"
        if alone(source.tree, node):
            text = f"{indent}pass  # {line.lstrip()}"
        yield Mutation("update-left-out", 0, ((node.lineno, text),))


def lines_exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Two statements that stand one below the other change places."""
    for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
        if isinstance(block, list):
            yield from _exchanged(source, block)


def _exchanged(source: Source, block: list[ast.stmt]) -> Iterator[Mutation]:
    simple = (ast.Assign, ast.AugAssign, ast.Expr)
    for first, second in pairwise(block):
        if (
            isinstance(first, simple)
            and isinstance(second, simple)
            and one_line(first)
            and one_line(second)
            and first.lineno in source.shapes
            and second.lineno in source.shapes
            and second.lineno - first.lineno == 1
            and first.col_offset == second.col_offset
        ):
            upper, lower = source.lines[first.lineno - 1], source.lines[second.lineno - 1]
            yield Mutation("lines-exchanged", 0, ((first.lineno, lower), (second.lineno, upper)))


def alone(tree: ast.AST, statement: ast.AST) -> bool:
    return any(
        getattr(node, field, None) == [statement]
        for node in ast.walk(tree)
        for field in ("body", "orelse")
    )
