"""Follows many trainings of one program, one after the other, each in a fork of its own."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nntui.program.follow.following import TIME, Following
from nntui.program.follow.request import Request
from nntui.program.follow.survey import Survey

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

LEAST_SECONDS = 0.05


def survey(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What the first updates show; ``options`` has the ``request`` and ``seconds``."""
    request, seconds = Request.from_plain(options["request"]), float(options["seconds"])
    return execution.analyse(Survey(execution, request, seconds), 2.0 * seconds)


def follow(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """Follow the trainings ``runs``, until ``seconds`` are over.

    Each has a ``request``, a ``seed`` (None: the program's own) and ``texts``, by file the source
    to run in its place.  The answer has in ``runs`` what each replied, and nothing for those that
    were not begun.
    """
    until = time.monotonic() + float(options["seconds"])
    answers = []
    for run in options["runs"]:
        left = until - time.monotonic()
        if left < LEAST_SECONDS:
            break
        request = Request.from_plain(run["request"])
        loops = [request.loop, *([request.around] if request.around else [])]
        varied = execution.varied(run["seed"], run["texts"], loops)
        answer = varied.analyse(Following(varied, request, left), left + 1.0)
        answers.append(answer)
        if answer.get("ended") == TIME or answer.get("error") == "time":
            break
    return {"runs": answers}
