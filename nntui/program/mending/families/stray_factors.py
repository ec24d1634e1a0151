"""Removes a factor or a term that does not belong, adds one that does, or changes a number."""

import ast
from collections.abc import Iterator

from nntui.program.mending.proposal import Proposal
from nntui.program.mending.site import Site
from nntui.program.mending.source_text import Edit, bracketed

CODES = ("wrong-factor", "gradient", "derivative")
MOST_NAMES = 16
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
    usual = 0.3 if site.wanted.code == "wrong-factor" else 0.9
    arrays = site.arrays
    whole = [site.shape(site.source.of(each)) for each in site.targets]
    for at, name in enumerate(site.names[:MOST_NAMES]):
        shape = site.shape(name)
        for place, node in enumerate(arrays[:6]):
            known = site.shape(site.source.of(node))
            known = whole[0] if known is None and place == 0 and whole else known
            cost = usual + 0.02 * at + 0.2 * place
            if shape is None or known is None:
                cost += 0.6
            elif shape not in ((), known):
                cost += 1.2
            yield from site.times(node, name, cost)
            if shape in ((), None) and place == 0:
                left = bracketed(site.source.of(node), 11)
                yield from site.replacing(node, f"{left} / {name}", cost + 0.2)
            elif place == 0:
                left = bracketed(site.source.of(node), 11)
                yield from site.replacing(node, f"{left} / {name}.shape[0]", usual + 0.6)
                yield from site.replacing(node, f"{left} / len({name})", usual + 0.7)


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
