"""A function that computes slopes: its line is named once, whatever calls it."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

NETWORK = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(9, 2)
Y = 1.0 * (X[:, :1] * X[:, 1:] > 0)


def f(z):
    return np.tanh(z)


def slope(a):
    return 1 - a ** 2


W1, W2, W3 = rng.randn(2, 5), rng.randn(5, 4), rng.randn(4, 1)
for epoch in range(20):
    z1 = X @ W1
    a1 = f(z1)
    z2 = a1 @ W2
    a2 = f(z2)
    z3 = a2 @ W3
    a3 = f(z3)
    print(np.sum((a3 - Y) ** 2))
    d3 = (a3 - Y) * slope(a3)
    d2 = d3 @ W3.T * slope(a2)
    d1 = d2 @ W2.T * slope(a1)
    W3 -= 0.1 * a2.T @ d3
    W2 -= 0.1 * a1.T @ d2
    W1 -= 0.1 * X.T @ d1
"""
NUMBERS = """\
import math
import random

random.seed(1)
w = [[random.gauss(0, 1) for _ in range(3)] for _ in range(2)]
v = [random.gauss(0, 1) for _ in range(2)]
rows = [(0.3, -0.4, 1), (0.9, 0.2, 0), (-0.7, 0.5, 1)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def slope(y):
    return y * (1 - y)


for epoch in range(20):
    for x0, x1, target in rows:
        h = []
        for j in range(2):
            h.append(sigmoid(w[j][0] * x0 + w[j][1] * x1 + w[j][2]))
        out = sigmoid(v[0] * h[0] + v[1] * h[1])
        loss = (out - target) ** 2
        print(loss)
        d_out = (out - target) * slope(out)
        for j in range(2):
            d = d_out * v[j] * slope(h[j])
            v[j] -= 0.1 * d_out * h[j]
            w[j][0] -= 0.1 * d * x0
            w[j][1] -= 0.1 * d * x1
            w[j][2] -= 0.1 * d
"""


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


@pytest.mark.parametrize(
    ("text", "right", "wrong", "code"),
    [
        (NETWORK, "return 1 - a ** 2", "return 1 + a ** 2", "derivative"),
        (NETWORK, "return 1 - a ** 2", "return 1 - f(a) ** 2", "derivative-at-a"),
        (NETWORK, "return 1 - a ** 2", "return a * (1 - a)", "derivative"),
        (NUMBERS, "return y * (1 - y)", "return y * (1 + y)", "derivative"),
        (NUMBERS, "return y * (1 - y)", "return 1 - y", "derivative"),
    ],
)
def test_the_function_is_named_and_nothing_else(
    tmp_path: Path, text: str, right: str, wrong: str, code: str
) -> None:
    answer = checked(tmp_path, text.replace(right, wrong))
    assert answer["ok"] is False
    line = next(at for at, each in enumerate(text.splitlines(), 1) if right in each)
    assert [(each["line"], each["code"]) for each in answer["findings"]] == [(line, code)]
    (found,) = answer["findings"]
    assert len(found["parameters"]) == len(
        [each for each in answer["parameters"] if each["verdict"] == "wrong"]
    )


@pytest.mark.parametrize("text", [NETWORK, NUMBERS])
def test_a_right_function_is_left_alone(tmp_path: Path, text: str) -> None:
    answer = checked(tmp_path, text)
    assert (answer["ok"], answer["findings"]) == (True, [])


def test_one_call_with_the_wrong_value_is_named_rather_than_the_function(tmp_path: Path) -> None:
    answer = checked(tmp_path, NETWORK.replace("slope(a2)", "slope(z2)"))
    line = next(at for at, each in enumerate(NETWORK.splitlines(), 1) if "slope(a2)" in each)
    assert [each["line"] for each in answer["findings"]] == [line]
