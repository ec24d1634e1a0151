"""Two branches compared: what is shown of A, of B, or of A minus B."""

from dataclasses import dataclass, replace

import numpy as np

from nntui.timeline.run import Run
from nntui.timeline.views.grid import Grid, GridSource, Kind, make_grid
from nntui.timeline.views.outputs import (
    Confusion,
    FitCurve,
    Picture,
    Place,
    Samples,
    Surface,
    output_picture,
)

A, B, DIFFERENCE = "A", "B", "A-B"
"""What can be shown where two branches are compared."""
BOTH = "A, B"
"""What is shown where one picture holds both."""


@dataclass(frozen=True, eq=False)
class GridComparison:
    """One kind of grid, of a run and of the branch that is overlaid on it."""

    seen: GridSource
    """The run whose numbers are read out."""
    shown: str
    """What ``grid`` is: what was wanted, as far as it can be had."""
    grid: Grid | None
    """None where there is no next update."""
    both: tuple[Grid, Grid] | None = None
    """The grids of A and B, where the difference is shown."""
    other: GridSource | None = None
    """Likewise the run that was subtracted."""


def compare_grids(
    mine: GridSource, theirs: GridSource | None, kind: Kind, wanted: str
) -> GridComparison:
    """The grid of ``kind`` for ``wanted``, which is `A`, `B` or `DIFFERENCE`.

    A is shown where the two cannot be subtracted from each other.
    """
    if theirs is not None and wanted == B:
        return GridComparison(theirs, B, make_grid(theirs, kind))
    grid = make_grid(mine, kind)
    if theirs is not None and wanted == DIFFERENCE:
        other = make_grid(theirs, kind)
        subtracted = subtract(grid, other)
        if grid is not None and other is not None and subtracted is not None:
            return GridComparison(mine, DIFFERENCE, subtracted, (grid, other), theirs)
    return GridComparison(mine, A, grid)


def subtract(mine: Grid | None, theirs: Grid | None) -> Grid | None:
    """Row by row A minus B, targets as they are; None where the two do not fit each other."""
    if mine is None or theirs is None or mine.columns != theirs.columns:
        return None
    if [(row.layer, row.unit) for row in mine.rows] != [(r.layer, r.unit) for r in theirs.rows]:
        return None
    rows = []
    with np.errstate(invalid="ignore"):
        for row, other in zip(mine.rows, theirs.rows, strict=True):
            values = row.values if row.layer is None else row.values - other.values
            known, nowhere = row.known & other.known, np.zeros_like(row.saturated)
            rows.append(replace(row, values=values, known=known, saturated=nowhere, dead=False))
    return replace(mine, rows=tuple(rows))


def compare_outputs(
    mine: Run,
    theirs: Run | None,
    what: str,
    unit: Place | None,
    cells: tuple[int, int],
    wanted: str,
) -> tuple[Picture, str]:
    """``what`` of A (``mine``) with B (``theirs``), and which of the two it shows.

    See `output_picture`.  A curve and a table hold both.  Of the others ``wanted`` is shown,
    which is `A`, `B` or `DIFFERENCE`; A alone where B has other data or no such unit, or where
    the two cannot be subtracted.
    """
    picture = output_picture(mine, what, unit, cells)
    if theirs is None:
        return picture, ""
    if not _has(theirs, unit):
        return picture, A
    other = output_picture(theirs, what, unit, cells)
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
