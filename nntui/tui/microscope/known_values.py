"""A table of what the update has computed so far for one sample: a row a unit."""

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.core.number_text import brief
from nntui.timeline.microscope.computed import Anatomy
from nntui.tui.panels.panel import Panel, set_caption

LABEL, CELL = 8, 10
COLUMNS = {
    "z": "z",
    "a": "a",
    "h": "norm",
    "upstream": "dL/da",
    "slope": "f'(z)",
    "delta": "delta",
}
"""The tensors shown, as far as there is room, with their headings; in the order of the update."""
NEEDED = ("z", "a", "delta", "slope", "upstream", "h")
"""The same, those first that are shown where there is little room."""


@dataclass(frozen=True)
class TableContent:
    """What both tables show: the update, how much of it is made, and what is chosen."""

    anatomy: Anatomy
    layer: int
    unit: int
    sample: int
    """Its number in the batch."""
    parts: int
    """How many parts of the update are made."""
    column: int | None = None
    """The chosen weight; None is the bias."""


class KnownValues(Panel, can_focus=False):
    """Every unit's numbers on one sample; what the update has not made yet is a dot.

    dL/da is what comes back to the unit (dL/dh where the layer is normalised), f'(z) the slope as
    the update uses it.
    """

    COMPONENT_CLASSES = {"known--label", "known--later", "known--chosen", "known--off"}
    DEFAULT_CSS = """
    KnownValues .known--label { color: $foreground-muted; }
    KnownValues .known--later { color: $foreground-muted; }
    KnownValues .known--chosen { text-style: bold reverse; }
    KnownValues .known--off { color: $text-error; text-style: bold; }
    """

    shown: reactive[TableContent | None] = reactive(None)
    """The update, how much of it is made, and the chosen unit."""

    class Wanted(Message):
        """A unit was clicked."""

        def __init__(self, layer: int, unit: int) -> None:
            super().__init__()
            self.layer, self.unit = layer, unit

    def __init__(self) -> None:
        super().__init__()
        self._units: list[tuple[int, int]] = []
        self._columns: list[str] = []
        self._top = 0

    def watch_shown(self, shown: TableContent | None) -> None:
        """Take the rows, and keep the chosen one in view."""
        if shown is not None:
            layers = enumerate(shown.anatomy.made.configuration.layers)
            self._units = [(at, unit) for at, layer in layers for unit in range(layer.units)]
            self._arrange(shown)

    def on_resize(self) -> None:
        """Fit the columns, and keep the chosen row in view."""
        if self.shown is not None:
            self._arrange(self.shown)

    def _arrange(self, shown: TableContent) -> None:
        room = max((self.content_size.width - LABEL) // CELL, 1)
        there = {tensor for tensor, _ in shown.anatomy.made.tensors}
        wanted = [tensor for tensor in NEEDED if tensor in there][:room]
        self._columns = [tensor for tensor in COLUMNS if tensor in wanted]
        chosen, rows = self._units.index((shown.layer, shown.unit)), self._rows
        self._top = min(max(self._top, chosen - rows + 1), chosen)
        self._top = max(min(self._top, len(self._units) - rows), 0)
        clipped = len(self._units) > rows
        shown_rows = f", rows {self._top + 1}-{self._top + rows} of {len(self._units)}"
        title = f"Known so far of sample {shown.anatomy.rows[shown.sample]}"
        title += shown_rows if clipped else ""
        set_caption(self, title, self._legend(shown))
        self.refresh()

    def _legend(self, shown: TableContent) -> str:
        later = shown.parts < len(shown.anatomy.made.steps)
        signs = [". comes later"] if later else []
        if shown.anatomy.deviations:
            signs.append("! is not what correct backprop gives")
        return ", ".join(signs)

    @property
    def _rows(self) -> int:
        return max(self.content_size.height - 1, 1)

    def on_click(self, event: Click) -> None:
        """Choose a unit."""
        inside = event.get_content_offset(self)
        if inside is not None and 1 <= inside.y <= self._rows:
            at = self._top + inside.y - 1
            if at < len(self._units):
                self.post_message(self.Wanted(*self._units[at]))

    def render_line(self, y: int) -> Strip:
        """The headings, or a unit."""
        width, at = self.content_size.width, self._top + y - 1
        shown = self.shown
        if shown is None or at >= len(self._units):
            segments = []
        elif y == 0:
            names = "".join(COLUMNS[tensor].rjust(CELL) for tensor in self._columns)
            segments = [Segment("unit".ljust(LABEL) + names, self._style("label"))]
        else:
            segments = self._row(shown, *self._units[at])
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _row(self, shown: TableContent, layer: int, unit: int) -> list[Segment]:
        chosen = (layer, unit) == (shown.layer, shown.unit)
        label = f"{'>' if chosen else ' '}{layer}.{unit}".ljust(LABEL)
        segments = [Segment(label, self._style("chosen" if chosen else "label"))]
        for tensor in self._columns:
            text, style = self._cell(shown, tensor, layer, unit)
            segments.append(Segment(text.rjust(CELL), style))
        return segments

    def _cell(self, shown: TableContent, tensor: str, layer: int, unit: int) -> tuple[str, Style]:
        anatomy, plain = shown.anatomy, self.rich_style
        if (tensor, layer) not in anatomy.made.tensors:
            return "", plain
        if anatomy.step_of(tensor, layer) >= shown.parts:
            return ".", self._style("later")
        value = anatomy.made.tensors[tensor, layer][unit, shown.sample]
        if anatomy.is_off(tensor, layer, unit, shown.sample):
            return f"!{brief(value)}", self._style("off")
        return brief(value), plain

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"known--{name}")
