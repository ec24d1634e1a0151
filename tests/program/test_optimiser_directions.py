"""Optimisers written by hand: whether they go down the loss by the gradient they are given."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.analysis import Options, check_program
from nntui.program.control.execution import Execution

PROGRAM = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(12, 3)
y = X @ [1.0, -2.0, 0.5] + 0.3
w, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
for t in range(1, 40):
    error = X @ w - y
    print(np.mean(error ** 2))
    g = X.T @ error / len(y)
    m = 0.9 * m + 0.1 * g
    v = 0.99 * v + 0.01 * g ** 2
    w = w - 0.05 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.99 ** t)) + 1e-8)
"""
ADAGRAD = (
    PROGRAM.replace("    m = 0.9 * m + 0.1 * g\n", "")
    .replace("0.99 * v + 0.01 * g ** 2", "v + g ** 2")
    .replace("(m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.99 ** t)) + 1e-8)", "g / np.sqrt(v)")
)


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


@pytest.mark.parametrize("text", [PROGRAM, ADAGRAD], ids=["adam", "adagrad"])
def test_an_optimiser_that_goes_down_is_right(tmp_path: Path, text: str) -> None:
    answer = checked(tmp_path, text)
    assert answer["ok"] is True
    assert [each["factor"] for each in answer["parameters"]] == [None]


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        pytest.param(PROGRAM, "0.9 * m + 0.1 * g", "0.9 * m - 0.1 * g", id="its memory"),
        pytest.param(PROGRAM, "w = w - 0.05", "w = w + 0.05", id="its step"),
        pytest.param(ADAGRAD, "w = w - 0.05", "w = w + 0.05", id="its step without a memory"),
        pytest.param(PROGRAM, "error = X @ w - y", "error = y - X @ w", id="what it is given"),
    ],
)
def test_an_optimiser_that_goes_up_is_named(
    tmp_path: Path, text: str, right: str, wrong: str
) -> None:
    changed = text.replace(right, wrong)
    answer = checked(tmp_path, changed)
    assert answer["ok"] is False
    (line,) = [at for at, each in enumerate(changed.splitlines(), 1) if wrong in each]
    assert [(each["line"], each["code"]) for each in answer["findings"]] == [(line, "wrong-sign")]
