"""A judgement as plain facts, in the shape of the JSON contract."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from nntui.program.blame.naming.findings import finite
from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.judge.verdict import loss_hypotheses as losses
from nntui.program.judge.verdict.judgement import NEVER_UPDATED, WRONG, Judgement
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.places import Places

FEW = 400
"""Numbers of an update that are all kept until the loss is known."""


def reported_loss(best: Judgement, hypotheses: Sequence[Loss]) -> Loss | None:
    """The loss that the program prints, where another one is minimised."""
    if best.loss.kind == losses.OWN:
        return None
    # What the predictions or the updates are computed from is no loss, whatever its name.
    recording = best.recordings[0]
    ends = [recording.end[name] for name in best.parameters]
    used = ancestors([*ends, *best.loss.tops(recording)])
    own = [
        each
        for each in hypotheses
        if each.kind == losses.OWN
        and each.prior >= 2
        and not any(top.number in used for top in each.tops(recording))
    ]
    return own[0] if own else None


def parameter_facts(
    best: Judgement, never: Sequence[str], piled: Collection[str]
) -> list[dict[str, Any]]:
    """The parameters as the JSON tells them: those that are ``never`` updated come last.

    Those whose gradients have ``piled`` up are wrong, whatever their steps.
    """
    found = []
    for name in best.parameters:
        start = next(each.start[name] for each in best.recordings if name in each.start)
        known = [each for each in best.agreements[name] if each is not None]
        verdict = best.verdicts[name]
        factor = best.factors.get(name)
        if (factor is not None and factor < 0) or name in piled:
            verdict = WRONG
        if best.readings[name].adapts:
            factor = None
        residual = max((each.residual for each in known), default=None)
        found.append(
            {
                "name": name,
                "shape": list(np.shape(start.value)),
                "verdict": verdict,
                "factor": factor,
                "residual": None if residual is None else finite(residual),
            }
        )
    for name in never:
        start = best.recordings[0].start[name]
        found.append(
            {
                "name": name,
                "shape": list(np.shape(start.value)),
                "verdict": NEVER_UPDATED,
                "factor": None,
                "residual": None,
            }
        )
    return found


def loss_facts(loss: Loss, places: Places, recording: Recording) -> dict[str, Any]:
    """The loss as the JSON tells it, with its value in ``recording`` until the first is known."""
    place = places.places[loss.place] if loss.place >= 0 else None
    node = recording.by_key.get(loss.key) if loss.kind == losses.OWN else None
    named = ""
    if place is not None and node is not None and node.place != loss.place:
        named = loss.name or (places.text(node.place) if node.place >= 0 else "")
    return {
        "kind": loss.kind,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "text": loss.name if place is None else places.text(place),
        "value": finite(loss.value(recording)),
        "named": named,
    }


def loss_values(
    recording: Recording, learning: Sequence[str], places: Places
) -> list[tuple[str, Any, float | None]]:
    """(kind, key, value) of every loss that may be minimised in ``recording``.

    A sum that begins as 0 is seen to be one in the next update only, so that numbers which depend
    on what learns are among them where they are `FEW`.
    """
    found = losses.candidates(recording, learning, places)
    values = [(each.kind, each.key, finite(each.value(recording))) for each in found]
    mask = recording.mask(learning)
    numbers = [
        node
        for node in recording.nodes
        if np.size(node.value) == 1
        and np.asarray(node.value).dtype.kind in "fiu"
        and recording.depends[node.number] & mask
    ]
    if len(numbers) <= FEW:
        own = ((node.key, float(np.ravel(node.value)[0])) for node in numbers)
        values += [(losses.OWN, key, finite(value)) for key, value in own]
    return values


def first_value(loss: dict[str, Any], values: Sequence[Any]) -> float | None:
    """The value of the loss, as it travelled, among those of `loss_values`, which travelled too."""
    wanted = loss["kind"], _tuples(loss["key"])
    return next((value for kind, key, value in values if (kind, _tuples(key)) == wanted), None)


def read_loss(plain: dict[str, Any]) -> Loss:
    """The loss that travelled as JSON."""
    return Loss(**{**plain, "key": _tuples(plain["key"])})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
