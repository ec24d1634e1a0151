"""Changing the configuration in the middle of a run: what is kept, what begins, what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from example_counts import WALKS
from hypothesis import given
from hypothesis import strategies as st
from support import Array, flat, preset
from walks import LIVE, SEED, STRUCTURAL, WALKED, WRONG, Changes, Script, stepped, trajectory

import nntui
from nntui.core.engine.changes import changed
from nntui.core.engine.state import State
from nntui.core.engine.trainer import initial_state
from nntui.core.engine.update import optimiser_of
from nntui.core.errors import ConfigError
from nntui.presets import Preset
from nntui.presets.schema import override
from nntui.timeline import Snapshot
from nntui.timeline.history.termination import BUDGET, TARGET, Termination
from nntui.timeline.run import Run

PLAIN = preset("add-fixed", training__batch="full")
"""No fault, so that a finite difference of the loss is the gradient of an update."""


def slots(state: State) -> dict[str, Array]:
    return dict(zip(optimiser_of(state.configuration).slots, state.slots, strict=True))


def state_at(source: Preset, updates: int) -> State:
    run = nntui.Run(source, SEED)
    run.step(updates)
    return run.state


def after(state: State, source: Preset, **changes: Any) -> State:
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return changed(state, override(source, dotted).configuration)


def test_an_optimiser_keeps_its_slots_when_its_numbers_change() -> None:
    for name, values in {
        "sgd": {"training__momentum": 0.5},
        "nesterov": {"training__momentum": 0.5},
        "rmsprop": {"training__rho": 0.5},
        "adam": {"training__beta1": 0.5, "training__learning_rate": 0.1},
    }.items():
        source = preset("add-fixed", training__optimiser=name, training__momentum=0.9)
        state = state_at(source, 20)
        new = after(state, source, **values)
        assert slots(new).keys() == slots(state).keys()
        for slot, vector in slots(state).items():
            assert vector.any()
            np.testing.assert_array_equal(slots(new)[slot], vector)
        assert (new.since, new.update) == (0, 20)


def test_a_slot_that_was_not_there_begins_at_0() -> None:
    source = preset("add-fixed", training__momentum=0.0)
    state = state_at(source, 20)
    new = after(state, source, training__momentum=0.9)
    assert list(slots(new)) == ["velocity"]
    assert not slots(new)["velocity"].any()
    assert new.since == 0
    np.testing.assert_array_equal(new.theta, state.theta)


@pytest.mark.parametrize("name", ["sgd", "nesterov", "rmsprop", "adam"])
@pytest.mark.parametrize("other", ["sgd", "nesterov", "rmsprop", "adam"])
def test_another_optimiser_begins_with_slots_at_0(name: str, other: str) -> None:
    source = preset("add-fixed", training__optimiser=name, training__momentum=0.9)
    state = state_at(source, 20)
    new = after(state, source, training__optimiser=other)
    assert tuple(slots(new)) == optimiser_of(new.configuration).slots
    assert all(vector.any() == (other == name) for vector in new.slots)
    assert new.since == (0 if other == name else 20)


def test_after_a_switch_to_adam_it_counts_from_1() -> None:
    run = nntui.Run(PLAIN, SEED)
    run.step(5)
    rate, beta1, beta2, epsilon = 0.01, 0.8, 0.99, 1e-6
    run.change(
        **{
            "training.optimiser": "adam",
            "training.learning_rate": rate,
            "training.beta1": beta1,
            "training.beta2": beta2,
            "training.epsilon": epsilon,
        }
    )
    theta, mean, square = flat(run.parameters), 0.0, 0.0
    for count in range(1, 8):
        probe = run.fork(**{"training.optimiser": "sgd", "training.learning_rate": 1.0})
        probe.step()
        gradient = theta - flat(probe.parameters)
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        step = mean / (1 - beta1**count) / (np.sqrt(square / (1 - beta2**count)) + epsilon)
        run.step()
        np.testing.assert_allclose(flat(run.parameters), theta - rate * step, rtol=1e-9, atol=1e-12)
        theta = flat(run.parameters)
    run.change(**{"training.optimiser": "sgd"})
    run.step(3)
    assert run.state.since == 12
    run.change(**{"training.optimiser": "adam"})
    assert run.state.since == 15


def test_the_rate_of_a_schedule_goes_on_with_the_epochs_of_the_run() -> None:
    run = nntui.Run(PLAIN, SEED)
    run.step(10)
    twin = run.fork(**{"training.learning_rate": PLAIN.configuration.training.learning_rate / 4})
    run.change(
        **{
            "training.schedule": "step",
            "training.schedule_every": 5,
            "training.schedule_decay": 0.5,
        }
    )
    for made in (run, twin):
        made.step(5)
    np.testing.assert_array_equal(flat(run.parameters), flat(twin.parameters))
    for made in (run, twin):
        made.step(1)
    assert not np.array_equal(flat(run.parameters), flat(twin.parameters))


ROWS = 6


def stream(random: tuple[Any, ...]) -> np.random.RandomState:
    source = np.random.RandomState()
    source.set_state(random)
    return source


def test_an_order_that_begins_is_drawn_for_the_coming_epoch() -> None:
    run = nntui.Run(preset("add-relu", training__batch=4), SEED)
    run.step(2 * 3)
    # Nothing was drawn since the parameters, so the stream goes on behind them.
    source = stream(initial_state(run.preset.configuration, SEED).random)
    run.change(**{"training.order": "shuffled"})
    for _ in range(3):
        order = source.permutation(ROWS)
        for rows in (order[:4], order[4:]):
            assert Snapshot.of(run).next_rows == tuple(rows)
            run.step()
    # A permutation was drawn for the epoch that would have come; the draws follow it.
    source.permutation(ROWS)
    run.change(**{"training.order": "random", "training.draws": 5})
    for _ in range(2):
        order = source.randint(0, ROWS, 5)
        for rows in (order[:4], order[4:]):
            assert Snapshot.of(run).next_rows == tuple(rows)
            run.step()
    run.change(**{"training.order": "in-order", "training.draws": None})
    assert Snapshot.of(run).next_rows == (0, 1, 2, 3)
    assert run.state.order is None


def test_an_order_that_stays_is_not_drawn_again() -> None:
    source = preset("add-relu", training__batch=4, training__order="shuffled")
    run = nntui.Run(source, SEED)
    run.step(4)
    order = run.state.order
    assert order is not None
    run.change(**{"training.batch": 3, "training.momentum": 0.9})
    kept = run.state.order
    assert kept is not None
    np.testing.assert_array_equal(kept, order)
    assert Snapshot.of(run).next_rows == tuple(order[:3])


@pytest.mark.parametrize(
    "values",
    [
        {"training.batch": 3},
        {"training.batch": "full"},
        {"training.order": "shuffled"},
        {"training.order": "random"},
        {"training.order": "random", "training.draws": 9},
    ],
)
def test_in_the_middle_of_an_epoch_its_samples_stay(values: Changes) -> None:
    run = nntui.Run(preset("add-relu", training__batch=2), SEED)
    run.step(5)
    refused(run, values, "training")
    run.seek(4)
    refused(run, values, "training")
    run.seek(3)
    run.fork(**values).step(5)
    # What does not change which samples are taken is welcome.
    run.seek(5)
    run.change(**{"training.batch": 2, "training.order": "in-order", "training.momentum": 0.9})


def test_another_number_of_draws_waits_for_the_next_epoch() -> None:
    source = preset("add-relu", training__batch=2, training__order="random", training__draws=5)
    run = nntui.Run(source, SEED)
    run.step(4)
    refused(run, {"training.draws": 7}, "training")
    run.step(2)
    run.change(**{"training.draws": 7})
    run.step(4)
    assert run.epoch == 3


def refused(run: Run, values: Changes, match: str | None = None) -> None:
    """Both ways of changing are refused, and leave everything as it was."""
    before = (run.update, run.head, run.state_hash, run.preset, run.seed, run.branch)
    listed, stretches = list(run.tree.branches), run.branch.stretches
    for change in (run.change, run.fork):
        with pytest.raises(ValueError, match=match) as error:
            change(**values)
        assert isinstance(error.value, ConfigError)
        assert "\n" not in str(error.value)
    assert (run.update, run.head, run.state_hash, run.preset, run.seed, run.branch) == before
    assert (list(run.tree.branches), run.branch.stretches) == (listed, stretches)


STRUCTURE = (
    *STRUCTURAL,
    {"seed": SEED},
    {"seed": "x"},
    {"data.noise": 0.1},
    {"data.nothing": 1},
    {"layers": []},
    {"layers.0.init": "he"},
    {"training.momentum": 0.9, "layers.0.leak": 0.2},
)


@pytest.mark.parametrize("values", STRUCTURE, ids=str)
def test_what_decides_update_0_is_changed_only_there(values: Changes) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(20)
    refused(run, values, "update 0")
    run.seek(1)
    refused(run, values, "update 0")


@pytest.mark.parametrize("update", [0, 7, 20])
@pytest.mark.parametrize("values", WRONG, ids=lambda values: str(list(values.items()))[:40])
def test_nonsense_is_refused_and_changes_nothing(values: Changes, update: int) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(20)
    run.seek(update)
    refused(run, values)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None, "1", [1]])
def test_a_seed_that_is_none_is_refused(seed: object) -> None:
    refused(nntui.Run(preset("add-relu"), SEED), {"seed": seed}, "seed")


@pytest.mark.parametrize("part", ["data", "layers"])
def test_a_state_is_not_changed_to_other_data_or_layers(part: str) -> None:
    values = {"data": {"data__seed": 3}, "layers": {"layers__0__kink": "right"}}[part]
    for updates in (0, 6):
        state = state_at(preset("add-relu"), updates)
        with pytest.raises(ConfigError, match=part):
            after(state, preset("add-relu"), **values)


@pytest.mark.parametrize("name", WALKED)
@WALKS
@given(st.sampled_from((*LIVE, *STRUCTURAL)), st.sampled_from((*LIVE, *STRUCTURAL)), st.booleans())
def test_at_update_0_a_change_is_a_run_of_the_other_preset(
    name: str, first: Changes, second: Changes, back: bool
) -> None:
    seed = {"seed": SEED, **first, **second}["seed"]
    try:
        source = override(override(WALKED[name], first), second)
    except ConfigError:
        return
    plain = nntui.Run(source, seed)
    run = nntui.Run(WALKED[name], SEED)
    if back:
        run.step(20)
        run.seek(0)
    run.change(**first)
    fork = run.fork(**second)
    run.change(**second)
    for made in (run, fork):
        assert made.seed == seed
        assert made.state_hash == plain.state_hash
    for made in (plain, run, fork):
        made.step(25)
    for made in (run, fork):
        assert made.state_hash == plain.state_hash
        np.testing.assert_array_equal(made.losses, plain.losses)
        assert made.preset.configuration == source.configuration


@pytest.mark.parametrize(
    ("key", "odd", "plain"),
    [
        ("training.learning_rate", np.float64(0.02), 0.02),
        ("training.learning_rate", np.float32(0.5), 0.5),
        ("training.learning_rate", np.array(0.25), 0.25),
        ("training.learning_rate", np.int64(1), 1),
        ("training.batch", np.uint8(3), 3),
        ("training.optimiser", np.str_("adam"), "adam"),
        ("report.penalty", np.True_, True),
        ("faults", ({"name": "bias-decay", "layers": (0, np.int32(1))},), None),
        ("faults", np.array(["bias-decay"]), ["bias-decay"]),
        ("training.clip_norm", None, None),
    ],
    ids=str,
)
def test_values_may_be_numpys_or_tuples(key: str, odd: object, plain: object) -> None:
    if key == "faults" and plain is None:
        plain = [{"name": "bias-decay", "layers": [0, 1]}]
    made = []
    for value in (odd, plain):
        run = nntui.Run(preset("add-relu"), SEED)
        run.step(6)
        run.change(**{key: value})
        assert run.branch.stretches[-1].changes == {key: plain}
        run.step(10)
        made.append(run.state_hash)
    assert made[0] == made[1]


def test_arrays_of_data_can_be_given_at_update_0() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    inputs, targets = np.arange(6.0).reshape(3, 2) / 9, np.ones((3, 1))
    run.change(**{"data.inputs": inputs, "data.targets": targets})
    inputs[...] = 9.0
    held = list(run.preset.configuration.data.inputs or ())
    assert held == [(0.0, 1 / 9), (2 / 9, 3 / 9), (4 / 9, 5 / 9)]
    run.step(3)
    assert run.epoch == 1


def test_what_was_handed_over_can_be_changed_afterwards() -> None:
    faults = [{"name": "wrong-factor", "factor": 0.5}]
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(6)
    run.change(faults=faults)
    faults[0]["factor"] = 3.0
    faults.append({"name": "bias-decay"})
    twin = nntui.Run(preset("add-relu"), SEED)
    twin.step(6)
    twin.change(faults=[{"name": "wrong-factor", "factor": 0.5}])
    run.change(**{"training.momentum": 0.5})
    twin.change(**{"training.momentum": 0.5})
    assert run.state_hash == twin.state_hash


BATCHES: Script = (
    (12, {"training.batch": 2}),
    (18, {"training.batch": "full"}),
    (20, {"training.momentum": 0.5}),
    (25, {"training.batch": 4}),
    (28, {"training.learning_rate": 0.02}),
    (31, {"training.order": "random", "training.draws": 9, "training.batch": 2}),
)
"""Six, three, one, two and five updates an epoch; one change comes in the middle of an epoch."""


def epoch_ends() -> list[int]:
    """The update at which each epoch ends, counted by hand."""
    return [6, 12, 15, 18, *range(19, 26), 27, 29, 31, *range(36, 80, 5)]


def by_hand(run: Run) -> None:
    ends = epoch_ends()
    for update in range(run.head, -1, -1):
        run.seek(update)
        assert run.epoch == sum(end <= update for end in ends)
        assert run.branch.epoch_at(update) == run.epoch
        assert len(run.losses) == run.epoch
        assert run.position == update - max((end for end in ends if end <= update), default=0)


def test_epochs_are_counted_where_the_batch_was_changed_between_them() -> None:
    run = stepped(preset("add-relu"), BATCHES, 60)
    by_hand(run)
    ends = epoch_ends()
    assert [run.end_of(epoch) for epoch in range(len(ends))] == ends
    line = trajectory(preset("add-relu"), BATCHES, 60)
    run.seek(60)
    np.testing.assert_array_equal(run.losses, line.losses)


def test_epochs_are_counted_on_branches_that_parted_between_such_changes() -> None:
    run = stepped(preset("add-relu"), BATCHES, 60)
    run.seek(19)
    child = run.fork(**{"training.batch": 3})
    child.step(10)
    ends = [6, 12, 15, 18, 19, 21, 23, 25, 27, 29]
    assert [child.end_of(epoch) for epoch in range(len(ends))] == ends
    for update in range(30):
        child.seek(update)
        assert child.epoch == sum(end <= update for end in ends)
    np.testing.assert_array_equal(child.branch.losses.read(0, 5), run.branch.losses.read(0, 5))
    by_hand(run)


@pytest.mark.parametrize("epochs", [0, 1, 2, 4, 9, 12, 14, 20])
def test_a_budget_in_epochs_ends_at_an_epoch_whatever_the_batch_was(epochs: int) -> None:
    run = stepped(preset("add-relu"), BATCHES, 70)
    end = ([0, *epoch_ends()])[epochs]
    ending = Termination(epochs=epochs)
    assert ending.budget(run) == end
    run.seek(end)
    assert (ending.reason(run), run.epoch, run.position) == (BUDGET, epochs, 0)
    if end:
        run.seek(end - 1)
        assert ending.reason(run) is None
        assert ending.next_check(run) == end


def test_the_stop_rule_looks_at_the_end_of_every_epoch() -> None:
    stopping = (*BATCHES, (36, {"goal.loss": 10.0, "goal.stop": True}))
    run = stepped(preset("add-relu"), stopping, 70)
    ending = Termination(updates=10**6)
    for update in range(36, 70):
        run.seek(update)
        at_end = update in epoch_ends()
        assert ending.reason(run) == (TARGET if at_end else None)
        following = min(each for each in epoch_ends() if each > update)
        assert ending.next_check(run) == following


@pytest.mark.parametrize("move", [Run.fork, Run.change])
def test_a_change_shows_from_the_next_update_on(move: Callable[..., Any]) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(10)
    before = flat(run.parameters)
    made = move(run, **{"training.learning_rate": 0.0, "faults": []}) or run
    np.testing.assert_array_equal(flat(made.parameters), before)
    made.step(20)
    np.testing.assert_array_equal(flat(made.parameters), before)
    assert made.preset.configuration.training.learning_rate == 0.0
    made.seek(9)
    assert made.preset.configuration.training.learning_rate == 0.01
    made.seek(10)
    assert made.preset.configuration.training.learning_rate == 0.0
