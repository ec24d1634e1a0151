"""Draws the lines of a heatmap of units: name, cells, and what is true of the whole unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from nntui.timeline.views.grid import GridRow
from nntui.tui.drawing.cells import Look, draw_cells, draw_pair
from nntui.tui.drawing.viewport import LABEL, MARK, Viewport

ARROW = "◄"
"""Behind the name of a unit that is concerned; also where there are no colours."""


@dataclass(frozen=True, eq=False)
class UnitLines:
    """Rows as they are looked at; `one` and `two` draw one and two of them in a line."""

    rows: tuple[GridRow, ...]
    viewport: Viewport
    ends: Mapping[int | None, float]
    """By layer, the end of the colour scale."""
    look: Look
    styles: Mapping[str, Style]
    """Those of ``label``, ``dead``, ``saturated`` and ``concerned``."""
    cell: tuple[int, int]
    """The row and the column under the cursor."""
    marked: frozenset[tuple[int, int]]
    """The units, as (layer, unit), that an arrow points at."""

    def _is_marked(self, row: GridRow | None) -> bool:
        return row is not None and (row.layer, row.unit) in self.marked

    def one(self, at: int) -> list[Segment]:
        """The row ``at``."""
        row, styles, view = self.rows[at], self.styles, self.viewport
        name, style = row.label_in(LABEL - 1), styles["dead" if row.dead else "label"]
        if self._is_marked(row):
            name, style = f"{row.label}{ARROW}"[:LABEL], styles["concerned"]
        cursor = self.cell[1] if self.cell[0] == at else None
        end, form = self.ends.get(row.layer, 0.0), view.form(row.layer)
        return [
            Segment(name.ljust(LABEL), style),
            *draw_cells(row, view.columns, view.width, form, end, self.look, cursor),
            Segment(f" {row.mark}".ljust(MARK), styles["dead" if row.dead else "saturated"]),
        ]

    def two(self, upper: int, lower: int | None) -> list[Segment]:
        """The row ``upper`` above the row ``lower``, if there is one; the name is the first's."""
        rows = [self.rows[at] if at is not None else None for at in (upper, lower)]
        which = {upper: 0, lower: 1}.get(self.cell[0])
        gone = [row is not None and row.dead for row in rows]
        where = gone if any(gone) else [row is not None and row.mark == "sat" for row in rows]
        mark = "dead" if any(gone) else "sat" if any(where) else ""
        side = " " if all(where) or not mark else "▀" if where[0] else "▄"
        marked = any(map(self._is_marked, rows))
        name = f"{self.rows[upper].label_in(LABEL - 1)}{ARROW if marked else '+'}"
        return [
            Segment(name[:LABEL].ljust(LABEL), self.styles["concerned" if marked else "label"]),
            *draw_pair(
                rows,
                self.viewport.columns,
                self.viewport.width,
                [0.0 if row is None else self.ends.get(row.layer, 0.0) for row in rows],
                self.look,
                None if which is None else (which, self.cell[1]),
            ),
            Segment(f"{side}{mark}".ljust(MARK), self.styles["dead" if any(gone) else "saturated"]),
        ]
