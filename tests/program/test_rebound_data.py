"""Data that each iteration binds to its own name again learn nothing."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

PROGRAM = """\
import time
import numpy as np

rng = np.random.RandomState(4)
X = rng.randint(0, 4, (12, 3))
Y = X @ rng.randn(3, 2) + 0.3
W, b = rng.randn(3, 2), np.zeros(2)
for t in range(1, 30):
    X = X.astype(float)
    error = X @ W + b - Y
    print(0.5 * np.sum(error ** 2))
    b = b - 0.001 * error.sum(0)
    W = W - 0.001 * X.T @ error
"""
CHANGES = {
    "converted": "X = X.astype(float) * 1",
    "noise": "X = X + rng.normal(0, 0.01, X.shape)",
    "clipped": "X = np.clip(X + rng.normal(0, 0.01, X.shape), 0, 4)",
    "nothing": "X = X + 0 * time.time()",
    "standardised": "X = (X - X.mean(0)) / X.std(0)",
}


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


def parameters_of(answer: dict[str, Any]) -> list[str]:
    return sorted(each["name"] for each in answer["parameters"])


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_data_that_are_bound_again_before_their_use_are_none(tmp_path: Path, change: str) -> None:
    answer = checked(tmp_path, PROGRAM.replace("X = X.astype(float)", change))

    assert answer["ok"] is True
    assert parameters_of(answer) == ["W", "b"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_data_that_are_bound_again_behind_their_use_are_none(tmp_path: Path, change: str) -> None:
    answer = checked(tmp_path, f"{PROGRAM.replace('X = X.astype(float)', 'pass')}    {change}\n")

    assert answer["ok"] is True
    assert parameters_of(answer) == ["W", "b"]


def test_a_bias_that_is_changed_by_a_part_of_itself_is_a_parameter(tmp_path: Path) -> None:
    answer = checked(tmp_path, PROGRAM.replace("error.sum(0)", "b"))

    assert answer["ok"] is False
    assert parameters_of(answer) == ["W", "b"]
