"""The planted-fault matrix at reduced size: what is planted, how it is labelled and scored."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from nntui.bench.matrix import matrix_run, score_text, work
from nntui.bench.matrix.accepted import ACCEPTED, CODE_CODES, KEPT_KINDS, KEPT_TASKS, VOCABULARY
from nntui.bench.matrix.matrix_run import ALL, KEPT_APART, TUNING, cells, run_matrix, wells
from nntui.bench.matrix.outcomes import (
    HURTS,
    NOT_HEALTHY,
    SILENT,
    Cures,
    Faulty,
    Healthy,
    accepts,
)
from nntui.bench.matrix.planting import CODE, COMBINED, FAMILIES
from nntui.bench.matrix.plants import PLANTS
from nntui.bench.matrix.score import Naming, Score, Share
from nntui.bench.matrix.tasks import ARCHITECTURES, TASKS, source_of
from nntui.bench.matrix.unknown import UNKNOWN, registered
from nntui.bench.matrix.work import Cell, Well, fixed, looks, planted
from nntui.cli import commands
from nntui.core.engine.network import Layout, draw_parameters
from nntui.core.errors import ConfigError
from nntui.core.parts.faults import FAULTS
from nntui.diagnosis.rules import program_lines
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.diagnosis.subject import Program
from nntui.presets import Preset, read_preset
from nntui.sweeps.block import Block, train_block
from nntui.timeline.run import Run

pytestmark = pytest.mark.slow


def healthy(task: str, architecture: str) -> Preset:
    return read_preset(task, source_of(TASKS[task], architecture))


def test_every_kind_has_answers_from_the_vocabulary() -> None:
    assert set(ACCEPTED) == set(PLANTS)
    for kind, (causes, consequences) in ACCEPTED.items():
        assert causes, kind
        assert causes | consequences <= VOCABULARY, kind
        assert not causes & consequences, kind
        if PLANTS[kind].family != COMBINED:
            assert (PLANTS[kind].family == CODE) == bool(causes & CODE_CODES), kind
    assert {plant.family for plant in PLANTS.values()} == set(FAMILIES)


def test_every_known_fault_is_planted_under_its_own_name() -> None:
    assert set(FAULTS) <= set(PLANTS)
    assert all(ACCEPTED[name].causes == {name} for name in FAULTS)


def test_the_matrix_is_as_large_as_it_has_to_be() -> None:
    tuning = cells(TUNING, 1)
    assert len({cell.kind for cell in tuning}) >= 20
    assert len({cell.task for cell in tuning}) >= 6
    assert len({cell.architecture for cell in tuning}) == len(ARCHITECTURES) == 3
    assert {TASKS[cell.task].classifies for cell in tuning} == {True, False}
    assert sum(len(well.seeds) for well in wells(TUNING, 500)) >= 500


def test_what_is_kept_apart_is_never_run_while_tuning() -> None:
    tuning, kept = cells(TUNING, 1), cells(KEPT_APART, 1)
    assert len(KEPT_TASKS) == 3
    assert len(KEPT_KINDS) == 5
    assert set(KEPT_TASKS) == {cell.task for cell in kept} - {cell.task for cell in tuning}
    assert set(KEPT_KINDS) == {cell.kind for cell in kept} - {cell.kind for cell in tuning}
    assert not set(tuning) & set(kept)
    assert set(tuning) | set(kept) == set(cells(ALL, 1))
    assert {well.task for well in wells(KEPT_APART, 1)} == set(KEPT_TASKS)
    assert not {well.task for well in wells(TUNING, 1)} & set(KEPT_TASKS)


def test_nobody_knows_the_unknown_faults_but_the_matrix() -> None:
    assert len(UNKNOWN) >= 4
    assert not set(UNKNOWN) & (set(FAULTS) | VOCABULARY)
    with registered():
        assert set(UNKNOWN) <= set(FAULTS)
    assert not set(UNKNOWN) & set(FAULTS)


def test_the_rules_have_codes_of_the_vocabulary() -> None:
    lines = {rule.code for rule in program_lines.RULES}
    assert set(RULES) - lines <= VOCABULARY


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_unknown_fault_is_found_after_one_update_without_a_name(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A goal that every run meets: then it is looked at after its first update alone.
    monkeypatch.setitem(TASKS, "circles", replace(TASKS["circles"], goal=1e9, epochs=1))
    for architecture in ARCHITECTURES:
        outcome = Cell(kind, "circles", architecture, (0,)).run()[0]
        assert outcome.at_start
        assert accepts(kind, outcome.at_start, outcome.layers)[0]
        assert not {code for code, _ in outcome.at_start} & set(FAULTS)


@pytest.mark.parametrize("kind", sorted(set(UNKNOWN) - {"absolute-penalty"}))
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_unknown_fault_shows_first_in_the_layer_that_is_right(
    kind: str, architecture: str
) -> None:
    twins = planted(kind, "circles", architecture)
    assert twins is not None
    with registered():
        wrong = Program(read_preset("wrong", twins.faulty).configuration)
        right = Program(read_preset("right", twins.healthy).configuration)
        theta = draw_parameters(right.stated, np.random.RandomState(1)) + 0.1
        rows = np.arange(right.data.x.shape[1])
        after = [each.updates(theta, [rows])[0].after for each in (wrong, right)]
    changed = [
        layer
        for layer, span in enumerate(Layout.of(right.stated).spans())
        if (after[0][span] != after[1][span]).any()
    ]
    assert max(changed) in twins.layers


def test_an_absolute_penalty_is_only_seen_in_the_printed_loss() -> None:
    twins = planted("absolute-penalty", "sum", "relu")
    assert twins is not None
    with registered():
        runs = [Run(read_preset("twin", each), 0) for each in (twins.healthy, twins.faulty)]
        for run in runs:
            run.step(20)
    assert runs[0].loss != runs[1].loss
    for (W, b), (other_W, other_b) in zip(runs[0].parameters, runs[1].parameters, strict=True):
        np.testing.assert_array_equal(W, other_W)
        np.testing.assert_array_equal(b, other_b)


def test_every_plant_can_be_read_and_changes_the_network() -> None:
    for cell in cells(ALL, 1):
        twins = planted(cell.kind, cell.task, cell.architecture)
        assert twins is not None
        with registered():
            well, ill = (read_preset("twin", each) for each in (twins.healthy, twins.faulty))
        assert (well.configuration, well.goal) != (ill.configuration, ill.goal), cell


def test_a_slip_beside_a_setting_accuses_no_right_program() -> None:
    """Combined faults are scored by kind alone: their program is wrong, and something else too."""
    said = planted_run("slight-factor-and-rate", "wrong-factor", cures=Cures(False, False, False))
    score = Score([said], [])
    assert score.accused == Share(0, 0)
    assert score.left["first fix"] == Share(0, 0)
    assert score.by(lambda each: each.kind)["slight-factor-and-rate"].top1 == Share(0, 1)


def test_a_plant_that_makes_no_sense_is_left_out() -> None:
    assert planted("output-relu", "square", "relu") is None  # its targets are not negative
    assert planted("derivative-at-a", "sum", "leaky") is None  # the slope is the same
    assert planted("targets-large", "xor", "relu") is None  # classes have no scale
    assert planted("lost-input", "circles", "relu") is None  # no two rows become alike
    assert planted("lost-input", "xor", "relu") is not None


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_healthy_networks_learn(task: str, architecture: str) -> None:
    preset = healthy(task, architecture)
    outcomes = train_block(
        Block(preset.configuration, preset.goal, preset.goal.epochs, tuple(range(20)))
    )
    assert sum(each.solved(preset.goal) for each in outcomes) >= 18


def test_a_fault_is_labelled_by_what_it_does() -> None:
    seeds = (0, 1)
    assert [each.label for each in Cell("rate-low", "xor", "tanh", seeds).run()] == [HURTS] * 2
    assert [each.label for each in Cell("penalty-sum", "xor", "tanh", seeds).run()] == [SILENT] * 2
    assert Cell("output-relu", "xor", "tanh", seeds).run() == []


def test_a_run_that_fails_without_the_fault_says_nothing() -> None:
    preset = healthy("square", "tanh")
    block = Block(preset.configuration, preset.goal, preset.goal.epochs, tuple(range(100)))
    seed = next(each.seed for each in train_block(block) if not each.solved(preset.goal))
    outcome = Cell("rate-low", "square", "tanh", (seed,)).run()[0]
    assert outcome.label == NOT_HEALTHY
    assert outcome.cures == Cures()
    alone = Well("square", "tanh", (seed,)).run()[0]
    assert not alone.solved
    assert Score([outcome], [alone]).well == []


def test_the_cures_of_a_failed_run_are_tried() -> None:
    outcome = Cell("rate-high", "square", "relu", (0,)).run()[0]
    assert outcome.label == HURTS
    preset = healthy("square", "relu")
    rate = preset.configuration.training.learning_rate
    source = source_of(TASKS["square"], "relu")
    for factor, solved in ((30.0, False), (3.0, outcome.cures.tenth_rate)):
        source["training"]["learning_rate"] = rate * factor
        run = Run(read_preset("tried", source), 0)
        run.seek(run.end_of(preset.goal.epochs - 1))
        assert run.solved == solved


def test_healthy_runs_are_continued_to_five_times_their_convergence() -> None:
    budget = TASKS["square"].epochs
    ended, continued = Well("square", "tanh", (0, 1)).run()
    assert ended.epochs == budget
    assert ended.converged is not None
    assert continued.converged is not None
    assert not ended.continued
    assert continued.continued
    assert continued.epochs >= 5 * (continued.converged + 1) > budget


def test_a_run_is_looked_at_after_one_update_and_along_its_budget() -> None:
    assert looks(healthy("wave", "tanh")) == [1, 4, 12, 40, 120, 400]


def test_an_unknown_fault_is_only_right_with_its_layer() -> None:
    said = (("update-wrong", 1), ("update-wrong", 0), ("plateau", None))
    assert accepts("sign-only", said, (1,)) == [True, False, False]
    assert accepts("sign-only", said, (1,), beside=True) == [True, True, False]
    assert accepts("rate-low", said, ()) == [False, False, False]
    assert accepts("rate-low", said, (), beside=True) == [False, False, True]


def test_a_fix_is_judged_by_the_goal_of_the_fault() -> None:
    twins = planted("targets-large", "square", "relu")
    assert twins is not None
    faulty = read_preset("large", twins.faulty)
    mended = fixed(faulty, {"data.scale_targets": "standard", "goal.loss": 1e9})
    assert mended.configuration.data.scale_targets == "standard"
    assert mended.goal == faulty.goal
    assert fixed(faulty, {"goal.loss": 1e9}) == faulty
    with pytest.raises(ConfigError):
        fixed(faulty, {"training.loss": "binary-cross-entropy"})


def planted_run(kind: str, *codes: str, **others: object) -> Faulty:
    said = tuple((code, None) for code in codes)
    made = Faulty(kind, "xor", "relu", 0, HURTS, said, said, updates=100)
    return Faulty(**{**vars(made), **others})


def test_the_score_counts_what_it_says() -> None:
    faulty = [
        planted_run(
            "rate-low", "rate-too-low", "plateau", heard=10, cures=Cures(True, False, False)
        ),
        planted_run(
            "rate-low", "plateau", "rate-too-low", heard=30, cures=Cures(None, False, True)
        ),
        planted_run("rate-high", "wrong-factor", cures=Cures(False, True, False)),
        planted_run("wrong-sign"),
        planted_run("sign-only", at_start=(("wrong-sign", 0),)),
        planted_run("bias-decay", label=SILENT, at_start=(("bias-decay", 1),), at_end=()),
        planted_run("rate-low", label=NOT_HEALTHY),
    ]
    wells = [
        Healthy("xor", "relu", 0, True, 9),
        Healthy("xor", "relu", 1, True, 9, True, alarms=(("plateau", None), ("linear", None))),
        Healthy("xor", "relu", 2, True, 9, watched=True, on_the_way=(("plateau", None),)),
        Healthy("xor", "relu", 3, False),
    ]
    score = Score(faulty, wells)
    naming = Naming.of(score.failed)
    assert naming == Naming(Share(1, 5), Share(2, 5), Share(2, 5), Share(4, 5))
    assert score.labels == {HURTS: 5, SILENT: 1, NOT_HEALTHY: 1}
    assert score.code == {"flagged": Share(2, 3), "named": Share(1, 3)}
    assert score.accused == Share(1, 3)
    assert score.quiet == {
        "at the end": Share(2, 3),
        "five times beyond": Share(0, 1),
        "on the way": Share(0, 1),
    }
    assert score.alarms_per_healthy_run == pytest.approx(2 / 3)
    assert score.latency == {"median_updates": 20, "median_share": 0.2, "at_update_1": 0.0}
    assert score.left == {
        "first fix": Share(2, 3),
        "another seed": Share(2, 3),
        "a tenth of the rate": Share(2, 3),
    }
    assert score.misses["rate-low"] == {"plateau": 1}
    assert score.misses["wrong-sign"] == {"-": 1}
    assert score.unflagged == {"wrong-sign: -": 1, "sign-only: wrong-sign in layer 0": 1}
    assert score.by(lambda each: each.kind)["rate-low"].top1 == Share(1, 2)


def test_shares_of_nothing_are_said_to_be_nothing() -> None:
    assert Share(0, 0).value is None
    assert str(Share(0, 0)) == "none"
    assert Share(0, 0).as_json()["interval"] == [0.0, 1.0]
    assert Share(9, 10).as_json()["share"] == 0.9
    text = "\n".join(score_text.as_lines(matrix_run.Outcomes(ALL, 1, (), ())))
    assert "top-1                                  none" in text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A matrix of two kinds and one task."""
    kinds = {kind: PLANTS[kind] for kind in ("wrong-sign", "rolled-gradient")}
    monkeypatch.setattr(matrix_run, "PLANTS", kinds)
    monkeypatch.setattr(matrix_run, "TASKS", {"xor": TASKS["xor"]})


