"""Changes the axis of a sum, or the shape in which an array meets another."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.site import ATOM, Site
from nntui.program.mending.source.source_text import Edit, bracketed

CODES = ("shape-grows", "softmax-axis", "broadcast", "scalar-for-outer-product")
SHARES = 2.0
"""How much less the axis of a softmax costs: it is a fault of the forward pass, which is rare."""
SUMMING = ("sum", "mean")
OVER = ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True")


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    usual = 0.0 if site.wanted.code in CODES else 0.5
    for node in site.expressions:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in SUMMING:
                less = SHARES if _is_share(site, node) else 0.0
                yield from _summed(site, node, node.func, usual - less)
            elif node.func.attr == "max" and site.wanted.code == "softmax-axis":
                yield from _summed(site, node, node.func, usual + 1)
    yield from _sums(site, usual)
    yield from _number_for_sum(site)
    yield from _sum_for_value(site, usual)
    yield from _shapes(site, usual)


def _is_share(site: Site, call: ast.Call) -> bool:
    """Whether something is divided by its own sum, as in a softmax."""
    parent = site.source.parents[call]
    if not isinstance(parent, ast.BinOp) or not isinstance(parent.op, ast.Div):
        return False
    whole, part = site.source.of(call), site.source.of(parent.left)
    return parent.right is call and part in whole


def _summed(
    site: Site, call: ast.Call, function: ast.Attribute, usual: float
) -> Iterator[Proposal]:
    """Another axis, or none, for a sum."""
    own = [each for each in call.keywords if each.arg in ("axis", "keepdims")]
    rest = [site.source.of(each) for each in call.keywords if each not in own]
    is_numpy = site.source.of(function.value) == site.numpy
    given = [site.source.of(each) for each in call.args]
    kept = given[:1] if is_numpy else []
    head = site.source.of(function)
    known = ", ".join([*given, *(site.source.of(each) for each in call.keywords)])
    for at, over in enumerate((*OVER, "")):
        text = ", ".join([*kept, *([over] if over else []), *rest])
        if text != known:
            keeps = "keepdims" in over
            is_alike = keeps == any(each.arg == "keepdims" for each in own)
            cost = usual + 0.05 * at + (0.0 if is_alike else 0.2) + (0.0 if over else 0.6)
            yield from site.replacing(call, f"{head}({text})", cost)


def _number_for_sum(site: Site) -> Iterator[Proposal]:
    """The sum of each row in place of one number for all, as in the slope of a hinge loss."""
    match site.statement:
        case ast.Assign(targets=[ast.Subscript(value=base)], value=value):
            text = site.source.of(base)
            for sign in ("-", ""):
                for axis in (1, 0):
                    yield from site.replacing(value, f"{sign}{text}.sum(axis={axis})", 1.0)


def _sum_for_value(site: Site, usual: float) -> Iterator[Proposal]:
    """Another value, summed to the shape of the one that is read."""
    for operand in site.operands:
        text = site.source.of(operand)
        wanted = site.shape(text)
        if wanted is None or site.is_index(operand):
            continue
        for at, name in enumerate(site.names):
            shape = site.shape(name)
            if name == text or shape is None:
                continue
            for over, summed in _summed_shapes(shape):
                if summed == wanted:
                    cost = usual + 0.4 + 0.01 * at
                    yield from site.replacing(operand, f"{name}.sum({over})", cost)


def _summed_shapes(shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The ways to sum an array of two axes, and the shapes that they give."""
    if len(shape) == 2:
        yield "axis=0", shape[1:]
        yield "axis=0, keepdims=True", (1, shape[1])
        yield "axis=1", shape[:1]
        yield "axis=1, keepdims=True", (shape[0], 1)


def _sums(site: Site, usual: float) -> Iterator[Proposal]:
    """The whole value summed over an axis."""
    if site.value is None or isinstance(site.value, ast.Constant):
        return
    for at, node in enumerate(site.arrays[:4]):
        text = bracketed(site.source.of(node), ATOM)
        for over in OVER:
            yield from site.replacing(node, f"{text}.sum({over})", usual + 0.7 + 0.1 * at)


def _shapes(site: Site, usual: float) -> Iterator[Proposal]:
    """A column where there is a row, and the other way round."""
    for node in site.operands:
        text = bracketed(site.source.of(node), ATOM)
        shape = site.shape(text)
        if shape == () or site.is_index(node):
            continue
        flat = shape is not None and len(shape) == 1
        for way, cost in (
            (".reshape(-1, 1)", 0.1 if flat else 0.4),
            (".ravel()", 0.2 if shape is not None and not flat else 0.5),
        ):
            yield from site.replacing(node, f"{text}{way}", usual + cost)
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Attribute(attr="reshape" | "ravel" | "flatten") as function):
                inner = site.source.of(function.value)
                if inner != site.numpy:
                    yield from site.replacing(node, inner, usual + 0.9)
            case ast.Subscript(slice=ast.Constant(value=int() as number)):
                start, end = site.source.span(node.slice)
                yield site.editing([Edit(start, end, f"{number}:{number + 1}")], usual + 1.2)
