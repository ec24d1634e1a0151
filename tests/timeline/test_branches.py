"""A branch equals a run that never went back, and nothing done on one branch changes another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from example_counts import RUNS, WALKS
from hypothesis import given
from hypothesis import strategies as st
from support import flat, preset
from walks import (
    LIVE,
    SEED,
    STRUCTURAL,
    WALKED,
    WRONG,
    Changes,
    Script,
    Trajectory,
    stepped,
    trajectory,
)

import nntui
from nntui.core.engine.network import Layout
from nntui.core.engine.trainer import Trainer
from nntui.core.errors import ConfigError
from nntui.timeline.history import branch as branches
from nntui.timeline.history import keyframes
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import LONGEST_NAME

MOST_UPDATES = 150


KNOWN: dict[str, Trajectory] = {}


def remembered(name: str, script: Script) -> Trajectory:
    """The `trajectory` of a walked preset, trained once."""
    key = f"{name} {script}"
    if key not in KNOWN:
        KNOWN[key] = trajectory(WALKED[name], script, MOST_UPDATES)
    return KNOWN[key]


def assert_states_equal(run: nntui.Run, line: Trajectory, update: int) -> None:
    """All that a run tells of ``update`` is what ``line`` has there."""
    state = line.at(update)
    assert run.update == state.update
    assert run.state_hash == state.hash
    shaped = Layout.of(state.configuration).views(state.theta)
    np.testing.assert_array_equal(
        flat(run.parameters), flat([(W, None if b is None else b.ravel()) for W, b in shaped])
    )
    assert run.epoch == state.epoch
    assert run.position == state.position
    assert run.divergence == state.divergence
    assert run.preset.configuration == state.configuration
    np.testing.assert_array_equal(run.losses, line.losses[: state.epoch])
    np.testing.assert_equal(run.loss, line.losses[state.epoch - 1] if state.epoch else None)


@dataclass
class Shadow:
    """What a branch must be, told in the plainest way."""

    script: Script
    forked_at: int
    head: int
    """As far as somebody asked; less if it diverged."""
    parent: "Shadow | None" = None
    marks: set[int] = field(default_factory=set)

    def owner(self, update: int) -> "Shadow":
        return (
            self if self.parent is None or update >= self.forked_at else self.parent.owner(update)
        )

    def checkpoints(self) -> tuple[int, ...]:
        past = self.parent.checkpoints() if self.parent else ()
        return (*(mark for mark in past if mark < self.forked_at), *sorted(self.marks))


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 45)),
        st.tuples(st.just("seek"), st.integers(0, MOST_UPDATES)),
        st.tuples(st.just("start"), st.just(0)),
        st.tuples(st.just("train"), st.integers(0, 30)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("switch"), st.integers(0, 9)),
        st.tuples(st.just("fork"), st.sampled_from((*LIVE, *STRUCTURAL))),
        st.tuples(st.just("change"), st.sampled_from((*LIVE, *STRUCTURAL))),
        st.tuples(st.just("wrong"), st.sampled_from(WRONG)),
    ),
    min_size=4,
    max_size=16,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
@WALKS
@given(ACTIONS, st.integers(2, 9), st.integers(1, 40), st.sampled_from([0, 20_000, 10**9]))
def test_a_walk_through_branches_sees_runs_that_never_went_back(
    name: str, actions: list[tuple[str, Any]], most: int, distance: int, memory: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "MOST", most)
        patch.setattr(keyframes, "FIRST_DISTANCE", distance)
        patch.setattr(keyframes, "MEMORY", memory)
        patch.setattr(branches, "MEMORY", memory)
        run = nntui.Run(WALKED[name], SEED)
        shadows = {run.branch: Shadow((), 0, 0)}
        cursor = 0
        for action, what in actions:
            shadow = shadows[run.branch]
            match action:
                case "step":
                    cursor = min(cursor + what, MOST_UPDATES)
                    run.step(cursor - run.update)
                case "seek" | "start":
                    cursor = what
                    run.seek(what)
                case "train":
                    shadow.head = min(shadow.head + what, MOST_UPDATES)
                    run.train(shadow.head - run.head)
                case "mark":
                    run.set_checkpoint()
                    shadow.owner(cursor).marks.add(cursor)
                case "switch":
                    target = list(shadows)[what % len(shadows)]
                    left = run.branch
                    run.switch(target)
                    assert left.left_at == cursor
                    cursor = target.left_at
                case "fork" | "change":
                    cursor = changed_or_refused(name, run, shadows, cursor, action, what)
                case "wrong":
                    for change in (run.fork, run.change):
                        with pytest.raises(ConfigError):
                            change(**what)
            shadow = shadows[run.branch]
            cursor = min(cursor, remembered_head(name, shadow, MOST_UPDATES))
            shadow.head = remembered_head(name, shadow, max(shadow.head, cursor))
            line = remembered(name, shadow.script)
            assert_states_equal(run, line, cursor)
            assert list(run.tree.branches) == list(shadows)
            for branch, each in shadows.items():
                line = remembered(name, each.script)
                assert branch.update == each.head
                assert branch.state.hash == line.states[each.head].hash
                np.testing.assert_array_equal(
                    branch.losses.read(), line.losses[: line.states[each.head].epoch]
                )
                assert branch.checkpoints == each.checkpoints()
        for branch, each in shadows.items():
            straight = stepped(WALKED[name], each.script, branch.update)
            assert straight.tree.branches == [straight.branch]
            assert straight.state_hash == branch.state.hash
            run.switch(branch)
            line = remembered(name, each.script)
            for update in {0, each.forked_at, max(each.forked_at - 1, 0), each.head // 2}:
                run.seek(update)
                assert_states_equal(run, line, min(update, each.head))


def remembered_head(name: str, shadow: Shadow, update: int) -> int:
    return min(update, len(remembered(name, shadow.script).states) - 1)


def changed_or_refused(
    name: str,
    run: nntui.Run,
    shadows: dict[Branch, Shadow],
    cursor: int,
    action: str,
    values: Changes,
) -> int:
    """Fork or change ``run`` and its shadow alike; the cursor afterwards."""
    source, shadow, names = run.branch, shadows[run.branch], [b.name for b in run.tree.branches]
    state = remembered(name, shadow.script).at(cursor)
    script = (*(entry for entry in shadow.script if entry[0] <= cursor), (cursor, values))
    try:
        trajectory(WALKED[name], script, cursor)
        if values in STRUCTURAL and cursor > 0:
            raise ConfigError("", "structural")
    except ConfigError:
        with pytest.raises(ConfigError):
            getattr(run, action)(**values)
        assert [each.name for each in run.tree.branches] == names
        assert run.branch is source
        return cursor
    assert state.update == cursor
    at_head = cursor == shadow.head
    if action == "fork":
        made = run.fork(**values)
        assert run.branch is source
        assert (made.update, made.head, made.branch.forked_at) == (cursor, cursor, cursor)
    else:
        run.change(**values)
        made = run
    if made.branch is source:
        assert action == "change"
        assert at_head
        shadow.script = script
    else:
        assert action == "fork" or not at_head
        shadows[made.branch] = Shadow(script, cursor, cursor, shadow.owner(cursor))
    return cursor


def test_a_fork_in_the_shared_past_parts_from_the_branch_whose_past_it_is() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(60)
    child = run.fork(**{"training.learning_rate": 0.02})
    child.step(40)
    child.seek(30)
    early = child.fork(**{"training.learning_rate": 0.03})
    assert early.branch.parent is run.branch
    assert early.branch.changes == {"training.learning_rate": 0.03}
    run.tree.delete(child.branch)
    assert [each.name for each in run.tree.branches] == ["main", "learning_rate=0.03"]


def test_a_checkpoint_in_the_shared_past_is_one_of_both_branches() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(60)
    run.seek(50)
    run.set_checkpoint()
    run.seek(60)
    child = run.fork()
    child.step(20)
    child.set_checkpoint()
    child.seek(20)
    child.set_checkpoint()
    child.set_checkpoint()
    assert child.checkpoints == (20, 50, 80)
    assert run.checkpoints == (20, 50)
    assert child.branch.kept(80) == sorted(child.branch.kept(80), key=lambda state: state.update)
    child.seek(49)
    assert child.checkpoint_before() == 20


def names(run: nntui.Run) -> list[str]:
    return [each.name for each in run.tree.branches]


def test_every_branch_has_a_name_of_its_own_that_says_what_was_changed() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    for values in (
        {"training.learning_rate": 0.1},
        {"training.learning_rate": 0.1},
        {"training.learning_rate": np.float64(0.1), "training.momentum": 0.5},
        {"seed": 3},
        {"faults": []},
        {"faults": [{"name": "bias-decay"}, "penalty-sum"]},
        {},
        {},
    ):
        run.fork(**values)
    assert names(run) == [
        "main",
        "learning_rate=0.1",
        "learning_rate=0.1 (2)",
        "learning_rate=0.1 momentum=0.5",
        "seed 3",
        "faults=none",
        "faults=bias-decay+penalty-sum",
        "again",
        "again (2)",
    ]
    run.tree.delete(run.tree.branches[1])
    assert run.fork(**{"training.learning_rate": 0.1}).branch.name == "learning_rate=0.1"


@pytest.mark.parametrize(
    "values",
    [{"story.asked": "one\ntwo"}, {"story.asked": "x" * 500}, {"data.probe": [[1, 2]] * 99}],
)
def test_a_name_fits_in_one_line(values: Changes) -> None:
    run = nntui.Run(preset("add-relu"))
    for _ in range(12):
        name = run.fork(**values).branch.name
        assert name.isprintable()
        assert len(name) <= LONGEST_NAME
    assert len(set(names(run))) == 13


def test_a_branch_can_be_given_any_free_name_that_fits() -> None:
    run = nntui.Run(preset("add-relu"))
    one, other = run.fork().branch, run.fork().branch
    run.tree.rename(one, "  slow but sure ")
    assert one.name == "slow but sure"
    run.tree.rename(one, "slow but sure")
    run.tree.rename(run.branch, "x" * LONGEST_NAME)
    for wrong in ("", "  ", "slow but sure", " slow but sure", "x" * 41, "a\nb", "\x1b[31m"):
        with pytest.raises(ConfigError, match="name"):
            run.tree.rename(other, wrong)
    assert other.name == "again (2)"


def test_a_branch_is_deleted_with_what_parted_from_it_unless_that_is_pinned() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(10)
    child = run.fork()
    child.step(10)
    grandchild = child.fork()
    other = run.fork()
    tree = run.tree
    assert [branch for _, branch in tree.ordered()] == [
        run.branch,
        child.branch,
        grandchild.branch,
        other.branch,
    ]
    assert [depth for depth, _ in tree.ordered()] == [0, 1, 2, 1]
    assert tree.descendants(child.branch) == [child.branch, grandchild.branch]
    with pytest.raises(ConfigError, match="first branch"):
        tree.delete(tree.root)
    grandchild.branch.pinned = True
    for going in (child.branch, grandchild.branch):
        with pytest.raises(ConfigError, match="pinned"):
            tree.delete(going)
    assert len(tree.branches) == 4
    grandchild.branch.pinned = False
    tree.delete(child.branch)
    assert tree.branches == [run.branch, other.branch]
    # Who still holds a deleted branch can go on with it.
    hash_before = grandchild.state_hash
    grandchild.step(10)
    grandchild.seek(20)
    assert grandchild.state_hash == hash_before


def test_forks_at_update_0_stand_side_by_side() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(5)
    run.seek(0)
    seeded = run.fork(seed=1)
    both = seeded.fork(**{"training.momentum": 0.9})
    again = both.fork(seed=2)
    assert [each.branch.parent for each in (seeded, both, again)] == [run.branch] * 3
    assert again.branch.changes == {"seed": 2, "training.momentum": 0.9}
    assert (seeded.seed, both.seed, again.seed, run.seed) == (1, 1, 2, SEED)
    assert again.preset.configuration == both.preset.configuration
    momentum = preset("add-relu", training__momentum=0.9)
    for made, like in (
        (seeded, nntui.Run(preset("add-relu"), 1)),
        (both, nntui.Run(momentum, 1)),
        (again, nntui.Run(momentum, 2)),
    ):
        made.step(20)
        like.step(20)
        assert made.state_hash == like.state_hash


def test_all_branches_together_stay_within_the_memory_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = nntui.Run(preset("add-relu-momentum"), SEED)
    each = keyframes.weight(run.state)
    allowed = 90 * each
    monkeypatch.setattr(keyframes, "MEMORY", allowed)
    monkeypatch.setattr(branches, "MEMORY", allowed)
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 4)
    scripts: list[Script] = [()]
    run.step(400)
    runs = [run]
    for number in range(11):
        source = runs[number // 2]
        source.seek(100 + 20 * number)
        values = {"training.learning_rate": 0.01 + 0.001 * number}
        runs.append(source.fork(**values))
        past = (entry for entry in scripts[number // 2] if entry[0] <= source.update)
        scripts.append((*past, (source.update, values)))
        runs[-1].step(200)
        kept = sum(len(made.branch.keyframes) for made in runs)
        assert kept * each == run.tree.budget.nbytes <= allowed
    for made, script in zip(runs, scripts, strict=True):
        line = trajectory(preset("add-relu-momentum"), script, made.head)
        for update in range(made.head, 0, -17):
            made.seek(update)
            assert_states_equal(made, line, update)


def test_a_heavy_branch_that_cannot_be_thinned_out_leaves_it_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyframes, "FIRST_DISTANCE", 2)
    run = nntui.Run(preset("add-relu"), SEED)
    small = keyframes.weight(run.state)
    heavy = run.fork(**{"layers.1.units": 4000})
    allowed = keyframes.weight(heavy.state) + 50 * small
    monkeypatch.setattr(keyframes, "MEMORY", allowed)
    run.step(300)
    assert len(run.branch.keyframes) > 20
    assert run.tree.budget.nbytes <= allowed


def test_a_deleted_branch_gives_its_memory_back() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(200)
    before = run.tree.budget.nbytes
    child = run.fork()
    child.step(500)
    assert run.tree.budget.nbytes > before
    run.tree.delete(child.branch)
    del child
    assert run.tree.budget.nbytes == before


def test_checkpoints_keep_no_states_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    monkeypatch.setattr(branches, "MEMORY", 5 * keyframes.weight(run.state))
    for _ in range(20):
        run.step(3)
        run.set_checkpoint()
    assert run.checkpoints == tuple(range(3, 61, 3))
    assert 0 < sum(state is not None for state in run.branch.marks.values()) < 5
    line = trajectory(run.preset, (), 60)
    for mark in run.checkpoints:
        run.seek(mark)
        assert_states_equal(run, line, mark)


DIVERGING: Changes = {"training.learning_rate": 1e200}


def test_a_diverged_branch_stays_as_it_is_and_can_be_left_from_its_past() -> None:
    run = nntui.Run(preset("add-fixed"), SEED)
    run.step(30)
    run.change(**DIVERGING)
    run.step(50)
    end, divergence = run.update, run.divergence
    assert divergence is not None
    assert 30 < end < 80
    ended, losses = run.state_hash, run.losses
    for move in (lambda: run.step(5), lambda: run.train(5), lambda: run.seek(500)):
        move()
        assert (run.update, run.head, run.state_hash) == (end, end, ended)
    np.testing.assert_array_equal(run.losses, losses)
    stays = run.fork(**{"training.learning_rate": 1e-3})
    stays.step(5)
    assert (stays.update, stays.divergence) == (end, divergence)
    run.seek(29)
    assert run.divergence is None
    fork = run.fork(**{"training.momentum": 0.1})
    run.change(**{"training.momentum": 0.1})
    for made in (run, fork):
        made.step(100)
        assert made.update == 129
        assert made.divergence is None
        assert np.isfinite(flat(made.parameters)).all()
        assert np.isfinite(made.losses).all()


def interrupting(after: int) -> Callable[[], None]:
    played = 0

    def interrupt() -> None:
        nonlocal played
        played += 1
        if played > after:
            raise KeyboardInterrupt

    return interrupt


def broken_off(action: Callable[[], object], at: int, patch: pytest.MonkeyPatch) -> bool:
    """Do ``action`` with a Ctrl+C within update ``at // 40`` of it; whether it came that far."""
    advance = Trainer.advance

    def interrupted(trainer: Trainer, count: int, stop: float | None = None) -> None:
        if count:
            for update in {id(each): each for each, _ in trainer._batches}.values():
                whole = update.calls
                place = at % len(whole)
                update.calls = (*whole[:place], interrupt, *whole[place:])
        try:
            advance(trainer, count, stop)
        finally:
            for update in {id(each): each for each, _ in trainer._batches}.values():
                update.calls = tuple(call for call in update.calls if call is not interrupt)

    interrupt = interrupting(at // 40)
    with patch.context() as inner:
        inner.setattr(Trainer, "advance", interrupted)
        try:
            action()
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("name", ["add-relu", "shuffled adam", "random nesterov"])
@RUNS
@given(
    st.lists(st.tuples(st.integers(0, 110), st.integers(1, 60), st.integers(0, 2400)), max_size=6)
)
def test_an_interrupt_anywhere_leaves_whole_states_and_losses(
    name: str, breaks: list[tuple[int, int, int]]
) -> None:
    script: Script = ((24, {"training.learning_rate": 0.02}), (48, {"training.l2": 0.01}))
    line = remembered(name, script)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "FIRST_DISTANCE", 7)
        run = stepped(WALKED[name], script, 50)
        for start, updates, at in breaks:
            run.seek(min(start, run.head))
            before = run.update
            target = min(before + updates, MOST_UPDATES)
            interrupted = broken_off(partial(run.step, target - before), at, patch)
            assert before <= run.update <= target
            assert interrupted or run.update == target
            assert run.update <= run.head
            assert_states_equal(run, line, run.update)
            head = line.states[run.head]
            assert run.branch.state.hash == head.hash
            np.testing.assert_array_equal(run.branch.losses.read(), line.losses[: head.epoch])
        run.seek(MOST_UPDATES)
        assert_states_equal(run, line, MOST_UPDATES)


