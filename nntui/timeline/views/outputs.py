"""What a network has learned: its curve, its surface, its errors, its confusion matrix.

Inputs and targets are in the units of the data, however they are scaled for the network.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Forward, Layout
from nntui.core.errors import ConfigError
from nntui.core.parts.data_formula import evaluate_formula
from nntui.core.tape import Array
from nntui.timeline.history.unit_events import Mask
from nntui.timeline.run import Run
from nntui.timeline.views.axis_ticks import Ticks, padded, ticks_of
from nntui.timeline.views.oscillation import LARGEST
from nntui.timeline.views.snapshot import LayerView, largest_finite, layer_views

CURVE, SURFACE, TABLE = "curve", "surface", "table"
CONFUSION, GRAPH, UNIT = "confusion", "graph", "unit"
"""What can be shown; `UNIT` is the curve or surface of one unit."""
MOST_DRAWN = 12
"""The most units of a layer, and inputs, that a graph has; its layers are half as many."""
MARGIN = 0.1
"""How far a picture extends beyond the data, as a share of their range."""
MOST_WORK = 4_000_000
"""Products that one picture may cost; above, neighbouring points share their colour."""

Classes = npt.NDArray[np.intp]
Place = tuple[int, int]
"""A unit, by layer and number."""


@dataclass(frozen=True, eq=False)
class Samples:
    """All data rows, in order, with the network's predictions."""

    x: Array
    """(inputs, rows), without the constant ones."""
    targets: Array
    """(outputs, rows)"""
    predictions: Array
    """(outputs, rows)"""
    testing: Mask
    """Which rows are kept for testing."""
    labels: Classes | None
    """The class of each row, if the targets are classes."""
    predicted: Classes | None
    """Likewise the predicted class."""
    classes: int
    other: Array | None = None
    """The predictions of the overlaid branch, (outputs, rows)."""
    input_names: tuple[str, ...] = ()
    """What the inputs are called; empty where they have no names."""
    class_names: tuple[str, ...] = ()
    """Likewise the classes, in their order."""

    @property
    def names_of_classes(self) -> tuple[str, ...]:
        """What the classes are called: their numbers where they have no names."""
        return self.class_names or tuple(map(str, range(self.classes)))

    @property
    def errors(self) -> Array:
        """Predictions minus targets, (outputs, rows)."""
        return self.predictions - self.targets

    @property
    def worst(self) -> Array:
        """For each row the error of the largest magnitude, (rows,)."""
        errors = self.errors
        at = np.argmax(np.where(np.isfinite(errors), np.abs(errors), np.inf), axis=0)
        return np.asarray(errors[at, np.arange(errors.shape[1])])


