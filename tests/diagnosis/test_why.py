"""Why a preset does not learn: what is tried, how it is compared, and what is said of it."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from math import inf, isfinite
from typing import Any

import pytest
from commands import parsed, printed, process, refused
from process_groups import at_work
from sessions_of_processes import members
from support import preset

from nntui.diagnosis.answer_text import render_answer
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.fixes import (
    CORRECTION,
    candidates,
    combined,
    correction,
    own_fixes,
    standing,
    tried,
)
from nntui.diagnosis.experiments.laboratory import Laboratory, Task, Trial, with_goal
from nntui.diagnosis.experiments.paired_test import HARMS, HELPS, NO_EFFECT, p_value, verdict
from nntui.diagnosis.experiments.results import (
    ENOUGH,
    Ended,
    Experiment,
    Experiments,
    Given,
    middle,
    simplest,
)
from nntui.diagnosis.experiments.rounds import (
    NOTHING,
    counts,
    experiment,
    lengths,
    workshop,
)
from nntui.diagnosis.finding import CLASSES, MEASURED, PROOF, Diagnosis, Finding, Fix, Rule
from nntui.diagnosis.observation import observe
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.diagnosis.why import Answer, together, why
from nntui.presets import Preset, load_preset
from nntui.presets.schema import HIGHEST_SEED, override
from nntui.sweeps import sweep
from nntui.sweeps.block import Outcome
from nntui.timeline import Run

pytestmark = pytest.mark.slow

HOURS = 1e4
"""Seconds that cut nothing."""
BIASES = {f"layers.{layer}.bias": "per-unit" for layer in (0, 1)}
PUBLISHED = {
    "add-relu": {"training.momentum": 0.9},
    "line-tanh": BIASES,
    "line-leaky-relu": BIASES,
    "line-leaky-relu-edited": BIASES,
    "xor-relu": {"layers.0.normalise": True},
    "square-leaky-relu": {"layers.1.activation": "identity"},
}
"""The answer that each question got, as changes of the preset."""
FAULT = Rule("bias-decay", "b -= lr*b", PROOF, "", "", "none is there", is_code_fault=True)
CAUSE = Rule("no-bias", "no biases", PROOF, "", "", "some are there")
SEEN = Rule("saturation", "saturated", MEASURED, "", "", "none is")


def quick(name: str, epochs: int, **changes: Any) -> Preset:
    """A preset of the library with a small budget."""
    return preset(name, goal__epochs=epochs, **changes)


def tried_on(made: Preset, findings: Sequence[Finding] = (), seeds: int = 5) -> Experiments:
    """The experiments on ``made``, in this thread and without an end of the time."""
    with workshop(made, Deadline.after(HOURS), workers=0) as laboratory:
        return experiment(findings, laboratory, seeds)


def found_in(made: Preset) -> tuple[Finding, ...]:
    return diagnose(observe(Run(made))).findings


def trial(losses: dict[int, Sequence[float]], fix: Fix = NOTHING, goal: float = 0.5) -> Trial:
    """A trial on add-relu that ended as said: by epochs, the final losses of seeds 0, 1, ..."""
    made = Trial(preset("add-relu", goal__loss=goal), fix)
    for epochs, ended in losses.items():
        for seed, loss in enumerate(ended):
            finite = None if loss == inf else loss
            made.outcomes[epochs][seed] = Outcome(seed, finite, 1, loss == inf)
    return made


def solving(pattern: str) -> list[float]:
    """Final losses of seeds that solve (``+``) or not (``-``)."""
    return [0.0 if each == "+" else 1.0 for each in pattern]


def versus(pattern: str, before: str, fix: Fix = NOTHING, epochs: int = 10) -> Experiment:
    """The experiment in which seeds end as in ``pattern``, and as in ``before`` as it stands."""
    baseline = trial({epochs: solving(before)})
    made = Experiment.of(trial({epochs: solving(pattern)}, fix), baseline)
    assert made is not None
    return made


def fixing(name: str, parts: int = 1, **changes: Any) -> Fix:
    return Fix(name, {key.replace("__", "."): value for key, value in changes.items()}, parts)


MOMENTUM = fixing("momentum", training__momentum=0.9)
CLIPPED = fixing("clipped", training__clip_norm=1.0)
LINEAR = fixing("linear", layers__2__activation="identity")


# The paired test


@pytest.mark.parametrize(("won", "lost"), list(product(range(8), repeat=2)))
def test_the_paired_test_counts_every_way_that_coins_could_fall(won: int, lost: int) -> None:
    count = won + lost
    heads = [sum(coins) for coins in product((0, 1), repeat=count)]
    as_far = [each for each in heads if abs(2 * each - count) >= abs(won - lost)]
    assert p_value(won, lost) == pytest.approx(len(as_far) / 2**count, rel=1e-12)


def test_the_paired_test_of_many_seeds() -> None:
    assert p_value(0, 0) == 1.0
    assert p_value(1000, 0) == pytest.approx(2.0**-999)
    assert p_value(79, 0) == p_value(0, 79) < 1e-20
    assert p_value(500, 500) == 1.0


@pytest.mark.parametrize(
    ("won", "lost", "said"),
    [
        (6, 0, HELPS),
        (5, 0, NO_EFFECT),
        (0, 5, NO_EFFECT),
        (0, 6, HARMS),
        (12, 4, NO_EFFECT),
        (13, 3, HELPS),
        (3, 13, HARMS),
        (0, 0, NO_EFFECT),
    ],
)
def test_a_verdict_is_the_paired_test_at_five_percent(won: int, lost: int, said: str) -> None:
    assert verdict(won, lost) == said
    assert (p_value(won, lost) <= 0.05) == (said != NO_EFFECT)


@pytest.mark.parametrize(
    ("pattern", "before", "won", "lost", "said"),
    [
        ("++++++++", "--++----", 6, 0, HELPS),
        ("++------", "+-++++++", 1, 6, NO_EFFECT),
        ("+-------", "++++++++", 0, 7, HARMS),
        ("++++----", "----++++", 4, 4, NO_EFFECT),
        ("+-+-+-+-", "+-+-+-+-", 0, 0, NO_EFFECT),
    ],
)
def test_what_became_of_the_same_seeds_is_compared(
    pattern: str, before: str, won: int, lost: int, said: str
) -> None:
    made = versus(pattern, before)
    assert (made.won, made.lost, made.verdict) == (won, lost, said)
    assert (made.seeds, made.solved, made.baseline_solved) == (
        8,
        pattern.count("+"),
        before.count("+"),
    )
    assert made.helps == (said == HELPS)
    assert made.harms == (said == HARMS)
    low, high = made.interval
    assert 0 <= low <= made.solved / made.seeds <= high <= 1
    assert made.as_json()["p_value"] == p_value(won, lost)


def test_only_seeds_that_both_have_are_compared_in_the_longest_round_with_enough() -> None:
    baseline = trial({10: solving("------"), 90: solving("------")})
    short = Experiment.of(trial({10: solving("++++++"), 90: solving("+" * (ENOUGH - 1))}), baseline)
    assert short is not None
    assert (short.epochs, short.seeds, short.solved) == (10, 6, 6)
    long = Experiment.of(trial({10: solving("------"), 90: solving("++++++++")}), baseline)
    assert long is not None
    assert (long.epochs, long.seeds, long.solved, long.won) == (90, 6, 6, 6)
    within = Experiment.of(trial({10: solving("++++++"), 90: solving("------")}), baseline, 10)
    assert within is not None
    assert (within.epochs, within.solved) == (10, 6)
    assert Experiment.of(trial({20: solving("++++++")}), baseline) is None


def test_a_diverged_seed_is_not_solved_and_counts_as_an_infinite_loss() -> None:
    made = Experiment.of(trial({10: [inf, 0.1, inf, inf]}), trial({10: [0.1, 0.2, 0.3, 0.4]}))
    assert made is not None
    assert (made.solved, made.baseline_solved, made.loss) == (1, 4, inf)
    nan = trial({10: [float("nan")]}).ended()
    assert nan[10][0] == Ended(False, inf)
    assert middle([]) == inf


def test_more_solved_ranks_first_then_fewer_changes_then_the_loss() -> None:
    ranked = [
        versus("+" * 100, "-" * 100, epochs=20),
        versus("+" * 100, "-" * 100, MOMENTUM),
        versus("+" * 100, "-" * 100, fixing("two", training__momentum=0.9, goal__loss=0.4)),
        versus("+" * 99 + "-", "-" * 100),
        versus("+" * 6, "-" * 100),
        versus("-" * 100, "-" * 100),
    ]
    assert [each.rank for each in ranked] == sorted(each.rank for each in ranked)


# The simplest of those that are as good


def test_a_simpler_fix_is_followed_where_the_best_is_not_better_beyond_chance() -> None:
    before = "-" * 100
    three = versus("+" * 100, before, fixing("three", 3, training__momentum=0.9))
    two = versus("+" * 96 + "-" * 4, before, fixing("two", 2, training__clip_norm=1.0))
    one = versus("+" * 93 + "-" * 7, before, LINEAR)
    assert two.as_good_as(three)
    assert not one.as_good_as(three)
    assert simplest([three, two, one]) is two
    assert simplest([three, one]) is three
    assert simplest([three, two, one], lambda each: each is three) is three
    assert simplest([three, two, one], lambda each: each is one) is two


def test_few_seeds_do_not_make_a_worse_fix_as_good() -> None:
    before = "-" * 12
    best = versus("+" * 12, before, fixing("both", 2, training__momentum=0.9))
    worse = versus("+" * 8 + "-" * 4, before, CLIPPED)
    assert verdict(0, 4) == NO_EFFECT
    assert worse.helps
    assert not worse.as_good_as(best)
    assert simplest([best, worse]) is best


def test_a_fix_that_was_tried_on_fewer_seeds_is_not_known_to_be_as_good() -> None:
    best = versus("+" * 12, "-" * 12, fixing("both", 2, training__momentum=0.9))
    assert not versus("+" * 8, "-" * 8, CLIPPED).as_good_as(best)
    assert not versus("+" * 12, "-" * 12, CLIPPED, epochs=20).as_good_as(best)


def test_fixes_are_compared_in_the_longest_round_that_both_took_part_in() -> None:
    baseline = trial({10: solving("-" * 12), 90: solving("-" * 12)})
    both = trial({10: solving("+" * 12), 90: solving("+" * 12)}, fixing("both", 2))
    alone = trial({10: solving("+" * 11 + "-")}, CLIPPED)
    best, simple = Experiment.of(both, baseline), Experiment.of(alone, baseline)
    assert best is not None
    assert simple is not None
    assert (best.epochs, simple.epochs) == (90, 10)
    assert simplest([best, simple]) is simple


def test_where_nothing_helps_nothing_is_followed() -> None:
    assert simplest([]) is None
    assert simplest([versus("++++--", "++++--"), versus("------", "++++++")]) is None


# What is tried


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_answer_is_always_among_what_is_tried(name: str) -> None:
    asked = load_preset(name)
    wanted = override(asked, PUBLISHED[name]).configuration
    for findings in ((), found_in(asked)):
        fixes = candidates(asked, findings)
        assert any(override(asked, fix.changes).configuration == wanted for fix in fixes)


def test_each_fix_makes_a_difference_and_is_tried_once() -> None:
    for name in PUBLISHED:
        asked = load_preset(name)
        fixes = candidates(asked, found_in(asked))
        made = [override(asked, fix.changes).configuration.canonical for fix in fixes]
        assert len(set(made)) == len(made)
        assert asked.configuration.canonical not in made
        assert all(fix.text and fix.changes and fix.parts == 1 for fix in fixes)


def test_fixes_that_a_preset_cannot_take_or_has_already_are_left_out() -> None:
    asked = load_preset("add-relu-momentum")
    impossible = Fix("nonsense", {"layers.7.activation": "tanh"})
    same = Fix("nothing new", {"training.momentum": 0.9})
    less = Fix("less", {"training.momentum": 0.5})
    again = Fix("the same in other words", {"training.momentum": 0.5})
    assert tried(asked, [impossible, same, less, again]) == [less]


def test_the_fixes_of_the_findings_lead() -> None:
    asked = load_preset("add-relu")
    wanted = (Fix("with words alone", {}), Fix("rate 0.5", {"training.learning_rate": 0.5}))
    cause = Finding(CAUSE, "seen", fixes=wanted)
    assert candidates(asked, [cause])[0] is wanted[1]
    assert own_fixes(cause) == wanted[1:]
    fault = Finding(FAULT, "seen", fixes=wanted)
    assert candidates(asked, [cause, fault])[:2] == [CORRECTION, wanted[1]]
    assert own_fixes(fault) == wanted[1:]


def test_the_correction_takes_a_wrong_slope_away_too() -> None:
    slope = Fix("the right slope", {"faults": [], "layers.0.slope": None})
    assert correction([Finding(FAULT, "seen", fixes=(slope,))]).changes == slope.changes
    assert correction([]) == CORRECTION


def test_the_faults_of_a_preset_are_not_looked_at() -> None:
    """What is tried depends on what was found; only the mend differs, where it changes nothing."""
    faulty, clean = load_preset("add-relu"), preset("add-relu", faults=[])
    other = preset("add-relu", faults=["wrong-sign"])
    assert list(standing(faulty)) == list(standing(clean))
    assert candidates(faulty, ()) == candidates(clean, ()) == candidates(other, ())
    fault = Finding(FAULT, "seen")
    assert candidates(faulty, [fault]) == candidates(other, [fault])
    assert candidates(faulty, [fault]) == [CORRECTION, *candidates(clean, [fault])]
    assert CORRECTION.changes == {"faults": []}
    for name in PUBLISHED:
        assert override(load_preset(name), CORRECTION.changes).configuration.faults == ()


def test_two_fixes_are_combined_unless_they_change_the_same() -> None:
    both = combined(MOMENTUM, LINEAR)
    assert both is not None
    assert both.changes == {"training.momentum": 0.9, "layers.2.activation": "identity"}
    assert both.text == "momentum; and linear"
    three = combined(both, CORRECTION)
    assert three is not None
    assert (both.size, three.size) == ((2, 1, 2), (3, 1, 3))
    assert combined(MOMENTUM, fixing("other", training__momentum=0.5)) is None
    assert combined(three, CORRECTION) is None


def test_a_goal_follows_the_rows_that_a_sum_covers() -> None:
    asked = load_preset("line-leaky-relu")  # it reports a sum over three rows
    assert with_goal(asked, asked) is asked
    short = override(asked, {"training.order": "random", "training.draws": 1})
    assert with_goal(short, asked).goal.loss == pytest.approx(asked.goal.loss / 3, rel=1e-12)
    for same in ({"report.rows": "all"}, {"report.reduction": "mean"}):
        assert with_goal(override(short, same), override(asked, same)).goal == asked.goal


def test_a_fix_that_scales_the_targets_is_held_against_the_same_goal() -> None:
    asked = load_preset("line-leaky-relu")
    scaled = with_goal(override(asked, {"data.scale_targets": "minmax"}), asked)
    assert scaled.goal == asked.goal


# The experiments


def test_the_baseline_and_every_fix_are_trained_from_the_same_seeds() -> None:
    made = tried_on(quick("add-relu", 30, seed=7), seeds=5)
    assert made.baseline is not None
    assert made.reduced is None
    assert made.untried == ()
    assert len(made.tried) > 10
    for each in (made.baseline, *made.tried):
        assert {epochs: list(ended) for epochs, ended in each.ends.items() if ended} == {
            30: [7, 8, 9, 10, 11]
        }
        assert (each.seeds, each.epochs) == (5, 30)
        assert each.baseline_solved == made.baseline.solved


def test_the_seeds_end_at_the_highest() -> None:
    made = tried_on(quick("line-leaky-relu-edited", 3, seed=HIGHEST_SEED), seeds=3)
    assert made.baseline is not None
    assert list(made.baseline.ends[3]) == [HIGHEST_SEED - 2, HIGHEST_SEED - 1, HIGHEST_SEED]


@pytest.mark.parametrize(
    ("name", "epochs"), [("add-relu", 150), ("xor-relu", 120), ("line-leaky-relu-bias", 60)]
)
def test_the_outcomes_are_those_of_a_sweep(name: str, epochs: int) -> None:
    asked = quick(name, epochs)
    made = tried_on(asked, seeds=5)
    assert made.baseline is not None
    swept = sweep(asked, range(5)).solved
    assert list(made.baseline.ends[epochs].values()) == swept
    assert made.solving == tuple(seed for seed, solved in enumerate(swept) if solved)
    for each in made.tried[:8]:
        changed = with_goal(override(asked, each.fix.changes), asked)
        assert list(each.ends[epochs].values()) == sweep(changed, range(5)).solved
        assert each.solved == sum(each.ends[epochs].values())


def test_processes_give_what_this_thread_does() -> None:
    asked = quick("add-relu", 40)
    with workshop(asked, Deadline.after(HOURS), workers=2) as laboratory:
        shared = experiment((), laboratory, 4)
    alone = tried_on(asked, seeds=4)
    assert shared.as_json() == alone.as_json()


def test_the_best_are_tried_together_and_with_the_mend_of_a_code_fault() -> None:
    asked = quick("add-relu", 60)
    findings = found_in(asked)
    assert [each.code for each in findings][:2] == ["dead-output", "bias-decay"]
    made = tried_on(asked, findings, seeds=4)
    assert made.corrected is not None
    wanted = combined(CORRECTION, own_fixes(findings[0])[0])
    assert wanted is not None
    assert made.of([wanted]) is not None
    with_more = [each for each in made.tried if each.fix.changes.items() > wanted.changes.items()]
    assert len(with_more) > 3
    for each in made.tried:
        assert each.fix.text.count("; and ") == each.fix.parts - 1


def test_what_helps_is_listed_first_and_what_harms_last() -> None:
    made = tried_on(quick("add-relu", 150), seeds=12)
    said = [each.verdict for each in made.tried]
    assert said == sorted(said, key=(HELPS, NO_EFFECT, HARMS).index)
    assert {HELPS, NO_EFFECT} <= set(said)
    listed = made.as_json()
    assert [each["solved"] for each in listed] == [each.solved for each in made.tried]


def test_the_experiment_with_a_fix_is_found_by_its_changes() -> None:
    made = tried_on(quick("add-relu", 5), seeds=4)
    known = made.of([Fix("in other words", {"training.momentum": 0.9})])
    assert known is not None
    assert known.fix.text == "momentum 0.9"
    assert made.of([Fix("never tried", {"training.momentum": 0.123})]) is None


def test_a_round_cuts_seeds_before_epochs_and_never_fewer_than_can_decide() -> None:
    assert counts(100) == [6, 12, 24, 48, 96, 100]
    assert counts(6) == [6]
    assert counts(4) == [4]
    assert lengths(5000)[:4] == [5000, 2500, 1250, 625]
    assert lengths(1) == [1]


class Foretold(Laboratory):
    """A laboratory in which training is skipped: seeds with one of ``solving`` are solved."""

    def __init__(self, made: Preset, solving: Sequence[str], most: int) -> None:
        super().__init__(made, None, 0, Deadline.after(HOURS))
        self.solving, self.most = solving, most
        self.rounds: list[tuple[str, list[Fix], int, int]] = []

    def run(self, words: str, tasks: Iterable[Task]) -> bool:
        asked = list(tasks)
        for trained, seeds, epochs in asked:
            solved = any(text in trained.fix.text for text in self.solving)
            loss, updates = (0.0, 600) if solved else (1e9, 6 * epochs)
            for seed in seeds:
                trained.outcomes[epochs][seed] = Outcome(seed, loss, updates, False)
        if asked:
            fixes = [trained.fix for trained, _, _ in asked]
            self.rounds.append((words, fixes, len(asked[0][1]), asked[0][2]))
        return True

    def go_on(self, words: str) -> bool:
        return len(self.rounds) < self.most


def test_what_helps_is_trained_for_the_whole_budget_at_the_end_of_a_pass() -> None:
    asked = preset("add-relu", goal__epochs=20_000)
    laboratory = Foretold(asked, ["momentum 0.9"], 1)
    made = experiment((), laboratory, 100)
    words, fixes, seeds, epochs = laboratory.rounds[-1]
    assert [each[0] for each in laboratory.rounds].count("the causes") == 1
    assert (words, seeds, epochs) == ("what helps, for the whole budget", ENOUGH, 20_000)
    assert fixes[0] == NOTHING
    assert fixes[1:]
    assert all("momentum 0.9" in fix.text for fix in fixes[1:])
    assert made.tried[0].epochs == 20_000
    assert made.tried[0].solved == ENOUGH
    for solving, epochs in (([], 20_000), (["momentum 0.9"], 10_000_000)):
        laboratory = Foretold(preset("add-relu", goal__epochs=epochs), solving, 1)
        experiment((), laboratory, 100)
        assert laboratory.rounds[-1][0] == "the best for longer"


def test_a_stop_rule_ends_what_was_solved_as_early_as_before() -> None:
    asked = load_preset("line-leaky-relu-bias")
    assert asked.goal.stop
    per_epoch, seeds = asked.configuration.updates_per_epoch, range(6)
    for stops in (True, False):
        made = Trial(replace(asked, goal=replace(asked.goal, stop=stops)), NOTHING)
        for seed in seeds:
            assert made.seconds_left(seeds, 5000) == made.seconds(seeds, 5000)
            made.outcomes[5000][seed] = Outcome(seed, 0.0, (seed + 1) * per_epoch, False)
        assert made.seconds_left(seeds, 5000) == made.seconds(seeds, 6 if stops else 5000)


def test_what_the_time_does_not_allow_is_said() -> None:
    with workshop(load_preset("add-tanh"), Deadline.after(1.0), workers=0) as laboratory:
        made = experiment((), laboratory, 100)
    assert made.reduced is not None
    assert "of 100,000 epochs" in made.reduced
    assert made.epochs < 100_000
    asked = preset("add-relu", goal__epochs=20)
    kept = [versus("+" * 8, "-" * 8, epochs=10), versus("+" * 4, "-" * 4, epochs=10)]
    few = Experiments(Given.of(asked), 100, 10, None, tuple(kept), untried=(MOMENTUM,))
    assert few.reduced == (
        "8 of 100 seeds, 10 of 20 epochs, fewer for 1 of 2 fixes, not tried for lack of time: 1"
    )
    whole = Experiments(replace(Given.of(asked), epochs=10), 8, 10, None, tuple(kept[:1]))
    assert whole.reduced is None


def test_no_time_at_all_is_no_error() -> None:
    with workshop(load_preset("add-relu"), Deadline.after(0.0), workers=0) as laboratory:
        made = experiment((), laboratory, 100)
    assert made.baseline is None
    assert made.tried == ()
    assert len(made.untried) == len(candidates(load_preset("add-relu"), ()))
    assert not made.complete


def test_progress_tells_what_is_done_and_ends_it() -> None:
    told_of: list[str] = []

    def three(words: str, share: float) -> bool:
        assert isfinite(share)
        told_of.append(words)
        return len(told_of) < 4

    asked = quick("add-relu", 20)
    with workshop(asked, Deadline.after(HOURS), three, workers=0) as laboratory:
        made = experiment((), laboratory, 4)
    assert laboratory.stopped
    assert told_of == ["the causes", "the causes", "every fix", "every fix"]
    assert made.baseline is not None
    assert [each.seeds for each in made.tried] == [4]
    assert made.reduced is not None


def test_a_laboratory_without_executor_has_one_worker() -> None:
    assert Laboratory(load_preset("add-relu"), None, 0, Deadline.after(1.0)).workers == 1


# The answer of both diagnoses


def test_what_held_at_the_start_is_dated_and_kept_if_it_is_proven() -> None:
    cause, other = Finding(CAUSE, "seen", 1), Finding(CAUSE, "seen", 0)
    fault, weak = Finding(FAULT, "seen"), Finding(SEEN, "seen")
    start = Diagnosis(0, False, (cause, fault, weak))
    end = Diagnosis(9, False, (Finding(CAUSE, "at the end", 1), other))
    dated = together(start, end)
    assert [(each.code, each.layer, each.first_update) for each in dated] == [
        ("no-bias", 1, 0),
        ("no-bias", 0, None),
        ("bias-decay", None, None),
    ]
    assert dated[0].evidence == "at the end"
    assert together(start, replace(end, learns=True, findings=())) == ()


# The answer


class Stops:
    """A progress that ends it at the first of these words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __call__(self, words: str, share: float) -> bool:
        return not words.startswith(self.words)


