"""How long a program trains, by the headers of its loops, and where it draws the order of rows."""

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nntui.program.judge.verdict.loss_hypotheses import LOSS_NAME
from nntui.program.recognise.description import Spot
from nntui.program.record.places import Loop

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

SHUFFLING = ("shuffle", "permutation", "permuted", "sample", "choice", "randint", "integers")
"""Functions that draw an order of rows, or some of them, the most telling first."""


def extent_of(execution: "Execution", loop: Loop) -> tuple[int | None, float | None]:
    """How many epochs the training makes, and the loss at which it stops; None for unknown.

    They stand in the header of the outermost loop around ``loop`` in its function, as in
    ``for epoch in range(1000)`` and ``while error > 0.01``.
    """
    loops = execution.places.loops
    if loop.parent is not None:
        loop = loops[loop.parent]
    tree = ast.parse("\n".join(execution.sources[loop.file]))
    known = {each.name: each.value for each in execution.live(whole=True)}
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and node.lineno == loop.line:
            return _count(node.iter, known), None
        if isinstance(node, ast.While) and node.lineno == loop.line:
            return None, _bound(node.test, known)
    return None, None


def _count(given: ast.expr, known: Mapping[str, Any]) -> int | None:
    """How many numbers a ``range`` has."""
    if not (isinstance(given, ast.Call) and isinstance(given.func, ast.Name)):
        return None
    if given.func.id not in ("range", "xrange"):
        return None
    numbers = [_number(each, known) for each in given.args]
    whole = [each for each in numbers if isinstance(each, int)]
    if not 1 <= len(whole) <= 3 or len(whole) < len(numbers):
        return None
    return len(range(*whole))


def _bound(test: ast.expr, known: Mapping[str, Any]) -> float | None:
    """The number that a loss is compared with."""
    for node in ast.walk(test):
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            continue
        sides = [node.left, node.comparators[0]]
        if isinstance(node.ops[0], ast.Lt | ast.LtE):
            sides.reverse()
        elif not isinstance(node.ops[0], ast.Gt | ast.GtE):
            continue
        names = [each.id for each in ast.walk(sides[0]) if isinstance(each, ast.Name)]
        bound = _number(sides[1], known)
        if bound is not None and any(LOSS_NAME.search(name) or "_" in name for name in names):
            return float(bound)
    return None


def _number(given: ast.expr, known: Mapping[str, Any]) -> int | float | None:
    if isinstance(given, ast.Constant):
        number = None if isinstance(given.value, bool) else given.value
        return number if isinstance(number, int | float) else None
    if isinstance(given, ast.Name | ast.Attribute):
        name = ast.unparse(given)
        value = known.get(name, known.get(name.removeprefix("self.")))
        return value if type(value) in (int, float) else None
    return None


def shuffles_of(sources: Mapping[str, Sequence[str]], main: str) -> tuple[Spot, ...]:
    """Where the program draws an order, or some, of its rows; the most telling place first."""
    found: list[tuple[int, Spot]] = []
    for file, lines in sorted(sources.items(), key=lambda each: each[0] != main):
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in SHUFFLING:
                    spot = Spot(file, node.lineno, ast.unparse(node))
                    found.append((SHUFFLING.index(name), spot))
    return tuple(spot for _, spot in sorted(found, key=lambda each: each[0]))