def test_an_interrupt_while_the_head_is_made_again_leaves_the_head_where_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(100)
    line = trajectory(run.preset, (), 100)
    for _ in range(2):  # the first leaves a trainer that has to be made again at the next
        assert broken_off(partial(run.step, 20), 41, monkeypatch)
        assert run.head == run.update == 100
        np.testing.assert_array_equal(run.losses, line.losses)
    assert_states_equal(run, line, 100)


def test_an_interrupt_while_a_past_state_is_made_again_leaves_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(200)
    run.seek(70)
    run.seek(200)
    run.train(50)
    # The cursor was at the head, and is now in the past, eight updates after a kept state.
    assert broken_off(lambda: run.state_hash, 3 * 40 + 7, monkeypatch)
    assert_states_equal(run, trajectory(run.preset, (), 200), 200)


def test_what_is_kept_at_a_change_is_what_training_goes_on_with() -> None:
    run = nntui.Run(preset("add-relu"), SEED)
    run.step(64)
    run.set_checkpoint()
    run.step(1)
    run.seek(64)
    child = run.fork()
    child.set_checkpoint()
    child.change(**{"training.momentum": 0.5})
    child.step(100)
    branch = child.branch
    for state in (*branch.keyframes.states, *branch.marks.values(), *branch.kept(164)):
        assert state is not None
        assert state.configuration is branch.stretch_at(state.update).preset.configuration


@pytest.mark.parametrize(
    ("updates", "error"), [(-5, ValueError), (20.0, TypeError), ("3", TypeError)]
)
def test_training_at_the_head_refuses_what_a_step_refuses(
    updates: Any, error: type[Exception]
) -> None:
    run = nntui.Run(preset("add-relu"))
    for method in (run.step, run.train):
        with pytest.raises(error):
            method(updates)
    assert (run.update, run.head) == (0, 0)
    report = run.train(13)
    assert (report.update, report.epoch, report.loss) == (13, 2, run.branch.losses[1])
    assert run.update == 0


def test_only_a_branch_of_the_tree_can_be_switched_to() -> None:
    run, other = nntui.Run(preset("add-relu")), nntui.Run(preset("add-relu"))
    run.step(3)
    with pytest.raises(ValueError, match="tree"):
        run.switch(other.branch)
    assert (run.update, run.branch) == (3, run.tree.root)
