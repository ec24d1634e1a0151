"""Runs that report every few epochs: what is told at every update, and after going back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command, parsed
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.presets.schema import override
from nntui.timeline import Snapshot
from nntui.timeline.history.events import events
from nntui.timeline.history.reported_epochs import ReportedEpochs
from nntui.timeline.history.termination import TARGET, Termination
from nntui.timeline.views.questions import when_loss_was_below

ALL = {"report__rows": "all", "report__every": 4, "report__when": "after"}
DRAWN = {"training__order": "random", "training__draws": 2, "training__batch": 1}


def changed_run() -> nntui.Run:
    """A run whose reports come every four epochs, then every ten, then all the time."""
    run = nntui.Run(preset("xor-sigmoid", **ALL, **DRAWN), seed=3)
    run.step(21)  # in the middle of epoch 10
    run.step(1)
    run.change(**{"report.every": 10})
    run.step(60)
    run.change(**{"report.every": 1, "report.rows": "batch", "report.when": "before"})
    run.step(11)
    return run


REPORTED = [0, 4, 8, 20, 30, 40, 41, 42, 43, 44, 45]


def told(run: nntui.Run) -> tuple[Any, ...]:
    snapshot = Snapshot.of(run)
    assert snapshot.loss == run.loss
    return run.losses.tolist(), run.reported_epochs.tolist(), run.loss, run.solved, run.state_hash


def test_only_epochs_that_report_have_a_loss() -> None:
    run = changed_run()
    assert run.reported_epochs.tolist() == REPORTED
    assert len(run.losses) == len(REPORTED)
    with pytest.raises(IndexError, match="9"):
        run.branch.losses[9]


def test_going_back_tells_what_was_told_there() -> None:
    run = nntui.Run(preset("xor-sigmoid", **ALL, **DRAWN), seed=3)
    there = []
    for _ in range(30):
        there.append(told(run))
        run.step(1)
    for update in (29, 0, 13, 8, 9, 1):
        run.seek(update)
        assert told(run) == there[update]
        forked = run.fork(**{"report.every": 4})
        assert told(forked) == there[update]
        forked.step(29 - update)
        assert told(forked)[:3] == there[29][:3]


def test_a_session_keeps_which_epochs_reported(tmp_path: Path) -> None:
    run = changed_run()
    run.seek(50)
    child = run.fork(**{"report.every": 3})
    child.step(30)
    child.save(tmp_path / "it.nntui")
    again = nntui.load_session(tmp_path / "it.nntui")
    assert told(again) == told(child)
    assert [each.losses.numbers().tolist() for each in again.tree.branches] == [
        each.losses.numbers().tolist() for each in child.tree.branches
    ]
    assert again.reported_epochs.tolist() == [0, 4, 8, 20, 27, 30, 33, 36, 39]
    for each in (again, child):
        each.step(10)
    assert told(again) == told(child)


def test_a_run_stops_at_a_report_and_nowhere_else() -> None:
    of = preset("line-leaky-relu-bias", goal__loss=3.0, report__rows="all", report__every=50)
    run, ending = nntui.Run(of), Termination()
    asked = 0
    while ending.reason(run) is None:
        run.step(ending.next_check(run) - run.update)
        asked += 1
    assert ending.reason(run) == TARGET
    assert run.solved
    assert run.epoch % 50 == 1
    assert run.epoch == 50 * (asked - 1) + 1  # nothing was asked between two reports
    assert (run.losses[:-1] > 3.0).all()
    assert len(run.losses) == asked
    run.step(10)
    assert run.solved  # the last that was told still counts


def test_events_and_questions_name_the_epochs_that_reported() -> None:
    of = preset("line-leaky-relu-bias", goal__loss=3.0, report__every=50)
    run = nntui.Run(of)
    run.step(3 * 2000)
    below = run.reported_epochs[run.losses <= 3.0]
    goal = next(each for each in events(run.branch) if "goal" in each.what)
    assert goal.by == run.end_of(int(below[0]))
    found = when_loss_was_below(run.branch, run.update, 7.0)
    assert found.update == run.end_of(int(run.reported_epochs[run.losses < 7.0][-1]))


def test_a_rise_says_over_how_many_epochs() -> None:
    run = nntui.Run(preset("square-fixed", report__every=5, training__learning_rate=0.0))
    run.step(7)
    run.change(**{"report.reduction": "sum"})  # 201 rows, and as many times the mean
    run.step(7)
    texts = [each.what for each in events(run.branch) if "rose" in each.what]
    assert [each.partition(" in ")[2] for each in texts] == ["5 epochs"]


def test_run_lists_the_losses_with_their_epochs() -> None:
    changes = ("report.rows=all", "report.every=40")
    sets = [part for each in changes for part in ("--set", each)]
    result = parsed(command("run", "xor-sigmoid", "--epochs", "100", *sets, "--json").stdout)
    assert [epoch for epoch, _ in result["losses"]] == [0, 40, 80]
    assert result["final_loss"] == result["losses"][-1][1]
    assert result["epochs"] == 100


def test_reports_do_not_change_what_is_learned() -> None:
    plain = nntui.Run(preset("add-fixed", training__order="shuffled"), seed=1)
    quiet = nntui.Run(override(plain.preset, {"report.rows": "all", "report.every": 9}), seed=1)
    for run in (plain, quiet):
        run.step(333)
    for (W, b), (own_W, own_b) in zip(plain.parameters, quiet.parameters, strict=True):
        np.testing.assert_array_equal(W, own_W)
        np.testing.assert_array_equal(b, own_b)


@given(st.data())
def test_any_reports_are_a_list_of_epochs_and_regular_ones_take_no_memory(
    data: st.DataObject,
) -> None:
    reported, epochs = ReportedEpochs(), []
    for _ in range(data.draw(st.integers(0, 12))):
        first = epochs[-1] + data.draw(st.integers(1, 4)) if epochs else 0
        new = range(first, first + data.draw(st.integers(0, 20)), data.draw(st.integers(1, 4)))
        if data.draw(st.booleans()):
            reported.extend(new)
            epochs.extend(new)
        else:
            reported.append(first)
            epochs.append(first)
        if data.draw(st.integers(0, 4)) == 0:
            kept = data.draw(st.integers(0, len(epochs)))
            reported.cut(kept)
            del epochs[kept:]
    assert [reported[place] for place in range(len(reported))] == epochs
    assert reported.at(np.arange(len(epochs))).tolist() == epochs
    for epoch in range(max(epochs, default=0) + 2):
        assert reported.before(epoch) == sum(each < epoch for each in epochs)


@pytest.mark.parametrize("step", [1, 3])
def test_regular_reports_are_one_progression_however_they_come(step: int) -> None:
    reported = ReportedEpochs()
    for begin in range(0, 3000, 30):
        reported.append(begin)
        reported.extend(range(begin + step, begin + 30, step))
    assert reported.progressions == [(0, 0, step)]
