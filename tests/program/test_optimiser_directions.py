"""Optimisers written by hand: whether they go down the loss by the gradient they are given."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

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


NETWORK = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(9, 2)
Y = X[:, :1] * X[:, 1:]
W1, b1, W2, b2 = rng.randn(2, 5), np.zeros(5), rng.randn(5, 1), np.zeros(1)
for epoch in range(20):
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    print(np.mean((out - Y) ** 2))
    d2 = Y - out
    d1 = d2 @ W2.T * (1 - a ** 2)
    W2 -= 0.1 * a.T @ d2
    b2 -= 0.1 * d2.sum(axis=0)
    W1 -= 0.1 * X.T @ d1
    b1 -= 0.1 * d1.sum(axis=0)
"""


def test_a_difference_that_is_turned_round_is_named_rather_than_what_follows(
    tmp_path: Path,
) -> None:
    answer = checked(tmp_path, NETWORK)
    assert answer["ok"] is False
    assert [(each["line"], each["code"]) for each in answer["findings"]] == [(11, "wrong-sign")]
    assert checked(tmp_path, NETWORK.replace("Y - out", "out - Y"))["ok"] is True


def test_a_sign_is_found_below_a_penalty_that_has_the_right_one(tmp_path: Path) -> None:
    text = NETWORK
    for each in ("W2 -= 0.1 * a.T @ d2", "W1 -= 0.1 * X.T @ d1"):
        name = each.split()[0]
        text = text.replace(each, each.replace("0.1 * ", "0.1 * (") + f" + 0.02 * {name})")
    text = text.replace(
        "- Y) ** 2)", "- Y) ** 2) * 9 / 2 + 0.01 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))"
    )
    assert checked(tmp_path, text.replace("Y - out", "out - Y"))["ok"] is True
    answer = checked(tmp_path, text)
    assert [(each["line"], each["code"]) for each in answer["findings"]] == [(11, "wrong-sign")]


MOMENTUM = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(9, 2)
Y = X[:, :1] * X[:, 1:]
W1, b1, W2, b2 = rng.randn(2, 5), np.zeros(5), rng.randn(5, 1), np.zeros(1)
v1, v2 = np.zeros((2, 5)), np.zeros((5, 1))
for epoch in range(20):
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    print(np.sum((out - Y) ** 2))
    d2 = out - Y
    d1 = d2 @ W2.T * (1 - a ** 2)
    v2 = 0.5 * v2 - 0.02 * a.T @ d2
    v1 = 0.5 * v1 - 0.02 * X.T @ d1
    W2 += v2
    W1 += v1
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("W1 += v1", "W1 -= v1"), ("v1 - 0.02", "v1 + 0.02")],
    ids=["step", "memory"],
)
def test_of_step_and_memory_that_is_named_which_differs_from_the_others(
    tmp_path: Path, right: str, wrong: str
) -> None:
    text = MOMENTUM.replace(right, wrong)
    answer = checked(tmp_path, text)
    line = next(at for at, each in enumerate(text.splitlines(), 1) if wrong in each)
    assert [each["line"] for each in answer["findings"] if each["code"] == "wrong-sign"] == [line]
