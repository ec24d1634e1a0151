"""Events and questions about the past, checked against a walk over every single update."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import Array, preset
from walks import Changes, Script, Trajectory, stepped, trajectory

import nntui
from nntui.core.engine.network import Layout
from nntui.core.engine.state import State
from nntui.timeline.history import events as happenings
from nntui.timeline.history import keyframes, unit_events
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.events import (
    CHANGED,
    DIED,
    GOAL,
    MINIMUM,
    NOT_FINITE,
    REVIVED,
    ROSE,
    Event,
    events,
    exact_update,
    next_event,
    previous_event,
)
from nntui.timeline.views.questions import (
    when_loss_was_below,
    when_unit_flipped,
    when_weight_changed_sign,
)

LIVELY = preset("add-relu-momentum", training__learning_rate=0.05)
"""Units die and revive often, and some are dead from the start."""
SEEDS = (9, 26, 21, 0)
UNITS = [(0, unit) for unit in range(4)] + [(1, unit) for unit in range(4)] + [(2, 0)]


def looking(patch: pytest.MonkeyPatch, distance: int) -> None:
    """Look at the units at every ``distance`` updates."""
    patch.setattr(keyframes, "FIRST_DISTANCE", distance)
    patch.setattr(unit_events, "PASSES", 0)


def dead(state: State) -> list[bool]:
    """Of each unit of a network of ReLU units: whether it is 0 on all rows."""
    a, found = np.array(state.configuration.data.inputs).T, []
    for W, b in Layout.of(state.configuration).views(state.theta):
        assert b is not None
        a = np.maximum(W @ a + b.reshape(-1, 1), 0.0)
        found += (a == 0.0).all(axis=1).tolist()
    return found


def turned(line: Trajectory, looks: list[int]) -> list[tuple[str, tuple[int, int], int]]:
    """What somebody who looks at ``looks`` alone sees, each with the update where it happened."""
    masks = [dead(state) for state in line.states]
    found = [
        (DIED, unit, 0)
        for unit, is_dead in zip(UNITS, masks[0], strict=True)
        if is_dead and looks[:1] == [0]
    ]
    for place, unit in enumerate(UNITS):
        for old, new in pairwise(looks):
            if masks[old][place] is not masks[new][place]:
                now = masks[new][place]
                turns = [
                    each
                    for each in range(old + 1, new + 1)
                    if masks[each][place] is now and masks[each - 1][place] is not now
                ]
                at = turns[-1]
                found.append((DIED if now else REVIVED, unit, at))
    return sorted(found, key=lambda each: (each[2], each[1]))


def seen(branch: Branch) -> list[tuple[str, tuple[int, int], int]]:
    """The same as the events say it."""
    found = []
    for event in events(branch):
        if event.kind in (DIED, REVIVED):
            layer, unit = map(int, event.text.split()[1].split("."))
            assert ("revived" in event.text) == (event.kind == REVIVED)
            found.append((event.kind, (layer, unit), exact_update(branch, event)))
    return sorted(found, key=lambda each: (each[2], each[1]))


@pytest.mark.parametrize("distance", [1, 5, 16])
@pytest.mark.parametrize("seed", SEEDS)
def test_units_that_died_and_revived_are_found_at_the_very_update(
    seed: int, distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, distance)
    run = nntui.Run(LIVELY, seed)
    run.step(200)
    line = trajectory(LIVELY, (), 200, seed)
    looks = list(range(0, 200, distance))  # the head itself is looked at when it moves on
    assert seen(run.branch) == turned(line, looks)
    assert distance > 1 or len(seen(run.branch)) > 5


def test_units_are_looked_at_only_after_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 4)
    monkeypatch.setattr(unit_events, "PASSES", 3)
    run = nntui.Run(LIVELY, 9)
    run.step(200)
    # Three passes of six rows; the first look after that is at a multiple of four.
    looks = list(range(0, 200, 20))
    assert run.branch.watch.checked_at == looks[-1]
    assert seen(run.branch) == turned(trajectory(LIVELY, (), 200, 9), looks)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fork", [1, 40, 83, 200])
@pytest.mark.parametrize("distance", [1, 7])
def test_a_branch_has_the_events_of_the_shared_past_and_none_of_its_parents_future(
    seed: int, fork: int, distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, distance)
    run = nntui.Run(LIVELY, seed)
    run.step(200)
    before = seen(run.branch)
    run.seek(fork)
    values = {"training.learning_rate": 0.3}
    child = run.fork(**values)
    child.step(120)
    line = trajectory(LIVELY, ((fork, values),), fork + 120, seed)
    looks = [*range(0, fork, distance), *range(fork, fork + 120, distance)]
    if distance == 1:
        assert seen(child.branch) == turned(line, looks)
    else:
        # Between two looks more can have happened; but nothing is told that did not.
        every = turned(line, list(range(len(line.states))))
        assert set(seen(child.branch)) <= set(every)
    assert seen(run.branch) == before
    # A branch of the branch, at the very head, knows all of it.
    grandchild = child.fork()
    grandchild.step(30)
    again = trajectory(LIVELY, ((fork, values),), fork + 150, seed)
    if distance == 1:
        assert seen(grandchild.branch) == turned(again, list(range(fork + 150)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_unit_that_died_since_the_last_look_before_the_fork_is_not_missed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, 64)
    run = nntui.Run(LIVELY, seed)
    run.step(300)
    line = trajectory(LIVELY, (), 300, seed)
    masks = [dead(state) for state in line.states]
    for fork in (70, 100, 127, 128, 129, 300):
        run.seek(fork)
        child = run.fork(**{"training.learning_rate": 0.0, "training.momentum": 0.0, "faults": []})
        child.step(200)
        last = dict(zip(UNITS, masks[0], strict=True))
        for kind, unit, _ in seen(child.branch):
            last[unit] = kind == DIED
        assert list(last.values()) == masks[fork]


def asked(branch: Branch, update: int, dead_units: Sequence[list[bool]]) -> None:
    """All questions about all units, asked at ``update``, against the units dead at each one."""
    masks = np.array(dead_units[: update + 1])
    for place, (layer, unit) in enumerate(UNITS):
        flips = np.flatnonzero(np.diff(masks[:, place].astype(int)))
        died = [0] * bool(masks[0, place]) + [at + 1 for at in flips if masks[at + 1, place]]
        revived = [int(at) + 1 for at in flips if not masks[at + 1, place]]
        answer = when_unit_flipped(branch, update, layer, unit, died=True)
        assert answer.update == (died[-1] if died else None)
        assert f"unit {layer}.{unit}" in answer.text
        answer = when_unit_flipped(branch, update, layer, unit, died=False)
        assert answer.update == (revived[-1] if revived else None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_when_a_unit_died_or_revived_is_answered_for_any_update(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, 1)
    script: Script = ((60, {"training.learning_rate": 0.3}),)
    run = stepped(LIVELY, script, 150, seed)
    dead_units = [dead(state) for state in trajectory(LIVELY, script, 150, seed).states]
    for update in (0, 1, 31, 60, 61, 149, 150):
        asked(run.branch, update, dead_units)
    run.seek(90)
    values: Changes = {"training.momentum": 0.2}
    child = run.fork(**values)
    twin = trajectory(LIVELY, (*script, (90, values)), 140, seed)
    dead_units = [dead(state) for state in twin.states]
    asked(child.branch, 90, dead_units)
    child.step(50)
    for update in (59, 90, 91, 140):
        asked(child.branch, update, dead_units)


def test_what_happened_since_the_last_look_is_seen_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 8)
    run = nntui.Run(LIVELY, 9)
    run.step(45)
    assert run.branch.watch.checked_at == 0
    line = trajectory(LIVELY, (), 45, 9)
    masks = [dead(state) for state in line.states]
    flips = [
        (place, at)
        for place in range(len(UNITS))
        for at in range(1, 46)
        if masks[at][place] and not masks[at - 1][place]
    ]
    assert len({at // 8 for _, at in flips}) > 1
    for update in (13, 28, 45):
        for place, unit in enumerate(UNITS):
            known = [at for where, at in flips if where == place and at <= update]
            if known:
                assert when_unit_flipped(run.branch, 45, *unit, died=True).update == max(
                    at for where, at in flips if where == place
                )


def weights(state: State, layer: int) -> tuple[Array, Array]:
    W, b = Layout.of(state.configuration).views(state.theta)[layer]
    assert b is not None
    return W, b.ravel()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_when_a_weight_or_a_bias_changed_its_sign(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 1)
    run = nntui.Run(LIVELY, seed)
    run.step(150)
    run.seek(70)
    values: Changes = {"training.learning_rate": 0.3}
    child = run.fork(**values)
    child.step(60)
    changes = 0
    for branch, line, updates in (
        (run.branch, trajectory(LIVELY, (), 150, seed), (0, 40, 150)),
        (child.branch, trajectory(LIVELY, ((70, values),), 130, seed), (69, 70, 71, 130)),
    ):
        layers = [[weights(state, layer) for state in line.states] for layer in range(3)]
        for update in updates:
            for layer, unit in UNITS:
                columns = layers[layer][0][0].shape[1]
                for column in (*range(columns), None):
                    signs = [
                        bool((b[unit] if column is None else W[unit, column]) < 0.0)
                        for W, b in layers[layer][: update + 1]
                    ]
                    turns = [at for at in range(1, update + 1) if signs[at] is not signs[at - 1]]
                    answer = when_weight_changed_sign(branch, update, layer, unit, column)
                    assert answer.update == (turns[-1] if turns else None)
                    if turns:
                        changes += 1
                        word = "negative" if signs[turns[-1]] else "positive"
                        assert word in answer.text
    assert changes


def test_a_weight_that_changed_between_two_kept_states_is_found_by_replay() -> None:
    run = nntui.Run(preset("add-relu", training__learning_rate=0.1), 2)
    run.step(200)
    line = trajectory(run.preset, (), 200, 2)
    found = 0
    for layer, unit in UNITS:
        columns = weights(line.states[0], layer)[0].shape[1]
        for column in range(columns):
            signs = [weights(state, layer)[0][unit, column] < 0.0 for state in line.states]
            turns = [at for at in range(1, 201) if signs[at] != signs[at - 1]]
            if len(turns) == 1:
                found += 1
                answer = when_weight_changed_sign(run.branch, 200, layer, unit, column)
                assert answer.update == turns[0]
    assert found


@pytest.mark.slow
@given(st.integers(0, 3), st.integers(0, 300), st.floats(0, 1))
@RUNS
def test_when_the_loss_was_last_below(seed: int, update: int, share: float) -> None:
    script: Script = ((90, {"training.batch": 2}), (150, {"training.learning_rate": 0.02}))
    run = stepped(LIVELY, script, 300, seed)
    line = trajectory(LIVELY, script, 300, seed)
    limit = sorted(line.losses)[round(share * (len(line.losses) - 1))]
    ends = [state.update for old, state in pairwise(line.states) if state.epoch > old.epoch]
    below = [
        end for end, loss in zip(ends, line.losses, strict=True) if end <= update and loss < limit
    ]
    assert when_loss_was_below(run.branch, update, limit).update == max(below, default=None)


def by_kind(branch: Branch, *kinds: str) -> list[int]:
    return [event.by for event in events(branch) if event.kind in kinds]


def test_events_of_the_losses_are_those_of_a_list_of_losses() -> None:
    source = preset("add-relu-momentum", training__learning_rate=0.2, goal__loss=0.06)
    found: set[str] = set()
    for seed in range(8):
        script: Script = ((48, {"training.batch": 3}), (96, {"training.learning_rate": 0.4}))
        run = stepped(source, script, 200, seed)
        line = trajectory(source, script, 200, seed)
        for update in (200, 120):
            branch = run.branch
            if update < 200:
                run.seek(update)
                branch = run.fork().branch
                line = trajectory(source, script, update, seed)
            losses = line.losses
            ends = [new.update for old, new in pairwise(line.states) if new.epoch > old.epoch]
            rises = [
                ends[at]
                for at in range(1, len(losses))
                if losses[at] > 2 * losses[at - 1] > 0 and losses[at] > 0.06
            ]
            least = ends[losses.index(min(losses))]
            reached = [end for end, loss in zip(ends, losses, strict=True) if loss <= 0.06]
            assert by_kind(branch, ROSE) == rises
            assert by_kind(branch, MINIMUM) == [least]
            assert by_kind(branch, GOAL) == reached[:1]
            assert by_kind(branch, CHANGED) == [48, 96]
            assert by_kind(branch, NOT_FINITE) == []
            found |= {event.kind for event in events(branch)}
    assert {ROSE, MINIMUM, GOAL} <= found


def test_changes_and_the_end_of_the_numbers_are_events() -> None:
    run = nntui.Run(LIVELY, 9)
    run.change(**{"training.momentum": 0.8})  # at update 0 that is another beginning, no event
    run.step(20)
    run.change(**{"training.learning_rate": 0.01})
    run.change(**{"training.learning_rate": 0.02, "faults": []})
    run.step(10)
    run.change(**{"training.learning_rate": 1e300})
    run.step(10)
    assert run.divergence is not None
    told_of = [(each.by, each.text) for each in events(run.branch) if each.kind == CHANGED]
    assert told_of == [
        (20, "training.learning_rate = 0.02, faults = []"),
        (30, "training.learning_rate = 1e+300"),
    ]
    ends = [each for each in events(run.branch) if each.kind == NOT_FINITE]
    assert [(each.by, each.text) for each in ends] == [(run.head, run.divergence.what)]
    run.seek(25)
    assert NOT_FINITE not in {each.kind for each in events(run.fork().branch)}


@pytest.mark.parametrize("distance", [1, 16])
@pytest.mark.parametrize("seed", SEEDS)
def test_one_walks_from_event_to_event(
    seed: int, distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, distance)
    script: Script = ((50, {"training.learning_rate": 0.2}),)
    run = stepped(LIVELY, script, 160, seed)
    run.seek(100)
    child = run.fork(**{"training.momentum": 0.5})
    child.step(80)
    for branch in (run.branch, child.branch):
        at = sorted({exact_update(branch, event) for event in events(branch)})
        assert len(at) > 3
        for update in range(0, branch.update + 2, 3):
            after = min((each for each in at if each > update), default=None)
            before = max((each for each in at if each < update), default=None)
            assert where(branch, next_event(branch, update)) == after
            assert where(branch, previous_event(branch, update)) == before


def where(branch: Branch, found: tuple[int, Event] | None) -> int | None:
    if found is None:
        return None
    assert exact_update(branch, found[1]) == found[0]
    return found[0]


def test_only_so_many_flips_and_rises_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looking(monkeypatch, 1)
    run = nntui.Run(LIVELY, 9)
    run.step(250)
    every = turned(trajectory(LIVELY, (), 250, 9), list(range(250)))
    monkeypatch.setattr(unit_events, "MOST_FLIPS", 3)
    few = nntui.Run(LIVELY, 9)
    few.step(250)
    kept = []
    for unit in UNITS:
        mine = [each for each in every if each[1] == unit]
        kept += mine if len(mine) <= 6 else mine[:3] + mine[-3:]
    assert len(kept) < len(every)
    assert seen(few.branch) == sorted(kept, key=lambda each: (each[2], each[1]))
    rises = by_kind(run.branch, ROSE)
    assert len(rises) > 1
    monkeypatch.setattr(happenings, "MOST_RISES", 1)
    assert by_kind(few.branch, ROSE) == rises[:1]
