"""Numbers that are not finite, or too coarse: told as such, and not as wrong gradients."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.analysis_reply import Request, program_check
from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

pytestmark = pytest.mark.filterwarnings("ignore")  # the programs overflow, as they are to

PROGRAM = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(12, 3)
Y = X @ rng.randn(3, 2) + 0.3
W, b = rng.randn(3, 2), np.zeros(2)
for t in range(1, 30):
    error = X @ W + b - Y
    loss = 0.5 * np.sum(error ** 2)
    print(loss)
    b = b - 0.01 * error.sum(0)
    W = W - 0.01 * X.T @ error
"""
HALF = PROGRAM.replace(
    "for t", "X, Y, W, b = [each.astype(np.float16) for each in (X, Y, W, b)]\nfor t"
)


def checked(folder: Path, text: str, diff: bool = False) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=8.0 if diff else 120.0, diff=diff))


def test_half_precision_is_named_and_no_fault(tmp_path: Path) -> None:
    reply = checked(tmp_path, HALF)
    answer = program_check(Request("net.py"), reply)

    assert answer.ok is not False
    if answer.ok is None:
        assert "float16" in answer.reason


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_value_that_is_not_finite_from_the_start_is_told_where_it_is_made(
    tmp_path: Path, value: str
) -> None:
    answer = checked(
        tmp_path, PROGRAM.replace("W, b = rng.randn(3, 2)", f"W, b = rng.randn(3, 2) * np.{value}")
    )

    assert answer["ok"] is False
    first = answer["findings"][0]
    assert (first["code"], first["line"]) == ("not-finite", 6)
    assert f"W holds {value} from the start" == first["cause"]


def test_steps_whose_squares_are_beyond_a_float_are_compared(tmp_path: Path) -> None:
    answer = checked(tmp_path, PROGRAM.replace("0.01", "1e200"))

    assert answer["ok"] is False
    assert [each["code"] for each in answer["findings"]] == ["not-finite"]
    assert {each["verdict"] for each in answer["parameters"]} == {"right"}


def test_no_mend_cuts_the_loss_off_from_the_parameters(tmp_path: Path) -> None:
    answer = checked(tmp_path, PROGRAM.replace("0.01", "100.0").replace("30", "300"), diff=True)

    assert answer["findings"][0]["code"] == "not-finite"
    assert answer.get("diff") is None or "+    loss" not in answer["diff"]
