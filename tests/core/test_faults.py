"""Each fault changes what it says and nothing else."""

import ast
import inspect
import re
import sys
from dataclasses import replace
from itertools import islice, permutations
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import Array, flat, made

import nntui
from nntui.core.engine.network import has_effect
from nntui.core.engine.trainer import Trainer
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.presets import load_preset
from nntui.presets.preset_table import table_of
from nntui.presets.schema import override
from nntui.timeline import Snapshot

INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1]]
TARGETS = [[0.4, 0.9], [-0.3, 0.6], [0.7, -0.2], [0.1, 0.3], [-0.5, 0.2]]
RATE = 0.125


def run_with(
    faults: list[Any], activation: str = "tanh", *, penalty: bool = True, **training: Any
) -> nntui.Run:
    """A 2-4-3-2 network on five rows."""
    start = {"activation": activation, "init": "normal", "bias_init": "normal", "leak": 0.2}
    source = {
        "faults": faults,
        "data": {"inputs": INPUTS, "targets": TARGETS},
        "layers": [{"units": units, **start} for units in (4, 3, 2)],
        "training": {"loss": "squared-error", "learning_rate": RATE, "l2": 0.1, **training},
        "report": {"loss": "squared-error", "penalty": penalty},
    }
    return nntui.Run(made(source), seed=3)


def differing(faulty: nntui.Run, correct: nntui.Run) -> list[str]:
    """W0, b0, W1, ...: what is not the same to the last bit."""
    pairs = zip(faulty.parameters, correct.parameters, strict=True)
    return [
        f"{letter}{k}"
        for k, pair in enumerate(pairs)
        for letter, mine, theirs in zip("Wb", *pair, strict=True)
        if not np.array_equal(mine, theirs)
    ]


def layers_that_differ(faulty: nntui.Run, correct: nntui.Run) -> list[int]:
    return sorted({int(tensor[1:]) for tensor in differing(faulty, correct)})


def after_one(faults: list[Any], **training: Any) -> tuple[nntui.Run, nntui.Run, nntui.Run]:
    """A faulty and a correct run after one update, and one that has not begun."""
    faulty, correct = run_with(faults, **training), run_with([], **training)
    faulty.step()
    correct.step()
    return faulty, correct, run_with([], **training)


def steps(run: nntui.Run, start: nntui.Run) -> list[tuple[Array, Array]]:
    """What one update took from each W and b."""
    pairs = zip(start.parameters, run.parameters, strict=True)
    return [(W - V, b - c) for (W, b), (V, c) in pairs]


def assert_is_the_references(run: nntui.Run, updates: int) -> None:
    for update, _, losses in islice(
        reference.training(run.preset.configuration, run.seed), updates
    ):
        run.step()
        assert np.isfinite(flat(update.parameters)).all()
        np.testing.assert_allclose(
            flat(run.parameters), flat(update.parameters), rtol=1e-10, atol=1e-13
        )
        np.testing.assert_allclose(run.losses, losses, rtol=1e-10)


OTHERS: dict[str, dict[str, Any]] = {
    "derivative": {"of": "softplus"},
    "wrong-factor": {"factor": -0.5},
    "gradient": {"of": "dot(delta, z) * W"},
}
"""What some faults also take."""

SWITCHED: list[list[Any]] = [
    [],
    *([name] for name in FAULTS),
    *([{"name": name, "layers": [1], **OTHERS.get(name, {})}] for name in FAULTS),
    *([{"name": name, "layers": [0, 2]}] for name in FAULTS),
    ["bias-decay", "update-before-backprop", "derivative", "penalty-sum"],
    ["no-weights-in-backprop", "update-before-backprop", "sum-for-mean", "derivative-at-a"],
    ["bias-decay", "wrong-sign", {"name": "wrong-factor", "factor": 0.1}, "sum-for-mean"],
    ["wrong-sign", "bias-decay"],
    ["frozen-bias", "bias-decay"],
    ["bias-decay", "frozen-bias", "wrong-factor"],
    ["bias-after-activation", "bias-decay", "update-before-backprop"],
    [
        {"name": "derivative", "layers": [1]},
        {"name": "update-before-backprop", "layers": [2]},
        {"name": "bias-decay", "layers": [0]},
    ],
]


