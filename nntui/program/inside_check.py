"""The check as it runs inside the program's interpreter: options in, a reply out."""

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nntui.program.analysis import Options, check_program
from nntui.program.program_error import ProgramError

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution


def check(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What `check_program` replies; ``options`` are those of `Options` by name.

    Raises ProgramError for a line that no loop begins in.
    """
    lines = tuple(options["lines"])
    loops = sorted(_loops(execution.source.tree))
    if lines and not set(lines) & set(loops):
        there = ", ".join(map(str, loops[:12])) + (", ..." if len(loops) > 12 else "")
        told = f"its loops begin in the lines {there}" if loops else "it has no loop at all"
        raise ProgramError(f"no loop of {execution.source.given} begins in line {lines[0]}; {told}")
    parameters = tuple(options["parameters"])
    return check_program(execution, Options(lines, options["loss"], parameters, options["seconds"]))


def _loops(tree: ast.Module) -> Iterator[int]:
    """The lines in which the loops of ``tree`` begin."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            yield node.lineno
