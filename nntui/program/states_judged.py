"""Judges the updates recorded at generic states, and tells what they show."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.blame import others
from nntui.program.blame.findings import Finding, finite, of_repairs
from nntui.program.blame.forward_faults import of_softmax
from nntui.program.blame.repair import Repairs
from nntui.program.blame.scene import Scene
from nntui.program.blame.signs import of_signs
from nntui.program.judge import loss_hypotheses as losses
from nntui.program.judge.alarm import OutOfTimeError, interrupted_at
from nntui.program.judge.carried import feedback
from nntui.program.judge.confirm import Confirmation
from nntui.program.judge.generic_states import KINDS, drawn, shake
from nntui.program.judge.handed import (
    Handed,
    record_at,
    record_handed,
)
from nntui.program.judge.loss_hypotheses import Loss
from nntui.program.judge.loss_site import site_of
from nntui.program.judge.recorded_update import Recording
from nntui.program.judge.verdict import (
    NEVER_UPDATED,
    WRONG,
    Judgement,
    best_of,
)
from nntui.program.record.adjoints import adjoints

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

SEED = 12345
"""Of the generic states: the same in every run."""
HANDED_DISTANCE = 1e-5
"""How far the parameters that were handed to an optimiser are moved for a finite difference."""


@dataclass(frozen=True)
class Options:
    """What is asked of a check."""

    lines: tuple[int, ...] = ()
    """Lines of the loop; none: it is looked for."""
    loss: str | None = None
    """The kind of a usual loss, or source that names the program's own."""
    parameters: tuple[str, ...] = ()
    seconds: float = 10.0
    diff: bool = False
    """Whether the mend is looked for, in as much time again."""


class States:
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

    def _ordinal(self, loss: Loss, hypotheses: Sequence[Loss]) -> int:
        """Which of those that read the same ``loss`` is."""
        text = self._text(loss)
        alike = [each for each in hypotheses if (each.kind, self._text(each)) == (loss.kind, text)]
        return alike.index(loss)

    def of_handed(self, handed: Handed) -> dict[str, Any]:
        """What loss and gradient show that were handed to an optimiser."""
        recordings = record_handed(self._execution, handed)
        self._learning = (handed.name,)
        answer = self.answer(recordings)
        if "hypothesis" in answer:
            answer["confirmed"] = self._confirms(handed, read_loss(answer["hypothesis"]))
        return answer

    def _confirms(self, handed: Handed, loss: Loss) -> bool:
        """Whether the loss itself, called beside a generic point, has the derived slope there."""
        draws = np.random.RandomState(SEED)
        point = drawn(handed.start, "noise", draws)
        along = draws.randn(*point.shape)
        moved = [point + side * HANDED_DISTANCE * along for side in (1, -1)]
        values = []
        for each in moved:
            value = handed.loss(each, *handed.arguments)
            value = value[0] if isinstance(value, tuple) else value
            values.append(float(np.sum(value)))
        recording = record_at(self._execution, handed, point)
        seeds = None if recording is None else loss.seeds(recording)
        if recording is None or seeds is None:
            return False
        slope = adjoints(recording.nodes, seeds)[recording.start[handed.name].number]
        measured = (values[0] - values[1]) / (2 * HANDED_DISTANCE)
        return Confirmation(measured, float(np.sum(slope * along)), 1e-5).holds

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
            own = max(hypotheses, key=lambda each: each.prior, default=None)
            site = site_of(own, judged[0], self._execution.places) if own and judged else None
            return {
                "error": "loss",
                "updates": len(complete),
                "learning": list(self._learning),
                "loss_site": site,
            }
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
            try:
                with interrupted_at(self.until):
                    repairs.search()
            except OutOfTimeError:
                repairs.left_out = True
            findings += of_repairs(scene, repairs)
            unexplained = repairs.unexplained
            if repairs.left_out:
                left_out.append("some repairs were not tried for want of time")
            if unexplained and not findings:
                findings.append(others.of_unexplained(scene, unexplained))
        findings += of_signs(scene)
        softmax = of_softmax(best.recordings[0], places)
        findings = softmax + findings
        never = others.never_updated(scene)
        findings += others.of_never_updated(scene, never)
        printed = _printed(best, hypotheses)
        if printed is not None and not best.wrong and best.right:
            findings.append(others.of_another_loss(scene, printed))
        findings += others.of_factors(scene)
        findings += others.never_called(places, set())
        return {
            "updates": len(recordings),
            "loss": _told(best.loss, places, best.recordings[0]),
            "hypothesis": asdict(best.loss),
            "loss_site": site_of(best.loss, best.recordings[0], places),
            "printed_site": None
            if printed is None
            else site_of(printed, best.recordings[0], places),
            "printed_text": "" if printed is None else printed.name or self._text(printed),
            "loss_ordinal": self._ordinal(best.loss, hypotheses),
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