@dataclass(frozen=True, eq=False)
class FitCurve:
    """A function of one input: the outputs of the network, or one unit's activation."""

    name: str
    x: Array
    """(points,), evenly spaced."""
    values: Array
    """(outputs, points)"""
    truth: Array | None
    """The formula that the targets follow, (points,), where there is one."""
    samples: Samples
    with_targets: bool
    """Whether ``values`` are comparable with the targets."""
    other: Array | None = None
    """The overlaid branch's ``values``, (outputs, points)."""

    def axis(self, most: int) -> tuple[float, float, Ticks]:
        """The y axis: its ends, and at most ``most`` ticks."""
        parts = [
            self.values.ravel(),
            *([self.samples.targets.ravel()] if self.with_targets else []),
            *([] if self.other is None else [self.other.ravel()]),
        ]
        seen = np.concatenate(parts)
        seen = np.clip(seen[np.isfinite(seen)], -LARGEST, LARGEST)
        low, high = padded(float(seen.min()), float(seen.max())) if len(seen) else (-1.0, 1.0)
        return low, high, ticks_of(low, high, most, log=False)


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of two inputs, seen from above; the first row is that of the largest y."""

    name: str
    x: tuple[float, float]
    """From left to right."""
    y: tuple[float, float]
    """From bottom to top."""
    values: Array
    """(rows, columns)"""
    winners: Classes | None
    """With more than two classes, the one that wins, (rows, columns)."""
    centre: float
    """The value between the two sides: 0, or 0.5 for values from 0 to 1."""
    samples: Samples
    targets_part: float | None = None
    """The target between the two sides of the samples, if not ``centre``: in a difference."""

    @property
    def largest(self) -> float:
        """The greatest distance from the centre: the end of the colour scale."""
        return largest_finite(self.values - self.centre)


@dataclass(frozen=True, eq=False)
class Confusion:
    """The confusion matrix: counts of rows, (class, predicted class)."""

    training: Classes
    testing: Classes
    samples: Samples
    minus: bool = False
    """Whether the counts of another network are subtracted."""

    @property
    def right(self) -> tuple[int, int]:
        """Rows that are classified correctly, of the training and of the test rows."""
        return int(np.trace(self.training)), int(np.trace(self.testing))


def samples_of(run: Run) -> Samples:
    """All data rows of ``run``, with the network's predictions at the cursor."""
    data = run.data
    rows = data.x.shape[1] + data.test_x.shape[1]
    x, testing = np.empty((data.given, rows)), np.zeros(rows, dtype=np.bool_)
    for scaled, places in ((data.x, data.training_rows), (data.test_x, data.test_rows)):
        x[:, places] = data.scaling.undone(scaled[: data.given])
    testing[data.test_rows] = True
    targets, predictions = run.targets, run.outputs
    configured = run.preset.configuration.data
    labels = _classes(targets, targets)
    return Samples(
        x=x,
        targets=data.target_scaling.undone(targets),
        predictions=data.target_scaling.undone(predictions),
        testing=testing,
        labels=labels,
        predicted=None if labels is None else _classes(targets, predictions),
        classes=max(len(targets), 2),
        input_names=configured.input_names,
        class_names=configured.target_names if len(targets) > 1 else (),
    )


def _classes(targets: Array, values: Array) -> Classes | None:
    """The class of each column of ``values``; None if ``targets`` are not classes."""
    if len(targets) == 1:
        low, high = float(targets.min()), float(targets.max())
        if (low, high) not in ((0.0, 1.0), (-1.0, 1.0)) or len(np.unique(targets)) > 2:
            return None
        return np.asarray(values[0] > (low + high) / 2, dtype=np.intp)
    if not (np.isin(targets, (0.0, 1.0)).all() and (targets.sum(axis=0) == 1.0).all()):
        return None
    return np.asarray(values.argmax(axis=0), dtype=np.intp)


def output_kinds(run: Run) -> tuple[str, ...]:
    """What can be shown of ``run``'s network, the most informative first."""
    data = run.data
    given = data.given
    found = {1: [CURVE, UNIT], 2: [SURFACE, UNIT]}.get(given, [])
    confusion = [CONFUSION] if _classes(run.targets, run.targets) is not None else []
    sizes = [data.width, *(layer.units for layer in run.preset.configuration.layers)]
    drawn = max(sizes) <= MOST_DRAWN and len(sizes) <= 1 + MOST_DRAWN // 2
    if given > 2:
        found = [*confusion, TABLE]
    else:
        found += [TABLE, *confusion]
    return (*found, *([GRAPH] if drawn else []))


def _values_at(run: Run, points: Array, unit: Place | None) -> tuple[Array, bool]:
    """The network's outputs, or those of a unit, at ``points`` (points, inputs): (outputs, points).

    Also whether they are in the targets' units.
    """
    configuration, data = run.preset.configuration, run.data
    weights = Layout.of(configuration).views(run.state.theta)
    forward = Forward(configuration, weights, data.inputs(points))
    outputs = forward.play()
    last = len(forward.layers) - 1
    if unit is not None and unit[0] < last:
        return forward.layers[unit[0]].a[unit[1] : unit[1] + 1], False
    outputs = data.target_scaling.undone(outputs)
    return outputs if unit is None else outputs[unit[1] : unit[1] + 1], True


