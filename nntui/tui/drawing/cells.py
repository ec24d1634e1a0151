"""Draws a row of heatmap cells: numbers where there is room, else glyphs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from nntui.core.number_text import NumberForm
from nntui.timeline.views.grid import Grid, GridRow
from nntui.tui.drawing.palette import cell_style, glyph, is_plain, level_of

NUMBERS_FROM, WIDEST = 5, 10
"""A cell at least this wide shows its number; no cell is wider than the second."""
HIGH, LOW = "^", "_"
"""What marks a saturated cell that shows no number: at the upper end, or at the lower."""


@dataclass(frozen=True)
class Look:
    """What decides how cells look."""

    dark: bool
    colours: str | None
    """The terminal's colour system, in Rich's words."""
    bad: Style
    """The style of what is not finite."""
    blank: Style
    """The style of cells without a number."""
    ascii: bool = False
    """Whether the terminal draws nothing but ASCII."""

    @property
    def halves(self) -> bool:
        """Whether half a cell can have a colour of its own."""
        return not (self.ascii or is_plain(self.colours))


def draw_cells(
    row: GridRow,
    columns: Sequence[int],
    width: int,
    form: NumberForm | None,
    end: float,
    look: Look,
    cursor: int | None,
) -> list[Segment]:
    """The cells of ``columns``, each ``width`` wide, neighbours of one style in one segment.

    ``form`` writes the numbers; without one there are none.  ``end`` is the end of the colour
    scale, ``cursor`` the column under the cursor.
    """
    pieces: list[tuple[str, Style]] = []
    plain, flat = is_plain(look.colours), len(row.saturated) > 0
    known, values = row.known, row.values
    for column in columns:
        at_cursor = column == cursor
        if not known[column]:
            text = "." if at_cursor else " "
            pieces.append((text.rjust(width), look.blank))
            continue
        value = float(values[column])
        if not math.isfinite(value):
            text = "!" * width if width < 4 else f"{value:g}".rjust(width)
            # Reversed by a style of its own: the cursor has to be seen here too.
            pieces.append((text, look.bad + Style(reverse=True) if at_cursor else look.bad))
            continue
        level = level_of(value, end)
        style = cell_style(level, look.dark, look.colours, at_cursor)
        saturated = flat and bool(row.saturated[column])
        mark = (HIGH if value > 0.5 else LOW) if saturated else ""
        pieces.append((_text(value, level, width, form, plain, mark), _marked(style, saturated)))
    return joined(pieces)


@lru_cache(maxsize=256)
def _marked(style: Style, saturated: bool) -> Style:
    return style + Style(underline=True) if saturated else style


def _text(
    value: float, level: int, width: int, form: NumberForm | None, plain: bool, mark: str
) -> str:
    """What a cell says: its number, or a glyph of its sign, with a mark if it is saturated."""
    if form is not None:
        return form.text(value).rjust(width)
    if plain:
        return glyph(level) * (width - len(mark)) + mark
    return (mark or ("-" if level < 0 else " ")).rjust(width)


def draw_header(
    grid: Grid, columns: Sequence[int], width: int, plain: Style, marked: Style
) -> list[Segment]:
    """The names of ``columns``; ``marked`` are the samples of the next update."""
    some = len(grid.samples) > len(grid.next_rows)
    chosen = set(grid.next_rows) if some else set()
    # Narrow cells share a name, which then stands over the first of them, with a gap behind it.
    longest = max((len(grid.columns[column]) for column in columns), default=0)
    every = 1 if width >= 3 else -(-max(longest + 1, 4) // width)
    segments: list[Segment] = []
    for at in range(0, len(columns), every):
        column = columns[at]
        name, room = grid.columns[column], width * min(every, len(columns) - at)
        is_next = bool(grid.samples) and grid.samples[column] in chosen
        style = marked if is_next else plain
        if every == 1:
            inner = name[:room]
            segments += [Segment(" " * (room - len(inner)), plain), Segment(inner, style)]
        else:
            segments.append(Segment((name if len(name) <= room else "").ljust(room), style))
    return segments


def draw_pair(
    rows: Sequence[GridRow | None],
    columns: Sequence[int],
    width: int,
    ends: Sequence[float],
    look: Look,
    cursor: tuple[int, int] | None,
) -> list[Segment]:
    """Two rows in one line, the first above the second, each in half a cell.

    ``ends`` are the ends of their colour scales; ``cursor`` is which of the two is under the
    cursor, and in which column.
    """
    pieces: list[tuple[str, Style]] = []
    for column in columns:
        upper, lower = (
            None if row is None else _ground(row, column, end, look, cursor == (which, column))
            for which, (row, end) in enumerate(zip(rows, ends, strict=True))
        )
        pieces.append(("▀" * width, _halved(upper, lower, look.blank)))
    return joined(pieces)


def _ground(row: GridRow, column: int, end: float, look: Look, at_cursor: bool) -> Color | None:
    """The colour of one half of a cell."""
    if at_cursor:
        return Color.parse("#ffffff" if look.dark else "#000000")
    if not row.known[column]:
        return None
    value = float(row.values[column])
    if not math.isfinite(value):
        return look.bad.color
    return cell_style(level_of(value, end), look.dark, look.colours, False).bgcolor


@lru_cache(maxsize=2048)
def _halved(upper: Color | None, lower: Color | None, blank: Style) -> Style:
    ground = blank.bgcolor
    return Style(color=upper or ground, bgcolor=lower or ground)


def joined(pieces: list[tuple[str, Style]]) -> list[Segment]:
    """``pieces`` as segments, neighbours of one style in one."""
    segments: list[Segment] = []
    texts: list[str] = []
    current: Style | None = None
    for text, style in pieces:
        if style is not current and current is not None:
            segments.append(Segment("".join(texts), current))
            texts = []
        current = style
        texts.append(text)
    if current is not None:
        segments.append(Segment("".join(texts), current))
    return segments
