"""Explain why a program does not learn: check it, follow its run, try fixes, give one answer."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter
from typing import Any

from nntui.diagnosis.cause import decide
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.results import ENOUGH, Experiments
from nntui.diagnosis.finding import Finding
from nntui.program.answer import ProgramCheck, ProgramLoop
from nntui.program.checking import CheckRequest, check
from nntui.program.control.client import Task
from nntui.program.follow.request import LineOfLoop, Request, Sought
from nntui.program.program_error import ProgramError
from nntui.program.why.goal import Reference
from nntui.program.why.literals import Literal, rate_literals
from nntui.program.why.located import Located, located, mends_by_line, of_check
from nntui.program.why.measured import measured
from nntui.program.why.own_run import OwnRun
from nntui.program.why.pool import Pool, Question
from nntui.program.why.program_answer import ProgramAnswer
from nntui.program.why.program_rounds import ProgramRounds
from nntui.program.why.program_trials import FOLLOW, Board, Costs, ProgramLaboratory, Seeds
from nntui.program.why.source_edits import edited, of_diff
from nntui.program.why.variants import Source, is_bias

SURVEY, SCALING = "nntui.program.follow.many:survey", "nntui.program.follow.many:scaling"
SEEDS, SECONDS = 20, 20.0
RESERVE = 1.0
"""Seconds reserved for the start and the end."""
CHECK, OWN_RUN, LITERAL = 0.35, 0.35, 0.2
"""The most of the time for the check; of what is left then, for the own run and the rate."""
WINDOW = 16
"""Updates whose mean loss counts where each update uses other rows and no loop makes epochs."""
ANOTHER = 271_828
"""A seed that tells whether seeds make a difference."""
TWICE = 2.0
"""By what a number is multiplied to see whether it is the learning rate."""

LONGER, PASSES = (4, 16), (100, 1000, 3000, 10_000, 30_000)
"""How many times as long it trains; how many times it goes over the data that it saw once."""
LONG_SHARE = 0.3
"""The most of the time that is left for a longer training from `ENOUGH` seeds."""
LEAST_TRIED = 3
"""Changes that must have been tried for the whole training before it counts as good."""

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


@dataclass(frozen=True)
class _Training:
    """A training that can be followed, and its own run."""

    source: Source
    run: OwnRun
    costs: Costs
    reference: Reference
    seeds: Seeds


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
        self._progress, self._whole = progress, deadline.left
        self._task = Task(
            request.path,
            request.arguments,
            request.seed,
            None,
            None if request.python is None else shutil.which(os.path.expanduser(request.python)),
            request.allow_effects,
        )
        self._workers = workers
        self._limits: list[str] = []
        self._stopped = False
        self._words = "checking the updates"

    def _go_on(self) -> bool:
        if self._progress is not None and not self._stopped:
            used = 1.0 - self._deadline.left / max(self._whole, 1e-9)
            self._stopped = not self._progress(self._words, used)
        return not self._stopped

    def _pool(self, deadline: Deadline) -> Pool:
        return Pool(self._task, self._workers, deadline, self._go_on)

    def answer(self) -> ProgramAnswer:
        """Check, follow, measure, try, decide."""
        request = self._request
        checked = check(
            request.path,
            request.arguments,
            request.seed,
            time=max(CHECK * self._deadline.left, 1.0),
            allow_effects=request.allow_effects,
            python=request.python,
        )
        training = self._training(checked) if self._go_on() else None
        if training is None:
            return self._without_training(checked)
        return self._explained(checked, training)

    # The training.

    def _training(self, checked: ProgramCheck) -> _Training | None:
        loop, loss = checked.loop, checked.loss
        if loop is None or loss is None or loss.text is None:
            return None
        plain = Request(
            loop=_line(loop),
            around=None if checked.epoch_loop is None else _line(checked.epoch_loop),
            loss=Sought(loss.kind, loss.text, loss.value),
            parameters=tuple(each.name for each in checked.parameters),
        )
        self._words = "looking at the first updates"
        own, other = self._surveys(plain)
        if own is None or not own.get("losses"):
            return None
        varies = bool(own["varies"])
        once = varies and plain.around is None
        plain = replace(
            plain,
            loss=replace(plain.loss, ordinal=own["ordinal"]),
            window=WINDOW if once else 1,
        )
        texts = {os.path.realpath(file): text for file, text in own["sources"].items()}
        self._words = "following the program's own run"
        literal, course = self._literal_and_course(plain, texts)
        if course is None or not course.get("looks"):
            return None
        run = OwnRun.of(course)
        biases = tuple(each.name for each in checked.parameters if is_bias(each.name, each.shape))
        edits = () if checked.diff is None else of_diff(checked.diff, _real(request_file(checked)))
        source = Source(
            texts=texts,
            request=plain,
            weights=tuple(name for name in plain.parameters if name not in biases),
            biases=biases,
            epochs=max(run.epochs, 1),
            rate=literal,
            mends=mends_by_line(checked, edits),
            once=once,
        )
        costs = Costs.measured(course)
        source = replace(source, longer=self._longer(source, costs))
        constant = own["constant"]
        reference = Reference(constant or float(run.losses[0]), constant is None)
        fixed = other is not None and other.get("losses") == own["losses"]
        seeds = Seeds(self._request.seed, fixed)
        return _Training(source, run, costs, reference, seeds)

    def _longer(self, source: Source, costs: Costs) -> tuple[int, ...]:
        """How many times as long the program can be trained from a few seeds, most first."""
        room = LONG_SHARE * self._workers * self._deadline.left / ENOUGH
        possible = PASSES if source.once else LONGER
        fitting = [each for each in possible if costs.of(each * source.epochs) <= room]
        return tuple(sorted(fitting, reverse=True)[:2])

    def _surveys(self, plain: Request) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The first updates from the own seed, and the losses from another."""
        seconds = max(0.2 * self._deadline.left, 0.5)
        options = {"request": plain.as_plain(), "seconds": seconds}
        questions = [
            Question(SURVEY, options),
            Question(SURVEY, {**options, "seed": ANOTHER}),
        ]
        found = self._asked(questions, self._deadline)
        return found.get(0), found.get(1)

    def _asked(self, questions: Sequence[Question], until: Deadline) -> dict[int, dict[str, Any]]:
        found = dict(self._pool(until).ask(questions))
        for each in found.values():
            if "refused" in each:
                what = each["refused"].get("what", "did something outside")
                raise ProgramError(f"{self._request.path} {what}; --allow-effects lets it")
        return found

    def _literal_and_course(
        self, plain: Request, texts: Mapping[str, str]
    ) -> tuple[Literal | None, dict[str, Any] | None]:
        """The learning rate in the source, and the own run."""
        literals = rate_literals(texts)
        twice = [edited(texts, [each.replaced(TWICE * each.value)]) for each in literals]
        left = self._deadline.left
        run = {
            "request": replace(plain, values=True).as_plain(),
            "seed": self._request.seed,
            "texts": {},
        }
        scaling = {"request": plain.as_plain(), "texts": twice, "times": TWICE}
        questions = [
            Question(FOLLOW, {"runs": [run], "seconds": OWN_RUN * left}),
            Question(SCALING, {**scaling, "seconds": LITERAL * left}),
        ]
        found = self._asked(questions, self._deadline)
        first = found.get(1, {}).get("first")
        literal = None if first is None else literals[first]
        courses = found.get(0, {}).get("runs") or [None]
        if literal is None:
            self._limits.append("no number in the source was found that is the learning rate")
        return literal, courses[0]

    # The answer.

    def _without_training(self, checked: ProgramCheck) -> ProgramAnswer:
        findings = of_check(checked, {})
        said = checked.reason or "its training could not be followed"
        return ProgramAnswer(
            program=self._request.path,
            seed=checked.seed,
            check=checked,
            updates=0,
            epochs=0,
            loss=None,
            goal="",
            solved=False,
            findings=tuple(findings),
            checked=("the updates",),
            experiments=None,
            interrupted=self._stopped,
            limits=(f"no run was followed and nothing was tried: {said}", *self._limits),
            decided=False,
        )

    def _explained(self, checked: ProgramCheck, training: _Training) -> ProgramAnswer:
        run, source, reference = training.run, training.source, training.reference
        code = of_check(checked, source.mends)
        loss = float(run.losses[-1])
        goal = reference.goal()
        learns = isfinite(loss) and loss <= goal and not run.diverged
        factors = [abs(each.factor) for each in checked.parameters if each.factor is not None]
        factor = max(factors) if len(factors) == len(checked.parameters) and factors else None
        found = [] if learns else list(measured(run, source, goal, factor))
        findings = [*code, *sorted(found, key=lambda each: -each.weight)]
        tried, decided, board = None, True, Board(reference)
        faults = any(each.rule.is_code_fault for each in findings)
        if (not learns or faults) and self._go_on():
            tried = self._experiments(findings, training, board)
            learns = learns or self._learns(tried, board)
        findings = [each for each in findings if not learns or each in code]
        if tried is not None and not learns:
            decision = decide(findings, [], tried, 0)
            findings = [self._placed(each, source) for each in decision.findings]
            decided = decision.decided and run.whole
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
            goal=reference.words(board.goal(longest), board.lowest(longest)),
            solved=learns,
            findings=tuple(self._as_given(each) for each in findings),
            checked=self._checked(learns),
            experiments=tried,
            interrupted=self._stopped,
            limits=tuple(dict.fromkeys(self._limits)),
            decided=decided,
        )

    def _experiments(
        self, findings: Sequence[Finding], training: _Training, board: Board
    ) -> Experiments:
        self._words = "trying changes"
        laboratory = ProgramLaboratory(
            training.source, board, training.seeds, self._pool(self._deadline), training.costs
        )
        return ProgramRounds(findings, laboratory, self._seeds).all()

    def _learns(self, tried: Experiments, board: Board) -> bool:
        """Whether the run as it stands is as good as all that was tried, at its full length."""
        baseline = tried.baseline
        if baseline is None or baseline.base_epochs < tried.given.epochs or 0 not in tried.solving:
            return False
        long = [each for each in tried.tried if each.base_epochs == tried.given.epochs]
        return len(long) >= LEAST_TRIED and not any(each.helps for each in tried.tried)

    def _as_given(self, finding: Located) -> Located:
        """``finding`` with its file as the program was named, or relative to the working folder."""
        if finding.file is None:
            return finding
        program = self._request.path
        same = _real(finding.file) == _real(program)
        return replace(finding, file=program if same else os.path.relpath(finding.file))

    @staticmethod
    def _placed(finding: Finding, source: Source) -> Located:
        """``finding`` with the line that its change concerns."""
        if isinstance(finding, Located):
            return finding
        keys = {key for fix in finding.fixes for key in fix.changes}
        if keys & {"training.learning_rate"} and source.rate is not None:
            return located(finding, file=source.rate.file, line=source.rate.line)
        if keys & {"goal.epochs"}:
            file, line = source.request.around or source.request.loop
            return located(finding, file=file, line=line)
        return located(finding)

    @staticmethod
    def _checked(learns: bool) -> tuple[str, ...]:
        looked = ("the updates", "the loss over the whole run")
        if learns:
            return looked
        return (*looked, "the learning rate", "the first weights", "the length of the training")


def request_file(checked: ProgramCheck) -> str:
    """The file that the diff of a check is of."""
    return checked.program


def _line(loop: ProgramLoop) -> LineOfLoop:
    return _real(loop.file), loop.line


def _real(file: str) -> str:
    return os.path.realpath(file)
