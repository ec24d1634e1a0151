"""Checks a program from the inside: finds its loop, judges its updates, names the wrong line."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.blame import others
from nntui.program.blame.findings import Finding, finite, of_repairs
from nntui.program.blame.forward_faults import of_not_finite, of_softmax
from nntui.program.blame.repair import Repairs
from nntui.program.blame.scene import Scene
from nntui.program.blame.shapes import of_growth
from nntui.program.blame.signs import of_signs
from nntui.program.judge import losses
from nntui.program.judge.confirm import confirm
from nntui.program.judge.generic_states import KINDS, shake
from nntui.program.judge.losses import Loss
from nntui.program.judge.recording import Recording
from nntui.program.judge.search import Found, Search
from nntui.program.judge.trials import Trials
from nntui.program.judge.verdict import (
    NEVER_UPDATED,
    RIGHT,
    SHAPE_CHANGES,
    WRONG,
    Judgement,
    best_of,
    judge,
)
from nntui.program.record.not_finite import first_not_finite

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

SEED = 12345
"""Of the generic states: the same in every run."""
SEVERAL_FACTORS = 1.01
"""Ratio of the factors of two parameters from which on that is told."""


@dataclass(frozen=True)
class Options:
    """What is asked of a check."""

    lines: tuple[int, ...] = ()
    """Lines of the loop; none: it is looked for."""
    loss: str | None = None
    """The kind of a usual loss, or source that names the program's own."""
    parameters: tuple[str, ...] = ()
    seconds: float = 10.0
    at: int = 1
    """The iteration, counted from the first, at which the updates are judged."""


@dataclass
class Check:
    """Watches a program run, and answers once its updates are judged and it has been watched."""

    execution: "Execution"
    options: Options
    answer: dict[str, Any] = field(default_factory=dict)
    found: Found | None = None

    def begin(self) -> None:
        """Watch the program, which is about to run."""
        self._until = time.monotonic() + self.options.seconds
        self.search = Search(
            self.execution, self._judge, self._inspect, self.options.at, self.options.lines
        )
        self.search.begin()

    def _inspect(self, recording: Recording, learning: list[str]) -> list[Finding]:
        """What the first iteration shows: shapes that change, numbers that are not finite."""
        places = self.execution.places
        grown = [
            name
            for name in learning
            if np.shape(recording.start[name].value) != np.shape(recording.end[name].value)
        ]
        return of_growth(recording, grown, places) if grown else []

    def _judge(self, found: Found) -> None:
        self.found = found
        states = _States(self.execution, self.options)
        seconds = max(self._until - time.monotonic(), 1.0)
        states.until = time.monotonic() + 0.8 * seconds
        trials = Trials(self.execution, found.loop, len(KINDS), states.prepare, states.answer)
        answer = self.execution.fork(trials, seconds)
        self.execution.on_iteration = self.execution.on_left = None
        self.answer = answer or {"error": "no answer"}
        loss = self.answer.pop("hypothesis", None)
        if loss is not None and time.monotonic() < self._until:
            confirmation = confirm(
                self.execution,
                found.loop,
                read_loss(loss),
                [each["name"] for each in self.answer["parameters"]],
                self.answer["memories"],
            )
            self.answer["confirmed"] = confirmation is not None and confirmation.holds
            self.answer["slopes"] = None if confirmation is None else asdict(confirmation)


