"""Replay crosses live changes, and finds the first update at which two branches differ."""

from itertools import pairwise

import numpy as np
import pytest
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import preset
from walks import Changes, Script, Trajectory, stepped, trajectory

import nntui
from nntui.core.engine.network import Layout
from nntui.timeline.history import keyframes, replay
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.replay import last_transition, replay_updates, transitions
from nntui.timeline.views import first_difference as differences
from nntui.timeline.views.first_difference import first_difference, last_shared_update

SEED = 7
SOURCE = preset("add-relu-momentum", training__batch=4)
SCRIPT: Script = (
    (20, {"training.learning_rate": 0.05}),
    (33, {}),
    (34, {"training.optimiser": "adam", "training.learning_rate": 1e-3}),
    (60, {"faults": []}),
)


@pytest.mark.slow
@RUNS
@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 30))
def test_replay_crosses_live_changes(first: int, last: int, distance: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "FIRST_DISTANCE", distance)
        run = stepped(SOURCE, SCRIPT[:2], 40, SEED)
        run.seek(33)
        run.change(**SCRIPT[2][1])  # too early by one; the branch below does it in time
        run.step(5)
        child = stepped(SOURCE, SCRIPT[:2], 34, SEED).fork(**SCRIPT[2][1])
        child.step(26)
        child.change(**SCRIPT[3][1])
        child.step(40)
    line = trajectory(SOURCE, SCRIPT, 100, SEED)
    seen = [
        (trainer.update, trainer.state.theta.tobytes())
        for trainer in replay_updates(child.branch, first, last)
    ]
    assert seen == [
        (update, line.states[update].theta.tobytes()) for update in range(first, last + 1)
    ]


def test_what_a_replay_has_computed_is_the_update_that_led_there() -> None:
    run = stepped(SOURCE, SCRIPT, 70, SEED)
    plain = nntui.Run(SOURCE, SEED)
    plain.step(70)
    twin = replay_updates(plain.branch, 15, 20)
    for trainer, other in zip(replay_updates(run.branch, 15, 20), twin, strict=True):
        if trainer.update > 15:
            for (name, layer, values), (_, _, others) in zip(
                trainer.written, other.written, strict=True
            ):
                np.testing.assert_array_equal(values, others, err_msg=f"{name} {layer}")
                assert trainer.update != 20 or name != "z" or values.any()


def test_what_is_sought_in_a_replay_is_every_turn_and_the_last() -> None:
    run = stepped(SOURCE, SCRIPT, 100, SEED)
    line = trajectory(SOURCE, SCRIPT, 100, SEED)
    place = 2
    values = [float(state.theta[place]) for state in line.states]
    middle = sorted(values[10:91])[40]
    branch = run.branch
    found = list(transitions(branch, 10, 90, lambda at: bool(at.state.theta[place] > middle)))
    assert found == [
        (new, values[new] > middle)
        for old, new in pairwise(range(10, 91))
        if (values[old] > middle) is not (values[new] > middle)
    ]
    assert found
    tested = lambda at: bool(at.state.theta[place] > middle)
    assert last_transition(branch, 10, 90, tested) == found[-1]
    for wanted in (True, False):
        of_kind = [turn for turn in found if turn[1] is wanted]
        expected = of_kind[-1] if of_kind else None
        for chunk in (1, 7, 512):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(replay, "CHUNK", chunk)
                assert last_transition(branch, 10, 90, tested, wanted) == expected
    assert last_transition(branch, 10, 90, lambda at: bool(at.state.theta[place] > 1e9)) is None


def first_other(one: Trajectory, other: Trajectory, end: int) -> int | None:
    """The first update up to ``end`` at which the parameters differ."""
    pairs = zip(one.states[: end + 1], other.states[: end + 1], strict=True)
    return next((a.update for a, b in pairs if a.theta.tobytes() != b.theta.tobytes()), None)


CHANGED: tuple[Changes, ...] = (
    {},
    {"training.learning_rate": 0.3},
    {"training.momentum": 0.0},
    {"faults": []},
    {"training.optimiser": "adam"},
    {"report.loss": "half-absolute-error"},
    {"goal.loss": 0.3},
    {"training.clip_norm": 1e9},
    {"training.clip_norm": 1e-3},
    {"training.schedule": "step", "training.schedule_every": 20},
    {"training.l2": 0.1},
)
"""Some show at once, some late, and some in no parameter at all."""
FORKS = st.tuples(st.integers(0, 60), st.sampled_from(CHANGED), st.integers(0, 40))


