"""What two networks have learned, beside each other: the outputs of A, of B, or of A minus B."""

from dataclasses import replace

import numpy as np

from nntui.timeline.run import Run
from nntui.timeline.views.grid_compare import DIFFERENCE, A, B
from nntui.timeline.views.outputs import (
    Confusion,
    FitCurve,
    Picture,
    Place,
    Samples,
    Surface,
    output_picture,
)
from nntui.timeline.views.snapshot import Snapshot

BOTH = "A, B"
"""What is shown where both are drawn into one picture."""


def compare_outputs(
    mine: tuple[Run, Snapshot],
    theirs: tuple[Run, Snapshot] | None,
    what: str,
    unit: Place | None,
    cells: tuple[int, int],
    wanted: str,
) -> tuple[Picture, str]:
    """``what`` of A (``mine``) with B (``theirs``), and which of the two it shows.

    A curve and a table hold both.  Of the others ``wanted`` is shown, which is `A`, `B` or
    `DIFFERENCE`: A alone where the data, or the unit, are not those of B, or nothing is subtracted.
    """
    picture = output_picture(*mine, what, unit, cells)
    if theirs is None:
        return picture, ""
    if not _has(theirs[0], unit):
        return picture, A
    other = output_picture(*theirs, what, unit, cells)
    if not _alike(_samples(picture), _samples(other)):
        return picture, A
    samples = replace(_samples(picture), other=_samples(other).predictions)
    match picture, other:
        case FitCurve(), FitCurve():
            return replace(picture, other=other.values, samples=samples), BOTH
        case Samples(), Samples():
            return samples, BOTH
        case (Surface(), Surface()) if wanted == DIFFERENCE:
            return replace(_surface(picture, other), samples=samples), DIFFERENCE
        case (Confusion(), Confusion()) if wanted == DIFFERENCE and _split_alike(picture, other):
            counts = picture.training - other.training, picture.testing - other.testing
            return Confusion(*counts, samples, minus=True), DIFFERENCE
    if wanted == B and type(other) is type(picture):
        samples = replace(samples, testing=_samples(other).testing)
        picture, shown = other, B
    else:
        shown = A
    assert not isinstance(picture, Samples)
    return replace(picture, samples=samples), shown


def _has(run: Run, unit: Place | None) -> bool:
    layers = run.preset.configuration.layers
    return unit is None or (unit[0] < len(layers) and unit[1] < layers[unit[0]].units)


def _samples(picture: Picture) -> Samples:
    return picture if isinstance(picture, Samples) else picture.samples


def _alike(one: Samples, other: Samples) -> bool:
    """Whether both are asked the same."""
    return np.array_equal(one.x, other.x) and np.array_equal(one.targets, other.targets)


def _split_alike(one: Picture, other: Picture) -> bool:
    """Whether both keep the same rows for testing."""
    return np.array_equal(_samples(one).testing, _samples(other).testing)


def _surface(mine: Surface, theirs: Surface) -> Surface:
    """A minus B; of several classes, 1 where not the same one wins."""
    if mine.winners is not None and theirs.winners is not None:
        values, name = (mine.winners != theirs.winners).astype(np.float64), "other class wins"
    else:
        with np.errstate(invalid="ignore"):
            values, name = mine.values - theirs.values, mine.name
    return replace(
        mine, name=name, values=values, winners=None, centre=0.0, targets_part=mine.centre
    )
