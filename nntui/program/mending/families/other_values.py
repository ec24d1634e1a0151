"""Puts another value in place of one that is read: another name, or another element of the same."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.beforehand import stem
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.scope import OTHER
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import Edit, bracketed

CODES = ("own-output-for-input", "derivative-at-a", "gradient", "derivative")
SLICES = (":-1", "1:", ":")


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    yield from _as_told(site)
    for operand in site.operands:
        yield from _names(site, operand)
        yield from _elements(site, operand)
    yield from _targets(site)


def _as_told(site: Site) -> Iterator[Proposal]:
    """What the finding says was used becomes what it says was meant."""
    used, meant = site.wanted.used, site.wanted.meant
    if not used or meant not in site.names:
        return  # what it is called elsewhere, perhaps
    for node in site.expressions:
        if site.source.of(node) == used:
            yield from site.replacing(node, meant, 0.0)


def _names(site: Site, operand: ast.expr) -> Iterator[Proposal]:
    text = site.source.of(operand)
    is_number = site.is_index(operand)
    shape = site.shape(text)
    for name, by_shape in site.values_for(() if is_number else shape):
        if name == text or (is_number and ("." in name or "[" in name)):
            continue
        if shape == () and by_shape >= OTHER:
            continue
        alike = stem(name) == stem(text)
        cost = by_shape + (0.4 if alike else 0.7 if _style(name) == _style(text) else 1.0)
        cost += 0.6 if is_number else 0.0
        cost -= 0.5 if name == site.wanted.meant else 0.0
        yield from site.replacing(operand, name, cost)
    base = _base(operand)
    if base is not operand:
        known = site.source.of(base)
        for at, name in enumerate(dict.fromkeys(map(_root, site.names))):
            if name != known:
                yield from site.replacing(base, name, 1.1 + 0.02 * at)


def _style(text: str) -> str:
    """Whether a value is an element, an attribute or a name."""
    return "[" if text.endswith("]") else "." if "." in text else ""


def _base(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _root(text: str) -> str:
    return text.partition("[")[0]


def _elements(site: Site, operand: ast.expr) -> Iterator[Proposal]:
    """Another element of the same list or array."""
    node: ast.AST = operand
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Subscript):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            for part in parts:
                yield from _element(site, part)
        node = node.value
    for name in _counters(site):
        yield from site.replacing(operand, f"{site.source.of(operand)}[{name}]", 1.6)


def _element(site: Site, part: ast.expr) -> Iterator[Proposal]:
    text = site.source.of(part)
    match part:
        case ast.Slice():
            for other in SLICES:
                if other != text.replace(" ", ""):
                    start, end = site.source.span(part)
                    yield site.editing([Edit(start, end, other)], 1.2)
        case ast.Constant(value=int() as number):
            for near in (number - 1, number + 1):
                yield from site.replacing(part, str(near), 1.4)
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=int() as number)):
            left = site.source.of(part.left)
            symbol = "+" if isinstance(part.op, ast.Add) else "-"
            yield from site.replacing(part, left, 0.9)
            yield from site.replacing(part, f"{left} {symbol} {number + 1}", 0.9)
            if number > 1:
                yield from site.replacing(part, f"{left} {symbol} {number - 1}", 0.9)
        case ast.Name() | ast.UnaryOp() | ast.BinOp():
            for other in ("- 1", "+ 1"):
                yield from site.replacing(part, f"{bracketed(text, 10)} {other}", 1.1)


def _counters(site: Site) -> list[str]:
    """The variables of the loops around that count."""
    found = []
    for around in site.source.around(site.statement):
        if isinstance(around, ast.For) and isinstance(around.target, ast.Name):
            call = around.iter
            if isinstance(call, ast.Call) and site.source.of(call.func) == "range":
                found.append(around.target.id)
    return found


def _targets(site: Site) -> Iterator[Proposal]:
    """The result goes to another name."""
    for target in site.targets:
        if not isinstance(target, ast.Name):
            continue
        read = [site.source.of(each) for each in site.operands]
        for name in read:
            if name != target.id and site.shape(name) == site.shape(target.id):
                yield from site.replacing(target, name, 1.5)
