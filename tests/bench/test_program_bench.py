"""The score of the check of programs: the truth, the judge, the mutants and the figures."""

import ast
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from commands import command

from nntui.bench.programs import checked, program_score_text
from nntui.bench.programs.checked import Case, Checked, cases, check_case
from nntui.bench.programs.judging import NEVER, RIGHT, WRONG, judge, measure
from nntui.bench.programs.known_programs import (
    GROUPS,
    KnownProgram,
    family,
    folder,
    kept_apart,
    programs,
)
from nntui.bench.programs.mutants import Mutant, mutants
from nntui.bench.programs.mutating import candidates
from nntui.bench.programs.program_score import Said, Score

KNOWN = {program.title: program for program in programs()}
JUDGED = (
    "styles/r7_local_floats.py",
    "styles/r7b_local_floats.py",
    "field/14-line-fit-squared-error-as-slope/asked.py",
    "field/10-graph-autodiff-bias-broadcast/asked.py",
    "own/closure_net_wrong.py",
    "own/two_settings_factor.py",
    "own/silent_polynomial.py",
    "own/generator_training_wrong.py",
)
"""Programs of every verdict, quick to measure."""


def source_line(program: KnownProgram, place: str) -> str:
    file, _, number = place.rpartition(":")
    return (program.path.parent / file).read_text().split("\n")[int(number) - 1]


# -- the programs and their truth -----------------------------------------------------------


def test_every_file_has_a_truth_and_every_truth_a_file() -> None:
    for group in GROUPS:
        truth = json.loads((folder() / group / "truth.json").read_text())
        files = {
            path.relative_to(folder() / group).as_posix()
            for path in (folder() / group).rglob("*.py")
        }
        assert set(truth) == files
        helpers = {name for name, entry in truth.items() if entry.get("helper")}
        assert helpers == {
            name
            for program in KNOWN.values()
            if program.group == group
            for name in program.helpers
            if name.endswith(".py")
        }


@pytest.mark.parametrize("title", KNOWN)
def test_the_lines_of_a_truth_are_code(title: str) -> None:
    program = KNOWN[title]
    assert program.ok == (not program.lines)
    assert program.ok or program.fault
    for place in program.lines:
        assert source_line(program, place).strip(), place
    tree = ast.parse(program.path.read_text())
    loops = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)}
    assert set(program.loops) <= loops
    assert program.loops or program.needs == ("scipy",)
    assert program.parameters


def test_wrong_twins_differ_from_the_right_program_in_an_accepted_line() -> None:
    for title, program in KNOWN.items():
        if program.group == "own" and not program.ok and program.path.stem.endswith("_wrong"):
            twin = KNOWN[title.replace("_wrong", "")]
            right, wrong = (each.path.read_text().split("\n") for each in (twin, program))
            if len(right) == len(wrong) and not program.helpers:
                changed = {
                    f"{program.path.name}:{number}"
                    for number, pair in enumerate(zip(right, wrong, strict=True), 1)
                    if pair[0] != pair[1]
                }
                assert changed & set(program.lines), title


def test_twins_are_kept_apart_together_and_about_a_third_is() -> None:
    assert family("own/dict_decay_clip_wrong2.py") == family("own/dict_decay_clip.py")
    assert family("styles/r7b_local_floats.py") == family("styles/r7_local_floats.py")
    assert family("field/09-x/asked.py") == family("field/09-x/mended.py")
    families = {family(title) for title in KNOWN}
    kept = {family(title) for title in KNOWN if kept_apart(title)}
    assert 0.2 < len(kept) / len(families) < 0.45
    assert {each.name for each in cases(True)} & {each.name for each in cases(False)} == set()


@pytest.mark.slow
@pytest.mark.parametrize("title", JUDGED)
def test_finite_differences_confirm_the_truth(title: str) -> None:
    program = KNOWN[title]
    found = measure(program)
    assert judge(program, found).ok == program.ok, found["how"]


@pytest.mark.slow
def test_a_parameter_that_is_forgotten_or_climbs_is_told_apart() -> None:
    forgotten = KNOWN["own/closure_net_wrong.py"]
    verdicts = judge(forgotten, measure(forgotten)).parameters
    assert verdicts == {"w1": RIGHT, "b1": RIGHT, "w2": RIGHT, "b2": NEVER}
    climbing = KNOWN["own/csv_houses_wrong.py"]
    verdicts = judge(climbing, measure(climbing)).parameters
    assert verdicts == {"reg.coef": RIGHT, "reg.intercept": WRONG}


