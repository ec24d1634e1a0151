"""Explain why a preset does not learn: diagnose its run, try fixes, give one answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter
from typing import Any

from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Clock, Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.fixes import own_fixes
from nntui.diagnosis.experiments.laboratory import Laboratory, OnProgress
from nntui.diagnosis.experiments.results import (
    Experiment,
    Experiments,
    found_by_experiment,
    simplest,
)
from nntui.diagnosis.experiments.rounds import SECONDS, SEEDS, experiment, workshop
from nntui.diagnosis.finding import PROOF, Diagnosis, Finding, Fix
from nntui.diagnosis.observation import left_out, observe
from nntui.diagnosis.rules.finding_kinds import PLATEAU
from nntui.presets.preset import Preset
from nntui.timeline.history.termination import Termination
from nntui.timeline.history.time_slices import TimeSlicer
from nntui.timeline.run import Run

OWN_RUN, LOOK = 1 / 3, 1 / 4
"""Shares of the remaining time for training the run and for one diagnosis of it."""
LEAST_LOOK = 0.7
"""Seconds that a diagnosis may take at least, however little time is left."""
RESERVE = 1.2
"""Seconds reserved for the start and the end of the program."""
SLICE = 0.1
"""Seconds of training between two calls of the progress."""


@dataclass(frozen=True)
class Answer:
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

    @property
    def headline(self) -> Finding | None:
        """The cause; None if nothing is wrong or no cause was found."""
        return self.findings[0] if self.findings else None

    @property
    def own(self) -> Experiment | None:
        """The experiment with the headline's own fix, if it was made."""
        if self.headline is None or self.experiments is None:
            return None
        return self.experiments.of(self._own_fixes)

    @property
    def _own_fixes(self) -> tuple[Fix, ...]:
        return own_fixes(self.headline) if self.headline is not None else ()

    @property
    def best(self) -> Experiment | None:
        """The recommended experiment: the simplest of those as good as the best that helps.

        One that fixes the headline's own cause is preferred.  If the run learns already, a fix
        of its program must only do no harm.
        """
        if self.experiments is None:
            return None
        tried = self.experiments.tried
        if self.solved:
            longest = max((each.epochs for each in tried), default=0)
            able = [each for each in tried if self._fixes_cause(each) and each.epochs == longest]
            harmless = [each for each in able if not each.harms]
            return simplest(able) or min(harmless, key=lambda each: each.simplicity, default=None)
        return simplest(tried, self._fixes_cause)

    def _fixes_cause(self, each: Experiment) -> bool:
        """Whether ``each`` includes a fix of the headline."""
        return any(fix.changes.items() <= each.fix.changes.items() for fix in self._own_fixes)

    @property
    def fix(self) -> str | None:
        """The recommendation in words: what helped, else what the headline proposes."""
        if self.best is not None:
            return self.best.fix.text
        fixes = self.headline.fixes if self.headline is not None else ()
        return fixes[0].text if fixes else None

    def as_json(self) -> dict[str, Any]:
        """What ``why --json`` prints."""
        headline, best = self.headline, self.best
        return {
            "preset": self.preset.name,
            "seed": self.seed,
            "headline": None
            if headline is None
            else {
                "code": headline.code,
                "cause": headline.rule.title,
                "evidence": headline.evidence,
                "class": headline.rule.klass,
                "layer": headline.layer,
                "first_update": headline.first_update,
                "disproof": headline.rule.disproof,
                "fix": self.fix,
                "set": None if best is None else dict(best.fix.changes),
            },
            "findings": [each.as_json() for each in self.findings],
            "experiments": self.experiments.as_json() if self.experiments is not None else [],
            "reduced": self.experiments.reduced if self.experiments is not None else None,
            "updates": self.updates,
            "solved": self.solved,
            "checked": list(self.checked),
            "limits": list(self.limits),
        }


def why(
    preset: Preset | Run,
    seed: int | None = None,
    seeds: int = SEEDS,
    seconds: float = SECONDS,
    progress: OnProgress | None = None,
    workers: int | None = None,
    clock: Clock = perf_counter,
    started: float | None = None,
) -> Answer:
    """Explain within ``seconds`` why ``preset`` does not learn from ``seed`` (its own if None).

    A run in the place of ``preset`` is diagnosed, and trained, from its cursor on; its seed counts.
    The run is trained to its end, or for a third of the time; then fixes are tried from ``seeds``
    seeds on ``workers`` processes (None: one per processor; 0: in this thread).  ``progress`` can
    return False to stop early; the answer then holds the results so far.  Time is measured by
    ``clock`` from its reading ``started`` (None: now).  Raises ConfigError for an invalid seed,
    for ``seeds`` below 1 and for ``seconds`` that are not a positive number.
    """
    if seeds < 1:
        raise ConfigError("seeds", f"must be 1 or more, not {seeds}")
    if not (isfinite(seconds) and seconds > 0):
        raise ConfigError("time", f"must be a number of seconds above 0, not {seconds:g}")
    run = preset if isinstance(preset, Run) else Run(preset, seed)
    preset, apart = run.preset, left_out(run)
    begin = clock() if started is None else started
    deadline = Deadline(begin + max(seconds - RESERVE, seconds / 2), clock)
    with workshop(preset, deadline, progress, workers) as laboratory:
        start = diagnose(observe(run), _portion(deadline, LOOK, LEAST_LOOK))
        ended = _train(run, laboratory)
        look = _portion(deadline, LOOK, LEAST_LOOK)
        end = diagnose(observe(run), look) if run.update else start
        findings = together(start, end)
        tried = None
        if findings or not run.solved:
            tried = experiment(findings, laboratory, seeds)
            if not run.solved:
                findings = with_experiments(findings, tuple(found_by_experiment(tried, run.seed)))
        return Answer(
            preset=preset,
            seed=run.seed,
            updates=run.update,
            ended=ended,
            loss=run.loss,
            solved=run.solved,
            findings=findings,
            checked=end.checked,
            limits=tuple(dict.fromkeys((*apart, *start.limits, *end.limits))),
            experiments=tried,
            interrupted=laboratory.stopped,
        )


def _portion(deadline: Deadline, share: float, least: float) -> Deadline:
    """The end of a ``share`` of the time that is left, or of ``least`` seconds if that is more."""
    return Deadline.after(max(share * deadline.left, least), deadline.clock)


def _train(run: Run, laboratory: Laboratory) -> str | None:
    """Train to the end of the budget or of the time for it; returns why training ended."""
    deadline = laboratory.deadline
    # A slow start of the program takes from the reserve, not from a short run.
    least = SLICE if deadline.left > -RESERVE else 0.0
    until = _portion(deadline, OWN_RUN, least)
    termination, slicer = Termination(), TimeSlicer(deadline.clock)
    while (reason := termination.reason(run)) is None and not until.passed:
        laboratory.go_on(f"training seed {run.seed}")
        if laboratory.stopped:
            break
        slicer.train(run, termination.next_check(run), SLICE)
    return reason


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


def with_experiments(
    findings: Sequence[Finding], experimental: Sequence[Finding]
) -> tuple[Finding, ...]:
    """``findings`` and ``experimental`` ones; the latter come first if no cause is known."""
    causes = [each for each in findings if each.rule is not PLATEAU]
    if experimental and not causes:
        return (*experimental, *findings)
    return (*findings, *experimental)