def test_a_run_that_learns_has_no_headline_and_nothing_is_tried() -> None:
    answer = why(load_preset("add-fixed"), seeds=5, seconds=HOURS, workers=0)
    assert answer.solved
    assert answer.headline is None
    assert answer.experiments is None
    assert (answer.best, answer.own, answer.fix) == (None, None, None)
    told_of = answer.as_json()
    assert (told_of["headline"], told_of["findings"], told_of["experiments"]) == (None, [], [])
    assert "NOTHING FOUND" in render_answer(answer)
    assert answer.checked[0] in render_answer(answer)


@pytest.mark.parametrize("name", ["line-tanh", "xor-sigmoid"])
def test_a_proven_fault_of_the_program_leads_though_the_run_learns(name: str) -> None:
    answer = why(load_preset(name), seconds=HOURS, workers=0, progress=Stops("every fix"))
    assert answer.solved
    assert answer.headline is not None
    assert answer.headline.code == "update-before-backprop"
    assert answer.headline.rule.klass == PROOF
    assert answer.headline.first_update == 0
    assert "this run learns nevertheless" in render_answer(answer)


def answered(headline: Finding | None, kept: Sequence[Experiment], solved: bool = False) -> Answer:
    preset = override(load_preset("add-relu"), {"goal.epochs": 10})
    made = Experiments(Given.of(preset), 8, 10, None, tuple(kept))
    found = () if headline is None else (headline,)
    return Answer(preset, 0, 1, "budget", 0.1, solved, found, ("it",), made)


