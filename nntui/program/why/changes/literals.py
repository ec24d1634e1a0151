"""The numbers in a program's source that may be its learning rate, likely ones first."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nntui.program.why.changes.source_edits import Edit

RATE = re.compile(
    r"^(.*_)?(lr|learn|learning|learning_?rate|rate|alpha|eta|step_?size|step|gamma|mu|epsilon"
    r"|lernrate|taxa|taux|tasa)(_.*|\d*)$",
    re.IGNORECASE,
)
"""Names of a learning rate, in several languages."""
LIKELY = re.compile(r"lr|rate|alpha|eta|step", re.IGNORECASE)
LONGEST = 3
"""Numbers in a bracket that may still be settings; more are data."""
MOST = 40
"""Numbers that are looked at."""


@dataclass(frozen=True)
class Literal:
    """A number as it is written in the source."""

    file: str
    line: int
    column: int
    end_column: int
    value: float
    name: str
    """What it is given to: a variable, a parameter, a key; may be empty."""

    def replaced(self, value: float) -> Edit:
        """The edit that puts ``value`` in its place."""
        return Edit(
            self.file, (self.line, self.column), (self.line, self.end_column), f"{value:.6g}"
        )


def rate_literals(texts: Mapping[str, str]) -> list[Literal]:
    """The numbers above 0 in the files of ``texts`` that may be a learning rate."""
    found = [each for file, text in texts.items() for each in _literals(file, text)]
    ranked = sorted(found, key=lambda each: (_rank(each), each.file, each.line, each.column))
    return ranked[:MOST]


def _rank(literal: Literal) -> int:
    if RATE.match(literal.name):
        return 0
    if LIKELY.search(literal.name):
        return 1
    return 2 if literal.value < 1.0 else 3


def _literals(file: str, text: str) -> Iterator[Literal]:
    tree, lines = ast.parse(text), text.splitlines()
    names = _names(tree)
    for node in _outside_of_data(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, int | float):
            continue
        name, value = names.get(id(node), ""), float(node.value)
        whole = isinstance(node.value, int)
        if not 0.0 < value <= 100.0 or (whole and not RATE.match(name)) or node.end_lineno is None:
            continue
        if node.lineno != node.end_lineno:
            continue
        begin, end = (
            _characters(lines[node.lineno - 1], each)
            for each in (node.col_offset, node.end_col_offset or 0)
        )
        yield Literal(file, node.lineno, begin, end, value, name)


def _characters(line: str, column: int) -> int:
    """A column in characters, from one in bytes."""
    return len(line.encode()[:column].decode(errors="ignore"))


def _outside_of_data(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those in long brackets and in indices."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.List | ast.Tuple | ast.Set) and _count(child) > LONGEST:
            continue
        if isinstance(node, ast.Subscript) and child is node.slice:
            continue
        yield from _outside_of_data(child)


def _count(node: ast.AST) -> int:
    return sum(isinstance(each, ast.Constant) for each in ast.walk(node))


def _names(tree: ast.AST) -> dict[int, str]:
    """By the identity of an expression, the name of what it is given to."""
    found: dict[int, str] = {}
    signatures = _signatures(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _give(found, target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            _give(found, node.target, node.value)
        elif isinstance(node, ast.keyword) and node.arg is not None:
            _mark(found, node.value, node.arg)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    _mark(found, value, str(key.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            _mark_defaults(found, node.args)
        elif isinstance(node, ast.Call):
            parameters = signatures.get(_last(node.func), [])
            for parameter, argument in zip(parameters, node.args, strict=False):
                _mark(found, argument, parameter)
            if _last(node.func) == "add_argument" and node.args:
                option = node.args[0]
                if isinstance(option, ast.Constant):
                    for keyword in node.keywords:
                        _mark(found, keyword.value, str(option.value).strip("-"))
    return found


def _mark_defaults(found: dict[int, str], arguments: ast.arguments) -> None:
    positional = [*arguments.posonlyargs, *arguments.args]
    count = len(arguments.defaults)
    pairs = [
        *zip(positional[len(positional) - count :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, value in pairs:
        if value is not None:
            _mark(found, value, argument.arg)


def _signatures(tree: ast.AST) -> dict[str, list[str]]:
    """By function and class, the names of the positional parameters, without ``self``."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = _parameters(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    found[node.name] = _parameters(each)
    return found


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] == ["self"] else names


def _give(found: dict[int, str], target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for one, other in zip(target.elts, value.elts, strict=False):
            _give(found, one, other)
    else:
        _mark(found, value, _last(target))


def _mark(found: dict[int, str], value: ast.expr, name: str) -> None:
    """Name ``value``, and the numbers that a simple formula makes it of."""
    for node in ast.walk(value):
        if isinstance(node, ast.Constant):
            found.setdefault(id(node), name) if node is not value else found.update(
                {id(node): name}
            )
        elif not isinstance(node, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop):
            return


def _last(node: ast.expr) -> str:
    """The last name of ``a.b.c``, or the key of ``a["c"]``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return node.slice.value
        return _last(node.value)
    return ""
