"""The loops in the text of a program: one to be stepped, and where it is after an edit."""

import ast
from difflib import SequenceMatcher


def loop_option(text: str) -> str:
    """The option that has the first loop of ``text`` stepped; empty where there is no loop.

    Of several, the first of those that stand in no other loop or function, if there is one.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    loops = [each for each in ast.walk(tree) if isinstance(each, (ast.For, ast.While))]
    if not loops:
        return ""
    first = min(loops, key=lambda each: (each.col_offset, each.lineno))
    return f"--loop {first.lineno}, which steps that loop whatever it computes; or another loop"


def line_in(text: str, before: str, line: int) -> int:
    """The line of ``text`` that was ``line`` of the text ``before``, counted from 1.

    Where that line was itself edited it is the one at its place.
    """
    old, new = before.splitlines(), text.splitlines()
    for kind, start, end, there, until in SequenceMatcher(None, old, new, False).get_opcodes():
        if start < line <= end:
            offset = line - 1 - start
            last = max(until - 1, there) if kind != "equal" else there + offset
            return min(there + offset, last) + 1
    return line
