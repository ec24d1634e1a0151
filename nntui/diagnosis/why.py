"""Explain why a preset does not learn: diagnose its run, try fixes, give one answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from nntui.core.engine.player_names import AUTO
from nntui.core.errors import ConfigError
from nntui.diagnosis.cause import attributed
from nntui.diagnosis.deadline import Clock, Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.laboratory import Laboratory, OnProgress
from nntui.diagnosis.experiments.results import Experiments
from nntui.diagnosis.experiments.rounds import SECONDS, SEEDS, experiment, workshop
from nntui.diagnosis.explanation import Explanation
from nntui.diagnosis.finding import PROOF, Diagnosis, Finding
from nntui.diagnosis.measures.progress import epochs_needed
from nntui.diagnosis.observation import left_out, observe
from nntui.presets.preset import Preset
from nntui.sweeps.block import Block, seconds_of
from nntui.timeline.history.termination import Termination
from nntui.timeline.history.time_slices import TimeSlicer
from nntui.timeline.run import Run

OWN_RUN, LOOK = 1 / 3, 1 / 4
"""The most of the remaining time for training the run, and for one diagnosis of it."""
LONGEST_RUN = 3.0
"""Seconds of a core of about 2020 after which the run is diagnosed as it is: by an estimate that
depends on the preset alone, so that it is the same update on every machine."""
LEAST_LOOK = 0.7
"""Seconds that a diagnosis may take at least, however little time is left."""
RESERVE = 1.2
"""Seconds reserved for the start and the end of the program."""
LEAST_LOSSES = 10
"""Epochs from which the pace of a loss is told."""
CUT_OFF = "the run was diagnosed where its share of the time ended"
SLICE = 0.1
"""Seconds of training between two calls of the progress."""


class Aim(Protocol):
    """What counts as learned for a preset whose goal is not its author's."""

    def goals(self, tried: Experiments) -> Sequence[float]:
        """The goals to hold what was tried against, the strictest first."""

    def is_learned(self, tried: Experiments, loss: float | None) -> bool:
        """Whether a run that ends with ``loss`` has learned, for all that was tried."""


@dataclass(frozen=True)
class Answer(Explanation):
    """What is wrong with a run, what fixes it, and how that is known."""

    preset: Preset
    seed: int
    updates: int
    """The number of updates for which the run was trained."""
    ended: str | None
    """Why training ended, as in `Termination.reason`; None if its time was up."""
    loss: float | None
    solved: bool
    findings: tuple[Finding, ...]
    """The headline's first."""
    checked: tuple[str, ...]
    experiments: Experiments | None
    """None if there was nothing to try."""
    interrupted: bool = False
    limits: tuple[str, ...] = ()
    """What was examined only in part, in words."""

    decided: bool = True
    """Whether more time could not name another cause."""

    def as_json(self) -> dict[str, Any]:
        """What ``why --json`` prints."""
        return {
            "preset": self.preset.name,
            "seed": self.seed,
            **self.explained_json(),
            "updates": self.updates,
            "solved": self.solved,
            "checked": list(self.checked),
            "limits": list(self.limits),
        }


