"""What a proof must not claim, what a rule must not overlook, and where a fix must not point."""

import re
from typing import Any

import numpy as np
import pytest

from nntui.core.engine.data import load_data
from nntui.core.formulas.evaluation import evaluate
from nntui.core.parts.activations import ACTIVATIONS
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.finding import Diagnosis, Finding
from nntui.diagnosis.observation import observe
from nntui.diagnosis.rules.proofs import MONOTONE
from nntui.presets import read_preset
from nntui.presets.schema import override
from nntui.timeline import Run

Source = dict[str, Any]
Table = list[list[float]]
LINE: Table = [[-2.0], [-1.0], [0.0], [1.0], [2.0], [3.0]]
CORNERS: Table = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR: Table = [[0.0], [1.0], [1.0], [0.0]]


def layer(units: int, activation: str = "identity", **entries: Any) -> Source:
    return {"units": units, "activation": activation, **entries}


def made(x: Table, y: Table, *layers: Source, **training: Any) -> Source:
    """A preset's table with the squared error, unless ``training`` says otherwise."""
    goal = {"loss": training.pop("goal", 1e-3), "epochs": training.pop("epochs", 100)}
    faults = training.pop("faults", [])
    training = {"loss": "squared-error", "learning_rate": 0.05, **training}
    return {
        "data": {"inputs": x, "targets": y},
        "layers": [dict(each) for each in layers],
        "training": training,
        "report": {"loss": training["loss"]},
        "goal": goal,
        "faults": faults,
    }


def ended(source: Source, updates: int | None = None, seed: int = 0) -> Run:
    preset = read_preset("made", source)
    run = Run(preset, seed=seed)
    whole = preset.goal.epochs * preset.configuration.updates_per_epoch
    run.seek(whole if updates is None else updates)
    return run


def found(source: Source, updates: int | None = None, seed: int = 0) -> Diagnosis:
    return diagnose(observe(ended(source, updates, seed)))


def codes(diagnosis: Diagnosis) -> list[str]:
    return [each.code for each in diagnosis.findings]


def finding(diagnosis: Diagnosis, code: str) -> Finding:
    return next(each for each in diagnosis.findings if each.code == code)


def of(x: Table, function: Any) -> Table:
    return [[float(function(*row))] for row in x]


# Linear networks


@pytest.mark.parametrize("hidden", [[], [layer(4, bias="none")]])
def test_where_only_the_offset_is_missing_the_bias_is_blamed(hidden: list[Source]) -> None:
    plane: Table = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 0.5]]
    for x, y in ((LINE, of(LINE, lambda a: 2 * a + 3)), (plane, of(plane, lambda a, b: a - b + 2))):
        said = found(made(x, y, *hidden, layer(1, bias="none")), 0)
        assert codes(said) == ["no-bias"]
        design = np.array(x)
        left = np.linalg.lstsq(design, np.array(y), rcond=None)[1][0] / len(x)
        assert f"{left:.4g} " in said.findings[0].evidence


def test_a_task_that_no_plane_fits_is_not_linear_with_or_without_biases() -> None:
    for bias in ("none", "per-unit"):
        y = of(LINE, lambda a: a * a)
        assert codes(found(made(LINE, y, layer(1, bias=bias)), 0))[0] == "linear"


def test_a_network_without_a_hidden_layer_is_told_that_it_has_none() -> None:
    entropy = {"loss": "binary-cross-entropy", "goal": 0.05}
    run = ended(made(CORNERS, XOR, layer(1, "sigmoid"), **entropy))
    linear = finding(diagnose(observe(run)), "linear")
    assert linear.evidence.startswith("there is no hidden layer")
    deeper = override(run.preset, linear.fixes[0].changes)
    assert len(deeper.configuration.layers) == 2
    hidden = found(made(CORNERS, XOR, layer(3), layer(1, "sigmoid"), **entropy))
    assert finding(hidden, "linear").evidence.startswith("the hidden layer is linear")


def test_an_output_that_falls_and_rises_again_has_more_than_one_border() -> None:
    run = ended(made(CORNERS, XOR, layer(1, "z*z", init="normal"), goal=1e-3, epochs=300), 0)
    assert "linear" not in codes(diagnose(observe(run)))
    z = np.linspace(-20.0, 20.0, 4001)
    for name in MONOTONE - {"softmax"}:
        values = evaluate(ACTIVATIONS[name].value, {"z": z})
        assert (np.diff(values) >= 0.0).all()


# Ranges


def test_a_range_is_that_of_what_the_program_computes() -> None:
    late = ["bias-after-activation"]
    below = layer(1, "relu", bias_init="uniform", bias_scale=-1.0)
    source = made(LINE, LINE, layer(5, "tanh"), below, faults=late, learning_rate=1e-4)
    run = ended(source)
    assert run.outputs.min() < 0.0
    said = diagnose(observe(run))
    assert codes(said)[0] == "bias-after-activation"
    assert "output-range" not in codes(said)
    assert "output-range" in codes(found({**source, "faults": []}))


