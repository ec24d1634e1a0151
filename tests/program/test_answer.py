"""The answer of a check of a program: strict JSON, there and back."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_answers import checks

from nntui.program.answer import ProgramCheck, ProgramParameter

CONTRACT = [
    "program",
    "python",
    "arguments",
    "loop",
    "epoch_loop",
    "updates",
    "loss",
    "confirmed",
    "parameters",
    "findings",
    "diff",
    "ok",
]
WHY_NOT_TOLD = ["reason", "option"]


def strict(value: dict[str, Any]) -> Any:
    """``value``, written and read by a parser that knows no NaN."""
    return json.loads(json.dumps(value, allow_nan=False))


@settings(max_examples=25, deadline=None)
@given(checks(st.floats(allow_nan=False, allow_infinity=False)))
def test_an_answer_comes_back_as_it_was(answer: ProgramCheck) -> None:
    assert ProgramCheck.from_json(strict(answer.as_record())) == answer
    assert list(answer.as_json()) == [*CONTRACT, *WHY_NOT_TOLD[: 2 * (answer.ok is None)]]
    again = ProgramCheck.from_json(strict(answer.as_json()))
    assert again.as_json() == answer.as_json()


@settings(max_examples=25, deadline=None)
@given(checks(st.sampled_from((float("nan"), float("inf"), -float("inf"), 1.5))))
def test_what_is_not_finite_is_null(answer: ProgramCheck) -> None:
    written = strict(answer.as_record())
    for before, after in zip(answer.parameters, written["parameters"], strict=True):
        assert after["factor"] == (1.5 if before.factor == 1.5 else None)
    assert ProgramCheck.from_json(written).as_record() == written


RIGHT: dict[str, Any] = {
    "program": "net.py",
    "python": "/usr/bin/python3",
    "arguments": [],
    "loop": {"file": "net.py", "line": 7, "function": None},
    "epoch_loop": None,
    "updates": 8,
    "loss": {"kind": "own", "file": "net.py", "line": 5, "text": "loss", "value": 0.5},
    "confirmed": True,
    "parameters": [
        {"name": "W", "shape": [2, 3], "verdict": "right", "factor": 1, "residual": 1e-12}
    ],
    "findings": [],
    "diff": None,
    "ok": True,
}


def test_what_a_judge_sends_is_read() -> None:
    answer = ProgramCheck.from_json(RIGHT | {"notes": ["x"]})
    assert answer.parameters == (ProgramParameter("W", (2, 3), "right", 1.0, 1e-12),)
    assert answer.notes == ("x",)
    assert answer.as_json() == RIGHT


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"ok": "yes"}, "ok"),
        ({"updates": 1.5}, "updates"),
        ({"updates": True}, "updates"),
        ({"program": None}, "program"),
        ({"arguments": "a b"}, "arguments"),
        ({"nonsense": 1}, "nonsense"),
        ({"loop": {"file": "net.py", "line": 7}}, "loop: function"),
        ({"parameters": [RIGHT["parameters"][0] | {"verdict": "fine"}]}, "parameters: verdict"),
        ({"loss": [1]}, "loss"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValueError, match=where):
        ProgramCheck.from_json(RIGHT | change)
    short = {name: each for name, each in RIGHT.items() if name != "ok"}
    with pytest.raises(ValueError, match="ok: it is missing"):
        ProgramCheck.from_json(short)