@pytest.mark.slow
@RUNS
@given(FORKS, FORKS, st.booleans(), st.integers(0, 30), st.sampled_from(CHANGED))
def test_two_branches_part_where_their_parameters_first_differ(
    one: tuple[int, Changes, int],
    other: tuple[int, Changes, int],
    nested: bool,
    later: int,
    then: Changes,
) -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(60)
    made: list[tuple[Branch, Script]] = []
    source, script = run, ()
    for at, values, updates in (one, other):
        source.seek(min(at, source.head))
        place = source.update
        fork = source.fork(**values)
        fork.step(updates)
        mine = (*(entry for entry in script if entry[0] <= place), (place, values))
        made.append((fork.branch, mine))
        if nested:
            source, script = fork, mine
    # The root goes on, and is changed, when the others have left it.
    run.seek(60)
    run.step(later)
    root: Script = ((run.update, then),)
    run.change(**then)
    run.step(10)
    made.append((run.branch, root))
    lines = [(branch, trajectory(SOURCE, changes, branch.update, SEED)) for branch, changes in made]
    for at, (first, first_line) in enumerate(lines):
        for second, second_line in lines[: at + 1]:
            end = min(first.update, second.update)
            expected = first_other(first_line, second_line, end)
            found = first_difference(first, second)
            shared = last_shared_update(first, second)
            assert shared <= end
            assert expected is None or shared <= expected
            if found.update is None:
                assert expected is None
                assert first is not second or "same" in found.text
            else:
                # What the update computed shows a difference as early as the parameters do,
                # or earlier: here a loss that is only reported decides no tensor.
                assert expected is not None
                assert shared < found.update <= expected or (expected == 0 == found.update)
                if found.update < expected:
                    assert not found.what.startswith(("W of", "b of"))
            assert first_difference(second, first).update == found.update


def test_the_tensor_that_first_differs_is_named() -> None:
    # Backprop goes from layer 1 to layer 0, and then all parameters change.
    plain = nntui.Run(preset("square-fixed"), SEED)
    plain.step(10)
    for values, what in (
        ({"faults": [{"name": "wrong-factor", "layers": [1]}]}, "layer 1"),
        ({"faults": [{"name": "wrong-factor", "layers": [0]}]}, "layer 0"),
        ({"training.loss": "half-squared-error"}, "layer 1"),
        ({"training.learning_rate": 0.01}, "layer 0"),
    ):
        other = plain.fork(**values)
        other.step(10)
        plain.step(10)
        plain.seek(10)
        found = first_difference(plain.branch, other.branch)
        assert found.update == 11
        assert found.what.endswith(what), (values, found)
        assert found.what.split()[0] not in ("z", "a", "W", "b")
        assert first_difference(other.branch, plain.branch) == found
        assert found.what in found.text


def test_twins_do_not_differ() -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(30)
    run.seek(11)
    twin = run.fork()
    twin.step(40)
    found = first_difference(run.branch, twin.branch)
    assert found.update is None
    assert "30" in found.text
    assert (
        last_shared_update(run.branch, twin.branch)
        == last_shared_update(twin.branch, run.branch)
        == 11
    )
    assert first_difference(run.branch, run.branch).update is None
    twin.change(**{"training.learning_rate": 0.5})
    twin.step(1)
    run.seek(60)
    assert first_difference(run.branch, twin.branch).update == 52


def test_a_change_without_effect_is_no_difference() -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(10)
    for values in ({"goal.loss": 0.9}, {"report.penalty": True}, {"training.clip_norm": 1e12}):
        child = run.fork(**values)
        child.step(30)
        run.step(10)
        assert first_difference(run.branch, child.branch).update is None


def test_siblings_differ_where_their_own_pasts_do() -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(5)
    run.seek(0)
    other, same = run.fork(seed=8), run.fork()
    other.step(20)
    same.step(20)
    assert last_shared_update(other.branch, same.branch) == 0
    found = first_difference(other.branch, same.branch)
    assert (found.update, found.what) == (0, "W of layer 0")
    assert first_difference(run.branch, same.branch).update is None
    target = run.fork(**{"data.target_divisor": 2.0})
    target.step(3)
    found = first_difference(same.branch, target.branch)
    assert found.update == 1
    wider = run.fork(**{"layers.0.units": 5})
    wider.step(3)
    found = first_difference(same.branch, wider.branch)
    assert (found.update, found.what) == (0, "other layers or data")


def test_a_branch_of_a_branch_is_compared_from_where_they_parted() -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(60)
    child = run.fork(**{"training.learning_rate": 0.2})
    child.step(20)
    child.seek(30)
    early = child.fork(**{"training.learning_rate": 0.3})
    early.step(60)
    for other in (run, child):
        assert last_shared_update(early.branch, other.branch) == 30
        assert first_difference(early.branch, other.branch).update == 31


def test_only_so_many_updates_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "affordable_updates", lambda branch, work: 9)
    run = nntui.Run(SOURCE, SEED)
    run.step(40)
    run.seek(20)
    twin = run.fork()
    twin.step(9)
    twin.change(**{"training.learning_rate": 0.5})
    twin.step(5)
    found = first_difference(run.branch, twin.branch)
    assert (found.update, found.searched_to) == (None, 29)
    assert first_difference(run.branch, twin.branch, found.searched_to).update == 30
    monkeypatch.setattr(differences, "affordable_updates", lambda branch, work: 10)
    assert first_difference(run.branch, twin.branch).update == 30


def test_a_diverged_branch_can_be_compared() -> None:
    run = nntui.Run(SOURCE, SEED)
    run.step(10)
    child = run.fork(**{"training.learning_rate": 1e200})
    child.step(30)
    run.step(30)
    assert child.divergence is not None
    assert first_difference(run.branch, child.branch).update == 11
    assert first_difference(child.branch, child.branch).update is None


def test_layouts_of_equal_shapes_are_compared_by_name() -> None:
    run = nntui.Run(preset("xor-relu"), SEED)
    biased = run.fork(**{"layers.1.bias": "per-unit"})
    for each in (run, biased):
        each.step(20)
    sizes = [Layout.of(each.preset.configuration).size for each in (run, biased)]
    assert sizes[0] + 1 == sizes[1]
    found = first_difference(run.branch, biased.branch)
    assert found.update == 2
