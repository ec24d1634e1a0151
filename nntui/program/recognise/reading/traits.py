"""What a recorded update shows beside its numbers: scaled steps, formulas, what is no layer."""

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.recognise.reading.layers.formula_text import factors, formula_text
from nntui.program.recognise.reading.layers.stack import Level, Stack
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.record.node import Node

CLIPPING = frozenset({"clip", "minimum", "maximum", "norm", "max", "min"})
"""Operations by which a gradient may be clipped."""
MOST_SLOPES = 8


@dataclass(frozen=True)
class Scaling:
    """What comes into the steps beside the gradient."""

    adapts: bool
    """Whether roots of arrays of a parameter's shape do, as with Adam."""
    clips: bool
    """Whether a norm or a bound does."""


def scaling_of(recording: Recording, stack: Stack) -> Scaling:
    """How the steps of the parameters are scaled in ``recording``."""
    forward = set(stack.forward)
    behind = ancestors(recording.end.get(name) for name in stack.names) - forward
    nodes = [recording.nodes[number] for number in behind if recording.depends[number] & stack.mask]
    shapes = {np.shape(recording.start[name].value) for name in stack.names}
    roots = {np.shape(node.value) for node in nodes if _is_root(node)}
    clips = () in roots - shapes or any(node.operation in CLIPPING for node in nodes)
    return Scaling(bool(roots & shapes), clips)


def _is_root(node: Node) -> bool:
    if node.operation == "**":
        return len(node.arguments) == 2 and node.arguments[1] == 0.5
    return node.operation == "sqrt"


def check_parameters(
    recording: Recording, names: Collection[str], memories: Iterable[str], forward: set[int]
) -> None:
    """Raise NoCounterpartError for parameters that a preset cannot have."""
    if not names:
        raise NoCounterpartError("its parameters have other names in each update")
    for name in memories:
        if name in names and _looks_ahead(recording, name, forward):
            raise NoCounterpartError(
                f"the gradient is taken where {name} would carry the parameters",
                recording.users[recording.start[name].number][0],
            )
    for name in names:
        if np.asarray(recording.start[name].value).dtype == np.float32:
            raise NoCounterpartError(f"{name} is in single precision")


def _looks_ahead(recording: Recording, name: str, forward: set[int]) -> bool:
    """Whether the loss sees the array ``name`` as an offset of a parameter, as Nesterov's does."""
    start = recording.start[name]
    users = [each for each in recording.users[start.number] if each.number in forward]
    if np.size(start.value) == 1 or len(users) != 1 or users[0].operation != "*":
        return False
    shape = np.shape(start.value)
    return any(
        each.operation == "+" and all(np.shape(one.value) == shape for one in each.inputs)
        for each in recording.users[users[0].number]
    )


def formulas_of(recording: Recording, stack: Stack) -> list[tuple[str | None, tuple[str, ...]]]:
    """By layer, f(z) as a formula, and what is multiplied by on the way back, as formulas.

    Raises NoCounterpartError where random numbers come in.
    """
    forward = set(stack.forward)
    behind = [node for node in recording.nodes if node.number not in forward]
    found = []
    for level in stack.levels:
        drawn = _drawn_between(level)
        if drawn is not None:
            raise NoCounterpartError("random numbers come into the network, as dropout's", drawn)
        z = {root.number: "z" for root in level.roots}
        held = level.f_nodes[0]
        text = "z" if held.number in z else formula_text(held, z)
        among = {**{node.number: "a" for node in level.f_nodes}, **z}
        found.append((text, tuple(factors(behind, among)[:MOST_SLOPES])))
    return found


def _drawn_between(level: Level) -> Node | None:
    """A random number that comes in between z and f(z)."""
    waiting, seen = list(level.f_nodes), {root.number for root in level.roots}
    first = min(seen)
    while waiting:
        node = waiting.pop()
        if node.number in seen or node.number < first:
            continue
        if node.operation == "leaf" and node.function is not None:
            return node
        seen.add(node.number)
        waiting += node.inputs
    return None


def seeds_in(sources: Mapping[str, Sequence[str]]) -> tuple[int, ...]:
    """The seeds of NumPy's legacy generator in the program's text."""
    found: dict[int, None] = {}
    for lines in sources.values():
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Call) and len(node.args) == 1:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given = node.args[0]
                value = given.value if isinstance(given, ast.Constant) else None
                if name in ("seed", "RandomState") and type(value) is int and value >= 0:
                    found.setdefault(value)
    return tuple(found)


def literals_in(sources: Mapping[str, Sequence[str]]) -> tuple[float, ...]:
    """The numbers in the program's text."""
    found: dict[float, None] = {}
    for lines in sources.values():
        for node in ast.walk(ast.parse("\n".join(lines))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, int | float) and not isinstance(value, bool):
                number = float(value)
                if np.isfinite(number):
                    found.setdefault(number)
    return tuple(found)
