"""Gradients that pile up: what adds them up over a batch is never set to 0 again.

It looks like a momentum that forgets nothing.  No optimiser is one: what Adagrad adds up are
squares, and a memory from which old gradients are taken off again depends on another one.
"""

from collections.abc import Mapping

import numpy as np

from nntui.program.blame.findings import Finding, finding
from nntui.program.blame.scene import Scene
from nntui.program.judge.carried import increments
from nntui.program.judge.readings import is_nonlinear
from nntui.program.judge.recorded_update import Recording
from nntui.program.judge.verdict import Judgement
from nntui.program.record.adjoints import NotDifferentiableError, adjoints
from nntui.program.record.node import Node

FEWEST = 3
"""Updates in a row that have to keep all of it."""
SAME = 1e-9


def piled_up(judgement: Judgement) -> dict[str, str]:
    """By parameter, the memory that keeps all gradients so far and is a part of every step."""
    recordings = judgement.recordings
    if len(recordings) < FEWEST:
        return {}
    kept = [
        memory
        for memory in judgement.memories
        if all(_keeps_all(each, memory, judgement.memories) for each in recordings)
    ]
    found = {}
    for name in judgement.parameters:
        for memory in kept:
            if all(_adds(each, name, memory) for each in recordings):
                found[name] = memory
                break
    return found


def _keeps_all(recording: Recording, memory: str, memories: list[str]) -> bool:
    """Whether the end of ``memory`` is its start plus what no other memory comes into."""
    if memory not in recording.bit:
        return False
    others = recording.mask(other for other in memories if other != memory)
    if increments(recording, memory) & others:
        return False
    slope = _slope(recording, recording.end[memory], recording.start[memory])
    return slope is not None and bool(np.all(np.abs(slope - 1.0) < SAME))


def _adds(recording: Recording, name: str, memory: str) -> bool:
    """Whether one multiple of ``memory`` is added to the parameter ``name``, entry by entry."""
    if name not in recording.bit or is_nonlinear(recording, name, [memory]):
        return False
    start, end = recording.start[memory], recording.end[name]
    if np.size(start.value) != np.size(end.value):
        return False
    slope = _slope(recording, end, start)
    if slope is None or not np.any(slope):
        return False
    return float(np.ptp(slope)) <= SAME * float(np.max(np.abs(slope)))


def _slope(recording: Recording, end: Node, start: Node) -> np.ndarray | None:
    try:
        with np.errstate(all="ignore"):
            found = adjoints(recording.nodes, {end: np.ones(np.shape(end.value))})
    except NotDifferentiableError:
        return None
    slope = found.get(start.number)
    return None if slope is None or not np.isfinite(slope).all() else np.asarray(slope)


def of_piled_up(scene: Scene, piled: Mapping[str, str]) -> list[Finding]:
    """The findings for the gradients that pile up, one for each line that adds to them."""
    by_line: dict[tuple[str, int] | None, list[tuple[str, str]]] = {}
    for name, memory in piled.items():
        node = scene.recording.end[memory]
        place = scene.places.places[node.place] if node.place >= 0 else None
        where = None if place is None else (place.file, place.line)
        by_line.setdefault(where, []).append((name, memory))
    return [
        finding(
            scene,
            "gradient",
            where,
            f"{pairs[0][1]} is never set to 0: every update goes on with all gradients before it",
            [name for name, _ in pairs],
            f"the gradient is added to all of {pairs[0][1]}, and a multiple of that to "
            f"{pairs[0][0]}, in {len(scene.recordings)} updates in a row",
            f"set {pairs[0][1]} to 0 before the gradients of the next update are added up",
        )
        for where, pairs in by_line.items()
    ]
