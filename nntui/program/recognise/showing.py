"""Finds the preset of a program: runs it, reads its network, makes the preset, proves it."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from nntui.core.errors import ConfigError
from nntui.program.analysis_reply import Request, effect_error, program_check
from nntui.program.checking import words
from nntui.program.control.client import Task, ask
from nntui.program.recognise.description import Description, Spot
from nntui.program.recognise.fitting.unmatched import UnmatchedError
from nntui.program.recognise.preset_of import (
    Made,
    preset_of,
    read_text,
    text_of,
    with_later_rates,
)
from nntui.program.recognise.proof import OTHER_ROWS, LaterError, disagreement
from nntui.program.recognise.recognised import Recognised

DESCRIBE = "nntui.program.recognise.reading.describe:describe"
GRACE = 10.0
"""Seconds beyond the time for a program that is slow to start."""


def show(
    path: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    seed: int | None = None,
    python: str | None = None,
    allow_effects: bool = False,
    time: float = 10.0,
) -> Recognised:
    """The preset that computes what the program ``path`` does, or which part has none.

    The arguments are those of `nntui.program.check`; ``time`` is in seconds.  Raises ProgramError
    for a program that cannot be looked at.
    """
    task = Task(os.fspath(path), words("arguments", arguments), seed, None, python, allow_effects)
    answer = ask(task, DESCRIBE, {"seconds": time}, 2.0 * time + GRACE)
    if "refused" in answer:
        raise effect_error(task.path, answer["refused"])
    if answer.get("description") is None:
        return Recognised(None, _unread(task, answer), None)
    return recognise(Description.from_plain(answer["description"]), task.path, time)


def recognise(description: Description, path: str, seconds: float) -> Recognised:
    """The preset of ``description``, which was read off the program ``path``."""
    if description.reason is not None:
        return _without(description, path, description.reason, description.spot)
    found: tuple[str, str] | None = None
    try:
        for made in preset_of(description, seconds):
            try:
                proven, different = made, _different(made, path)
            except LaterError as error:
                later = _later(made, path, error)
                proven, different = later or made, None if later else str(error)
            if different is None:
                return Recognised(
                    text_of(proven, path),
                    None,
                    None,
                    None,
                    made.correspondence,
                    description.updates,
                    description,
                )
            found = found or (different, text_of(made, path))
    except UnmatchedError as error:
        return _without(description, path, error.reason, error.spot)
    except ConfigError as error:
        return _without(description, path, f"a preset cannot say it: {error}", None)
    assert found is not None
    different, text = found
    if different != OTHER_ROWS:
        reason = f"the preset that comes nearest is not the same: {different}"
        return _without(description, path, reason, None)
    spot = description.shuffles[0] if description.shuffles else None
    drawing = "the program draws the order" if spot is None else f"{spot.text} draws the order"
    return replace(
        _without(description, path, f"{drawing} of the rows, and no preset draws that one", spot),
        nearest_text=text,
    )


def _different(made: Made, path: str) -> str | None:
    """Where the preset, read again from its text, differs from the program; see `disagreement`."""
    return disagreement(read_text(text_of(made, path)), made.description, made.reported)


def _later(made: Made, path: str, error: LaterError) -> Made | None:
    """The preset with a rate that changes as the program's does behind what was observed."""
    for other in with_later_rates(made, error.last, error.first):
        with suppress(LaterError):
            if _different(other, path) is None:
                return other
    return None


def _without(description: Description, path: str, reason: str, spot: Spot | None) -> Recognised:
    """No preset, for ``reason``; a line of another file than ``path`` is told with its file."""
    if spot is None:
        return Recognised(None, reason, None, description=description)
    if os.path.basename(spot.file) == os.path.basename(path):
        return Recognised(None, reason, spot.line, description=description)
    reason = f"{os.path.basename(spot.file)}:{spot.line}: {reason}"
    return Recognised(None, reason, None, description=description)


def _unread(task: Task, answer: dict[str, object]) -> str:
    """Why there is no description, in one line.

    Raises ProgramError if the program stopped before its first update.
    """
    check = answer.get("check")
    if isinstance(check, dict):
        told = program_check(Request(task.path, task.arguments, python=sys.executable), check)
        if told.loop is None and told.reason:
            return told.reason
    if answer.get("error") == "loss":
        return "no loss was found that its updates follow"
    if answer.get("error") == "time":
        return "it was not read in time; --time gives it more"
    return f"it could not be read: {answer.get('message') or answer.get('error')}"
