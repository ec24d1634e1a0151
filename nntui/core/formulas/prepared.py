"""A formula made ready to be recorded: simplified, its parts that occur again known."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import UNITS, Call, Expression, Name, Number
from nntui.core.formulas.functions import FUNCTIONS
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.printing import formula_text

MOST_KEPT = 4096
"""Formulas whose preparation is remembered: those of some hundred configurations."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A formula, and what its recording asks about its nodes, by `id` as they are one tree."""

    expression: Expression
    reads: Mapping[str, int]
    """How often each name is read."""
    same: Mapping[int, int]
    """For each node the first one that is equal to it."""
    uses: Mapping[int, int]
    """How often a node, the first of its equals, is an operand; the operands of equals count once.

    Numbers and names are not counted: they are computed by nothing.
    """

    def shapes(self, known: Mapping[str, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        """The shape of every node by its `id`; see `shape_of`."""
        found: dict[int, tuple[int, ...]] = {}
        _shape(self.expression, known, found)
        return found


@lru_cache(maxsize=MOST_KEPT)
def prepared(expression: Expression) -> Prepared:
    """``expression`` simplified, with functions that have a `body` replaced by that formula."""
    whole = simplified(expanded(expression))
    reads = Counter(node.name for node in whole.walk() if isinstance(node, Name))
    first: dict[Expression, int] = {}
    same = {id(node): first.setdefault(node, id(node)) for node in whole.walk()}
    uses: Counter[int] = Counter()

    def count(node: Expression) -> None:
        if node.parts:
            uses[same[id(node)]] += 1
            if uses[same[id(node)]] == 1:
                for part in node.parts:
                    count(part)

    count(whole)
    return Prepared(whole, reads, same, uses)


def expanded(expression: Expression) -> Expression:
    """The same with functions that have a `body` replaced by that formula."""
    parts = tuple(expanded(part) for part in expression.parts)
    if isinstance(expression, Call) and expression.function in FUNCTIONS:
        body = FUNCTIONS[expression.function].body
        if body:
            return expanded(formula(body).bound(dict(zip("xy", parts, strict=False))))
    return expression.rebuilt(parts)


def shape_of(node: Expression, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of the value of ``node``, from the ``shapes`` of its names.

    Raises ValueError, naming the operands, if their shapes do not match.
    """
    return _shape(node, shapes, {})


def _shape(
    node: Expression,
    shapes: Mapping[str, tuple[int, ...]],
    found: dict[int, tuple[int, ...]],
) -> tuple[int, ...]:
    """The shape of ``node``; all below it are noted in ``found``."""
    parts = [_shape(part, shapes, found) for part in node.parts]
    found[id(node)] = shape = _shape_from(node, parts, shapes)
    return shape


def _shape_from(
    node: Expression, parts: list[tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[int, ...]:
    match node:
        case Number():
            return ()
        case Name(name):
            return shapes[name]
        case Call(function) if function in UNITS:
            return (1, *parts[0][1:])
        case Call("outer"):
            one, two = parts
            if min(len(one), len(two)) < 2 or one[1] != two[1]:
                raise ValueError(f"outer() needs two values of the layer, not {formula_text(node)}")
            return (one[0], two[0], *np.broadcast_shapes(one[2:], two[2:]))
    if len(set(parts) - {()}) == 1:
        shape = next(each for each in parts if each)
    else:
        try:
            shape = np.broadcast_shapes(*parts)
        except ValueError:
            raise ValueError(f"the parts of {formula_text(node)} have different shapes") from None
    return (1, 1, *shape[2:]) if isinstance(node, Call) and node.function == "dot" else shape