class _States:
    """The generic states of consecutive updates, and what the updates recorded there show."""

    def __init__(self, execution: "Execution", options: Options) -> None:
        self._execution, self._options = execution, options
        self._draws = np.random.RandomState(SEED)
        self._parameters: Sequence[str] = ()
        self._memories: Sequence[str] = ()
        self._learning: Sequence[str] = ()
        self.until = 0.0

    def prepare(self, recordings: list[Recording]) -> None:
        """Set the next state; the first update, as it is, tells what the parameters are."""
        if not recordings:
            return
        if len(recordings) == 1:
            self._classify(recordings[0])
        kind = KINDS[len(recordings) % len(KINDS)]
        shake(self._execution.live(), self._parameters, self._memories, kind, self._draws)

    def _classify(self, recording: Recording) -> None:
        from nntui.program.judge.carried import feedback

        learning = feedback(recording)
        self._learning = self._parameters = learning
        judged = best_of(self._losses([recording], learning), [recording], learning)
        if judged is not None:
            self._parameters, self._memories = judged.parameters, judged.memories

    def _losses(self, recordings: Sequence[Recording], learning: Sequence[str]) -> list[Loss]:
        found = losses.candidates(recordings[0], learning, self._execution.places)
        wanted = self._options.loss
        if wanted in losses.USUAL:
            return [each for each in found if each.kind == wanted]
        if wanted:
            named = [each for each in found if wanted in (each.name, self._text(each))]
            return named or found
        return found

    def _text(self, loss: Loss) -> str:
        return self._execution.places.text(loss.place) if loss.place >= 0 else ""

    def answer(self, recordings: list[Recording]) -> dict[str, Any]:
        """What the recordings show, in the shape of the JSON contract."""
        complete = [each for each in recordings if each.complete]
        if not complete:
            return {"error": "full", "updates": 0}
        if len(recordings) == 1:
            self._classify(recordings[0])
        judged = [
            each
            for at, each in enumerate(complete)
            if at or len(complete) == 1 or not self._memories
        ]
        hypotheses = self._losses(judged, self._learning)
        best = best_of(hypotheses, judged, self._learning)
        if best is None:
            return {"error": "loss", "updates": len(complete), "learning": list(self._learning)}
        return self._explain(best, hypotheses, complete)

    def _explain(
        self, best: Judgement, hypotheses: Sequence[Loss], recordings: Sequence[Recording]
    ) -> dict[str, Any]:
        places = self._execution.places
        findings: list[Finding] = []
        scene = Scene(best, places)
        left_out: list[str] = []
        if best.wrong:
            repairs = Repairs(scene, self.until)
            repairs.search()
            findings += of_repairs(scene, repairs)
            unexplained = repairs.unexplained
            if repairs.left_out:
                left_out.append("some repairs were not tried for want of time")
            if unexplained and not findings:
                findings.append(others.of_unexplained(scene, unexplained))
        findings += of_signs(scene)
        never = others.never_updated(scene)
        findings += others.of_never_updated(scene, never)
        softmax = of_softmax(best.recordings[0], places)
        findings += softmax
        printed = _printed(best, hypotheses)
        if printed is not None and not best.wrong and best.right:
            findings.append(others.of_another_loss(scene, printed))
        findings += others.of_factors(scene)
        findings += others.never_called(places, set())
        return {
            "updates": len(recordings),
            "loss": _told(best.loss, places, best.recordings[0]),
            "hypothesis": asdict(best.loss),
            "parameters": _parameters(best, never),
            "memories": best.memories,
            "findings": findings,
            "left_out": left_out,
            "forward_wrong": bool(softmax),
        }


def _printed(best: Judgement, hypotheses: Sequence[Loss]) -> Loss | None:
    """The loss that the program prints, where another one is minimised."""
    if best.loss.kind == losses.OWN:
        return None
    own = [each for each in hypotheses if each.kind == losses.OWN and each.prior >= 2]
    return own[0] if own else None


def _parameters(best: Judgement, never: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for name in best.parameters:
        start = next(each.start[name] for each in best.recordings if name in each.start)
        known = [each for each in best.agreements[name] if each is not None]
        verdict = best.verdicts[name]
        factor = best.factors.get(name)
        if factor is not None and factor < 0:
            verdict = WRONG
        if best.readings[name].adapts:
            factor = None
        residual = max((each.residual for each in known), default=None)
        found.append(
            {
                "name": name,
                "shape": list(np.shape(start.value)),
                "verdict": verdict,
                "factor": factor,
                "residual": None if residual is None else finite(residual),
            }
        )
    for name in never:
        start = best.recordings[0].start[name]
        found.append(
            {
                "name": name,
                "shape": list(np.shape(start.value)),
                "verdict": NEVER_UPDATED,
                "factor": None,
                "residual": None,
            }
        )
    return found


def _told(loss: Loss, places: Any, recording: Recording) -> dict[str, Any]:
    place = places.places[loss.place] if loss.place >= 0 else None
    return {
        "kind": loss.kind,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "text": loss.name if place is None else places.text(place),
        "value": finite(loss.value(recording)),
    }


def read_loss(plain: dict[str, Any]) -> Loss:
    """The loss that travelled as JSON."""
    return Loss(**{**plain, "key": _tuples(plain["key"])})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


__all__ = [
    "RIGHT",
    "SHAPE_CHANGES",
    "Check",
    "Options",
    "first_not_finite",
    "judge",
    "of_not_finite",
]
Loose = Callable[..., Any]
