"""`nntui why FILE.py` from end to end, on programs that are small enough to be tried often."""

import json
import os
import textwrap
from pathlib import Path
from time import perf_counter

import pytest

from nntui.presets import decode
from nntui.program import ProgramError
from nntui.program.why import ProgramAnswer, why

HOURS = 3600.0
FIELDS = {
    *("program", "seed", "headline", "decided", "findings", "slips", "experiments", "reduced"),
    *("updates", "solved", "checked", "limits", "recognised"),
}
LINE = """
import numpy as np
np.random.seed(1)
X = np.linspace(-1.0, 1.0, 12).reshape(-1, 1)
y = 1.5 * X - 0.5
W = np.random.randn(1, 1)
b = np.zeros((1, 1))
lr = 0.3
for epoch in range(60):
    a = X.dot(W) + b
    loss = np.mean((a - y) ** 2)
    d = 2.0 * (a - y) / len(X)
    W -= lr * X.T.dot(d)
    b -= lr * d.sum(axis=0, keepdims=True)
    print(epoch, loss)
"""
PRODUCTS = """
import numpy as np
np.random.seed(2)
X = np.random.uniform(-1.0, 1.0, (20, 3))
y = np.prod(1.0 + X, axis=1, keepdims=True)
log_w = 0.3 * np.random.randn(3, 1)
s = np.zeros((1, 1))
rate = 0.05
for step in range(80):
    parts = X * np.exp(log_w.T)
    a = np.prod(1.0 + parts, axis=1, keepdims=True) * np.exp(s)
    loss = np.mean((a - y) ** 2)
    d = 2.0 * (a - y) / len(X)
    g = (d * a * parts / (1.0 + parts)).sum(axis=0).reshape(-1, 1)
    log_w = log_w - rate * g
    s = s - rate * (d * a).sum()
    print(loss)
"""
"""No preset has a network like this one."""


def asked(folder: Path, source: str, **options: object) -> ProgramAnswer:
    """The answer about ``source``, with all the time that it takes."""
    path = folder / "net.py"
    path.write_text(textwrap.dedent(source).lstrip())
    return why(path, **{"seeds": 6, "time": HOURS, **options})  # type: ignore[arg-type]


def test_arguments_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    for options in ({"seeds": 0}, {"time": 0.0}, {"seed": -1}, {"python": "/no/such/python"}):
        with pytest.raises(ProgramError):
            asked(tmp_path, LINE, **options)
    with pytest.raises(ProgramError):
        why(tmp_path / "missing.py")


@pytest.mark.slow
def test_a_rate_that_is_far_too_low_is_the_cause_and_has_its_line(tmp_path: Path) -> None:
    answer = asked(tmp_path, LINE.replace("lr = 0.3", "lr = 3e-4"))
    assert not answer.solved
    assert answer.headline is not None
    assert (answer.headline.code, answer.headline.line) == ("rate-too-low", 7)
    assert answer.best is not None
    assert "learning rate" in answer.best.fix.text
    assert answer.recognised is not None
    again = decode(answer.recognised)
    assert again.configuration.training.learning_rate == pytest.approx(3e-4)
    assert answer.confirmed is not None, "the fix was tried in the program itself"
    assert answer.confirmed.solved == answer.confirmed.seeds
    said = answer.as_json()
    assert set(said) == FIELDS
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["headline"]["line"] == 7
    assert {each["ran"] for each in said["experiments"]} == {"preset", "program"}
    assert max(map(len, answer.text.splitlines())) <= 80
    assert sorted(os.listdir(tmp_path)) == ["net.py"], "nothing is written beside the program"


@pytest.mark.slow
def test_a_program_that_learns_has_no_cause(tmp_path: Path) -> None:
    answer = asked(tmp_path, LINE)
    assert answer.solved
    assert answer.headline is None
    assert "it learns" in answer.text


@pytest.mark.slow
def test_a_network_that_no_preset_has_is_tried_itself(tmp_path: Path) -> None:
    answer = asked(tmp_path, PRODUCTS.replace("rate = 0.05", "rate = 5e-5"))
    assert answer.recognised is None
    assert not answer.solved
    assert answer.headline is not None
    assert (answer.headline.code, answer.headline.line) == ("rate-too-low", 7)
    assert answer.best is not None
    assert set(answer.best.fix.changes) == {"training.learning_rate"}
    assert answer.best.solved > answer.best.baseline_solved


@pytest.mark.slow
def test_stopping_early_gives_what_is_known_so_far(tmp_path: Path) -> None:
    seen: list[str] = []

    def stop(words: str, _share: float) -> bool:
        seen.append(words)
        return words != "trying changes"

    answer = asked(tmp_path, PRODUCTS.replace("rate = 0.05", "rate = 5e-5"), progress=stop)
    assert answer.interrupted
    assert "trying changes" in seen
    assert answer.findings


def test_an_effect_that_is_refused_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"net\.py:2: the program deletes data\.csv; --allow-ef"):
        asked(tmp_path, "import os\nos.remove('data.csv')\n" + LINE)


def test_too_little_time_is_the_reason_and_so_is_an_interruption(tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(60)\n"
    answer = asked(tmp_path, slow, time=1.0)
    assert "no time to follow the training; --time 20 would help" in " ".join(answer.text.split())
    answer = asked(tmp_path, LINE, started=perf_counter() - 2.0 * HOURS)
    assert "no time to follow the training" in " ".join(answer.text.split())
    answer = asked(tmp_path, slow, progress=lambda *_: False)
    assert answer.interrupted
    assert "it was interrupted before the training was followed" in " ".join(answer.text.split())


@pytest.mark.slow
def test_a_crash_behind_the_training_is_told(tmp_path: Path) -> None:
    answer = asked(tmp_path, LINE + "print(1 / 0)\n")
    assert "crashes in line 15: ZeroDivisionError: division by zero" in answer.limits[0]
    assert "ZeroDivisionError" in answer.text
