"""Right programs that shuffle, cut data into batches, and add gradients up; and slips there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

START = """\
import numpy as np

rng = np.random.RandomState(3)
X = rng.randn(22, 2)
Y = (X[:, :1] * X[:, 1:] > 0) * 1.0
W1, b1 = rng.randn(2, 5), np.zeros(5)
W2, b2 = rng.randn(5, 1), np.zeros(1)


def gradients(x, y):
    h = np.tanh(x @ W1 + b1)
    p = 1 / (1 + np.exp(-(h @ W2 + b2)))
    d = p - y
    e = d @ W2.T * (1 - h ** 2)
    return [x.T @ e, e.sum(0), h.T @ d, d.sum(0)], np.sum(np.log(np.where(y > 0, p, 1 - p)))


params = [W1, b1, W2, b2]
rate = 0.1
"""
SHUFFLED = """
for epoch in range(12):
    order = rng.permutation(len(X))
    X, Y = X[order], Y[order]
    for p, g in zip(params, gradients(X, Y)[0]):
        p -= rate * g / len(X)
    rate *= 0.95
"""
BATCHES = """
for epoch in range(4):
    order = rng.permutation(len(X))
    X, Y = X[order], Y[order]
    loss = 0.0
    for first in range(0, len(X), 8):
        x, y = X[first:first + 8], Y[first:first + 8]
        grads, gained = gradients(x, y)
        loss -= gained
        for p, g in zip(params, grads):
            p -= rate * g / len(x)
    rate *= 0.95
    print(loss / len(X))
"""
ONE_BY_ONE = """
sums = [np.zeros_like(p) for p in params]
for epoch in range(4):
    for first in range(0, len(X), 6):
        batch = list(zip(X, Y))[first:first + 6]
        for s in sums:
            s *= 0.0
        for x, y in batch:
            for s, g in zip(sums, gradients(x[None], y[None])[0]):
                s += g
        for p, s in zip(params, sums):
            p -= rate / len(batch) * s
"""
MEMORY_FROM_0 = """
speed = [0.0, 0.0, 0.0, 0.0]
for epoch in range(12):
    for at, g in enumerate(gradients(X, Y)[0]):
        speed[at] = 0.8 * speed[at] - rate * g
        params[at] = params[at] + speed[at]
    W1, b1, W2, b2 = params
"""
FOLLOWED = """\
import numpy as np

rng = np.random.RandomState(5)
w = rng.randn(3, 1)
slow = w.copy()
for step in range(30):
    now, later = rng.rand(8, 3), rng.rand(8, 3)
    error = now @ w - (now[:, :1] + 0.5 * later @ slow)
    w = w - 0.1 * now.T @ error
    slow = 0.9 * slow + 0.1 * w
print(w, slow)
"""
SEVERAL = """\
import random

random.seed(1)
w = [random.random(), random.random()]
samples = [(1.0, 2.0, 0.5), (0.5, -1.0, 1.0), (-1.0, 0.3, 0.2)]


def learn(x, y, target):
    error = w[0] * x + w[1] * y - target
    w[0] -= 0.1 * error * x
    w[1] -= 0.1 * error * y
    return error ** 2


for step in range(30):
    print(learn(*samples[0]) + learn(*samples[1]) + learn(*samples[2]))
"""
DECAY = """\
import numpy as np

rng = np.random.RandomState(5)
X = rng.randn(20, 3)
y = X @ rng.randn(3, 1) + 0.1 * rng.randn(20, 1)
w = rng.randn(3, 1)
for step in range(30):
    error = X @ w - y
    w -= 0.01 * (X.T @ error + 0.1 * w)
print(w)
"""
PARABOLA = """\
x, rate = 10.0, 0.1
for i in range(30):
    loss = (x - 3) ** 2
    x = x - rate * 2 * (x - 3)
    rate *= 0.99
    print(i, x, loss)
"""
AT_ROWS = """\
import numpy as np

rng = np.random.RandomState(0)
W, t = rng.randn(5, 2), rng.randn(2)
for step in range(20):
    i = rng.randint(0, 5, 3)
    error = W[i] - t
    np.add.at(W, i, -0.1 * 2 * error)
    print(np.sum(error ** 2))
"""
FACTORS = """\
import numpy as np

rng = np.random.RandomState(1)
R = rng.rand(4, 3)
P, Q = rng.rand(4, 2), rng.rand(2, 3)
for step in range(20):
    for i in range(4):
        for j in range(3):
            error = R[i, j] - P[i] @ Q[:, j]
            for k in range(2):
                before = P[i][k]
                P[i][k] += 0.01 * (2 * error * Q[k][j] - 0.02 * P[i][k])
                Q[k][j] += 0.01 * (2 * error * before - 0.02 * Q[k][j])
"""
FITTED = """\
import numpy as np

rng = np.random.RandomState(5)
x = rng.randn(9, 1)
t = 2 * x - 1
w, b = rng.randn(1), 0.0
for step in range(30):
    y = x[:, 0] * w + b
    error = y - t[:, 0]
    cost = np.mean(error ** 2)
    w = w - 0.1 * 2 * np.mean(error * x[:, 0])
    b = b - 0.1 * 2 * np.mean(error)
