"""Explain why a program does not learn: check it, follow its run, try fixes, give one answer."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from time import perf_counter
from typing import Any

from nntui.core.errors import ConfigError
from nntui.diagnosis.cause import decide
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.results import ENOUGH, Experiment
from nntui.diagnosis.finding import Finding, Fix
from nntui.presets.preset import Preset
from nntui.presets.schema import override
from nntui.program.analysis_reply import Request, program_check
from nntui.program.answer import ProgramCheck
from nntui.program.checking import CheckRequest
from nntui.program.control.client import Task
from nntui.program.program_error import ProgramError
from nntui.program.recognise.preset_of import read_text
from nntui.program.why.described import described_preset, diagnosed
from nntui.program.why.located import Located, located, mend_in_words, of_check
from nntui.program.why.measured import measured, once
from nntui.program.why.own_names import OwnNames, in_own_words, in_program, merged
from nntui.program.why.own_run import OwnRun
from nntui.program.why.pool import Pool, Question
from nntui.program.why.program_answer import ProgramAnswer
from nntui.program.why.program_rounds import NOTHING, ProgramRounds
from nntui.program.why.program_trials import Board, ProgramLaboratory
from nntui.program.why.through_preset import explain_preset
from nntui.program.why.training import Looking, Training
from nntui.program.why.variants import EPOCHS, RATE

CHECK_INSIDE = "nntui.program.inside_check:check"
SEEDS, SECONDS = 20, 20.0
RESERVE = 1.0
"""Seconds reserved for the start and the end."""
CHECK = 0.3
"""The most of the time for the check."""
BY_PRESET = 0.8
"""The share of the time that is left for the preset that computes the same, where there is one."""
LEAST_TRIED = 3
"""Changes that must have been tried for a quarter of the training before it counts as good."""

OnProgress = Callable[[str, float], bool]
"""Called with the current activity and the share of time used; returns False to stop."""


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
) -> ProgramAnswer:
    """Explain within ``time`` seconds why the program ``path`` does not learn.

    The arguments up to ``allow_effects`` are those of `nntui.program.check`; ``seeds`` is how many
    are tried.  ``workers`` is the number of processes (None: one per processor).  ``progress`` can
    return False to stop early; the answer then holds the results so far.  Raises ProgramError for a
    program that cannot be looked at, and for arguments that make no sense.
    """
    if seeds < 1:
        raise ProgramError(f"the number of seeds must be 1 or more, not {seeds}")
    request = CheckRequest(
        os.fspath(path),
        tuple(arguments),
        seed,
        time=time,
        allow_effects=allow_effects,
        python=python,
    )
    for problem in request.problems():
        raise ProgramError(problem)
    begin = perf_counter()
    deadline = Deadline(begin + max(time - RESERVE, time / 2.0))
    inquiry = _Inquiry(request, seeds, deadline, progress, workers or os.cpu_count() or 1)
    return inquiry.answer()


class _Inquiry:
    """One question about one program, stage by stage."""

    def __init__(
        self,
        request: CheckRequest,
        seeds: int,
        deadline: Deadline,
        progress: OnProgress | None,
        workers: int,
    ) -> None:
        self._request, self._seeds, self._deadline = request, seeds, deadline
        self._progress, self._whole, self._workers = progress, deadline.left, workers
        python = request.python
        interpreter = None if python is None else shutil.which(os.path.expanduser(python))
        self._task = Task(
            request.path, request.arguments, request.seed, None, interpreter, request.allow_effects
        )
        self._limits: list[str] = []
        self._stopped = False

    def _go_on(self, words: str) -> bool:
        if self._progress is not None and not self._stopped:
            used = 1.0 - self._deadline.left / max(self._whole, 1e-9)
            self._stopped = not self._progress(words, used)
        return not self._stopped

    def _pool(self, words: str) -> Pool:
        return Pool(self._task, self._workers, self._deadline, lambda: self._go_on(words))

    def answer(self) -> ProgramAnswer:
        """Check, follow, measure, try, decide."""
        checked, reply = self._check()
        looking = Looking(self._task, self._deadline, self._workers, self._go_on)
        training = None if self._stopped else looking.training(checked, reply)
        if training is None:
            return self._without_training(checked)
        preset = _preset_of(training)
        if preset is not None and not self._stopped:
            answer = self._through_preset(checked, training, preset)
            if answer is not None:
                return answer
        return self._by_itself(checked, training)

    def _check(self) -> tuple[ProgramCheck, dict[str, Any]]:
        request, task = self._request, self._task
        seconds = max(CHECK * self._deadline.left, 1.0)
        options: dict[str, Any] = {"lines": [], "loss": None, "parameters": [], "seconds": seconds}
        question = Question(CHECK_INSIDE, options)
        reply = dict(self._pool("checking the updates").ask([question])).get(0, {"error": "time"})
        asked = Request(
            request.path, request.arguments, request.seed, seconds, task.python or sys.executable
        )
        return program_check(asked, reply), reply

    def _without_training(self, checked: ProgramCheck) -> ProgramAnswer:
        said = checked.reason or "its training could not be followed"
        return ProgramAnswer(
            program=self._request.path,
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
            interrupted=self._stopped,
            limits=(f"no run was followed and nothing was tried: {said}",),
            decided=False,
        )

    # Through the preset that computes the same.

    def _through_preset(
        self, checked: ProgramCheck, training: Training, preset: Preset
    ) -> ProgramAnswer | None:
        recognised = training.recognised
        assert recognised is not None
        assert recognised.description is not None
        explained = explain_preset(
            preset,
            self._deadline.share(BY_PRESET),
            lambda words, _used: self._go_on(words),
            self._workers,
        )
        if explained is None:
            return None
        answer, reference, lowest = explained
        names, source = OwnNames(recognised.description), training.source
        code = of_check(checked, source.mends)
        rate = preset.configuration.training.learning_rate
        findings = [
            replace(each, fixes=tuple(in_own_words(fix, source, rate) for fix in each.fixes))
            for each in merged(answer.findings, code, recognised.description, source)
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
            program=self._request.path,
            seed=checked.seed,
            check=checked,
            updates=answer.updates,
            epochs=preset.goal.epochs,
            loss=answer.loss,
            missed=None if answer.loss is None else answer.loss / reference.constant,
            goal=reference.words(answer.preset.goal.loss, lowest),
            solved=answer.solved,
            findings=tuple(map(self._as_given, findings)),
            checked=answer.checked,
            experiments=tried,
            recognised=recognised.preset_text or recognised.nearest_text,
            through_preset=True,
            interrupted=self._stopped or answer.interrupted,
            limits=tuple(map(names.said, answer.limits)),
            decided=answer.decided,
        )
        best = made.best or made.promising
        if best is None or self._stopped:
            return made
        return replace(made, confirmed=self._confirmed(best.fix, training, rate))

    def _confirmed(self, fix: Fix, training: Training, rate: float) -> Experiment | None:
        """What ``fix``, of the preset, does in the program itself; None where it has no place."""
        own = in_program(fix, training.source, rate)
        board = Board(training.reference)
        laboratory = self._laboratory(training, board, "trying the fix on the program itself")
        baseline, trial = laboratory.trial(NOTHING), laboratory.trial(own) if own.changes else None
        if baseline is None or trial is None:
            return None
        epochs = laboratory.fitting([baseline, trial], ENOUGH, 0.9)
        laboratory.train([trial, baseline], epochs, min(ENOUGH, self._seeds))
        return Experiment.of(trial, baseline)

    # The program itself.

    def _laboratory(self, training: Training, board: Board, words: str) -> ProgramLaboratory:
        return ProgramLaboratory(
            training.source, board, training.seeds, self._pool(words), training.costs
        )

    def _by_itself(self, checked: ProgramCheck, training: Training) -> ProgramAnswer:
        run, source, reference = training.run, training.source, training.reference
        code = of_check(checked, source.mends)
        loss = float(run.losses[-1])
        learns = isfinite(loss) and loss <= reference.goal() and not run.diverged
        found, suspects = ([], []) if learns else self._measured(checked, training)
        findings: list[Finding] = [*code, *found]
        tried, decided, board = None, True, Board(reference)
        faults = any(each.rule.is_code_fault for each in code)
        if (not learns or faults) and not self._stopped:
            laboratory = self._laboratory(training, board, "trying changes")
            tried = ProgramRounds(
                [*findings, *suspects], laboratory, self._seeds, mend_in_words(code)
            ).all()
            learns = learns or _is_as_good(run, board)
        if learns:
            findings = list(code)
        elif tried is not None:
            decision = decide(findings, suspects, tried, 0)
            findings, decided = list(decision.findings), decision.decided and run.whole
        if source.rate is None:
            self._limits.append("no number in the source was found that is the learning rate")
        if not run.whole:
            self._limits.append(f"the run was followed for {run.epochs:,} turns only")
        longest = max((each.base_epochs for each in tried.tried), default=0) if tried else 0
        return ProgramAnswer(
            program=self._request.path,
            seed=checked.seed,
            check=checked,
            updates=run.updates,
            epochs=run.epochs,
            loss=loss if isfinite(loss) else None,
            missed=loss / reference.constant if isfinite(loss) else None,
            goal=reference.words(board.goal(longest, 0), board.lowest(longest, 0)),
            solved=learns,
            findings=tuple(self._as_given(_placed(each, training)) for each in findings),
            checked=_checked(learns),
            experiments=tried,
            interrupted=self._stopped,
            limits=tuple(dict.fromkeys(self._limits)),
            decided=decided,
        )

    def _measured(
        self, checked: ProgramCheck, training: Training
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
                seen = diagnosed(preset, description, run, self._deadline.share(0.3))
            if seen is not None:
                names = OwnNames(description)

                def own(finding: Finding) -> Located:
                    said = names.finding(finding, source)
                    fixes = tuple(in_program(fix, source, rate) for fix in said.fixes)
                    return replace(said, fixes=fixes)

                found = [*once(run, source), *map(own, seen.findings)]
                return found, list(map(own, seen.suspects))
        goal = training.reference.goal()
        found = list(measured(run, source, goal, factor))
        return sorted(found, key=lambda each: -each.weight), []

    def _as_given(self, finding: Located) -> Located:
        """``finding`` with its file as the program was named, or relative to the working folder."""
        if finding.file is None:
            return finding
        program = self._request.path
        same = os.path.realpath(finding.file) == os.path.realpath(program)
        return replace(finding, file=program if same else os.path.relpath(finding.file))


def _preset_of(training: Training) -> Preset | None:
    """The preset that computes the same, or the same in another order of the rows."""
    recognised = training.recognised
    text = None if recognised is None else recognised.preset_text or recognised.nearest_text
    if text is None:
        return None
    run = training.run
    try:
        preset = read_text(text)
        # The run knows how long the program trains, where its source does not say.
        return override(preset, {"goal.epochs": run.epochs}) if run.whole else preset
    except ConfigError:
        return None


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
