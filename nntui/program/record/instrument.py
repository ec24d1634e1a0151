"""Compiles a program so that every function and loop exists plain and recorded.

Which of the two runs is chosen by `_nn.on` at the start of a function, of a turn of a loop and of a
statement of a module. `_nn` is the `Recorder`; it is looked for in the module's globals and then in
the builtins, where `install` puts it, so that `globals()` shows only what is the program's own.
"""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from collections.abc import Callable, Collection, Sequence
from types import CodeType
from typing import Any

from nntui.program.record.places import Places, Site
from nntui.program.record.rewriting.numbering import Numbering
from nntui.program.record.rewriting.plain_copy import PlainCopy

DEEPEST = 20_000
"""Frames for walking a tree: a sum of a thousand terms is a thousand levels deep."""


def compile_program(
    source: str,
    file: str,
    places: Places,
    loops: Collection[int] | None = None,
    rewrite: Callable[[ast.Module], None] | None = None,
    sites: Sequence[Site] = (),
) -> CodeType:
    """Compile one file; `places` gets its expressions, statements and loops.

    `rewrite` may change the tree of `source` before anything else is done with it.

    With `loops` only these loops call the recorder and can switch to their recorded copy: the
    others, and what stands around them, cost what they cost alone. The numbers of places and loops
    do not depend on `loops`. Expressions that are nested thousands of levels deep leave the file as
    it is: it runs, and nothing of it is recorded. Raises SyntaxError as `compile` does.

    The plain copies of the expressions at `sites` tell the recorder their values.
    """
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(max(limit, DEEPEST))
        tree = _tree(source, file, rewrite)
        Numbering(file, source, places).number(tree)
        copies = PlainCopy(None if loops is None else frozenset(loops), places, sites)
        tree = copies.module(copy.deepcopy(tree))  # the places keep the tree as it is written
        ast.fix_missing_locations(tree)
        return compile(tree, file, "exec", dont_inherit=True)
    except RecursionError:  # expressions too deep for our copies of them
        alone = source if rewrite is None else _tree(source, file, rewrite)
        return compile(alone, file, "exec", dont_inherit=True)
    finally:
        sys.setrecursionlimit(limit)


def _tree(source: str, file: str, rewrite: Callable[[ast.Module], None] | None) -> ast.Module:
    tree = ast.parse(source, file)
    if rewrite is not None:
        rewrite(tree)
    return tree


def install(recorder: Any) -> None:
    """Let compiled programs of this process find their recorder."""
    builtins._nn = recorder  # type: ignore[attr-defined]
