"""Edits: their effect is announced beforehand, and undoing one restores the state before it."""

from typing import Any

import pytest
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.core.errors import ConfigError
from nntui.timeline.edits import Edits, Effect, effect_of
from nntui.timeline.run import Run

RATE: dict[str, Any] = {"training.learning_rate": 0.5}
UNITS: dict[str, Any] = {"layers.0.units": 5}
SOURCE = preset("add-relu", training__batch="full")


def made(updates: int, back: int = 0) -> Run:
    run = nntui.Run(SOURCE)
    run.step(updates)
    run.seek(updates - back)
    return run


@pytest.mark.parametrize(
    ("run", "changes", "effect"),
    [
        (made(0), RATE, Effect.LIVE),
        (made(0), UNITS, Effect.FIRST),
        (made(9), RATE, Effect.LIVE),
        (made(9, 2), RATE, Effect.BRANCH),
        (made(9), UNITS, Effect.RESTART),
        (made(9, 2), {"seed": 4}, Effect.RESTART),
        (made(9, 9), RATE, Effect.RESTART),
        (made(9), {**RATE, **UNITS}, Effect.RESTART),
        (made(9), {"parameters.0.b.0": 1.0}, Effect.LIVE),
    ],
)
def test_what_is_said_is_what_is_done(run: Run, changes: dict[str, Any], effect: Effect) -> None:
    branch, update, head = run.branch, run.update, run.head
    edits, before = Edits(), run.state_hash
    assert effect_of(run, changes) is effect
    assert edits.make(run, changes) is effect
    assert run.state_hash != before
    assert (run.branch is branch) is (effect in (Effect.LIVE, Effect.FIRST))
    assert run.update == (0 if effect in (Effect.RESTART, Effect.FIRST) else update)
    assert branch.update == head
    edits.undo(run)
    assert (run.branch, run.update, run.head, run.state_hash) == (branch, update, head, before)
    assert run.tree.branches == [branch]


def test_what_decides_update_0_takes_the_changes_up_to_here_along() -> None:
    run = made(9)
    run.change(**RATE)
    run.step(3)
    Edits().make(run, UNITS)
    training, layers = run.preset.configuration.training, run.preset.configuration.layers
    assert (training.learning_rate, layers[0].units, run.update) == (0.5, 5, 0)


def test_a_branch_in_which_something_was_trained_stays() -> None:
    run, edits = made(9, 2), Edits()
    before = run.state_hash
    edits.make(run, RATE)
    new = run.branch
    run.step(4)
    assert "stays" in edits.undo(run)
    assert (run.branch, run.update, run.state_hash) == (run.tree.root, 7, before)
    assert new in run.tree.branches
    assert new.update == 11


@pytest.mark.parametrize("changes", [RATE, {"training.optimiser": "adam"}, {"parameters.0.b.0": 9}])
def test_after_training_a_branch_begins_before_the_edit(changes: dict[str, Any]) -> None:
    run, edits = made(9), Edits()
    before = run.state_hash
    edits.make(run, changes)
    run.step(5)
    after = run.state_hash
    edits.undo(run)
    assert (run.update, run.state_hash, len(run.tree.branches)) == (9, before, 2)
    straight = made(14)
    run.step(5)
    assert run.state_hash == straight.state_hash
    run.switch(run.tree.root, 14)
    assert run.state_hash == after


def test_a_seed_that_was_trained_is_undone_by_a_branch_of_the_old_one() -> None:
    run, edits = made(0), Edits()
    before = run.state_hash
    edits.make(run, {"seed": 4})
    run.step(5)
    edits.undo(run)
    assert (run.seed, run.update, run.state_hash) == (0, 0, before)


def test_what_cannot_be_made_changes_nothing() -> None:
    run, edits = made(9), Edits()
    before = run.state_hash
    for changes in ({"training.momentum": 2}, {"layers.2.units": 3}, {"training.nothing": 1}):
        with pytest.raises(ConfigError):
            edits.check(run, changes)
        with pytest.raises(ConfigError):
            edits.make(run, changes)
    assert (run.state_hash, len(run.tree.branches)) == (before, 1)
    with pytest.raises(ConfigError, match="nothing to undo"):
        edits.undo(run)


def test_an_edit_of_a_deleted_branch_cannot_be_undone() -> None:
    run, edits = made(9, 2), Edits()
    edits.make(run, RATE)
    gone = run.branch
    edits.make(run, {"training.momentum": 0.5})
    run.switch(run.tree.root)
    run.tree.delete(gone)
    edits.undo(run)  # the one that began it
    with pytest.raises(ConfigError, match="nothing to undo"):
        edits.undo(run)


def test_a_run_that_has_diverged_is_changed_only_from_before() -> None:
    run = nntui.Run(preset("add-relu", training__learning_rate=1e200))
    run.step(50)
    assert run.divergence is not None
    with pytest.raises(ConfigError, match="go back first"):
        Edits().check(run, RATE)
    Edits().make(run, UNITS)
    assert run.update == 0


CHANGES = st.sampled_from(
    [
        {"training.learning_rate": 0.02},
        {"training.momentum": 0.5},
        {"training.optimiser": "adam"},
        {"training.order": "shuffled"},
        {"faults": []},
        {"faults": ["wrong-sign"]},
        {"layers.0.units": 3},
        {"seed": 5},
        {"goal.loss": 0.5},
        {"parameters.1.W.0.0": 0.25},
        {"parameters.1.b.0": 0.0},
    ]
)
STEPS = st.lists(st.one_of(CHANGES, st.integers(1, 9), st.integers(-9, -1)), min_size=1, max_size=9)


@given(STEPS)
@RUNS
def test_undoing_all_edits_goes_through_the_states_before_them(steps: list[Any]) -> None:
    run, edits = made(0), Edits()
    before: list[tuple[int, str]] = []
    for step in steps:
        if isinstance(step, dict):
            before.append((run.update, run.state_hash))
            edits.make(run, step)
        elif step > 0:
            run.step(step)
        else:
            run.seek(max(run.update + step, 0))
    for update, state in reversed(before):
        edits.undo(run)
        assert (run.update, run.state_hash) == (update, state)
    with pytest.raises(ConfigError):
        edits.undo(run)
