"""A run can seek any update, and then equals a run that never went back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from example_counts import RUNS
from hypothesis import given
from hypothesis import strategies as st
from support import Array, flat, preset
from walks import WALKED

import nntui
from nntui.core.engine.state import Divergence, State
from nntui.timeline import Snapshot
from nntui.timeline.history import keyframes
from nntui.timeline.history.keyframes import Keyframes

FURTHEST = 300


@dataclass
class Straight:
    """A run that never goes back, written down at each update."""

    hashes: list[str]
    parameters: list[Array]
    epochs: list[int]
    losses: Array


@cache
def straight(name: str) -> Straight:
    run = nntui.Run(WALKED[name], seed=7)
    record = Straight([], [], [], np.empty(0))
    for _ in range(FURTHEST + 1):
        record.hashes.append(run.state_hash)
        record.parameters.append(flat(run.parameters))
        record.epochs.append(run.epoch)
        run.step()
    record.losses = run.losses
    return record


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 60)),
        st.tuples(st.just("seek"), st.integers(0, FURTHEST)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("marked"), st.just(0)),
    ),
    min_size=3,
    max_size=15,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
@RUNS
@given(ACTIONS, st.integers(2, 9), st.integers(1, 40))
def test_a_walk_through_time_sees_the_run_that_never_went_back(
    name: str, actions: list[tuple[str, int]], most: int, distance: int
) -> None:
    record = straight(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "MOST", most)
        patch.setattr(keyframes, "FIRST_DISTANCE", distance)
        run = nntui.Run(WALKED[name], seed=7)
        head, marks = 0, set()
        for action, number in actions:
            target = run.update
            match action:
                case "step":
                    target = min(run.update + number, FURTHEST)
                    report = run.step(target - run.update)
                case "seek":
                    target = number
                    report = run.seek(number)
                case "mark":
                    assert run.set_checkpoint() == run.update
                    marks.add(run.update)
                    report = run.step(0)
                case "marked":
                    target = max((mark for mark in marks if mark < run.update), default=0)
                    assert run.checkpoint_before() == target
                    report = run.seek(target)
            head = max(head, target)
            assert (run.update, run.head) == (target, head)
            assert run.state_hash == record.hashes[target]
            np.testing.assert_array_equal(flat(run.parameters), record.parameters[target])
            epoch = record.epochs[target]
            np.testing.assert_array_equal(run.losses, record.losses[:epoch])
            last = record.losses[epoch - 1] if epoch else None
            assert (run.epoch, run.loss) == (epoch, last)
            assert (report.update, report.epoch, report.loss) == (target, epoch, last)
            view = Snapshot.of(run)
            assert (view.update, view.head, view.state_hash) == (target, head, run.state_hash)
            np.testing.assert_array_equal(
                view.losses.read(0, view.epochs), record.losses[: record.epochs[head]]
            )
            assert view.loss == last
            assert run.checkpoints == tuple(sorted(marks))


@given(st.integers(2, 20), st.integers(1, 9), st.integers(0, 2000))
def test_keyframes_stay_few_and_evenly_spread_and_keep_the_first(
    most: int, distance: int, end: int
) -> None:
    first = nntui.Run(preset("line-tanh")).state
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "MOST", most)
        patch.setattr(keyframes, "FIRST_DISTANCE", distance)
        kept = Keyframes(first)
        while kept.due < end:
            kept.add(replace(first, update=kept.due))
            assert len(kept) <= most
    assert kept.due < 2 * end + 10
    below = [frame.update for at in range(kept.due) if (frame := kept.below(at))]
    assert below == [update - update % kept.distance for update in range(kept.due)]
    assert len(set(below)) == len(kept)


def test_keyframes_of_a_large_network_take_no_more_memory_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = nntui.Run(preset("add-relu-momentum")).state
    monkeypatch.setattr(keyframes, "MEMORY", 40 * (state.nbytes + keyframes.OVERHEAD))
    kept = Keyframes(state)
    for _ in range(500):
        kept.add(replace(state, update=kept.due))
    assert 20 <= len(kept) <= 40


def test_a_run_thins_its_keyframes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "MOST", 4)
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 3)
    run = nntui.Run(preset("add-relu"))
    start = run.state_hash
    run.step(100)
    assert len(run.branch.keyframes) <= 4
    assert run.branch.keyframes.distance > 3
    run.seek(0)
    assert (run.state_hash, run.head) == (start, 100)


def test_a_single_large_step_is_many_small_ones() -> None:
    record = straight("xor-relu")
    run = nntui.Run(preset("xor-relu"), seed=7)
    run.step(FURTHEST)
    assert run.state_hash == record.hashes[FURTHEST]


@pytest.mark.parametrize("move", [lambda run: run.step(-1), lambda run: run.seek(-1)])
def test_a_negative_update_is_refused(move: Callable[[nntui.Run], object]) -> None:
    run = nntui.Run(preset("add-relu"))
    run.step(5)
    before = run.state_hash
    with pytest.raises(ValueError, match="-1"):
        move(run)
    assert (run.update, run.head, run.state_hash) == (5, 5, before)


def test_what_a_run_hands_out_is_its_own_copy() -> None:
    run = nntui.Run(preset("add-relu-momentum"))
    run.step(7)
    before = run.state_hash
    W, b = run.parameters[0]
    assert b is not None
    for array in (W, b, run.outputs, run.losses, run.predict([[1.0, 2.0]])):
        array[...] = 9.0
    view = Snapshot.of(run)
    frozen = [run.state.theta, *run.state.slots]
    frozen += [array for layer in view.layers for array in (layer.z, layer.a, layer.h)]
    assert not any(array.flags.writeable for array in frozen)
    assert run.state_hash == before


def hash_of(**changes: Any) -> str:
    return nntui.Run(preset("add-relu-momentum", **changes), seed=1).state_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"goal__loss": 0.5},
        {"goal__epochs": 7},
        {"goal__stop": True},
        {"story__question": "Why?"},
        {"data__probe": [[1.0, 1.0]]},
        {"seed": 3},
        {"training__learning_rate": 1e-2},
    ],
    ids=str,
)
def test_the_hash_ignores_what_decides_nothing(changes: dict[str, Any]) -> None:
    assert hash_of(**changes) == hash_of()
    renamed = replace(preset("add-relu-momentum"), name="another")
    assert nntui.Run(renamed, seed=1).state_hash == hash_of()


@pytest.mark.parametrize(
    "changes",
    [
        {"training__learning_rate": 0.011},
        {"training__momentum": 0.8},
        {"training__loss": "half-squared-error"},
        {"training__batch": 2},
        {"layers__1__activation": "tanh"},
        {"layers__0__kink": "right"},
        {"report__reduction": "sum"},
        {"data__inputs__0__0": 0.11},
        {"data__target_divisor": 2.0},
        {"faults": ["bias-decay"]},
        {"faults": [{"name": "bias-decay", "layers": [0]}, "update-before-backprop"]},
        {"faults": ["wrong-factor"]},
        {"faults": [{"name": "wrong-factor", "factor": 3.0}]},
        {"layers__0__alpha": 0.5},
        {"data__seed": 1},
        {"data__scale_inputs": "minmax"},
        {"data__test_share": 0.4},
        {"training__optimiser": "nesterov"},
        {"training__optimiser": "adam"},
        {"training__beta1": 0.8},
        {"training__schedule": "cosine"},
        {"training__schedule_every": 7},
        {"training__order": "shuffled"},
        {"training__order": "random"},
        {"training__clip_value": 1.0},
        {"training__clip_norm": 1.0},
        {"training__l1": 0.1},
    ],
    ids=str,
)
def test_the_hash_follows_the_configuration(changes: dict[str, Any]) -> None:
    assert hash_of(**changes) != hash_of()


def test_the_hash_follows_every_part_of_the_state() -> None:
    run = nntui.Run(preset("add-relu-momentum"), seed=1)
    run.step(8)
    state = run.state

    def nudged(values: Array) -> Array:
        copy = values.copy()
        copy[-1] = np.nextafter(copy[-1], np.inf)
        return copy

    others: list[State] = [
        replace(state, update=9),
        replace(state, epoch=2),
        replace(state, position=3),
        replace(state, loss_sum=float(np.nextafter(state.loss_sum, 1))),
        replace(state, theta=nudged(state.theta)),
        replace(state, slots=(nudged(state.slots[0]),)),
        replace(state, random=(*state.random[:2], 5, *state.random[3:])),
        replace(state, random=np.random.RandomState(2).get_state(legacy=True)),
        replace(state, divergence=Divergence(8, "z", 0, (0,), 0, "inf")),
        replace(state, order=np.arange(6)),
        replace(state, order=np.array([1, 0, 2, 3, 4, 5])),
        nntui.Run(run.preset, seed=2).state,
    ]
    hashes = {each.hash for each in (state, replace(state), *others)}
    assert len(hashes) == 1 + len(others)


@pytest.mark.parametrize("at", [0, 1, 17, 100, 333])
@pytest.mark.parametrize("name", ["add-relu", "shuffled adam", "random nesterov"])
def test_an_interrupt_inside_an_update_leaves_a_whole_state(name: str, at: int) -> None:
    run = nntui.Run(WALKED[name], seed=7)
    record = straight(name)
    run.step(40)
    update, _ = run.trainer._batches[0]
    whole, played = update.calls, 0

    def interrupt() -> None:
        nonlocal played
        played += 1
        if played > at // len(whole):
            raise KeyboardInterrupt

    update.calls = (*whole[: at % len(whole)], interrupt, *whole[at % len(whole) :])
    with pytest.raises(KeyboardInterrupt):
        run.step(FURTHEST - 40)
    update.calls = whole
    assert run.update <= run.head < FURTHEST
    assert run.state_hash == record.hashes[run.update]
    run.seek(FURTHEST)
    assert run.state_hash == record.hashes[FURTHEST]
    np.testing.assert_array_equal(run.losses, record.losses[: run.epoch])
