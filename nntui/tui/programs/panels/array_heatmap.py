"""The heatmap of a program's arrays: one array, or one beside the true gradient and the difference.

Every array is a group of rows under its own heading, with its own scale of colours.
"""

from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.markup import escape
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.program.debugging.seen import Array
from nntui.timeline.views.grid import Grid, GridRow, Kind
from nntui.tui.actions import ARRAYS
from nntui.tui.drawing.cells import Look, draw_cells, draw_header
from nntui.tui.drawing.palette import legend
from nntui.tui.drawing.shortening import shortened
from nntui.tui.drawing.viewport import LABEL, MARK, Viewport
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.panel import CURSOR_KEYS, StripPanel, colours_of, set_caption

MOST_ROWS, MOST_COLUMNS = 512, 2048
"""Of an array that are shown, from its first on."""
KIND = Kind("array", "Array")
NOWHERE = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """One array under its heading."""

    name: str
    array: Array


@dataclass(frozen=True, eq=False)
class ArraysContent:
    """What the heatmap shows."""

    title: str
    parts: tuple[ArrayPart, ...] = ()
    note: str = ""
    """What is said below; why there is nothing, where there are no parts."""


def matrix(array: Array) -> Array:
    """``array`` with two axes: a number is 1x1, a vector one row; more axes are rows."""
    if array.ndim < 2:
        return array.reshape(1, -1)
    return array.reshape(-1, array.shape[-1]) if array.ndim > 2 else array


def tag_of(name: str) -> str:
    """What tells the rows of a part from those of the first: its heading may have no room."""
    known = {"true gradient": "true", "difference": "diff", "step of": "step"}
    return next((tag for begin, tag in known.items() if name.startswith(begin)), name[:3]) + " "


def grid_of(parts: tuple[ArrayPart, ...]) -> Grid:
    """The arrays as one grid, a group of rows each."""
    matrices = [matrix(part.array)[:MOST_ROWS, :MOST_COLUMNS] for part in parts]
    wide = max((each.shape[1] for each in matrices), default=0)
    rows = []
    for number, each in enumerate(matrices):
        known = np.arange(wide) < each.shape[1]
        for at, row in enumerate(each):
            values = np.full(wide, np.nan)
            values[: len(row)] = row
            label = f"{tag_of(parts[number].name)}{at}" if number else str(at)
            rows.append(GridRow(label, number, at, values, known, NOWHERE))
    names = {number: part.name for number, part in enumerate(parts)}
    return Grid(KIND, tuple(rows), tuple(map(str, range(wide))), (), (), names)


