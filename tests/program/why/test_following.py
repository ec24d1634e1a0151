"""Following a program's training: losses at chosen epochs, other starts, the rate among numbers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nntui.program.control.client import Task, ask
from nntui.program.follow.request import Request, Sought
from nntui.program.why.changes.literals import rate_literals
from nntui.program.why.changes.source_edits import edited

FOLLOW = "nntui.program.follow.many"

ROWS = """import numpy as np
np.random.seed(3)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[1.0], [3.0], [2.0], [4.0]])
W = np.random.randn(2, 1)
b = np.zeros((1, 1))
scale = 1.0
lr = 0.1
for epoch in range(30):
    total = 0
    for i in range(4):
        a = X[i:i + 1].dot(W) * scale + b
        total += np.sum((a - y[i:i + 1]) ** 2)
        d = (a - y[i:i + 1]) + (a - y[i:i + 1])
        W -= lr * X[i:i + 1].T.dot(d)
        b -= lr * d
    print(epoch, total)
"""
SOUGHT = Sought("own", "total += np.sum((a - y[i:i + 1]) ** 2)")


@pytest.fixture
def program(tmp_path: Path) -> str:
    """The path of ``ROWS``."""
    path = tmp_path / "rows.py"
    path.write_text(ROWS)
    return str(path)


def request(program: str) -> Request:
    return Request((program, 11), (program, 9), replace(SOUGHT, ordinal=0), ("W", "b"))


def asked(program: str, function: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return ask(Task(program), f"{FOLLOW}:{function}", {"seconds": 30.0, **options}, 60.0)


def losses(seed: int, epochs: int, scale: float = 1.0) -> list[float]:
    """The mean loss of each epoch of ``ROWS``, computed here."""
    names: dict[str, Any] = {}
    source = ROWS.replace("seed(3)", f"seed({seed})").replace("range(30)", f"range({epochs})")
    source = source.replace("    print(epoch, total)", "    kept.append(total / 4)")
    source = source.replace(
        "b = np.zeros((1, 1))", f"b = np.zeros((1, 1)); W *= {scale}; kept = []"
    )
    exec(compile(source, "rows", "exec"), names)
    return [float(each) for each in names["kept"]]


def test_the_first_updates_tell_loss_rows_and_what_a_constant_answer_costs(program: str) -> None:
    sought = replace(SOUGHT, value=None)
    found = asked(program, "survey", {"request": replace(request(program), loss=sought).as_plain()})
    assert found["varies"]
    # The targets 1 to 4 have the mean 2.5; the loss of an update is that of one row.
    assert found["constant"] == pytest.approx(1.25)
    assert found["updates"] == 4
    assert found["sources"] == {program: ROWS}


def test_losses_are_those_of_the_plain_run_at_every_epoch_looked_at(program: str) -> None:
    plain = replace(request(program), looks=(0, 7, 12))
    runs = [
        {"request": plain.as_plain(), "seed": 3, "texts": {}},
        {"request": replace(plain, scales={"W": 2.0}).as_plain(), "seed": 5, "texts": {}},
    ]
    one, other = asked(program, "follow", {"runs": runs})["runs"]
    expected = losses(3, 13)
    assert [each["epoch"] for each in one["looks"]] == [0, 7, 12]
    assert [each["loss"] for each in one["looks"]] == pytest.approx(
        [expected[0], expected[7], expected[12]], rel=1e-12
    )
    assert (one["ended"], one["updates"]) == ("until", 52)
    expected = losses(5, 13, scale=2.0)
    assert other["looks"][-1]["loss"] == pytest.approx(expected[12], rel=1e-12)


def test_without_epochs_to_look_at_it_is_followed_to_its_end(program: str) -> None:
    plain = replace(request(program), values=True)
    run = {"request": plain.as_plain(), "seed": 3, "texts": {}}
    (course,) = asked(program, "follow", {"runs": [run]})["runs"]
    assert (course["ended"], course["epochs"], course["updates"]) == ("left", 30, 120)
    assert [each["loss"] for each in course["looks"]] == pytest.approx(losses(3, 30), rel=1e-12)
    first = course["looks"][0]
    assert first["gradients"]["b"] == pytest.approx(2.0 * (0.0 - 1.0)), "of the first row"
    assert set(course["last"]) == {"W", "b"}


def test_the_rate_is_the_number_that_scales_every_first_step(program: str) -> None:
    literals = rate_literals({program: ROWS})
    assert len(literals) > 1
    # The other numbers come first here: that the rate is named like one must not matter.
    literals = sorted(literals, key=lambda each: each.name == "lr")
    twice = [edited({program: ROWS}, [each.replaced(2.0 * each.value)]) for each in literals]
    found = asked(
        program, "scaling", {"request": request(program).as_plain(), "texts": twice, "times": 2.0}
    )
    assert literals[found["first"]].line == 8


def test_an_edited_loop_is_followed_where_it_now_stands(program: str) -> None:
    text = ROWS.replace("lr = 0.1\n", "lr = 0.1\n# another line\n").replace(
        "range(30)", "range(40)"
    )
    moved = replace(request(program), loop=(program, 12), around=(program, 10), looks=(35,))
    run = {"request": moved.as_plain(), "seed": 3, "texts": {program: text}}
    (course,) = asked(program, "follow", {"runs": [run]})["runs"]
    assert course["looks"][-1]["loss"] == pytest.approx(losses(3, 40)[35], rel=1e-12)
