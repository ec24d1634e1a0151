"""Compiles a program so that every function and loop exists plain and recorded.

Which of the two runs is chosen by `_nn.on` at the start of a function, of a turn of a loop and of a
statement of a module. `_nn` is the `Recorder`; it is looked for in the module's globals and then in
the builtins, where `install` puts it, so that `globals()` shows only what is the program's own.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from types import CodeType
from typing import Any

from .numbering import Numbering
from .places import Places
from .plain_copy import PlainCopy


def compile_program(
    source: str, file: str, places: Places, loops: Collection[int] | None = None
) -> CodeType:
    """Compile one file; `places` gets its expressions, statements and loops.

    With `loops` only these loops call the recorder and can switch to their recorded copy: the
    others, and what stands around them, cost what they cost alone. The numbers of places and loops
    do not depend on `loops`. Raises SyntaxError as `compile` does.
    """
    return compile_tree(ast.parse(source, file), source, file, places, loops)


def compile_tree(
    tree: ast.Module, source: str, file: str, places: Places, loops: Collection[int] | None = None
) -> CodeType:
    """Compile a tree that was made of `source`; the tree is changed. See `compile_program`."""
    Numbering(file, source, places).number(tree)
    tree = PlainCopy(None if loops is None else frozenset(loops)).module(tree)
    ast.fix_missing_locations(tree)
    return compile(tree, file, "exec", dont_inherit=True)


def install(recorder: Any) -> None:
    """Let compiled programs of this process find their recorder."""
    builtins._nn = recorder  # type: ignore[attr-defined]
