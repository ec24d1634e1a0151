"""Where to look: the lines that the findings name, and those that have to do with them."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nntui.program.mending.source.beforehand import Wanted
from nntui.program.mending.source.source_text import FUNCTIONS, SourceText

Where = tuple[str, int]
NEXT_FINDING, FIRST, CALLED, SAME_FUNCTION, ELSEWHERE, FORWARD = 0.5, 0.3, 0.6, 0.8, 1.6, 1.5
PER_LINE = 0.05
"""What it costs to look there: the more, the less likely it is the line."""


@dataclass(frozen=True)
class Focus:
    """A line to look at, what it costs, and what the finding that led there says."""

    file: str
    line: int
    cost: float
    wanted: Wanted


def lines_to_try(
    findings: Sequence[Mapping[str, Any]],
    sources: Mapping[str, SourceText],
    recorded: Sequence[Where],
    forward: Sequence[Where],
    first: Sequence[Where] = (),
) -> list[Focus]:
    """The lines to look at, each once, the likelier first.

    ``recorded`` are those that an update runs, ``forward`` those of its forward pass, and ``first``
    those on which the first values arise that are no true derivative.
    """
    found: dict[tuple[str, int], Focus] = {}

    def add(file: str, line: int, cost: float, wanted: Wanted) -> None:
        statement = sources[file].statement_at(line) if file in sources else None
        if statement is None or isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            return
        cost += FORWARD if (file, line) in forward and cost > 0 else 0.0
        key = (file, statement.lineno)
        if key not in found or found[key].cost > cost:
            found[key] = Focus(file, line, cost, wanted)

    own = [each for each in findings if each.get("file") in sources and each.get("line")]
    for at, finding in enumerate(own):
        add(finding["file"], finding["line"], NEXT_FINDING * at, wanted_by(finding))
    for at, finding in enumerate(own[:3]):
        wanted = wanted_by(finding)
        source = sources[finding["file"]]
        statement = source.statement_at(finding["line"])
        if statement is None:
            continue
        function = source.function_of(statement)
        more = NEXT_FINDING * at
        for file, line in _called(statement, sources):
            add(file, line, more + CALLED, wanted)
        for file, line in _callers(function, sources):
            add(file, line, more + CALLED, wanted)
        for line in _lines_of(function, source):
            if (source.file, line) in recorded or _has_no_record(source, line):
                far = abs(line - finding["line"])
                add(source.file, line, more + SAME_FUNCTION + PER_LINE * far, wanted)
    wanted = Wanted(own[0]["code"] if own else "")
    for file, line in first:
        add(file, line, FIRST, wanted)
    for file, line in recorded:
        add(file, line, ELSEWHERE, wanted)
    for file, source in sources.items():
        functions = {source.function_at(line) for each, line in recorded if each == file}
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.stmt) or source.function_at(node.lineno) not in functions:
                continue
            if _has_no_record(source, node.lineno):
                add(file, node.lineno, ELSEWHERE, wanted)
    return sorted(found.values(), key=lambda each: each.cost)


def wanted_by(finding: Mapping[str, Any]) -> Wanted:
    """What a finding says of the change."""
    told = finding.get("repair") or {}
    return Wanted(
        finding["code"],
        told.get("used", ""),
        told.get("meant", ""),
        told.get("activation", ""),
        told.get("before", ""),
        tuple(finding.get("parameters", ())),
    )


def _called(statement: ast.stmt, sources: Mapping[str, SourceText]) -> Iterator[Where]:
    """The lines of the functions that a statement calls: what they return, and short ones whole."""
    names = {_name(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    for file, source in sources.items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                for each in ast.walk(node):
                    if isinstance(each, ast.Return) or (each in node.body and len(node.body) < 6):
                        yield file, each.lineno


def _callers(function: ast.AST, sources: Mapping[str, SourceText]) -> Iterator[Where]:
    """The lines that call ``function``."""
    name = getattr(function, "name", None)
    if name is None:
        return
    for file, source in sources.items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and _name(node.func) == name:
                yield file, node.lineno


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _lines_of(function: ast.AST, source: SourceText) -> Iterator[int]:
    """The lines of the statements in a function, or of a module outside its functions."""
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and source.function_of(node) is function:
            yield node.lineno


def _has_no_record(source: SourceText, line: int) -> bool:
    """Whether a line computes nothing that would be recorded, as ``a = b`` does not."""
    statement = source.statement_at(line)
    return isinstance(statement, ast.Assign | ast.Return) and not any(
        isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(statement)
    )