def test_what_was_cut_short_is_undecided_and_not_without_effect() -> None:
    before = "-" * 20
    cut = versus(before, before, LINEAR, epochs=5)
    text = render_answer(answered(Finding(CAUSE, "seen", fixes=(LINEAR,)), [cut]))
    assert "not known yet: 5 of 10 epochs fitted into the time" in text
    assert "undecided" in text
    assert "no effect linear" not in text
    assert "--set layers.2.activation=identity" in text
    assert cut.as_json()["verdict"] == NO_EFFECT


def test_several_layers_are_told_and_the_seed_is_in_the_command() -> None:
    before = "-" * 20
    fault = Finding(FAULT, "seen", layer=2, fixes=(CORRECTION,), layers=(0, 1, 2))
    answer = replace(answered(fault, [versus("+" * 20, before, CORRECTION)]), seed=7)
    text = render_answer(answer)
    assert "layers 0, 1 and 2" in text
    assert "nntui run add-relu --seed 7" in text


def test_the_fix_mends_the_cause_where_that_is_as_good() -> None:
    before = "-" * 20
    mends = fixing("mend and linear", 2, faults=[], layers__2__activation="identity")
    kept = [versus("+" * 20, before, LINEAR), versus("+" * 19 + "-", before, mends)]
    fault, cause = Finding(FAULT, "seen"), Finding(CAUSE, "seen", fixes=(MOMENTUM,))
    assert answered(fault, kept).best is kept[1]
    assert answered(cause, kept).best is kept[0]
    assert answered(None, kept).best is kept[0]
    alone = versus("-" * 20, before, CORRECTION)
    answer = answered(fault, [*kept, alone])
    assert answer.own is alone
    assert answer.fix == "mend and linear"
    assert "The cause's own fix alone" in " ".join(render_answer(answer).split())


