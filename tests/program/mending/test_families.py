"""Each kind of wrong line: the diff that mends it, and the check of the program with it."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

NET = """\
import numpy as np

rng = np.random.RandomState(3)
X = rng.randn(8, 2)
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
W1, b1 = rng.randn(2, 3), np.zeros((1, 3))
W2, b2 = rng.randn(3, 1), np.zeros((1, 1))


def slope(a):
    return 1 - a ** 2  # of tanh


for step in range(12):
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
    loss = np.mean((A2 - Y) ** 2)
    D2 = (A2 - Y) * A2 * (1 - A2)  # delta
    D1 = D2 @ W2.T * slope(A1)  # of the hidden layer
    W2 -= 0.5 * A1.T @ D2  # first step
    b2 -= 0.5 * D2.sum(axis=0, keepdims=True)
    W1 -= 0.5 * X.T @ D1
    b1 -= 0.5 * D1.sum(axis=0, keepdims=True)  # last step
print(loss)
"""
pytestmark = pytest.mark.filterwarnings("ignore")  # of the programs
ENOUGH = 120.0
"""Seconds, of which a mend takes few: the machine may be busy."""


def mended(tmp_path: Path, text: str) -> dict[str, Any]:
    """The answer of the check with a mend."""
    file = tmp_path / "net.py"
    file.write_text(text)
    answer = check_program(Execution(str(file)), Options(seconds=ENOUGH, diff=True))
    assert file.read_text() == text
    assert answer["ok"] is False, answer
    return answer


def lines(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The lines that the diff takes away, and those that it adds, without their indentation."""
    changed = [line for line in answer["diff"].splitlines()[2:] if line[0] in "+-"]
    removed, added = (
        [line[1:].strip() for line in changed if line[0] == sign] for sign in ("-", "+")
    )
    return removed, added


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("W1 -= 0.5 * X.T @ D1", "W1 += 0.5 * X.T @ D1", id="sign of an update"),
        pytest.param(
            "D2 = (A2 - Y) * A2 * (1 - A2)  # delta",
            "D2 = (Y - A2) * A2 * (1 - A2)  # delta",
            id="sign of a difference",
        ),
        pytest.param(
            "D1 = D2 @ W2.T * slope(A1)  # of the hidden layer",
            "D1 = D2 @ W2.T  # of the hidden layer",
            id="slope left out",
        ),
        pytest.param(
            "return 1 - a ** 2  # of tanh", "return a * (1 - a)  # of tanh", id="slope of another"
        ),
        pytest.param(
            "b1 -= 0.5 * D1.sum(axis=0, keepdims=True)  # last step",
            "b1 -= 0.5 * D1.sum()  # last step",
            id="sum over all",
        ),
        pytest.param(
            "b1 -= 0.5 * D1.sum(axis=0, keepdims=True)  # last step",
            "b1 -= 0.5 * b1  # last step",
            id="bias by itself",
        ),
    ],
)
def test_the_wrong_line_becomes_what_it_was(tmp_path: Path, right: str, wrong: str) -> None:
    assert NET.count(right) == 1
    answer = mended(tmp_path, NET.replace(right, wrong))
    assert answer["mended_ok"] is True
    removed, added = lines(answer)
    assert removed == [wrong]
    (line,) = added
    assert line.partition("#")[2] == right.partition("#")[2]  # the comment is still there
    assert line == right or "slope" in wrong or "sum" in right, line


def test_a_transpose_is_put_back(tmp_path: Path) -> None:
    net = NET.replace("rng.randn(3, 1)", "rng.randn(3, 3)").replace(
        "zeros((1, 1))", "zeros((1, 3))"
    )
    answer = mended(tmp_path, net.replace("D2 @ W2.T", "D2 @ W2"))
    assert answer["mended_ok"] is True
    assert lines(answer)[1] == ["D1 = D2 @ W2.T * slope(A1)  # of the hidden layer"]


def test_an_update_moves_behind_the_last_use_of_the_old_value(tmp_path: Path) -> None:
    first = "    W2 -= 0.5 * A1.T @ D2  # first step\n"
    before = "    D1 = D2 @ W2.T * slope(A1)  # of the hidden layer\n"
    answer = mended(tmp_path, NET.replace(before + first, first + before))
    assert answer["mended_ok"] is True
    removed, added = lines(answer)
    assert removed == added
    assert added[0] in (first.strip(), before.strip())
    file = tmp_path / "net.py"
    assert file.read_text().index(first) < file.read_text().index(before)


