"""What the updates of the unchanged program show of its values: shapes, activations, functions."""

import ast
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.evidence.verified import Verified
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.judgement import Judgement
from nntui.program.mending.families.slope_texts import (
    ELU,
    LEAKY,
    RELU,
    SIGMOID,
    SOFTPLUS,
    TANH,
)
from nntui.program.mending.source.beforehand import shape_keys
from nntui.program.mending.source.source_text import SourceText
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Place, Places

Array = np.ndarray


def facts(
    places: Places, recordings: Sequence[Recording], judgement: Judgement | None
) -> dict[str, Any]:
    """The facts of `site.Facts`, as values of JSON, and lines.

    ``lines`` are those that were recorded, ``forward`` those of the forward pass, and on those in
    ``first`` the first values arise that are no true derivative.
    """
    found: dict[str, Any] = {
        "shapes": _shapes(places, recordings[0]),
        "lines": _lines(places, recordings[0].nodes),
        "forward": [],
        "first": [],
    }
    if judgement is not None and judgement.wrong:
        scene = Scene(judgement, places)
        found["forward"] = [list(each) for each in sorted(scene.forward_lines)]
        frontier = Verified(scene, alone=True).frontier(judgement.wrong)
        found["first"] = _lines(places, frontier[:4])
        found.update(_slopes(scene))
    return found


def _lines(places: Places, nodes: Iterable[Node]) -> list[list[Any]]:
    known = (places.places[node.place] for node in nodes if node.place >= 0)
    return [list(each) for each in dict.fromkeys((place.file, place.line) for place in known)]


def _shapes(places: Places, recording: Recording) -> dict[str, list[list[int]]]:
    """The shapes of the values that were read or assigned, by `shape_key`."""
    found: dict[str, list[list[int]]] = {}
    sources = {file: SourceText(file, "\n".join(lines)) for file, lines in places.sources.items()}

    def note(place: Place, text: str, value: Any) -> None:
        function = sources[place.file].function_at(place.line)
        for key in shape_keys(place.file, function, text):
            known = found.setdefault(key, [])
            shape = list(np.shape(value))
            if shape not in known:
                known.append(shape)

    for at, node, _ in recording.assignments:
        place = places.places[at]
        if place.target and place.target != "<return>":
            note(place, place.target, node.value)
    seen: set[int] = set()
    for node in recording.nodes:
        if node.place < 0 or node.place in seen:
            continue
        seen.add(node.place)
        place = places.places[node.place]
        if isinstance(place.node, ast.expr):
            note(place, ast.unparse(place.node), node.value)
        for part, value in zip(_parts(place.node), map(_value, node.arguments), strict=False):
            if value is not None:
                note(place, ast.unparse(part), value)
    return found


def _value(argument: Any) -> Any:
    if isinstance(argument, Ref):
        return argument.node.value
    return argument if isinstance(argument, int | float | np.ndarray) else None


def _parts(node: ast.AST | None) -> list[ast.expr]:
    """The operands of an operation in the order of its arguments."""
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"))):
            return node.args
        case ast.AugAssign():
            return [node.target, node.value]
    return []


def _slopes(scene: Scene) -> dict[str, Any]:
    """The kinds of activations whose slopes were measured, and what their values are called."""
    kinds: dict[tuple[str, float], None] = {}
    names: dict[tuple[str, str], None] = {}
    for activation, before in scene.activations:
        for at in scene.informative[:3]:
            kind = _kind(scene, at, activation, before)
            if kind is not None:
                kinds.setdefault(kind)
                names.setdefault((activation.name or "", before.name or ""))
                break
    return {
        "slopes": [list(each) for each in kinds],
        "activations": [list(each) for each in names],
    }


def _kind(scene: Scene, at: int, activation: Node, before: Node) -> tuple[str, float] | None:
    """Which activation has this slope, by numbers."""
    recording = scene.recordings[at]
    one, other = recording.by_key.get(activation.key), recording.by_key.get(before.key)
    if one is None or other is None:
        return None
    slope = scene.slope(at, one.key).get(other.number)
    if slope is None:
        return None
    a, z = np.asarray(one.value, float), np.asarray(other.value, float)
    s = np.asarray(slope, float)
    if a.shape != z.shape or s.shape != a.shape or not np.isfinite(s).all():
        return None
    with np.errstate(all="ignore"):
        for kind, value in (
            (SIGMOID, a * (1 - a)),
            (TANH, 1 - a**2),
            (SOFTPLUS, 1 / (1 + np.exp(-z))),
        ):
            if np.allclose(s, value, rtol=1e-8, atol=1e-12):
                return kind, 0.0
    below = z < 0
    if not below.any() or not np.allclose(s[z > 0], 1.0):
        return None
    least = s[below]
    if np.ptp(least) < 1e-12:
        constant = float(least[0])
        return (RELU, 0.0) if constant == 0 else (LEAKY, constant) if 0 < constant < 1 else None
    shifts = least - a[below]
    return (ELU, float(shifts[0])) if np.ptp(shifts) < 1e-9 and shifts[0] > 0 else None
