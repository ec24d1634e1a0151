"""What some updates of a changed program show: which parameters step along the gradient now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.probing.generic_states import shake
from nntui.program.judge.probing.trials import Trials
from nntui.program.judge.update.carried import feedback
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict import loss_hypotheses as losses
from nntui.program.judge.verdict.judged_by_loss import judge
from nntui.program.judge.verdict.judgement import RIGHT, WRONG, Judgement
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.judge.verdict.plausibility import score
from nntui.program.record.adjoints import adjoints
from nntui.program.record.places import Places

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

Array = np.ndarray
KINDS = ("medium", "positive", "small", "medium", "noise")
"""The generic states of the updates that are recorded; the last alone depends on those before."""
SEED = 2718
NEAR = 1e-3
"""Of the sieve: the difference of two directions that may yet be one, in single precision."""
SHAPE_CHANGES = "shape changes"


@dataclass(frozen=True)
class Question:
    """What the check of the unchanged program has found, and is asked again."""

    parameters: tuple[str, ...]
    memories: tuple[str, ...]
    kind: str
    """Of the loss."""
    text: str
    """The source of the loss."""
    turns: tuple[int, ...] = ()
    """The turns of the loops in which the loss is computed."""


@dataclass(frozen=True)
class Verdicts:
    """By parameter, the verdict and the factor of its step; what a trial answers."""

    verdicts: Mapping[str, str]
    factors: Mapping[str, float]
    loss: tuple[float | None, ...] = ()
    """In the states that are recorded; None where it is not finite."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Verdicts":
        """The verdicts in the answer of a trial; none where it failed."""
        return cls(
            answer.get("verdicts", {}), answer.get("factors", {}), tuple(answer.get("loss", ()))
        )

    @property
    def right(self) -> set[str]:
        """The parameters that are right."""
        return {name for name, verdict in self.verdicts.items() if verdict == RIGHT}

    @property
    def uphill(self) -> set[str]:
        """The parameters whose steps are along the gradient, with the wrong sign."""
        return {name for name, factor in self.factors.items() if factor < 0}

    @property
    def wrong(self) -> set[str]:
        """The parameters that are not."""
        return {
            name for name, verdict in self.verdicts.items() if verdict in (WRONG, SHAPE_CHANGES)
        }


