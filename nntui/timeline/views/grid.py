"""Grids: the numbers of a heatmap, a row for each unit, a column for each sample or input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nntui.core.tape import Array
from nntui.timeline.history.unit_events import Mask
from nntui.timeline.microscope.next_update import LayerAhead, NextUpdate
from nntui.timeline.views.snapshot import LayerView, Snapshot, largest_finite

FAR, NEAR_ONE = 5.0, 0.97
"""A sigmoid or tanh is saturated where |z| is at least the first or |a| more than the second."""
SATURATING = ("sigmoid", "tanh")
LAYER, ALL, HELD = "by layer", "for all", "held"
"""Scales: each layer to its own largest magnitude, all to the largest of all, or as it was."""
SCALES = (LAYER, ALL, HELD)


@dataclass(frozen=True, eq=False)
class GridSource:
    """What grids are made of: a run at its cursor, and the next update if a grid needs it."""

    snapshot: Snapshot
    ahead: NextUpdate | None = None


@dataclass(frozen=True, eq=False)
class Kind:
    """One quantity that a heatmap can show."""

    name: str
    title: str
    of_sample: Callable[[LayerView, LayerAhead | None], Array] | None = None
    """The numbers (units, samples), for a quantity that every sample has."""
    of_input: Callable[[LayerView, LayerAhead | None], tuple[Array, Array | None]] | None = None
    """The numbers (units, units in) and (units,), for one that every weight and bias has."""
    ahead: bool = False
    """Whether it belongs to the next update."""

    @property
    def column(self) -> str:
        """What a column is."""
        return "sample" if self.of_sample is not None else "input"


def _ahead(layer: LayerAhead | None) -> LayerAhead:
    assert layer is not None
    return layer


def _gradients(_: LayerView, ahead: LayerAhead | None) -> tuple[Array, Array | None]:
    return _ahead(ahead).gradient_W, _ahead(ahead).gradient_b


def _steps(_: LayerView, ahead: LayerAhead | None) -> tuple[Array, Array | None]:
    return _ahead(ahead).step_W, _ahead(ahead).step_b


def _ratios(layer: LayerView, ahead: LayerAhead | None) -> tuple[Array, Array | None]:
    W, b = _steps(layer, ahead)
    return _ratio(W, layer.W), None if b is None or layer.b is None else _ratio(b, layer.b)


def _ratio(step: Array, value: Array) -> Array:
    """The magnitude of ``step`` relative to ``value``; NaN where that is 0."""
    with np.errstate(all="ignore"):
        return np.where(value == 0.0, np.nan, np.abs(step / value))


ACTIVATIONS = Kind("activations", "Activations", lambda layer, _: layer.a)
PRE_ACTIVATIONS = Kind("pre-activations", "Pre-activations", lambda layer, _: layer.z)
DELTAS = Kind("deltas", "Deltas", lambda _, ahead: _ahead(ahead).delta, ahead=True)
WEIGHTS = Kind("weights", "Weights", of_input=lambda layer, _: (layer.W, layer.b))
GRADIENTS = Kind("gradients", "Gradients", of_input=_gradients, ahead=True)
STEPS = Kind("steps", "Steps", of_input=_steps, ahead=True)
RATIOS = Kind("step/weight", "|Step/weight|", of_input=_ratios, ahead=True)
TARGET = "target"
KINDS = (ACTIVATIONS, PRE_ACTIVATIONS, DELTAS, WEIGHTS, GRADIENTS, STEPS, RATIOS)


@dataclass(frozen=True, eq=False)
class GridRow:
    """One line of a grid; arrays are (columns,)."""

    label: str
    """``layer.unit``; of a target `TARGET`, with its name behind it if there are several."""
    layer: int | None
    """None for a target."""
    unit: int
    values: Array
    known: Mask
    """Where there is a number: not every unit has every input, or a bias."""
    saturated: Mask
    dead: bool = False

    def label_in(self, width: int) -> str:
        """The label in at most ``width`` columns; ``=apple`` is the target apple."""
        if len(self.label) > width and self.layer is None:
            return self.label.replace(f"{TARGET} ", "=", 1)[:width]
        return self.label[:width]

    @property
    def mark(self) -> str:
        """A mark for the whole unit: ``dead``, ``sat`` (on every sample), or nothing."""
        full = bool(len(self.saturated)) and bool(self.saturated.all())
        return "dead" if self.dead else "sat" if full else ""

    @property
    def size(self) -> float:
        """The mean magnitude of its numbers; non-finite ones count as infinite."""
        values = np.abs(self.values[self.known])
        return float(np.where(np.isfinite(values), values, np.inf).mean()) if len(values) else 0.0


@dataclass(frozen=True, eq=False)
class Grid:
    """What a heatmap shows of one run, or of the difference of two."""

    kind: Kind
    rows: tuple[GridRow, ...]
    columns: tuple[str, ...]
    """The name of each column: a sample or an input by its number, or ``b``."""
    samples: tuple[int, ...]
    """The sample of each column, empty where a column is an input."""
    next_rows: tuple[int, ...]
    """The samples of the next update."""
    layers: Mapping[int, str]
    """The name of each layer that has rows."""

    @cached_property
    def ends(self) -> dict[int | None, float]:
        """By layer, the greatest finite magnitude; the targets' is under None."""
        ends: dict[int | None, float] = {}
        for row in self.rows:
            ends[row.layer] = max(ends.get(row.layer, 0.0), largest_finite(row.values))
        return ends

    def scaled(self, scale: str, held: Mapping[int | None, float]) -> dict[int | None, float]:
        """By layer, the end of the colour scale; ``held`` are the ends for `HELD`, where known."""
        if scale == ALL:
            return dict.fromkeys(self.ends, max(self.ends.values(), default=0.0))
        return {**self.ends, **held} if scale == HELD else self.ends

    def find(self, layer: int | None, unit: int) -> GridRow | None:
        """The row of a unit, or of a target."""
        return next((row for row in self.rows if (row.layer, row.unit) == (layer, unit)), None)

    def parameter(self, row: GridRow, column: int) -> tuple[int, int, int | None] | None:
        """Layer, unit and input (None: the bias, if it has one) of a cell of weights."""
        if self.kind is not WEIGHTS or row.layer is None:
            return None
        if self.columns[column] == "b":
            return row.layer, row.unit, None
        return (row.layer, row.unit, int(self.columns[column])) if row.known[column] else None

    def only(self, layer: int | None) -> "Grid":
        """The rows of one layer, with the targets below the last; None is all of them."""
        last = max(self.layers, default=0)
        if layer is None:
            return self
        rows = tuple(
            row for row in self.rows if row.layer == layer or (row.layer is None and layer == last)
        )
        kept = np.flatnonzero(np.any([row.known for row in rows], axis=0)).tolist()
        if self.samples or len(kept) == len(self.columns):
            return replace(self, rows=rows)
        cut = [
            replace(
                row,
                values=row.values[kept],
                known=row.known[kept],
                saturated=row.saturated[kept] if len(row.saturated) else row.saturated,
            )
            for row in rows
        ]
        return replace(self, rows=tuple(cut), columns=tuple(self.columns[at] for at in kept))

    def by_size(self) -> "Grid":
        """The same rows, in each layer the largest first; targets stay at the end."""
        order = {None: len(self.layers)} | {layer: at for at, layer in enumerate(self.layers)}
        return replace(
            self,
            rows=tuple(
                sorted(
                    self.rows,
                    key=lambda row: (order[row.layer], 0.0 if row.layer is None else -row.size),
                )
            ),
        )