@pytest.mark.slow
def test_a_program_that_crashes_is_not_judged() -> None:
    program = KNOWN["styles/r7_local_floats.py"]
    broken = program.path.read_text().replace("dw = db = 0.0", "dw = db = nothing")
    judged = judge(program, measure(program, {"r7_local_floats.py": broken}))
    assert judged.ok is None
    assert "nothing" in judged.how


# -- mutants --------------------------------------------------------------------------------


def test_operators_change_one_place_of_a_line() -> None:
    text = "d1 = (d2 @ W2.T) * (1 - a1 ** 2)\nW2 -= lr * g2\nb2 -= lr * d2.sum(axis=0)"
    shapes = {
        1: {"d2": [4, 3], "W2": [3, 3], "a1": [4, 3], "z1": [4, 3], "g2": [3, 3], "x": [4, 2]},
        2: {"W2": [3, 3], "g2": [3, 3]},
        3: {"b2": [3], "d2": [4, 3]},
    }
    found = {(each.operator, each.apply(text)) for each in candidates(text, shapes)}
    first, *rest = text.split("\n")

    def with_first(line: str) -> str:
        return "\n".join([line, *rest])

    assert ("transposed", with_first("d1 = (d2 @ W2) * (1 - a1 ** 2)")) in found
    assert ("factor-left-out", with_first("d1 = (d2 @ W2.T)")) in found
    assert ("one-plus", with_first("d1 = (d2 @ W2.T) * (1 + a1 ** 2)")) in found
    assert ("other-value", with_first("d1 = (d2 @ W2.T) * (1 - z1 ** 2)")) in found
    assert ("slope-exchanged", with_first("d1 = (d2 @ W2.T) * (a1 * (1 - a1))")) in found
    assert ("elementwise", with_first("d1 = (d2 * W2.T) * (1 - a1 ** 2)")) in found
    assert ("sign", text.replace("W2 -=", "W2 +=")) in found
    assert ("update-left-out", text.replace("W2 -=", "# W2 -=")) in found
    assert ("axis-changed", text.replace("axis=0", "axis=1")) in found
    assert ("lines-exchanged", "\n".join([rest[0], first, rest[1]])) in found
    assert not any("x" in applied.split("\n")[0] for _, applied in found)  # of another shape


def test_lines_that_do_not_run_in_an_update_are_left_alone() -> None:
    assert candidates("a = b - c\nd = b - c", {2: {}})
    assert {each.line for each in candidates("a = b - c\nd = b - c", {2: {}})} == {2}


STORED = mutants()


def test_there_are_enough_mutants_of_every_kind_of_program() -> None:
    assert len(STORED) >= 60
    assert len({each.name for each in STORED}) == len(STORED)
    assert len({each.operator for each in STORED if not each.ok}) >= 5
    assert sum(each.ok for each in STORED) >= 5
    groups = Counter(each.program.partition("/")[0] for each in STORED)
    assert set(groups) <= set(GROUPS)


def test_stored_mutants_fit_their_programs() -> None:
    for mutant in STORED:
        program = KNOWN[mutant.program]
        assert program.ok
        source = (program.path.parent / mutant.file).read_text()
        changed = mutant.apply(source)
        assert changed != source
        assert changed.count("\n") == source.count("\n")
        ast.parse(changed)
        assert mutant.ok == (not mutant.accepted)
        own = {f"{mutant.file}:{number}" for number, _ in mutant.lines}
        assert mutant.ok or own <= set(mutant.accepted)


def remeasured(mutant: Mutant) -> bool | None:
    program = KNOWN[mutant.program]
    source = (program.path.parent / mutant.file).read_text()
    return judge(program, measure(program, {mutant.file: mutant.apply(source)})).ok


@pytest.mark.slow
def test_the_judge_says_the_same_of_a_stored_mutant_again() -> None:
    chosen = [each for each in STORED if each.program == "styles/r2_coursera.py"]
    assert {each.ok for each in chosen} == {True, False}
    for mutant in [next(m for m in chosen if m.ok), next(m for m in chosen if not m.ok)]:
        assert remeasured(mutant) == mutant.ok


