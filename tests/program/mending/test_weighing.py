"""Whether a changed program is better: less is wrong, and that was seen."""

from typing import Any

from nntui.program.mending.weighing import is_better

LOST: dict[str, Any] = {
    "loop": {"line": 3},
    "updates": 8,
    "ok": False,
    "parameters": [],
    "findings": [{"code": "not-finite", "line": 7}],
    "not_finite": {"between": [100, 200]},
}
MENDED: dict[str, Any] = {**LOST, "ok": True, "findings": [], "not_finite": None}


def test_a_number_that_is_no_longer_lost_must_have_been_watched_for() -> None:
    assert is_better(MENDED, LOST), "its training was watched to the end"
    assert is_better({**MENDED, "watched": 201}, LOST)
    assert not is_better({**MENDED, "watched": 200}, LOST)
    assert not is_better({**MENDED, "watched": 0}, LOST)


def test_a_number_that_is_lost_without_a_line_is_no_mend() -> None:
    unplaced = {**LOST, "findings": []}
    assert not is_better(unplaced, LOST)
    elsewhere = {**LOST, "findings": [{"code": "not-finite", "line": 9}]}
    assert is_better(elsewhere, LOST)


def test_a_number_that_is_only_looked_at_earlier_is_no_mend() -> None:
    printed = {**LOST, "ok": True, "not_finite": {"between": [100, 150], "printed": True}}
    assert not is_better(printed, LOST)
    elsewhere = {**printed, "findings": [{"code": "not-finite", "line": 9}]}
    assert is_better(elsewhere, LOST)