def test_targets_on_an_asymptote_are_no_proof_against_a_goal_above_0() -> None:
    half: Table = [[0.0], [1.0], [1.0], [0.5]]
    slow = made(CORNERS, half, layer(4, "tanh"), layer(1, "sigmoid"), learning_rate=1e-3, goal=0.01)
    assert codes(found(slow)) == ["rate-too-low"]
    slow["goal"]["loss"] = 0.0
    assert "output-range" in codes(found(slow))


# First weights


def test_a_linear_model_may_start_from_zeros() -> None:
    y = of(LINE, lambda a: 2 * a + 3)
    assert codes(found(made(LINE, y, layer(1, init="zeros"), learning_rate=1e-5))) == [
        "rate-too-low"
    ]


def test_one_layer_of_zeros_learns_from_the_others() -> None:
    y = of(LINE, np.sin)
    layers = layer(20, "tanh", init="xavier"), layer(1, init="zeros")
    assert "init-scale" not in codes(found(made(LINE, y, *layers, learning_rate=1e-5)))


@pytest.mark.parametrize(("scale", "wrong"), [(0.35, False), (0.01, True), (6.0, True)])
def test_first_weights_are_wrong_beyond_a_margin(scale: float, wrong: bool) -> None:
    x = [[float(value)] * 4 for (value,) in LINE]
    layers = [layer(20, "tanh", init="xavier", scale=scale), layer(2, init="xavier", scale=scale)]
    y = [[np.sin(a), np.cos(a)] for (a,) in LINE]
    said = found(made(x, y, *layers, learning_rate=1e-6))
    assert ("init-scale" in codes(said)) == wrong


def test_an_output_bias_that_starts_from_its_targets_is_right() -> None:
    y = of(LINE, lambda a: 30.0 + np.sin(a))
    start = {"bias_init": "uniform", "bias": "shared-start", "bias_scale": 50.0}
    source = made(LINE, y, layer(9, "tanh"), layer(1, **start), learning_rate=1e-6)
    assert "init-scale" not in codes(found(source))
    source["data"]["targets"] = of(LINE, np.sin)
    assert "init-scale" in codes(found(source))


# Dead layers and silent samples


@pytest.mark.parametrize("activation", ["relu", "max(z, 0)"])
def test_a_layer_that_a_step_killed_is_told_of_with_its_update(activation: str) -> None:
    x: Table = [[1.0], [2.0], [3.0], [4.0]]
    source = made(x, x, layer(3, activation), layer(1), learning_rate=0.2)
    for updates in (5, 60):
        run = ended(source, updates)
        told = "; ".join(each.evidence for each in diagnose(observe(run)).findings)
        since = int(re.findall(r"since update (\d+)", told)[0])
        z = {}
        for update in (since - 1, since):
            run.seek(update)
            W, b = run.parameters[0]
            z[update] = W @ np.array(x).T + np.reshape(b, (-1, 1))
        assert [(each > 0.0).any() for each in z.values()] == [True, False]


def test_a_layer_that_too_high_a_rate_killed_is_told_of_beside_the_rate() -> None:
    y = of(LINE, lambda a: a * a)
    layers = layer(3, "relu", init="normal"), layer(1, init="normal")
    said = found(made(LINE, y, *layers, learning_rate=0.1), 60)
    assert codes(said) == ["rate-too-high"]
    assert said.findings[0].evidence.endswith("; 2 of 3 units of layer 0 are dead")


def test_a_layer_is_not_dead_where_the_program_passes_a_gradient() -> None:
    y = of(LINE, lambda a: a * a)
    start = {"bias_init": "uniform", "bias_scale": -200.0, "bias": "shared-start"}
    layers = layer(5, "relu", **start), layer(1)
    source = made(LINE, y, *layers, learning_rate=1e-3)
    assert "dead-layer" in codes(found(source, 0))
    source["faults"] = [{"name": "derivative", "of": "identity"}]
    assert "dead-layer" not in codes(found(source, 0))


def silent(bias: str, units: int) -> Source:
    layers = layer(units, "relu"), layer(1, "sigmoid", bias=bias)
    entropy = {"loss": "binary-cross-entropy", "goal": 0.05, "learning_rate": 0.3, "epochs": 400}
    return made(CORNERS, XOR, *layers, **entropy)


@pytest.mark.parametrize(("bias", "units", "seed"), [("none", 3, 1), ("per-unit", 2, 1)])
def test_samples_that_no_unit_answers_are_named_with_the_floor_they_make(
    bias: str, units: int, seed: int
) -> None:
    run = ended(silent(bias, units), seed=seed)
    said = finding(diagnose(observe(run)), "silent-sample")
    (W, b), _ = run.parameters
    quiet = np.flatnonzero((W @ np.array(CORNERS).T + np.reshape(b, (-1, 1)) <= 0.0).all(axis=0))
    assert 1 < len(quiet) < 4
    assert f"samples {', '.join(map(str, quiet))} " in said.evidence
    targets = np.array(XOR)[quiet, 0]
    share = 0.5 if bias == "none" else targets.mean()
    floor = -(targets * np.log(share) + (1 - targets) * np.log(1 - share)).sum() / 4
    assert f"below {floor:.4g} " in said.evidence
    assert run.losses[-1] >= floor
    assert (said.fixes[0].text == "a bias for the output") == (bias == "none")