def test_what_mends_a_run_that_learns_must_do_no_harm() -> None:
    before = "+" * 20
    fault = Finding(FAULT, "seen", fixes=(Fix("mend it", {}),))
    useless = versus(before, before, CORRECTION)
    with_more = versus(before, before, fixing("both", 2, faults=[], training__momentum=0.9))
    assert answered(fault, [versus(before, before, LINEAR), useless], True).best is useless
    harmful = versus("-" * 20, before, CORRECTION)
    assert answered(fault, [with_more, harmful], True).best is with_more
    nothing = answered(fault, [harmful], True)
    assert nothing.best is None
    assert nothing.fix == "mend it"
    text = render_answer(nothing)
    assert "nothing that was tried helps beyond chance" in text
    assert "Proposed      mend it." in text


def test_a_run_of_which_nothing_is_known_says_so() -> None:
    text = render_answer(answered(None, [versus("--------", "--------", MOMENTUM)]))
    assert "NO CAUSE FOUND" in text
    assert "nothing that was tried helps beyond chance" in text


def test_the_text_gives_the_numbers_and_a_command_that_is_true() -> None:
    asked = quick("line-leaky-relu-edited", 1500, goal__loss=1.0)
    answer = why(asked, seeds=6, seconds=HOURS, workers=0)
    assert answer.headline is not None
    assert answer.headline.code == "no-bias"
    assert answer.experiments is not None
    assert answer.experiments.reduced is None
    assert answer.best is answer.own
    assert answer.best is not None
    assert answer.best.fix.changes == BIASES
    assert (answer.best.solved, answer.best.verdict) == (6, HELPS)
    text = render_answer(answer)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("THE CAUSE", "(no-bias)", "Evidence", "How sure", "proven", "Disproved by"):
        assert part in text
    words = " ".join(text.split())
    assert "solves 6 of 6 seeds (61% to 100%), against 0 of the same 6 as it stands" in words
    lines = text[text.index("nntui run") : text.index("TRIED")].replace("\\\n", " ")
    program, verb, name, *options = shlex.split(lines)
    assert (program, verb, name) == ("nntui", "run", "line-leaky-relu-edited")
    assert options[::2] == ["--set"] * 4
    asked = {"goal.epochs": "1500", "goal.loss": "1.0"}
    assert dict(option.split("=") for option in options[1::2]) == {**asked, **BIASES}
    listed = text[text.index("TRIED") :].splitlines()[1:]
    assert "   6 of 6       0  helps      give every layer a bias" in listed


