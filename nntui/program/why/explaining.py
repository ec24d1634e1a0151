"""Explain why a program does not learn: check it, follow its run, try fixes, give one answer."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from nntui.diagnosis.deadline import Deadline
from nntui.program.analysis_reply import Request, effect_error, program_check
from nntui.program.answer import ProgramCheck
from nntui.program.checking import CheckRequest, words
from nntui.program.program_error import ProgramError
from nntui.program.why.by_itself import explained_by_itself
from nntui.program.why.by_preset import explained_by_preset, preset_of_training
from nntui.program.why.findings.located import of_check
from nntui.program.why.inquiry import Inquiry, OnProgress
from nntui.program.why.program_answer import ProgramAnswer
from nntui.program.why.training import Looking, Training
from nntui.program.why.trials.pool import Question

CHECK_INSIDE = "nntui.program.inside.inside_check:check"
SEEDS, SECONDS = 20, 20.0
RESERVE = 1.0
"""Seconds reserved for the start and the end."""
CHECK = 0.3
"""The most of the time for the check."""


def why(
    path: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    seed: int | None = None,
    seeds: int = SEEDS,
    time: float = SECONDS,
    python: str | None = None,
    allow_effects: bool = False,
    progress: OnProgress | None = None,
    workers: int | None = None,
    started: float | None = None,
) -> ProgramAnswer:
    """Explain within ``time`` seconds why the program ``path`` does not learn.

    The arguments up to ``allow_effects`` are those of `nntui.program.check`; ``seeds`` is how many
    are tried.  ``workers`` is the number of processes (None: one per processor).  ``progress`` can
    return False to stop early; the answer then holds the results so far.  ``started``
    (`time.perf_counter`) is when the time began, if not now.  Raises ProgramError for what
    cannot be looked at, and for arguments that make no sense.
    """
    if seeds < 1:
        raise ProgramError(f"the number of seeds must be 1 or more, not {seeds}")
    request = CheckRequest(
        os.fspath(path),
        words("arguments", arguments),
        seed,
        time=time,
        allow_effects=allow_effects,
        python=python,
    )
    for problem in request.problems():
        raise ProgramError(problem)
    begin = perf_counter() if started is None else started
    deadline = Deadline(begin + max(time - RESERVE, time / 2.0))
    inquiry = Inquiry(request, seeds, deadline, progress, workers or os.cpu_count() or 1)
    checked, reply = _check(inquiry)
    if "refused" in reply and not checked.updates:
        raise effect_error(inquiry.request.path, reply["refused"])
    looking = Looking(inquiry.task, deadline, inquiry.workers, inquiry.go_on)
    training = None if inquiry.stopped else looking.training(checked, reply)
    if training is None:
        return _without_training(inquiry, checked, reply)
    preset = None if inquiry.stopped else preset_of_training(training)
    answer = None
    if preset is not None:
        answer = explained_by_preset(inquiry, checked, training, preset)
    answer = answer or explained_by_itself(inquiry, checked, training)
    return replace(answer, limits=(*_crash(checked, training), *answer.limits))


def _crash(checked: ProgramCheck, training: Training) -> Sequence[str]:
    """That the program crashes, if it was seen to."""
    if checked.notes or training.run.crashed is None:
        return checked.notes
    return (f"the program crashes: {training.run.crashed}",)


def _check(inquiry: Inquiry) -> tuple[ProgramCheck, dict[str, Any]]:
    request, task = inquiry.request, inquiry.task
    seconds = max(CHECK * inquiry.deadline.left, 1.0)
    options: dict[str, Any] = {
        "lines": [],
        "loss": None,
        "parameters": [],
        "seconds": seconds,
        "diff": True,
    }
    question = Question(CHECK_INSIDE, options)
    reply = dict(inquiry.pool("checking the updates").ask([question])).get(0, {"error": "time"})
    asked = Request(
        request.path, request.arguments, request.seed, seconds, task.python or sys.executable
    )
    return program_check(asked, reply), reply


def _longer(seconds: float) -> int:
    return max(round(SECONDS), round(4 * seconds))


def _without_training(
    inquiry: Inquiry, checked: ProgramCheck, reply: Mapping[str, Any]
) -> ProgramAnswer:
    said = checked.reason or "its training could not be followed"
    if inquiry.stopped:
        said = "it was interrupted before the training was followed"
    elif inquiry.deadline.passed or reply.get("error") == "time":
        longer = _longer(inquiry.request.time)
        said = f"there was no time to follow the training; --time {longer} would help"
    return ProgramAnswer(
        program=inquiry.request.path,
        seed=checked.seed,
        check=checked,
        updates=0,
        epochs=0,
        loss=None,
        missed=None,
        goal="",
        solved=False,
        findings=tuple(of_check(checked, {})),
        checked=("the updates",),
        experiments=None,
        interrupted=inquiry.stopped,
        limits=(*checked.notes, f"no run was followed and nothing was tried: {said}"),
        decided=False,
        untold=said,
    )
