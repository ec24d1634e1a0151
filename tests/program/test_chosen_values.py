"""A program that replaces values by chosen ones follows no gradient, and so none is wrong."""

from pathlib import Path
from typing import Any

from nntui.program.analysis_reply import Request, program_check
from nntui.program.control.execution import Execution
from nntui.program.inside.analysis import Options, check_program

K_MEANS = """\
import numpy as np

rng = np.random.RandomState(0)
X = np.vstack([rng.normal(0, 1, (30, 2)), rng.normal(2, 1, (9, 2))])
C = X[:2].copy()
for i in range(20):
    distances = ((X[:, None] - C) ** 2).sum(2)
    nearest = distances.argmin(1)
    for k in range(2):
        C[k] = X[nearest == k].mean(0)
    print(distances.min(1).sum())
"""
SIGNS = """\
import numpy as np

rng = np.random.RandomState(4)
X = rng.randn(12, 3)
Y = X @ rng.randn(3) + 0.3
W = rng.randn(3)
for t in range(1, 30):
    error = X @ W - Y
    print(0.5 * np.sum(error ** 2))
    W = W - 0.01 * X.T @ np.where(error > 0, 1.0, -1.0)
"""


def checked(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "net.py"
    file.write_text(text)
    return check_program(Execution(str(file)), Options(seconds=120.0))


def test_k_means_is_no_gradient_method(tmp_path: Path) -> None:
    answer = program_check(Request("net.py"), checked(tmp_path, K_MEANS))

    assert answer.ok is None
    assert "no gradient" in answer.reason
    assert answer.findings == ()


def test_steps_by_comparisons_are_steps_and_may_be_wrong(tmp_path: Path) -> None:
    assert checked(tmp_path, SIGNS)["ok"] is False
