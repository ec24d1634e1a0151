"""Which loss is the most plausible: that by which most of the parameters are right."""

import re

import numpy as np

from nntui.program.judge.verdict.judgement import RIGHT, Judgement
from nntui.program.judge.verdict.loss_hypotheses import OWN

Array = np.ndarray
ENTRIES = 200
"""Of a larger array about so many entries are compared where only a direction is asked for."""


def score(judgement: Judgement) -> tuple[float, ...]:
    """What the most plausible loss has most of."""
    downhill = bool(judgement.factors) and min(judgement.factors.values()) > 0
    matches = _matches(judgement) if judgement.wrong else 0
    explained = _explained(judgement)
    return (
        explained,
        len(judgement.parameters),
        float(downhill),
        # A loss with the penalty in it is likelier than one from which it has to be set aside.
        -float(len(judgement.decays)),
        # Of losses that explain as much the program's own is likelier than a usual one.
        judgement.loss.prior if explained else 0.0,
        float(matches),
        judgement.loss.prior,
    )


def _matches(judgement: Judgement) -> int:
    """How many arrays that the program computes on its way back are true derivatives."""
    at = next(at for at, each in enumerate(judgement.gradients) if each is not None)
    recording, gradient = judgement.recordings[at], judgement.gradients[at] or {}
    true: dict[int, list[Array]] = {}
    for number, each in gradient.items():
        if np.size(each) > 1 and recording.depends[number]:
            direction = _direction(each)
            if direction is not None:
                true.setdefault(np.size(each), []).append(direction)
    directions = {size: np.array(each) for size, each in true.items()}
    # The error itself is the derivative of a usual loss by what that is defined with.
    usual = recording.by_line.get(judgement.loss.key, ()) if judgement.loss.kind != OWN else ()
    errors = {node.number for node in usual}
    count = 0
    for number in recording.named:
        value = np.asarray(recording.nodes[number].value)
        if (
            number in errors
            or value.size not in directions
            or number in gradient
            or value.dtype.kind != "f"
        ):
            continue
        direction = _direction(value)
        if direction is not None:
            count += bool(np.max(np.abs(directions[value.size] @ direction)) > 1 - 1e-9)
    return count


def _explained(judgement: Judgement) -> float:
    """How many parameters are right; of numbers in one list all count as one array does."""
    lists: dict[str, list[bool]] = {}
    for name in judgement.parameters:
        scalar = np.ndim(judgement.start(name)) == 0
        array = re.sub(r"(\[\d+\])+$", "", name) if scalar else name
        lists.setdefault(array, []).append(judgement.verdicts.get(name) == RIGHT)
    return float(sum(sum(each) / len(each) for each in lists.values()))


def _direction(value: Array) -> Array | None:
    """``value`` as a vector of length 1; of a large one some entries at equal distances."""
    vector = np.ravel(np.asarray(value, float))
    if vector.size > ENTRIES:
        vector = vector[:: vector.size // ENTRIES]
    length = float(np.linalg.norm(vector))
    return vector / length if np.isfinite(length) and length > 0 else None
