"""A surface seen from above: half blocks where there are colours, glyphs where there are none."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style

from nntui.core.number_text import brief
from nntui.timeline.views.outputs import Surface
from nntui.tui.drawing.cells import Look, joined
from nntui.tui.drawing.class_colours import SURE, class_mark, class_style, sureness, texture
from nntui.tui.drawing.palette import cell_style, glyph, is_plain, level_of
from nntui.tui.drawing.shortening import shortened

GUTTER = 7
"""Columns left of the surface, for the y axis."""
ABOVE, BELOW = "o", "x"
"""Samples by their target: above the centre, or not; with several classes their number."""
LEAST_NAME = 6
"""Columns that a name needs, cut short."""
Pieces = list[tuple[str, Style]]


def points_in(width: int, height: int, look: Look) -> tuple[int, int]:
    """How many columns and rows of points fit in a picture of that size."""
    rows = max(height - 1, 1)
    return max(width - GUTTER, 1), 2 * rows if look.halves else rows


def draw_surface(surface: Surface, look: Look, label: Style, sample: int) -> list[list[Segment]]:
    """The surface with its axes and the samples on it; the chosen ``sample`` is reversed."""
    rows, columns = surface.values.shape
    halves, plain = look.halves, is_plain(look.colours)
    marks = _marks(surface, look, sample, rows // 2 if halves else rows)
    lines = []
    for line in range(rows // 2 if halves else rows):
        glyphs = _glyphs if surface.winners is None else _textures
        paint = _halves if halves else glyphs if plain else _blanks
        pieces = paint(surface, look, line)
        for column, mark in marks.get(line, {}).items():
            pieces[column] = mark
        height = (
            surface.y[1] if line == 0 else surface.y[0] if _is_last(line, rows, halves) else None
        )
        text = "" if height is None else brief(height, GUTTER)
        lines.append([Segment(f"{text:>{GUTTER - 1}}".ljust(GUTTER), label), *joined(pieces)])
    left, right = (brief(end) for end in surface.x)
    free = columns - len(left) - len(right)
    middle = _names(surface.samples.input_names, free - 2)
    room = max(columns - len(left), 0)
    axis = left + right.rjust(room)
    if middle:
        at = len(left) + (free - len(middle)) // 2
        axis = axis[:at] + middle + axis[at + len(middle) :]
    lines.append([Segment(" " * GUTTER + axis, label)])
    return lines


def _names(names: Sequence[str], room: int) -> str:
    """The names of the two axes in ``room`` columns, cut short if need be."""
    middle = " x ".join(names[:2]) if len(names) > 1 else ""
    if len(middle) > room:
        least = (room - 3) // 2
        middle = " x ".join(shortened(each, least) for each in names[:2])
        return middle if least >= LEAST_NAME else ""
    return middle


def _is_last(line: int, rows: int, halves: bool) -> bool:
    return line == (rows // 2 if halves else rows) - 1


@lru_cache(maxsize=2048)
def _half(upper: Style, lower: Style) -> Style:
    return Style(color=upper.bgcolor, bgcolor=lower.bgcolor)


def _levels(surface: Surface, row: int) -> list[int]:
    largest, centre = surface.largest, surface.centre
    return [level_of(value - centre, largest) for value in surface.values[row].tolist()]


def _grounds(surface: Surface, look: Look, row: int) -> list[Style]:
    """The colour of each point: of its value, or of the class that wins there."""
    if surface.winners is None:
        levels = _levels(surface, row)
        return [cell_style(level, look.dark, look.colours, False) for level in levels]
    points = zip(surface.winners[row].tolist(), surface.values[row].tolist(), strict=True)
    return [
        class_style(winner, sureness(value), look.dark, look.colours) for winner, value in points
    ]


def _halves(surface: Surface, look: Look, line: int) -> Pieces:
    upper, lower = _grounds(surface, look, 2 * line), _grounds(surface, look, 2 * line + 1)
    return [("▀", _half(top, bottom)) for top, bottom in zip(upper, lower, strict=True)]


def _blanks(surface: Surface, look: Look, line: int) -> Pieces:
    return [(" ", style) for style in _grounds(surface, look, line)]


def _glyphs(surface: Surface, look: Look, line: int) -> Pieces:
    return [
        (glyph(level), cell_style(level, look.dark, look.colours, False))
        for level in _levels(surface, line)
    ]


def _textures(surface: Surface, look: Look, line: int) -> Pieces:
    assert surface.winners is not None
    return [
        (texture(winner), class_style(winner, SURE, look.dark, look.colours))
        for winner in surface.winners[line].tolist()
    ]


def _marks(
    surface: Surface, look: Look, sample: int, lines: int
) -> dict[int, dict[int, tuple[str, Style]]]:
    """By line and column, the samples; the chosen one lies above all others."""
    samples, columns = surface.samples, surface.values.shape[1]
    across = _place(surface.x, columns)
    down = _place(surface.y, lines)
    marks: dict[int, dict[int, tuple[str, Style]]] = {}
    order = [at for at in range(samples.x.shape[1]) if at != sample]
    for at in (*order, sample):
        x, y = samples.x[:2, at].tolist()
        target = float(samples.targets[0, at])
        if surface.winners is not None and samples.labels is not None:
            label = int(samples.labels[at])
            mark = (str(label % 10), class_mark(label, look.dark, look.colours))
        elif surface.targets_part is not None:
            style = cell_style(0, look.dark, look.colours, False)  # a target is no difference
            mark = (ABOVE if target > surface.targets_part else BELOW, style + Style(bold=True))
        else:
            level = level_of(target - surface.centre, surface.largest)
            style = cell_style(level, look.dark, look.colours, False)
            mark = (ABOVE if target > surface.centre else BELOW, style + Style(bold=True))
        if at == sample:
            mark = (mark[0], mark[1] + _CHOSEN)
        marks.setdefault(lines - 1 - down(y), {})[across(x)] = mark
    return marks


_CHOSEN = Style(reverse=True, underline=True)


def _place(ends: tuple[float, float], cells: int) -> Callable[[float], int]:
    """From a place on an axis to the cell in which it lies."""
    low, high = ends
    return lambda value: min(max(int((value - low) / (high - low) * cells), 0), cells - 1)
