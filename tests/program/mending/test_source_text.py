"""Replacing a node changes its own characters alone, and the result means what was meant."""

import ast

import pytest

from nntui.program.mending.source.source_text import Edit, SourceText, bracketed, edited


def replaced(text: str, old: str, new: str) -> str:
    """``text`` with the first expression that is written ``old`` replaced by ``new``."""
    source = SourceText("net.py", text)
    node = next(
        each
        for each in ast.walk(source.tree)
        if isinstance(each, ast.expr) and source.of(each) == old
    )
    return edited(text, [source.replacing(node, new)])


@pytest.mark.parametrize(
    ("text", "old", "new", "result"),
    [
        ("x = d - b", "b", "c - e", "x = d - (c - e)"),
        ("x = d - b", "d", "c - e", "x = c - e - b"),
        ("x = d * b", "b", "c - e", "x = d * (c - e)"),
        ("x = d * b", "b", "c * e", "x = d * c * e"),
        ("x = d * b", "b", "c @ e", "x = d * (c @ e)"),
        ("x = d / b", "b", "c * e", "x = d / (c * e)"),
        ("x = a ** 2", "a", "-b", "x = (-b) ** 2"),
        ("x = a ** b", "b", "-c", "x = a ** -c"),
        ("x = a.T", "a", "b + c", "x = (b + c).T"),
        ("x = (a + b).T", "a + b", "c - d", "x = (c - d).T"),
        ("x = d * (1 - a ** 2)", "1 - a ** 2", "(z > 0)", "x = d * (z > 0)"),
        ("x = f(d, e)", "d", "(z > 0)", "x = f(z > 0, e)"),
        ("x = a[i]", "i", "(i + 1)", "x = a[i + 1]"),
        ("x = a if b else c", "b", "d or e", "x = a if d or e else c"),
        ("x = (a * b)*c", "a * b", "a * b * d", "x = (a * b * d)*c"),
        ("x = -a", "a", "b - c", "x = -(b - c)"),
        ("x = not a", "a", "b > c", "x = not b > c"),
    ],
)
def test_brackets_are_put_where_they_are_needed(text: str, old: str, new: str, result: str) -> None:
    assert replaced(text, old, new) == result
    node = ast.parse(new, mode="eval").body
    assert ast.dump(node) in ast.dump(ast.parse(result)) or "*" in new


def test_comments_blanks_and_other_lines_stay() -> None:
    text = "x = [1,2]   # two\nd1 = ( W.T  @ d2 ) *\\\n   (1 - a**2)  # slope\ny = 'ü' + b # end\n"
    done = replaced(text, "1 - a**2", "z > 0")
    assert done == text.replace("1 - a**2", "z > 0")
    assert replaced(text, "b", "c") == text.replace("+ b #", "+ c #")


def test_the_operator_is_found_beyond_brackets_and_comments() -> None:
    source = SourceText("net.py", "x = ((a)  # minus - what\n  - (b))\n")
    node = next(each for each in ast.walk(source.tree) if isinstance(each, ast.BinOp))
    start, end = source.operator(node)
    assert source.text[start:end] == "-"
    assert source.text[: start + 1].count("\n") == 1
    assert source.sides(node) == ("(a)  # minus - what", "(b)")


def test_whole_lines_are_those_that_a_statement_has_alone() -> None:
    source = SourceText("net.py", "a = 1; b = 2\nif a:\n    c = (3 +\n      4)  # seven\nd = 5")
    first, second, test, last = source.tree.body
    assert source.lines_of(first) is None
    assert source.lines_of(second) is None
    inner = test.body[0]  # type: ignore[attr-defined]
    span = source.lines_of(inner)
    assert span is not None
    assert source.text[slice(*span)] == "    c = (3 +\n      4)  # seven\n"
    assert source.indentation(inner) == "    "
    assert source.statement_at(4) is inner
    assert source.inserting(last, behind="e = 6\n") == [Edit(*source.span(last), "d = 5\ne = 6\n")]


def test_brackets_around_the_whole_are_not_doubled() -> None:
    assert bracketed("(a + b)", 12) == "(a + b)"
    assert bracketed("(a) + (b)", 12) == "((a) + (b))"
    assert bracketed("a * b", 11) == "a * b"