@pytest.mark.parametrize("progress", [Stops("training"), Stops("every fix")])
def test_an_answer_that_is_ended_early_holds_what_was_done(progress: Stops) -> None:
    answer = why(quick("add-relu", 300), seconds=HOURS, workers=0, progress=progress)
    assert answer.interrupted
    assert answer.headline is not None
    assert answer.headline.code == "dead-output"
    told_of = parsed(json.dumps(answer.as_json()))
    assert all(each["fix"] for each in told_of["experiments"])
    assert told_of["headline"]["decided"] == told_of["decided"] == answer.decided
    assert "Interrupted" in render_answer(answer)


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"seed": -1}, "seed"), ({"seeds": 0}, "seeds"), ({"seconds": 0}, "time")],
)
def test_a_seed_or_a_time_that_is_none_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        why(load_preset("add-relu"), **asked)


def test_every_code_that_is_said_is_known() -> None:
    for name in ("add-relu", "line-leaky-relu", "xor-relu", "square-leaky-relu"):
        for finding in found_in(load_preset(name)):
            assert RULES[finding.code] is finding.rule


# The command


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("add-relu", "dead-output"),
        ("line-leaky-relu-edited", "no-bias"),
        ("xor-relu", "update-before-backprop"),
        ("add-fixed", None),
    ],
)
def test_the_command_prints_one_object(name: str, code: str | None) -> None:
    result = printed("why", name, "--seeds", "6", "--time", "4", "--json")
    assert result["preset"] == name
    assert result["seed"] == 0
    headline = result["headline"]
    # What the time cuts off is undecided, and how far it gets depends on the machine.
    if result["decided"] or code is None:
        assert (headline and headline["code"]) == code
    assert (result["findings"] == []) == (code is None)
    if headline is not None:
        assert headline.keys() >= {"code", "cause", "evidence", "class", "fix"}
        assert headline["class"] in CLASSES
        assert headline["evidence"]
        assert result["findings"][0]["code"] == headline["code"]
        assert code in {each["code"] for each in result["findings"]}
    for finding in result["findings"]:
        assert set(finding) == {
            "code",
            "title",
            "class",
            "layer",
            "evidence",
            "first_update",
            "fix",
        }
        assert finding["class"] in CLASSES
        assert finding["code"] in RULES
    assert code is not None or result["experiments"] == []
    for each in result["experiments"]:
        assert each.keys() >= {
            "fix",
            "set",
            "seeds",
            "solved",
            "baseline_solved",
            "interval",
            "verdict",
        }
        assert each["verdict"] in (HELPS, NO_EFFECT, HARMS)
        assert 0 <= each["solved"] <= each["seeds"] <= 6
        assert 0 <= each["baseline_solved"] <= each["seeds"]
        low, high = each["interval"]
        assert 0 <= low <= each["solved"] / each["seeds"] <= high <= 1
        override(load_preset(name), each["set"])
    said = [each["verdict"] for each in result["experiments"]]
    assert said == sorted(said, key=(HELPS, NO_EFFECT, HARMS).index)


