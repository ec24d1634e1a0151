"""The check on every known program: its verdict, and the line that it names first.

The programs that are kept apart while the checker is tuned are checked only where the environment
says NNTUI_KEPT_APART=1.
"""

import os
import shutil
from pathlib import Path

import pytest

from nntui.bench.programs.checked import Case, Checked, cases
from nntui.bench.programs.known_programs import kept_apart
from nntui.bench.programs.program_score import Said
from nntui.program import check

STANDS = False
"""Whether programs can be checked; then nothing here is skipped."""

KNOWN_MISSES: dict[str, str] = {}
"""By the name of a program, why the check does not find the truth yet."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STANDS, reason="programs cannot be checked yet"),
]

PROGRAMS = [case for case in cases(kept=None) if case.group != "mutants"]


def as_parameter(case: Case) -> object:
    marks = []
    if case.name in KNOWN_MISSES:
        marks.append(pytest.mark.xfail(reason=KNOWN_MISSES[case.name], strict=True))
    if kept_apart(case.name) and os.environ.get("NNTUI_KEPT_APART") != "1":
        marks.append(pytest.mark.skip(reason="kept apart while the checker is tuned"))
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [as_parameter(case) for case in PROGRAMS])
def test_verdict_and_line_of_a_known_program(case: Case, tmp_path: Path) -> None:
    program = case.program
    for name in (program.path.name, *program.helpers):
        shutil.copy(program.path.parent / name, tmp_path)
    answer = check(tmp_path / program.path.name)
    said = Said(Checked(case, 0, 0.0, answer.as_json()))
    assert said.miss is None


def test_known_misses_are_programs() -> None:
    assert set(KNOWN_MISSES) <= {case.name for case in PROGRAMS}
