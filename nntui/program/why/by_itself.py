"""Answers why a program does not learn from its own run, and from variants of the program."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from nntui.diagnosis.cause import attributed
from nntui.diagnosis.experiments.results import NEAR, Experiments
from nntui.diagnosis.finding import Finding
from nntui.program.answer import ProgramCheck
from nntui.program.why.changes.variants import EPOCHS, RATE
from nntui.program.why.findings.described import described_preset, diagnosed
from nntui.program.why.findings.located import (
    Located,
    located,
    mend_in_words,
    of_check,
    proven_first,
)
from nntui.program.why.findings.measured import measured, once
from nntui.program.why.findings.own_names import OwnNames, in_program
from nntui.program.why.findings.own_run import OwnRun
from nntui.program.why.inquiry import Inquiry
from nntui.program.why.program_answer import ProgramAnswer
from nntui.program.why.training import Training
from nntui.program.why.trials.program_rounds import ProgramRounds
from nntui.program.why.trials.program_trials import Board

LEAST_TRIED = 3
"""Changes that must have been tried for a quarter of the training before it counts as good."""


def explained_by_itself(
    inquiry: Inquiry, checked: ProgramCheck, training: Training
) -> ProgramAnswer:
    """Why the program of ``training`` does not learn: measured in its run, tried with itself."""
    run, source, reference = training.run, training.source, training.reference
    code = of_check(checked, source.mends)
    loss = float(run.losses[-1])
    learns = isfinite(loss) and loss <= reference.goal() and not run.diverged
    found, suspects = ([], []) if learns else _measured(inquiry, checked, training)
    findings: list[Finding] = [*code, *found]
    tried, decided, board = None, True, Board(reference)
    faults = any(each.rule.is_code_fault for each in code)
    if (not learns or faults) and not inquiry.stopped:
        laboratory = inquiry.laboratory(training, board, "trying changes")
        mend = mend_in_words(code)
        rounds = ProgramRounds([*findings, *suspects], laboratory, inquiry.seeds, mend)
        made = [rounds.all()]
        tried = made[0]
        learns = learns or _is_as_good(run, board)
    if learns:
        findings = list(code)
    elif tried is not None:
        board.halfway = True
        made.append(rounds.result())
        decision, tried = attributed(findings, suspects, made, 0)
        board.halfway = tried is made[1]
        decided = run.whole and (decision.decided or _is_enough(decision.findings, tried))
        findings = proven_first(decision.findings, decided)
    limits = []
    if source.rate is None:
        limits.append("no number in the source was found that is the learning rate")
    if not run.whole:
        limits.append(f"the run was followed for {run.epochs:,} turns only")
    longest = max((each.base_epochs for each in tried.tried), default=0) if tried else 0
    return ProgramAnswer(
        program=inquiry.request.path,
        seed=checked.seed,
        check=checked,
        updates=run.updates,
        epochs=run.epochs,
        loss=loss if isfinite(loss) else None,
        missed=loss / reference.constant if isfinite(loss) else None,
        goal=reference.words(board.goal(longest, 0), board.lowest(longest, 0)),
        solved=learns,
        findings=tuple(inquiry.as_given(_placed(each, training)) for each in findings),
        checked=_checked(learns),
        experiments=tried,
        recognised=training.preset_string(inquiry.request.path),
        interrupted=inquiry.stopped,
        limits=tuple(limits),
        decided=decided,
    )


def _measured(
    inquiry: Inquiry, checked: ProgramCheck, training: Training
) -> tuple[list[Located], list[Located]]:
    """What was measured, likely causes first, and what a proof among it explains."""
    run, source = training.run, training.source
    factor = _factor(checked)
    recognised = training.recognised
    description = None if recognised is None else recognised.description
    if description is not None:
        adapts = description.adapts
        rate = 0.0 if source.rate is None else source.rate.value
        kind, ratio = training.usual or (None, 1.0)
        rate = rate if adapts or factor is None else factor * ratio
        preset = described_preset(description, kind, rate, adapts, source.epochs)
        seen = None
        if preset is not None:
            seen = diagnosed(preset, description, run, inquiry.deadline.share(0.3))
        if seen is not None:
            names = OwnNames(description)

            def own(finding: Finding) -> Located:
                said = names.finding(finding, source)
                fixes = tuple(in_program(fix, source, rate) for fix in said.fixes)
                return replace(said, fixes=fixes)

            found = [*once(run, source), *map(own, seen.findings)]
            return found, list(map(own, seen.suspects))
    goal = training.reference.goal()
    with np.errstate(all="ignore"):
        found = list(measured(run, source, goal, factor))
    return sorted(found, key=lambda each: -each.weight), []


def _factor(checked: ProgramCheck) -> float | None:
    """The factor of the gradient in the steps; None where it is not known of any parameter."""
    factors = [abs(each.factor) for each in checked.parameters if each.factor is not None]
    return max(factors, default=None)


def _is_as_good(run: OwnRun, board: Board) -> bool:
    """Whether ``run``, followed to its end, is nearly as good as all that was tried.

    Enough must have been tried for long enough to tell.
    """
    loss, budget = float(run.losses[-1]), run.epochs
    long = [
        each
        for each in board.trials
        if each.fix.changes and any(4 * epochs >= budget for epochs in each.well_tried())
    ]
    known = run.whole and len(long) >= LEAST_TRIED
    return known and isfinite(loss) and loss <= board.goal(budget, 0)


def _is_enough(findings: Sequence[Finding], tried: Experiments) -> bool:
    """Whether the first finding's own fix is, whatever an untried mend of wrong lines would do."""
    if not findings or findings[0].rule.is_code_fault:
        return False
    own = tried.with_own(findings[0])
    return own is not None and own.helps and own.solved >= NEAR * own.seeds


def _placed(finding: Finding, training: Training) -> Located:
    """``finding`` with the line that its change concerns."""
    source = training.source
    keys = {key for fix in finding.fixes for key in fix.changes}
    if keys == {RATE} and source.rate is not None:
        return located(finding, file=source.rate.file, line=source.rate.line)
    if keys == {EPOCHS}:
        file, line = source.request.around or source.request.loop
        return located(finding, file=file, line=line)
    return located(finding)


def _checked(learns: bool) -> tuple[str, ...]:
    """What was examined, in words."""
    looked = ("the updates", "the loss over the whole run")
    if learns:
        return looked
    return (*looked, "the learning rate", "the first weights", "the length of the training")