def make_grid(seen: GridSource, kind: Kind) -> Grid | None:
    """The grid of ``kind``; None where it needs a next update and there is none."""
    if kind.ahead and seen.ahead is None:
        return None
    snapshot = seen.snapshot
    names = {at: f"layer {at} {layer.activation}" for at, layer in enumerate(snapshot.layers)}
    if kind.of_sample is not None:
        return _by_sample(seen, kind, kind.of_sample, names)
    assert kind.of_input is not None
    wide = max(layer.W.shape[1] for layer in snapshot.layers)
    biased = any(layer.b is not None for layer in snapshot.layers)
    rows: list[GridRow] = []
    for number, layer in enumerate(snapshot.layers):
        W, b = kind.of_input(layer, seen.ahead.layers[number] if seen.ahead else None)
        units, inputs = W.shape
        values = np.full((units, wide + biased), np.nan)
        values[:, :inputs] = W
        if b is not None:
            values[:, wide] = b
        there = np.zeros(wide + biased, dtype=np.bool_)
        there[:inputs], there[wide:] = True, b is not None
        known = there & ~(np.isnan(values) & (kind is RATIOS))
        rows += [
            GridRow(f"{number}.{unit}", number, unit, values[unit], known[unit], _NOWHERE, dead)
            for unit, dead in enumerate(layer.dead.tolist())
        ]
    columns = (*map(str, range(wide)), *(["b"] if biased else []))
    return Grid(kind, tuple(rows), columns, (), snapshot.next_rows, names)


_NOWHERE: Mask = np.zeros(0, dtype=np.bool_)


def _by_sample(
    seen: GridSource,
    kind: Kind,
    of_sample: Callable[[LayerView, LayerAhead | None], Array],
    names: Mapping[int, str],
) -> Grid:
    snapshot, rows = seen.snapshot, []
    count = snapshot.targets.shape[1]
    samples = seen.ahead.rows if kind.ahead and seen.ahead else tuple(range(count))
    everywhere = np.ones(len(samples), dtype=np.bool_)
    chosen = slice(None) if len(samples) == count and not kind.ahead else list(samples)
    for number, layer in enumerate(snapshot.layers):
        values = of_sample(layer, seen.ahead.layers[number] if seen.ahead else None)
        full = saturated(layer)[:, chosen]
        rows += [
            GridRow(f"{number}.{unit}", number, unit, values[unit], everywhere, full[unit], dead)
            for unit, dead in enumerate(layer.dead.tolist())
        ]
    if kind is ACTIVATIONS:
        nowhere, outputs = ~everywhere, len(snapshot.targets)
        names_of = snapshot.target_names or tuple(map(str, range(outputs)))
        named = [TARGET] if outputs == 1 else [f"{TARGET} {name}" for name in names_of]
        rows += [
            GridRow(label, None, unit, values, everywhere, nowhere)
            for unit, (label, values) in enumerate(zip(named, snapshot.targets, strict=True))
        ]
    columns = tuple(map(str, samples))
    return Grid(kind, tuple(rows), columns, samples, snapshot.next_rows, names)


def saturated(layer: LayerView) -> Mask:
    """Where a sigmoid or tanh is saturated, (units, samples)."""
    if layer.activation not in SATURATING:
        return np.zeros(layer.a.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(layer.z) >= FAR) | (np.abs(layer.a) > NEAR_ONE))
