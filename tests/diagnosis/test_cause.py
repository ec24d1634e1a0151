"""What is called the cause: findings weighed by the experiments with their fixes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from support import preset

from nntui.diagnosis.cause import DECISIVE, attributed, decide
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.evidence import FELT
from nntui.diagnosis.experiments.fixes import CORRECTION, candidates, combined, longer, standing
from nntui.diagnosis.experiments.laboratory import Trial
from nntui.diagnosis.experiments.results import Experiment, Experiments, Given
from nntui.diagnosis.experiments.rounds import NOTHING, experiment, short_epoch, workshop
from nntui.diagnosis.finding import MEASURED, PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.finding_kinds import LONGER, PLATEAU
from nntui.presets import Preset, load_preset
from nntui.presets.schema import override
from nntui.sweeps.block import Outcome

EPOCHS = 10
SEEDS = 2 * DECISIVE
NONE, HALF, ALL = "-" * SEEDS, "+-" * DECISIVE, "+" * SEEDS
SLIP = Rule("bias-decay", "b -= lr*b", PROOF, "", "", "", is_code_fault=True)
FLOOR = Rule("no-bias", "no biases", PROOF, "", "", "")
DEAD = Rule("dead-output", "dead", PROOF, "", "", "")
SCALE = Rule("inputs-not-scaled", "the inputs are not scaled", MEASURED, "", "", "")
RATE = Rule("rate-too-low", "too slow", MEASURED, "", "", "")

STANDARD = Fix("standardise the inputs", {"data.scale_inputs": "standard"})
FASTER = Fix("ten times the rate", {"training.learning_rate": 0.1})
LINEAR = Fix("a linear output", {"layers.2.activation": "identity"})
WIDER = Fix("twice the units", {"layers.0.units": 8, "layers.1.units": 8})
ADAM = Fix("Adam", {"training.optimiser": "adam"})

SLIPPED = Finding(SLIP, "it decays", weight=0.5, fixes=(Fix("its own", {"faults": ["x"]}),))
TINY = replace(SLIPPED, weight=FELT / 10.0)
UNSCALED = Finding(SCALE, "0 to 255", weight=0.9, fixes=(STANDARD,))
SLOW = Finding(RATE, "1e-9", weight=0.8, fixes=(FASTER,))
STUCK = Finding(DEAD, "0 on all", weight=1.7, first_update=0, fixes=(LINEAR,))
FORBIDDEN = Finding(FLOOR, "7.7", weight=2.0, fixes=(WIDER,))
FLAT = Finding(PLATEAU, "flat")


def trial(ends: str, fix: Fix, epochs: int = EPOCHS) -> Trial:
    made = Trial(preset("add-relu", goal__loss=0.5, goal__epochs=EPOCHS), fix)
    for seed, each in enumerate(ends):
        made.outcomes[epochs][seed] = Outcome(seed, 0.0 if each == "+" else 1.0, 1, False)
    return made


def after(
    before: str, *ends: tuple[Fix, str], epochs: int = EPOCHS, complete: bool = True
) -> Experiments:
    """The experiments in which the seeds ended as said: ``+`` is a seed that is solved."""
    baseline = trial(before, NOTHING, epochs)
    made = [Experiment.of(trial(each, fix, epochs), baseline) for fix, each in ends]
    kept = sorted((each for each in made if each is not None), key=lambda each: each.place)
    return Experiments(
        Given.of(baseline.base),
        len(before),
        epochs,
        Experiment.of(baseline, baseline),
        tuple(kept),
        solving=tuple(seed for seed, each in enumerate(before) if each == "+"),
        complete=complete,
    )


def codes(
    findings: Sequence[Finding], tried: Experiments, suspects: Sequence[Finding] = ()
) -> tuple[list[str], bool]:
    decision = decide(findings, suspects, tried, 0)
    return [each.code for each in decision.findings], decision.decided


# A proven slip


def test_a_slip_is_the_cause_if_mending_it_helps() -> None:
    tried = after(NONE, (CORRECTION, HALF), (ADAM, ALL))
    assert codes((SLIPPED,), tried) == (["bias-decay"], True)


def test_a_slip_that_does_no_harm_is_told_behind_the_setting_that_does() -> None:
    tried = after(NONE, (CORRECTION, NONE), (STANDARD, ALL))
    for slip in (SLIPPED, TINY):
        assert codes((slip,), tried, (UNSCALED,)) == (["inputs-not-scaled", "bias-decay"], True)
        assert codes((UNSCALED, slip), tried)[0][0] == "inputs-not-scaled"


def test_a_slip_that_even_helps_is_no_cause() -> None:
    tried = after(HALF, (CORRECTION, NONE), (LINEAR, ALL))
    found, decided = codes((SLIPPED, STUCK), tried)
    assert found == ["dead-output", "bias-decay", "bad-luck"]
    assert decided


def test_a_slip_that_wins_little_gives_way_to_a_setting_that_wins_all() -> None:
    few = "+" * 8 + "-" * (SEEDS - 8)
    tried = after(NONE, (CORRECTION, few), (STANDARD, ALL))
    assert codes((SLIPPED,), tried, (UNSCALED,))[0][0] == "inputs-not-scaled"
    half = after(NONE, (CORRECTION, HALF), (STANDARD, ALL[:-8] + "-" * 8))
    assert codes((SLIPPED,), half, (UNSCALED,))[0][0] == "bias-decay"


def test_a_slip_and_a_setting_that_must_both_be_mended() -> None:
    both = combined(CORRECTION, FASTER)
    assert both is not None
    tried = after(NONE, (CORRECTION, NONE), (FASTER, NONE), (both, ALL))
    assert codes((SLIPPED, SLOW), tried)[0] == ["rate-too-low", "bias-decay"]
    unnamed = combined(CORRECTION, ADAM)
    assert unnamed is not None
    assert codes((SLIPPED,), after(NONE, (CORRECTION, NONE), (unnamed, ALL)))[0] == ["bias-decay"]


def test_what_the_slip_does_is_open_until_it_was_tried_without() -> None:
    assert codes((SLIPPED, SLOW), after(NONE, (FASTER, ALL)))[1] is False
    cut = after(NONE, (CORRECTION, NONE), (FASTER, ALL), epochs=EPOCHS // 2)
    assert codes((SLIPPED, SLOW), cut) == (["rate-too-low", "bias-decay"], False)


# Other causes


def test_a_floor_above_the_goal_needs_no_experiment() -> None:
    tried = after(NONE, (CORRECTION, ALL), complete=False)
    assert codes((FORBIDDEN, SLIPPED, SLOW), tried) == (
        ["no-bias", "bias-decay", "rate-too-low"],
        True,
    )


def test_of_several_findings_the_one_leads_whose_fix_helps_most() -> None:
    tried = after(NONE, (STANDARD, HALF), (FASTER, ALL))
    assert codes((UNSCALED, SLOW), tried)[0] == ["rate-too-low", "inputs-not-scaled"]
    alike = after(NONE, (STANDARD, ALL), (FASTER, ALL))
    assert codes((UNSCALED, SLOW), alike)[0] == ["inputs-not-scaled", "rate-too-low"]


def test_a_finding_whose_fix_is_only_part_of_what_helps() -> None:
    both = combined(STANDARD, FASTER)
    assert both is not None
    tried = after(NONE, (STANDARD, NONE), (both, ALL))
    assert codes((UNSCALED,), tried)[0] == ["inputs-not-scaled"]


def test_another_value_of_what_a_finding_would_change_confirms_it() -> None:
    other = Fix("Adam at 0.5", {"training.optimiser": "adam", "training.learning_rate": 0.5})
    tried = after(NONE, (FASTER, NONE), (other, ALL))
    assert codes((SLOW,), tried) == (["rate-too-low"], True)


@pytest.mark.parametrize(
    ("fix", "code"),
    [
        (WIDER, "too-few-units"),
        (FASTER, "rate-too-low"),
        (Fix("slower", {"training.learning_rate": 1e-5}), "rate-too-high"),
        (STANDARD, "inputs-not-scaled"),
        (Fix("He", {"layers.0.init": "he", "layers.0.scale": 1.0}), "init-scale"),
        (Fix("biases", {"layers.0.bias": "per-unit"}), "no-bias"),
        (Fix("longer", {"goal.epochs": 40}), "budget-too-small"),
        (ADAM, "found-by-experiment"),
    ],
)
def test_where_no_rule_spoke_the_cause_is_what_the_best_fix_changes(fix: Fix, code: str) -> None:
    decision = decide((FLAT,), (), after(NONE, (fix, ALL)), 0)
    assert [each.code for each in decision.findings] == [code]
    cause = decision.findings[0]
    assert cause.rule.klass == "experiment"
    assert f"{SEEDS} of {SEEDS} seeds solve it" in cause.evidence
    assert cause.fixes == (fix,)


def test_of_fixes_that_are_as_good_the_cause_is_one_that_has_a_name() -> None:
    momentum = Fix("momentum", {"training.momentum": 0.9})
    assert codes((FLAT,), after(NONE, (momentum, ALL), (FASTER, ALL)))[0] == ["rate-too-low"]
    assert codes((FLAT,), after(NONE, (momentum, ALL), (FASTER, HALF)))[0] == [
        "found-by-experiment"
    ]


def test_a_slip_that_another_makes_up_for_is_the_cause() -> None:
    alone = Fix("its own", {"faults": ["update-before-backprop"]})
    slip = replace(SLIPPED, fixes=(alone,))
    one = after(NONE, (CORRECTION, NONE), (alone, ALL), (ADAM, ALL))
    assert codes((slip,), one) == (["bias-decay"], True)


def test_other_seeds_are_bad_luck_where_nothing_explains_it() -> None:
    assert codes((), after(HALF)) == (["bad-luck"], True)
    assert codes((SLIPPED,), after(HALF, (CORRECTION, HALF)))[0] == ["bad-luck", "bias-decay"]
    assert codes((FLAT,), after(HALF, (ADAM, ALL)))[0][0] == "bad-luck"
    (luck,) = decide((), (), after(HALF), 0).findings
    assert luck.evidence.startswith(f"{DECISIVE} of {SEEDS} seeds solve it as it stands")
    assert luck.fixes[0].changes == {"seed": 2}
    assert decide((), (), after(NONE), 0).findings == ()
    assert decide((), (), after(ALL), 0).findings == ()


def test_few_seeds_refute_nothing() -> None:
    few = after("+-" * 3, (CORRECTION, "++++-+"))
    found, decided = codes((SLIPPED,), few)
    assert found == ["bias-decay", "bad-luck"]
    assert not decided


def test_what_the_time_cut_off_is_undecided() -> None:
    tried = after(NONE, (ADAM, ALL), complete=False)
    assert codes((SLOW,), tried)[1] is False
    assert codes((SLOW,), after(NONE, (FASTER, ALL), complete=False)) == (["rate-too-low"], True)


# What is tried


def test_a_fix_that_makes_the_task_trivial_is_not_tried() -> None:
    constant = preset("line-leaky-relu", data__targets=[[2.0], [2.0], [2.0]])
    single = preset("line-leaky-relu", data__inputs=[[2.0]], data__targets=[[3.0]])
    usual = load_preset("line-leaky-relu")

    def scaled(made: Preset, key: str) -> bool:
        return any(key in fix.changes for fix in candidates(made, ()))

    assert [scaled(each, "data.scale_targets") for each in (usual, constant, single)] == [
        True,
        False,
        False,
    ]
    assert [scaled(each, "data.scale_inputs") for each in (usual, constant, single)] == [
        True,
        True,
        False,
    ]


def test_a_hidden_layer_is_tried_where_there_is_none() -> None:
    layers = [{"units": 1, "activation": "sigmoid"}]
    single = override(load_preset("xor-sigmoid"), {"layers": layers, "faults": []})
    added = [fix for fix in candidates(single, ()) if "layers" in fix.changes]
    assert len(added) == 1
    assert len(override(single, added[0].changes).configuration.layers) == 2
    assert not any("layers" in fix.changes for fix in standing(load_preset("xor-sigmoid")))


def test_layer_normalisation_comes_after_a_larger_start() -> None:
    made = {fix.text: fix for fix in standing(load_preset("xor-relu")) if len(fix.changes) <= 2}
    larger = made["first weights four times their size"]
    normalised = made["layer normalisation of the hidden layers"]
    assert larger.size < normalised.size
    assert STANDARD.size < WIDER.size < normalised.size


@pytest.mark.parametrize(
    ("needed", "epochs"), [(7000.0, 20_000), (90_000.0, None), (100.0, None), (2001.0, 4000)]
)
def test_a_larger_budget_is_what_the_pace_needs_and_half_as_much(
    needed: float, epochs: int | None
) -> None:
    asked = preset("line-leaky-relu-bias", goal__epochs=2000)
    fix = longer(asked, needed)
    assert (None if fix is None else fix.changes["goal.epochs"]) == epochs


@pytest.mark.slow
def test_a_larger_budget_is_tried_in_full_against_the_given_one() -> None:
    asked = preset("line-leaky-relu-bias", goal__epochs=1500, goal__loss=1e-3)
    with workshop(asked, Deadline.after(1e4), workers=0) as laboratory:
        tried = experiment((), laboratory, 6, epochs_needed=4000.0)
    (made,) = (each for each in tried.tried if "goal.epochs" in each.fix.changes)
    assert (made.epochs, made.base_epochs, made.solved) == (6000, 1500, 6)
    decision = decide((), (), replace(tried, tried=(made,)), 0)
    assert decision.findings[0].code == LONGER.code
    assert "mended" not in decision.findings[0].evidence


@pytest.mark.slow
def test_below_a_floor_nothing_is_tried_without_what_removes_it() -> None:
    asked = preset("line-leaky-relu-edited", goal__epochs=20)
    floor = replace(FORBIDDEN, fixes=(Fix("biases", {"layers.0.bias": "per-unit"}),))
    with workshop(asked, Deadline.after(1e4), workers=0) as laboratory:
        made = experiment((floor,), laboratory, 6)
    assert len(made.tried) > 20
    assert all("layers.0.bias" in each.fix.changes for each in made.tried)


@pytest.mark.slow
def test_the_plan_does_not_depend_on_the_time() -> None:
    asked = preset("add-relu", goal__epochs=30)

    def planned(seconds: float) -> list[tuple[str, int]]:
        with workshop(asked, Deadline.after(seconds), workers=0) as laboratory:
            made = experiment((), laboratory, 6)
        return [(each.fix.text, each.epochs) for each in made.tried]

    assert planned(1e4) == planned(2e4) != []


def test_long_epochs_are_shortened_by_what_they_cost_alone() -> None:
    asked = preset("square-linear-output", data__samples=100_000)
    rows = short_epoch(asked, 20)
    assert rows is not None
    assert 1000 <= rows < 100_000
    assert short_epoch(load_preset("square-linear-output"), 20) is None


def test_the_same_results_can_be_held_against_another_goal() -> None:
    asked = preset("add-relu", goal__epochs=3, goal__loss=1e-9)
    with workshop(asked, Deadline.after(1e4), workers=0) as laboratory:
        none = experiment((), laboratory, 2)
    assert not any(each.solved for each in none.tried)
    goal = 1.01 * none.lowest * 1e-9
    made = none.against(goal)
    assert made.given.goal == pytest.approx(goal)
    best = [each for each in made.tried if each.solved]
    assert best
    assert min(each.loss for each in best) == pytest.approx(1 / 1.01)
    assert len(best) < len(made.tried)
    assert none.against(1e-9) is none


def test_a_cause_is_told_by_the_first_goal_at_which_its_own_fix_helps() -> None:
    strict = after("-" * 8, (FASTER, "-" * 8), (LINEAR, "-" * 8))
    loose = after("-" * 8, (FASTER, "+" * 8), (LINEAR, "-" * 8))
    decision, tried = attributed((STUCK, SLOW), (), [strict, loose], 0)
    assert tried is loose
    assert decision.findings[0] is SLOW
    decision, tried = attributed((STUCK, SLOW), (), [loose, strict], 0)
    assert tried is loose
    assert attributed((SLOW,), (), [strict, strict], 0)[1] is strict