@pytest.mark.parametrize("momentum", [0.0, 0.75])
@pytest.mark.parametrize("batch", [1, 2, "full"])
@pytest.mark.parametrize("faults", SWITCHED, ids=str)
def test_a_faulty_run_is_the_one_that_the_reference_makes(
    faults: list[Any], batch: int | str, momentum: float
) -> None:
    run = run_with(faults, "leaky-relu", batch=batch, momentum=momentum, learning_rate=0.01)
    assert_is_the_references(run, 12)


@pytest.mark.parametrize("pair", [*permutations(FAULTS, 2)], ids=" then ".join)
def test_any_two_faults_combine_in_the_order_given(pair: tuple[str, str]) -> None:
    # With softplus, f'(f(z)) and f'(z) are far apart; with another one's slope, so is the order.
    faults = [{"name": name, **OTHERS.get(name, {})} for name in pair]
    run = run_with(faults, "softplus", batch=2, learning_rate=0.01, order="shuffled")
    assert_is_the_references(run, 4)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_given_twice_can_be_run(name: str) -> None:
    run = run_with([name, {"name": name, "layers": [1]}])
    assert run.step(3).divergence is None
    assert np.isfinite(flat(run.parameters)).all()


ENTRIES = st.fixed_dictionaries(
    {"name": st.sampled_from(sorted(FAULTS))},
    optional={"layers": st.lists(st.integers(0, 2), unique=True)},
)


