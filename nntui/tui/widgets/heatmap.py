"""The activation heatmap: a row a unit, grouped by layer; a column a data sample."""

from dataclasses import dataclass, replace

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Click
from textual.reactive import reactive
from textual.strip import Strip

from nntui.core.tape import Array
from nntui.timeline import Snapshot
from nntui.timeline.snapshot import largest_finite
from nntui.tui.palette import cell_style, glyph, is_plain, legend, level_of, short
from nntui.tui.widgets.panel import Panel

LABEL, MARK = 7, 5
"""Columns left of the cells for the unit's name, and right of them for ``dead``."""
NARROW = 60
"""Below this many columns the readout rounds to three digits."""
MOST_SHOWN = 64
"""Weights and inputs that the readout lists."""
NUMBERS_FROM, WIDEST = 5, 10
"""A cell at least this wide shows its number; no cell is wider than the second."""
A, B, DIFFERENCE = "A", "B", "A-B"
"""What a heatmap can show where two branches are compared."""


@dataclass(frozen=True)
class Row:
    """One line of the heatmap."""

    label: str
    layer: int | None
    unit: int
    values: Array
    largest: float
    """The greatest magnitude in the layer: the end of its colour scale."""
    dead: bool = False


class Heatmap(Panel):
    """Every unit's activation on every data sample, with a cell cursor."""

    COMPONENT_CLASSES = {"heatmap--label", "heatmap--dead", "heatmap--next", "heatmap--readout"}
    DEFAULT_CSS = """
    Heatmap .heatmap--label { color: $foreground-muted; }
    Heatmap .heatmap--dead { color: $text-error; text-style: bold; }
    Heatmap .heatmap--next { color: $text-accent; text-style: bold reverse; }
    Heatmap .heatmap--readout { color: $foreground; }
    """
    BINDINGS = [
        Binding("up", "move(-1, 0)", "up", show=False),
        Binding("down", "move(1, 0)", "down", show=False),
        Binding("left", "move(0, -1)", "left", show=False),
        Binding("right", "move(0, 1)", "right", show=False),
        Binding("pageup", "move(-10, 0)", "page up", show=False),
        Binding("pagedown", "move(10, 0)", "page down", show=False),
        Binding("shift+left,ctrl+left", "move(0, -10)", "10 samples left", show=False),
        Binding("shift+right,ctrl+right", "move(0, 10)", "10 samples right", show=False),
        Binding("ctrl+home", "move(-100000000, 0)", "first row", show=False),
        Binding("ctrl+end", "move(100000000, 0)", "last row", show=False),
        Binding("home", "move(0, -100000000)", "first sample", show=False),
        Binding("end", "move(0, 100000000)", "last sample", show=False),
    ]

    explained = (
        "A row is a unit, named layer.unit; a column is a data sample. Orange is above zero, "
        "blue (and a minus sign or dashes) below, each layer up to its own largest magnitude. "
        "The highlighted column numbers are the samples of the next update. A unit that is "
        "active on no sample is marked dead: no gradient can reach it. The output and the "
        "target stay at the bottom. +0 and -0 are numbers too small to show. With the focus "
        "here, the arrow keys move the cell cursor (with Shift by ten samples; Home, End and "
        "Page Up, Page Down too), and the bottom lines read the numbers under it, with the "
        "unit's weights w and bias b where there is room. Where another branch is overlaid, the "
        "panel can show A (this branch), B (the other) or A minus B at the same update."
    )

    snapshot: reactive[Snapshot | None] = reactive(None)
    """The run at its cursor."""
    other: reactive[Snapshot | None] = reactive(None)
    """The overlaid branch at the same update, if there is one, from the next snapshot on."""
    shown: reactive[str] = reactive(A)
    """`A` (the run), `B` (the other) or `DIFFERENCE`."""
    cell: reactive[tuple[int, int]] = reactive((0, 0))
    """The row and the sample under the cell cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Activations: unit by sample"
        self._rows: list[Row] = []
        self._lines: list[int | str] = []
        """What scrolls below the sample numbers: the index of a row, or a layer's heading."""
        self._pinned: list[int] = []
        """The rows that stay at the bottom: output and target, where not everything fits."""
        self._top = 0
        self._left = 0

    def watch_snapshot(self) -> None:
        """Take the rows of the new snapshot."""
        self._take()

    def watch_shown(self) -> None:
        """Take the rows of what is to be shown."""
        self._take()

    @property
    def _source(self) -> Snapshot | None:
        """The snapshot whose numbers are read out."""
        return self.other if self.shown == B and self.other is not None else self.snapshot

    def _take(self) -> None:
        source = self._source
        if source is not None:
            self._rows = _rows_of(source)
            if self.shown == DIFFERENCE and self.other is not None:
                self._rows = _differences(self._rows, _rows_of(self.other))
            self._follow()
            self.refresh()

    def watch_cell(self) -> None:
        """Keep the cell in view."""
        self._follow()
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cell in view."""
        self._follow()

    def notify_style_update(self) -> None:
        """Show the legend in the theme's colours."""
        super().notify_style_update()
        wanted = legend(self.app.current_theme.dark, self._colours)
        if self.border_subtitle != wanted:
            self.border_subtitle = wanted

    @property
    def _plain(self) -> bool:
        """Whether glyphs have to tell what backgrounds cannot."""
        return is_plain(self._colours)

    @property
    def _colours(self) -> str | None:
        """The terminal's colour system."""
        return None if self.app.no_color else self.app.console.color_system

    @property
    def unit(self) -> tuple[int, int] | None:
        """The layer and the unit under the cell cursor; None on a target."""
        row = self._rows[min(self.cell[0], len(self._rows) - 1)]
        return None if row.layer is None else (row.layer, row.unit)

    def action_move(self, rows: int, samples: int) -> None:
        """Move the cell cursor."""
        if self.snapshot is not None:
            row = min(max(self.cell[0] + rows, 0), len(self._rows) - 1)
            sample = min(max(self.cell[1] + samples, 0), self._samples - 1)
            self.cell = (row, sample)

    def on_click(self, event: Click) -> None:
        """Put the cell cursor where the mouse points."""
        inside = event.get_content_offset(self)
        if inside is None:
            return
        x, y = inside.x - LABEL, inside.y - 1
        if self.snapshot is not None and x >= 0 and 0 <= y < self._shown[0]:
            row, sample = self._at(y), self._left + x // self._width
            if isinstance(row, int) and sample < self._samples:
                self.cell = (row, sample)

    @property
    def _samples(self) -> int:
        source = self._source
        return 0 if source is None else source.targets.shape[1]

    @property
    def _width(self) -> int:
        """Columns a cell takes."""
        room = self.content_size.width - LABEL - MARK
        return min(max(room // max(self._samples, 1), 1), WIDEST)

    @property
    def _shown(self) -> tuple[int, int]:
        """How many rows and samples fit."""
        width, height = self.content_size
        return max(height - 1 - self._readouts, 1), max((width - LABEL - MARK) // self._width, 1)

    @property
    def _readouts(self) -> int:
        """Lines for what is under the cell cursor; the second where all rows fit without it."""
        return 2 if self.content_size.height >= len(self._rows) + 3 else 1

    def _at(self, y: int) -> int | str:
        """What stands ``y`` lines below the sample numbers."""
        scrolling = self._shown[0] - len(self._pinned)
        if y >= scrolling:
            return self._pinned[y - scrolling] if self._pinned else ""
        line = self._top + y
        return self._lines[line] if line < len(self._lines) else ""

    def _arrange(self) -> None:
        """Put headings between the layers, or pin output and target where not all rows fit."""
        fitting, outputs = self._shown[0], 2 * self._outputs
        rows = list(range(len(self._rows)))
        self._lines, self._pinned = [*rows], []
        source = self._source
        headings = _headings(source, self._rows) if source is not None else {}
        if len(self._rows) + len(headings) <= fitting:
            for row in sorted(headings, reverse=True):
                self._lines.insert(row, headings[row])
        elif len(self._rows) > fitting >= 2 * outputs:
            self._lines, self._pinned = [*rows[:-outputs]], rows[-outputs:]

    @property
    def _outputs(self) -> int:
        source = self._source
        return 0 if source is None else source.targets.shape[0]

    def _follow(self) -> None:
        self._arrange()
        rows, samples = self._shown
        rows -= len(self._pinned)
        row, sample = self.cell
        if row not in self._pinned:
            self._top = _scrolled(self._top, row, rows, len(self._lines))
        self._left = _scrolled(self._left, sample, samples, self._samples)
        clipped = []
        if len(self._lines) > rows:
            clipped.append(f"rows {self._top + 1}-{self._top + rows} of {len(self._lines)}")
        if self._samples > samples:
            clipped.append(f"samples {self._left}-{self._left + samples - 1} of {self._samples}")
        what = f"Activations {self._compared()}" if self.other is not None else "Activations"
        title = f"{what}: {', '.join(clipped)}" if clipped else f"{what}: unit by sample"
        # Setting a title repaints the panel, so only a new one is set.
        if self.border_title != title:
            self.border_title = title

    def render_line(self, y: int) -> Strip:
        """The sample numbers, a row of cells, or what is under the cell cursor."""
        width, height = self.content_size
        if self.snapshot is None:
            segments = []
        elif y == 0:
            segments = self._header()
        elif y >= height - self._readouts:
            texts = self._readout(width)
            segments = [Segment(texts[y - height], self._style("readout"))]
        else:
            row = self._at(y - 1)
            segments = (
                self._cells(row) if isinstance(row, int) else [Segment(row, self._style("label"))]
            )
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _compared(self) -> str:
        """What is shown of two branches, with the update of B where it goes no further."""
        mine, theirs = self.snapshot, self.other
        if self.shown == A or mine is None or theirs is None or mine.update == theirs.update:
            return self.shown
        return f"{self.shown} (B at {theirs.update:,})"

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"heatmap--{name}")

    def _columns(self) -> range:
        return range(self._left, min(self._left + self._shown[1], self._samples))

    def _header(self) -> list[Segment]:
        source = self._source
        assert source is not None
        label, width, columns = self._style("label"), self._width, self._columns()
        every = 1 if width >= 3 else -(-4 // width)
        chosen = source.next_rows
        everything = len(chosen) == self._samples
        segments, column = [Segment("sample".ljust(LABEL), label)], columns.start
        while column < columns.stop:
            count = min(every, columns.stop - column)
            text = str(column).rjust(width) if every == 1 else str(column)
            style = self._style("next") if column in chosen and not everything else label
            room = width * count
            inner = text[:room]
            if every == 1:
                segments.append(Segment(" " * (room - len(inner.strip())), label))
                segments.append(Segment(inner.strip(), style))
            else:
                segments.append(
                    Segment(inner.ljust(room) if len(text) <= room else " " * room, style)
                )
            column += count
        return segments

    def _cells(self, at: int) -> list[Segment]:
        row, width = self._rows[at], self._width
        plain, colours = self._plain, self._colours
        dark = self.app.current_theme.dark
        segments = [Segment(row.label.ljust(LABEL), self._style("dead" if row.dead else "label"))]
        for sample in self._columns():
            value = float(row.values[sample])
            level = level_of(value, row.largest)
            style = cell_style(level, dark, colours, self.cell == (at, sample))
            if value != value or abs(value) == float("inf"):
                text, style = (
                    "!" * width if width < 4 else f"{value:g}".rjust(width),
                    self._style("dead"),
                )
            elif width >= NUMBERS_FROM:
                text = short(value, width - 1).rjust(width)
            elif plain:
                text = glyph(level) * width
            else:
                text = "-".rjust(width) if level < 0 else " " * width
            segments.append(Segment(text, style))
        segments.append(Segment(" dead" if row.dead else " " * MARK, self._style("dead")))
        return segments

    def _readout(self, width: int) -> list[str]:
        """What is under the cell cursor: the unit's parameters, then its numbers."""
        source = self._source
        assert source is not None
        at, sample = min(self.cell[0], len(self._rows) - 1), min(self.cell[1], self._samples - 1)
        row, inputs = self._rows[at], source.inputs[:, sample]
        digits = ".3g" if width < NARROW else ".6g"
        if row.layer is None:
            parameters, text = "", f"target of sample {sample}  {row.values[sample]:.6g}"
        elif self.shown == DIFFERENCE and self.other is not None:
            mine, theirs = source.layers[row.layer], self.other.layers[row.layer]
            a, b = mine.a[row.unit, sample], theirs.a[row.unit, sample]
            text = f"{row.label} sample {sample}  A {a:{digits}}  B {b:{digits}}"
            text += f"  A-B {row.values[sample]:{digits}}"
            ours, others = mine.W[row.unit, :MOST_SHOWN], theirs.W[row.unit, :MOST_SHOWN]
            parameters = f"{row.label} w A-B {', '.join(f'{w:.3g}' for w in ours - others)}"
        else:
            layer, unit = source.layers[row.layer], row.unit
            text = f"{row.label} sample {sample}  z {layer.z[unit, sample]:{digits}}"
            text += f"  a {layer.a[unit, sample]:{digits}}"
            if layer.normalised:
                text += f"  norm {layer.h[unit, sample]:{digits}}"
            parameters = (
                f"{row.label} w {', '.join(f'{w:.3g}' for w in layer.W[unit, :MOST_SHOWN])}"
            )
            parameters += ", ..." if layer.W.shape[1] > MOST_SHOWN else ""
            parameters += "  no bias" if layer.b is None else f"  b {layer.b[unit]:.3g}"
        text += f"  x {', '.join(f'{value:g}' for value in inputs[:MOST_SHOWN])}"
        return [_cut(parameters, width), _cut(text, width)]


def _cut(text: str, width: int) -> str:
    """``text`` in ``width`` columns; a number cut short would be another number, so dots say so."""
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def _scrolled(first: int, wanted: int, fitting: int, count: int) -> int:
    """The first of ``fitting`` places so that ``wanted`` is among them and none is empty."""
    first = min(max(first, wanted - fitting + 1), wanted)
    return max(min(first, count - fitting), 0)


def _headings(snapshot: Snapshot, rows: list[Row]) -> dict[int, str]:
    """By the row that it stands above: each layer's heading, with the end of its scale."""
    headings, row = {}, 0
    for number, layer in enumerate(snapshot.layers):
        headings[row] = f"layer {number} {layer.activation}, up to {rows[row].largest:.3g}"
        row += layer.a.shape[0]
    return headings


def _rows_of(snapshot: Snapshot) -> list[Row]:
    rows = [
        Row(f"{number}.{unit}", number, unit, layer.a[unit], layer.largest, bool(layer.dead[unit]))
        for number, layer in enumerate(snapshot.layers)
        for unit in range(layer.a.shape[0])
    ]
    largest = largest_finite(snapshot.targets)
    return rows + [
        Row("target", None, unit, values, largest) for unit, values in enumerate(snapshot.targets)
    ]


def comparable(one: Snapshot, other: Snapshot) -> bool:
    """Whether the activations of one can be subtracted from those of the other."""
    shapes = [[layer.a.shape for layer in each.layers] for each in (one, other)]
    return shapes[0] == shapes[1] and one.targets.shape == other.targets.shape


def _differences(rows: list[Row], others: list[Row]) -> list[Row]:
    """Row by row A minus B; each layer up to its own largest difference, targets as they are."""
    with np.errstate(invalid="ignore"):
        values = [
            mine.values if mine.layer is None else mine.values - other.values
            for mine, other in zip(rows, others, strict=True)
        ]
    largest: dict[int | None, float] = {}
    for row, value in zip(rows, values, strict=True):
        largest[row.layer] = max(largest.get(row.layer, 0.0), largest_finite(value))
    return [
        replace(row, values=value, largest=largest[row.layer], dead=False)
        for row, value in zip(rows, values, strict=True)
    ]