class ArrayHeatmap(StripPanel):
    """Arrays as coloured cells with a cell cursor, whose number the last line reads."""

    COMPONENT_CLASSES = {"arrays--label", "arrays--bad", "arrays--readout"}
    DEFAULT_CSS = """
    ArrayHeatmap .arrays--label { color: $foreground-muted; }
    ArrayHeatmap .arrays--bad { color: $text-error; text-style: bold; }
    ArrayHeatmap .arrays--readout { color: $foreground; }
    """
    BINDINGS = [
        *bindings(ARRAYS),
        *CURSOR_KEYS,
    ]

    explained = (
        "One of the program's arrays by its own name: what the chosen line gave, or a parameter "
        "with its true gradient and its step. Orange is above zero, blue (and a minus sign or "
        "dashes) below; ! is not finite. Each array has its own scale, whose end its heading "
        "tells. For a line that gives a gradient, the true gradient of the loss stands below it, "
        "times the factor that brings the two nearest (a rate or a mean is no fault), and then "
        "their difference, which is 0 where the line is right. Of a value that the loss depends "
        "on, the true gradient of the loss by it stands below. Rows begin with true, diff or step "
        "where they are those of the true gradient, the difference or the step. The arrow keys "
        "move the cursor, [ and ] go through the values of a line that ran several times."
    )

    content: reactive[ArraysContent | None] = reactive(None)
    """What is shown."""
    cell: reactive[tuple[int, int]] = reactive((0, 0))
    """The row and the column under the cursor."""

    class Turned(Message):
        """Another value of the line is wanted."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Arrays"
        self._grid: Grid | None = None
        self._viewport = Viewport()

    def watch_content(self) -> None:
        """Show it, with the cursor where it was as far as there is such a cell."""
        content = self.content
        self._grid = grid_of(content.parts) if content is not None and content.parts else None
        if self._grid is not None:
            rows, columns = len(self._grid.rows), len(self._grid.columns)
            self.cell = (min(self.cell[0], rows - 1), min(self.cell[1], columns - 1))
        self.redraw()

    def watch_cell(self) -> None:
        """Keep it in view."""
        self.redraw()

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor."""
        if self._grid is not None:
            row = min(max(self.cell[0] + rows, 0), len(self._grid.rows) - 1)
            column = min(max(self.cell[1] + columns, 0), len(self._grid.columns) - 1)
            self.cell = (row, column)

    def action_turn(self, by: int) -> None:
        """Ask for another value of the line."""
        self.post_message(self.Turned(by))

    def redraw(self) -> None:
        """See `StripPanel.redraw`."""
        size, content = self.content_size, self.content
        if content is None or not size.height:
            return
        if self._grid is not None:
            self._viewport.fit(self._grid, self._grid.ends, (size.width, size.height), self.cell)
        self._caption(content)
        self.put([self._strip(y, content) for y in range(size.height)])

    def _caption(self, content: ArraysContent) -> None:
        clipped = [] if self._grid is None else self._viewport.clipped("column")
        ramp = legend(self.app.current_theme.dark, colours_of(self.app))
        said = "; ".join([*([content.note] if content.note and self._grid else []), *clipped])
        below = f"{escape(said)}  {ramp}" if self._grid is not None else ""
        fits = len(said) + 24 <= self.size.width
        set_caption(self, content.title, below if fits else ramp)

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"arrays--{role}")

    def _strip(self, y: int, content: ArraysContent) -> Strip:
        (width, height), viewport, label = self.content_size, self._viewport, self._style("label")
        grid = self._grid
        if grid is None:
            text = content.note if y == 0 else ""
            return Strip([Segment(text[:width], label)]).adjust_cell_length(width, self.rich_style)
        if y == 0:
            names = draw_header(grid, viewport.columns, viewport.width, label, label)
            segments = [Segment(viewport.unit.ljust(LABEL), label), *names]
        elif y >= height - viewport.readouts:
            text = self._readout(grid, content) if y == height - 1 else content.note
            segments = [Segment(shortened(text, width), self._style("readout"))]
        else:
            row = viewport.at(y - 1)
            segments = (
                self._cells(grid, row) if isinstance(row, int) else [Segment(str(row), label)]
            )
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _cells(self, grid: Grid, at: int) -> list[Segment]:
        row, label = grid.rows[at], self._style("label")
        look = Look(self.app.current_theme.dark, colours_of(self.app), self._style("bad"), label)
        cursor = self.cell[1] if self.cell[0] == at else None
        end = grid.ends.get(row.layer, 0.0)
        viewport = self._viewport
        return [
            Segment(row.label.ljust(LABEL), label),
            *draw_cells(
                row, viewport.columns, viewport.width, viewport.form(row.layer), end, look, cursor
            ),
            Segment(" " * MARK, label),
        ]

    def _readout(self, grid: Grid, content: ArraysContent) -> str:
        """The numbers under the cursor, in all of the arrays that have the same shape."""
        row, column = grid.rows[self.cell[0]], self.cell[1]
        beside = [
            f"{content.parts[each.layer].name} {each.values[column]:.6g}"
            for each in grid.rows
            if each.unit == row.unit and each.layer is not None and each.known[column]
        ]
        text = f"[{row.unit}, {column}]  " + "  ".join(beside)
        if len(text) <= self.content_size.width:
            return text
        short = [
            (tag_of(content.parts[each.layer].name) if each.layer else "")
            + f"{each.values[column]:.4g}"
            for each in grid.rows
            if each.unit == row.unit and each.layer is not None and each.known[column]
        ]
        return f"[{row.unit}, {column}]  " + "  ".join(short)

    def copied(self) -> str:
        """The arrays, row by row."""
        content = self.content
        if content is None:
            return ""
        lines = []
        for part in content.parts:
            lines.append(part.name)
            lines += ["\t".join(map(repr, row.tolist())) for row in matrix(part.array)]
        return "\n".join(lines)
