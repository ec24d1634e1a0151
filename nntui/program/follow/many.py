"""Follows many trainings of one program, one after the other, each in a fork of its own."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.follow.first_step import FirstStep
from nntui.program.follow.following import TIME, Following
from nntui.program.follow.request import Request
from nntui.program.follow.survey import Survey

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

LEAST_SECONDS = 0.05
"""Less is not worth beginning a training."""
ALIKE = 1e-9
"""Relative difference up to which steps count as proportional."""
ROUNDING = 1e-15
"""Of a parameter: what rounding leaves of the difference of two."""


def survey(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What the first updates show; ``options`` has the ``request`` and ``seconds``.

    With a ``seed`` it is that seed's.  ``sources`` has the source of every file of the program.
    """
    request, seconds = Request.from_plain(options["request"]), float(options["seconds"])
    if "seed" in options:
        execution = execution.varied(options["seed"], {})
    return execution.analyse(Survey(execution, request, seconds), 2.0 * seconds)


def scaling(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """The first of ``texts`` by which every first step becomes ``times`` as large.

    Each of ``texts`` has, by file, the source to run in its place.  The answer has in ``first`` its
    number, None if there is none; the parameters themselves must be the same before the step.
    """
    until = time.monotonic() + float(options["seconds"])
    request, times = Request.from_plain(options["request"]), float(options["times"])
    loops = [request.loop, *([request.around] if request.around else [])]

    def step(texts: Mapping[str, str]) -> dict[str, Any]:
        varied = execution.varied(execution.seed, texts, loops)
        return varied.analyse(FirstStep(varied, request), max(until - time.monotonic(), 0.1))

    plain = step({})
    for number, texts in enumerate(options["texts"]):
        if time.monotonic() > until:
            break
        if _is_scaled(plain, step(texts), times):
            return {"first": number}
    return {"first": None}


def _is_scaled(plain: Mapping[str, Any], other: Mapping[str, Any], times: float) -> bool:
    """Whether all steps of ``other`` are ``times`` those of ``plain``, but for rounding."""
    if (
        "steps" not in plain
        or "steps" not in other
        or not any(map(np.any, plain["steps"].values()))
    ):
        return False
    for name, step in plain["steps"].items():
        start = plain["start"][name]
        if name not in other["steps"] or not np.array_equal(start, other["start"][name]):
            return False
        rounding = ROUNDING * (np.abs(start) + np.abs(times * step))
        with np.errstate(all="ignore"):
            off = np.abs(other["steps"][name] - times * step)
        if not (off <= rounding + ALIKE * np.abs(times * step)).all():
            return False
    return True


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
