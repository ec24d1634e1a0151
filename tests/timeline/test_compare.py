"""The outputs of two branches compared: B beside A, in its place, or subtracted where it fits."""

from typing import Any

import numpy as np
import pytest
from rich.style import Style

from nntui import Run, load_preset
from nntui.presets.schema import override
from nntui.timeline.views.compare import BOTH, DIFFERENCE, A, B, compare_outputs
from nntui.timeline.views.outputs import (
    CONFUSION,
    CURVE,
    GRAPH,
    SURFACE,
    TABLE,
    UNIT,
    Confusion,
    FitCurve,
    Graph,
    Picture,
    Samples,
    Surface,
    confusion_of,
    curve_of,
    output_picture,
    surface_of,
)
from nntui.tui.drawing.cells import Look
from nntui.tui.drawing.network_graph import draw_graph
from nntui.tui.drawing.plotting import draw_fit
from nntui.tui.drawing.surface import draw_surface
from nntui.tui.drawing.tables import draw_confusion, draw_table

CELLS = (16, 10)


def trained(name: str, seed: int, **changes: Any) -> Run:
    run = Run(
        override(load_preset(name), {k.replace("__", "."): v for k, v in changes.items()}), seed
    )
    run.step(60)
    return run


def seen(one: Run, other: Run | None, what: str, wanted: str, unit: Any = None) -> tuple[Any, str]:
    return compare_outputs(one, other, what, unit, CELLS, wanted)


@pytest.mark.parametrize("wanted", [A, B, DIFFERENCE])
@pytest.mark.parametrize("unit", [None, (0, 1)])
def test_a_curve_holds_both_whatever_is_wanted(wanted: str, unit: Any) -> None:
    one, other = trained("line-tanh", 1), trained("line-tanh", 2)
    what = CURVE if unit is None else UNIT
    curve, shown = seen(one, other, what, wanted, unit)
    assert isinstance(curve, FitCurve)
    assert shown == BOTH
    points = len(curve.x)
    np.testing.assert_array_equal(curve.values, curve_of(one, points, unit).values)
    np.testing.assert_array_equal(curve.other, curve_of(other, points, unit).values)
    low, high, _ = curve.axis(4)
    assert low <= curve.other.min() <= curve.other.max() <= high
    for coloured in (True, False):
        rows = draw_fit(curve, 50, 12, 0, coloured=coloured)
        marks = {mark for row in rows for text, role in row if role == "other" for mark in text}
        assert marks
        assert ("+" in marks) is not coloured


def test_a_table_has_the_column_of_b() -> None:
    one, other = trained("line-tanh", 1), trained("line-tanh", 2)
    table, shown = seen(one, other, TABLE, A)
    assert isinstance(table, Samples)
    assert shown == BOTH
    assert table.other is not None
    lines = [text for text, _ in draw_table(table, 80, 9, 0)]
    assert lines[0].split()[:4] == ["row", "target", "A", "B"]
    for row in range(3):
        mine, theirs = (
            float(each.predictions[0, row]) for each in (table, seen(other, None, TABLE, A)[0])
        )
        assert lines[1 + row].split()[2:4] == [f"{mine:.4f}", f"{theirs:.4f}"]


@pytest.mark.parametrize("unit", [None, (0, 1)])
def test_a_surface_is_that_of_a_of_b_or_the_difference(unit: Any) -> None:
    one, other = trained("xor-sigmoid", 1), trained("xor-sigmoid", 2)
    what = SURFACE if unit is None else UNIT
    pictures = {wanted: seen(one, other, what, wanted, unit) for wanted in (A, B, DIFFERENCE)}
    assert [shown for _, shown in pictures.values()] == [A, B, DIFFERENCE]
    expected = [surface_of(run, *CELLS, unit).values for run in (one, other)]
    for picture, values in zip(
        pictures.values(), (*expected, expected[0] - expected[1]), strict=True
    ):
        assert isinstance(picture[0], Surface)
        np.testing.assert_array_equal(picture[0].values, values)
    minus = pictures[DIFFERENCE][0]
    assert (minus.centre, minus.targets_part) == (0.0, pictures[A][0].centre)


def test_confused_classes_are_subtracted_and_a_graph_is_one_of_the_two() -> None:
    one, other = trained("xor-sigmoid", 1), trained("xor-sigmoid", 2)
    other.step(4000)
    counts = [confusion_of(run) for run in (one, other)]
    assert counts[0] is not None
    assert counts[1] is not None
    minus, shown = seen(one, other, CONFUSION, DIFFERENCE)
    assert isinstance(minus, Confusion)
    assert shown == DIFFERENCE
    np.testing.assert_array_equal(minus.training, counts[0].training - counts[1].training)
    text = "\n".join(line for line, _ in draw_confusion(minus, 60, 9))
    assert f"{minus.right[0]:+} right in A" in text
    for wanted, expected in ((A, A), (B, B), (DIFFERENCE, A)):
        graph, shown = seen(one, other, GRAPH, wanted)
        assert isinstance(graph, Graph)
        assert shown == expected
        drawn = other if expected == B else one
        for layer, (W, _) in zip(graph.layers, drawn.parameters, strict=True):
            np.testing.assert_array_equal(layer.W, W)


LOOK = Look(dark=True, colours=None, bad=Style(), blank=Style())
STYLES = {"label": Style(), "chosen": Style()}


@pytest.mark.parametrize(
    ("width", "names", "axes"),
    [
        (60, ("length", "petal width ..."), "length x petal width of flowers"),
        (40, ("length", "petal w..."), "length x petal w..."),
        (24, ("length", "pet..."), ""),
    ],
)
def test_inputs_are_called_by_their_names(width: int, names: tuple[str, ...], axes: str) -> None:
    run = trained("xor-sigmoid", 1, data__input_names=["length", "petal width of flowers"])
    graph = output_picture(run, GRAPH, None, (width, 8))
    assert isinstance(graph, Graph)
    rows = ["".join(part.text for part in row) for row in draw_graph(graph, width, 8, LOOK, STYLES)]
    assert {len(row) for row in rows} == {width}
    for name in (*names, "x2", "x3"):  # two inputs are constant
        assert sum(name in row for row in rows) == 1, name
    surface = output_picture(run, SURFACE, None, (width - 7, 4))
    assert isinstance(surface, Surface)
    last = "".join(part.text for part in draw_surface(surface, LOOK, Style(), 0)[-1])
    assert last.split(maxsplit=1)[1].rpartition("1.1")[0].strip() == axes


@pytest.mark.parametrize("what", [CURVE, TABLE, UNIT])
@pytest.mark.parametrize("wanted", [B, DIFFERENCE])
def test_what_is_asked_something_else_is_not_compared(what: str, wanted: str) -> None:
    one = trained("line-tanh", 1)
    unit = (0, 2) if what == UNIT else None
    others = [
        trained("line-tanh", 2, data__targets=[[0.1], [0.2], [0.3]]),
        trained("xor-sigmoid", 2),
    ]
    if what == UNIT:
        others.append(trained("line-tanh", 2, layers=[{"units": 1}]))
    for other in others:
        picture, shown = seen(one, other, what, wanted, unit)
        assert shown == A
        assert picture.other is None


def test_alone_everything_is_as_it_was() -> None:
    one = trained("line-tanh", 1)
    picture, shown = seen(one, None, CURVE, DIFFERENCE)
    assert shown == ""
    assert picture.other is None
    assert isinstance(picture, Picture)
