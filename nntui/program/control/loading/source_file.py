"""Reads a program, and says in one line why it cannot be looked at."""

import ast
import io
import json
import os
import re
import stat
import tokenize
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nntui.program.program_error import ProgramError

LARGEST = 4 << 20
"""Bytes of a program's file."""
READS = "nntui reads networks that are written out in NumPy or plain Python"
FRAMEWORKS = {
    "torch": "PyTorch",
    "torchvision": "PyTorch",
    "pytorch_lightning": "PyTorch",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "tf_keras": "Keras",
    "jax": "JAX",
    "flax": "JAX",
    "haiku": "JAX",
    "sklearn": "scikit-learn",
}
WITH_DATA = ("datasets", "preprocessing", "model_selection", "metrics", "utils")
"""Modules of those packages that train nothing."""
PYTHON_2 = re.compile(
    r"^\s*(print\s+[^\s(=.,\[)]|print\s*$|print\s*>>|exec\s+[\"'\w]|raise\s+\w+\s*,"
    r"|except\s+[\w., ()]+,\s*\w+\s*:)|<>|^\s*print\s*\(.*\)\s*%"
)


@dataclass(frozen=True)
class SourceFile:
    """A program as it was read."""

    path: str
    """Absolute."""
    given: str
    text: str
    tree: ast.Module


def read_program(path: str, texts: Mapping[str, str] | None = None) -> SourceFile:
    """The program at ``path``; raises ProgramError for whatever is no program to look at.

    ``texts`` has, by file, source to take in the place of what the file holds.
    """
    real = os.path.realpath(path)
    given = {os.path.realpath(file): each for file, each in (texts or {}).items()}
    text = given[real] if real in given else text_of(path)
    tree = parsed(path, text)
    absolute = os.path.abspath(path)
    framework = _framework(tree)
    if framework:
        name, line = framework
        raise ProgramError(f"{path}, line {line}: the program trains with {name}; {READS}")
    return SourceFile(absolute, path, text, tree)


def text_of(path: str) -> str:
    """What the file holds; raises ProgramError if it cannot be read, or is a notebook."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ProgramError(f"{path} is a directory; name the program's file in it")
        if not stat.S_ISREG(mode):
            raise ProgramError(f"{path} is not a regular file")
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except ProgramError:
        raise
    except FileNotFoundError:
        raise ProgramError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ProgramError(f"{path} cannot be read: {why}") from None
    if len(data) > LARGEST:
        raise ProgramError(f"{path} is larger than {LARGEST >> 20} MB: is it a program?")
    if _is_notebook(data):
        raise ProgramError(
            f"{path} is a notebook; make a program of it with: jupyter nbconvert --to script"
        )
    return decoded(path, data)


def decoded(path: str, data: bytes) -> str:
    """``data`` as text, in the encoding that it declares; raises ProgramError."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProgramError(
            f"{path}, line {line} is not {error.encoding}; save it as UTF-8, or declare its "
            "encoding in line 1, such as # -*- coding: latin-1 -*-"
        ) from None
    except (SyntaxError, LookupError) as error:
        raise ProgramError(f"{path} is not a text in its encoding: {error}") from None


def parsed(path: str, text: str) -> ast.Module:
    """The tree of ``text``; raises ProgramError with the line where it is no Python 3."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, path)
    except SyntaxError as error:
        at = error.lineno or 1
        line = text.splitlines()[at - 1].strip() if at <= text.count("\n") + 1 and text else ""
        if _is_python_2(text, error):
            old = _python_2_line(text) or at
            line = text.splitlines()[old - 1].strip()
            raise ProgramError(
                f"{path}, line {old}: this is Python 2 ({line[:60]}); nntui runs Python 3"
            ) from None
        raise ProgramError(f"{path}, line {at}: {error.msg}: {line[:80]}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ProgramError(f"{path} is not a Python program: {error}") from None


def _is_notebook(data: bytes) -> bool:
    if data.lstrip()[:1] != b"{" or b'"cells"' not in data:
        return False
    try:
        return "cells" in json.loads(data)
    except ValueError:
        return True


def _python_2_line(text: str) -> int | None:
    for number, line in enumerate(text.splitlines(), 1):
        if PYTHON_2.search(line):
            return number
    return None


def _is_python_2(text: str, error: SyntaxError) -> bool:
    told = str(error.msg)
    if "Missing parentheses in call to" in told or "multiple exception types must be" in told:
        return True
    line = _python_2_line(text)
    return line is not None and line == error.lineno


def _framework(tree: ast.Module) -> tuple[str, int] | None:
    """The framework that trains in place of the program, and the line that imports it."""
    tried = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in tried:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] not in FRAMEWORKS or any(part in WITH_DATA for part in parts[1:3]):
                continue
            if parts[0] == "sklearn" and (len(parts) == 1 or _computes(tree)):
                continue
            return FRAMEWORKS[parts[0]], node.lineno
    return None


def _computes(tree: ast.Module) -> bool:
    """Whether a program multiplies matrices or subtracts steps itself."""
    return any(
        (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult))
        or (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub))
        or (isinstance(node, ast.Attribute) and node.attr in ("dot", "matmul", "einsum"))
        for node in ast.walk(tree)
    )


def alias_names(tree: ast.Module) -> dict[str, set[str]]:
    """By function (``<module>`` for the top), the variables that only name parts of others.

    These are the variables of loops, and those to which attributes or elements are assigned.
    """
    found: dict[str, set[str]] = {}

    def visit(node: ast.AST, function: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        elif isinstance(node, ast.For | ast.AsyncFor):
            found.setdefault(function, set()).update(_names(node.target))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found.setdefault(function, set()).update(_aliased(target, node.value))
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(tree, "<module>")
    return found


def makes_sets(tree: ast.Module) -> bool:
    """Whether there is a set anywhere, whose order depends on the hashes of what is in it."""
    return any(
        isinstance(node, ast.Set | ast.SetComp)
        or (isinstance(node, ast.Name) and node.id in ("set", "frozenset"))
        for node in ast.walk(tree)
    )


def plain_classes(tree: ast.Module) -> set[int]:
    """The lines of classes that have neither decorators, nor equality or hash of their own."""
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and not node.decorator_list
        and not {"__eq__", "__hash__"} & set(_defined(node.body))
    }


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (name for target in node.targets for name in _names(target))


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _aliased(target: ast.expr, value: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id] if isinstance(value, ast.Subscript | ast.Attribute) else []
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        pairs = zip(target.elts, value.elts, strict=False)
        return [name for one, other in pairs for name in _aliased(one, other)]
    return []
