"""Turns a sign: of an update, of a difference, of a whole value; and the sense of a comparison."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import Edit, bracketed

TURNED = {ast.Add: "-", ast.Sub: "+"}
OPPOSITE = {ast.Gt: "<", ast.Lt: ">", ast.GtE: "<=", ast.LtE: ">="}
OPPOSITE_OR_EQUAL = {ast.Gt: ">=", ast.Lt: "<=", ast.GtE: ">", ast.LtE: "<"}
SLOPES = ("derivative", "derivative-at-a")
SUM = 10
OPERANDS = (ast.Name, ast.Attribute, ast.Subscript)


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    usual = 0.0 if site.wanted.code == "wrong-sign" else 0.7
    yield from _of_update(site, usual)
    for node in site.expressions:
        if isinstance(node, ast.BinOp) and type(node.op) in TURNED:
            yield from _of_sum(site, node, usual)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = site.source.of(node.operand)
            yield from site.replacing(node, inner, usual + 0.3)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _of_comparison(site, node)
    value = site.value
    if value is not None and not isinstance(value, ast.Constant | ast.Tuple | ast.UnaryOp):
        text = bracketed(site.source.of(value), SUM + 1)
        yield from site.replacing(value, f"-{text}", usual + 0.6)


def _of_update(site: Site, usual: float) -> Iterator[Proposal]:
    statement = site.statement
    if not isinstance(statement, ast.AugAssign) or type(statement.op) not in TURNED:
        return
    start = site.source.span(statement.target)[1]
    at = site.source.text.index("=", start) - 1
    turned = TURNED[type(statement.op)]
    yield site.editing([Edit(at, at + 1, turned)], usual)


def _of_sum(site: Site, node: ast.BinOp, usual: float) -> Iterator[Proposal]:
    try:
        start, end = site.source.operator(node)
        left, right = site.source.sides(node)
    except ValueError:
        return
    is_update = any(site.source.of(node.left) == site.source.of(each) for each in site.targets)
    # a difference of two plain values is turned round by exchanging them
    is_plain = isinstance(node.left, OPERANDS) and isinstance(node.right, OPERANDS)
    more = 0.0 if is_update else 0.3 if is_plain else 0.1
    if isinstance(node.left, ast.Constant) and site.wanted.code in SLOPES:
        more = -0.5  # as 1 + a in place of 1 - a
    yield site.editing([Edit(start, end, TURNED[type(node.op)])], usual + more)
    if isinstance(node.op, ast.Sub) and not is_update:
        exchanged = f"{right} - {bracketed(left, SUM + 1)}"
        cost = usual + (0.1 if is_plain else 0.5)
        yield site.editing([Edit(*site.source.span(node), exchanged)], cost)


def _of_comparison(site: Site, node: ast.Compare) -> Iterator[Proposal]:
    kind = type(node.ops[0])
    for table, cost in ((OPPOSITE, 0.7), (OPPOSITE_OR_EQUAL, 0.9)):
        if kind in table:
            left, right = site.source.of(node.left), site.source.of(node.comparators[0])
            yield from site.replacing(node, f"{left} {table[kind]} {right}", cost)
