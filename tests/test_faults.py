"""Each fault changes what it says and nothing else."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
import reference
from support import flat, made

import nntui
from nntui.core.activations import ACTIVATIONS
from nntui.core.faults import FAULTS

INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1]]
TARGETS = [[0.4], [-0.3], [0.7], [0.1], [-0.5]]
RATE = 0.125


def run_with(
    faults: list[Any], activation: str = "tanh", *, seed: int = 3, **training: Any
) -> nntui.Run:
    """A 2-4-3-1 network on five rows."""
    start = {"activation": activation, "init": "normal", "bias_init": "normal", "leak": 0.2}
    source = {
        "faults": faults,
        "data": {"inputs": INPUTS, "targets": TARGETS},
        "layers": [{"units": units, **start} for units in (4, 3, 1)],
        "training": {"loss": "squared-error", "learning_rate": RATE, "l2": 0.1, **training},
        "report": {"loss": "squared-error", "penalty": True},
    }
    return nntui.Run(made(source), seed=seed)


def layers_that_differ(faulty: nntui.Run, correct: nntui.Run) -> list[int]:
    """Layers whose parameters are not the same to the last bit."""
    pairs = zip(faulty.parameters, correct.parameters, strict=True)
    return [
        k
        for k, ((W, b), (V, c)) in enumerate(pairs)
        if not (np.array_equal(W, V) and np.array_equal(b, c))  # type: ignore[arg-type]
    ]


SWITCHED: list[list[Any]] = [
    [],
    ["bias-decay"],
    [{"name": "bias-decay", "layers": [1]}],
    ["update-before-backprop"],
    [{"name": "update-before-backprop", "layers": [1]}],
    [{"name": "update-before-backprop", "layers": [0, 2]}],
    ["derivative"],
    [{"name": "derivative", "layers": [0, 2]}],
    [{"name": "derivative", "of": "relu", "layers": [1]}],
    ["penalty-sum"],
    [{"name": "penalty-sum", "layers": [0, 1]}],
    ["bias-decay", "update-before-backprop", "derivative", "penalty-sum"],
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
    expected = reference.training(run.preset.configuration, run.parameters)
    for update, losses in islice(expected, 12):
        run.step()
        np.testing.assert_allclose(
            flat(run.parameters), flat(update.parameters), rtol=1e-10, atol=1e-13
        )
        np.testing.assert_allclose(run.losses, losses, rtol=1e-10)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_makes_a_difference_that_it_does_not_make_in_no_layer(name: str) -> None:
    correct, nowhere, everywhere = (
        run_with(faults, batch=1) for faults in ([], [{"name": name, "layers": []}], [name])
    )
    for run in (correct, nowhere, everywhere):
        run.step(5)
    assert not layers_that_differ(nowhere, correct)
    np.testing.assert_array_equal(nowhere.losses, correct.losses)
    assert not np.array_equal(everywhere.losses, correct.losses)


def test_bias_decay_takes_the_bias_for_its_gradient_and_leaves_the_weights() -> None:
    faulty, correct = run_with([{"name": "bias-decay", "layers": [0, 2]}]), run_with([])
    start = faulty.parameters
    faulty.step()
    correct.step()
    for k, (W, b) in enumerate(faulty.parameters):
        np.testing.assert_array_equal(W, correct.parameters[k][0])
        before = start[k][1]
        assert before is not None
        decayed = before - RATE * before
        np.testing.assert_array_equal(b, correct.parameters[k][1] if k == 1 else decayed)


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


@pytest.mark.parametrize(
    ("layers", "differ"),
    [(None, [0, 1]), ([2], [0, 1]), ([1, 2], [0, 1]), ([1], [0]), ([0], []), ([0, 1], [0])],
)
def test_updating_early_reaches_the_layers_below_and_no_other(
    layers: list[int] | None, differ: list[int]
) -> None:
    fault: dict[str, Any] = {"name": "update-before-backprop"}
    faulty = run_with([fault if layers is None else {**fault, "layers": layers}])
    correct = run_with([])
    faulty.step()
    correct.step()
    assert layers_that_differ(faulty, correct) == differ


@pytest.mark.parametrize(
    ("layers", "differ"), [([2], [0, 1, 2]), ([1], [0, 1]), ([0], [0]), ([], [])]
)
def test_a_wrong_derivative_reaches_its_layer_and_those_below(
    layers: list[int], differ: list[int]
) -> None:
    faulty, correct = run_with([{"name": "derivative", "layers": layers}]), run_with([])
    faulty.step()
    correct.step()
    assert layers_that_differ(faulty, correct) == differ


@pytest.mark.parametrize("of", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_wrong_derivative_is_that_of_the_other_activation(activation: str, of: str) -> None:
    run = run_with([{"name": "derivative", "of": of}], activation, batch=1)
    update, _ = next(reference.training(run.preset.configuration, run.parameters))
    run.step()
    np.testing.assert_allclose(
        flat(run.parameters), flat(update.parameters), rtol=1e-10, atol=1e-13
    )


@pytest.mark.parametrize("layers", [[0, 1, 2], [1], [0, 2]])
def test_a_summed_penalty_is_told_and_not_followed(layers: list[int]) -> None:
    faulty, correct = run_with([{"name": "penalty-sum", "layers": layers}]), run_with([])
    for _ in range(3):
        faulty.step()
        correct.step()
        assert not layers_that_differ(faulty, correct)
        weights = [faulty.parameters[k][0] for k in layers]
        told = 0.05 * sum(W.sum() - (W**2).sum() for W in weights)
        assert faulty.losses[-1] - correct.losses[-1] == pytest.approx(told, rel=1e-9)
