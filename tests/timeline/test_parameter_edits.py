"""Weights and biases set by hand: one number changes, and replay repeats the change."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import flat, preset

import nntui
from nntui.core.errors import ConfigError
from nntui.timeline.history.events import DIED, events, exact_update
from nntui.timeline.run import Run

WEIGHT, BIAS = "parameters.1.W.0.2", "parameters.1.b.3"
MOVING = preset("add-relu", training__momentum=0.9, training__order="shuffled")


def trained(updates: int = 20) -> Run:
    run = nntui.Run(MOVING, seed=3)
    run.step(updates)
    return run


def hashes(run: Run, last: int) -> list[str]:
    """The state at every update, walked from the first to the last."""
    found = []
    for update in range(last + 1):
        run.seek(update)
        found.append(run.state_hash)
    return found


@pytest.mark.parametrize(("key", "layer", "place"), [(WEIGHT, 0, (0, 2)), (BIAS, 1, (3,))])
def test_one_number_is_set_and_nothing_else(key: str, layer: int, place: tuple[int, ...]) -> None:
    run = trained()
    before, state = run.parameters, run.state
    run.change(**{key: 0.5})
    array = run.parameters[1][layer]
    assert array is not None
    assert array[place] == 0.5
    assert (flat(run.parameters) != flat(before)).sum() == 1
    assert (run.update, run.state.loss_sum, run.state.random) == (20, state.loss_sum, state.random)
    for mine, theirs in zip(run.state.slots, state.slots, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_what_is_set_is_what_the_network_computes_with() -> None:
    run = trained()
    run.change(**{f"parameters.2.W.0.{unit}": 0 for unit in range(4)}, **{"parameters.2.b.0": 0.25})
    np.testing.assert_array_equal(run.outputs, np.full_like(run.outputs, 0.25))


def test_replay_sets_it_again_at_the_same_update() -> None:
    run = trained()
    unset = run.state_hash
    run.change(**{WEIGHT: 0.5})
    run.step(7)
    run.change(**{BIAS: -1.0})
    run.step(200)
    there = hashes(run, run.head)
    assert there[20] != unset
    for update in (227, 20, 19, 21, 27, 0, 26, 100, 28, 227):
        run.seek(update)
        assert run.state_hash == there[update]
    assert run.by_hand == {WEIGHT: 0.5, BIAS: -1.0}
    run.seek(26)
    assert run.by_hand == {WEIGHT: 0.5}
    assert "parameters" not in str(run.changed)


def test_in_the_past_it_begins_a_branch() -> None:
    run = trained(40)
    main, head = run.branch, run.state_hash
    run.seek(10)
    run.change(**{WEIGHT: 0.5})
    assert (run.branch.parent, run.branch.forked_at, run.update) == (main, 10, 10)
    assert run.parameters[1][0][0, 2] == 0.5
    run.step(5)
    there = hashes(run, 15)
    run.seek(0)
    run.seek(15)
    assert run.state_hash == there[15]
    run.switch(main)
    run.seek(40)
    assert run.state_hash == head


def test_at_update_0_the_others_are_those_of_the_seed() -> None:
    fresh = nntui.Run(MOVING, seed=3)
    run = nntui.Run(MOVING, seed=3)
    other = run.fork(**{WEIGHT: 0.5})
    assert (flat(other.parameters) != flat(fresh.parameters)).sum() == 1
    other.change(**{"training.learning_rate": 0.5})
    assert other.by_hand == {WEIGHT: 0.5}
    assert other.parameters[1][0][0, 2] == 0.5


@pytest.mark.parametrize("changes", [{"seed": 4}, {"layers.0.units": 5}])
def test_what_draws_the_parameters_anew_forgets_them(changes: dict[str, Any]) -> None:
    run = nntui.Run(MOVING, seed=3)
    run.change(**{BIAS: 9.0})
    run.change(**changes)
    straight = nntui.Run(MOVING, seed=3).fork(**changes)
    assert run.state_hash == straight.state_hash
    assert run.by_hand == {}
    assert BIAS not in run.branch.changes


def test_a_restart_takes_no_number_of_a_later_update_along() -> None:
    run = trained()
    run.change(**{WEIGHT: 0.5, "training.momentum": 0.5})
    run.restart()
    assert run.preset.configuration.training.momentum == 0.5
    np.testing.assert_array_equal(flat(run.parameters), flat(nntui.Run(MOVING, seed=3).parameters))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("parameters", 1.0, "write parameters.LAYER"),
        ("parameters.1", 1.0, "write parameters.LAYER"),
        ("parameters.1.c.0", 1.0, "write parameters.LAYER"),
        ("parameters.3.b.0", 1.0, "there is no layer '3'; they are 0 to 2"),
        ("parameters.1.W.4.0", 1.0, "there is no unit '4'; they are 0 to 3"),
        ("parameters.1.W.0.-1", 1.0, "there is no input '-1'"),
        ("parameters.1.W.0.99999999999999999999", 1.0, "there is no input"),
        ("parameters.1.b.x", 1.0, "there is no unit 'x'"),
        ("parameters.1.b.0", "x", "must be a number"),
        ("parameters.1.b.0", True, "must be a number"),
        ("parameters.1.b.0", float("nan"), "must be finite"),
        ("parameters.1.b.0", None, "must be a number"),
    ],
)
def test_no_parameter_or_no_number_is_refused(key: str, value: Any, said: str) -> None:
    run = trained()
    before, stretches = run.state_hash, run.branch.stretches
    for change in (run.change, run.fork, run.check_changes):
        with pytest.raises(ConfigError, match=said):
            change(**{key: value})
    assert (run.state_hash, run.branch.stretches) == (before, stretches)
    assert len(run.tree.branches) == 1


def test_a_layer_without_a_bias_has_none_to_set() -> None:
    run = nntui.Run(preset("add-relu", layers__1__bias="none"))
    with pytest.raises(ConfigError, match="layer 1 has no bias"):
        run.change(**{"parameters.1.b.0": 1.0})


def test_a_session_has_them(tmp_path: Path) -> None:
    run = trained()
    run.change(**{WEIGHT: 0.1, "training.momentum": 0.5})
    run.step(30)
    run.seek(5)
    run.change(**{BIAS: 1 / 3})
    run.step(20)
    there = hashes(run, 25)
    run.save(tmp_path / "s.nntui")
    again = nntui.load_session(tmp_path / "s.nntui")
    assert hashes(again, 25) == there
    assert again.by_hand == {BIAS: 1 / 3}
    assert again.branch.changes == {BIAS: 1 / 3}
    main, other = run.tree.root, again.tree.root
    run.switch(main)
    again.switch(other)
    assert hashes(again, 50) == hashes(run, 50)
    assert again.by_hand == {WEIGHT: 0.1}


@pytest.mark.parametrize("update", [40, 64, 70])
def test_a_unit_that_dies_of_it_dies_there(update: int) -> None:
    run = nntui.Run(preset("add-relu", training__batch="full"), seed=0)
    run.step(300)
    run.seek(update)
    run.change(**{"parameters.1.b.0": -1000.0})
    run.step(300)
    died = [each for each in events(run.branch) if each.kind == DIED and each.unit == "1.0"]
    assert len(died) == 1
    # The state that was changed, or the first that was computed with the change.
    assert exact_update(run.branch, died[0]) - update in (0, 1)
