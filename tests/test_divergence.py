"""A divergence is the last update, is named, and hides nothing that came before."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import reference
from support import made, preset

import nntui
from nntui.core.network import Parameters
from nntui.presets import Preset

LEAKY = {f"layers__{layer}__activation": "leaky-relu" for layer in range(3)}
WILD: dict[str, Preset] = {
    "add-relu": preset("add-relu", training__learning_rate=1e6),
    "add-relu in batches": preset("add-relu", training__learning_rate=1e3, training__batch=4),
    "add-relu-momentum": preset("add-relu-momentum", training__learning_rate=1e5),
    "add-sigmoid, late": preset("add-sigmoid", training__learning_rate=3.0),
    "largest rate": preset("add-relu", training__learning_rate=1e308),
    "line-leaky-relu": preset("line-leaky-relu", training__learning_rate=1e30),
    "line-leaky-relu-bias": preset("line-leaky-relu-bias", training__learning_rate=1e60),
    "line-tanh": preset("line-tanh", training__learning_rate=1e308, training__l2=1e3),
    "no fault": preset("add-relu", training__learning_rate=10.0, faults=[], **LEAKY),
    "no fault, edited": preset("line-leaky-relu-edited", training__learning_rate=1e3),
    "no fault, penalty": preset("line-tanh", training__l2=100.0, faults=[]),
    "no fault, momentum in batches": preset(
        "add-relu-momentum",
        training__learning_rate=10.0,
        training__batch=4,
        faults=[],
        **LEAKY,
    ),
}
SEEDS = range(4)
MOST = 2000


def diverged(preset: Preset, seed: int) -> nntui.Run:
    run = nntui.Run(preset, seed=seed)
    run.step(MOST)
    assert run.divergence is not None
    return run


def velocities(run: nntui.Run) -> Parameters:
    """The momentum's vectors, zero where the optimiser has none."""
    state, made = run.state, []
    vector = state.slots[0] if state.slots else np.zeros_like(state.theta)
    for W, b in run.parameters:
        part, vector = vector[: W.size], vector[W.size :]
        made.append((part.reshape(W.shape), None if b is None else vector[: b.size]))
        vector = vector[0 if b is None else b.size :]
    return made


def first_bad(run: nntui.Run, rows: slice) -> dict[str, Any] | None:
    """What the reference finds first in the update that follows the cursor."""
    configuration = run.preset.configuration
    x, y = reference.data_of(configuration)
    update = reference.Update(configuration, run.parameters, velocities(run), x[rows], y[rows])
    for tensor, layer, values in update.computed:
        bad = ~np.isfinite(values)
        if not bad.any():
            continue
        found = {"tensor": tensor, "layer": layer}
        if tensor[0].isupper() or tensor[-1] in "Wb":
            return {**found, "cell": tuple(np.argwhere(bad)[0].tolist()), "sample": None}
        # Units first, then samples, as the engine counts.
        unit, sample = np.argwhere(bad.T)[0].tolist()
        return {**found, "cell": (unit,), "sample": rows.start + sample}
    with np.errstate(all="ignore"):
        loss = reference.reported(configuration, run.parameters, x[rows], y[rows])
    if not np.isfinite(run.state.loss_sum + loss):
        return {"tensor": "loss", "layer": None, "cell": (), "sample": None}
    return None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WILD)
def test_the_update_that_diverges_is_the_first_to_hold_a_bad_number(name: str, seed: int) -> None:
    run = diverged(WILD[name], seed)
    end = run.update
    assert run.divergence is not None
    assert run.divergence.update == end == run.head
    batches = reference.batches(run.preset.configuration)
    for update in range(max(0, end - 20), end):
        run.seek(update)
        found = first_bad(run, batches[update % len(batches)])
        assert (found is None) == (update < end - 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WILD)
