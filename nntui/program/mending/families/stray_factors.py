"""Removes a factor or a term that does not belong, adds one that does, or changes a number."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.scope import OTHER
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import Edit, bracketed

CODES = ("wrong-factor", "gradient", "derivative")
MOST_PLACES = 12
NUMBERS = ("1", "0", "2", "0.5")


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    for node in site.expressions:
        if isinstance(node, ast.BinOp):
            yield from _without_a_side(site, node)
        elif isinstance(node, ast.Constant):
            yield from _numbers(site, node)
    for node, kept in site.without_two():
        yield from site.replacing(node, kept, 0.5 if site.wanted.code == "derivative" else 0.9)
    yield from _powers(site)
    yield from _with_a_factor(site)
    yield from _added_up(site)


def _without_a_side(site: Site, node: ast.BinOp) -> Iterator[Proposal]:
    if not isinstance(node.op, ast.Mult | ast.Div | ast.Add | ast.Sub):
        return
    left, right = site.source.sides(node)
    usual = -0.5 if site.wanted.code == "wrong-factor" else 0.0
    is_product = isinstance(node.op, ast.Mult | ast.Div)
    yield from site.replacing(node, left, usual + (0.8 if is_product else 1.2))
    if isinstance(node.op, ast.Mult | ast.Add):
        yield from site.replacing(node, right, usual + (0.9 if is_product else 1.3))
    if is_product:
        if isinstance(node.op, ast.Div):
            for name, cost in site.values_for(site.shape_of(node)):
                if cost < OTHER:
                    yield from site.replacing(node, f"{left} * {name}", usual + cost + 1.0)
        start, end = site.source.operator(node)
        other = "/" if isinstance(node.op, ast.Mult) else "*"
        yield site.editing([Edit(start, end, other)], usual + 1.4)


def _numbers(site: Site, node: ast.Constant) -> Iterator[Proposal]:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        return
    for number in NUMBERS:
        if float(number) != node.value:
            yield from site.replacing(node, number, 1.4)


def _powers(site: Site) -> Iterator[Proposal]:
    """A square that is missing, or one too many."""
    for node in site.expressions:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            yield from site.replacing(node, site.source.sides(node)[0], 1.1)
    for operand in site.operands:
        if site.is_index(operand):
            continue
        text = site.source.of(operand)
        parent = site.source.parents[operand]
        if not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow)):
            beside_one = isinstance(parent, ast.BinOp) and isinstance(parent.left, ast.Constant)
            yield from site.replacing(operand, f"{text} ** 2", 0.7 if beside_one else 1.7)
        for other in ("+ 1", "- 1"):
            yield from site.replacing(operand, f"{text} {other}", 1.8)
        for number in ("1", "0"):
            yield from site.replacing(operand, number, 1.7)


def _with_a_factor(site: Site) -> Iterator[Proposal]:
    """A factor, or a divisor, that is at hand: a mask, the number of samples."""
    usual = 0.3 if site.wanted.code == "wrong-factor" else 0.8
    for place, node in enumerate(site.arrays[:MOST_PLACES]):
        for name, by_shape in site.values_for(site.shape_of(node)):
            if by_shape < OTHER:
                yield from site.times(node, name, usual + by_shape + 0.1 * place)
    value = site.value
    if value is None or isinstance(value, ast.Constant):
        return
    left = bracketed(site.source.of(value), 11)
    for name, by_shape in site.values_for(()):
        if by_shape < OTHER:
            yield from site.replacing(value, f"{left} / {name}", usual + by_shape + 0.2)
        else:
            yield from site.replacing(value, f"{left} / {name}.shape[0]", usual + 0.8)
            yield from site.replacing(value, f"{left} / len({name})", usual + 0.9)


def _added_up(site: Site) -> Iterator[Proposal]:
    """A gradient that is overwritten where it should be added to, and the other way round."""
    match site.statement:
        case ast.Assign(targets=[target]):
            start = site.source.span(target)[1]
            at = site.source.text.index("=", start)
            yield site.editing([Edit(at, at + 1, "+=")], 1.2)
        case ast.AugAssign(op=ast.Add()):
            start = site.source.span(site.statement.target)[1]
            at = site.source.text.index("+=", start)
            yield site.editing([Edit(at, at + 2, "=")], 1.4)
