"""The check on known programs: its verdict, and the line that it names first."""

import shutil
from pathlib import Path

import pytest

from nntui.bench.programs.checked import Case, Checked, cases
from nntui.bench.programs.program_score import Said
from nntui.program import check

IN_SUITE = (
    "documents/add_relu.py",
    "documents/add_relu_fixed.py",
    "documents/line_leaky_answer.py",
    "documents/xor_sigmoid.py",
    "styles/r1_main_adam_dict.py",
    "styles/r1b_main_adam_dict.py",
    "styles/r2b_coursera.py",
    "styles/r3b_class_trask.py",
    "styles/r5_minrnn.py",
    "styles/r5b_minrnn.py",
    "styles/r7b_local_floats.py",
    "field/09-layer-objects-relu-backward/asked.py",
    "field/09-layer-objects-relu-backward/mended.py",
    "field/12-linreg-class-column-target/asked.py",
    "field/14-line-fit-squared-error-as-slope/asked.py",
    "field/20-softmax-update-uphill/mended.py",
    "field/23-logistic-adam-rate-1e-6/asked.py",
    "own/adam_class.py",
    "own/closure_net.py",
    "own/csv_houses_wrong.py",
    "own/dict_decay_clip_wrong.py",
    "own/flat_vector_wrong.py",
    "own/integer_labels_wrong.py",
    "own/overflow_softmax_wrong.py",
    "own/silent_polynomial_wrong.py",
    "own/tensor_autodiff.py",
)
"""The programs that every run of the tests checks, one of each kind; the benchmark checks all."""

SECONDS = 120.0
"""For a check: far more than it takes, so that no answer depends on the machine."""

pytestmark = pytest.mark.slow

PROGRAMS = [case for case in cases(kept=None) if case.name in IN_SUITE]


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_verdict_and_line_of_a_known_program(case: Case, tmp_path: Path) -> None:
    program = case.program
    for name in (program.path.name, *program.helpers):
        shutil.copy(program.path.parent / name, tmp_path)
    answer = check(tmp_path / program.path.name, time=SECONDS)
    said = Said(Checked(case, 0, 0.0, answer.as_json()))
    assert said.miss is None


def test_the_programs_of_the_suite_are_there() -> None:
    assert {case.name for case in PROGRAMS} == set(IN_SUITE)
