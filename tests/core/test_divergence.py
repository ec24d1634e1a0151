"""A divergence is the last update, is named, and hides nothing that came before."""

from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import pytest
import reference
from support import Array, made, preset, unflat

import nntui
from nntui.core.engine.network import Parameters
from nntui.presets import Preset
from nntui.timeline import Snapshot

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
    "shuffled": preset(
        "add-relu", training__learning_rate=10.0, training__order="shuffled", faults=[], **LEAKY
    ),
    "shuffled in batches": preset(
        "add-relu", training__learning_rate=10.0, training__order="shuffled", training__batch=4
    ),
    "drawn at random, nesterov": preset(
        "add-relu",
        training__learning_rate=10.0,
        training__order="random",
        training__draws=9,
        training__batch=2,
        training__optimiser="nesterov",
        training__momentum=0.5,
        faults=[],
        **LEAKY,
    ),
    "rmsprop": preset(
        "line-tanh", training__learning_rate=1e308, training__optimiser="rmsprop", faults=[]
    ),
    "adam, a rate that grows": preset(
        "add-relu",
        training__learning_rate=1.0,
        training__optimiser="adam",
        training__order="shuffled",
        training__schedule="exponential",
        training__schedule_decay=1e6,
        training__schedule_every=1,
        faults=[],
        **LEAKY,
    ),
    "softplus": preset(
        "add-relu",
        training__learning_rate=1e5,
        training__order="shuffled",
        layers__0__activation="softplus",
        layers__1__activation="elu",
        layers__2__activation="identity",
        faults=[],
    ),
}
SEEDS = range(4)
MOST = 2000


def diverged(preset: Preset, seed: int) -> nntui.Run:
    run = nntui.Run(preset, seed=seed)
    run.step(MOST)
    assert run.divergence is not None
    return run


def slots(run: nntui.Run) -> dict[str, Parameters]:
    """The optimiser's vectors by name, cut into layers."""
    names = reference.slots_of(run.preset.configuration.training)
    vectors = zip(names, run.state.slots, strict=True)
    return {name: unflat(vector, run.parameters) for name, vector in vectors}


@cache
def rows_of(name: str, seed: int) -> list[Array]:
    """The data rows of every update, from the reference's own draws."""
    configuration = WILD[name].configuration
    random = np.random.RandomState(seed)
    reference.initial(configuration, random)
    rows: list[Array] = []
    while len(rows) <= MOST:
        rows += reference.batches(configuration, reference.order_of(configuration, random))
    return rows


def first_bad(run: nntui.Run, rows: Array) -> dict[str, Any] | None:
    """What the reference finds first in the update that follows the cursor."""
    configuration = run.preset.configuration
    x, y = reference.data_of(configuration)
    training = configuration.training
    update = reference.Update(
        configuration,
        run.parameters,
        slots(run),
        x[rows],
        y[rows],
        number=run.update + 1,
        rate=training.learning_rate * reference.rate_factor(training, run.epoch),
    )
    for tensor, layer, values in update.computed:
        bad = ~np.isfinite(values)
        if not bad.any():
            continue
        found = {"tensor": tensor, "layer": layer}
        if tensor[0].isupper() or tensor[-1] in "Wb":
            return {**found, "cell": tuple(np.argwhere(bad)[0].tolist()), "sample": None}
        # Units first, then samples, as the engine counts.
        unit, sample = np.argwhere(bad.T)[0].tolist()
        return {**found, "cell": (unit,), "sample": int(rows[sample])}
    loss = reference.reported(configuration, run.parameters, x[rows], y[rows])
    if not np.isfinite(run.state.loss_sum + loss):
        return {"tensor": "loss", "layer": None, "cell": (), "sample": None}
    return None


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WILD)
def test_the_update_that_diverges_is_the_first_to_hold_a_bad_number(name: str, seed: int) -> None:
    run = diverged(WILD[name], seed)
    end = run.update
    assert run.divergence is not None
    assert run.divergence.update == end == run.head
    rows = rows_of(name, seed)
    for update in range(max(0, end - 20), end):
        run.seek(update)
        found = first_bad(run, rows[update])
        assert (found is None) == (update < end - 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WILD)
