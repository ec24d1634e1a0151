"""Lines that replace what they should add to: a parameter, or a sum over the turns of a loop."""

from collections.abc import Sequence

import numpy as np

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.naming.findings import Finding, finding
from nntui.program.judge.update.carried import retention
from nntui.program.judge.update.recorded_update import ancestors
from nntui.program.record.node import Node

PARALLEL = 1e-6
"""Relative difference up to which the sum over all turns is the gradient."""


def of_replaced(scene: Scene) -> list[Finding]:
    """Findings for the parameters that are set to a step, and forget what they were."""
    found = []
    for name in scene.judgement.replaced:
        if name not in scene.judgement.wrong:
            continue
        node = scene.recording.end[name]
        place = scene.places.places[node.place] if node.place >= 0 else None
        for number, assigned, _ in scene.recording.assignments:
            if assigned is node:
                place = scene.places.places[number]
        found.append(
            finding(
                scene,
                "update-wrong",
                None if place is None else (place.file, place.line),
                f"{name} is overwritten by its step instead of changed by it",
                [name],
                f"its new value holds {retention(scene.recording, name):.3g} times the old one",
                f"change {name} by it instead (-= or +=)",
            )
        )
    return found


def of_last_turn(scene: Scene, wrong: Sequence[str]) -> list[Finding]:
    """Findings for the parameters ``wrong`` whose gradients come from one turn of a loop alone."""
    by_place: dict[int, list[str]] = {}
    for name in wrong:
        place = _replacing(scene, name)
        if place is not None:
            by_place.setdefault(place, []).append(name)
    found = []
    for number, names in by_place.items():
        at = scene.places.places[number]
        found.append(
            finding(
                scene,
                "gradient",
                (at.file, at.line),
                f"{at.target} is overwritten in every iteration, so that only the last one counts",
                names,
                "the sum of what all turns assign there is the gradient, to 1e-6",
                f"add to {at.target} in every turn (+=), from 0 on",
            )
        )
    return found


def _replacing(scene: Scene, name: str) -> int | None:
    """The place of the last assignment in a loop of which only the last turn reaches ``name``."""
    recording = scene.recording
    if name not in recording.end:
        return None
    behind = ancestors([recording.end[name]])
    used = ancestors(recording.end[each] for each in recording.changed)
    assigned: dict[tuple[int, tuple[int, ...], tuple[object, ...]], list[tuple[int, Node]]] = {}
    for number, node, path in recording.assignments:
        if _is_one_place(scene, number) and path and isinstance(path[-1], tuple):
            loop, turn = path[-1][1:]
            assigned.setdefault((number, (loop,), path[:-1]), []).append((turn, node))
    found: list[tuple[int, int]] = []
    for (number, _, _), in_turns in assigned.items():
        nodes = [node for _, node in in_turns]
        if len({turn for turn, _ in in_turns}) < len(nodes):
            continue  # the elements of a list, which are assigned at once
        reaching = [node for node in nodes if node.number in behind]
        if len(nodes) < 2 or reaching != nodes[-1:] or scene.is_forward(nodes[-1]):
            continue
        if np.size(nodes[-1].value) == 1 and any(node.number in used for node in nodes[:-1]):
            continue  # numbers that go elsewhere, each to its own weight
        if _is_gradient(scene, name, nodes):
            found.append((nodes[-1].number, number))
    return max(found)[1] if found else None


def _is_gradient(scene: Scene, name: str, parts: Sequence[Node]) -> bool:
    """Whether the sum of ``parts`` is a multiple of the loss's derivative by ``name``."""
    gradient = scene.judgement.gradient(scene.at, name)
    if gradient is None or any(np.size(part.value) != np.size(gradient) for part in parts):
        return False
    total = np.sum([np.ravel(np.asarray(part.value, float)) for part in parts], axis=0)
    true = np.ravel(gradient)
    sizes = float(np.linalg.norm(total)), float(np.linalg.norm(true))
    if not all(sizes) or not np.isfinite(sizes).all():
        return False
    across = true / sizes[1] - np.sign(total @ true) * total / sizes[0]
    return bool(np.linalg.norm(across) < PARALLEL)


def _is_one_place(scene: Scene, number: int) -> bool:
    """Whether an assignment goes to the same name in every turn, as far as its text tells."""
    target = scene.places.places[number].target
    if target is None or target == "<return>":
        return False
    return "[" not in target or "'" in target or '"' in target
