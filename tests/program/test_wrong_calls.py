"""Values that functions are handed: the call is named where the function is right."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

VECTOR = """\
import numpy as np

rng = np.random.RandomState(4)
X = np.c_[np.ones(20), rng.rand(20, 2)]
Y = np.c_[X[:, 1] > X[:, 2], X[:, 1] + X[:, 2] > 1].astype(float)


def pack(A, B):
    return np.concatenate((A.ravel(), B.ravel()))


def g(z):
    return 1 / (1 + np.exp(-z))


def cost(theta):
    A, B = theta[:12].reshape(4, 3), theta[12:].reshape(2, 4)
    h = g(X @ A.T)
    out = g(h @ B.T)
    J = np.sum(-Y * np.log(out) - (1 - Y) * np.log(1 - out)) / 20
    J += 0.01 / 2 * (np.sum(A ** 2) + np.sum(B ** 2))
    d2 = out - Y
    d1 = d2 @ B * h * (1 - h)
    dA = d1.T @ X / 20 + 0.01 * A
    dB = d2.T @ h / 20 + 0.01 * B
    return J, pack(dA, dB)


theta = rng.randn(20)
for step in range(20):
    J, gradient = cost(theta)
    print(J)
    theta = theta - 0.5 * gradient
"""
LAYERS = """\
import numpy as np

rng = np.random.RandomState(4)
X, Y = rng.randn(7, 3), rng.randn(7, 1)


class Relu:
    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, x, grad):
        return np.where(x > 0, 1, 0) * grad


W1, W2, relu = rng.randn(3, 5), rng.randn(5, 1), Relu()
for step in range(20):
    z = X @ W1
    h = relu.forward(z)
    out = h @ W2
    print(np.sum((out - Y) ** 2))
    grad = out - Y
    dW2 = h.T @ grad
    grad = grad @ W2.T
    grad = relu.backward(z, grad)
    W1 -= 0.01 * X.T @ grad
    W2 -= 0.01 * dW2
"""


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


@pytest.mark.parametrize("text", [VECTOR, LAYERS], ids=["vector", "layers"])
def test_a_right_program_is_right(tmp_path: Path, text: str) -> None:
    assert checked(tmp_path, text)["ok"] is True


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        pytest.param(VECTOR, "pack(dA, dB)", "pack(dA, B)", id="handed on to be packed"),
        pytest.param(VECTOR, "d2 = out - Y", "d2 = out + Y", id="below a penalty, divided later"),
        pytest.param(LAYERS, "relu.backward(z, grad)", "relu.backward(z, h)", id="argument"),
    ],
)
def test_the_line_is_named_where_the_wrong_value_comes_in(
    tmp_path: Path, text: str, right: str, wrong: str
) -> None:
    assert right in text
    answer = checked(tmp_path, text.replace(right, wrong))
    assert answer["ok"] is False
    line = next(at for at, each in enumerate(text.splitlines(), 1) if right in each)
    assert answer["findings"][0]["line"] == line
