"""Where the loss of each update can be read off the running program, without recording it."""

from typing import Any

from nntui.program.control.travel.series import LossSite
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict import loss_hypotheses as losses
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.places import TOLD, Place, Places, Site


def site_of(loss: Loss, recording: Recording, places: Places) -> dict[str, Any] | None:
    """The site of ``loss``, as `LossSite.as_plain` writes it; None where it has none."""
    if loss.kind != losses.OWN:
        key = loss.key
        if not isinstance(key, tuple) or not isinstance(key[0], int) or key[0] < 0:
            return None
        place = places.places[key[0]]
        if place.kind not in ("operation", "augmented"):
            return None
        return LossSite(_site(place, paired=True), loss.kind, side=loss.side).as_plain()
    node = recording.by_key.get(loss.key)
    while node is not None and node.place < 0:
        node = node.inputs[0] if len(node.inputs) == 1 else None
    if node is None:
        return None
    place = places.places[node.place]
    if place.kind == "augmented":
        return LossSite(_site(place), "sum").as_plain()
    if place.kind not in TOLD:
        return None
    alike = [
        each.number
        for each in recording.nodes
        if each.place == node.place and each.operation == node.operation
    ]
    return LossSite(_site(place), losses.OWN, alike.index(node.number)).as_plain()


def _site(place: Place, *, paired: bool = False) -> Site:
    return Site(
        place.file, place.line, place.column, place.end_line, place.end_column, paired=paired
    )
