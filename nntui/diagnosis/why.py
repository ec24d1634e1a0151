"""Why a preset does not learn: its run diagnosed, the fixes tried, and one answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter
from typing import Any

from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Clock, Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.fixes import mending
from nntui.diagnosis.experiments.laboratory import Laboratory, Progress
from nntui.diagnosis.experiments.luck import findings as found_by_experiment
from nntui.diagnosis.experiments.results import Experiment, simplest
from nntui.diagnosis.experiments.rounds import SECONDS, SEEDS, Experiments, experiment, workshop
from nntui.diagnosis.finding import PROOF, Diagnosis, Finding, Fix
from nntui.diagnosis.observation import observe
from nntui.diagnosis.rules.finding_kinds import PLATEAU
from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed
from nntui.timeline.history.ending import Ending
from nntui.timeline.history.pace import Pace
from nntui.timeline.history.run import Run

OWN_RUN, LOOK = 1 / 3, 1 / 4
"""The shares of the time left that the run of the seed and a look at it may take."""
LEAST_LOOK = 0.7
"""Seconds that a look may take however little time is left: as a rule it takes a tenth of that."""
RESERVE = 1.2
"""Seconds kept back for the start and the end of the program."""
SLICE = 0.1
"""Seconds of training between two calls of the progress."""


@dataclass(frozen=True)
class Answer:
    """What is wrong with one run, what mends it, and how that is known."""

    preset: Preset
    seed: int
    updates: int
    """How far the run of the seed was trained."""
    ended: str | None
    """Why it ended there, as `Ending.reason` says; None where the time did."""
    loss: float | None
    solved: bool
    findings: tuple[Finding, ...]
    """The headline's first."""
    checked: tuple[str, ...]
    experiments: Experiments | None
    """None where nothing had to be tried."""
    interrupted: bool = False
    limits: tuple[str, ...] = ()
    """What was not looked at in full, in words."""

    @property
    def headline(self) -> Finding | None:
        """The cause, None where nothing is wrong or none was found."""
        return self.findings[0] if self.findings else None

    @property
    def own(self) -> Experiment | None:
        """The experiment with the headline's own fix, if it was made."""
        if self.headline is None or self.experiments is None:
            return None
        return self.experiments.of(self._own_fixes)

    @property
    def _own_fixes(self) -> tuple[Fix, ...]:
        return mending(self.headline) if self.headline is not None else ()

    @property
    def best(self) -> Experiment | None:
        """The experiment to follow: the simplest of those that are as good as the best that helps.

        Among them one that mends the headline's own cause is preferred.  A run that learns needs
        no help: what mends its program must only do no harm.
        """
        if self.experiments is None:
            return None
        tried = self.experiments.tried
        if self.solved:
            longest = max((each.epochs for each in tried), default=0)
            able = [each for each in tried if self._mends(each) and each.epochs == longest]
            harmless = [each for each in able if not each.harms]
            return simplest(able) or min(harmless, key=lambda each: each.simplicity, default=None)
        return simplest(tried, self._mends)

    def _mends(self, each: Experiment) -> bool:
        """Whether a fix of the headline is part of what was tried."""
        return any(fix.changes.items() <= each.fix.changes.items() for fix in self._own_fixes)

    @property
    def fix(self) -> str | None:
        """What to do, in words: what was seen to help, else what the headline proposes."""
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
    preset: Preset,
    seed: int | None = None,
    seeds: int = SEEDS,
    seconds: float = SECONDS,
    progress: Progress | None = None,
    workers: int | None = None,
    clock: Clock = perf_counter,
    started: float | None = None,
) -> Answer:
    """The answer for ``preset`` trained from ``seed`` (its own if None), within ``seconds``.

    The run is trained to its end, or for a third of the time; then every fix is tried from
    ``seeds`` seeds on ``workers`` processes (one a processor; 0: in this thread).  ``progress``
    ends it early by returning False, and the answer holds what was done.  The time is that of
    ``clock``, counted from its reading ``started`` (now, if None).  Raises ConfigError for
    a seed that is none, no seeds, or a time that is none.
    """
    if seeds < 1:
        raise ConfigError("seeds", f"must be 1 or more, not {seeds}")
    if not (isfinite(seconds) and seconds > 0):
        raise ConfigError("time", f"must be a number of seconds above 0, not {seconds:g}")
    run = Run(preset, check_seed(preset.seed if seed is None else seed))
    begin = clock() if started is None else started
    deadline = Deadline(begin + max(seconds - RESERVE, seconds / 2), clock)
    with workshop(preset, deadline, progress, workers) as laboratory:
        start = diagnose(observe(run), _until(deadline))
        ended = _train(run, laboratory)
        end = diagnose(observe(run), _until(deadline)) if run.update else start
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
            limits=tuple(dict.fromkeys((*start.limits, *end.limits))),
            experiments=tried,
            interrupted=laboratory.stopped,
        )


def _until(deadline: Deadline) -> Deadline:
    """Until when the run may be looked at before ``deadline``."""
    seconds = max(LOOK * deadline.left, LEAST_LOOK)
    return Deadline.after(seconds, deadline.clock)


def _train(run: Run, laboratory: Laboratory) -> str | None:
    """Train to the end of the budget, or of the time for it; the reason for the end."""
    deadline = laboratory.deadline
    ending, pace, until = Ending(), Pace(deadline.clock), deadline.share(OWN_RUN)
    while (reason := ending.reason(run)) is None and not until.passed:
        if not laboratory.go_on(f"training seed {run.seed}"):
            break
        pace.train(run, ending.next_look(run), SLICE)
    return reason


def together(start: Diagnosis, end: Diagnosis) -> tuple[Finding, ...]:
    """The findings at the ``end``, dated by those at the ``start``, and what else held there."""
    at_start = {(each.code, each.layer) for each in start.findings}
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
    """``findings`` and ``experimental`` ones, which lead where no cause is known."""
    causes = [each for each in findings if each.rule is not PLATEAU]
    if experimental and not causes:
        return (*experimental, *findings)
    return (*findings, *experimental)
