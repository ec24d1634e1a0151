"""The heatmap: a row a unit, grouped by layer; a column a data sample or an input."""

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline.views.compare import A, GridComparison
from nntui.timeline.views.grid import Grid, GridRow, Kind
from nntui.tui.actions import HEATMAP
from nntui.tui.drawing.cell_text import read_cell, read_unit
from nntui.tui.drawing.cells import Look, draw_header
from nntui.tui.drawing.palette import is_plain, legend
from nntui.tui.drawing.shortening import shortened
from nntui.tui.drawing.unit_lines import UnitLines
from nntui.tui.drawing.viewport import LABEL, Viewport
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.content import HeatmapContent, HeatmapView
from nntui.tui.panels.panel import (
    CURSOR_KEYS,
    StripPanel,
    colours_of,
    draws_ascii,
    set_caption,
    tsv,
)

FRAME = 5
"""Rows of the border, the column names and the readouts."""


class Heatmap(StripPanel):
    """One number of every unit on every sample, or of every weight, with a cell cursor."""

    COMPONENT_CLASSES = {
        "heatmap--label",
        "heatmap--concerned",
        "heatmap--dead",
        "heatmap--saturated",
        "heatmap--next",
        "heatmap--readout",
    }
    DEFAULT_CSS = """
    Heatmap .heatmap--label { color: $foreground-muted; }
    Heatmap .heatmap--concerned { color: $text-accent; text-style: bold; }
    Heatmap .heatmap--dead { color: $text-error; text-style: bold; }
    Heatmap .heatmap--saturated { color: $text-warning; text-style: bold; }
    Heatmap .heatmap--next { color: $text-accent; text-style: bold reverse; }
    Heatmap .heatmap--readout { color: $foreground; }
    """
    BINDINGS = [
        *bindings(HEATMAP),
        *CURSOR_KEYS,
    ]

    explained = (
        "A row is a unit, named layer.unit; a column is a data sample. Orange is above zero, blue "
        "(and a minus sign or dashes) below; +0 and -0 are too small beside the others. The "
        "highlighted column numbers are the samples of the next update. A unit that is active on "
        "no sample is marked dead: no gradient can reach it. An underlined number (^ and _ where "
        "no number fits) is a sigmoid or tanh that is saturated, with |z| at least 5 or |a| above "
        "0.97, at its upper or lower end; sat is a unit that is so on every sample, and ! what is "
        "not finite. Output and target stay at the bottom (=apple: the target apple). With the "
        "focus here, the arrow keys move the cell cursor (with Shift by ten columns; Home, End and "
        "Page Up, Page Down too), and the bottom lines read the numbers under it. The keys below "
        "go on to other kinds: pre-activations z, deltas dL/dz, weights (a column an input, the "
        "last the bias b), gradients, steps (what is added to the weights), and the size of steps "
        "beside their weights. Deltas, gradients and steps are those of the next update, which is "
        "not made for it. Where another branch is overlaid, the panel can show A (this branch), B "
        "(the other) or A minus B at the same update. On a weight or bias of A, Enter asks for "
        "another value: at the head it counts from the next update on, in the past it begins a "
        "branch. An arrow behind a unit's name: the finding that is chosen in the Why panel is "
        "about it. Where cells would not fit, a line holds two units (0.4+ is 0.4 above 0.5), and "
        "a cell stands for several samples, of which it shows one: the title says of how many. "
        "Numbers that share a power of ten have it in their heading (x1e-4)."
    )

    content: reactive[HeatmapContent | None] = reactive(None)
    """What is shown; None before the run is shown for the first time."""
    cell: reactive[tuple[int, int]] = reactive((0, 0))
    """The row and the column under the cell cursor."""

    class Pointed(Message):
        """Somebody wants to set what is under the cell cursor."""

        def __init__(self, place: tuple[int, int, int | None] | None) -> None:
            """``place`` is a parameter's layer, unit and input (None: the bias), if it is one."""
            super().__init__()
            self.place = place

    class Moved(Message):
        """The cell cursor was moved."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Activations: unit by sample"
        self._compared: GridComparison | None = None
        self._grid: Grid | None = None
        """What is shown of it: all layers or one, sorted or not."""
        self._ends: dict[int | None, float] = {}
        """By layer, the end of the colour scale."""
        self._held: dict[tuple[Kind, str], dict[int | None, float]] = {}
        """The ends of a scale that is held, from the first time on that each grid was shown."""
        self._viewport = Viewport()

    @property
    def _rows(self) -> tuple[GridRow, ...]:
        return () if self._grid is None else self._grid.rows

    @property
    def view(self) -> HeatmapView:
        """How the heatmap is looked at."""
        return HeatmapView() if self.content is None else self.content.view

    def watch_content(self, before: HeatmapContent | None, now: HeatmapContent | None) -> None:
        """Take the rows; a scale that is held from now on is the one of what is shown now."""
        if now is None:
            return
        view, place = now.view, self._place
        if before is None or before.view.scale != view.scale:
            self._held = {}
        self._compared = compared = now.compared(view.shown)
        self._grid = grid = compared.grid
        if grid is not None:
            held = self._held.setdefault((view.kind, compared.shown), grid.ends)
            self._ends = grid.scaled(view.scale, held)
            # A branch may have fewer layers.
            grid = grid.only(view.layer if view.layer in grid.layers else None)
            self._grid = grid.by_size() if view.ordered else grid
        self._stay_on(place)
        self.redraw()

    @property
    def _place(self) -> tuple[int | None, int] | None:
        """The layer and the unit under the cell cursor."""
        if not self._rows:
            return None
        row = self._rows[min(self.cell[0], len(self._rows) - 1)]
        return row.layer, row.unit

    def _stay_on(self, place: tuple[int | None, int] | None) -> None:
        """Keep the cell cursor on its unit, wherever that has gone."""
        last = max(len(self._rows) - 1, 0)
        found = [at for at, row in enumerate(self._rows) if (row.layer, row.unit) == place]
        at = found[0] if found else min(self.cell[0], last)
        self.cell = (at, self.cell[1])

    def watch_cell(self) -> None:
        """Keep the cell in view."""
        self.redraw()
        self.post_message(self.Moved())

    def is_at(self, place: str) -> bool:
        """Whether the cell cursor is at ``place``: a unit and, if it matters, a column."""
        unit, _, column = place.partition(" ")
        if self._grid is None:
            return False
        row = self._rows[min(self.cell[0], len(self._rows) - 1)]
        name = self._grid.columns[min(self.cell[1], self._columns - 1)]
        return row.label == unit and column in ("", name)

    def put_at(self, place: str) -> None:
        """Put the cell cursor there, as far as there is such a place."""
        unit, _, column = place.partition(" ")
        rows = [at for at, row in enumerate(self._rows) if row.label == unit]
        names = () if self._grid is None else self._grid.columns
        at = names.index(column) if column in names else self.cell[1]
        self.cell = (rows[0] if rows else self.cell[0], at)

    @property
    def _colours(self) -> str | None:
        """The terminal's colour system."""
        return colours_of(self.app)

    @property
    def unit(self) -> tuple[int, int] | None:
        """The layer and the unit under the cell cursor; None on a target."""
        place = self._place
        return None if place is None or place[0] is None else (place[0], place[1])

    @property
    def parameter(self) -> tuple[int, int, int | None] | None:
        """Layer, unit and input (None: the bias) of the parameter of A under the cursor."""
        grid, compared = self._grid, self._compared
        if grid is None or compared is None or compared.shown != A:
            return None
        row, column = self._rows[self.cell[0]], min(self.cell[1], self._columns - 1)
        return grid.parameter(row, column)

    def action_point(self) -> None:
        """Ask to set the parameter under the cursor."""
        self.post_message(self.Pointed(self.parameter))

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cell cursor."""
        if self._rows:
            row = min(max(self.cell[0] + rows, 0), len(self._rows) - 1)
            column = min(max(self.cell[1] + columns, 0), self._columns - 1)
            self.cell = (row, column)

    def bring_into_view(self) -> None:
        """Move the cell cursor to the first unit that is marked, if it is at none of them."""
        places = [
            at for at, row in enumerate(self._rows) if (row.layer, row.unit) in self.view.marked
        ]
        if places and self.cell[0] not in places:
            self.cell = (places[0], self.cell[1])

    def on_click(self, event: Click) -> None:
        """Put the cell cursor where the mouse points."""
        inside = event.get_content_offset(self)
        if inside is None:
            return
        x, y = inside.x - LABEL, inside.y - 1
        lines = self.content_size.height - 1 - self._viewport.readouts
        if self._rows and x >= 0 and 0 <= y < lines:
            found, column = self._viewport.at(y), self._viewport.column_at(x)
            row = found[0] if isinstance(found, tuple) else found
            if isinstance(row, int) and column is not None:
                self.cell = (row, column)

    @property
    def _columns(self) -> int:
        return 0 if self._grid is None else len(self._grid.columns)

    @property
    def rows_needed(self) -> int:
        """The rows, border included, in which all units can be seen under their headings."""
        grid = self._grid
        return 0 if grid is None else len(grid.rows) + len(grid.layers) + FRAME

    def redraw(self) -> None:
        """Bring the cell into view, and draw."""
        if self._grid is not None:
            self._viewport.fit(
                self._grid,
                self._ends,
                self.content_size,
                self.cell,
                sampled=True,
                halves=not (is_plain(self._colours) or draws_ascii(self.app)),
            )
        self._caption()
        self._paint()

    def _caption(self) -> None:
        """The title and the legend."""
        column, viewport = self.view.kind.column, self._viewport
        clipped, short = (
            [] if self._grid is None else viewport.clipped(column, brief=brief)
            for brief in (False, True)
        )
        texts = [", ".join(each) for each in (clipped, short, short[-1:]) if each]
        what = self._what()
        titles = [f"{what}: {text}" for text in texts or [f"unit by {column}"]]
        titles += [*texts[1:], what, self.view.kind.title]
        title = next((each for each in titles if len(each) <= self.size.width - 6), titles[-1])
        colours = legend(self.app.current_theme.dark, self._colours)
        set_caption(self, title, f"{colours}  scale {self.view.scale}")

    def copied(self) -> str:
        """All rows of the grid, also those that do not fit: a line a unit."""
        grid = self._grid
        if grid is None:
            return ""
        header = ["unit", *(f"{grid.kind.column} {name}" for name in grid.columns)]
        rows = (
            [
                row.label,
                *(x if ok else "" for x, ok in zip(row.values.tolist(), row.known, strict=True)),
            ]
            for row in grid.rows
        )
        return tsv([header, *rows])

    def _what(self) -> str:
        """What is shown: of which update, which branch, which layer."""
        view, content, compared = self.view, self.content, self._compared
        what = view.kind.title
        if content is not None and compared is not None:
            ahead = compared.seen.ahead
            what += f" of update {ahead.update:,}" if view.kind.ahead and ahead else ""
            if content.theirs is not None:
                what += f" {compared.shown}"
                mine, theirs = content.mine.snapshot.update, content.theirs.snapshot.update
                what += f" (B at {theirs:,})" if compared.shown != A and mine != theirs else ""
        what += "" if view.layer is None else f", layer {view.layer}"
        return what + (", sorted" if view.ordered else "")

    def _paint(self) -> None:
        """Make all lines."""
        if self.content is not None:
            lines = self._lines
            self.put([self._strip(y, lines) for y in range(self.content_size.height)])

    def _strip(self, y: int, lines: UnitLines) -> Strip:
        (width, height), viewport = self.content_size, self._viewport
        label = self._style("label")
        if self._grid is None:
            segments = [Segment("diverged: no update follows" if y == 0 else "", label)]
        elif y == 0:
            names = draw_header(
                self._grid, viewport.columns, viewport.width, label, self._style("next")
            )
            corner = viewport.unit or self.view.kind.column
            segments = [Segment(corner.ljust(LABEL), label), *names]
        elif y >= height - viewport.readouts:
            segments = [Segment(self._readout(y - height, width), self._style("readout"))]
        else:
            row = viewport.at(y - 1)
            if isinstance(row, tuple):
                segments = lines.two(*row)
            else:
                segments = lines.one(row) if isinstance(row, int) else [Segment(row, label)]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"heatmap--{name}")

    @property
    def _lines(self) -> UnitLines:
        """What draws the lines of units."""
        styles = {name: self._style(name) for name in ("label", "dead", "saturated", "concerned")}
        return UnitLines(
            self._rows,
            self._viewport,
            self._ends,
            Look(self.app.current_theme.dark, self._colours, styles["dead"], styles["label"]),
            styles,
            (self.cell[0], min(self.cell[1], self._columns - 1)),
            self.view.marked,
        )

    def _readout(self, line: int, width: int) -> str:
        """What is under the cell cursor: its numbers in the last line, the unit's above."""
        grid, compared = self._grid, self._compared
        if grid is None or compared is None:
            return ""
        row = grid.rows[min(self.cell[0], len(grid.rows) - 1)]
        if line == -1:
            column = min(self.cell[1], len(grid.columns) - 1)
            text = read_cell(compared.seen, row, column, grid, compared.both, width)
        else:
            text = read_unit(compared.seen, compared.other, row, grid)
        return shortened(text, width)
