"""Turns a matrix: adds or removes a transpose, exchanges the operands of a product, uses outer."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import ATOM, Site
from nntui.program.mending.source.source_text import Edit, bracketed

CODES = ("transposed", "scalar-for-outer-product", "gradient")


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    usual = 0.0 if site.wanted.code == "transposed" else 0.4
    for node in site.expressions:
        yield from _without_transpose(site, node, usual)
        for left, right in _operands(site, node):
            for operand in (left, right):
                yield from _transposed(site, operand, usual + 0.1)
            yield from _outer(site, node, left, right)
    for operand in site.operands:
        yield from _transposed(site, operand, usual + 1.0)
    yield from _repeated(site)


def _operands(site: Site, node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The two operands of a matrix product."""
    match node:
        case ast.BinOp(op=ast.MatMult()):
            yield node.left, node.right
        case ast.Call() if site.is_product(node):
            if len(node.args) == 2:
                yield node.args[0], node.args[1]
            elif len(node.args) == 1 and isinstance(node.func, ast.Attribute):
                yield node.func.value, node.args[0]


def _transposed(site: Site, node: ast.expr, cost: float) -> Iterator[Proposal]:
    if isinstance(node, ast.Constant | ast.Starred):
        return
    shape = site.shape(site.source.of(node))
    if shape is not None and len(shape) < 2:
        return
    yield from site.replacing(node, f"{bracketed(site.source.of(node), ATOM)}.T", cost)


def _without_transpose(site: Site, node: ast.expr, usual: float) -> Iterator[Proposal]:
    match node:
        case ast.Attribute(attr="T"):
            inner = node.value
        case ast.Call(func=ast.Attribute(attr="transpose" | "swapaxes") as function):
            inner = node.args[0] if site.source.of(function.value) == site.numpy else function.value
        case _:
            return
    yield from site.replacing(node, site.source.of(inner), usual)


def _outer(site: Site, node: ast.expr, left: ast.expr, right: ast.expr) -> Iterator[Proposal]:
    one, other = site.source.of(left), site.source.of(right)
    cost = 0.0 if site.wanted.code == "scalar-for-outer-product" else 0.8
    if site.numpy:
        for text, more in ((f"{one}, {other}", 0.1), (f"{other}, {one}", 0.2)):
            yield from site.replacing(node, f"{site.numpy}.outer({text})", cost + more)
    yield site.editing(
        [Edit(*site.source.span(left), other), Edit(*site.source.span(right), one)], 1.0
    )


def _repeated(site: Site) -> Iterator[Proposal]:
    """An element that an index names twice is changed twice by ``add.at`` alone."""
    statement = site.statement
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.target, ast.Subscript):
        return
    name = {ast.Add: "add", ast.Sub: "subtract"}.get(type(statement.op))
    if name is None or not site.numpy:
        return
    parts = (statement.target.value, statement.target.slice)
    base, index = (site.source.of(each) for each in parts)
    if isinstance(statement.target.slice, ast.Tuple):
        index = f"({index})"
    value = site.source.of(statement.value)
    text = f"{site.numpy}.{name}.at({base}, {index}, {value})"
    yield site.editing([Edit(*site.source.span(statement), text)], 0.7)
