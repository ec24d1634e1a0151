"""``nntui show FILE.py``: the preset of a whole program, or which part has none."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nntui.program import ProgramError
from nntui.program.recognise import Recognised, show
from nntui.program.recognise.preset_of import read_text
from nntui.timeline import Run

PROGRAMS = Path(__file__).parents[2] / "programs"

LATE_RATE = """
import numpy as np
np.random.seed(1)
X = np.random.randn(20, 2)
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
W1, b1 = np.random.randn(2, 4), np.zeros(4)
W2, b2 = np.random.randn(4, 1), np.zeros(1)
lr = 0.5
for epoch in range(600):
    h = np.tanh(X @ W1 + b1)
    o = 1 / (1 + np.exp(-(h @ W2 + b2)))
    loss = -np.mean(Y * np.log(o) + (1 - Y) * np.log(1 - o))
    print(loss)
    d2 = (o - Y) / len(X)
    d1 = d2 @ W2.T * (1 - h**2)
    W2 -= lr * h.T @ d2
    b2 -= lr * d2.sum(0)
    W1 -= lr * X.T @ d1
    b1 -= lr * d1.sum(0)
    if epoch % 300 == 299:
        lr *= 0.25
"""


def shown(path: str | Path, **options: Any) -> Recognised:
    return show(str(path), time=20.0, **options)


def test_the_nearest_preset_is_not_the_same_and_so_has_no_string() -> None:
    assert (
        Recognised(None, "its rows are drawn", 3, nearest_text="[data]").as_string("a.py") is None
    )


def table(found: Recognised) -> dict[str, Any]:
    """The preset as it is printed, as a table."""
    assert found.reason is None
    assert found.preset_text is not None
    return tomllib.loads(found.preset_text)


def test_the_losses_are_those_that_the_program_prints_long_after_what_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.py"
    file.write_text(LATE_RATE)
    found = shown(file)
    assert table(found)["training"] == {
        "loss": "binary-cross-entropy",
        "learning_rate": 0.5,
        "schedule": "step",
        "schedule_decay": 0.25,
        "schedule_every": 300,
    }
    assert found.updates >= 20
    assert found.preset_text is not None
    run = Run(read_text(found.preset_text))
    run.step(600)
    exec(compile(LATE_RATE, "net.py", "exec"), {"__name__": "__main__"})
    printed = [float(line) for line in capsys.readouterr().out.split()]
    assert run.losses == pytest.approx(printed, rel=1e-7)


def test_names_and_lines_tell_what_of_the_program_is_what_of_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(LATE_RATE.replace("lr *= 0.25", "pass"))
    found = shown(file)
    places = {each.key: (each.name, each.line) for each in found.correspondence}
    assert places["layers.0.W"] == ("W1", 10)
    assert places["layers.1.b"] == ("b2", 11)
    assert places["report.loss"] == ("loss", 13)


def test_a_rate_that_stands_nowhere_has_no_line() -> None:
    found = shown(PROGRAMS / "styles/r3b_class_trask.py")
    assert "training.learning_rate" not in {each.key for each in found.correspondence}


def test_a_seed_that_is_asked_for_is_the_presets(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(LATE_RATE)
    assert table(shown(file, seed=5))["seed"] == 5


def test_a_fault_without_a_name_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(LATE_RATE.replace("lr * d1.sum(0)", "lr * np.cos(d1.sum(0))"))
    found = shown(file)
    assert found.preset_text is None
    assert found.reason is not None
    assert "b1" in found.reason


BATCHES = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(12, 2))
y = X @ [1.0, -2.0]
w = np.zeros(2)
for epoch in range(100):
    order = rng.permutation(12)
    for k in range(0, 12, SIZE):
        rows = order[k:k + SIZE]
        w -= 0.1 * X[rows].T @ (X[rows] @ w - y[rows]) / SIZE
    print(np.mean((X @ w - y)**2))
"""


def test_an_order_that_no_preset_draws_is_the_only_difference(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(BATCHES.replace("SIZE", "4"))
    found = shown(file)
    assert found.preset_text is None
    assert (found.line, found.reason) == (
        8,
        "rng.permutation(12) draws the order of the rows, and no preset draws that one",
    )
    assert found.nearest_text is not None
    assert tomllib.loads(found.nearest_text)["training"]["order"] == "shuffled"


def test_the_order_of_a_full_batch_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(BATCHES.replace("SIZE", "12"))
    preset = table(shown(file))
    assert preset["training"] == {"loss": "half-squared-error", "learning_rate": 0.1}
    assert preset["report"] == {"loss": "squared-error", "rows": "all", "when": "after"}


SHOWN: dict[str, Sequence[str]] = {
    "documents/add_relu": ("bias-decay", "update-before-backprop"),
    "documents/add_relu_fixed": (),
    "documents/xor_sigmoid": ("update-before-backprop",),
    "styles/r2_coursera": (),
    "styles/r3b_class_trask": ("derivative-at-a",),
    "styles/r7b_local_floats": ("gradient",),
    "field/09-layer-objects-relu-backward/asked": ("derivative",),
    "field/12-linreg-class-column-target/mended": (),
    "own/dict_decay_clip": (),
    "own/flat_vector": (),
    "own/integer_labels_wrong": ("softmax-over-samples",),
    "own/matrix_xor": (),
    "own/scalars_by_hand": (),
    "own/tensor_autodiff": (),
    "own/while_tolerance": (),
}
"""Programs that a preset can express, and the faults that come along."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_a_program_that_a_preset_can_express_is_shown(name: str) -> None:
    preset = table(shown(PROGRAMS / f"{name}.py"))
    faults = [each if isinstance(each, str) else each["name"] for each in preset.get("faults", [])]
    assert sorted(set(faults)) == sorted(SHOWN[name])


WITHOUT: dict[str, tuple[int | None, str]] = {
    "styles/r1_main_adam_dict": (19, "draws the order of the rows"),
    "styles/r5_minrnn": (21, "recurrent"),
    "field/12-linreg-class-column-target/asked": (None, "changes its shape"),
    "own/batch_norm": (16, "normalisation"),
    "own/conv_im2col": (35, "convolution"),
    "own/dropout_net": (25, "dropout"),
    "own/nesterov_functions": (38, "would carry the parameters"),
    "own/tied_autoencoder": (18, "used again by another layer"),
}
"""Programs without a counterpart: the line, and the reason."""


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT)
def test_a_program_without_a_counterpart_is_told_why(name: str) -> None:
    found = shown(PROGRAMS / f"{name}.py")
    line, reason = WITHOUT[name]
    assert found.preset_text is None
    assert found.line == line
    assert reason in (found.reason or "")


def test_an_end_in_front_of_the_first_loop_and_an_effect_are_errors_with_their_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "net.py"
    path.write_text("import sys\nsys.exit('usage: net.py DATA')\n")
    with pytest.raises(ProgramError, match=r"exit code 1 \(usage: net\.py DATA\) before its first"):
        show(path)
    path.write_text("import os\n\nos.remove('data.csv')\n")
    with pytest.raises(ProgramError, match=r"net\.py:3: the program deletes data\.csv; --allow-ef"):
        show(path)
    path.write_text("print(3)\n")
    assert shown(path).reason == "no turn of a loop began before it ended"
