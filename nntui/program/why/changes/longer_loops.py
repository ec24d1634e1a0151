"""Makes a training longer: its loop takes more turns, or the whole of it is done again."""

import ast
from collections.abc import Iterator

from nntui.program.why.changes.source_edits import Edit, Edits

COUNTER = "_nntui_pass"


def lengthened(file: str, text: str, line: int, times: int) -> Edits:
    """The edits by which the loop on ``line`` takes ``times`` as many turns; empty if unknown.

    ``range(n)`` and comparisons with a bound are known; a ``while`` without a bound and a ``for``
    over data are not.
    """
    loop = _loop(text, line)
    if loop is None:
        return ()
    bounds = _bounds(loop.test) if isinstance(loop, ast.While) else _ends(loop.iter)
    found: list[Edit] = []
    for begin, end in bounds:
        found += _times(file, text, end, times, begin)
    return tuple(found)


def repeated(file: str, text: str, line: int, times: int) -> Edits | None:
    """The edits by which the whole loop on ``line`` is done ``times`` times.

    A new loop around it stands on the line that it had, and it on the next.  None where it cannot
    be indented, as with text over several lines.
    """
    loop = _loop(text, line)
    lines = text.splitlines(keepends=True)
    if loop is None or loop.end_lineno is None or _has_long_text(loop):
        return None
    first = lines[line - 1]
    if first[: loop.col_offset].strip():
        return None
    indent = first[: loop.col_offset]
    body = "".join(
        f" {each}" if each.strip() else each for each in lines[line - 1 : loop.end_lineno]
    )
    if not body.endswith("\n"):
        body += "\n"
    new = f"{indent}for {COUNTER} in range({times}):\n{body}"
    return (Edit(file, (line, 0), (loop.end_lineno + 1, 0), new),)


def goes_over_data(text: str, line: int) -> bool:
    """Whether the loop on ``line`` takes as many turns as there are data, by what it says.

    That is so for what is no range, and for a range up to a length: ``len(X)``, ``X.shape[0]``, or
    a variable that was assigned such a length.
    """
    loop = _loop(text, line)
    if loop is None or isinstance(loop, ast.While):
        return False
    ends = list(_ends(loop.iter))
    if not ends:
        return not (isinstance(loop.iter, ast.Call) and not loop.iter.args)
    end = ends[0][1]
    names = {node.id for node in ast.walk(end) if isinstance(node, ast.Name)}
    assigned = [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
    ]
    return any(map(_has_length, [end, *assigned]))


def _has_length(node: ast.expr) -> bool:
    """Whether a length is asked for within ``node``."""
    return any(
        (isinstance(each, ast.Attribute) and each.attr in ("shape", "size"))
        or (
            isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len"
        )
        for each in ast.walk(node)
    )


def _loop(text: str, line: int) -> ast.For | ast.While | None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.For | ast.While) and node.lineno == line:
            return node
    return None


def _has_long_text(loop: ast.AST) -> bool:
    """Whether a text within goes over several lines: indenting would change it."""
    return any(
        isinstance(node, ast.Constant | ast.JoinedStr)
        and node.end_lineno is not None
        and node.end_lineno > node.lineno
        for node in ast.walk(loop)
    )


def _ends(iterated: ast.expr) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """Start and end of ``range(n)`` or ``range(a, n)``, alone or within ``enumerate`` and such."""
    for node in ast.walk(iterated):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("range", "xrange") and len(node.args) == 1:
                yield None, node.args[0]
                return
            if node.func.id in ("range", "xrange") and len(node.args) == 2:
                yield node.args[0], node.args[1]
                return
            if node.func.id in ("trange",) and node.args:
                yield None, node.args[0]
                return


def _bounds(test: ast.expr) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """The greater sides of comparisons in the condition of a ``while``."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.NotEq):
                yield None, node.comparators[0]
            elif isinstance(node.ops[0], ast.Gt | ast.GtE):
                yield None, node.left


def _times(
    file: str, text: str, end: ast.expr, times: int, begin: ast.expr | None
) -> Iterator[Edit]:
    source = ast.get_source_segment(text, end)
    if source is None or end.end_lineno is None or end.end_col_offset is None:
        return
    lines = text.splitlines()
    new = f"{times}*({source})"
    if begin is not None:
        start = ast.get_source_segment(text, begin)
        new = f"({start}) + {times}*(({source}) - ({start}))"

    def column(number: int, offset: int) -> int:
        return len(lines[number - 1].encode()[:offset].decode(errors="ignore"))

    yield Edit(
        file,
        (end.lineno, column(end.lineno, end.col_offset)),
        (end.end_lineno, column(end.end_lineno, end.end_col_offset)),
        new,
    )