def test_the_first_bad_number_is_the_one_that_a_walk_finds(name: str, seed: int) -> None:
    run = diverged(WILD[name], seed)
    assert run.divergence is not None
    named = asdict(run.divergence)
    run.seek(run.update - 1)
    batches = reference.batches(run.preset.configuration)
    expected = first_bad(run, batches[run.update % len(batches)])
    assert expected is not None
    assert {key: named[key] for key in expected} == expected


@pytest.mark.parametrize("name", WILD)
def test_a_divergence_is_the_end_and_the_past_stays(name: str) -> None:
    run, straight = diverged(WILD[name], 0), nntui.Run(WILD[name], seed=0)
    found, end, last = run.divergence, run.update, run.state_hash
    assert found is not None
    assert found.what.startswith(found.tensor)
    assert run.snapshot().divergence == found
    run.step(5)
    assert (run.update, run.state_hash, run.divergence) == (end, last, found)
    for beyond in (end + 1, end + 10**6):
        assert run.seek(beyond).divergence == found
        assert (run.update, run.head, run.state_hash) == (end, end, last)
    run.set_checkpoint()
    hashes = [straight.state_hash]
    for _ in range(end):
        straight.step()
        hashes.append(straight.state_hash)
    assert hashes[-1] == last
    for update in [*range(0, end + 1, 1 + end // 15), end - 1, 0]:
        run.seek(update)
        assert (run.update, run.state_hash) == (update, hashes[update])
        assert run.divergence == (found if update == end else None)
        run.seek(end + 3)
        assert (run.update, run.state_hash, run.divergence) == (end, last, found)
    assert run.head == end
    assert np.isfinite(run.losses[:-1]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_smaller_batch_is_not_poisoned_by_what_a_divergence_left(seed: int) -> None:
    run = nntui.Run(WILD["no fault, momentum in batches"], seed=seed)
    run.step(1)
    run.set_checkpoint()
    run.step(1)
    expected = run.state_hash
    run.step(MOST)
    end, last = run.update, run.state_hash
    assert run.divergence is not None
    run.seek(1)
    run.step(1)
    assert run.divergence is None
    assert run.state_hash == expected
    run.step(MOST)
    assert (run.update, run.state_hash) == (end, last)


def network(weight: float, **report: Any) -> nntui.Run:
    """Two ReLU layers on one row; the first layer's weights are -|w| times ``weight``."""
    unit = {"units": 1, "activation": "relu"}
    source = {
        "data": {"inputs": [[1e200]], "targets": [[1.0]]},
        "layers": [{**unit, "init": "uniform", "scale": weight}, unit],
        "training": {"loss": "squared-error", "learning_rate": 0.1, "l2": 1e-3},
        "report": {"loss": "squared-error", **report},
    }
    return nntui.Run(made(source), seed=0)


def test_an_overflow_that_relu_hides_from_the_loss_is_caught() -> None:
    run = network(-1e200)
    report = run.step(3)
    found = report.divergence
    assert found is not None
    assert (found.update, found.tensor, found.layer, found.cell) == (1, "z", 0, (0,))
    assert (found.sample, found.value) == (0, "-inf")
    assert found.what == "z of layer 0, unit 0, sample 0 is -inf"
    assert run.loss == 1.0


def test_numbers_whose_squares_overflow_are_not_taken_for_a_divergence() -> None:
    run = network(-1e100)
    run.step(3)
    assert run.divergence is None
    assert run.losses.tolist() == [1.0, 1.0, 1.0]


def test_a_penalty_that_overflows_is_a_loss_that_is_not_finite() -> None:
    source = {
        "data": {"inputs": [[0.0]], "targets": [[1.0]]},
        "layers": [{"units": 1, "init": "uniform", "scale": 1e200}],
        "training": {"loss": "squared-error", "learning_rate": 1e-3, "l2": 1e-3},
        "report": {"loss": "squared-error", "penalty": True},
    }
    run = nntui.Run(made(source), seed=0)
    found = run.step(2).divergence
    assert found is not None
    assert (found.update, found.tensor, found.layer) == (1, "loss", None)
