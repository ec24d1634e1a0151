"""Writes the slope of an activation: as a factor that is missing, or in place of another one."""

import ast
from collections.abc import Iterator

from nntui.program.mending.source.beforehand import words
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.scope import OTHER, SLOPE_NAME
from nntui.program.mending.source.site import Site
from nntui.program.mending.source.source_text import FUNCTIONS

CODES = ("derivative", "derivative-missing", "derivative-at-a")
SIGMOID, TANH, RELU, LEAKY, SOFTPLUS, ELU = "sigmoid", "tanh", "relu", "leaky", "softplus", "elu"
KINDS = (SIGMOID, TANH, RELU, LEAKY, SOFTPLUS, ELU)
USUAL = ((SIGMOID, 0.0), (TANH, 0.0), (RELU, 0.0))


def of_activation(kind: str, constant: float, a: str, site: Site) -> Iterator[str]:
    """The slope of an activation by its value ``a``, as written."""
    numpy = site.numpy
    if kind == SIGMOID:
        yield site.product(a, f"(1 - {a})")
    elif kind == TANH:
        yield f"(1 - {numpy}.power({a}, 2))" if site.has_matrices else f"(1 - {a} ** 2)"
    elif kind == RELU:
        yield f"({a} > 0)"
    elif kind == LEAKY:
        yield _choice(f"{a} > 0", "1", f"{constant:g}", numpy)
    elif kind == SOFTPLUS and numpy:
        yield f"(1 - {numpy}.exp(-{a}))"
    elif kind == ELU:
        yield _choice(f"{a} > 0", "1", f"{a} + {constant:g}", numpy)


def of_preactivation(
    kind: str, constant: float, z: str, site: Site, sigmoid: str = ""
) -> Iterator[str]:
    """The slope of an activation by its pre-activation ``z``, as written.

    ``sigmoid`` is the program's own function of that kind.
    """
    numpy = site.numpy
    if kind == SIGMOID and sigmoid:
        yield site.product(f"{sigmoid}({z})", f"(1 - {sigmoid}({z}))")
    elif kind == SIGMOID and numpy and not site.has_matrices:
        yield f"{numpy}.exp(-{z}) / (1 + {numpy}.exp(-{z})) ** 2"
    elif kind == TANH and numpy and not site.has_matrices:
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
    code = site.wanted.code
    added = {"derivative-missing": 0.2, "gradient": 0.7, "derivative": 1.0}.get(code, 1.3)
    instead = {"derivative-missing": 1.0, "gradient": 0.7}.get(code, 0.3 if code in CODES else 1.2)
    for at, node in enumerate(site.arrays):
        for slope, cost in _texts(site, site.shape_of(node)):
            yield from site.times(node, slope, cost + added + 0.1 * at)
    for factor in site.factors:
        shape = site.shape_of(factor)
        if not isinstance(factor, ast.Constant) and (shape != () or site.is_scalar):
            for slope, cost in _texts(site, shape):
                yield from site.replacing(factor, slope, cost + instead)
    for product, kept in site.without_two():
        for slope, cost in _texts(site, site.shape_of(product)):
            text = site.product(kept, slope)
            yield from site.replacing(product, text, cost + instead + 0.1)
    for text, cost in _bodies(site):
        if site.value is not None:
            yield from site.replacing(site.value, text, cost + instead - 0.2)
            for factor in site.factors:
                if not isinstance(factor, ast.Constant):
                    yield from site.replacing(factor, text, cost + instead - 0.1)


def _texts(site: Site, shape: tuple[int, ...] | None) -> Iterator[tuple[str, float]]:
    """Slopes at the values of that ``shape`` that can be read here, with what each costs."""
    kinds = site.facts.slopes or USUAL
    sigmoid = _sigmoid(site)
    known = {word for pair in site.facts.activations for name in pair for word in words(name)}
    told = {site.wanted.activation, site.wanted.before}
    for name, cost in site.values_for(shape):
        if cost >= OTHER:
            continue
        cost += (0.0 if words(name) & known else 0.5) - (0.2 if name in told else 0.0)
        for function in site.slope_functions:
            yield f"{function}({name})", cost - (0.6 if function in site.unused else 0.0)
        for kind, constant in kinds:
            for text in of_preactivation(kind, constant, name, site, sigmoid):
                yield text, cost + (0.1 if kind in (RELU, LEAKY) else 0.3)
            for text in of_activation(kind, constant, name, site):
                yield text, cost + 0.2


def _bodies(site: Site) -> Iterator[tuple[str, float]]:
    """What a function of one argument that gives a slope can return."""
    arguments = _arguments(site)
    if not arguments or not _gives_a_slope(site):
        return
    kinds = site.facts.slopes or tuple((kind, 0.0) for kind in KINDS)
    sigmoid = _sigmoid(site)
    for at, name in enumerate(arguments[:2]):
        for kind, constant in kinds:
            for text in of_activation(kind, constant, name, site):
                yield text, 0.1 + 0.1 * at
            for text in of_preactivation(kind, constant, name, site, sigmoid):
                yield text, 0.2 + 0.1 * at


def _gives_a_slope(site: Site) -> bool:
    """Whether the statement is what a function returns that may be one of a slope."""
    match site.statement:
        case ast.Return() if isinstance(site.function, ast.FunctionDef):
            name = site.function.name
        case ast.Assign(targets=[target], value=ast.Lambda()):
            name = site.source.of(target)
        case _:
            return False
    return SLOPE_NAME.search(name) is not None or len(_arguments(site)) == 1


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