def test_the_first_bad_number_is_the_one_that_a_walk_finds(name: str, seed: int) -> None:
    run = diverged(WILD[name], seed)
    assert run.divergence is not None
    named = asdict(run.divergence)
    run.seek(run.update - 1)
    expected = first_bad(run, rows_of(name, seed)[run.update])
    assert expected is not None
    assert {key: named[key] for key in expected} == expected


@pytest.mark.parametrize("name", WILD)
def test_a_divergence_is_the_end_and_the_past_stays(name: str) -> None:
    run, straight = diverged(WILD[name], 0), nntui.Run(WILD[name], seed=0)
    found, end, last = run.divergence, run.update, run.state_hash
    assert found is not None
    assert found.what.startswith(found.tensor)
    assert Snapshot.of(run).divergence == found
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


@pytest.mark.parametrize("row", range(5))
@pytest.mark.parametrize("batch", [1, 2, "full"])
def test_a_divergence_names_the_data_row_also_when_shuffled(batch: int | str, row: int) -> None:
    # One input overflows on its way through the weight; the others are harmless.
    inputs = [[0.1 * at] for at in range(5)]
    inputs[row] = [1e200]
    source = {
        "data": {"inputs": inputs, "targets": [[0.0]] * 5},
        "layers": [{"units": 1, "init": "uniform", "scale": 1e200, "activation": "tanh"}],
        "training": {
            "loss": "squared-error",
            "learning_rate": 0.0,
            "batch": batch,
            "order": "shuffled",
        },
    }
    for seed in range(6):
        run = nntui.Run(made(source), seed=seed)
        told = []
        while run.divergence is None:
            told.append(Snapshot.of(run).next_rows)
            assert run.update < 5
            run.step()
        assert row in told[-1]
        assert not any(row in rows for rows in told[:-1])
        assert (run.divergence.tensor, run.divergence.sample) == ("z", row)
        assert run.divergence.what == f"z of layer 0, unit 0, sample {row} is inf"


@pytest.mark.parametrize("batch", [1, 2, "full"])
def test_a_divergence_names_the_data_row_also_when_rows_are_held_back(batch: int | str) -> None:
    inputs = [[0.1 * at] for at in range(9)]
    inputs[6] = [1e200]
    source = {
        "data": {"inputs": inputs, "targets": [[0.0]] * 9, "test_share": 0.4},
        "layers": [{"units": 1, "init": "uniform", "scale": 1e200, "activation": "tanh"}],
        "training": {"loss": "squared-error", "learning_rate": 0.0, "batch": batch},
    }
    named = []
    for seed in range(8):
        run = nntui.Run(made({**source, "data": {**source["data"], "seed": seed}}), seed=1)
        run.step(5)
        if run.divergence is not None:
            named.append(run.divergence.sample)
    assert 0 < len(named) < 8
    assert set(named) == {6}


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 2, 5, 33])
@pytest.mark.parametrize("units", [1, 3, 64])
@pytest.mark.parametrize("activation", ["tanh", "identity", "relu", "leaky-relu"])
@pytest.mark.parametrize("bias", ["none", "per-unit"])
def test_an_overflow_on_the_way_back_is_not_lost_in_inputs_of_zero(
    activation: str, units: int, width: int, batch: int, bias: str
) -> None:
    # z, a, error and loss are finite; W^T delta is not, and then meets zeros only.
    source = {
        "data": {"inputs": [[0.0] * width] * 5, "targets": [[1e150]] * 5},
        "layers": [
            {"units": units, "activation": activation, "init": "normal", "bias": bias},
            {"units": 1, "init": "uniform", "scale": 1e200, "bias": bias},
        ],
        "training": {"loss": "half-squared-error", "learning_rate": 1e-300, "batch": batch},
    }
    run = nntui.Run(made(source), seed=0)
    found = run.step().divergence
    assert found is not None
    assert (found.update, found.tensor, found.layer, found.value) == (1, "upstream", 0, "-inf")
