"""Which line of a wrong program is named: the call or the function, the gradient or its update."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

NETWORK = """\
import numpy as np

rng = np.random.RandomState(3)
X = rng.randn(12, 2)
Y = (X[:, :1] * X[:, 1:] > 0) * 1.0
W1, b1 = rng.randn(2, 5), np.zeros((1, 5))
W2, b2 = rng.randn(5, 4), np.zeros((1, 4))
W3, b3 = rng.randn(4, 1), np.zeros((1, 1))


def f(z, slope=False):
    if slope:
        return z * (1 - z)
    return 1 / (1 + np.exp(-z))


def slope_at(z):
    return f(z) * (1 - f(z))


for epoch in range(12):
    z1 = X @ W1 + b1
    a1 = f(z1)
    mask = (rng.rand(*a1.shape) < 0.7) / 0.7
    d1 = a1 * mask
    z2 = d1 @ W2 + b2
    a2 = f(z2)
    a3 = a2 @ W3 + b3
    loss = np.sum((a3 - Y) ** 2)
    e3 = 2 * (a3 - Y)
    e2 = e3 @ W3.T * slope_at(z2)
    back = e2 @ W2.T * mask
    e1 = back * f(a1, True)
    db1 = e1.sum(axis=0, keepdims=True)
    W3 -= 0.1 * a2.T @ e3
    b3 -= 0.1 * e3.sum(axis=0, keepdims=True)
    W2 -= 0.1 * d1.T @ e2
    b2 -= 0.1 * e2.sum(axis=0, keepdims=True)
    W1 -= 0.1 * X.T @ e1
    b1 = b1 - 0.1 * db1
"""
TWO_USES = """\
import numpy as np

rng = np.random.RandomState(2)
U, V, w = rng.randn(3, 2), rng.randn(3, 3), rng.randn(3)
for step in range(12):
    xs, target = rng.randn(4, 2), 0.5
    h, tape = np.zeros(3), []
    for x in xs:
        g = 1 / (1 + np.exp(-(U @ x + V @ h)))
        tape.append((x, h, g))
        h = h * g + x[0] * g
    error = w @ h - target
    dU, dV, dw = np.zeros((3, 2)), np.zeros((3, 3)), error * h
    dh = error * w
    for x, before, g in reversed(tape):
        da = dh * (before + x[0]) * g * (1 - g)
        dU += np.outer(da, x)
        dV += np.outer(da, before)
        dh = dh * g + V.T @ da
    U -= 0.1 * dU
    V -= 0.1 * dV
    w -= 0.1 * dw
"""
WRONG = {
    "a slope at a that is right at z elsewhere": ("slope_at(z2)", "slope_at(a2)"),
    "an activation too much": ("f(a1, True)", "f(f(a1), True)"),
    "no mask on the way back": ("e2 @ W2.T * mask", "e2 @ W2.T / 0.7"),
    "a gradient that is not summed": ("e1.sum(axis=0, keepdims=True)", "0.5 * e1"),
}


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


@pytest.mark.parametrize("text", [NETWORK, TWO_USES], ids=["network", "two uses"])
def test_the_program_itself_is_right(tmp_path: Path, text: str) -> None:
    answer = checked(tmp_path, text)
    assert (answer["ok"], answer["findings"]) == (True, [])


@pytest.mark.parametrize(("old", "new"), WRONG.values(), ids=WRONG)
def test_the_line_that_was_changed_is_named(tmp_path: Path, old: str, new: str) -> None:
    # The slope is taken right in one more place, so that the function is known to be right.
    text = NETWORK.replace("f(a1, True)", "slope_at(z1)") if "slope_at" in old else NETWORK
    assert text.count(old) == 1
    answer = checked(tmp_path, text.replace(old, new))
    assert answer["ok"] is False
    assert new in answer["findings"][0]["text"]


def test_a_part_of_a_derivative_is_no_derivative(tmp_path: Path) -> None:
    answer = checked(tmp_path, TWO_USES.replace("dh * g + V.T @ da", "V.T @ da"))
    first = answer["findings"][0]
    assert (answer["ok"], first["text"]) == (False, "dh = V.T @ da")
    assert "through one of its uses" in first["cause"]


MASKS = """\
import numpy as np

rng = np.random.RandomState(6)
W, V = rng.randn(3, 2), rng.randn(1, 3)


def slope(z):
    z = np.array(z)
    z[z <= 0] = 0.1
    z[z > 0] = 1
    return z


for step in range(12):
    x, t = rng.randn(2, 1), 0.5
    z = W @ x
    a = np.where(z > 0, z, 0.1 * z)
    out = V @ a
    y = np.where(out > 0, out, 0.1 * out)
    e = y - t
    d = e * slope(out)
    c = V.T @ d * slope(z)
    V = V - 0.1 * d @ a.T
    W = W - 0.1 * c @ x.T
"""


def test_a_slope_that_is_1_everywhere_is_named_where_it_is_made(tmp_path: Path) -> None:
    answer = checked(tmp_path, MASKS)
    assert (answer["ok"], answer["findings"][0]["text"]) == (False, "z[z > 0] = 1")
    masks = ["    z[z <= 0] = 0.1\n", "    z[z > 0] = 1\n"]
    right = MASKS.replace("".join(masks), "".join(masks[::-1]))
    answer = checked(tmp_path, right)
    assert (answer["ok"], answer["findings"]) == (True, [])