class UpdateTrial:
    """Records some updates of a program and judges them; the job of a fork.

    ``before``: the verdicts of the unchanged program; where the first update shows already that
    none of its wrong parameters is mended, the trial ends there.
    """

    def __init__(
        self,
        execution: "Execution",
        loop: int,
        question: Question,
        before: Verdicts | None,
        count: int = len(KINDS),
    ) -> None:
        self._execution, self._question, self._before = execution, question, before
        self._draws = np.random.RandomState(SEED)
        self._trials = Trials(execution, loop, count, self._prepare, self._finish)
        self.more: dict[str, Any] = {}

    def __call__(self, reply: "Reply") -> None:
        """Begin."""
        self._trials(reply)

    def _prepare(self, recordings: list[Recording]) -> None:
        if len(recordings) == 1 and self._before is not None and self._is_hopeless(recordings[0]):
            self._execution.reply({})
        kind = KINDS[len(recordings) % len(KINDS)]
        question = self._question
        shake(self._execution.live(), question.parameters, question.memories, kind, self._draws)

    def _is_hopeless(self, recording: Recording) -> bool:
        """Whether one update shows that nothing is mended, or that something breaks.

        This is a sieve: what it lets pass is judged in all states.
        """
        assert self._before is not None
        names = [each for each in self._question.parameters if each in recording.bit]
        for loss in self._losses(recording, names):
            seeds = loss.seeds(recording)
            if seeds is None:
                continue
            with np.errstate(all="ignore"):
                derivatives = adjoints(recording.nodes, seeds)
            if any(
                self._may_be_right(recording, derivatives, name)
                for name in names
                if name not in self._before.right
            ):
                return False
        return True

    def _may_be_right(
        self, recording: Recording, derivatives: Mapping[int, Array], name: str
    ) -> bool:
        """Whether the step of ``name`` goes along its gradient, or that and the parameter."""
        start, step = recording.start[name], recording.step(name)
        gradient = derivatives.get(start.number)
        if step is None:
            return False
        if gradient is None or not np.any(step):
            return True
        if is_parallel(step, gradient):
            return float(np.sum(step * gradient)) < 0
        if self._question.memories:
            return True  # an optimiser, whose steps need not be along the gradient
        parts = np.stack([np.ravel(gradient), np.ravel(np.asarray(start.value, float))], axis=1)
        if len(parts) < 3 or not (np.isfinite(parts).all() and np.isfinite(step).all()):
            return bool(np.isfinite(parts).all()) and np.size(step) < 3
        rest = np.ravel(step) - parts @ np.linalg.lstsq(parts, np.ravel(step), rcond=None)[0]
        return float(np.linalg.norm(rest)) < NEAR * float(np.linalg.norm(step))

    def _judgement(self, recordings: Sequence[Recording]) -> Judgement | None:
        recording = recordings[0]
        learning = feedback(recording)
        best: Judgement | None = None
        for loss in self._losses(recording, learning):
            found = judge(loss, recordings, learning)
            if found is not None and (best is None or score(found) > score(best)):
                best = found
        return best

    def _losses(self, recording: Recording, learning: Sequence[str]) -> list[Loss]:
        places = self._execution.places
        found = losses.candidates(recording, learning, places)
        asked = self._question
        same = [each for each in found if each.kind == asked.kind]
        same = [each for each in same if loss_text(each, places) == asked.text]
        exact = [each for each in same if loss_turns(each.key) == asked.turns]
        return (exact or same)[-2:]

    def _finish(self, recordings: list[Recording]) -> dict[str, Any]:
        complete = [each for each in recordings if each.complete]
        if not complete:
            return {}
        judgement = self._judgement(complete)
        answer: dict[str, Any] = {"verdicts": {}, "factors": {}, "loss": []}
        if judgement is not None:
            answer["verdicts"] = dict(judgement.verdicts)
            answer["factors"] = dict(judgement.factors)
            answer["loss"] = [float(judgement.loss.value(each)) for each in complete]
        for name, factor in answer["factors"].items():
            if factor < 0:
                answer["verdicts"][name] = WRONG
        for name in grown(complete[0]):
            answer["verdicts"][name] = SHAPE_CHANGES
        answer["loss"] = [each if np.isfinite(each) else None for each in answer["loss"]]
        if self._before is None:
            answer.update(self.facts(complete, judgement))
        return answer

    def facts(self, recordings: Sequence[Recording], judgement: Judgement | None) -> dict[str, Any]:
        """What else the unchanged program shows; see `measured_facts`."""
        from nntui.program.mending.trying.measured_facts import facts

        return facts(self._execution.places, recordings, judgement)


def is_parallel(one: Array, other: Array) -> bool:
    """Whether two arrays of one size point the same way, or opposite ways."""
    one, other = np.ravel(one).astype(float), np.ravel(other).astype(float)
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return (
        bool(lengths > 0 and np.isfinite(lengths))
        and abs(abs(float(one @ other)) / lengths - 1) < NEAR
    )


def grown(recording: Recording) -> list[str]:
    """The parameters whose shape is another after the update."""
    return [
        name
        for name in feedback(recording)
        if name in recording.end
        and np.shape(recording.start[name].value) != np.shape(recording.end[name].value)
    ]


def loss_turns(key: Any) -> tuple[int, ...]:
    """The turns of the loops in which the value of a ``key`` is computed.

    The numbers of places and loops in a key are those of one execution, the turns are not.
    """
    path = key[0] if key and isinstance(key[0], list | tuple) else ()
    return tuple(step[2] for step in path if isinstance(step, list | tuple))


def loss_text(loss: Loss, places: Places) -> str:
    """The source of a loss, as the answer of a check gives it."""
    return loss.name if loss.place < 0 else places.text(loss.place)
