"""What a report covers: which rows, at which moment, in which epochs, and in which units."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
import reference
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import flat, made, preset

import nntui
from nntui.core.engine.ensemble import Ensemble
from nntui.core.engine.trainer import initial_state
from nntui.core.errors import ConfigError
from nntui.core.settings.data_settings import SCALINGS
from nntui.core.settings.report_settings import MOMENTS, REPORTED_ROWS
from nntui.core.settings.training_settings import ORDERS
from nntui.presets import Preset
from nntui.presets.schema import override
from nntui.timeline.views.run_result import run_text

INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1]]
TARGETS = [[40.0, 1.0], [-30.0, 3.0], [70.0, 2.0], [10.0, 1.5], [-50.0, 1.0]]


def source(report: dict[str, Any], data: dict[str, Any], **training: Any) -> Preset:
    hidden = {"units": 3, "activation": "tanh", "init": "normal", "bias_init": "normal"}
    return made(
        {
            "data": {"inputs": INPUTS, "targets": TARGETS, **data},
            "layers": [hidden, {"units": 2, "init": "he"}],
            "training": {"loss": "squared-error", "learning_rate": 0.05, **training},
            "report": {"loss": "squared-error", **report},
        }
    )


@st.composite
def reports(draw: st.DrawFn) -> Preset:
    rows = draw(st.sampled_from(REPORTED_ROWS))
    report = {
        "loss": draw(st.sampled_from(["squared-error", "half-absolute-error"])),
        "reduction": draw(st.sampled_from(["sum", "mean"])),
        "penalty": draw(st.booleans()),
        "rows": rows,
        "when": draw(st.sampled_from(MOMENTS)) if rows == "all" else "before",
        "every": draw(st.integers(1, 4)),
    }
    data = {
        "scale_targets": draw(st.sampled_from(SCALINGS)),
        "target_divisor": draw(st.sampled_from([1.0, 7.0])),
        "test_share": draw(st.sampled_from([0.0, 0.3])),
    }
    order = draw(st.sampled_from(ORDERS))
    drawn = {"draws": draw(st.integers(1, 6))} if order == "random" else {}
    batch = draw(st.sampled_from([1, 2, "full"]))
    rate = 1e-3 if data["scale_targets"] != "none" else 1e-5
    return source(report, data, order=order, batch=batch, l2=0.1, learning_rate=rate, **drawn)


@given(reports(), st.integers(0, 99))
@RUNS
def test_every_report_is_that_of_a_program_written_by_hand(of: Preset, seed: int) -> None:
    run, every = nntui.Run(of, seed=seed), of.configuration.report.every
    for update, _, losses in islice(reference.training(of.configuration, seed), 20):
        run.step()
        np.testing.assert_allclose(
            flat(run.parameters), flat(update.parameters), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(run.losses, losses, rtol=1e-9)
        assert run.reported_epochs.tolist() == list(range(0, run.epoch, every))
        assert run.loss == (run.losses[-1] if losses else None)


@given(reports(), st.integers(0, 99))
def test_replicas_report_what_single_runs_report(of: Preset, seed: int) -> None:
    # Epochs are drawn in one portion by the one, and one by one by the others.
    seeds, epochs = range(seed, seed + 3), 7
    ensemble = Ensemble([initial_state(of.configuration, each) for each in seeds])
    told = [(at, losses) for count in (1, epochs - 1) for at, losses in ensemble.train(count)]
    for column, each in enumerate(seeds):
        run = nntui.Run(of, seed=each)
        run.step(epochs * of.configuration.updates_per_epoch)
        assert [at for at, _ in told] == run.reported_epochs.tolist()
        np.testing.assert_allclose([losses[column] for _, losses in told], run.losses, rtol=1e-9)
        now, own = ensemble.state().replica(column), run.state
        assert (now.update, now.epoch, now.position) == (own.update, own.epoch, own.position)
        np.testing.assert_array_equal(now.order, own.order)


def test_a_loss_of_one_sample_is_not_taken_for_that_of_all() -> None:
    # At outputs of about 0.5 a single sample is often near its target; all four never are.
    drawn = preset(
        "xor-sigmoid", training__order="random", training__draws=1, training__learning_rate=0.0
    )
    table = {"inputs": [[0.0], [1.0]], "targets": [[0.0], [1.0]]}
    of = override(drawn, {"data.inputs": table["inputs"] * 2, "data.constant_inputs": [1.0]})
    assert of.configuration.reported_samples == 1
    whole = override(of, {"report.rows": "all"})
    assert whole.configuration.reported_samples == 4
    single, all_rows = nntui.Run(of, seed=1), nntui.Run(whole, seed=1)
    for run in (single, all_rows):
        run.step(40)
    assert len(set(single.losses.tolist())) > 1
    assert len(set(all_rows.losses.tolist())) == 1
    errors = np.abs(all_rows.outputs - all_rows.targets).sum() / 2
    assert all_rows.loss == pytest.approx(errors, rel=1e-12)


def test_before_and_after_are_an_update_apart() -> None:
    before = nntui.Run(source({"rows": "all"}, {}, learning_rate=1e-5))
    after = nntui.Run(override(before.preset, {"report.when": "after"}))
    batch = nntui.Run(override(before.preset, {"report.rows": "batch"}))
    for run in (before, after, batch):
        run.step(6)
    np.testing.assert_allclose(before.losses[1:], after.losses[:-1], rtol=1e-12)
    np.testing.assert_allclose(before.losses, batch.losses, rtol=1e-12)  # one batch is all rows


def test_batches_are_never_counted_after_their_updates() -> None:
    with pytest.raises(ConfigError, match=r'report.when: .*rows = "all"'):
        preset("xor-relu", report__when="after")


def test_a_goal_means_the_same_whether_targets_are_scaled_or_not() -> None:
    plain = source({"rows": "all"}, {}, learning_rate=0.0)
    for kind in SCALINGS[1:]:
        run = nntui.Run(override(plain, {"data.scale_targets": kind}), seed=0)
        run.step(5)
        own = run.trainer.data.target_scaling.undone(run.outputs)
        expected = ((own.T - np.array(TARGETS)) ** 2).sum(axis=1).mean()
        assert run.loss == pytest.approx(expected, rel=1e-12)
        assert expected > 100.0


def test_no_constant_output_is_solved_because_targets_are_scaled() -> None:
    # Scaled to 0..1, an output of 0.5 has an error of at most 0.5; in the data it is off by 60.
    of = source({"rows": "all"}, {"scale_targets": "minmax"}, learning_rate=0.0)
    run = nntui.Run(override(of, {"goal.loss": 9.0, "goal.epochs": 3}))
    run.step(15)
    assert not run.solved


@pytest.mark.parametrize("key", ["report.every", "report.rows"])
def test_what_a_report_covers_changes_only_between_epochs(key: str) -> None:
    run = nntui.Run(source({}, {}, batch=1))
    run.step(7)
    with pytest.raises(ConfigError, match="between two epochs"):
        run.change(**{key: 3 if key == "report.every" else "all"})
    run.step(3)
    run.change(**{key: 3 if key == "report.every" else "all"})
    run.step(30)
    told = run.reported_epochs.tolist()
    assert told == ([0, 1, 3, 6] if key == "report.every" else list(range(8)))


def test_older_presets_keep_their_hash() -> None:
    # From a version that knew neither rows, when nor every.
    assert nntui.Run(preset("xor-relu"), seed=0).state_hash == "871cb8e43c40"


@pytest.mark.parametrize("changes", [{}, {"data__scale_targets": "standard"}])
@pytest.mark.parametrize("name", ["line-leaky-relu-bias", "line-tanh"])
def test_the_text_of_a_run_is_in_the_units_of_the_data(name: str, changes: dict[str, str]) -> None:
    run = nntui.Run(preset(name, **changes))
    run.step(3)
    lines = run_text(run, "budget").splitlines()
    rows = lines[lines.index("row       target      output") + 1 :][:3]
    assert [row.split()[1] for row in rows] == ["5", "4", "3"]
    undone = run.data.target_scaling.undone(run.outputs)[0]
    np.testing.assert_allclose([float(row.split()[2]) for row in rows], undone, rtol=1e-5)
