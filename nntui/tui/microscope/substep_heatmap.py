"""A heatmap of what the current sub-step has computed in its whole layer."""

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline.microscope.substep_grid import just_made
from nntui.timeline.views.grid import Grid
from nntui.tui.drawing.cells import Look, draw_cells, draw_header
from nntui.tui.drawing.palette import legend
from nntui.tui.drawing.viewport import LABEL, Viewport
from nntui.tui.microscope.known_values import TableContent
from nntui.tui.panels.panel import Panel, colours_of, set_caption


class SubstepHeatmap(Panel, can_focus=False):
    """A row a unit of the layer at work, a column a sample of the batch or an input."""

    COMPONENT_CLASSES = {"made--label", "made--bad"}
    DEFAULT_CSS = """
    SubstepHeatmap .made--label { color: $foreground-muted; }
    SubstepHeatmap .made--bad { color: $text-error; text-style: bold; }
    """

    shown: reactive[TableContent | None] = reactive(None)
    """The update, how much of it is made, and the chosen unit and sample."""

    def __init__(self) -> None:
        super().__init__()
        self._grid: Grid | None = None
        self._view = Viewport()

    def watch_shown(self) -> None:
        """Take the numbers of the part that is under way."""
        self._arrange()

    def on_resize(self) -> None:
        """Fit them in."""
        self._arrange()

    def notify_style_update(self) -> None:
        """Show cells and legend in the theme's colours."""
        super().notify_style_update()
        self._arrange()

    @property
    def _cell(self) -> tuple[int, int | None]:
        """The row and the column of what is chosen, as far as this shows it."""
        shown, grid = self.shown, self._grid
        if shown is None or grid is None or grid.rows[0].layer != shown.layer:
            return 0, None
        if grid.samples:
            return shown.unit, shown.sample
        return shown.unit, len(grid.columns) - 1 if shown.column is None else shown.column

    def _arrange(self) -> None:
        shown = self.shown
        if shown is None:
            return
        self._grid = grid = just_made(shown.anatomy, shown.parts, shown.layer)
        title = "Just made"
        if grid is not None:
            row, column = self._cell
            self._view.fit(grid, grid.ends, self.content_size, (row, column or 0))
            clipped = self._view.clipped("sample" if grid.samples else "input")
            title += f": {grid.kind.title.lower()} of layer {grid.rows[0].layer}"
            titles = [", ".join((title, *clipped[at:])) for at in range(len(clipped) + 1)]
            room = self.size.width - 6
            title = next((each for each in titles if len(each) <= room), titles[-1])
        below = legend(self.app.current_theme.dark, colours_of(self.app))
        set_caption(self, title, below)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The names of the columns, or a unit."""
        grid, view, label = self._grid, self._view, self._style("label")
        segments: list[Segment] = []
        if grid is None:
            text = "nothing that the heatmap can show" if y == 0 else ""
            segments = [Segment(text, label)]
        elif y == 0:
            names = draw_header(grid, view.columns, view.width, label, label)
            heading = view.unit or ("sample" if grid.samples else "input")
            segments = [Segment(heading.ljust(LABEL), label), *names]
        elif y - 1 < len(view.lines):
            line = view.at(y - 1)
            segments = (
                self._row(grid, line) if isinstance(line, int) else [Segment(str(line), label)]
            )
        return Strip(segments).adjust_cell_length(self.content_size.width, self.rich_style)

    def _row(self, grid: Grid, at: int) -> list[Segment]:
        row, label = grid.rows[at], self._style("label")
        dark = self.app.current_theme.dark
        look = Look(dark, colours_of(self.app), self._style("bad"), label)
        chosen, column = self._cell
        cursor = column if chosen == at else None
        end, view = grid.ends[row.layer], self._view
        return [
            Segment(row.label.ljust(LABEL), label),
            *draw_cells(row, view.columns, view.width, view.form(row.layer), end, look, cursor),
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"made--{name}")