# Fixes


def every_fix(source: Source, seed: int = 0) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for each in found(source, seed=seed).findings:
        for fix in each.fixes:
            changes |= fix.changes
    return changes


def test_scaling_is_not_proposed_where_it_leaves_nothing_to_learn() -> None:
    constant = made(LINE, [[500.0]] * 6, layer(4, "relu"), layer(1), learning_rate=1e-5)
    assert "data.scale_targets" not in every_fix(constant)
    bounded = made(LINE, [[5.0]] * 6, layer(4, "tanh"), layer(1, "sigmoid"))
    assert "data.scale_targets" not in every_fix(bounded)
    single = made([[300.0, 4.0]], [[7.0]], layer(4, "sigmoid", init="normal"), layer(1, "tanh"))
    assert not {"data.scale_inputs", "data.scale_targets"} & set(every_fix(single))
    # A column of ones stands for the bias, and would become 0.
    x = [[100.0 * a, 1.0] for (a,) in LINE]
    bare = layer(4, "tanh", bias="none"), layer(1, bias="none")
    assert "inputs-not-scaled" in codes(found(made(x, of(LINE, np.sin), *bare)))
    assert "data.scale_inputs" not in every_fix(made(x, of(LINE, np.sin), *bare))
    assert every_fix(made(x, of(LINE, np.sin), layer(4, "tanh"), layer(1)))["data.scale_inputs"]


@pytest.mark.parametrize("rate", [0.019, 0.15, 0.35, 1.9])
def test_a_rate_that_is_proposed_is_clearly_lower_than_one_that_is_too_high(rate: float) -> None:
    for momentum in (0.0, 0.5):
        y = of(LINE, lambda a: a * a)
        source = made(LINE, y, layer(8, "relu"), layer(1), learning_rate=rate, momentum=momentum)
        for seed in range(3):
            for each in found(source, seed=seed).findings:
                if each.code in ("rate-too-high", "oscillation", "diverged"):
                    rates = [fix.changes.get("training.learning_rate", 0.0) for fix in each.fixes]
                    assert all(proposed < 0.75 * rate for proposed in rates), each


def test_clipping_is_never_made_tighter_where_it_is_too_tight() -> None:
    y = of(LINE, lambda a: 1e5 * np.sin(a))
    source = made(LINE, y, layer(8, "tanh"), layer(1), learning_rate=1e-9, clip_norm=5.0)
    low = finding(found(source), "targets-not-scaled")
    assert low.fixes
    source["data"]["targets"] = of(LINE, lambda a: 9.0 * np.sin(a))
    source["training"] |= {"learning_rate": 1e-5, "clip_value": 0.5}
    slow = finding(found(source), "rate-too-low")
    assert slow.fixes[0].changes == {"training.clip_value": None, "training.clip_norm": None}


def test_a_narrow_layer_is_widened_and_no_wide_one_is_narrowed() -> None:
    y = of(LINE, lambda a: a * a)
    layers = layer(64, "tanh"), layer(1, "tanh"), layer(1)
    narrow = finding(found(made(LINE, y, *layers, learning_rate=0.01)), "too-few-units")
    assert narrow.fixes[0].changes == {"layers.1.units": 8}


def test_one_unit_is_enough_for_what_only_rises() -> None:
    source = made(LINE, of(LINE, np.tanh), layer(1, "tanh"), layer(1), learning_rate=1e-4)
    assert "too-few-units" not in codes(found(source))


def test_no_fix_changes_nothing() -> None:
    y = of(LINE, lambda a: a * a)
    dead = {"bias_init": "zeros", "init": "he"}
    source = made([[-abs(a)] for (a,) in LINE], y, layer(1, "relu", **dead), layer(1))
    for seed in range(4):
        run = ended(source, seed=seed)
        for each in diagnose(observe(run)).findings:
            for fix in each.fixes:
                assert not fix.changes or override(run.preset, fix.changes) != run.preset


def test_nothing_to_learn_is_left_by_no_scaling() -> None:
    """The oracle of the scaling: a constant column becomes 0."""
    run = ended(made([[3.0, 4.0]], [[7.0]], layer(1)), 0)
    scaled = override(run.preset, {"data.scale_inputs": "standard"})
    assert not load_data(scaled.configuration).x.any()


def test_no_bound_is_claimed_where_the_loss_has_no_least_value() -> None:
    targets: Table = [[0.2], [2.0], [1.0], [1.7]]
    dead = layer(3, "relu", bias="per-unit", bias_init="constant", bias_scale=-50.0)
    source = made(CORNERS, targets, dead, layer(1, "sigmoid"), loss="binary-cross-entropy", goal=-9)
    for updates in (0, 40):
        said = found(source, updates)
        layers = [each for each in said.findings if each.code in ("dead-layer", "silent-sample")]
        assert [each.code for each in layers] == ["dead-layer"]
        assert layers[0].evidence.endswith("no gradient passes")
        assert not any("nan" in each.evidence for each in said.findings)
