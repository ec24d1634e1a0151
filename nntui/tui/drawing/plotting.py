"""Draws curves with plotext, as rows of characters with their roles; nothing else knows plotext.

plotext 6 dropped this interface, hence the upper bound in the project's dependencies.  A figure
changes its own settings when it is built, so every frame takes a fresh one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nntui.core.number_text import brief
from nntui.core.tape import Array
from nntui.timeline.views.axis_ticks import Ticks
from nntui.timeline.views.curve import Curve
from nntui.timeline.views.oscillation import Band, Polyline
from nntui.timeline.views.outputs import FitCurve

Cells = list[tuple[str, str]]
"""One row: texts with the role that each plays (``past``, ``future``, ``goal``, ...)."""

ROLES = {
    "blue": "past",
    "gray": "future",
    "magenta": "other",
    "green": "goal",
    "orange": "cursor",
    "red": "bad",
    "gray+": "ghost",
    "cyan": "testing",
    "red+": "floor",
}
LINES = ("past", "other", "goal", "cursor")
"""The roles that several lines take in turn."""
AXIS_ROWS = 2
"""Rows that the x axis and its labels take."""
_COLOURS = {role: colour for colour, role in ROLES.items()}


class PlottingError(RuntimeError):
    """plotext is there, but not in a version that can draw."""


def _new_figure() -> Any:
    try:
        from plotext._figure import _figure_class
    except ImportError as error:
        raise PlottingError("nntui draws with plotext 5.3; install 'plotext>=5.3.2,<6'") from error
    return _figure_class()


def draw_curve(
    curve: Curve,
    width: int,
    height: int,
    *,
    coloured: bool = True,
    inspected: float | None = None,
) -> list[Cells]:
    """``height`` rows of ``width`` characters that show ``curve`` with its axes.

    Without colours, the other branch is drawn in another character, and so are ghosts; these are
    dotted in any case, and lie behind everything.  ``inspected`` is where on
    the x axis the inspector line stands.
    """
    ends = (curve.start, curve.last)
    figure = _axes(width, height, ends, (curve.low, curve.high), curve.ticks)
    epochs = sorted({*ends} | ({sum(ends) // 2} if sum(ends) % 2 == 0 else set()))
    figure.xticks(epochs, [f"{epoch:,}" for epoch in epochs])
    if curve.goal is not None:
        _line(figure, np.array(ends), np.full(2, curve.goal), "goal")
    if curve.floor is not None:
        _line(figure, curve.floor.x, curve.floor.y, "floor", "braille" if coloured else "=")
    upright = np.array([curve.low, curve.high])
    if curve.cursor is not None:
        _line(figure, np.full(2, curve.cursor), upright, "cursor")
        _segments(figure, curve.future, "future")
    if curve.other is not None:
        _segments(figure, curve.other, "other", marker="braille" if coloured else "+")
    _segments(figure, curve.past, "past")
    others, plus = curve.more_of_other, "braille" if coloured else "+"
    roles = ["past" if others else LINES[at % len(LINES)] for at in range(len(curve.more))]
    for _, line in others:
        _segments(figure, line, "other", plus)
    for role, (_, line) in zip(roles, curve.more, strict=True):
        _segments(figure, line, role)
    # A line must not hide the name of another that lies below it.
    for at, (name, line) in enumerate(others):
        _name(figure, name, line, "other", at)
    for at, (role, (name, line)) in enumerate(zip(roles, curve.more, strict=True)):
        _name(figure, name, line, role, at)
    if inspected is not None:
        _line(figure, np.full(2, inspected), upright, "cursor", "|")
    if len(curve.not_finite):
        top = np.full(len(curve.not_finite), curve.high)
        figure.scatter(curve.not_finite.tolist(), top.tolist(), marker="x", color=_COLOURS["bad"])
    figure.build()
    matrix = figure.monitor.matrix
    for band in curve.bands:
        _put_behind(matrix, _shaded(matrix, band, curve), band.role, "" if coloured else ":")
    if curve.ghosts:
        _put_behind(matrix, _dotted(matrix, curve), "ghost", "" if coloured else ".")
    return _rows(figure)


def draw_fit(
    fit: FitCurve, width: int, height: int, sample: int, *, coloured: bool = True
) -> list[Cells]:
    """The same for a function of one input, with the samples and the chosen ``sample`` on it."""
    low, high, ticks = fit.axis(max(height // 3, 2))
    figure = _axes(width, height, (float(fit.x[0]), float(fit.x[-1])), (low, high), ticks)
    places = fit.x[[0, len(fit.x) // 2, -1]].tolist()
    figure.xticks(places, [brief(place) for place in places])
    samples = fit.samples
    if fit.truth is not None:
        _segments(figure, Polyline(fit.x, fit.truth), "goal", "braille" if coloured else ".")
    plus = "braille" if coloured else "+"
    for of, role, marker in ((fit.other, "other", plus), (fit.values, "past", "braille")):
        for values in () if of is None else of:
            finite = np.where(np.isfinite(values), np.clip(values, low, high), np.nan)
            _segments(figure, Polyline(fit.x, finite), role, marker)
    if fit.with_targets:
        few = 3 * samples.x.shape[1] < width
        for chosen, role, marker in (
            (~samples.testing, "goal", "o"),
            (samples.testing, "testing", "t"),
        ):
            if chosen.any() and (few or fit.truth is None or role == "testing"):
                x = np.tile(samples.x[0, chosen], len(samples.targets))
                y = samples.targets[:, chosen].ravel()
                mark = marker if few or not coloured else "braille"
                figure.scatter(x.tolist(), y.tolist(), marker=mark, color=_COLOURS[role])
    _line(figure, np.full(2, samples.x[0, sample]), np.array([low, high]), "cursor")
    return _built(figure)


def _axes(
    width: int,
    height: int,
    x: tuple[float, float],
    y: tuple[float, float],
    ticks: Ticks,
) -> Any:
    """A figure with its axes, whose y ``ticks`` stand on the rows of their points."""
    figure = _new_figure()
    figure._limit_size(False, False)
    figure.plot_size(width, height)
    figure.xaxes(True, False)
    figure.yaxes(True, False)
    figure.xlim(*x)
    figure.ylim(*y)
    rows = height - AXIS_ROWS
    figure.yticks([_on_its_row(at, *y, rows) for at, _ in ticks], [text for _, text in ticks])
    return figure


Dots = npt.NDArray[np.bool_]
"""The dots of a picture, (rows, columns), whose first row is the lowest."""


def _put_behind(matrix: Any, dots: Dots, role: str, marker: str) -> None:
    """Draw ``dots`` where nothing is drawn yet: much faster than plotext would.

    Cells with a dot in them are ``marker``, or braille if that is empty.
    """
    columns, rows = matrix.Cols_canvas, matrix.Rows_canvas
    cells = dots.reshape(len(rows), 4, len(columns), 2)
    for row, column in zip(*np.nonzero(cells.any(axis=(1, 3))), strict=True):
        x, y = columns[int(column)], rows[int(row)]
        if matrix.get_marker(x, y) == " ":
            braille = chr(0x2800 + int((cells[row, :, column] * _BRAILLE).sum()))
            matrix.insert_element(x, y, marker or braille, _COLOURS[role])


def _no_dots(matrix: Any) -> Dots:
    return np.zeros((4 * len(matrix.Rows_canvas), 2 * len(matrix.Cols_canvas)), dtype=np.bool_)


def _dotted(matrix: Any, curve: Curve) -> Dots:
    """The ghosts of ``curve``."""
    dots = _no_dots(matrix)
    for line in curve.ghosts:
        for piece in _pieces(line):
            _dot(dots, piece, curve)
    return dots


def _shaded(matrix: Any, band: Band, curve: Curve) -> Dots:
    """Every fourth dot of a ``band``, and its whole edges."""
    dots = _no_dots(matrix)
    rows, columns = dots.shape
    places = np.arange(columns) / (columns - 1) * (curve.last - curve.start) + curve.start
    inside = (places >= band.x[0]) & (places <= band.x[-1])
    ends = (np.interp(places, band.x, each) for each in (band.low, band.high))
    heights = ((each - curve.low) / (curve.high - curve.low) * (rows - 1) for each in ends)
    low, high = (np.rint(np.clip(each, 0, rows - 1)).astype(np.intp) for each in heights)
    at = np.arange(rows).reshape(-1, 1)
    filled = (at > low) & (at < high) & (at % 2 == 0) & (np.arange(columns) % 2 == 0)
    return np.asarray((filled | (at == low) | (at == high)) & inside)


_BRAILLE = np.array([[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]])
"""The bit of each dot of a braille character, from the lowest row up."""


def _dot(grid: npt.NDArray[np.bool_], line: Polyline, curve: Curve) -> None:
    """Set every second dot along ``line`` in ``grid``, whose first row is the lowest."""
    rows, columns = grid.shape
    x = (line.x - curve.start) / (curve.last - curve.start) * (columns - 1)
    y = (line.y - curve.low) / (curve.high - curve.low) * (rows - 1)
    y = np.clip(y, -rows, 2 * rows)  # a jump to 1e300 is a jump out of the picture
    steps = np.ceil(np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))) + 1.0
    at = np.concatenate([[0.0], np.cumsum(steps)])
    fine = np.arange(at[-1] + 1.0)
    across, down = (np.rint(np.interp(fine, at, each)).astype(np.intp) for each in (x, y))
    moved = np.concatenate([[True], (np.diff(across) != 0) | (np.diff(down) != 0)])
    across, down = across[moved][::2], down[moved][::2]
    seen = (across >= 0) & (across < columns) & (down >= 0) & (down < rows)
    grid[down[seen], across[seen]] = True


def _built(figure: Any) -> list[Cells]:
    figure.build()
    return _rows(figure)


def _rows(figure: Any) -> list[Cells]:
    matrix = figure.monitor.matrix
    return [
        _grouped(markers, colours)
        for markers, colours in zip(
            reversed(matrix.marker), reversed(matrix.fullground), strict=True
        )
    ]


def _on_its_row(at: float, low: float, high: float, rows: int) -> float:
    """Where to put the tick of ``at`` so that its label stands on the row of a point there.

    plotext rounds ticks to rows, but points to the four dots of a braille row.
    """
    row = round((at - low) / (high - low) * (4 * rows - 1)) // 4
    return low + row / max(rows - 1, 1) * (high - low)


def _line(figure: Any, x: Array, y: Array, role: str, marker: str = "braille") -> None:
    figure.plot(x.tolist(), y.tolist(), marker=marker, color=_COLOURS[role])


def _segments(figure: Any, line: Polyline, role: str, marker: str = "braille") -> None:
    """Draw ``line`` in pieces, so that nothing is drawn across what is not finite."""
    for piece in _pieces(line):
        _line(figure, piece.x, piece.y, role, marker)


def _pieces(line: Polyline) -> Iterator[Polyline]:
    gaps = np.flatnonzero(np.isnan(line.y))
    for piece in np.split(np.arange(len(line.y)), gaps):
        known = piece[~np.isnan(line.y[piece])]
        if len(known):
            yield Polyline(line.x[known], line.y[known])


def _name(figure: Any, name: str, line: Polyline, role: str, at: int) -> None:
    """Draw the name of ``line`` at its end, further left for each.

    Lines that are told apart by colour alone are not told apart.
    """
    known = np.flatnonzero(~np.isnan(line.y))
    if name and len(known):
        place = known[max(len(known) - 1 - (at % 4) * len(known) // 12, 0)]
        x, y = float(line.x[place]), float(line.y[place])
        figure.scatter([x], [y], marker=name, color=_COLOURS[role])


def _grouped(markers: list[str], colours: list[Any]) -> Cells:
    cells: Cells = []
    for marker, colour in zip(markers, colours, strict=True):
        role = ROLES.get(str(colour), "axis")
        if cells and cells[-1][1] == role:
            cells[-1] = (cells[-1][0] + marker, role)
        else:
            cells.append((marker, role))
    return cells