def _range(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 0.5
    return low - room, high + room


def _name(run: Run, unit: Place | None) -> str:
    if unit is None:
        return "output"
    last = len(run.preset.configuration.layers) - 1
    return f"output {unit[1]}" if unit[0] == last else f"unit {unit[0]}.{unit[1]}"


def curve_of(run: Run, points: int, unit: Place | None = None) -> FitCurve:
    """The network of one input, or one ``unit`` of it, at ``points`` points."""
    samples, configuration = samples_of(run), run.preset.configuration
    low, high = _range(samples.x[0])
    x = np.linspace(low, high, points)
    values, comparable = _values_at(run, x.reshape(-1, 1), unit)
    truth, formula = None, configuration.data.formula
    if formula is not None and comparable:
        inside = (x >= samples.x[0].min()) & (x <= samples.x[0].max())
        truth = np.full(points, np.nan)
        try:
            truth[inside] = evaluate_formula("data.formula", formula, x[inside])
        except ConfigError:
            truth = None  # it is finite at the data's points, not everywhere between
    return FitCurve(_name(run, unit), x, values, truth, samples, comparable)


def surface_of(run: Run, columns: int, rows: int, unit: Place | None = None) -> Surface:
    """The network of two inputs, or one ``unit`` of it, in ``rows`` by ``columns`` cells."""
    samples, configuration = samples_of(run), run.preset.configuration
    x, y = _range(samples.x[0]), _range(samples.x[1])
    share = 1
    while columns * rows * Layout.of(configuration).size > MOST_WORK * share**2:
        share += 1
    across, down = _middles(x, -(-columns // share)), _middles(y, -(-rows // share))[::-1]
    points = np.column_stack([np.tile(across, len(down)), np.repeat(down, len(across))])
    answers, of_outputs = _values_at(run, points, unit)

    def spread(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        cells = values.reshape(len(down), len(across))
        return cells.repeat(share, axis=0).repeat(share, axis=1)[:rows, :columns]

    several = unit is None and len(answers) > 1
    winners = answers.argmax(axis=0) if several and samples.labels is not None else None
    layer = configuration.layers[-1 if of_outputs or unit is None else unit[0]]
    values = np.asarray(spread(answers.max(axis=0) if winners is not None else answers[0]))
    return Surface(
        name=_name(run, unit),
        x=x,
        y=y,
        values=values.astype(np.float64),
        winners=None if winners is None else np.asarray(spread(winners)).astype(np.intp),
        centre=_centre(samples, layer.activation, of_outputs),
        samples=samples,
    )


def _middles(ends: tuple[float, float], cells: int) -> Array:
    """The middles of ``cells`` cells that fill the range."""
    low, high = ends
    return low + (np.arange(cells) + 0.5) * (high - low) / cells


def _centre(samples: Samples, activation: str, of_outputs: bool) -> float:
    """The value between the two sides of a surface."""
    if of_outputs and samples.labels is not None:
        return float(samples.targets.min() + samples.targets.max()) / 2
    return 0.5 if not of_outputs and activation == "sigmoid" else 0.0


def confusion_of(run: Run) -> Confusion | None:
    """The confusion matrix; None if the targets are not classes."""
    samples = samples_of(run)
    labels, predicted = samples.labels, samples.predicted
    if labels is None or predicted is None:
        return None
    counts = []
    for chosen in (~samples.testing, samples.testing):
        counted = np.zeros((samples.classes, samples.classes), dtype=np.intp)
        np.add.at(counted, (labels[chosen], predicted[chosen]), 1)
        counts.append(counted)
    return Confusion(counts[0], counts[1], samples)


@dataclass(frozen=True, eq=False)
class Graph:
    """A small network, drawn with its weights."""

    layers: tuple[LayerView, ...]
    samples: Samples
    unit: Place | None
    """The unit whose weights are emphasised."""


Picture = FitCurve | Surface | Confusion | Graph | Samples


def output_picture(run: Run, what: str, unit: Place | None, cells: tuple[int, int]) -> Picture:
    """A picture of ``run`` that shows ``what``, of at most ``cells`` columns and rows of points."""
    columns, rows = max(cells[0], 1), max(cells[1], 1)
    place = unit if what == UNIT else None
    match run.data.given if what in (CURVE, SURFACE, UNIT) else 0:
        case 1:
            return curve_of(run, columns + 1, place)
        case 2:
            return surface_of(run, columns, rows, place)
    if what == GRAPH:
        return Graph(layer_views(run.trainer), samples_of(run), unit)
    return (confusion_of(run) if what == CONFUSION else None) or samples_of(run)
