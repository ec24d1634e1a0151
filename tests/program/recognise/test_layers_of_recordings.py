"""The layers of a network, read off one recorded forward pass however it is written."""

import textwrap
from typing import Any

import numpy as np
import pytest
from instrumented import run_instrumented

from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.loss_hypotheses import OWN, Loss
from nntui.program.recognise.reading.layers.formula_text import formula_text
from nntui.program.recognise.reading.layers.update_numbers import UpdateNumbers, read_update
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError

X = np.array([[0.2, -1.0, 0.5], [1.5, 0.3, -0.7]])
"""(inputs, samples)"""
Y = np.array([[1.0, 0.0, 1.0]])
V, c = np.array([[0.4, -0.6], [1.1, 0.2], [-0.3, 0.9]]), np.array([0.1, -0.2, 0.3])
U, d = np.array([[0.7, -1.2, 0.5]]), np.array([0.25])

COLUMNS = "Z = V @ X + c[:, None]\nA = np.tanh(Z)\nO = U @ A + d\nL = np.sum((O - Y)**2)"
ROWS = """
A = np.tanh(X.T @ V.T + c)
O = A @ U.T + d
L = np.sum((O - Y.T)**2)
"""
COLUMN_OF_ONES = """
Vc = np.c_[c, V]
A = np.tanh(np.c_[np.ones(3), X.T] @ Vc.T)
O = np.hstack([A, np.ones((3, 1))]) @ np.append(U, d)
L = np.sum((O - Y[0])**2)
"""
ONE_BY_ONE = """
L = 0.0
for s in range(3):
    hidden = []
    for u in range(3):
        z = c[u]
        for i in range(2):
            z += V[u, i] * X[i, s]
        hidden.append(np.tanh(z))
    o = sum(w * h for w, h in zip(U[0], hidden)) + d[0]
    L += (o - Y[0, s])**2
"""
SUMS_OF_PRODUCTS = """
L = 0.0
for s in range(3):
    a = np.tanh(np.sum(V * X[:, s], axis=1) + c)
    o = np.dot(U[0], a) + d
    L = L + (Y[:, s] - o)**2
"""
BATCH_OF_COLUMNS = """
cols = X.T.reshape(3, 2, 1)
A = np.tanh(np.matmul(V, cols) + c.reshape(3, 1))
O = np.matmul(U, A) + d
L = np.sum((O - Y.T.reshape(3, 1, 1))**2)
"""


def read(text: str, names: tuple[str, ...] = ("V", "c", "U", "d")) -> UpdateNumbers:
    """What is read off the recorded ``text``, whose loss is ``L``."""
    values: dict[str, Any] = {"X": X, "Y": Y, "V": V, "c": c, "U": U, "d": d}
    values = {name: each.copy() for name, each in values.items()}
    # All that is trained changes, as in an update.
    ends = "\n".join(f"{name}_end = {name} - 0.1 * {name}" for name in names)
    run = run_instrumented(f"{textwrap.dedent(text)}\n{ends}", names={"np": np, **values})
    recorder = run.recorder
    assert recorder is not None
    start = {name: recorder.node_of(values[name]) for name in names}
    end = {name: recorder.node_of(run.namespace[f"{name}_end"]) for name in names}
    recording = Recording(
        recorder.nodes,
        recorder.assignments,
        recorder.outputs,
        start,
        end,  # type: ignore[arg-type]
    )
    top = recorder.node_of(run.namespace["L"])
    assert top is not None
    return read_update(recording, names, Loss(OWN, top.key), recorder.places, [top])


@pytest.mark.parametrize(
    "text",
    [COLUMNS, ROWS, COLUMN_OF_ONES, ONE_BY_ONE, SUMS_OF_PRODUCTS, BATCH_OF_COLUMNS],
    ids=["columns", "rows", "ones", "one-by-one", "sums", "batch"],
)
def test_one_network_is_read_alike_in_any_writing(text: str) -> None:
    seen = read(text)
    hidden, output = seen.layers
    x, W = seen.x, hidden.W
    if W.shape[1] == 3:  # the first column belongs to an input that is 1
        np.testing.assert_array_equal(W[:, 0], c)
        x, W = x[1:], W[:, 1:]
    else:
        np.testing.assert_array_equal(hidden.b, c)
    np.testing.assert_array_equal(W, V)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(output.W, U)
    np.testing.assert_array_equal(output.b, d)
    np.testing.assert_allclose(hidden.z, V @ X + c[:, None], rtol=1e-14)
    np.testing.assert_allclose(hidden.f, np.tanh(V @ X + c[:, None]), rtol=1e-14)
    np.testing.assert_array_equal(seen.y, Y)


def test_a_bias_behind_the_activation_is_told_apart() -> None:
    seen = read("A = np.tanh(V @ X) + c[:, None]\nO = U @ A + d\nL = np.sum((O - Y)**2)")
    hidden = seen.layers[0]
    assert hidden.behind
    np.testing.assert_array_equal(hidden.b, c)
    np.testing.assert_allclose(hidden.f, np.tanh(V @ X), rtol=1e-14)


def test_targets_are_found_as_numbers_of_classes() -> None:
    labels = "P = np.exp(V @ X + c[:, None])\nP = P / P.sum(axis=0)\n"
    text = labels + "L = -np.sum(np.log(P[[2, 0, 1], [0, 1, 2]]))"
    seen = read(text, ("V", "c"))
    np.testing.assert_array_equal(seen.y, np.eye(3)[[2, 0, 1]].T)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "H = np.tanh(V @ X)\nH = np.tanh(V @ (U.T * H)[:2] + c[:, None])\n"
            "L = np.sum((d * H - Y)**2)",
            "recurrent",
        ),
        ("A = np.tanh(V @ X + c[:, None]) * U.T\nL = np.sum((A + d - Y)**2)", "normalisation"),
        ("A = np.tanh(V @ X + c[:, None])\nO = U @ A.mean(1) + d\nL = np.sum((O - 1.5)**2)", ""),
    ],
    ids=["recurrent", "scaled units", "mixed samples"],
)
def test_what_is_no_stack_of_dense_layers_has_no_counterpart(text: str, reason: str) -> None:
    with pytest.raises(NoCounterpartError) as caught:
        read(text)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1 / (1 + np.exp(-z))", "1 / (1 + exp(-z))"),
        ("np.where(z > 0, z, 0.01 * z)", "where(z > 0, z, (0.01 * z))"),
        ("(z > 0) * z", "where(z > 0, 1, 0) * z"),
        ("np.maximum(z, 0)", "max(z, 0)"),
        ("1.7159 * np.tanh(2 * z / 3)", "1.7159 * tanh((2 * z) / 3)"),
        ("np.square(z) - k", "(z ** 2) - (0.5 + 0.25)"),
        ("z / z.sum()", None),
    ],
)
def test_what_is_computed_by_element_is_a_formula(expression: str, text: str | None) -> None:
    z = np.array([-1.0, 0.5, 2.0])
    run = run_instrumented(f"k = 0.5 + 0.25\nf = {expression}", names={"np": np, "z": z})
    recorder = run.recorder
    assert recorder is not None
    start, end = recorder.node_of(z), recorder.node_of(run.namespace["f"])
    assert start is not None
    assert end is not None
    assert formula_text(end, {start.number: "z"}) == text
