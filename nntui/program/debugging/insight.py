"""What is known of a text of a program before it is stepped: its loops, its loss, its check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nntui.program.answer import ProgramCheck
from nntui.program.checking import CheckRequest, checked_with_reply, find_loop
from nntui.program.control.client import Task
from nntui.program.program_error import ProgramError

SLOW = ("time", "died", "memory", "full")
"""The errors of an analysis of a program that may have a loop all the same."""
LEAST_SECONDS = 5.0
LoopLine = tuple[str, int]


@dataclass(frozen=True)
class Insight:
    """The loops by file and line, where the loss is read off, and the check that found them."""

    check: ProgramCheck
    loop: LoopLine | None = None
    """Each of its turns is an update; None where there is none that could be stepped."""
    epoch_loop: LoopLine | None = None
    loss_sites: tuple[Mapping[str, Any], ...] = ()
    """Of the loss, and of the one that is printed where that is another."""
    read: str = ""
    """What is read in the place of the loss, where the program does not compute that itself."""
    printed: str = ""
    """What is printed in the place of the loss; empty where it is the loss, or nothing."""
    sought: Mapping[str, Any] | None = None
    """The loss, as the fields of `Sought`; None where none is known."""
    parameters: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """The files that it consists of."""
    mended: Mapping[str, str] = field(default_factory=dict)
    """By file, the text with all that was proven mended, where that was looked for."""

    def task(self, request: CheckRequest, texts: Mapping[str, str], seed: int | None) -> Task:
        """How the program is run to be stepped."""
        loops = [each for each in (self.loop, self.epoch_loop) if each is not None]
        return Task(
            request.path,
            request.arguments,
            seed,
            tuple(loops),
            request.python,
            request.allow_effects,
            texts=texts,
            losses=self.loss_sites,
            epoch_loop=self.epoch_loop,
        )


def insight(request: CheckRequest, texts: Mapping[str, str]) -> Insight:
    """Check the program of ``request`` with ``texts``, by file, in the place of its files.

    Raises ProgramError for a program that cannot be looked at.
    """
    check, reply = checked_with_reply(request, texts)
    loop = _line(reply.get("loop"))
    if loop is None and request.loop is not None:
        # Whoever names a loop wants to see its turns, be they updates or not.
        own = next(iter(texts))
        return Insight(check, (own, request.loop), files=tuple(reply.get("files", ())))
    if loop is None and reply.get("error") in SLOW:
        # A program that is slow, or hangs later on, can be stepped all the same.
        return _loop_alone(request, texts, check)
    if loop is None or reply.get("loop_number") is None:
        # A loss and gradient that are handed to an optimiser have no loop of the program's own.
        return Insight(check, files=tuple(reply.get("files", ())))
    sought = None
    if check.loss is not None:
        sought = {
            "kind": check.loss.kind,
            "text": reply["loss"]["text"],
            "ordinal": reply.get("loss_ordinal"),
        }
    epoch_loop = _line(reply.get("epoch_loop"))
    sites = [reply.get("loss_site"), reply.get("printed_site")]
    return Insight(
        check,
        loop,
        epoch_loop,
        tuple(each for each in sites if each is not None),
        str(reply.get("read_text") or ""),
        str(reply.get("printed_text") or "") if all(sites) else "",
        sought,
        tuple(each.name for each in check.parameters) or tuple(reply.get("learning", ())),
        tuple(reply.get("files", ())),
        reply.get("mended_texts") or {},
    )


def _loop_alone(request: CheckRequest, texts: Mapping[str, str], check: ProgramCheck) -> Insight:
    """The loop, where there was no time for more."""
    task = Task(
        request.path,
        request.arguments,
        request.seed,
        None,
        request.python,
        request.allow_effects,
        texts=texts,
    )
    try:
        found = find_loop(task, max(request.time, LEAST_SECONDS))
    except ProgramError:
        return Insight(check)
    return Insight(check, found)


def _line(loop: Mapping[str, Any] | None) -> LoopLine | None:
    return None if loop is None else (str(loop["file"]), int(loop["line"]))
