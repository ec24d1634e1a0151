"""What a check of a program says in text."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_answers import LINE, RIGHT, UNTOLD, UNUSED, WRONG, checks, parameters

from nntui.program.answer import ProgramCheck, ProgramLoop, ProgramParameter
from nntui.program.answer_in_words import HEIGHT, WIDTH, render_program_check

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def said(check: ProgramCheck) -> str:
    """The text in one line, so that it does not matter where lines break."""
    return " ".join(render_program_check(check).split())


def test_the_verdict_on_a_wrong_program_names_the_line_and_quotes_it() -> None:
    lines = render_program_check(WRONG).splitlines()
    assert lines[0].startswith("net.py:44 is wrong: the slope of the sigmoid is taken at a1")
    assert "   44 |  d1 = (W2.T @ d2) * sigmoid_prime(a1)" in lines
    text = said(WRONG)
    assert "they differ by 34 %" in text
    assert "To mend write sigmoid_prime(z1)" in text
    assert "proven, and so is the line. Its kind: derivative-at-a" in text
    assert "8 updates, one in each turn of the loop in line 51 (train)" in text
    assert "the loop around it is in line 49 (train)" in text
    assert "`loss = np.mean((y - a2) ** 2)` in line 31, the program's own, 0.25 at first" in text
    assert "Finite differences of the program itself confirm its gradient" in text
    assert "W0 (4, 2) wrong factor 0.1, off by 34 %" in text


def test_a_line_that_is_only_likely_is_called_so() -> None:
    text = said(replace(WRONG, findings=(replace(LINE, confidence="likely"),), confirmed=False))
    assert text.startswith("net.py:44 is probably wrong")
    assert "likely, not proven" in text
    assert "not confirmed" in text


def test_a_fault_without_a_line_is_told_by_its_parameters() -> None:
    text = said(replace(WRONG, findings=()))
    assert text.startswith("net.py is wrong: the update of W0 is not the gradient of the loss")
    text = said(replace(WRONG, findings=(replace(LINE, line=None, text=None),)))
    assert text.startswith("net.py is wrong: the slope")


def test_a_line_of_a_second_file_is_told_with_its_file() -> None:
    elsewhere = replace(LINE, file="layers.py")
    loop = ProgramLoop("layers.py", 9, None)
    text = said(replace(WRONG, findings=(elsewhere,), loop=loop))
    assert text.startswith("layers.py:44 is wrong")
    assert "the loop in layers.py:9" in text


def test_the_verdict_on_a_right_program() -> None:
    text = said(RIGHT)
    assert text.startswith("Every update is the gradient of the loss: net.py is right.")
    assert "squared-error of `a2 - y` in line 30, assumed; --loss names another" in text
    assert "nntui why net.py, if it does not learn" in text
    text = said(replace(RIGHT, optimiser="Adam"))
    assert text.startswith("Every update is Adam on the gradient of the loss")
    silent = parameters("no information")
    assert said(replace(RIGHT, parameters=silent)).startswith("Every update that could be compared")
    assert "line 12: relu is never called (never-called, likely)" in said(
        replace(RIGHT, findings=(UNUSED,))
    )


def test_what_could_not_be_told_says_why_and_which_option_would_help() -> None:
    text = said(UNTOLD)
    assert text.startswith("Could not tell whether net.py is right: no loop was found")
    assert "Would help --loop LINE" in text
    assert "no update could be compared" in said(replace(UNTOLD, reason="", option=""))


def test_what_its_author_should_know_besides() -> None:
    others = (ProgramLoop("net.py", 80, "again"),)
    text = said(
        replace(
            RIGHT,
            others=others,
            seed=0,
            seeded_by_us=True,
            left_out=("the check of W9",),
            notes=('`"%f" % array` passes as in older NumPy',),
            arguments=("--rate", "0.1"),
        )
    )
    assert "line 80 (again)" in text
    assert "0, because the program sets none" in text
    assert "Left out the check of W9." in text
    assert "passes as in older NumPy." in text
    assert "net.py --rate 0.1" in text
    assert "3, in the place of the program's own" in said(replace(RIGHT, seed=3))


@pytest.mark.parametrize(
    ("mended", "told"),
    [(True, "every update is the gradient"), (False, "still wrong"), (None, "not checked again")],
)
def test_the_diff_is_behind_the_text(mended: bool | None, told: str) -> None:
    text = render_program_check(replace(WRONG, mended_ok=mended), with_diff=True)
    assert text.startswith(render_program_check(WRONG).partition(" (--diff")[0])
    assert "\n\n--- net.py\n+++ net.py\n@@ -44 +44 @@\n\n" in text
    assert told in text.rpartition("\n")[2]


def test_where_there_is_no_diff_it_says_so() -> None:
    text = render_program_check(replace(WRONG, diff=None), with_diff=True)
    assert text.endswith("No diff: the mend cannot be written as source.")
    text = render_program_check(RIGHT, with_diff=True)
    assert text.endswith("No diff: there is nothing to mend.")


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9, 40])
@pytest.mark.parametrize("check", [RIGHT, WRONG], ids=["right", "wrong"])
def test_it_is_a_screen_however_many_parameters_there_are(check: ProgramCheck, count: int) -> None:
    many = replace(check, parameters=parameters(check.parameters[0].verdict, count))
    for each in (many, replace(many, seed=0, seeded_by_us=True, findings=(*many.findings, UNUSED))):
        lines = render_program_check(each).splitlines()
        assert len(lines) <= HEIGHT
        listed = [line for line in lines if line.startswith("  W")]
        rest = [line for line in lines if line.startswith("  and ")]
        assert listed[0].startswith("  W0")
        assert len(listed) >= min(count, 3)
        hidden = count - len(listed)
        assert rest == ([f"  and {hidden} more: right"] if hidden else [])


def test_the_wrong_parameters_are_listed_first() -> None:
    last = ProgramParameter("W99", (2,), "never updated", None, None)
    text = render_program_check(replace(WRONG, parameters=(*parameters("right", 30), last)))
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("  W")]
    assert rows[0] == "W99"


def test_numbers_of_a_list_with_one_verdict_are_one_row() -> None:
    numbers = [ProgramParameter(f"net[{at}].w[0]", (), "right", 0.1, 0.0) for at in range(3)]
    other = ProgramParameter("net[3].w[0]", (), "right", 0.2, 0.0)
    arrays = [ProgramParameter(f"W[{at}]", (2,), "right", 0.1, 0.0) for at in range(2)]
    text = said(replace(RIGHT, parameters=(*numbers, other, *arrays)))
    assert "net[...].w[...] (3 of them) number right factor 0.1" in text
    assert "net[3].w[0] number right factor 0.2" in text
    assert "W[0] (2,) right" in text
    assert "W[1] (2,) right" in text


@settings(max_examples=40, deadline=None)
@given(checks(NUMBERS))
def test_any_answer_is_text_of_eighty_columns(check: ProgramCheck) -> None:
    for line in render_program_check(replace(check, diff=None), with_diff=True).splitlines():
        assert len(line) <= WIDTH
        assert line.isprintable()