def test_the_command_takes_a_seed_and_changes() -> None:
    shown = printed(
        *("why", "add-relu", "--seed", "2", "--set", "goal.epochs=40"),
        *("--seeds", "4", "--time", "20", "--json"),
    )
    assert shown["seed"] == 2
    assert shown["updates"] == 240


def test_the_text_of_the_command() -> None:
    done = process("why", "add-relu", "--seeds", "4", "--time", "20", "--set", "goal.epochs=30")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("add-relu, seed 0: 2-4-4-1 relu\n")
    assert "THE CAUSE" in done.stdout
    # Of four seeds none can be told to be more than chance.
    assert "PROMISING" in done.stdout
    assert "TRIED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "nothing"),
        (("add-relu", "--seed", "-1"), "seed"),
        (("add-relu", "--seed", "x"), "--seed"),
        (("add-relu", "--seeds", "0"), "--seeds"),
        (("add-relu", "--time", "0"), "--time"),
        (("add-relu", "--time", "nan"), "time"),
        (("add-relu", "--time", "inf"), "time"),
        (("add-relu", "--set", "training.nothing=1"), "training.nothing"),
        (("add-relu", "--set", "nonsense"), "--set"),
        ((), "PRESET"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused("why", *arguments)


@pytest.mark.parametrize(
    ("number", "to_all"), [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGINT, False)]
)
def test_interrupting_prints_what_was_done_and_leaves_no_process(
    number: signal.Signals, to_all: bool
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nntui", "why", "add-tanh", "--time", "100", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    at_work(process.pid)
    (os.killpg if to_all else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert err == ""
    result = parsed(out)
    assert result["headline"]["code"] == "bias-decay"
    assert result["updates"] > 0
    assert members(process.pid) == []


def test_more_units_can_be_tried_where_the_first_weights_are_numbers() -> None:
    asked = override(
        preset("xor-sigmoid"), {"layers.0.W": [[0.1] * 4] * 5, "layers.1.W": [[0.2] * 5]}
    )
    [fix] = [each for each in standing(asked) if each.text == "twice the hidden units"]
    layers = override(asked, fix.changes).configuration.layers
    assert (layers[0].units, layers[0].W, layers[1].W) == (10, None, None)
