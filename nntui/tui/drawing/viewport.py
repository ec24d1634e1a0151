"""Which rows and columns of a grid are in view, so that the cell cursor always is."""

from collections.abc import Mapping

from nntui.timeline.views.grid import Grid
from nntui.tui.drawing.cells import WIDEST

LABEL, MARK = 7, 5
"""Columns left of the cells for the unit's name, and right of them for ``dead``."""


class Viewport:
    """The part of a grid that fits: layers under headings, or output and target pinned below."""

    def __init__(self) -> None:
        self.lines: list[int | str] = []
        """What scrolls below the column names: the index of a row, or a layer's heading."""
        self.pinned: list[int] = []
        """The rows that stay at the bottom: output and target, where not everything fits."""
        self.width = 1
        """Columns of the terminal that a cell takes."""
        self.readouts = 1
        """Lines for what is under the cell cursor; the second where all rows fit without it."""
        self._top = self._left = self._rows = self._columns = self._count = 0

    def fit(
        self,
        grid: Grid,
        ends: Mapping[int | None, float],
        size: tuple[int, int],
        cell: tuple[int, int],
    ) -> None:
        """Show ``grid`` in ``size`` columns and lines, scrolled so that ``cell`` is in view."""
        width, height = size
        rows, self._count = len(grid.rows), len(grid.columns)
        room = width - LABEL - MARK
        self.width = min(max(room // max(self._count, 1), 1), WIDEST)
        self._columns = max(room // self.width, 1)
        self.readouts = 2 if height >= rows + 3 else 1
        fitting = max(height - 1 - self.readouts, 1)
        self._arrange(grid, ends, fitting)
        self._rows = fitting - len(self.pinned)
        row, column = cell
        # A cell in a pinned row is in view wherever the others are scrolled.
        line = self.lines.index(row) if row in self.lines else self._top
        self._top = _scrolled(self._top, line, self._rows, len(self.lines))
        self._left = _scrolled(self._left, column, self._columns, self._count)

    def _arrange(self, grid: Grid, ends: Mapping[int | None, float], fitting: int) -> None:
        rows, headings = range(len(grid.rows)), _headings(grid, ends)
        outputs = 2 * sum(row.layer is None for row in grid.rows)
        self.lines, self.pinned = [*rows], []
        if len(rows) + len(headings) <= fitting:
            for row in sorted(headings, reverse=True):
                self.lines.insert(row, headings[row])
        elif len(rows) > fitting >= 2 * outputs > 0:
            self.lines, self.pinned = [*rows[:-outputs]], [*rows[-outputs:]]

    @property
    def columns(self) -> range:
        """The columns in view."""
        return range(self._left, min(self._left + self._columns, self._count))

    def at(self, y: int) -> int | str:
        """What stands ``y`` lines below the column names: a row's index, or a text."""
        if y >= self._rows:
            below = y - self._rows
            return self.pinned[below] if below < len(self.pinned) else ""
        line = self._top + y
        return self.lines[line] if line < len(self.lines) else ""

    def clipped(self, column: str) -> list[str]:
        """What does not all fit, in words; ``column`` is what a column is."""
        texts = []
        if len(self.lines) > self._rows:
            last = self._top + self._rows
            texts.append(f"rows {self._top + 1}-{last} of {len(self.lines)}")
        if self._count > self._columns:
            texts.append(f"{column}s {self._left}-{self.columns.stop - 1} of {self._count}")
        return texts


def _headings(grid: Grid, ends: Mapping[int | None, float]) -> dict[int, str]:
    """By the row that it stands above: each layer's heading, with the end of its scale."""
    headings: dict[int, str] = {}
    before = None
    for at, row in enumerate(grid.rows):
        if row.layer is not None and row.layer != before:
            headings[at] = f"{grid.layers[row.layer]}, up to {ends.get(row.layer, 0.0):.3g}"
        before = row.layer
    return headings


def _scrolled(first: int, wanted: int, fitting: int, count: int) -> int:
    """The first of ``fitting`` places so that ``wanted`` is among them and none is empty."""
    first = min(max(first, wanted - fitting + 1), wanted)
    return max(min(first, count - fitting), 0)
