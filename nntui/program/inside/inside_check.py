"""What is asked inside the program's interpreter, options in and a reply out: check, find_loop."""

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nntui.program.inside.analysis import check_program
from nntui.program.inside.loss_expression import problem_of
from nntui.program.inside.states_judged import Options
from nntui.program.judge.probing.search import Found, Search
from nntui.program.program_error import ProgramError
from nntui.program.record.rewriting.training_comprehensions import training_comprehensions

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply


def check(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What `check_program` replies; ``options`` are those of `Options` by name.

    Raises ProgramError for a line that no loop begins in, and for a loss or parameters that mean
    nothing in the program.
    """
    lines = tuple(options["lines"])
    loops = sorted(_loops(execution.source.tree))
    if lines and not set(lines) & set(loops):
        there = ", ".join(map(str, loops[:12])) + (", ..." if len(loops) > 12 else "")
        told = f"its loops begin in the lines {there}" if loops else "it has no loop at all"
        told = f"its only loop begins in line {there}" if len(loops) == 1 else told
        raise ProgramError(f"no loop of {execution.source.given} begins in line {lines[0]}; {told}")
    if options["loss"] is not None and (problem := problem_of(options["loss"])):
        raise ProgramError(problem)
    asked = {**options, "lines": lines, "parameters": tuple(options["parameters"])}
    return check_program(execution, Options(**asked))


def find_loop(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """Where the loop begins of which each iteration is one update, as ``file`` and ``line``.

    ``options`` has the ``seconds``.  Without a loop there is the ``error`` or ``ending`` of the
    search.
    """

    def search(reply: "Reply") -> None:
        def on_found(found: Found) -> None:
            loop = execution.places.loops[found.loop]
            reply({"file": loop.file, "line": loop.line})

        def on_end() -> None:
            if searched.best is not None:
                on_found(searched.best)
            ending = execution.ending
            told = None if ending is None else ending.as_dict()
            reply({"ending": told, "any_began": searched.any_began})

        searched = Search(execution, on_found, lambda *_: {})
        execution.on_end = on_end
        searched.begin()

    return execution.analyse(search, options["seconds"])


def _loops(tree: ast.Module) -> Iterator[int]:
    """The lines in which the loops of ``tree`` begin."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            yield node.lineno
    for comprehension in training_comprehensions(tree):
        yield comprehension.lineno