# -- the figures ----------------------------------------------------------------------------


def answered(case: Case, ok: bool | None, *findings: tuple[str, int]) -> Checked:
    listed = [{"code": code, "file": case.program.path.name, "line": n} for code, n in findings]
    answer: dict[str, Any] = {"ok": ok, "findings": listed, "loop": {"line": case.program.loops[0]}}
    return Checked(case, {True: 0, False: 1, None: 3}[ok], 0.5, answer)


def case_of(title: str) -> Case:
    program = KNOWN[title]
    return Case(program.group, title, program, program.ok, program.lines)


def test_the_first_line_must_be_true_and_others_may_be_beside_it() -> None:
    wrong = case_of("styles/r2b_coursera.py")
    right_line = Said(answered(wrong, False, ("derivative-missing", 30), ("wrong-factor", 12)))
    assert right_line.first_line_right
    assert right_line.only_true_lines
    assert right_line.miss is None
    other_first = Said(answered(wrong, False, ("derivative-missing", 28), ("sign", 30)))
    assert not other_first.first_line_right
    assert not other_first.only_true_lines
    assert other_first.miss == (
        "named r2b_coursera.py:28 derivative-missing, r2b_coursera.py:30 sign; "
        "true: r2b_coursera.py:30"
    )


def test_a_fault_without_a_line_is_named_by_its_code() -> None:
    program = KNOWN["styles/r2_coursera.py"]
    case = Case("mutants", "m", program, False, ("r2_coursera.py:34",), ("never-updated",))
    assert Said(answered(case, False, ("never-updated", 12))).first_line_right
    assert not Said(answered(case, False, ("transposed", 12))).first_line_right


def test_the_figures_count_what_they_say() -> None:
    right, wrong = case_of("styles/r2_coursera.py"), case_of("styles/r2b_coursera.py")
    said = [
        answered(right, True),
        answered(right, False, ("transposed", 30)),
        answered(wrong, False, ("bias-gradient", 30)),
        answered(wrong, True),
        answered(wrong, None),
        Checked(wrong, 2, 0.5, {}, "nntui: no loop was found"),
    ]
    score = Score(tuple(map(Said, said)))
    assert score.analysed == (4, 6)
    assert score.verdict == (2, 4)
    assert score.first_line == (1, 4)
    assert score.only_true == (1, 1)
    assert score.false_alarms == (1, 2)
    assert score.loop == (4, 4)
    assert [each.miss for each in score.said] == [
        None,
        "false alarm: r2_coursera.py:30 transposed",
        None,
        "called right; wrong at r2b_coursera.py:30",
        "exit 3: could not tell",
        "exit 2: nntui: no loop was found",
    ]
    text = "\n".join(program_score_text.as_lines("tuning", said))
    assert "6 programs, 4 of them wrong" in text
    assert "false alarm: r2_coursera.py:30 transposed" in text
    found = program_score_text.as_json("tuning", said)
    assert found["groups"]["styles"]["first_line_right"]["count"] == 1
    assert len(found["programs_checked"]) == 6
    json.dumps(found)


@pytest.mark.parametrize(
    ("script", "ok", "complaint"),
    [
        ('print(\'{"ok": true, "findings": []}\')', True, ""),
        ("print('nothing')", None, "printed no JSON"),
        ("raise SystemExit('nntui: a crash')", None, "nntui: a crash"),
    ],
)
def test_a_check_is_a_process_whose_answer_is_read(
    script: str, ok: bool | None, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def line(path: str) -> list[str]:
        seen.append(Path(path).read_text())
        return [sys.executable, "-c", script]

    monkeypatch.setattr(checked, "command_line", line)
    mutant = next(each for each in STORED if each.program == "documents/square_leaky.py")
    case = checked.of_mutant(mutant, KNOWN[mutant.program])
    found = check_case(case)
    assert found.answer.get("ok") == ok
    assert complaint in found.complaint
    assert len(seen) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--kept-apart",),
        ("--limit", "3"),
        ("--programs", "--matrix"),
        ("--programs", "--limit", "0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...]) -> None:
    done = command("bench", *options)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
