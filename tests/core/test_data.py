"""Where the data rows come from: sets, formulas, noise, scaling, the split, and predictions."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import Array, made

import nntui
from nntui.core.engine.data import DataArrays, load_data
from nntui.core.parts.datasets import DATASETS
from nntui.core.settings.data_settings import SCALINGS
from nntui.presets import Preset
from nntui.presets.preset_table import table_of
from nntui.timeline import Snapshot

CLASSES = {name: each.most_classes for name, each in DATASETS.items()}


def with_data(units: int = 1, run_seed: int = 0, **data: Any) -> Preset:
    return made(
        {
            "seed": run_seed,
            "data": data,
            "layers": [{"units": units, "init": "normal"}],
            "training": {"loss": "squared-error", "learning_rate": 0.1},
        }
    )


def arrays(units: int = 1, **data: Any) -> DataArrays:
    return load_data(with_data(units, **data).configuration)


def one_hot(y: Array) -> Array:
    """The class of each sample of (classes, samples)."""
    np.testing.assert_array_equal(np.sort(y, axis=0)[:-1], 0.0)
    np.testing.assert_array_equal(y.max(axis=0), 1.0)
    return np.argmax(y, axis=0)


def test_the_sets_are_the_five_classic_ones() -> None:
    assert CLASSES == {"xor": 2, "circles": 10, "moons": 2, "spiral": 10, "clusters": 20}


@pytest.mark.parametrize("samples", [1, 2, 7, 101])
@pytest.mark.parametrize("name", CLASSES)
def test_a_set_has_its_shape_and_labels_of_0_and_1(name: str, samples: int) -> None:
    found = arrays(set=name, samples=samples, noise=0.1)
    assert found.x.shape == (2, samples)
    assert found.y.shape == (1, samples)
    assert found.x.dtype == found.y.dtype == np.float64
    assert np.isfinite(found.x).all()
    assert set(found.y[0]) <= {0.0, 1.0}
    hot = arrays(2, set=name, samples=samples, noise=0.1, one_hot=True)
    np.testing.assert_array_equal(hot.x, found.x)
    np.testing.assert_array_equal(one_hot(hot.y), found.y[0])


@pytest.mark.parametrize("name", [name for name, most in CLASSES.items() if most > 2])
def test_a_set_of_many_classes_has_them_all_in_turn(name: str) -> None:
    for classes in (2, 3, CLASSES[name]):
        found = arrays(classes, set=name, classes=classes, one_hot=True, samples=3 * classes)
        np.testing.assert_array_equal(one_hot(found.y), np.arange(3 * classes) % classes)


def test_a_set_has_101_rows_and_two_classes_if_nothing_is_said() -> None:
    for name in CLASSES:
        found = arrays(set=name)
        assert found.x.shape == (2, 101)
        assert set(found.y[0]) == {0.0, 1.0}


def test_xor_is_one_where_the_signs_differ() -> None:
    found = arrays(set="xor", samples=400, seed=3)
    assert abs(found.x).max() < 1.0
    np.testing.assert_array_equal(found.y[0], found.x[0] * found.x[1] < 0)
    assert 150 < found.y.sum() < 250
    # Four quadrants, and the points are those that the seed draws.
    assert len({tuple(np.sign(point)) for point in found.x.T}) == 4
    drawn = np.random.RandomState(3).uniform(-1, 1, (400, 2))
    np.testing.assert_array_equal(found.x.T, drawn)


def test_circles_have_the_radius_of_their_class() -> None:
    for classes in (2, 5):
        found = arrays(classes, set="circles", classes=classes, one_hot=True, samples=60)
        radius = np.hypot(*found.x)
        np.testing.assert_allclose(radius, (one_hot(found.y) + 1) / classes, rtol=1e-12)
        for label in range(classes):
            x, y = found.x[:, one_hot(found.y) == label]
            assert x.min() < 0 < x.max()
            assert y.min() < 0 < y.max()


def test_moons_are_two_half_circles_that_interlock() -> None:
    found = arrays(set="moons", samples=80)
    upper, lower = found.x[:, found.y[0] == 0], found.x[:, found.y[0] == 1]
    np.testing.assert_allclose(np.hypot(*upper), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.hypot(lower[0] - 1, lower[1] - 0.5), 1.0, rtol=1e-12)
    assert upper[1].min() >= 0
    assert lower[1].max() <= 0.5
    assert lower[0].min() < upper[0].max()


def test_a_spirals_arms_are_one_arm_turned() -> None:
    found = arrays(4, set="spiral", classes=4, one_hot=True, samples=80)
    arms = [found.x[:, one_hot(found.y) == label] for label in range(4)]
    np.testing.assert_allclose(np.hypot(*arms[0]), np.linspace(0, 1, 20), atol=1e-12)
    for one, other in pairwise(arms):
        np.testing.assert_allclose(other, [one[1], -one[0]], atol=1e-12)


def test_clusters_stand_around_centres_on_the_unit_circle() -> None:
    found = arrays(3, set="clusters", classes=3, one_hot=True, samples=3000, noise=0.2)
    labels = one_hot(found.y)
    for label in range(3):
        points = found.x[:, labels == label]
        angle = 2 * math.pi * label / 3
        np.testing.assert_allclose(
            points.mean(axis=1), [math.cos(angle), math.sin(angle)], atol=0.03
        )
        np.testing.assert_allclose(points.std(axis=1), 0.2, rtol=0.1)


@pytest.mark.parametrize("name", CLASSES)
def test_noise_is_one_normal_number_for_each_coordinate(name: str) -> None:
    clean, noisy = (arrays(set=name, samples=500, noise=noise, seed=9) for noise in (0.0, 0.25))
    np.testing.assert_array_equal(noisy.y, clean.y)
    random = np.random.RandomState(9)
    if name == "xor":
        random.rand(500, 2)
    np.testing.assert_allclose(noisy.x - clean.x, 0.25 * random.randn(500, 2).T, atol=1e-12)


SOURCES: dict[str, dict[str, Any]] = {
    "table": {
        "inputs": [[1, 5.5], [2, -1], [4, 0], [8, 2.5], [3, 3], [-5, 7], [0, 1]],
        "targets": [[1], [2], [3], [5], [8], [13], [21]],
    },
    "formula": {"formula": "x**2 + sin(2*pi*x)", "samples": 23},
    "formula from and to": {"formula": "exp(-x) / 2", "start": -2, "stop": 3, "samples": 12},
    "formula with noise": {"formula": "0.5*x", "samples": 30, "noise": 0.2, "seed": 4},
    **{
        f"{name} with noise": {"set": name, "samples": 20, "noise": 0.1, "seed": 2}
        for name in CLASSES
    },
    "three classes": {"set": "spiral", "classes": 3, "one_hot": True, "samples": 20, "seed": 1},
}


@pytest.mark.parametrize("source", SOURCES)
@given(
    st.sampled_from(SCALINGS),
    st.sampled_from(SCALINGS),
    st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.8]),
    st.integers(0, 50),
    st.lists(st.floats(-5, 5), max_size=2),
    st.sampled_from([1.0, 2.5]),
)
def test_data_are_those_that_the_reference_makes(
    source: str,
    inputs: str,
    targets: str,
    share: float,
    seed: int,
    constants: list[float],
    divisor: float,
) -> None:
    data = {**SOURCES[source], "scale_inputs": inputs, "scale_targets": targets}
    data |= {"test_share": share, "seed": seed, "constant_inputs": constants}
    configuration = with_data(
        3 if source == "three classes" else 1, target_divisor=divisor, **data
    ).configuration
    found = load_data(configuration)
    expected = reference.split_data(configuration.data)
    for mine, theirs in zip((found.x, found.y, found.test_x, found.test_y), expected, strict=True):
        assert not mine.flags.writeable
        np.testing.assert_allclose(mine.T.ravel(), theirs.ravel(), rtol=1e-9, atol=1e-12)
    assert found.x.shape[1] == found.y.shape[1] == configuration.data.training_rows
    assert found.test_x.shape[1] == found.test_y.shape[1] == configuration.data.test_rows
    assert found.x.shape[0] == found.test_x.shape[0] == configuration.data.width


@pytest.mark.parametrize("source", ["formula with noise", "xor with noise", "moons with noise"])
def test_noise_comes_from_the_datas_own_seed(source: str) -> None:
    data = {**SOURCES[source], "test_share": 0.3}
    one, again, other_run, other_data = (
        nntui.Run(with_data(run_seed=run_seed, **{**data, "seed": of}))
        for run_seed, of in ((0, 7), (0, 7), (1, 7), (0, 8))
    )
    views = [Snapshot.of(run) for run in (one, again, other_run, other_data)]
    for view in views[1:3]:
        np.testing.assert_array_equal(view.inputs, views[0].inputs)
        np.testing.assert_array_equal(view.targets, views[0].targets)
    assert not np.array_equal(views[3].targets, views[0].targets) or not np.array_equal(
        views[3].inputs, views[0].inputs
    )
    # And the run's draws do not depend on the data's.
    np.testing.assert_array_equal(one.parameters[0][0], other_data.parameters[0][0])
    assert not np.array_equal(one.parameters[0][0], other_run.parameters[0][0])


def test_noise_moves_a_formulas_targets_and_not_its_points() -> None:
    found = arrays(formula="sin(x)", start=0, stop=6, samples=2000, noise=0.3, seed=1)
    np.testing.assert_allclose(found.x[0], np.linspace(0, 6, 2000), rtol=1e-15)
    noise = found.y[0] - np.sin(found.x[0])
    np.testing.assert_allclose(noise, 0.3 * np.random.RandomState(1).randn(2000), atol=1e-12)
    quiet = arrays(formula="sin(x)", start=0, stop=6, samples=2000, seed=1)
    np.testing.assert_array_equal(quiet.y[0], np.sin(quiet.x[0]))


@given(st.integers(2, 60), st.floats(0, 0.95), st.integers(0, 9))
def test_a_split_is_disjoint_and_complete(rows: int, share: float, seed: int) -> None:
    if round(share * rows) == rows:
        return
    table = [[float(row)] for row in range(rows)]
    found = arrays(inputs=table, targets=table, test_share=share, seed=seed)
    assert found.test_x.shape[1] == round(share * rows)
    training, testing = found.x[0].tolist(), found.test_x[0].tolist()
    assert sorted(training + testing) == [float(row) for row in range(rows)]
    assert training == sorted(training)
    assert testing == sorted(testing)
    np.testing.assert_array_equal(found.y, found.x)
    np.testing.assert_array_equal(found.test_y, found.test_x)


def test_a_split_depends_on_the_datas_seed() -> None:
    table = [[float(row)] for row in range(20)]
    data = {"inputs": table, "targets": table, "test_share": 0.25}
    held = {tuple(arrays(**data, seed=seed).test_x[0]) for seed in range(8)}
    assert len(held) > 5
    assert {tuple(arrays(**data, seed=3).test_x[0]) for _ in range(3)} <= held


@pytest.mark.parametrize("loss", ["squared-error", "half-absolute-error"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_test_loss_is_the_reported_one_on_the_rows_that_are_held_back(
    reduction: str, loss: str
) -> None:
    rows = [[float(row), 1.0 - row] for row in range(8)]
    source = table_of(with_data(inputs=rows, targets=[[0.25 * row] for row in range(8)]))
    report = {"loss": loss, "reduction": reduction}
    assert nntui.Run(made({**source, "report": report})).test_loss is None
    data = {**source["data"], "test_share": 0.4}
    run = nntui.Run(made({**source, "data": data, "report": report}), seed=1)
    x, y = reference.split_data(run.preset.configuration.data)[2:]
    for _ in range(3):
        total = reference.reported(run.preset.configuration, run.parameters, x, y)
        total /= len(x) if reduction == "mean" else 1
        assert run.test_loss == pytest.approx(total, rel=1e-12)
        run.step()


def test_a_run_trains_on_the_training_rows_alone() -> None:
    rows = [[float(row), 1.0 - row] for row in range(8)]
    data = {"inputs": rows, "targets": [[0.25 * row] for row in range(8)], "seed": 2}
    split = nntui.Run(with_data(**data, test_share=0.5), seed=1)
    held = load_data(split.preset.configuration)
    inputs, targets = held.x.T.tolist(), held.y.T.tolist()
    alone = nntui.Run(with_data(inputs=inputs, targets=targets), seed=1)
    for run in (split, alone):
        run.step(20)
    np.testing.assert_array_equal(split.parameters[0][0], alone.parameters[0][0])
    np.testing.assert_array_equal(split.losses, alone.losses)


def test_a_penalty_per_sample_is_divided_by_the_training_rows() -> None:
    # Inputs and targets of 0: the weight's only gradient is that of the penalty.
    source = {
        "data": {"inputs": [[0.0]] * 10, "targets": [[0.0]] * 10, "test_share": 0.2},
        "layers": [{"units": 1, "init": "uniform", "bias": "none"}],
        "training": {"loss": "squared-error", "learning_rate": 1.0, "l2_per_sample": True},
    }
    for penalty, size in (("l2", lambda w: w), ("l1", np.sign)):
        run = nntui.Run(made({**source, "training": {**source["training"], penalty: 0.4}}))
        before = run.parameters[0][0].item()
        run.step()
        taken = before - run.parameters[0][0].item()
        assert taken == pytest.approx(0.4 / 8 * size(before), rel=1e-12)


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_scaling_is_fitted_on_the_training_rows_only(kind: str) -> None:
    # The last row is far out; whether it is trained on or held back decides the scale.
    rows = [[1.0, -3.0], [2.0, 5.0], [4.0, 0.0], [3.0, 1.0], [1e4, -1e4]]
    seen = set()
    for seed in range(12):
        found = arrays(
            inputs=rows,
            targets=[[row[0] / 2] for row in rows],
            scale_inputs=kind,
            scale_targets=kind,
            test_share=0.2,
            seed=seed,
        )
        for x in (found.x, found.y):
            if kind == "standard":
                np.testing.assert_allclose(x.mean(axis=1), 0.0, atol=1e-12)
                np.testing.assert_allclose((x**2).mean(axis=1), 1.0, rtol=1e-12)
            else:
                np.testing.assert_allclose(x.min(axis=1), 0.0, atol=1e-15)
                np.testing.assert_allclose(x.max(axis=1), 1.0, rtol=1e-15)
        far = bool(abs(found.test_x).max() > 1000)
        seen.add(far)
        if far:
            assert abs(found.test_y).max() > 1000
    assert seen == {False, True}


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1, 1e6 / 3, -2.7])
@pytest.mark.parametrize("rows", [1, 3, 6, 10])
@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_a_constant_column_becomes_zero(kind: str, rows: int, value: float) -> None:
    table = [[value, float(row)] for row in range(rows)]
    found = arrays(inputs=table, targets=[[value]] * rows, scale_inputs=kind, scale_targets=kind)
    np.testing.assert_allclose(found.x[0], 0.0, atol=1e-9)
    np.testing.assert_allclose(found.y[0], 0.0, atol=1e-9)


def test_without_scaling_nothing_moves_a_bit() -> None:
    table = [[0.1, -7.3e-11], [1 / 3, 1e9], [-2.2, 0.7]]
    found = arrays(inputs=table, targets=[[0.1], [0.2], [0.3]], constant_inputs=[1.0, -0.5])
    np.testing.assert_array_equal(found.x[:2].T, table)
    np.testing.assert_array_equal(found.x[2:], [[1.0] * 3, [-0.5] * 3])
    np.testing.assert_array_equal(found.y[0], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("constants", [[], [1.0], [2.0, -0.5]])
def test_predict_scales_its_inputs_and_adds_the_constants(
    kind: str, constants: list[float]
) -> None:
    rows = [[1.0, 200.0], [2.0, 500.0], [4.0, 300.0], [-3.0, 100.0]]
    data = {"inputs": rows, "targets": [[1.0]] * 4, "constant_inputs": constants}
    run = nntui.Run(with_data(**data, scale_inputs=kind), seed=3)
    run.step(2)
    np.testing.assert_allclose(run.predict(rows), run.outputs, rtol=1e-12)
    view = Snapshot.of(run)
    np.testing.assert_array_equal(view.inputs[2:], np.repeat([constants], 4, axis=0).T)
    asked = np.array([[0.0, 250.0], [10.0, -40.0]])
    scaled = reference.scaled(kind, asked, np.array(rows))
    W, b = run.parameters[0]
    assert b is not None
    whole = np.array([[*row, *constants] for row in scaled])
    np.testing.assert_allclose(run.predict(asked), (whole @ W.T + b).T, rtol=1e-12)


def test_predict_scales_by_the_training_rows_of_a_split() -> None:
    rows = [[float(row**2)] for row in range(10)]
    data = {"inputs": rows, "targets": rows, "test_share": 0.4, "seed": 1}
    plain = arrays(**data)
    run = nntui.Run(with_data(**data, scale_inputs="minmax"), seed=3)
    W, b = run.parameters[0]
    assert b is not None
    assert np.ptp(plain.x) < 81.0
    expected = W * (plain.test_x - plain.x.min()) / np.ptp(plain.x) + b[:, None]
    np.testing.assert_allclose(run.predict(plain.test_x.T), expected, rtol=1e-12)
    # The outputs are those of all data rows, in the data's order.
    np.testing.assert_allclose(run.predict(rows), run.outputs, rtol=1e-12)
    np.testing.assert_allclose(run.targets, np.transpose(rows), rtol=1e-12)


def test_a_row_may_bring_the_constants_but_not_others() -> None:
    data = {"inputs": [[1.0], [2.0]], "targets": [[1.0], [0.0]], "constant_inputs": [1.0]}
    run = nntui.Run(with_data(**data), seed=3)
    np.testing.assert_allclose(run.predict([[2.0, 1.0]]), run.predict([[2.0]]), rtol=1e-12)
    with pytest.raises(nntui.ConfigError, match=r"^input: .*other constants"):
        run.predict([[2.0, 5.0]])


@pytest.mark.parametrize("source", [{"formula": "x"}, {"set": "xor"}, {"set": "moons"}], ids=str)
def test_a_noise_beyond_all_floats_is_refused_as_noise(source: dict[str, Any]) -> None:
    with pytest.raises(nntui.ConfigError, match=r"^data\.noise"):
        with_data(**source, noise=1e308)


@pytest.mark.parametrize("which", ["inputs", "targets"])
@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize("size", [1e200, 1.5e308])
def test_scaling_never_makes_nothing_of_large_numbers(size: float, kind: str, which: str) -> None:
    # Where the spread is no float they are refused, or scaled truly.
    shares = np.array([[-1.0], [1.0], [0.5]])
    rows: dict[str, Any] = {"inputs": [[1.0]] * 3, "targets": [[1.0]] * 3}
    rows |= {which: (size * shares).tolist(), f"scale_{which}": kind}
    said = ""
    try:
        found = arrays(**rows)
    except nntui.ConfigError as error:
        said = str(error)
    if said:
        assert said.startswith(f"data.scale_{which}: ")
    else:
        values = found.x if which == "inputs" else found.y
        expected = reference.scaled(kind, shares, shares)
        np.testing.assert_allclose(values.T, expected, rtol=1e-9)
