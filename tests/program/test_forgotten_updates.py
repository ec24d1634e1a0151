"""Parameters that are never updated, and biases that become an entry for each row."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

NETWORK = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(9, 2)
Y = X[:, :1] * X[:, 1:]


class Net:
    def __init__(self):
        self._W1, self._b1 = rng.randn(2, 5), np.zeros(5)
        self._W2, self._b2 = rng.randn(5, 1), np.zeros(1)

    def update(self):
        a = np.tanh(X @ self._W1 + self._b1)
        error = a @ self._W2 + self._b2 - Y
        d = error @ self._W2.T * (1 - a ** 2)
        self._W2 -= 0.1 * a.T @ error
        self._b2 -= 0.1 * error.sum(axis=0)
        self._W1 -= 0.1 * X.T @ d
        self._b1 -= 0.1 * d.sum(axis=0)
        return np.sum(error ** 2)


net = Net()
for epoch in range(20):
    print(net.update())
"""
LINE_FIT = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(9, 3)
y = X @ [1.0, -2.0, 0.5] + 0.5
w, b = np.zeros(3), 0
for step in range(20):
    error = X @ w + b - y
    w = w - 0.1 * X.T @ error / 9
    b = b - 0.1 * error.mean()
print(w, b)
"""


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


def verdicts(answer: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["verdict"] for each in answer["parameters"]}


@pytest.mark.parametrize("text", [NETWORK, LINE_FIT])
def test_what_is_updated_is_right(tmp_path: Path, text: str) -> None:
    answer = checked(tmp_path, text)
    assert answer["ok"] is True, answer
    assert answer["findings"] == []


@pytest.mark.parametrize("left_out", ["_W1", "_b1", "_b2"])
def test_a_parameter_that_is_never_updated_is_wrong(tmp_path: Path, left_out: str) -> None:
    text = "".join(
        line
        for line in NETWORK.splitlines(keepends=True)
        if not line.strip().startswith(f"self.{left_out} -=")
    )
    answer = checked(tmp_path, text)
    assert answer["ok"] is False
    assert verdicts(answer)[f"net.{left_out}"] == "never updated"
    assert [each["code"] for each in answer["findings"]] == ["never-updated"]


def test_a_whole_number_that_becomes_an_entry_for_each_row_is_wrong(tmp_path: Path) -> None:
    answer = checked(tmp_path, LINE_FIT.replace("error.mean()", "error / 9"))
    assert answer["ok"] is False
    assert verdicts(answer) == {"w": "right", "b": "shape changes"}
    assert [(each["code"], each["line"]) for each in answer["findings"]] == [("shape-grows", 10)]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("self._W1 -= 0.1 * X.T @ d", "self._W1 = -0.1 * X.T @ d", id="matrix"),
        pytest.param("self._b2 -= 0.1 * err", "self._b2 = -0.1 * err", id="bias"),
    ],
)
def test_a_parameter_that_is_replaced_by_its_step_is_wrong(
    tmp_path: Path, right: str, wrong: str
) -> None:
    assert right in NETWORK
    text = NETWORK.replace(right, wrong)
    answer = checked(tmp_path, text)
    assert answer["ok"] is False
    line = next(at for at, each in enumerate(text.splitlines(), 1) if wrong in each)
    assert [each["line"] for each in answer["findings"]] == [line]
    assert "overwritten by its step" in answer["findings"][0]["cause"]


@pytest.mark.parametrize(
    ("plain", "kept"),
    [
        ("w = w - 0.1 * X.T @ error / 9", "w = 0.9 * w - 0.1 * X.T @ error / 9"),
        ("w = w - 0.1 * X.T @ error / 9", "w = np.clip(w - 0.1 * X.T @ error / 9, -40, 40)"),
    ],
)
def test_what_keeps_most_of_a_parameter_is_right(tmp_path: Path, plain: str, kept: str) -> None:
    answer = checked(tmp_path, LINE_FIT.replace(plain, kept))
    assert verdicts(answer) == {"w": "right", "b": "right"}


SAMPLES = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(6, 3)
y = X @ [1.0, -2.0, 0.5]
w = np.zeros(3)
for epoch in range(20):
    gradient = np.zeros(3)
    loss = 0.0
    for x, target in zip(X, y):
        error = x @ w - target
        loss += error ** 2
        gradient += 2 * error * x
    print(loss)
    w = w - 0.02 * gradient
"""


def test_a_sum_that_keeps_its_last_term_is_wrong(tmp_path: Path) -> None:
    assert checked(tmp_path, SAMPLES)["ok"] is True
    answer = checked(tmp_path, SAMPLES.replace("gradient += 2", "gradient = 2"))
    assert answer["ok"] is False
    assert [each["line"] for each in answer["findings"]] == [13]
    assert "overwritten in every iteration" in answer["findings"][0]["cause"]


def test_a_parameter_that_is_updated_now_and_then_is_no_fault(tmp_path: Path) -> None:
    text = NETWORK.replace("        self._b1 -=", "        if epoch % 2:\n            self._b1 -=")
    answer = checked(tmp_path, text)
    assert answer["ok"] is True, answer
    assert answer["findings"] == []
