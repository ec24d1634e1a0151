"""What is made of the reply of the analysis inside a program."""

from typing import Any

import pytest

from nntui.program.analysis_reply import EFFECTS, LOOP, LOSS, Request, program_check
from nntui.program.program_error import ProgramError

LOOP_7 = {"file": "/at/home/net.py", "line": 7, "function": None}
PARAMETER = {"name": "W", "shape": [3], "verdict": "right", "factor": 0.1, "residual": 1e-12}
JUDGED: dict[str, Any] = {
    "loop": LOOP_7,
    "epoch_loop": None,
    "updates": 8,
    "loss": {"kind": "own", "file": "/at/home/parts/cost.py", "line": 3, "text": "s", "value": 0.5},
    "confirmed": True,
    "parameters": [PARAMETER],
    "findings": [],
    "ok": True,
    "others": [LOOP_7],
    "memories": ["m"],
    "loop_number": 3,
}
ASKED = Request("/at/home/net.py", ["a"], 3, 10.0, "/usr/bin/python3")


def test_a_judgement_is_read_and_what_only_the_analysis_needs_is_dropped() -> None:
    answer = program_check(ASKED, JUDGED)
    assert answer.as_json() | {"loss": None} == {
        "program": "/at/home/net.py",
        "python": "/usr/bin/python3",
        "arguments": ["a"],
        "loop": LOOP_7,
        "epoch_loop": None,
        "updates": 8,
        "loss": None,
        "confirmed": True,
        "parameters": [PARAMETER],
        "findings": [],
        "diff": None,
        "ok": True,
    }
    assert (answer.seed, answer.seeded_by_us, answer.reason) == (3, False, "")
    unseeded = program_check(Request("net.py"), JUDGED | {"seeded_by_us": True})
    assert (unseeded.seed, unseeded.seeded_by_us) == (0, True)


def test_files_are_named_as_the_program_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    reply = JUDGED | {
        "loop": LOOP_7 | {"file": str(home / "net.py")},
        "epoch_loop": LOOP_7 | {"file": str(home / "parts" / "train.py")},
        "others": [LOOP_7 | {"file": "/elsewhere/x.py"}],
    }
    answer = program_check(Request("home/net.py"), reply)
    assert answer.loop is not None
    assert answer.epoch_loop is not None
    assert answer.loop.file == "home/net.py"
    assert answer.epoch_loop.file == "home/parts/train.py"
    assert answer.others[0].file == "/elsewhere/x.py"


CRASH = {"kind": "crash", "message": "ZeroDivisionError: division by zero", "hint": ""}


def test_a_crash_before_the_first_update_is_refused_with_the_program_s_last_line() -> None:
    ending = CRASH | {"file": "/at/home/net.py", "line": 12}
    with pytest.raises(ProgramError) as refused:
        program_check(ASKED, {"ok": None, "ending": ending})
    assert str(refused.value) == (
        "/at/home/net.py:12: the program stopped before its first update: "
        "ZeroDivisionError: division by zero"
    )
    ending = CRASH | {"file": None, "line": None, "hint": "install it with: pip install x"}
    with pytest.raises(ProgramError, match=r"net\.py: .*zero; install it with: pip install x$"):
        program_check(ASKED, {"ok": None, "ending": ending})


def test_a_crash_behind_the_updates_is_told() -> None:
    ending = CRASH | {"file": "/at/home/net.py", "line": 12}
    answer = program_check(ASKED, JUDGED | {"ending": ending})
    assert answer.ok is True
    said = "later the program crashes in line 12: ZeroDivisionError: division by zero"
    assert answer.notes == (said,)


def test_an_exit_before_the_first_loop_is_refused_with_the_program_s_last_line() -> None:
    ending = {"kind": "exit", "code": 2, "message": "net.py: error: required: data"}
    reply = {"ok": None, "ending": ending}
    with pytest.raises(ProgramError) as refused:
        program_check(Request("net.py"), reply)
    assert str(refused.value) == (
        "net.py: the program ended itself with exit code 2 (net.py: error: required: data) before "
        "its first loop; its arguments go behind --"
    )
    with pytest.raises(ProgramError, match=r"exit code 0 before its first loop$"):
        program_check(ASKED, {"ok": None, "ending": {"kind": "exit", "code": 0, "message": ""}})
    at_its_end = {"ok": None, "ending": {"kind": "exit", "code": 0, "message": ""}}
    assert program_check(Request("net.py"), at_its_end).ok is None
    assert program_check(Request("net.py"), reply | {"any_began": True}).ok is None


BEGAN = {"any_began": True}
END = {"ending": {"kind": "end"}}
CHANGING = {"changing": LOOP_7 | {"names": ["w", "b"]}}


@pytest.mark.parametrize(
    ("reply", "reason", "option"),
    [
        ({}, "no loop whose iterations change what its loss depends on was found", LOOP),
        (END, "no turn of a loop began before it ended", ""),
        (BEGAN | END, "depends on was found before it ended", ""),
        (
            BEGAN | {"ending": {"kind": "exit", "code": 3, "message": "0.5"}},
            "before it ended itself with exit code 3 (0.5)",
            "",
        ),
        (BEGAN | END | CHANGING, "the loop in line 7 changes w and b, but its steps", ""),
        (
            BEGAN | END | CHANGING | {"not_differentiated": {"Python objects": ["W"]}},
            "W is an array of Python objects",
            "",
        ),
        ({"error": "time"}, "no time to look at an update", "--time 60"),
        ({"error": "full"}, "more operations than can be recorded", "fewer samples in an update"),
        ({"error": "loss", "loop": LOOP_7}, "no loss was found", LOSS),
        ({"error": "died", "message": "killed by signal 9"}, "killed by signal 9", ""),
        ({"error": "strange", "message": "it broke"}, "it broke", ""),
        ({"loop": LOOP_7, "unjudged": True}, "ended before an update", ""),
        ({"loop": LOOP_7}, "no number was found", LOSS),
        (
            {"loop": LOOP_7, "parameters": [PARAMETER | {"verdict": "no information"}]},
            "is 0 for every parameter",
            LOSS,
        ),
        (JUDGED | {"ok": None, "confirmed": False}, "do not confirm", LOSS),
        ({"reason": "it is a riddle", "option": "--loss x"}, "it is a riddle", "--loss x"),
    ],
)
def test_what_could_not_be_told_has_a_reason_and_an_option(
    reply: dict[str, Any], reason: str, option: str
) -> None:
    answer = program_check(ASKED, reply)
    assert answer.ok is None
    assert reason in answer.reason
    assert answer.option == option


def test_an_effect_that_was_refused_is_told_with_its_line() -> None:
    refused = {"event": "os.remove", "what": "deletes data.csv", "file": None, "line": 12}
    answer = program_check(ASKED, {"refused": refused})
    assert (answer.ok, answer.option) == (None, EFFECTS)
    assert answer.reason == "it was stopped where it deletes data.csv in line 12"
    written = answer.as_json()
    assert (written["reason"], written["option"]) == (answer.reason, EFFECTS)
    assert [(each.what, each.line) for each in answer.refused] == [("deletes data.csv", 12)]
    assert program_check(ASKED, {"refused": [refused]}) == answer


def test_what_is_no_reply_is_an_error() -> None:
    with pytest.raises(ValueError, match="updates"):
        program_check(ASKED, {"updates": "many"})
