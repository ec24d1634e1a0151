"""Answers why a program does not learn from the preset that computes the same: quickly, often."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.diagnose import diagnose
from nntui.diagnosis.experiments.results import ENOUGH, Experiment, Experiments
from nntui.diagnosis.finding import Fix
from nntui.diagnosis.observation import observe
from nntui.diagnosis.why import Answer, why
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.program.answer import ProgramCheck
from nntui.program.recognise.preset_of import read_text
from nntui.program.why.findings.located import mend_in_words, of_check, proven_first
from nntui.program.why.findings.own_names import OwnNames, in_own_words, in_program, merged
from nntui.program.why.inquiry import Inquiry
from nntui.program.why.program_answer import ProgramAnswer
from nntui.program.why.training import Training
from nntui.program.why.trials.goal import Reference, reference_of
from nntui.program.why.trials.program_rounds import NOTHING
from nntui.program.why.trials.program_trials import Board
from nntui.timeline.run import Run

SEEDS = 100
LOOK = 0.15
"""The share of the time for what can be proven before any training."""
LEAST_TRIED = 3
"""Changes that must have been tried before what they reach says what can be learned."""
BY_PRESET = 0.8
"""The share of the time that is left for the preset; the rest is for the program itself."""
LEAST = 2.0
"""Seconds that a diagnosis takes at least."""


def _explained(
    preset: Preset,
    deadline: Deadline,
    progress: Callable[[str, float], bool],
    workers: int,
) -> tuple[Answer, Reference, float] | None:
    """The diagnosis of ``preset``, what its losses are measured by, and the lowest that is known.

    The preset has no goal of its own: it is set as for programs.  None where the preset cannot be
    trained.
    """
    reference = reference_of(preset)
    if reference is None:
        return None
    try:
        aim = _Aim(reference, _floor(preset, reference, deadline))
        answer = why(
            _with_goal(preset, reference.goal(aim.lowest)),
            seeds=SEEDS,
            seconds=max(deadline.left, LEAST),
            progress=progress,
            workers=workers,
            aim=aim,
        )
    except ConfigError:
        return None
    return answer, reference, aim.lowest


@dataclass
class _Aim:
    """What counts as learned, from what was tried and what is proven to be out of reach."""

    reference: Reference
    lowest: float
    """The lowest loss that is known."""

    def goals(self, tried: Experiments) -> list[float]:
        """See `Aim.goals`."""
        given = tried.given.goal
        assert given is not None
        if len(tried.tried) >= LEAST_TRIED and isfinite(tried.lowest):
            self.lowest = max(tried.lowest * given, self.lowest)
        strict = max(self.reference.goal(self.lowest), given)
        baseline = tried.baseline
        if baseline is None:
            return [strict]
        return [strict, max(self.reference.halfway(self.lowest, baseline.loss * given), strict)]

    def is_learned(self, tried: Experiments, loss: float | None) -> bool:
        """See `Aim.is_learned`."""
        return loss is not None and loss <= self.goals(tried)[0]


def _floor(preset: Preset, reference: Reference, deadline: Deadline) -> float:
    """The loss below which no network of this kind gets, if that leaves something to learn."""
    run = Run(_with_goal(preset, reference.goal()))
    found = diagnose(observe(run), deadline.share(LOOK))
    return reference.floor(each.floor for each in (*found.findings, *found.suspects))


def _with_goal(preset: Preset, loss: float) -> Preset:
    return override(preset, {"goal.loss": loss, "goal.stop": False})


def preset_of_training(training: Training) -> Preset | None:
    """The preset that computes the same, or the same in another order of the rows."""
    recognised = training.recognised
    text = None if recognised is None else recognised.preset_text or recognised.nearest_text
    if text is None:
        return None
    run, request = training.run, training.source.request
    if training.source.once:
        return None  # longer training is what is missing first, and that is tried with the program
    try:
        preset = read_text(text)
        # The run knows how long the program trains, where its source does not say.
        counted = run.whole and (request.around is not None or request.window == 1)
        return override(preset, {"goal.epochs": run.epochs}) if counted else preset
    except ConfigError:
        return None


def explained_by_preset(
    inquiry: Inquiry, checked: ProgramCheck, training: Training, preset: Preset
) -> ProgramAnswer | None:
    """Why the program of ``training`` does not learn, from the ``preset`` that computes the same.

    None where that cannot be trained.
    """
    recognised = training.recognised
    assert recognised is not None
    assert recognised.description is not None
    explained = _explained(
        preset,
        inquiry.deadline.share(BY_PRESET),
        lambda words, _used: inquiry.go_on(words),
        inquiry.workers,
    )
    if explained is None:
        return None
    answer, reference, lowest = explained
    names, source = OwnNames(recognised.description), training.source
    code = of_check(checked, source.mends)
    rate = preset.configuration.training.learning_rate
    findings = [
        replace(each, fixes=tuple(in_own_words(fix, source, rate) for fix in each.fixes))
        for each in merged(
            proven_first(answer.findings, answer.decided), code, recognised.description, source
        )
    ]
    tried = answer.experiments
    if tried is not None:
        mend = tried.correction.text

        def own(fix: Fix) -> Fix:
            words = fix.text.replace(mend, mend_in_words(code))
            return names.fix(in_own_words(replace(fix, text=words), source, rate))

        tried = replace(
            tried,
            tried=tuple(replace(each, fix=own(each.fix)) for each in tried.tried),
            correction=own(tried.correction),
        )
    made = ProgramAnswer(
        program=inquiry.request.path,
        seed=checked.seed,
        check=checked,
        updates=answer.updates,
        epochs=preset.goal.epochs,
        loss=answer.loss,
        missed=None if answer.loss is None else answer.loss / reference.constant,
        goal=reference.words(answer.preset.goal.loss, lowest),
        solved=answer.solved,
        findings=tuple(map(inquiry.as_given, findings)),
        checked=answer.checked,
        experiments=tried,
        recognised=training.preset_string(inquiry.request.path),
        through_preset=True,
        interrupted=inquiry.stopped or answer.interrupted,
        limits=tuple(map(names.said, answer.limits)),
        decided=answer.decided,
    )
    best = made.recommended
    if best is None or inquiry.stopped:
        return made
    there = in_program(best.fix, source, rate)
    halfway = answer.preset.goal.loss > reference.goal(lowest) * (1.0 + 1e-9)
    return replace(made, confirmed=_confirmed(inquiry, there, training, halfway))


def _confirmed(inquiry: Inquiry, own: Fix, training: Training, halfway: bool) -> Experiment | None:
    """What the fix does in the program itself; None where it has no place there."""
    board = Board(training.reference, halfway=halfway)
    laboratory = inquiry.laboratory(training, board, "trying the fix on the program itself")
    baseline, trial = laboratory.trial(NOTHING), laboratory.trial(own) if own.changes else None
    if baseline is None or trial is None:
        return None
    epochs = laboratory.fitting([baseline, trial], ENOUGH, 0.9)
    laboratory.train([trial, baseline], epochs, min(ENOUGH, inquiry.seeds))
    return Experiment.of(trial, baseline)