@np.errstate(all="ignore")
def why(
    preset: Preset | Run,
    seed: int | None = None,
    seeds: int = SEEDS,
    seconds: float = SECONDS,
    progress: OnProgress | None = None,
    workers: int | None = None,
    clock: Clock = perf_counter,
    started: float | None = None,
    aim: Aim | None = None,
    player: str = AUTO,
) -> Answer:
    """Explain within ``seconds`` why ``preset`` does not learn from ``seed`` (its own if None).

    A run in the place of ``preset`` is diagnosed, and trained, from its cursor on; its seed counts.
    The run is trained to its end, or for a third of the time; then fixes are tried from ``seeds``
    seeds on ``workers`` processes (None: one per processor; 0: in this thread).  ``progress`` can
    return False to stop early; the answer then holds the results so far.  Time is measured by
    ``clock`` from its reading ``started`` (None: now).  ``aim`` decides what
    counts as learned; None: the preset's goal does.  ``player`` makes the updates of the
    experiments, and those of the run if that begins here (see `Run`).

    Raises ConfigError for an invalid seed or player, for ``seeds`` below 1 and for ``seconds`` that
    are not a positive number.
    """
    if seeds < 1:
        raise ConfigError("seeds", f"must be 1 or more, not {seeds}")
    if not (isfinite(seconds) and seconds > 0):
        raise ConfigError("time", f"must be a number of seconds above 0, not {seconds:g}")
    run = preset if isinstance(preset, Run) else Run(preset, seed, player)
    preset, apart = run.preset, left_out(run)
    begin = clock() if started is None else started
    deadline = Deadline(begin + max(seconds - RESERVE, seconds / 2), clock)
    with workshop(preset, deadline, progress, workers, player) as laboratory:
        start = diagnose(observe(run), _portion(deadline, LOOK, LEAST_LOOK))
        ended, whole = _train(run, laboratory)
        look = _portion(deadline, LOOK, LEAST_LOOK)
        end = diagnose(observe(run), look) if run.update else start
        findings = together(start, end)
        tried, decided, solved = None, True, run.solved
        if findings or not solved:
            suspects = [] if solved else list(end.suspects)
            tried = experiment([*findings, *suspects], laboratory, seeds, _pace(run))
            made: Sequence[Experiments] = [tried]
            if aim is not None and not solved:
                made = [tried.against(goal) for goal in aim.goals(tried)]
                if solved := aim.is_learned(tried, run.loss):
                    tried = made[0]
                    findings = tuple(each for each in findings if each.rule.is_code_fault)
            if not solved:
                decision, tried = attributed(findings, suspects, made, run.seed)
                findings, decided = decision.findings, decision.decided and whole
            if aim is not None and tried.given.goal is not None:
                preset = replace(preset, goal=replace(preset.goal, loss=tried.given.goal))
        limits = (*apart, *start.limits, *end.limits, *(() if whole else (CUT_OFF,)))
        return Answer(
            preset=preset,
            seed=run.seed,
            updates=run.update,
            ended=ended,
            loss=run.loss,
            solved=solved,
            findings=findings,
            checked=end.checked,
            limits=tuple(dict.fromkeys(limits)),
            experiments=tried,
            interrupted=laboratory.stopped,
            decided=decided,
        )


def _pace(run: Run) -> float:
    """The epochs that ``run`` needs in all at the pace of its loss; 0 if that is not known."""
    if run.solved or len(run.losses) < LEAST_LOSSES:
        return 0.0
    return run.epoch + epochs_needed(run.losses, run.preset.goal.loss, run.epoch)


def _portion(deadline: Deadline, share: float, least: float) -> Deadline:
    """The end of a ``share`` of the time that is left, or of ``least`` seconds if that is more."""
    return Deadline.after(max(share * deadline.left, least), deadline.clock)


def _train(run: Run, laboratory: Laboratory) -> tuple[str | None, bool]:
    """Train to the end of the budget, or until its share is used.

    Returns why training ended, and whether that did not depend on the time.
    """
    deadline = laboratory.deadline
    # A slow start of the program takes from the reserve, not from a short run.
    least = SLICE if deadline.left > -RESERVE else 0.0
    until = _portion(deadline, OWN_RUN, least)
    termination, slicer = Termination(), TimeSlicer(deadline.clock)
    longest = run.update + _longest(run.preset, run.player)
    while (reason := termination.reason(run)) is None and run.update < longest:
        if until.passed:
            return None, False
        laboratory.go_on(f"training seed {run.seed}")
        if laboratory.stopped:
            return None, False
        target = min(termination.budget(run), longest)
        slicer.train(run, target, SLICE, termination.stop_at(run))
    return reason, True


def _longest(preset: Preset, player: str) -> int:
    """How many updates of ``preset`` take `LONGEST_RUN`; at least an epoch."""
    configuration = preset.configuration
    epoch = seconds_of(Block(configuration, preset.goal, 1, (preset.seed,), player))
    epochs = max(int(LONGEST_RUN / max(epoch, 1e-12)), 1)
    return epochs * configuration.updates_per_epoch


def together(start: Diagnosis, end: Diagnosis) -> tuple[Finding, ...]:
    """The findings at the ``end``, dated by the ``start``, then proofs found only at the start."""
    at_start = {(each.code, each.layer) for each in start.findings if start.update == 0}
    at_end = {(each.code, each.layer) for each in end.findings}
    dated = [
        replace(each, first_update=0)
        if each.first_update is None and (each.code, each.layer) in at_start
        else each
        for each in end.findings
    ]
    if end.learns:
        return tuple(dated)
    others = [
        each
        for each in start.findings
        if each.rule.klass == PROOF and (each.code, each.layer) not in at_end
    ]
    return (*dated, *others)
