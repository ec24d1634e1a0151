"""What is told of the findings of a check: none that another explains, and how sure each is."""

from typing import Any

import pytest

from nntui.program.inside.settled_findings import add_not_finite, settle


def finding(code: str, line: int, *parameters: str, file: str = "net.py") -> dict[str, Any]:
    return {
        "code": code,
        "file": file,
        "line": line,
        "cause": f"the {code}",
        "parameters": list(parameters),
        "evidence": "seen",
        "confidence": "proven",
    }


def settled(*findings: dict[str, Any], **known: Any) -> list[dict[str, Any]]:
    answer = {"findings": list(findings), "confirmed": True, "explained": True, **known}
    settle(answer)
    found: list[dict[str, Any]] = answer["findings"]
    return found


@pytest.mark.parametrize(
    ("known", "confidence"),
    [
        ({}, "proven"),
        ({"confirmed": False}, "likely"),
        ({"confirmed": None}, "likely"),
        ({"explained": False}, "likely"),
    ],
)
def test_a_line_is_proven_with_its_gradient_and_all_parameters_mended(
    known: dict[str, Any], confidence: str
) -> None:
    wrong, seen = settled(finding("gradient", 9, "W"), finding("never-called", 2), **known)
    assert (wrong["confidence"], seen["confidence"]) == (confidence, "proven")


def test_gradients_behind_a_softmax_over_the_wrong_axis_are_not_told() -> None:
    axis, other = finding("softmax-axis", 5), finding("never-called", 2)
    assert settled(axis, finding("gradient", 9, "W"), other) == [axis, other]


def test_one_line_is_told_once_for_the_same_parameters() -> None:
    first = finding("gradient", 9, "W", "b")
    new, elsewhere = finding("broadcast", 9, "c"), finding("gradient", 8, "b")
    assert settled(first, finding("broadcast", 9, "b"), new, elsewhere) == [first, new, elsewhere]


@pytest.mark.parametrize(("verdict", "told"), [("wrong", 1), ("right", 2)])
def test_a_number_that_is_not_finite_follows_from_wrong_steps(verdict: str, told: int) -> None:
    answer: dict[str, Any] = {
        "parameters": [{"verdict": verdict}],
        "findings": [finding("loss-not-minimised" if told == 2 else "gradient", 9)],
    }
    add_not_finite(answer, finding("not-finite", 14))
    assert len(answer["findings"]) == told
    if told == 1:
        said = "seen; so training comes to line 14: the not-finite"
        assert answer["findings"][0]["evidence"] == said
    else:
        assert answer["findings"][0]["code"] == "not-finite"