@pytest.mark.usefixtures("small")
def test_processes_change_nothing() -> None:
    done: list[tuple[int, int]] = []
    alone = run_matrix(TUNING, 2, lambda *each: done.append(each), workers=0)
    assert len(alone.faulty) == 12
    assert len(alone.healthy) >= 12
    assert done == [(at, done[0][1]) for at in range(1, done[0][1] + 1)]
    assert run_matrix(TUNING, 2, workers=2) == alone


@pytest.mark.usefixtures("small")
def test_the_command_prints_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    found = CliRunner().invoke(commands, ["bench", "--matrix", "--quick", "--json"])
    assert found.exit_code == 0, found.output
    printed = json.loads(found.stdout)
    assert printed["part"] == "all"
    assert printed["seeds"] == 2
    assert printed["planted"][HURTS] + printed["planted"][SILENT] == 12
    assert printed["healthy"] >= 12


@pytest.mark.parametrize(
    "arguments",
    [["--quick"], ["--part", "tuning"], ["--matrix", "--long"], ["--matrix", "--part", "x"]],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(commands, ["bench", *arguments]).exit_code == 2


def test_an_error_names_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(work, "diagnose", broken)
    cell = Cell("wrong-sign", "xor", "relu", (0,))
    with pytest.raises(RuntimeError) as caught:
        matrix_run._run(cell)
    assert f"in {cell}" in caught.value.__notes__
