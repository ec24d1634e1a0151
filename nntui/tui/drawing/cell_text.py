"""The heatmap's readout: the numbers of one cell and of its unit, in words."""

from collections.abc import Mapping

from nntui.core.number_text import DIGITS, FEW, brief, number_text, numbers_text
from nntui.core.tape import Array
from nntui.timeline.views.grid import RATIOS, Grid, GridRow, GridSource

NARROW = 60
"""Below this many columns numbers are rounded to three digits."""
MOST_SHOWN = 64
"""Weights and inputs that are listed."""


def read_unit(seen: GridSource, other: GridSource | None, row: GridRow, grid: Grid) -> str:
    """The unit of ``row``: its weights, or its layer's norms; A-B where ``other`` is given."""
    if row.layer is None:
        return ""
    layer, unit, label = seen.snapshot.layers[row.layer], row.unit, row.label
    if not grid.samples:
        return _norms(seen, row.layer)
    weights = layer.W[unit, :MOST_SHOWN]
    if other is not None:
        weights = weights - other.snapshot.layers[row.layer].W[unit, :MOST_SHOWN]
        return f"{label} w A-B {numbers_text(weights, FEW)}"
    text = f"{label} w {numbers_text(weights, FEW)}"
    text += ", ..." if layer.W.shape[1] > MOST_SHOWN else ""
    return text + ("  no bias" if layer.b is None else f"  b {brief(layer.b[unit])}")


def _norms(seen: GridSource, number: int) -> str:
    text = f"layer {number}  |w| {brief(seen.snapshot.layers[number].norm)}"
    if seen.ahead is not None:
        ahead = seen.ahead.layers[number]
        text += f"  |gradient| {brief(ahead.gradient_norm)}  |step|/|w| {brief(ahead.ratio)}"
    return text


def read_cell(
    seen: GridSource,
    row: GridRow,
    column: int,
    grid: Grid,
    both: tuple[Grid, Grid] | None,
    width: int,
) -> str:
    """The numbers of the cell in ``column``; with ``both`` grids, those of A, B and A-B."""
    digits = FEW if width < NARROW else DIGITS
    if grid.samples:
        where = f"{row.label} sample {grid.samples[column]}"
    else:
        name = grid.columns[column]
        where = f"{row.label} {name if name == 'b' else f'w[{name}]'}"
    if row.layer is None:
        scaled = "scaled " if seen.snapshot.scaled_targets else ""
        target = f"{scaled}{row.label} of sample {grid.samples[column]}"
        return f"{target}  {number_text(row.values[column])}{_x(seen, grid, column)}"
    if not row.known[column]:
        return f"{where}  {_why_not(seen, row, grid.columns[column])}"
    if both is not None:
        a, b = (_value(each, row, grid.columns[column]) for each in both)
        named = {"A": a, "B": b, "A-B": float(row.values[column])}
        text = f"{where}{_told(named, digits)}"
    elif grid.samples:
        text = f"{where}{_of_sample(seen, row, column, grid, digits)}"
    else:
        text = f"{where}{_of_weight(seen, row, column, grid, digits)}"
    flat = len(row.saturated) and row.saturated[column]
    return f"{text}{'  saturated' if flat else ''}{_x(seen, grid, column)}"


def _of_sample(seen: GridSource, row: GridRow, column: int, grid: Grid, digits: int) -> str:
    assert row.layer is not None
    layer, sample = seen.snapshot.layers[row.layer], grid.samples[column]
    named = {"delta": float(row.values[column])} if grid.kind.ahead else {}
    named |= {"z": layer.z[row.unit, sample], "a": layer.a[row.unit, sample]}
    named |= {"norm": layer.h[row.unit, sample]} if layer.normalised else {}
    return _told(named, digits)


def _of_weight(seen: GridSource, row: GridRow, column: int, grid: Grid, digits: int) -> str:
    assert row.layer is not None
    view, unit, name = seen.snapshot.layers[row.layer], row.unit, grid.columns[column]
    named = {"": _at(view.W, view.b, unit, name)}
    if seen.ahead is not None:
        ahead = seen.ahead.layers[row.layer]
        named["gradient"] = _at(ahead.gradient_W, ahead.gradient_b, unit, name)
        named["step"] = _at(ahead.step_W, ahead.step_b, unit, name)
    if grid.kind is RATIOS:
        named["ratio"] = float(row.values[column])
    return _told(named, digits)


def _told(named: Mapping[str, float], digits: int) -> str:
    """Each number behind its name, with two spaces before it."""
    texts = {name: number_text(each, digits) for name, each in named.items()}
    return "".join(f"  {name} {text}" if name else f"  {text}" for name, text in texts.items())


def _at(W: Array, b: Array | None, unit: int, name: str) -> float:
    if name != "b":
        return float(W[unit, int(name)])
    return float("nan") if b is None else float(b[unit])


def _value(grid: Grid, row: GridRow, name: str) -> float:
    found = grid.find(row.layer, row.unit)
    return float("nan") if found is None else float(found.values[grid.columns.index(name)])


def _x(seen: GridSource, grid: Grid, column: int) -> str:
    """The inputs of a column's sample."""
    if not grid.samples:
        return ""
    inputs = seen.snapshot.inputs[:MOST_SHOWN, grid.samples[column]]
    name = "scaled x" if seen.snapshot.scaled_inputs else "x"
    return f"  {name} {', '.join(f'{number_text(value)}' for value in inputs)}"


def _why_not(seen: GridSource, row: GridRow, name: str) -> str:
    assert row.layer is not None
    layer = seen.snapshot.layers[row.layer]
    if name == "b":
        return "no bias" if layer.b is None else "the bias is 0: no ratio"
    return "the weight is 0: no ratio" if int(name) < layer.W.shape[1] else "no such input"
