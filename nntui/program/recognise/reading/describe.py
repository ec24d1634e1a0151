"""Describes the network that a program trains; called inside the program's process."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nntui.program.inside.analysis import check_program
from nntui.program.inside.states_judged import Options
from nntui.program.recognise.reading.describer import Describer
from nntui.program.recognise.reading.observe import Observer

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

FOR_CHECK, LEAST_SHARE = 0.6, 0.3
"""The part of the time for the check, and at least for what follows it."""
WATCHED = 1.0
"""Seconds for which the program runs on to see when it prints."""
SLACK = 5.0


def describe(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What the program trains, and the answer of its check.

    ``options`` are ``seconds``, and ``check``, an answer of `check_program` if there is one.  The
    answer has ``check``, and ``description`` (see `Description`) or ``error`` and ``message``.
    """
    seconds = float(options.get("seconds", 10.0))
    until = time.monotonic() + seconds
    check = options.get("check") or check_program(execution, Options(seconds=FOR_CHECK * seconds))
    answer: dict[str, Any] = {"check": check, "description": None}
    if "refused" in check and (not options.get("check") or check.get("hypothesis") is None):
        return {**answer, "refused": check["refused"]}
    if check.get("hypothesis") is None:
        return {**answer, "error": check.get("error") or "loss", "message": ""}
    describer = Describer(execution, check)
    left = max(until - time.monotonic(), LEAST_SHARE * seconds)
    observer = Observer(
        execution,
        describer.subject,
        describer.take,
        lambda: describer.finish(observer),
        left,
        describer.vary,
        watch=WATCHED,
    )
    answer.update(execution.analyse(observer, left + SLACK))
    return answer
