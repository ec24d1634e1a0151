"""Views of a run, checked against numbers that are computed here in another way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support import Array, flat, made, preset, unflat

from nntui import Run
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer
from nntui.presets import Preset
from nntui.timeline import Snapshot
from nntui.timeline.history.loss_history import LossHistory
from nntui.timeline.microscope.next_update import Ahead, NextUpdate
from nntui.timeline.views import outputs
from nntui.timeline.views.compare import DIFFERENCE, A, B, compare_grids, subtract
from nntui.timeline.views.curve import make_chart, make_curve, recent
from nntui.timeline.views.grid import (
    ACTIVATIONS,
    ALL,
    DELTAS,
    GRADIENTS,
    HELD,
    KINDS,
    LAYER,
    PRE_ACTIVATIONS,
    RATIOS,
    STEPS,
    WEIGHTS,
    Grid,
    GridSource,
    Kind,
    make_grid,
)
from nntui.timeline.views.measurements import (
    DEAD,
    MOST,
    PLOTS,
    TEST,
    Measurement,
    Measurements,
    series,
)
from nntui.timeline.views.outputs import (
    confusion_of,
    curve_of,
    output_kinds,
    samples_of,
    surface_of,
)
from nntui.tui.drawing.cell_text import read_cell
from nntui.tui.drawing.plotting import draw_curve


def small(**training: Any) -> Preset:
    """3-4-2, tanh and sigmoid, five rows, one constant input, no fault."""
    random = np.random.RandomState(5)
    return made(
        {
            "data": {
                "inputs": random.randn(5, 2).tolist(),
                "targets": random.rand(5, 2).tolist(),
                "constant_inputs": [1.0],
            },
            "layers": [
                {"units": 4, "activation": "tanh", "bias": "none", "init": "xavier"},
                {"units": 2, "activation": "sigmoid", "bias_init": "normal", "init": "xavier"},
            ],
            "training": {"loss": "squared-error", "learning_rate": 0.3, **training},
        }
    )


def seen(run: Run) -> GridSource:
    return GridSource(Snapshot.of(run), Ahead().of(run.state))


def grid(run: Run, kind: Kind) -> Grid:
    made_grid = make_grid(seen(run), kind)
    assert made_grid is not None
    return made_grid


def next_update(run: Run) -> NextUpdate:
    ahead = Ahead().of(run.state)
    assert ahead is not None
    return ahead


def forward(parameters: Any, x: Array) -> tuple[Array, Array, Array, Array]:
    (W0, _), (W1, b1) = parameters
    z0 = W0 @ x
    a0 = np.tanh(z0)
    z1 = W1 @ a0 + np.reshape(b1, (-1, 1))
    return z0, a0, z1, 1 / (1 + np.exp(-z1))


def test_deltas_and_gradients_of_the_next_update_are_those_of_the_loss() -> None:
    run = Run(small(batch=3))
    run.step(3)
    x, y = Snapshot.of(run).inputs, Snapshot.of(run).targets
    assert Snapshot.of(run).next_rows == (3, 4)
    rows = list(Snapshot.of(run).next_rows)

    def loss(vector: Array, nudge: tuple[int, Array] | None = None) -> float:
        (W0, _), (W1, b1) = unflat(vector, run.parameters)
        z0 = W0 @ x[:, rows] + (nudge[1] if nudge and nudge[0] == 0 else 0.0)
        z1 = W1 @ np.tanh(z0) + np.reshape(b1, (-1, 1))
        z1 = z1 + (nudge[1] if nudge and nudge[0] == 1 else 0.0)
        error = 1 / (1 + np.exp(-z1)) - y[:, rows]
        return float((error**2).sum() / len(rows))

    theta, h = flat(run.parameters), 1e-6
    numeric = np.array(
        [(loss(theta + h * each) - loss(theta - h * each)) / (2 * h) for each in np.eye(len(theta))]
    )
    ahead = next_update(run)
    found = flat([(layer.gradient_W, layer.gradient_b) for layer in ahead.layers])
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-9)
    assert (ahead.update, ahead.rows) == (4, (3, 4))
    for number, layer in enumerate(ahead.layers):
        for unit, sample in np.ndindex(*layer.delta.shape):
            nudge = np.zeros_like(layer.delta)
            nudge[unit, sample] = h
            slope = (loss(theta, (number, nudge)) - loss(theta, (number, -nudge))) / (2 * h)
            assert layer.delta[unit, sample] == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("optimiser", ["sgd", "nesterov", "adam", "rmsprop"])
@pytest.mark.parametrize("faults", [[], ["update-before-backprop", "bias-decay"]])
def test_steps_are_what_the_next_update_adds_and_the_run_stays(
    optimiser: str, faults: list[str]
) -> None:
    momentum = {"momentum": 0.9} if optimiser in ("sgd", "nesterov") else {}
    run = Run(small(optimiser=optimiser, batch=2, order="shuffled", clip_norm=0.1, **momentum))
    run.change(faults=faults)
    run.step(7)
    run.seek(4)
    before, at = run.state_hash, (run.update, run.head)
    ahead, old = next_update(run), flat(run.parameters)
    assert (run.state_hash, (run.update, run.head)) == (before, at)
    run.seek(5)
    new = flat(run.parameters)
    steps = flat([(layer.step_W, layer.step_b) for layer in ahead.layers])
    np.testing.assert_array_equal(steps, new - old)
    for layer, (W, _) in zip(ahead.layers, unflat(old, run.parameters), strict=True):
        expected = np.linalg.norm(layer.step_W) / np.linalg.norm(W)
        assert layer.ratio == pytest.approx(expected)
    run.seek(4)
    assert Snapshot.of(run).next_rows == ahead.rows


def test_one_trainer_looks_ahead_from_any_state_in_turn() -> None:
    run, other, ahead = Run(small(batch=2)), Run(small(optimiser="adam")), Ahead()
    run.step(4)
    for each in (run, other, run):
        for update in (4, 1, 3):
            each.seek(update)
            found, fresh = ahead.of(each.state), next_update(each)
            assert found is not None
            for mine, theirs in zip(found.layers, fresh.layers, strict=True):
                np.testing.assert_array_equal(mine.delta, theirs.delta)
                np.testing.assert_array_equal(mine.step_W, theirs.step_W)


def test_a_cross_entropy_has_the_delta_a_minus_y() -> None:
    run = Run(preset("xor-sigmoid"))
    run.step(2)
    row, snapshot = Snapshot.of(run).next_rows[0], Snapshot.of(run)
    expected = snapshot.outputs[0, row] - snapshot.targets[0, row]
    assert next_update(run).layers[-1].delta[0, 0] == pytest.approx(expected, rel=1e-12)


def test_every_kind_holds_the_numbers_it_names() -> None:
    run = Run(small())
    run.step(2)
    snapshot, ahead = Snapshot.of(run), next_update(run)
    z0, a0, z1, a1 = forward(run.parameters, snapshot.inputs)
    for kind, hidden, last in ((PRE_ACTIVATIONS, z0, z1), (ACTIVATIONS, a0, a1)):
        shown = grid(run, kind)
        np.testing.assert_allclose([row.values for row in shown.rows[:4]], hidden, rtol=1e-12)
        np.testing.assert_allclose([row.values for row in shown.rows[4:6]], last, rtol=1e-12)
        assert shown.columns == ("0", "1", "2", "3", "4")
    targets = [row.values for row in grid(run, ACTIVATIONS).rows[6:]]
    np.testing.assert_array_equal(targets, snapshot.targets)
    pairs = {
        WEIGHTS: run.parameters,
        GRADIENTS: [(layer.gradient_W, layer.gradient_b) for layer in ahead.layers],
        STEPS: [(layer.step_W, layer.step_b) for layer in ahead.layers],
    }
    for kind, ((W0, _), (W1, b1)) in pairs.items():
        shown = grid(run, kind)
        assert shown.columns == ("0", "1", "2", "3", "b")
        for unit in range(4):
            row = shown.rows[unit]
            assert row.known.tolist() == [True, True, True, False, False]
            np.testing.assert_array_equal(row.values[:3], W0[unit])
        for unit in range(2):
            row = shown.rows[4 + unit]
            assert row.known.all()
            np.testing.assert_array_equal(row.values[:4], W1[unit])
            assert b1 is not None
            assert row.values[4] == b1[unit]
    ratios = grid(run, RATIOS)
    expected = np.abs(ahead.layers[0].step_W / run.parameters[0][0])
    np.testing.assert_allclose([row.values[:3] for row in ratios.rows[:4]], expected)


def test_a_weight_of_zero_has_no_ratio() -> None:
    run = Run(preset("square-fixed"))
    rows = grid(run, RATIOS).rows
    assert all(row.known[0] and not row.known[-1] for row in rows[:64])
    run.step()
    assert all(row.known[-1] for row in grid(run, RATIOS).rows[:64] if run.parameters[0][1][0])


def test_samples_of_a_batch_are_columns_even_when_drawn_twice() -> None:
    run = Run(small(order="random", draws=12, batch=6))
    shown = grid(run, DELTAS)
    assert shown.samples == Snapshot.of(run).next_rows
    assert len(set(shown.samples)) < len(shown.samples)
    assert shown.columns == tuple(map(str, shown.samples))
    for sample in set(shown.samples):
        places = [at for at, each in enumerate(shown.samples) if each == sample]
        assert all((row.values[places] == row.values[places[0]]).all() for row in shown.rows)


def test_saturated_cells_are_those_that_are_flat() -> None:
    configured = small()
    run = Run(configured)
    state = run.state
    theta = state.theta.copy()
    theta[:12] = 4.0
    trainer = Trainer(replace(state, theta=theta), lambda epoch, loss: None)
    forwards = trainer.whole
    forwards.play()
    layers = tuple(
        replace(view, z=layer.z.copy(), a=layer.a.copy())
        for view, layer in zip(Snapshot.of(run).layers, forwards.layers, strict=True)
    )
    shown = make_grid(GridSource(replace(Snapshot.of(run), layers=layers)), PRE_ACTIVATIONS)
    assert shown is not None
    for row in shown.rows:
        z = row.values
        a = np.tanh(z) if row.layer == 0 else 1 / (1 + np.exp(-z))
        np.testing.assert_array_equal(row.saturated, (abs(z) >= 5) | (abs(a) > 0.97))
    assert any(row.saturated.any() for row in shown.rows)
    assert not all(row.saturated.all() for row in shown.rows)
    relu = grid(Run(preset("add-relu")), ACTIVATIONS)
    assert not any(row.saturated.any() for row in relu.rows)
    assert [row.label for row in relu.rows if row.mark == "dead"] == ["1.2", "1.3", "2.0"]


def test_scales_end_at_the_largest_of_a_layer_or_of_all_or_where_they_are_held() -> None:
    run = Run(small())
    shown = grid(run, WEIGHTS)
    (W0, _), (W1, b1) = run.parameters
    first = float(np.abs(W0).max())
    second = float(max(np.abs(W1).max(), np.abs(b1).max()))
    assert shown.scaled(LAYER, {}) == {0: first, 1: second}
    assert shown.scaled(ALL, {}) == {0: max(first, second), 1: max(first, second)}
    assert shown.scaled(HELD, {0: 9.0}) == {0: 9.0, 1: second}


def test_one_layer_alone_has_its_own_columns_and_sorting_puts_the_largest_first() -> None:
    run = Run(small())
    run.step(3)
    first, last = grid(run, WEIGHTS).only(0), grid(run, ACTIVATIONS).only(1)
    assert first.columns == ("0", "1", "2")
    assert [row.label for row in last.rows] == ["1.0", "1.1", "target 0", "target 1"]
    assert [row.label_in(6) for row in last.rows] == ["1.0", "1.1", "=0", "=1"]
    ordered = grid(run, ACTIVATIONS).by_size()
    sizes = [float(np.abs(row.values).mean()) for row in ordered.rows]
    assert sizes[:4] == sorted(sizes[:4], reverse=True)
    assert sizes[4:6] == sorted(sizes[4:6], reverse=True)
    assert [row.layer for row in ordered.rows] == [0] * 4 + [1] * 2 + [None] * 2
    assert sorted(row.unit for row in ordered.rows[:4]) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_two_branches_are_subtracted_in_every_kind(kind: Kind) -> None:
    run = Run(small())
    run.step(5)
    run.seek(2)
    other = run.fork(**{"training.learning_rate": 0.01})
    other.step(2)
    run.seek(4)
    mine, theirs = grid(run, kind), grid(other, kind)
    found = compare_grids(seen(run), seen(other), kind, DIFFERENCE)
    assert (found.shown, found.grid is not None) == (DIFFERENCE, True)
    assert found.grid is not None
    for at, row in enumerate(found.grid.rows):
        if row.layer is not None:
            expected = mine.rows[at].values - theirs.rows[at].values
            np.testing.assert_array_equal(row.values[row.known], expected[row.known])
    assert any(row.values[row.known].any() for row in found.grid.rows)
    shown = compare_grids(seen(run), seen(other), kind, B).grid
    assert shown is not None
    np.testing.assert_array_equal(shown.rows[0].values, theirs.rows[0].values)


def test_what_does_not_fit_is_not_subtracted() -> None:
    run, other = Run(small()), Run(preset("add-relu"))
    assert subtract(grid(run, ACTIVATIONS), grid(other, ACTIVATIONS)) is None
    assert compare_grids(seen(run), seen(other), WEIGHTS, DIFFERENCE).shown == A
    drawn = [Run(small(order="shuffled", batch=2), seed) for seed in (0, 1)]
    assert subtract(*(grid(each, DELTAS) for each in drawn)) is None
    assert subtract(*(grid(each, GRADIENTS) for each in drawn)) is not None


def test_after_a_divergence_there_is_no_next_update() -> None:
    run = Run(preset("xor-relu", training__learning_rate=1e5))
    run.step(1000)
    assert run.divergence is not None
    assert Ahead().of(run.state) is None
    assert make_grid(GridSource(Snapshot.of(run)), GRADIENTS) is None
    assert make_grid(GridSource(Snapshot.of(run)), WEIGHTS) is not None


def square() -> Preset:
    """y = x^2 at five points of 0..4, inputs and targets scaled, one row kept for testing."""
    return made(
        {
            "data": {
                "formula": "x**2",
                "start": 0.0,
                "stop": 4.0,
                "samples": 5,
                "scale_inputs": "standard",
                "scale_targets": "minmax",
                "target_divisor": 2.0,
                "test_share": 0.2,
            },
            "layers": [{"units": 3, "activation": "sigmoid"}, {"units": 1}],
            "training": {"loss": "squared-error", "learning_rate": 0.1},
        }
    )


def test_samples_are_in_the_units_and_the_order_of_the_data() -> None:
    run = Run(square())
    run.step(4)
    samples = samples_of(run)
    x = np.arange(5.0)
    np.testing.assert_allclose(samples.x, [x], atol=1e-12)
    np.testing.assert_allclose(samples.targets, [x**2], atol=1e-12)
    assert samples.testing.sum() == 1
    np.testing.assert_array_equal(np.flatnonzero(samples.testing), run.data.test_rows)
    training = x[~samples.testing] ** 2
    low, high = training.min(), training.max()
    expected = run.outputs * 2.0 * (high - low) + low
    np.testing.assert_allclose(samples.predictions, expected, rtol=1e-12)
    np.testing.assert_allclose(samples.errors, expected - x**2, atol=1e-12)


def test_a_curve_goes_through_the_predictions_and_its_truth_through_the_targets() -> None:
    run = Run(square())
    run.step(4)
    curve = curve_of(run, 49)
    assert (curve.x[0], curve.x[-1]) == pytest.approx((-0.4, 4.4))
    for row in range(5):
        at = int(np.argmin(abs(curve.x - row)))
        assert curve.x[at] == pytest.approx(row)
        assert curve.values[0, at] == pytest.approx(curve.samples.predictions[0, row])
        assert curve.truth is not None
        if 0 < row < 4:
            assert curve.truth[at] == pytest.approx(row**2)
    assert curve.truth is not None
    assert np.isnan(curve.truth[[0, -1]]).all()
    unit = curve_of(run, 49, (0, 2))
    z = run.parameters[0][0][2, 0] * (unit.x - np.mean(x_training(run))) / np.std(x_training(run))
    np.testing.assert_allclose(unit.values[0], 1 / (1 + np.exp(-z - run.parameters[0][1][2])))
    assert (unit.name, unit.truth) == ("unit 0.2", None)


def x_training(run: Run) -> Array:
    return np.arange(5.0)[run.data.training_rows]


def test_a_surface_is_the_network_at_every_cell_seen_from_above() -> None:
    run = Run(small())
    run.step(3)
    surface = surface_of(run, 7, 5, (1, 1))
    x, _ = surface.samples.x
    room = 0.1 * (x.max() - x.min())
    assert surface.x == pytest.approx((x.min() - room, x.max() + room))
    across = surface.x[0] + (np.arange(7) + 0.5) * (surface.x[1] - surface.x[0]) / 7
    down = surface.y[1] - (np.arange(5) + 0.5) * (surface.y[1] - surface.y[0]) / 5
    for row, column in np.ndindex(5, 7):
        point = np.array([[across[column]], [down[row]], [1.0]])
        assert surface.values[row, column] == pytest.approx(
            forward(run.parameters, point)[3][1, 0], rel=1e-12
        )
    hidden = surface_of(run, 7, 5, (0, 3))
    point = np.array([[across[2]], [down[4]], [1.0]])
    assert hidden.values[4, 2] == pytest.approx(forward(run.parameters, point)[1][3, 0])
    assert (hidden.name, hidden.centre) == ("unit 0.3", 0.0)


def test_a_large_surface_is_coarser_but_fills_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(small())
    monkeypatch.setattr(outputs, "MOST_WORK", 500)
    surface = surface_of(run, 31, 17, (1, 0))
    assert surface.values.shape == (17, 31)
    assert 1 < len(np.unique(surface.values)) < 31 * 17 / 4


def test_classes_win_where_their_output_is_the_largest_and_are_counted() -> None:
    labels = [0, 1, 2, 0, 1, 2, 2]
    inputs = np.random.RandomState(2).randn(7, 2)
    classes = made(
        {
            "data": {
                "inputs": inputs.tolist(),
                "targets": np.eye(3)[labels].tolist(),
                "test_share": 0.3,
            },
            "layers": [{"units": 3, "activation": "softmax", "init": "normal"}],
            "training": {"loss": "categorical-cross-entropy", "learning_rate": 0.1},
        }
    )
    run = Run(classes, 3)
    confusion, surface = confusion_of(run), surface_of(run, 9, 9)
    assert confusion is not None
    predicted = run.outputs.argmax(axis=0)
    counts = np.zeros((3, 3), dtype=int)
    for label, said in zip(labels, predicted, strict=True):
        counts[label, said] += 1
    np.testing.assert_array_equal(confusion.training + confusion.testing, counts)
    assert confusion.testing.sum() == 2
    assert sum(confusion.right) == int((predicted == labels).sum())
    assert surface.winners is not None
    place = np.unravel_index(40, (9, 9))
    middle = np.array([[np.mean(surface.x)], [np.mean(surface.y)]])
    W, b = run.parameters[0]
    assert b is not None
    assert surface.winners[place] == int((W @ middle + b.reshape(-1, 1)).argmax())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("square-fixed", ("curve", "unit", "table")),
        ("line-tanh", ("curve", "unit", "table", "graph")),
        ("add-relu", ("surface", "unit", "table", "graph")),
        ("xor-relu", ("surface", "unit", "table", "confusion", "graph")),
    ],
)
def test_what_can_be_seen_goes_with_the_data(name: str, expected: tuple[str, ...]) -> None:
    assert output_kinds(Run(preset(name))) == expected


def test_without_classes_nothing_is_confused() -> None:
    assert confusion_of(Run(preset("add-relu"))) is None


def test_kept_states_are_measured_as_a_run_that_goes_there_would_be() -> None:
    preset_ = small(batch=2, l2=0.01)
    run = Run(preset_)
    run.step(500)
    measured = Measurements().along(run.branch)
    assert [each.update for each in measured] == [*range(0, 500, 64), 500]
    for each in measured[:3] + measured[-1:]:
        run.seek(each.update)
        ahead = next_update(run)
        norms = [
            np.sqrt(
                (layer.gradient_W**2).sum()
                + (0 if layer.gradient_b is None else (layer.gradient_b**2).sum())
            )
            for layer in ahead.layers
        ]
        np.testing.assert_allclose(each.gradients, norms)
        assert each.ratios == tuple(layer.ratio for layer in ahead.layers)
        assert each.epochs == pytest.approx(each.update / 3)
        snapshot = Snapshot.of(run)
        error = forward(run.parameters, snapshot.inputs)[3] - snapshot.targets
        squares = sum((W**2).sum() for W, _ in run.parameters)
        assert each.reported == pytest.approx((error**2).sum() / 5)
        assert each.training == pytest.approx((error**2).sum() / 5 + 0.005 * squares)
        assert each.test is None


def test_the_test_loss_is_that_of_the_rows_kept_for_testing() -> None:
    run = Run(square())
    run.step(200)
    measures = Measurements()
    for each in measures.along(run.branch):
        run.seek(each.update)
        assert each.test == pytest.approx(run.test_loss)
    names = [name for name, _, _ in series(TEST, measures.along(run.branch))]
    assert names == ["r", "t"]


def test_dead_units_are_counted_by_layer() -> None:
    run = Run(preset("add-relu"))
    run.step(700)
    for each in Measurements().along(run.branch):
        run.seek(each.update)
        assert each.dead == tuple(int(layer.dead.sum()) for layer in Snapshot.of(run).layers)
    lines = series(DEAD, Measurements().along(run.branch))
    assert [name for name, _, _ in lines] == ["0", "1", "2"]
    assert lines[1][2][0] == 2


def test_a_unit_that_is_not_a_number_is_not_dead() -> None:
    run = Run(preset("add-relu", training__learning_rate=1e300), seed=1)
    run.step(10)
    assert run.divergence is not None
    first, second, _ = Snapshot.of(run).layers
    assert first.dead.tolist() == [False, True, False, True]
    assert np.isnan(second.a).all()
    assert not second.dead.any()


def test_a_state_is_measured_once_and_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    run, measures = Run(preset("line-tanh")), Measurements()
    counted: list[int] = []
    whole = Measurements._measure

    def counting(self: Measurements, state: State) -> Measurement:
        counted.append(state.update)
        return whole(self, state)

    monkeypatch.setattr(Measurements, "_measure", counting)
    run.step(40_000)
    before = run.state_hash
    measured = measures.along(run.branch)
    assert len(measured) <= MOST + 1
    assert len(counted) == len(measured)
    measures.along(run.branch)
    assert len(counted) <= len(measured) + 1
    assert [each.update for each in measured] == sorted({each.update for each in measured})
    assert (measured[0].update, measured[-1].update) == (0, 40_000)
    assert run.state_hash == before


def test_a_short_run_is_measured_between_its_kept_states() -> None:
    run, measures = Run(small(batch=2)), Measurements()
    run.step(100)
    run.change(**{"training.learning_rate": 0.01})
    run.step(100)
    measured = measures.along(run.branch, fine=True)
    assert [each.update for each in measured] == list(range(0, 201, 2))
    for each in measured[::7] + measured[50:52]:
        run.seek(each.update)
        ahead = next_update(run)
        assert each.gradients == tuple(layer.gradient_norm for layer in ahead.layers)
        assert each.ratios == tuple(layer.ratio for layer in ahead.layers)
    run.seek(200)
    run.step(2)
    again = measures.along(run.branch, fine=True)
    assert again[:100] == measured[:100]
    run.change(**{"training.learning_rate": 0.1})
    run.step(2)
    assert measures.along(run.branch, fine=True)[101].ratios != again[101].ratios


def test_a_diverged_head_is_measured_without_a_next_update() -> None:
    run = Run(preset("xor-relu", training__learning_rate=1e5))
    run.step(5000)
    assert run.divergence is not None
    measured = Measurements().along(run.branch)
    assert measured[-1].gradients == ()
    for plot in PLOTS[1:]:
        for log in (True, False):
            lines = series(plot, measured)
            chart = make_chart(lines, run.epoch, None, None, log=log, most_ticks=4)
            assert len(draw_curve(chart, 50, 9)) == 9


def test_a_branch_is_measured_along_its_shared_past() -> None:
    run = Run(small())
    run.step(200)
    run.seek(100)
    other = run.fork(**{"training.learning_rate": 0.01})
    other.step(100)
    updates = [each.update for each in Measurements().along(other.branch)]
    assert updates == [0, 64, 100, 164, 200]


@pytest.mark.parametrize("log", [True, False])
def test_a_chart_begins_where_it_is_told_and_counts_what_it_cannot_show(log: bool) -> None:
    x = np.arange(6.0)
    y = np.array([5.0, 4.0, 0.0, np.inf, np.nan, 0.5])
    chart = make_chart([("0", x, y)], 5, 3, 0.1, log=log, most_ticks=4, start=1)
    line = chart.more[0][1]
    np.testing.assert_array_equal(line.x, x[1:])
    expected = np.log10(y[[1, 5]]) if log else y[[1, 5]]
    np.testing.assert_allclose(line.y[[0, 4]], expected)
    assert (chart.start, chart.last, chart.cursor, chart.hidden) == (1, 5, 3, int(log))
    assert list(chart.not_finite) == [3.0]
    rows = draw_curve(chart, 40, 9, inspected=2.0)
    assert any("0" in text and role == "past" for row in rows for text, role in row)
    assert any("|" in text and role == "cursor" for row in rows for text, role in row)


def test_recent_epochs_are_seen_from_near() -> None:
    losses = np.concatenate([np.full(899, 50.0), np.linspace(2.0, 1.0, 101)])
    history = LossHistory()
    for epoch, loss in enumerate(losses.tolist()):
        history.append(epoch, loss)
    named = {"log": False, "bins": 200, "most_ticks": 4}
    whole = make_curve(history, 1000, 1000, 1e-3, **named)
    near = make_curve(history, 1000, 1000, 1e-3, start=recent(1000), **named)
    assert (whole.start, near.start, near.last) == (0, 900, 1000)
    assert near.past.x[0] == 900
    assert near.goal is None
    assert whole.goal is not None
    later = make_curve(history, 1000, 1000, 1.5, start=901, **named)
    assert later.high < 3
    assert later.goal == 1.5
    assert recent(5) == 0


def test_a_cell_tells_that_its_numbers_are_scaled() -> None:
    for changes, target, inputs in (
        ({}, "target of sample 0", "  x "),
        ({"data__scale_inputs": "standard"}, "target of sample 0", "  scaled x "),
        ({"data__scale_targets": "minmax"}, "scaled target of sample 0", "  x "),
    ):
        seen = GridSource(Snapshot.of(Run(preset("add-relu", **changes))))
        grid = make_grid(seen, ACTIVATIONS)
        assert grid is not None
        told = read_cell(seen, grid.rows[-1], 0, grid, None, 80)
        assert told.startswith(target)
        assert inputs in told
