"""Writes the slope of an activation: as a factor that is missing, or in place of another one."""

import ast
from collections.abc import Iterator

from nntui.program.mending.proposal import Proposal
from nntui.program.mending.site import PRODUCT, Site
from nntui.program.mending.source_text import FUNCTIONS, bracketed

CODES = ("derivative", "derivative-missing", "derivative-at-a")
MOST_NAMES = 12
SIGMOID, TANH, RELU, LEAKY, SOFTPLUS, ELU = "sigmoid", "tanh", "relu", "leaky", "softplus", "elu"
KINDS = (SIGMOID, TANH, RELU, LEAKY, SOFTPLUS, ELU)
USUAL = ((SIGMOID, 0.0), (TANH, 0.0), (RELU, 0.0))


def of_activation(kind: str, constant: float, a: str, numpy: str) -> Iterator[str]:
    """The slope of an activation by its value ``a``, as written."""
    if kind == SIGMOID:
        yield f"{a} * (1 - {a})"
    elif kind == TANH:
        yield f"(1 - {a} ** 2)"
    elif kind == RELU:
        yield f"({a} > 0)"
    elif kind == LEAKY:
        yield _choice(f"{a} > 0", "1", f"{constant:g}", numpy)
    elif kind == SOFTPLUS and numpy:
        yield f"(1 - {numpy}.exp(-{a}))"
    elif kind == ELU:
        yield _choice(f"{a} > 0", "1", f"{a} + {constant:g}", numpy)


def of_preactivation(
    kind: str, constant: float, z: str, numpy: str, sigmoid: str = ""
) -> Iterator[str]:
    """The slope of an activation by its pre-activation ``z``, as written.

    ``sigmoid`` is the program's own function of that kind.
    """
    if kind == SIGMOID:
        if sigmoid:
            yield f"{sigmoid}({z}) * (1 - {sigmoid}({z}))"
        elif numpy:
            yield f"{numpy}.exp(-{z}) / (1 + {numpy}.exp(-{z})) ** 2"
    elif kind == TANH and numpy:
        yield f"(1 - {numpy}.tanh({z}) ** 2)"
    elif kind == RELU:
        yield f"({z} > 0)"
    elif kind == LEAKY:
        yield _choice(f"{z} > 0", "1", f"{constant:g}", numpy)
    elif kind == SOFTPLUS and numpy:
        yield f"{sigmoid}({z})" if sigmoid else f"1 / (1 + {numpy}.exp(-{z}))"
    elif kind == ELU and numpy:
        factor = "" if constant == 1 else f"{constant:g} * "
        yield _choice(f"{z} > 0", "1", f"{factor}{numpy}.exp({z})", numpy)


def _choice(test: str, one: str, other: str, numpy: str) -> str:
    return f"{numpy}.where({test}, {one}, {other})" if numpy else f"({one} if {test} else {other})"


def proposals(site: Site) -> Iterator[Proposal]:
    """The changes at ``site``."""
    missing = site.wanted.code in ("derivative-missing", "gradient")
    for slope, cost in _texts(site):
        for at, node in enumerate(site.arrays):
            more = 0.2 if missing else 0.8
            yield from site.times(node, slope, cost + more + 0.1 * at)
        yield from _instead(site, slope, cost + (0.9 if missing else 0.4))
    for text, cost in _bodies(site):
        if site.value is not None:
            yield from site.replacing(site.value, text, cost)
            yield from _instead(site, text, cost + 0.1)


def _instead(site: Site, slope: str, cost: float) -> Iterator[Proposal]:
    """``slope`` in place of a factor, or of two that follow each other, as ``a * (1 - a)`` do."""
    for factor in site.factors:
        if not isinstance(factor, ast.Constant):
            yield from site.replacing(factor, slope, cost)
    for product, kept in site.without_two():
        yield from site.replacing(product, f"{kept} * {bracketed(slope, PRODUCT + 1)}", cost + 0.1)


def _texts(site: Site) -> Iterator[tuple[str, float]]:
    """Slopes of the program's activations at the values that can be read here, with their costs."""
    kinds = site.facts.slopes or USUAL
    sigmoid = _sigmoid(site)
    known = {name for pair in site.facts.activations for name in pair}
    for at, name in enumerate(site.names[:MOST_NAMES]):
        cost = 0.05 * at - (0.5 if name in known else 0.0)
        for function in site.slope_functions:
            yield f"{function}({name})", cost + 0.1
        for kind, constant in kinds:
            for text in of_activation(kind, constant, name, site.numpy):
                yield text, cost + 0.2
            for text in of_preactivation(kind, constant, name, site.numpy, sigmoid):
                yield text, cost + 0.3


def _bodies(site: Site) -> Iterator[tuple[str, float]]:
    """What a function of one argument that gives a slope can return."""
    arguments = _arguments(site)
    if not arguments or not isinstance(site.statement, ast.Return | ast.Assign):
        return
    kinds = site.facts.slopes or tuple((kind, 0.0) for kind in KINDS)
    sigmoid = _sigmoid(site)
    for at, name in enumerate(arguments[:2]):
        for kind, constant in kinds:
            for text in of_activation(kind, constant, name, site.numpy):
                yield text, 0.2 + 0.1 * at
            for text in of_preactivation(kind, constant, name, site.numpy, sigmoid):
                yield text, 0.3 + 0.1 * at


def _arguments(site: Site) -> list[str]:
    """The arguments of the function or lambda that the statement is in."""
    around = None if site.value is None else site.source.parents[site.value]
    if isinstance(around, ast.Lambda):
        return [each.arg for each in around.args.args]
    if isinstance(site.function, FUNCTIONS):
        return [each.arg for each in site.function.args.args if each.arg not in ("self", "cls")]
    return []


def _sigmoid(site: Site) -> str:
    """The program's own function that computes ``1 / (1 + exp(-x))``."""
    for node in site.source.tree.body:
        if not isinstance(node, ast.FunctionDef) or len(node.args.args) != 1:
            continue
        last = node.body[-1]
        if isinstance(last, ast.Return) and last.value is not None:
            text = site.source.of(last.value).replace(" ", "").replace(".0", "")
            text = text.replace("1./", "1/").replace("(1.+", "(1+")
            if text.startswith("1/(1+") and "exp(-" in text:
                return node.name
    return ""

