"""Grids of two branches: of A, of B, or of A minus B."""

from dataclasses import dataclass

from nntui.timeline.views.grid import Grid, GridSource, Kind, difference, make_grid

A, B, DIFFERENCE = "A", "B", "A-B"
"""What can be shown where two branches are compared."""


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

    Where the two cannot be subtracted from each other, A is shown.
    """
    if theirs is not None and wanted == B:
        return GridComparison(theirs, B, make_grid(theirs, kind))
    grid = make_grid(mine, kind)
    if theirs is not None and wanted == DIFFERENCE:
        other = make_grid(theirs, kind)
        subtracted = difference(grid, other)
        if grid is not None and other is not None and subtracted is not None:
            return GridComparison(mine, DIFFERENCE, subtracted, (grid, other), theirs)
    return GridComparison(mine, A, grid)
