"""Check a person's program: the request, validated, and the answer of the process that runs it."""

import math
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from nntui.program.analysis_reply import Request, program_check
from nntui.program.answer import ProgramCheck
from nntui.program.control.client import Task, ask
from nntui.program.file_names import is_program
from nntui.program.program_error import ProgramError

GRACE = 2.0
"""Seconds beyond the time for the process to start, and to send what it has found."""
LONGEST = 86_400.0
"""Seconds that may be asked for: a day."""
HIGHEST_SEED = 2**32 - 1
"""The highest that NumPy's legacy generator takes."""


@dataclass(frozen=True)
class CheckRequest:
    """What is asked about a program."""

    path: str
    arguments: tuple[str, ...] = ()
    """Of the program's own command line."""
    seed: int | None = None
    """None: the seeds that the program sets stand."""
    loop: int | None = None
    """The line of the loop of which each turn is one update; None: it is looked for."""
    loss: str | None = None
    """An expression of the program's own names, or the name of a usual loss."""
    parameters: tuple[str, ...] | None = None
    """Their names; None: they are looked for."""
    time: float = 10.0
    """Seconds."""
    allow_effects: bool = False
    """Whether it may write, delete, connect and start processes."""
    python: str | None = None
    """The interpreter that runs it; None: the one that nntui runs on."""
    diff: bool = False
    """Whether a mend is looked for, which may take as much time again."""

    def _of_other_types(self) -> Iterator[str]:
        for name, value in (("seed", self.seed), ("loop", self.loop)):
            if value is not None and not _is_whole(value):
                yield f"the {name} must be a whole number, not {value!r}"
        if isinstance(self.time, bool) or not isinstance(self.time, (int, float)):
            yield f"the time must be a number of seconds, not {self.time!r}"
        for name, text in (("loss", self.loss), ("python", self.python)):
            if text is not None and not isinstance(text, str):
                yield f"the {name} must be a text, not {text!r}"

    def problems(self) -> Iterator[str]:
        """What is wrong with it, in words; nothing is executed to find out."""
        if not is_program(self.path):
            yield f"{self.path} is no program: its name must end in .py"
        yield from self._of_other_types()
        if _is_whole(self.seed) and not 0 <= self.seed <= HIGHEST_SEED:
            yield f"seed {self.seed} is not allowed: it must be from 0 to {HIGHEST_SEED}"
        if _is_whole(self.loop) and self.loop < 1:
            yield f"loop {self.loop} is no line: lines count from 1"
        if self.loss is not None and not self.loss.strip():
            yield "the loss is empty: it is an expression of the program, or the name of a loss"
        if self.parameters is not None and not all(name.strip() for name in self.parameters):
            yield "the name of a parameter is empty: they are names such as W1,b1"
        if not (math.isfinite(self.time) and self.time > 0.0):
            yield f"the time must be a number of seconds above 0, not {self.time:g}"
        elif self.time > LONGEST:
            yield f"the time must be at most {LONGEST:g} seconds (a day), not {self.time:g}"
        if self.python is not None and shutil.which(os.path.expanduser(self.python)) is None:
            yield f"there is no interpreter {self.python}"


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def words(name: str, given: Sequence[str]) -> tuple[str, ...]:
    """The texts in ``given``; raises ProgramError if it is one text, or holds anything else."""
    if isinstance(given, str):
        raise ProgramError(
            f"the {name} are a list, such as {given.split()!r}, not the text {given!r}"
        )
    for each in given:
        if not isinstance(each, str):
            raise ProgramError(f"the {name} must be texts, not {each!r}")
    return tuple(given)


def check(
    path: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    seed: int | None = None,
    loop: int | None = None,
    loss: str | None = None,
    parameters: Sequence[str] | None = None,
    time: float = 10.0,
    allow_effects: bool = False,
    python: str | None = None,
    diff: bool = False,
) -> ProgramCheck:
    """Run the program ``path`` and say whether its updates are the gradient of its loss.

    The arguments are those of `CheckRequest`; ``time`` is in seconds.  Raises ProgramError for a
    program that cannot be looked at, or an argument that makes no sense.
    """
    request = CheckRequest(
        os.fspath(path),
        words("arguments", arguments),
        seed,
        loop,
        loss,
        None if parameters is None else words("parameters", parameters),
        time,
        allow_effects,
        python,
        diff,
    )
    return checked_with_reply(request)[0]


def checked_with_reply(
    request: CheckRequest, texts: Mapping[str, str] | None = None
) -> tuple[ProgramCheck, dict[str, Any]]:
    """The answer to ``request``, and the reply of the analysis that it was made of.

    ``texts`` has, by file, source to run in the place of what the file holds.
    """
    for problem in request.problems():
        raise ProgramError(problem)
    path, seed, loop, time = request.path, request.seed, request.loop, request.time
    python = request.python
    interpreter = None if python is None else shutil.which(os.path.expanduser(python))
    reply = ask(
        Task(path, request.arguments, seed, None, interpreter, request.allow_effects, 1, texts),
        "nntui.program.inside.inside_check:check",
        {
            "lines": [] if loop is None else [loop],
            "loss": request.loss,
            "parameters": list(request.parameters or ()),
            "seconds": time,
            "diff": request.diff,
        },
        (2 * time if request.diff else time) + GRACE,
    )
    asked = Request(
        path,
        request.arguments,
        seed,
        time,
        interpreter or sys.executable,
        request.loss,
        loop,
    )
    return program_check(asked, reply), reply


def find_loop(task: Task, time: float = 10.0) -> tuple[str, int]:
    """File and line of the loop of ``task``'s program of which each iteration is one update.

    Raises ProgramError, with the reason, if none was found within ``time`` seconds.
    """
    reply = ask(
        task, "nntui.program.inside.inside_check:find_loop", {"seconds": time}, time + GRACE
    )
    if "line" in reply:
        return reply["file"], reply["line"]
    asked = Request(task.path, task.arguments, task.seed, time, task.python or sys.executable)
    told = program_check(asked, reply)
    hint = "; name it: loop=LINE" if reply.get("any_began", True) else ""
    raise ProgramError(f"{task.path}: {told.reason}{hint}")