@given(
    st.lists(ENTRIES, max_size=5, unique_by=lambda entry: entry["name"]),
    st.sampled_from(["relu", "leaky-relu", "elu", "gelu", "softplus"]),
    st.sampled_from(sorted(OPTIMISERS)),
    st.sampled_from([1, 2, 3, "full"]),
    st.sampled_from(["sum", "mean"]),
    st.sampled_from(["in-order", "shuffled", "random"]),
)
def test_any_faults_combine(
    faults: list[Any], activation: str, optimiser: str, batch: int | str, reduction: str, order: str
) -> None:
    run = run_with(
        faults,
        activation,
        optimiser=optimiser,
        momentum=0.5,
        epsilon=1e-3,
        batch=batch,
        reduction=reduction,
        order=order,
        learning_rate=0.01,
    )
    updates = islice(reference.training(run.preset.configuration, run.seed), 6)
    for update, rows, losses in updates:
        assert Snapshot.of(run).next_rows == tuple(rows)
        run.step()
        expected = flat(update.parameters)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(flat(run.parameters), expected, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(run.losses, losses, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_makes_a_difference_that_it_does_not_make_in_no_layer(name: str) -> None:
    activation = "softmax" if name == "softmax-over-samples" else "tanh"
    correct, nowhere, everywhere = (
        run_with(faults, activation, batch=2)
        for faults in ([], [{"name": name, "layers": []}], [name])
    )
    for run in (correct, nowhere, everywhere):
        run.step(6)
    assert not differing(nowhere, correct)
    np.testing.assert_array_equal(nowhere.losses, correct.losses)
    assert not np.array_equal(everywhere.losses, correct.losses)


TESTS: dict[str, str] = {
    "bias-decay": "test_bias_decay_takes_the_bias_for_its_gradient_and_leaves_the_weights",
    "update-before-backprop": "test_updating_early_reaches_the_layers_below_and_no_other",
    "derivative": "test_a_wrong_derivative_is_that_of_the_other_activation",
    "penalty-sum": "test_a_summed_penalty_is_told_and_not_followed",
    "derivative-at-a": "test_a_derivative_at_a_is_the_layers_own_at_its_value",
    "wrong-sign": "test_a_wrong_sign_turns_the_layers_step_around",
    "sum-for-mean": "test_a_sum_for_a_mean_makes_the_step_as_many_times_as_large",
    "wrong-factor": "test_a_wrong_factor_multiplies_the_layers_step",
    "gradient": "test_a_formula_takes_the_place_of_the_weights_gradient",
    "no-weights-in-backprop": "test_without_its_weights_a_layer_passes_the_sum_of_its_deltas_down",
    "frozen-bias": "test_a_frozen_bias_stays_and_the_rest_goes_on",
    "bias-after-activation": "test_a_bias_after_the_activation_shifts_the_value_and_not_the_bend",
    "penalty-before-update": "test_a_penalty_before_the_update_is_that_of_the_program_that_does_so",
    "error-for-delta": "test_an_error_for_delta_is_that_of_the_program_that_passes_it_down",
    "softmax-over-samples": "test_a_softmax_over_the_samples_is_that_of_the_program_that_takes_it",
}
"""The test of its own that each fault has."""


def test_every_fault_has_a_test_of_its_own() -> None:
    assert sorted(TESTS) == sorted(FAULTS)
    assert len(set(TESTS.values())) == len(TESTS)
    module = sys.modules[__name__]
    for name, test in TESTS.items():
        body = ast.parse(inspect.getsource(getattr(module, test))).body[0]
        written = {each.value for each in ast.walk(body) if isinstance(each, ast.Constant)}
        assert name in written


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_says_what_it_is_and_how_to_mend_it(name: str) -> None:
    kind = FAULTS[name]
    assert kind.name == name
    said = (kind.what, kind.symptom, kind.fix)
    assert all(text and text == text.strip() and "\n" not in text for text in said)
    assert len(set(said)) == 3


def test_bias_decay_takes_the_bias_for_its_gradient_and_leaves_the_weights() -> None:
    faulty, correct, start = after_one([{"name": "bias-decay", "layers": [0, 2]}])
    assert differing(faulty, correct) == ["b0", "b2"]
    for k in (0, 2):
        before, after = start.parameters[k][1], faulty.parameters[k][1]
        assert before is not None
        np.testing.assert_array_equal(after, before - RATE * before)


def test_bias_decay_hands_the_bias_to_momentum() -> None:
    run = run_with(["bias-decay"], momentum=0.5, batch=2)
    b = [bias.copy() for _, bias in run.parameters if bias is not None]
    velocity = [np.zeros_like(each) for each in b]
    for _ in range(7):
        run.step()
        velocity = [0.5 * v + each for v, each in zip(velocity, b, strict=True)]
        b = [each - RATE * v for each, v in zip(b, velocity, strict=True)]
        for mine, (_, theirs) in zip(b, run.parameters, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-14)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(
    ("layers", "differ"),
    [(None, [0, 1]), ([2], [0, 1]), ([1, 2], [0, 1]), ([1], [0]), ([0], []), ([0, 1], [0])],
)
def test_updating_early_reaches_the_layers_below_and_no_other(
    layers: list[int] | None, differ: list[int], optimiser: str
) -> None:
    fault: dict[str, Any] = {"name": "update-before-backprop"}
    faults = [fault if layers is None else {**fault, "layers": layers}]
    faulty, correct, _ = after_one(faults, optimiser=optimiser, momentum=0.5, epsilon=0.1)
    assert layers_that_differ(faulty, correct) == differ


@pytest.mark.parametrize("name", ["derivative", "derivative-at-a"])
@pytest.mark.parametrize(
    ("layers", "differ"), [([2], [0, 1, 2]), ([1], [0, 1]), ([0], [0]), ([], [])]
)
def test_a_wrong_derivative_reaches_its_layer_and_those_below(
    layers: list[int], differ: list[int], name: str
) -> None:
    faulty, correct, _ = after_one([{"name": name, "layers": layers}])
    assert layers_that_differ(faulty, correct) == differ


@pytest.mark.parametrize("of", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_wrong_derivative_is_that_of_the_other_activation(activation: str, of: str) -> None:
    # Of softmax it is the diagonal: the derivative unit by unit.
    run = run_with([{"name": "derivative", "of": of}], activation, batch=1)
    assert_is_the_references(run, 2)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_derivative_at_a_is_the_layers_own_at_its_value(activation: str) -> None:
    run = run_with([{"name": "derivative-at-a", "layers": [0, 1]}], activation, batch=2)
    assert_is_the_references(run, 3)


@pytest.mark.parametrize(("kink", "differ"), [("left", []), ("zero", []), ("right", [0, 1, 2])])
def test_a_rectifier_differs_at_a_only_where_the_kink_says_so(kink: str, differ: list[int]) -> None:
    # f'(relu(z)) is f'(z) for z > 0, and the kink's own slope for all others.
    faults: tuple[list[Any], list[Any]] = (["derivative-at-a"], [])
    runs = []
    for fault in faults:
        source = table_of(run_with(fault, "relu").preset)
        layers = [{**layer, "kink": kink} for layer in source["layers"]]
        runs.append(nntui.Run(made({**source, "layers": layers}), seed=3))
        runs[-1].step()
    assert layers_that_differ(*runs) == differ


@pytest.mark.parametrize("layers", [[0, 1, 2], [1], [0, 2]])
def test_a_summed_penalty_is_told_and_not_followed(layers: list[int]) -> None:
    for l1 in (0.0, 0.3):
        faulty = run_with([{"name": "penalty-sum", "layers": layers}], l1=l1)
        correct = run_with([], l1=l1)
        for _ in range(3):
            faulty.step()
            correct.step()
            assert not differing(faulty, correct)
            weights = [faulty.parameters[k][0] for k in layers]
            told = 0.05 * sum(W.sum() - (W**2).sum() for W in weights)
            assert faulty.losses[-1] - correct.losses[-1] == pytest.approx(told, rel=1e-9)


@pytest.mark.parametrize("batch", [1, 3, "full"])
@pytest.mark.parametrize(
    ("layers", "of"),
    [
        ([0, 1, 2], "outer(delta, x)"),
        ([0, 1, 2], "dot(delta, a)"),
        ([0, 1, 2], "2*outer(delta, x) - 0.1*W"),
        ([1], "outer(z, x) / 3"),
        ([2], "outer(error, x)"),
        ([2], "outer(error * a * (1 - a), x)"),
        ([0, 1, 2], "0.5"),
        ([1], "outer(max(delta, 0), tanh(x)) + W^2"),
    ],
)
def test_a_formula_takes_the_place_of_the_weights_gradient(
    layers: list[int], of: str, batch: int | str
) -> None:
    fault = {"name": "gradient", "layers": layers, "of": of}
    assert_is_the_references(run_with([fault], batch=batch, learning_rate=0.01), 6)


@pytest.mark.parametrize("of", ["a * (1 - a)", "z", "1 - a^2", "a", "exp(-z*z) + 0.1*z"])
def test_a_formula_takes_the_place_of_a_slope(of: str) -> None:
    fault = {"name": "derivative", "layers": [0, 1], "of": of}
    if of in ("a", "z"):
        fault["of"] = f"{of} + 0"
    assert_is_the_references(run_with([fault], batch=2), 4)
    assert_is_the_references(run_with(["bias-after-activation", fault], batch=2), 4)


@pytest.mark.parametrize(
    ("name", "of", "said"),
    [
        ("gradient", "outer(delta, a)", "it gives 4 x 4, but W has 4 x 2 numbers"),
        ("gradient", "delta", "it gives 4 x samples, but W has 4 x 2 numbers"),
        ("gradient", "delta + W", "the parts of delta + W have different shapes"),
        ("gradient", "outer(delta, W)", "outer() needs two values of the layer"),
        ("gradient", "outer(delta)", "outer() takes 2 arguments, not 1"),
        ("gradient", "outer(delta, y)", "does not know y"),
        ("gradient", "__import__('os')", "does not know __import__()"),
        ("gradient", "delta.T", "cannot use 'delta.T'"),
        ("derivative", "sigmod", "did you mean sigmoid?"),
        ("derivative", "outer(z, a)", "does not know outer()"),
        ("derivative", "a * (1 - a", "is not a formula"),
        ("derivative", "z" + "*z" * 200, "is longer than 200 characters"),
        ("wrong-sign", "z + 1", "belongs to the fault derivative or gradient, not to wrong-sign"),
    ],
)
def test_a_formula_that_does_not_fit_is_refused_in_words(name: str, of: str, said: str) -> None:
    with pytest.raises(nntui.ConfigError, match=re.escape(said)):
        run_with([{"name": name, "of": of}])


def assert_scaled(faults: list[Any], factor: float, layers: list[int], **training: Any) -> None:
    """Exactly the steps of ``layers`` are ``factor`` times those of the correct run."""
    faulty, correct, start = after_one(faults, penalty=False, **training)
    assert layers_that_differ(faulty, correct) == layers
    np.testing.assert_array_equal(faulty.losses, correct.losses)
    for k, (mine, theirs) in enumerate(
        zip(steps(faulty, start), steps(correct, start), strict=True)
    ):
        expected = factor if k in layers else 1.0
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one, expected * other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layers", [[0, 1, 2], [0], [1], [0, 2]])
def test_a_wrong_sign_turns_the_layers_step_around(layers: list[int]) -> None:
    fault = {"name": "wrong-sign", "layers": layers}
    assert_scaled([fault], -1.0, layers, batch=2, learning_rate=1e-3)


@pytest.mark.parametrize("layers", [[0, 1, 2], [1], [0, 2]])
def test_a_wrong_factor_multiplies_the_layers_step(layers: list[int]) -> None:
    fault = {"name": "wrong-factor", "layers": layers}
    assert_scaled([fault], 2.0, layers, learning_rate=1e-3)
    for factor in (0.25, -3.0, 0.0):
        assert_scaled([{**fault, "factor": factor}], factor, layers, learning_rate=1e-3)


def test_a_wrong_factor_is_not_seen_with_adam() -> None:
    faulty, correct, _ = after_one(
        [{"name": "wrong-factor", "factor": 4.0}], optimiser="adam", epsilon=0.0
    )
    assert not differing(faulty, correct)


@pytest.mark.parametrize(("batch", "samples"), [(1, 1), (2, 2), (3, 3), ("full", 5)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("layers", [[0, 1, 2], [1], [0, 2]])
def test_a_sum_for_a_mean_makes_the_step_as_many_times_as_large(
    layers: list[int], reduction: str, batch: int | str, samples: int
) -> None:
    fault = {"name": "sum-for-mean", "layers": layers}
    training = {"batch": batch, "reduction": reduction, "learning_rate": 1e-3, "l2": 0.0}
    factor = samples if reduction == "mean" else 1 / samples
    assert_scaled([fault], factor, [] if samples == 1 else layers, **training)


def test_a_sum_for_a_mean_goes_by_the_samples_of_a_smaller_last_batch() -> None:
    # Five rows in twos: the last batch has one, and a sum over one is its mean.
    faulty, correct = (run_with(faults, batch=2) for faults in (["sum-for-mean"], []))
    for differ in ([0, 1, 2], [0, 1, 2], []):
        moved = Trainer(
            replace(correct.state, configuration=faulty.preset.configuration),
            lambda epoch, loss: None,
        )
        moved.advance(1)
        correct.step()
        pairs = zip(moved.parameters, correct.parameters, strict=True)
        assert [k for k, ((W, _), (V, _)) in enumerate(pairs) if not np.array_equal(W, V)] == differ


@pytest.mark.parametrize(
    ("layers", "differ"), [([2], [0, 1]), ([1], [0]), ([0], []), ([1, 2], [0, 1])]
)
def test_without_its_weights_a_layer_passes_the_sum_of_its_deltas_down(
    layers: list[int], differ: list[int]
) -> None:
    fault = {"name": "no-weights-in-backprop", "layers": layers}
    faulty, correct, _ = after_one([fault], penalty=False)
    assert layers_that_differ(faulty, correct) == differ
    np.testing.assert_array_equal(faulty.losses, correct.losses)


def test_without_weights_all_units_below_get_the_same_error() -> None:
    # Linear units: the hidden gradient of every unit is that of the others.
    run = run_with(["no-weights-in-backprop"], "identity", l2=0.0)
    start = run_with([], "identity", l2=0.0)
    run.step()
    gW, gb = steps(run, start)[1]
    np.testing.assert_allclose(gW, np.repeat(gW[:1], 3, axis=0), rtol=1e-12)
    np.testing.assert_allclose(gb, gb[0], rtol=1e-12)
    assert gb[0] != 0.0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_frozen_bias_stays_and_the_rest_goes_on(optimiser: str) -> None:
    fault = {"name": "frozen-bias", "layers": [0, 2]}
    training = {"optimiser": optimiser, "momentum": 0.5, "batch": 2}
    faulty, correct, start = after_one([fault], **training)
    assert differing(faulty, correct) == ["b0", "b2"]
    faulty.step(9)
    assert differing(faulty, start) == ["W0", "W1", "b1", "W2"]


def test_a_bias_after_the_activation_shifts_the_value_and_not_the_bend() -> None:
    run = run_with([{"name": "bias-after-activation", "layers": [1]}])
    first, second, third = Snapshot.of(run).layers
    plain = Snapshot.of(run_with([])).layers
    np.testing.assert_array_equal(first.a, plain[0].a)
    np.testing.assert_allclose(second.z, second.W @ first.a, rtol=1e-14)
    assert second.b is not None
    assert third.b is not None
    np.testing.assert_allclose(second.a, np.tanh(second.z) + second.b[:, None], rtol=1e-14)
    np.testing.assert_allclose(third.z, third.W @ second.a + third.b[:, None], rtol=1e-14)
    np.testing.assert_array_equal(run.outputs, third.a)
    np.testing.assert_array_equal(run.predict(INPUTS), run.outputs)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backprop_does_not_know_of_a_bias_after_the_activation(activation: str) -> None:
    # The slopes are f'(z) at z = W x, and nothing else.
    run = run_with(["bias-after-activation"], activation, batch=2, learning_rate=0.01)
    assert_is_the_references(run, 4)


def test_faults_of_the_gradient_leave_a_layer_without_bias_alone() -> None:
    for name in FAULTS:
        source = table_of(run_with([name], batch=2).preset)
        layers = [{**layer, "bias": "none"} for layer in source["layers"]]
        run = nntui.Run(made({**source, "layers": layers}), seed=3)
        assert all(b is None for _, b in run.parameters)
        assert_is_the_references(run, 2)


@pytest.mark.parametrize("name", ["binary-cross-entropy", "categorical-cross-entropy"])
def test_a_derivative_that_is_never_evaluated_cannot_be_wrong(name: str) -> None:
    output = {"binary-cross-entropy": "sigmoid", "categorical-cross-entropy": "softmax"}[name]
    runs = []
    faults: list[list[Any]] = [[], ["derivative", "derivative-at-a"]]
    for listed in faults:
        source = {
            "faults": listed,
            "data": {"inputs": INPUTS, "targets": [[0, 1], [1, 0], [0.5, 0.5], [1, 0], [0, 1]]},
            "layers": [{"units": 2, "activation": output}],
            "training": {"loss": name, "learning_rate": 0.1},
        }
        runs.append(nntui.Run(made(source)))
        runs[-1].step(3)
    assert not differing(*runs)


@pytest.mark.parametrize(
    ("name", "changes", "effect"),
    [
        ("xor-relu", {"faults": ["bias-decay"]}, False),
        ("add-relu", {"faults": ["bias-decay"]}, True),
        ("xor-relu", {"faults": [{"name": "derivative", "layers": [1]}]}, False),
        ("xor-sigmoid", {"faults": [{"name": "derivative", "layers": [0]}]}, True),
        ("add-relu", {"faults": [{"name": "update-before-backprop", "layers": [0]}]}, False),
        ("add-relu", {"faults": ["penalty-sum"]}, False),
        ("square-leaky-relu", {}, True),
        ("add-relu", {"faults": ["wrong-sign"]}, True),
    ],
)
def test_a_fault_that_can_change_nothing_is_known(
    name: str, changes: dict[str, Any], effect: bool
) -> None:
    of = override(load_preset(name), changes)
    correct = override(load_preset(name), {"faults": []})
    assert has_effect(of.configuration, of.configuration.faults[0]) == effect
    faulty, plain = nntui.Run(of, seed=2), nntui.Run(correct, seed=2)
    faulty.step(30)
    plain.step(30)
    same = np.array_equal(faulty.losses, plain.losses) and not layers_that_differ(faulty, plain)
    assert same == (not effect)


def program_of(run: nntui.Run) -> tuple[list[Array], list[Array]]:
    """W and b of each layer, for a program that keeps its samples in columns."""
    weights = [W.copy() for W, _ in run.parameters]
    biases = [b.reshape(-1, 1).copy() for _, b in run.parameters if b is not None]
    return weights, biases


def assert_has(run: nntui.Run, weights: list[Array], biases: list[Array]) -> None:
    for W, b, (V, c) in zip(weights, biases, run.parameters, strict=True):
        assert c is not None
        np.testing.assert_allclose(V, W, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(c, b.ravel(), rtol=1e-11, atol=1e-13)


X, Y = np.array(INPUTS).T, np.array(TARGETS).T


def activations(weights: list[Array], biases: list[Array]) -> list[Array]:
    """The inputs `X`, then the activations of each tanh layer, (units, samples)."""
    a = [X]
    for W, b in zip(weights, biases, strict=True):
        a.append(np.tanh(W @ a[-1] + b))
    return a


def test_a_penalty_before_the_update_is_that_of_the_program_that_does_so() -> None:
    run = run_with(["penalty-before-update"], l1=0.05, reduction="sum", learning_rate=0.02)
    W, b = program_of(run)
    for _ in range(3):
        run.step()
        a = activations(W, b)
        for k in range(3):
            W[k] -= 0.02 * (0.1 * W[k] + 0.05 * np.sign(W[k]))
        delta = 2 * (a[3] - Y) * (1 - a[3] ** 2)
        for k in (2, 1, 0):
            below = (W[k].T @ delta) * (1 - a[k] ** 2)
            W[k] -= 0.02 * delta @ a[k].T
            b[k] -= 0.02 * delta.sum(axis=1, keepdims=True)
            # The weights of a layer are used before its own step: only the penalty came first.
            delta = below
    assert_has(run, W, b)


def test_an_error_for_delta_is_that_of_the_program_that_passes_it_down() -> None:
    run = run_with(["error-for-delta"], loss="half-squared-error", reduction="sum", l2=0.0)
    W, b = program_of(run)
    for _ in range(3):
        run.step()
        a = activations(W, b)
        error, steps = a[3] - Y, []
        for k in (2, 1, 0):
            delta = error * (1 - a[k + 1] ** 2)
            steps.append((k, delta @ a[k].T, delta.sum(axis=1, keepdims=True)))
            error = W[k].T @ error
        for k, gW, gb in steps:
            W[k] -= RATE * gW
            b[k] -= RATE * gb
    assert_has(run, W, b)


def test_a_softmax_over_the_samples_is_that_of_the_program_that_takes_it() -> None:
    source = {
        "faults": ["softmax-over-samples"],
        "data": {"inputs": INPUTS, "targets": [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]},
        "layers": [
            {"units": 4, "activation": "tanh", "init": "normal"},
            {"units": 2, "activation": "softmax", "init": "normal"},
        ],
        "training": {
            "loss": "categorical-cross-entropy",
            "reduction": "sum",
            "learning_rate": RATE,
            "batch": 3,
        },
    }
    run = nntui.Run(made(source), seed=3)
    W, b = program_of(run)
    targets = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 0]])
    for _ in range(2):
        run.step(2)
        for rows in (slice(0, 3), slice(3, 5)):
            x, y = X[:, rows], targets[:, rows]
            hidden = np.tanh(W[0] @ x + b[0])
            powers = np.exp(W[1] @ hidden + b[1])
            delta = powers / powers.sum(axis=1, keepdims=True) - y
            below = (W[1].T @ delta) * (1 - hidden**2)
            for k, d, h in ((1, delta, hidden), (0, below, x)):
                W[k] -= RATE * d @ h.T
                b[k] -= RATE * d.sum(axis=1, keepdims=True)
    assert_has(run, W, b)
    outputs = run.predict(INPUTS)
    np.testing.assert_allclose(outputs.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("penalty-before-update", {"training.l2": 0.0}),
        ("error-for-delta", {"layers": [{"units": 2, "activation": "tanh"}]}),
        ("softmax-over-samples", {}),
    ],
)
def test_a_fault_that_changes_nothing_is_said_to_have_no_effect(
    name: str, changes: dict[str, Any]
) -> None:
    configuration = override(run_with([name]).preset, changes).configuration
    assert not has_effect(configuration, configuration.faults[0])
