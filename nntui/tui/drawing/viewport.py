"""Chooses the visible rows and columns of a grid, so that the cell cursor is always in view."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from nntui.core.number_text import NumberForm, brief, form_of
from nntui.core.tape import Array
from nntui.timeline.views.grid import Grid
from nntui.tui.drawing.cells import NUMBERS_FROM, WIDEST

LABEL, MARK = 7, 5
"""Columns left of the cells for the unit's name, and right of them for ``dead``."""
ENOUGH = 11
"""Lines of which two can tell what is under the cursor, though not all rows fit."""


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
        """Lines for what is under the cell cursor; the second where there is enough room."""
        self.unit = ""
        """What all cells have to be multiplied by, where no heading of a layer says so."""
        self._forms: dict[int | None, NumberForm] = {}
        self.paired = False
        """Whether a line is two rows, one above the other."""
        self._top = self._left = self._rows = self._columns = self._count = 0
        self._sampled = False
        """Whether a cell stands for several columns."""
        self._column = self._count_of_lines = 0

    def fit(
        self,
        grid: Grid,
        ends: Mapping[int | None, float],
        size: tuple[int, int],
        cell: tuple[int, int],
        *,
        sampled: bool = False,
        halves: bool = False,
    ) -> None:
        """Show ``grid`` in ``size`` columns and lines, scrolled so that ``cell`` is in view.

        What does not fit is condensed first: where ``sampled``, a cell may stand for several
        columns, of which it shows one, and where ``halves``, a line for two units.
        """
        width, height = size
        rows, self._count = len(grid.rows), len(grid.columns)
        room = width - LABEL - MARK
        self.width = min(max(room // max(self._count, 1), 1), WIDEST)
        fitting = max(room // self.width, 1)
        self._sampled = sampled and self._count > fitting
        self._columns = fitting
        self._column = min(cell[1], self._count - 1)
        self.readouts = 2 if height >= min(rows + 3, ENOUGH) else 1
        fitting = max(height - 1 - self.readouts, 1)
        self._forms = {}
        self._arrange(grid, ends, fitting)
        self._rows = fitting - len(self.pinned)
        crowded = len(self.lines) > self._rows
        self.paired = halves and crowded and self.width < NUMBERS_FROM
        row, each = cell[0], 1 + self.paired
        # A cell in a pinned row is in view wherever the others are scrolled.
        line = self.lines.index(row) if row in self.lines else self._top * each
        self._count_of_lines = -(-len(self.lines) // each)
        self._top = _scrolled(self._top, line // each, self._rows, self._count_of_lines)
        self._left = _scrolled(self._left, self._column, self._columns, self._count)

    def _arrange(self, grid: Grid, ends: Mapping[int | None, float], fitting: int) -> None:
        rows, starts = range(len(grid.rows)), _starts(grid)
        outputs = 2 * sum(row.layer is None for row in grid.rows)
        self.lines, self.pinned = [*rows], []
        headed = len(rows) + len(starts) <= fitting
        self._set_forms(grid, by_layer=headed)
        if headed:
            for row, layer in sorted(starts.items(), reverse=True):
                self.lines.insert(row, self._heading(grid, layer, ends.get(layer, 0.0)))
        elif len(rows) > fitting >= 2 * outputs > 0:
            self.lines, self.pinned = [*rows[:-outputs]], [*rows[-outputs:]]

    def _set_forms(self, grid: Grid, *, by_layer: bool) -> None:
        """Find how to write the numbers: of each layer by itself, or of all alike."""
        self.unit = ""
        if self.width < NUMBERS_FROM:
            return
        shown = {row.layer for row in grid.rows} - {None}
        last = max((layer for layer in shown if layer is not None), default=0)
        groups: dict[int, list[Array]] = {}
        for row in grid.rows:
            # A target is compared with the output, so it is written alike.
            of = (last if row.layer is None else row.layer) if by_layer else 0
            groups.setdefault(of, []).append(row.values)
        forms = {of: form_of(np.concatenate(rows), self.width - 1) for of, rows in groups.items()}
        self._forms = {layer: forms[layer if by_layer and layer else 0] for layer in shown}
        self._forms[None] = forms[last if by_layer else 0]
        self.unit = "" if by_layer else self._forms[None].unit

    def _heading(self, grid: Grid, layer: int, end: float) -> str:
        form = self._forms.get(layer)
        unit = f"; cells {form.unit}" if form is not None and form.unit else ""
        return f"{grid.layers[layer]}, up to {brief(end)}{unit}"

    def form(self, layer: int | None) -> NumberForm | None:
        """How the numbers of a layer (None: the targets) are written; None in narrow cells."""
        return self._forms.get(layer)

    @property
    def columns(self) -> Sequence[int]:
        """The columns in view; of several that share a cell the one under the cursor, if it is."""
        count, fitting = self._count, self._columns
        if not self._sampled:
            return range(self._left, min(self._left + fitting, count))
        firsts = [at * count // fitting for at in range(fitting + 1)]
        return [
            self._column if first <= self._column < following else first
            for first, following in pairwise(firsts)
        ]

    def at(self, y: int) -> int | str | tuple[int, int | None]:
        """What stands ``y`` lines below the column names: a row's index, two rows', or a text."""
        if y >= self._rows:
            below = y - self._rows
            return self.pinned[below] if below < len(self.pinned) else ""
        line = self._top + y
        if not self.paired:
            return self.lines[line] if line < len(self.lines) else ""
        upper, lower = ([*self.lines[2 * line : 2 * line + 2], None, None])[:2]
        if not isinstance(upper, int):
            return ""
        return upper, lower if isinstance(lower, int) else None

    def column_at(self, x: int) -> int | None:
        """The column of the cell that lies ``x`` columns of the terminal right of the first."""
        shown, at = self.columns, x // self.width
        return shown[at] if 0 <= at < len(shown) else None

    def clipped(self, column: str, *, brief: bool = False) -> list[str]:
        """What does not all fit, in words; ``column`` is what a column is."""
        texts = []
        of = "/" if brief else " of "
        if self._count_of_lines > self._rows:
            each = 1 + self.paired
            first, last = self._top * each, (self._top + self._rows) * each
            last = min(last, len(self.lines))
            texts.append(f"rows {first + 1}-{last}{of}{len(self.lines)}")
        if self._sampled:
            texts.append(f"{self._columns} of {self._count} {column}s")
        elif self._count > self._columns:
            texts.append(f"{column}s {self._left}-{self.columns[-1]}{of}{self._count}")
        return texts


def _starts(grid: Grid) -> dict[int, int]:
    """By the row that it stands above: each layer."""
    starts: dict[int, int] = {}
    before = None
    for at, row in enumerate(grid.rows):
        if row.layer is not None and row.layer != before:
            starts[at] = row.layer
        before = row.layer
    return starts


def _scrolled(first: int, wanted: int, fitting: int, count: int) -> int:
    """The first of ``fitting`` places so that ``wanted`` is among them and none is empty."""
    first = min(max(first, wanted - fitting + 1), wanted)
    return max(min(first, count - fitting), 0)
