"""Weight decay: free where the loss says nothing of it, and bound where it holds a penalty."""

from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

PROGRAM = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(12, 3)
Y = X @ rng.randn(3, 2) + 0.3
W, b = rng.randn(3, 2), np.zeros(2)
m, v = np.zeros((3, 2)), np.zeros((3, 2))
for t in range(1, 30):
    error = X @ W + b - Y
    loss = 0.5 * np.sum(error ** 2) + 0.0
    g = X.T @ error + 0.02 * W
    print(loss)
    b = b - 0.01 * error.sum(0)
    W = W - 0.01 * g
"""
ADAM = """\
    m = 0.9 * m + 0.1 * g
    v = 0.99 * v + 0.01 * g ** 2
    W = W - 0.01 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.99 ** t)) + 1e-8)
"""
RMSPROP = """\
    v = 0.9 * v + 0.1 * g ** 2
    W = W - 0.01 * g / np.sqrt(v + 1e-8)
"""
ADAGRAD = """\
    v += g ** 2
    W = W - 0.01 * g / np.sqrt(v)
"""
CLIPPED = "    W = W - 0.01 * np.clip(g, -1, 1)\n"
SHORTENED = "    W = W - 0.01 * g / max(1, np.linalg.norm(g))\n"
APART = ADAM.replace("W = W -", "W = W - 0.01 * 0.02 * W -")
WITHIN = ADAM.replace("0.01 * (m", "0.01 * (0.02 * W + (m").replace("1e-8)", "1e-8))")
BEFORE = "    W *= 1 - 0.01 * 0.02\n" + ADAM
PENALTY = "+ 0.01 * np.sum(W ** 2)"


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


def with_update(update: str) -> str:
    return PROGRAM.replace("    W = W - 0.01 * g\n", update)


def wrong_of(answer: dict[str, Any]) -> list[str]:
    return [each["name"] for each in answer["parameters"] if each["verdict"] == "wrong"]


@pytest.mark.parametrize(
    "update",
    [ADAM, RMSPROP, ADAGRAD, CLIPPED, SHORTENED],
    ids=["adam", "rmsprop", "adagrad", "clipped", "shortened"],
)
def test_decay_in_the_gradient_of_an_optimiser_is_no_fault(tmp_path: Path, update: str) -> None:
    answer = checked(tmp_path, with_update(update))

    assert answer["ok"] is True
    assert answer["findings"] == []
    (note,) = answer["notes"]
    assert "weight decay" in note
    assert "gradient of W " in note
    assert "0.02 times" in note


@pytest.mark.parametrize("update", [APART, WITHIN, BEFORE], ids=["apart", "within", "before"])
def test_decay_beside_the_step_of_an_optimiser_is_no_fault(tmp_path: Path, update: str) -> None:
    answer = checked(tmp_path, with_update(update).replace(" + 0.02 * W", ""))

    assert answer["ok"] is True
    assert answer["findings"] == []
    (note,) = answer["notes"]
    assert "each step also shrinks W," in note


def test_an_optimiser_that_lets_weights_grow_is_wrong(tmp_path: Path) -> None:
    text = with_update(APART.replace("- 0.01 * 0.02", "+ 0.01 * 0.02"))

    assert checked(tmp_path, text.replace(" + 0.02 * W", ""))["ok"] is False


def test_decay_of_gradient_descent_is_told(tmp_path: Path) -> None:
    answer = checked(tmp_path, PROGRAM)

    assert answer["ok"] is True
    (note,) = answer["notes"]
    assert "gradient of W " in note
    assert "0.02 times" in note


def test_decay_of_two_weights_is_no_fault(tmp_path: Path) -> None:
    text = PROGRAM.replace("randn(12, 3)", "randn(12, 2)").replace("randn(3, 2)", "randn(2)")
    text = text.replace("np.zeros(2)", "0.1").replace("sum(0)", "sum()")
    answer = checked(tmp_path, text)

    assert answer["ok"] is True
    assert len(answer["notes"]) == 1


def test_a_number_that_is_clipped_by_its_own_size_is_right(tmp_path: Path) -> None:
    clipped = "    h = error.sum(0)\n    b = b - 0.01 * h / max(1, np.linalg.norm(h))\n"
    text = PROGRAM.replace("    b = b - 0.01 * error.sum(0)\n", clipped)
    text = text.replace("randn(3, 2)", "randn(3, 1)").replace("np.zeros(2)", "np.zeros(1)")

    assert checked(tmp_path, text)["ok"] is True


@pytest.mark.parametrize("update", [ADAM, "    W = W - 0.01 * g\n"], ids=["adam", "descent"])
def test_the_penalty_of_the_programs_own_loss_is_right(tmp_path: Path, update: str) -> None:
    answer = checked(tmp_path, with_update(update).replace("+ 0.0\n", f"{PENALTY}\n"))

    assert answer["ok"] is True
    assert answer["notes"] == []


def test_a_penalty_that_is_printed_alone_binds_nothing(tmp_path: Path) -> None:
    alone = f"    print(loss)\n    reg_loss = {PENALTY[2:]} * 5\n    print(reg_loss)\n"
    answer = checked(tmp_path, PROGRAM.replace("    print(loss)\n", alone))

    assert answer["ok"] is True


@pytest.mark.parametrize("update", [ADAM, "    W = W - 0.01 * g\n"], ids=["adam", "descent"])
@pytest.mark.parametrize("coefficient", ["0.01", "0.04", "-0.02"])
def test_another_coefficient_than_the_loss_states_is_wrong(
    tmp_path: Path, coefficient: str, update: str
) -> None:
    text = with_update(update).replace("+ 0.0\n", f"{PENALTY}\n")
    answer = checked(tmp_path, text.replace("+ 0.02 * W", f"+ {coefficient} * W"))

    assert answer["ok"] is False
    assert wrong_of(answer) == ["W"]
    first = answer["findings"][0]
    assert (first["code"], first["line"]) == ("wrong-factor", 11)
    assert "penalty" in first["cause"]


def test_a_loss_whose_penalty_no_step_follows_is_told(tmp_path: Path) -> None:
    text = PROGRAM.replace("+ 0.0\n", f"{PENALTY}\n").replace(" + 0.02 * W", "")
    answer = checked(tmp_path, text)

    assert [each["code"] for each in answer["findings"]] == ["loss-not-minimised"]


def test_weights_that_grow_by_themselves_are_wrong(tmp_path: Path) -> None:
    answer = checked(tmp_path, PROGRAM.replace("+ 0.02 * W", "- 0.02 * W"))

    assert answer["ok"] is False
    assert wrong_of(answer) == ["W"]