def test_what_is_returned_is_computed_before_the_update_of_what_it_reads(tmp_path: Path) -> None:
    layer = """\
import numpy as np

rng = np.random.RandomState(1)


class Layer:
    def __init__(self, n, m):
        self.w = rng.randn(n, m)

    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.w)
        return self.y

    def backward(self, grad):
        grad = grad * (1 - self.y ** 2)
        self.w -= 0.1 * self.x.T @ grad
        return grad @ self.w.T  # to the layer below


X, Y = rng.randn(6, 2), rng.randn(6, 2)
layers = [Layer(2, 3), Layer(3, 2)]
for epoch in range(12):
    y = layers[1].forward(layers[0].forward(X))
    print(np.sum((y - Y) ** 2))
    layers[0].backward(layers[1].backward(2 * (y - Y)))
"""
    answer = mended(tmp_path, layer)
    assert answer["mended_ok"] is True
    assert lines(answer) == (
        ["return grad @ self.w.T  # to the layer below"],
        ["upstream = grad @ self.w.T", "return upstream  # to the layer below"],
    )


def test_a_product_of_vectors_becomes_an_outer_one(tmp_path: Path) -> None:
    text = """\
import numpy as np

rng = np.random.RandomState(2)
data = [(rng.randn(3), rng.randn(3)) for _ in range(6)]
W = rng.randn(3, 3)
for x, t in data * 4:
    y = W @ x
    print(np.sum((y - t) ** 2))
    W -= 0.02 * np.dot(y - t, x)
"""
    answer = mended(tmp_path, text)
    assert answer["mended_ok"] is True
    assert lines(answer)[1] == ["W -= 0.02 * np.outer(y - t, x)"]


def test_a_column_against_a_row_is_reshaped(tmp_path: Path) -> None:
    text = """\
import numpy as np

rng = np.random.RandomState(2)
X, y = rng.randn(9, 2), rng.randn(9)
w = np.zeros((2, 1))
for step in range(12):
    error = X @ w - y
    print(np.mean(error ** 2))
    w = w - 0.1 * X.T @ error / len(y)
"""
    answer = mended(tmp_path, text)
    assert answer["mended_ok"] is True
    assert "shape-grows" in [each["code"] for each in answer["findings"]]
    assert lines(answer)[1] in (
        ["error = X @ w - y.reshape(-1, 1)"],
        ["X, y = rng.randn(9, 2), rng.randn(9).reshape(-1, 1)"],
    )


def test_a_parameter_without_an_update_gets_one(tmp_path: Path) -> None:
    answer = mended(tmp_path, NET.replace("    b2 -= 0.5 * D2.sum(axis=0, keepdims=True)\n", ""))
    assert [each["name"] for each in answer["parameters"] if each["verdict"] != "right"] == ["b2"]
    assert answer["mended_ok"] is True
    removed, added = lines(answer)
    assert removed == []
    assert added == ["b2 -= 0.5 * D2.sum(axis=0, keepdims=True)"]


def test_exp_that_overflows_is_given_smaller_numbers(tmp_path: Path) -> None:
    text = """\
import numpy as np

rng = np.random.RandomState(2)
X, Y = 3 * rng.randn(9, 2), np.eye(2)[rng.randint(0, 2, 9)]
W = 300 * rng.randn(2, 2)
for step in range(9):
    e = np.exp(X @ W)  # large
    p = e / e.sum(axis=1, keepdims=True)
    W -= 0.01 * X.T @ (p - Y)
print(W)
"""
    answer = mended(tmp_path, text)
    assert answer["mended_ok"] is True
    (added,) = lines(answer)[1]
    assert added == "e = np.exp(X @ W - (X @ W).max(axis=1, keepdims=True))  # large"


def test_two_faults_are_mended_one_after_the_other(tmp_path: Path) -> None:
    wrong = NET.replace("W1 -= 0.5", "W1 += 0.5").replace("D2 @ W2.T * slope(A1)", "D2 @ W2.T")
    answer = mended(tmp_path, wrong)
    assert answer["mended_ok"] is True
    assert len(lines(answer)[1]) == 2


def test_a_file_beside_the_program_is_mended(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text("def slope(a):\n    return a * (1 - a)\n")
    start, end = NET.index("def slope"), NET.index("for step")
    text = NET[:start] + "from shapes import slope\n\n" + NET[end:]
    answer = mended(tmp_path, text)
    assert answer["mended_ok"] is True
    assert "--- a/shapes.py\n+++ b/shapes.py\n" in answer["diff"]
    assert (tmp_path / "shapes.py").read_text() == "def slope(a):\n    return a * (1 - a)\n"


def test_a_right_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET)
    answer = check_program(Execution(str(file)), Options(seconds=ENOUGH, diff=True))
    assert (answer["ok"], answer["diff"], answer["mended_ok"]) == (True, None, None)