print(w, b, cost)
"""
DOTS = """\
import random

random.seed(1)


class Matrix:
    def __init__(self, rows):
        self.rows = rows

    def dot(self, vector):
        found = []
        for row in self.rows:
            s = 0.0
            for a, b in zip(row, vector):
                s += a * b
            found.append(s)
        return found


m = Matrix([[random.random(), random.random()]])
for step in range(30):
    x = [random.random(), random.random()]
    error = m.dot(x)[0] - (x[0] - x[1])
    m.rows = [[w - 0.1 * error * each for w, each in zip(m.rows[0], x)]]
"""


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


@pytest.mark.parametrize(
    "text",
    [
        *[START + loop for loop in (SHUFFLED, BATCHES, ONE_BY_ONE, MEMORY_FROM_0)],
        FITTED,
        DOTS,
        FOLLOWED,
        DECAY,
        PARABOLA,
        AT_ROWS,
        FACTORS,
    ],
    ids=[
        *("shuffled", "batches", "one by one", "memory", "line", "dots", "followed", "decay"),
        *("parabola", "rows", "factors"),
    ],
)
def test_a_right_program_raises_no_alarm(tmp_path: Path, text: str) -> None:
    answer = checked(tmp_path, text)
    assert (answer["ok"], answer["findings"]) == (True, [])


def test_gradients_that_are_never_set_to_0_pile_up(tmp_path: Path) -> None:
    kept = ONE_BY_ONE.replace("        for s in sums:\n            s *= 0.0\n", "")
    answer = checked(tmp_path, START + kept)
    assert answer["ok"] is False
    first = answer["findings"][0]
    assert first["text"] == "s += g"
    assert "is never set to 0" in first["cause"]
    assert len(first["parameters"]) == 4


def test_a_prediction_that_meets_all_targets_is_named(tmp_path: Path) -> None:
    answer = checked(tmp_path, FITTED.replace("y - t[:, 0]", "y - t"))
    assert answer["ok"] is False
    first = answer["findings"][0]
    assert (first["code"], first["text"]) == ("broadcast", "error = y - t")
    assert "(9,) and (9, 1)" in first["cause"]


def test_several_updates_in_one_turn_are_not_judged_as_one(tmp_path: Path) -> None:
    answer = checked(tmp_path, SEVERAL)
    assert (answer["ok"], answer["error"]) == (None, "several")


def test_a_decay_that_makes_weights_larger_is_wrong(tmp_path: Path) -> None:
    answer = checked(tmp_path, DECAY.replace("+ 0.1 * w", "- 0.1 * w"))
    assert answer["ok"] is False
    assert "w" in answer["findings"][0]["parameters"]


HANDED_OUT = """\
import numpy as np

rng = np.random.RandomState(0)
X = rng.randn(12, 3)
y = X @ [1.0, -2.0, 0.5]
w = np.zeros(3)


def batches():
    for k in range(0, 12, 4):
        yield X[k : k + 4], y[k : k + 4]


for epoch in range(10):
    for x, target in batches():
        error = x @ w - target
        w -= 0.1 * x.T @ error / 4
    print(np.mean((X @ w - y) ** 2))
"""


def test_a_generator_that_hands_out_rows_is_neither_epoch_nor_another_training(
    tmp_path: Path,
) -> None:
    file = tmp_path / "net.py"
    file.write_text(HANDED_OUT)
    answer = check_program(Execution(str(file)), Options(seconds=120.0))
    assert answer["ok"] is True
    assert (answer["loop"]["line"], answer["epoch_loop"]["line"]) == (15, 14)
    assert answer["others"] == []


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (HANDED_OUT.replace("    print(", "        print("), None),
        (PARABOLA, 49.0),
    ],
    ids=["epochs", "numbers"],
)
def test_the_value_of_the_loss_is_that_of_the_first_update(
    tmp_path: Path, text: str, first: float | None
) -> None:
    file = tmp_path / "net.py"
    file.write_text(text)
    answer = check_program(Execution(str(file)), Options(seconds=120.0))
    if first is None:
        rng = np.random.RandomState(0)
        X = rng.randn(12, 3)
        error = -(X @ [1.0, -2.0, 0.5])[:4]
        first = 0.5 * float(error @ error)
    assert answer["loss"]["value"] == pytest.approx(first)


def test_further_trainings_are_told_by_their_innermost_loops(tmp_path: Path) -> None:
    again = """\
for epoch in range(4):
    for x, target in batches():
        error = x @ w - target
        w -= 0.05 * x.T @ error / 4
for row in X:
    print(row @ w)
"""
    file = tmp_path / "net.py"
    file.write_text(HANDED_OUT + again)
    answer = check_program(Execution(str(file)), Options(seconds=120.0))
    line = HANDED_OUT.count("\n") + 2
    assert answer["loop"]["line"] == 15
    assert [each["line"] for each in answer["others"]] == [line]
    (tmp_path / "other.py").write_text(HANDED_OUT + again)
    other = check_program(
        Execution(str(tmp_path / "other.py")), Options(lines=(line,), seconds=120.0)
    )
    assert (other["ok"], other["loop"]["line"]) == (True, line)
