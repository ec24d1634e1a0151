"""Which rows an update sees: the order of an epoch, its batches, and what is reported of them."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from support import Array, flat, made

import nntui
from nntui.core.settings.training_settings import ORDERS
from nntui.timeline import Snapshot

ROWS = 7
INPUTS = [[0.3, -0.7], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.8], [-1.2, -0.1], [0.5, 0.6], [0.9, -0.9]]
TARGETS = [[0.4], [-0.3], [0.7], [0.1], [-0.5], [0.8], [-0.2]]


def source(**training: Any) -> dict[str, Any]:
    hidden = {"units": 3, "activation": "tanh", "init": "normal", "bias_init": "normal"}
    return {
        "data": {"inputs": INPUTS, "targets": TARGETS},
        "layers": [hidden, {"units": 1, "init": "he", "bias_init": "uniform"}],
        "training": {"loss": "squared-error", "learning_rate": 0.05, **training},
    }


def run_with(seed: int = 0, **training: Any) -> nntui.Run:
    return nntui.Run(made(source(**training)), seed=seed)


def drawn_before(seed: int) -> np.random.RandomState:
    """The generator after the parameters: two matrices of normal numbers, two biases."""
    random = np.random.RandomState(seed)
    random.randn(3, 2)
    random.randn(3)
    random.randn(1, 3)
    random.rand(1)
    return random


def epochs_of(run: nntui.Run, epochs: int) -> list[list[tuple[int, ...]]]:
    """The rows of every update, epoch by epoch, as the run tells them before it takes them."""
    told = []
    for _ in range(epochs):
        told.append([])
        for _ in range(run.preset.configuration.updates_per_epoch):
            told[-1].append(Snapshot.of(run).next_rows)
            run.step()
    return told


def parts(order: Array, size: int) -> list[tuple[int, ...]]:
    return [tuple(order[at : at + size].tolist()) for at in range(0, len(order), size)]


@pytest.mark.parametrize("batch", [1, 3, 7, 50, "full"])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_shuffled_is_one_permutation_an_epoch_after_the_parameters(
    seed: int, batch: int | str
) -> None:
    run, random = run_with(seed, order="shuffled", batch=batch), drawn_before(seed)
    for told in epochs_of(run, 6):
        assert told == parts(random.permutation(ROWS), ROWS if batch == "full" else int(batch))
        assert sorted(row for rows in told for row in rows) == list(range(ROWS))


@pytest.mark.parametrize("draws", [None, 1, 5, 20])
@pytest.mark.parametrize("batch", [1, 3, "full"])
def test_random_is_as_many_whole_numbers_an_epoch_as_draws(
    batch: int | str, draws: int | None
) -> None:
    training = {"order": "random", "batch": batch}
    run = run_with(5, **training) if draws is None else run_with(5, **training, draws=draws)
    random, count = drawn_before(5), draws or ROWS
    for told in epochs_of(run, 6):
        expected = random.randint(0, ROWS, count)
        assert told == parts(expected, count if batch == "full" else int(batch))


@pytest.mark.parametrize("batch", [1, 3, "full"])
def test_in_order_takes_the_rows_as_they_stand_and_draws_nothing(batch: int | str) -> None:
    run = run_with(5, batch=batch)
    before = run.state.random
    for told in epochs_of(run, 3):
        assert told == parts(np.arange(ROWS), ROWS if batch == "full" else int(batch))
    assert run.state.random[2:] == before[2:]
    np.testing.assert_array_equal(run.state.random[1], before[1])
    assert run.state.order is None


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_changes_nothing_about_the_start(order: str) -> None:
    np.testing.assert_array_equal(
        flat(run_with(3, order=order).parameters), flat(run_with(3).parameters)
    )


def test_orders_differ_from_epoch_to_epoch_and_from_seed_to_seed() -> None:
    for order in ("shuffled", "random"):
        one, two = (epochs_of(run_with(seed, order=order, batch=1), 5) for seed in (0, 1))
        assert len({str(told) for told in one + two}) == 10


@pytest.mark.slow
@given(
    st.sampled_from(ORDERS),
    st.sampled_from([1, 2, 3, 5, "full"]),
    st.sampled_from(["sum", "mean"]),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_any_order_trains_on_the_rows_it_tells_and_reports_them(
    order: str, batch: int | str, reduction: str, draws: int, seed: int
) -> None:
    table = source(order=order, batch=batch, reduction=reduction)
    table["report"] = {"loss": "half-absolute-error", "reduction": reduction}
    if order == "random":
        table["training"]["draws"] = draws
    run = nntui.Run(made(table), seed=seed)
    for update, rows, losses in islice(reference.training(run.preset.configuration, seed), 25):
        assert Snapshot.of(run).next_rows == tuple(rows)
        run.step()
        np.testing.assert_allclose(
            flat(run.parameters), flat(update.parameters), rtol=1e-9, atol=1e-12
        )
        assert len(losses) == run.epoch
        np.testing.assert_allclose(run.losses, losses, rtol=1e-9)


@pytest.mark.parametrize(("draws", "batch"), [(3, 2), (20, 6), (20, "full"), (1, 1)])
def test_the_reported_mean_is_over_the_samples_that_were_drawn(
    draws: int, batch: int | str
) -> None:
    # With a rate of 0 the loss of an epoch is the mean over its rows, however often each came.
    table = source(order="random", draws=draws, batch=batch)
    table["training"]["learning_rate"] = 0.0
    run = nntui.Run(made(table), seed=1)
    errors = (run.outputs - run.targets)[0] ** 2
    for epoch, told in enumerate(epochs_of(run, 5)):
        taken = [row for rows in told for row in rows]
        assert len(taken) == draws
        assert run.losses[epoch] == pytest.approx(errors[taken].mean(), rel=1e-12)


def test_the_last_batch_of_an_epoch_is_averaged_over_its_own_samples() -> None:
    # Seven rows in fours: the fifth to seventh make an update of three.
    run = run_with(0, order="shuffled", batch=4)
    assert [len(rows) for rows in epochs_of(run, 1)[0]] == [4, 3]
    updates = list(islice(reference.training(run.preset.configuration, 0), 2))
    np.testing.assert_allclose(flat(run.parameters), flat(updates[-1][0].parameters), rtol=1e-10)


def test_a_batch_larger_than_the_data_is_the_full_batch() -> None:
    large, full = run_with(0, batch=1000), run_with(0, batch="full")
    assert large.preset.configuration.updates_per_epoch == 1
    for run in (large, full):
        run.step(10)
    np.testing.assert_array_equal(flat(large.parameters), flat(full.parameters))


@pytest.mark.parametrize("order", ["shuffled", "random"])
def test_rows_of_the_next_update_are_told_after_going_back(order: str) -> None:
    run = run_with(4, order=order, batch=2)
    told = [rows for epoch in epochs_of(run, 10) for rows in epoch]
    for update in (39, 3, 4, 17, 0, 25, 8):
        run.seek(update)
        assert Snapshot.of(run).next_rows == told[update]


def test_an_order_is_part_of_the_state() -> None:
    first = {order: run_with(4, order=order, batch=2).state_hash for order in ORDERS}
    assert len(set(first.values())) == 3
    run = run_with(4, order="shuffled", batch=2)
    order = run.state.order
    assert order is not None
    assert not order.flags.writeable
    run.step(4)
    assert run.state.order is not None
    assert not np.array_equal(run.state.order, order)
    run.seek(3)
    np.testing.assert_array_equal(run.state.order, order)
