"""One-line changes of a program, of the kinds that people make by mistake.

Each operator reads the syntax tree and proposes new text for one line (two lines that stand one
below the other, where they are exchanged).  Whether the changed program runs, and whether its
update is then wrong, is not known here: ``judging.py`` measures it.
"""

import ast
from collections.abc import Callable, Iterator

from nntui.bench.programs.mutating.matrix_operators import (
    axis_changed,
    elementwise,
    sum_left_out,
    transposed,
)
from nntui.bench.programs.mutating.mutation import Mutation, Shapes, Source, called
from nntui.bench.programs.mutating.place_operators import (
    accumulation_left_out,
    index_shifted,
    lines_exchanged,
    update_left_out,
)
from nntui.bench.programs.mutating.value_operators import (
    comparison_turned,
    difference_turned,
    factor_left_out,
    function_exchanged,
    one_plus,
    other_value,
    power_left_out,
    scaled,
    sign,
    slope_exchanged,
)

__all__ = ["OPERATORS", "Mutation", "candidates"]

Operator = Callable[[Source, ast.AST], Iterator[Mutation]]

OPERATORS: tuple[Operator, ...] = (
    sign,
    difference_turned,
    one_plus,
    factor_left_out,
    scaled,
    power_left_out,
    other_value,
    slope_exchanged,
    comparison_turned,
    function_exchanged,
    transposed,
    elementwise,
    axis_changed,
    sum_left_out,
    index_shifted,
    accumulation_left_out,
    update_left_out,
    lines_exchanged,
)


OF_INDICES = (index_shifted,)
"""What may be done to an index that stands within another."""


def candidates(text: str, shapes: Shapes) -> list[Mutation]:
    """All proposed mutations of the lines that run in an update, each text once, in order."""
    source = Source(text, shapes)
    found: dict[tuple[tuple[int, str], ...], Mutation] = {}
    counting = set(counted(source.tree))
    for node in ast.walk(source.tree):
        for operator in OPERATORS if runs(node, shapes) else (lines_exchanged,):
            if id(node) in counting and operator not in OF_INDICES:
                continue
            for mutation in operator(source, node):
                found.setdefault(mutation.lines, mutation)
    valid = [each for each in found.values() if _compiles(each.apply(text))]
    return sorted(valid, key=lambda each: (each.line, each.column, each.operator, each.lines))


def counted(tree: ast.AST) -> Iterator[int]:
    """The identities of the nodes that are indices or bounds of a range, not values."""
    for node in ast.walk(tree):
        inner: list[ast.expr] = []
        if isinstance(node, ast.Subscript):
            inner = [node.slice]
        elif isinstance(node, ast.Call) and called(node) in ("range", "xrange"):
            inner = node.args
        for each in inner:
            yield from (id(below) for below in ast.walk(each))


def runs(node: ast.AST, shapes: Shapes) -> bool:
    """Whether a node is an expression on one line, or a statement, that runs in an update."""
    if isinstance(node, ast.expr):
        return node.lineno in shapes and node.lineno == node.end_lineno
    return isinstance(node, ast.stmt) and node.lineno in shapes


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
