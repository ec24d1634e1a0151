"""The time of a diagnosis: no stage begins work after its deadline; what is left out is told."""

from dataclasses import replace

import numpy as np
import pytest
from support import preset

from nntui.core.tape import Array
from nntui.diagnosis import evidence as evidence_module
from nntui.diagnosis.answer_text import render_answer
from nntui.diagnosis.check import check
from nntui.diagnosis.check_text import render_check
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.evidence import Evidence
from nntui.diagnosis.experiments import laboratory as laboratory_module
from nntui.diagnosis.experiments.laboratory import Trial, shortened
from nntui.diagnosis.experiments.rounds import LEAST_ROWS, NOTHING
from nntui.diagnosis.measures.floors import Cost, equal_columns, softmax_floor
from nntui.diagnosis.observation import observe
from nntui.diagnosis.subject import Program
from nntui.diagnosis.why import Answer, why
from nntui.presets import Preset
from nntui.sweeps.block import Block, Outcome, train_block
from nntui.timeline import Run


class Ticking:
    """A clock of its own: every reading finds it ``step`` seconds later."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def large(rows: int = 5000, **changes: object) -> Preset:
    """A preset of many rows and epochs."""
    made = {"data__samples": rows, "goal__epochs": 2000, "training__learning_rate": 1e-5}
    made["layers__0__units"] = 4
    return preset("square-linear-output", **{**made, **changes})


# The deadline


def test_a_deadline_is_a_reading_of_its_clock() -> None:
    clock = Ticking(1.0)
    deadline = Deadline.after(3.0, clock)
    assert deadline.at == 4.0
    assert deadline.left == 2.0
    assert not deadline.passed
    assert deadline.passed
    assert deadline.left < 0.0
    assert NEVER.left == np.inf
    assert not NEVER.passed


def test_a_share_is_of_what_is_left() -> None:
    deadline = Deadline(10.0, lambda: 2.0)
    assert deadline.share(0.25).at == 4.0
    assert deadline.share(1.0).at == 10.0
    assert Deadline(1.0, lambda: 2.0).share(0.5).at == 1.0
    assert NEVER.share(0.5).left == np.inf


# An answer in its time


def test_what_is_cut_is_undecided_and_no_training_begins_after_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, begun = Ticking(0.8), list[float]()

    def train_until(block: Block, deadline: Deadline) -> list[Outcome]:
        begun.append(clock.now)
        return train_block(block, lambda: deadline.passed)

    monkeypatch.setattr(laboratory_module, "train_until", train_until)
    answer = why(large(2000), seconds=90.0, workers=0, clock=clock)
    tried = answer.experiments
    assert tried is not None
    assert tried.tried
    assert all(each.seeds for each in tried.tried)
    assert max(begun) < 90.0
    assert clock.now < 96.0
    assert tried.rows is not None
    assert LEAST_ROWS <= tried.rows < 2000
    assert f"epochs of {tried.rows:,} rows drawn from 2,000" in str(tried.reduced)
    assert all(tried.cut(each) for each in tried.tried)
    assert {(each["rows"], each["decided"]) for each in tried.as_json()} == {(tried.rows, False)}
    assert "undecided" in render_answer(answer)
    assert "no effect  " not in render_answer(answer)


def test_no_rule_begins_after_the_deadline() -> None:
    run = Run(preset("add-relu"))
    found = diagnose(observe(run), Deadline(0.0, lambda: 1.0))
    assert found.findings == ()
    assert "the time ended before every rule was tried" in found.limits
    assert diagnose(observe(run)).limits == ()


def test_a_slip_that_there_was_no_time_to_name_is_told_without_a_name() -> None:
    run = Run(preset("add-relu"))
    ends = iter([0.0] * 2)  # the rule begins in time, and the first known slip comes too late

    (found,) = diagnose(observe(run), Deadline(1.0, lambda: next(ends, 2.0))).findings
    assert found.code == "update-wrong"
    assert "there was no time" in found.evidence
    assert {each.code for each in diagnose(observe(run)).findings} >= {"bias-decay"}


def test_the_seconds_count_from_where_they_are_told_to() -> None:
    clock = Ticking(0.01)
    clock.now = 100.0
    answer = why(preset("add-relu"), seconds=20.0, workers=0, clock=clock, started=70.0)
    assert (answer.updates, answer.ended) == (0, None)
    assert answer.experiments is not None
    assert answer.experiments.tried == ()
    assert answer.experiments.untried


# Experiments on short epochs


@pytest.mark.parametrize(("reduction", "share"), [("mean", 1.0), ("sum", 0.2)])
def test_a_short_epoch_has_the_goal_of_a_whole_one(reduction: str, share: float) -> None:
    asked = large(report__reduction=reduction)
    trial = Trial(asked, NOTHING, 1000)
    assert trial.preset.configuration.samples_per_epoch == 1000
    assert trial.changes == shortened(1000)
    assert trial.preset.goal.loss == pytest.approx(asked.goal.loss * share, rel=1e-12)


@pytest.mark.parametrize("name", ["add-relu", "square-linear-output"])
def test_a_block_that_is_stopped_gives_what_a_whole_one_gives_or_nothing(name: str) -> None:
    made = preset(name)
    block = Block(made.configuration, made.goal, 600, tuple(range(6)))
    whole, looks = train_block(block), list[int]()
    assert len(whole) == 6

    def third() -> bool:
        looks.append(0)
        return len(looks) > 3

    part = train_block(block, third)
    assert part == whole[: len(part)]
    assert len(part) < 6


# Many rows


def test_rows_beyond_a_bound_are_sampled_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(large(101, data__formula="0*x - 1", layers__1__activation="relu"))
    case = observe(run)
    whole = Evidence(Program(case.preset.configuration), case)
    monkeypatch.setattr(evidence_module, "MOST_ROWS", 20)
    part = Evidence(Program(case.preset.configuration), case)
    assert part.sample_x.shape[1] == 17
    assert np.array_equal(part.sample_y, whole.y[:, ::6])
    flat = [each.still_units(each.now) for each in (whole, part)]
    assert all(np.array_equal(*pair) for pair in zip(*flat, strict=True))
    assert any("of 101 rows" in each for each in diagnose(case).limits)


def test_a_unit_is_dead_only_if_no_row_outside_of_the_sample_moves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evidence_module, "MOST_ROWS", 10)
    rows = [[-1.0]] * 99 + [[1.0]]
    source = {"inputs": rows, "targets": rows, "formula": None, "start": None, "stop": None}
    asked = preset("square-linear-output")
    data = replace(asked.configuration.data, **source, samples=None)
    layers = tuple(replace(each, activation="relu") for each in asked.configuration.layers)
    configuration = replace(asked.configuration, data=data, layers=layers)
    run = Run(replace(asked, configuration=configuration))
    seen = Evidence(Program(configuration), observe(run))
    (W, _), _ = seen.parameters(seen.now)
    dead = seen.still_units(seen.now)[0]
    assert not (seen.sample_x > 0.0).any()
    assert (W[:, 0] > 0.0).any()
    assert not dead.any()


def brute_median(y: Array, groups: Array) -> float:
    return float(
        sum(
            np.abs(y[groups == group] - np.median(y[groups == group])).sum()
            for group in np.unique(groups)
        )
    )


def test_grouped_medians_are_the_best_answer_of_each_group() -> None:
    random = np.random.RandomState(0)
    for count in (1, 2, 7, 40):
        y = random.randn(1, count)
        groups = random.randint(0, 4, count)
        _, groups = np.unique(groups, return_inverse=True)
        stated = preset("xor-relu").configuration.report
        made = Cost(replace(stated, reduction="sum"), count).grouped(y, groups.reshape(-1))
        assert made == pytest.approx(brute_median(y[0], groups) / 2.0, rel=1e-12)


def test_weighted_medians_are_no_worse_than_any_other_value() -> None:
    random = np.random.RandomState(1)
    keys, factors, y = random.randint(0, 3, (2, 30)) * 1.0, random.randn(30), random.randn(1, 30)
    factors[:3] = 0.0
    stated = replace(preset("xor-relu").configuration.report, reduction="sum")
    made = Cost(stated, 30).multiples(keys, factors, y)
    least = 0.0
    for group in np.unique(equal_columns(keys)):
        ours, row = factors[equal_columns(keys) == group], y[0, equal_columns(keys) == group]
        ends = [row[at] / ours[at] for at in range(len(row)) if ours[at]] or [0.0]
        least += min(float(np.abs(row - ours * value).sum()) for value in ends) / 2.0
    assert made == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e300])
def test_equal_columns_are_a_group_and_others_are_not(scale: float) -> None:
    random = np.random.RandomState(2)
    columns = random.randint(0, 3, (4, 200)) * scale
    groups = equal_columns(columns)
    for one in range(0, 200, 7):
        same = (columns == columns[:, [one]]).all(axis=0)
        assert np.array_equal(groups == groups[one], same)


def test_a_floor_that_is_not_found_in_time_is_none() -> None:
    x = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
    classes = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    assert softmax_floor(x, classes) > 0.5
    skewed = np.array([[0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    noisy = np.concatenate([skewed, 1 - skewed], axis=1)
    assert softmax_floor(np.concatenate([x, x], axis=1), noisy) > 0.5
    assert softmax_floor(x, skewed, Deadline(0.0, lambda: 1.0)) == 0.0


def test_the_answer_holds_its_limits() -> None:
    answer = why(large(10_001), seconds=2.0, workers=0, clock=Ticking(0.3))
    assert isinstance(answer, Answer)
    assert answer.as_json()["limits"] == list(answer.limits) != []
    assert "LIMITS" in render_answer(answer)


def test_a_check_of_many_numbers_says_on_which_it_was_made() -> None:
    asked = large(1100, layers__0__units=800, layers__1__units=1)
    made = check(Run(asked))
    assert made.ok
    W, *_ = made.gradient
    assert 0 < W.coordinates < W.size == 800
    assert made.as_json()["limits"] == [
        "gradients compared on 256 of the 1,100 rows of a batch",
        "updates compared on 1,000 of the 1,100 rows of a batch",
        *(
            f"{each.tensor.name} compared at {each.coordinates:,} of {each.size:,} numbers"
            for each in made.gradient
            if each.coordinates < each.size
        ),
    ]
    text = " ".join(render_check(made).split())
    assert "Sampled: gradients compared on 256 of the 1,100 rows" in text
    assert check(Run(preset("add-relu"))).limits == ()
