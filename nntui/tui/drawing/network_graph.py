"""A small network as a graph: a column a layer, a line a weight, with its sign and its size."""

from rich.segment import Segment
from rich.style import Style

from nntui.timeline.views.outputs import Graph
from nntui.tui.drawing.cells import Look, joined
from nntui.tui.drawing.palette import LEVELS, cell_style, is_plain, level_of
from nntui.tui.drawing.shortening import shortened

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character, by row and column of its dots."""
NODE = 5
"""Columns that a node takes; inputs take more where they have names."""
NAMES = 4
"""At most this fraction (1/NAMES) of the width is taken by names of inputs."""
Edge = tuple[tuple[float, float], tuple[float, float], int, bool]
"""From where, to where (in dots), the level of its weight, and whether it stands out."""


def draw_graph(
    graph: Graph, width: int, height: int, look: Look, styles: dict[str, Style]
) -> list[list[Segment]]:
    """The network in ``width`` by ``height``; ``styles`` are ``label`` and ``chosen``.

    A weight near the layer's largest is a full line, a smaller one is dotted; without colours a
    line is made of the signs themselves.
    """
    layers = graph.layers
    sizes = [layers[0].W.shape[1], *(layer.W.shape[0] for layer in layers)]
    names = _inputs(graph, sizes[0], max(width // NAMES, NODE))
    first = max(NODE, *map(len, names))
    spacing = (width - first) / max(len(sizes) - 1, 1)
    columns = [0, *(first - NODE + round(at * spacing) for at in range(1, len(sizes)))]
    rows = [[int((unit + 0.5) * height / size) for unit in range(size)] for size in sizes]
    canvas: dict[tuple[int, int], tuple[int, int]] = {}
    ends = [first, *(column + NODE for column in columns[1:])]
    for edge in sorted(
        _edges(graph, columns, ends, rows), key=lambda each: (each[3], abs(each[2]))
    ):
        _draw(canvas, edge)
    plain = is_plain(look.colours)
    cells: list[list[tuple[str, Style]]] = [
        [_cell(canvas.get((row, column)), plain, look, styles) for column in range(width)]
        for row in range(height)
    ]
    for at, (column, places) in enumerate(zip(columns, rows, strict=True)):
        for unit, row in enumerate(places):
            name = f"{at - 1}.{unit}".center(NODE)[:NODE] if at else names[unit].center(first)
            chosen = graph.unit == (at - 1, unit)
            for offset, character in enumerate(name):
                if column + offset < width:
                    cells[row][column + offset] = (
                        character,
                        styles["chosen" if chosen else "label"],
                    )
    return [joined(row) for row in cells]


def _inputs(graph: Graph, count: int, room: int) -> list[str]:
    """What the inputs are called, in at most ``room`` columns; constant ones have no names."""
    known = graph.samples.input_names
    return [
        shortened(known[at], room) if at < len(known) else f"x{at}"[:NODE] for at in range(count)
    ]


def _edges(graph: Graph, columns: list[int], ends: list[int], rows: list[list[int]]) -> list[Edge]:
    """The lines from where the nodes of a column end to where those of the next begin."""
    edges: list[Edge] = []
    for number, layer in enumerate(graph.layers):
        largest = float(abs(layer.W).max())
        for unit, weights in enumerate(layer.W.tolist()):
            for source, weight in enumerate(weights):
                level = level_of(weight, largest)
                if level:
                    start = (2.0 * ends[number], 4.0 * rows[number][source] + 2)
                    end = (2.0 * columns[number + 1] - 1, 4.0 * rows[number + 1][unit] + 2)
                    edges.append((start, end, level, graph.unit == (number, unit)))
    return edges


def _draw(canvas: dict[tuple[int, int], tuple[int, int]], edge: Edge) -> None:
    """Add the dots of ``edge`` to the bits of each cell, which takes the edge's level."""
    (x0, y0), (x1, y1), level, _ = edge
    steps = int(max(abs(x1 - x0), abs(y1 - y0), 1))
    every = 1 if abs(level) > LEVELS * 2 // 3 else 2 if abs(level) > LEVELS // 3 else 3
    for step in range(0, steps + 1, every):
        x, y = (int(a + (b - a) * step / steps) for a, b in ((x0, x1), (y0, y1)))
        place = (y // 4, x // 2)
        bits = canvas.get(place, (0, 0))[0] | DOTS[y % 4][x % 2]
        canvas[place] = (bits, level)


def _cell(
    found: tuple[int, int] | None, plain: bool, look: Look, styles: dict[str, Style]
) -> tuple[str, Style]:
    if found is None:
        return " ", styles["label"]
    bits, level = found
    if plain:
        return ("-" if level < 0 else "+"), cell_style(level, look.dark, look.colours, False)
    strong = cell_style(LEVELS if level > 0 else -LEVELS, look.dark, look.colours, False)
    return chr(0x2800 + bits), styles["label"] + Style(color=strong.bgcolor)
