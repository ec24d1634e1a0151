"""Judges the updates recorded at generic states, and tells what they show."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.faults import others
from nntui.program.blame.faults.forward_faults import of_softmax
from nntui.program.blame.faults.penalties import of_penalties
from nntui.program.blame.faults.piled_up import of_piled_up, piled_up
from nntui.program.blame.faults.replaced import of_last_turn, of_replaced
from nntui.program.blame.faults.shapes import of_crossing
from nntui.program.blame.faults.signs import of_signs
from nntui.program.blame.naming.findings import Finding, of_repairs
from nntui.program.blame.naming.set_aside import of_decay
from nntui.program.blame.repairs.repair import Repairs
from nntui.program.inside.facts import loss_facts, parameter_facts, read_loss, reported_loss
from nntui.program.inside.loss_expression import LossError, LossExpression
from nntui.program.inside.named_parameters import changed_of, named, unknown_names
from nntui.program.judge.probing.alarm import OutOfTimeError, interrupted_at
from nntui.program.judge.probing.generic_states import KINDS, drawn, shake
from nntui.program.judge.probing.handed import (
    Handed,
    record_at,
    record_handed,
)
from nntui.program.judge.update.batches import of_one_size
from nntui.program.judge.update.carried import feedback
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict import loss_hypotheses as losses
from nntui.program.judge.verdict.chosen_values import is_chosen
from nntui.program.judge.verdict.confirm import Confirmation
from nntui.program.judge.verdict.judged_by_loss import best_of
from nntui.program.judge.verdict.judgement import Judgement
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.judge.verdict.loss_site import site_of
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
        self._loss: LossExpression | None = None
        self.until = 0.0
        self.line = 0
        """That of the loop."""

    def evaluate_loss(self, loop: int) -> None:
        """Record the loss that is asked for, if it is an expression, with each update."""
        wanted, execution = self._options.loss, self._execution
        if wanted is None or wanted in losses.USUAL:
            return
        asked = self._loss = LossExpression(execution, wanted, loop, self._learning_of)

        def evaluate(recording: Recording) -> None:
            try:
                asked.end(recording)
            except LossError as error:
                execution.reply({"problem": f"{error} (the loop is in line {self.line})"})

        execution.around_recording = asked.begin, evaluate

    def prepare(self, recordings: list[Recording]) -> None:
        """Set the next state; the first update, as it is, tells what the parameters are."""
        if not recordings:
            return
        if len(recordings) == 1:
            self._classify(recordings[0])
        kind = KINDS[len(recordings) % len(KINDS)]
        shake(self._execution.live(), self._parameters, self._memories, kind, self._draws)

    def _classify(self, recording: Recording) -> None:
        asked = self._options.parameters
        if asked and (unknown := named(recording, asked).unknown):
            self._execution.reply({"problem": unknown_names(recording, unknown, self.line)})
        learning = self._learning_of(recording)
        self._learning = self._parameters = learning
        only = bool(self._options.parameters)
        judged = best_of(self._losses([recording], learning), [recording], learning, only)
        if judged is not None:
            self._parameters, self._memories = judged.parameters, judged.memories

    def _learning_of(self, recording: Recording) -> list[str]:
        """The parameters, before anything is known of a loss."""
        asked = self._options.parameters
        return changed_of(recording, asked) if asked else feedback(recording)

    def _losses(self, recordings: Sequence[Recording], learning: Sequence[str]) -> list[Loss]:
        found = losses.candidates(recordings[0], learning, self._execution.places)
        wanted = self._options.loss
        if self._loss is not None:
            return [] if self._loss.loss is None else [self._loss.loss]
        if wanted in losses.USUAL:
            return [each for each in found if each.kind == wanted]
        if wanted:
            named = [each for each in found if wanted in (each.name, self._text(each))]
            return named or found
        return found

    def _text(self, loss: Loss) -> str:
        return self._execution.places.text(loss.place) if loss.place >= 0 else ""

    def _read_off(self, loss: Loss, recording: Recording) -> dict[str, Any]:
        """Where ``loss`` is read off the running program; else one of its own numbers, and which.

        An expression that was asked for is computed by nothing in the program.
        """
        places = self._execution.places
        site = site_of(loss, recording, places)
        if site is not None and site["site"]["file"] in self._execution.files:
            return {"loss_site": site}
        own = losses.candidates(recording, self._learning, places)
        for each in sorted(own, key=lambda known: -known.prior):
            site = site_of(each, recording, places)
            if site is not None and each.kind == losses.OWN:
                return {"loss_site": site, "read_text": self._text(each) or each.name}
        return {"loss_site": None}

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
        judged = of_one_size(judged)
        hypotheses = self._losses(judged, self._learning)
        only = bool(self._options.parameters)
        best = best_of(hypotheses, judged, self._learning, only)
        if (best is None or best.wrong) and _is_half(judged):
            return {"error": "half", "updates": len(complete)}
        if best is None:
            own = max(hypotheses, key=lambda each: each.prior, default=None)
            site = site_of(own, judged[0], self._execution.places) if own and judged else None
            return {
                **self._unexplained(judged[0]),
                "updates": len(complete),
                "learning": list(self._learning),
                "loss_site": site,
            }
        if best.wrong and len(best.wrong) == len(best.parameters) and is_chosen(best):
            return {"error": "chosen", "updates": len(complete)}
        if best.wrong and not best.is_one_update:
            return {"error": "several", "updates": len(complete)}
        return self._explain(best, hypotheses, complete)

    def _unexplained(self, recording: Recording) -> dict[str, Any]:
        """Why no loss says anything of the updates."""
        wanted, loss = self._options.loss, self._loss
        if not self._learning:
            names = ", ".join(self._options.parameters)
            return {"error": "asked", "message": f"no update changes {names}"}
        if loss is None or loss.loss is None:
            if wanted is None:
                return {"error": "loss"}
            message = f"no prediction that meets a target was found, for {wanted}"
            return {"error": "asked", "message": message}
        mask = recording.mask(self._learning)
        late = any(recording.after[each.number] & mask for each in loss.loss.tops(recording))
        why = (
            "is computed from parameters that are updated already: give the expression for it"
            if late
            else f"does not depend on what the updates change ({', '.join(self._learning[:4])})"
        )
        return {"error": "asked", "message": f"the loss {wanted} {why}"}

    def _explain(
        self, best: Judgement, hypotheses: Sequence[Loss], recordings: Sequence[Recording]
    ) -> dict[str, Any]:
        places = self._execution.places
        findings: list[Finding] = []
        scene = Scene(best, places)
        left_out: list[str] = []
        explained = True
        repaired = None
        if best.wrong:
            repairs = Repairs(scene, self.until)
            try:
                with interrupted_at(self.until):
                    repairs.search()
            except OutOfTimeError:
                repairs.left_out = True
            findings += of_penalties(scene, of_repairs(scene, repairs))
            repaired = repairs.all_made
            unexplained = repairs.unexplained
            if repairs.left_out:
                left_out.append("some repairs were not tried for want of time")
            last = of_replaced(scene) + of_last_turn(scene, best.wrong)
            known = {name for each in last for name in each["parameters"]}
            findings = last + [each for each in findings if not {*each["parameters"]} <= known]
            unexplained = [name for name in unexplained if name not in known]
            explained = not unexplained
            if unexplained and not findings:
                findings.append(others.of_unexplained(scene, unexplained, not repairs.left_out))
        findings += of_signs(scene, repaired)
        piled = piled_up(best)
        findings += of_piled_up(scene, piled)
        softmax = of_softmax(best.recordings[0], places)
        crossing = of_crossing(scene)
        findings = softmax + crossing + findings
        never = self._never_updated(scene)
        findings += others.of_never_updated(scene, never)
        printed = reported_loss(best, hypotheses)
        if printed is not None and not best.wrong and best.right:
            findings.append(others.of_another_loss(scene, printed))
        findings += others.of_factors(scene)
        findings += others.never_called(places, set())
        return {
            "updates": len(recordings),
            "loss": loss_facts(best.loss, places, best.recordings[0]),
            "hypothesis": asdict(best.loss),
            **self._read_off(best.loss, best.recordings[0]),
            "printed_site": None
            if printed is None
            else site_of(printed, best.recordings[0], places),
            "printed_text": "" if printed is None else printed.name or self._text(printed),
            "loss_ordinal": self._ordinal(best.loss, hypotheses),
            "parameters": parameter_facts(best, never, piled),
            "memories": best.memories,
            "findings": findings,
            "left_out": left_out,
            "notes": of_decay(best),
            "explained": explained,
            "crossing": bool(crossing),
        }

    def _never_updated(self, scene: Scene) -> list[str]:
        """Parameters that no update changes, though the loss depends on them."""
        asked, recording = self._options.parameters, scene.recording
        if asked:
            found = [
                name
                for name in named(recording, asked).values
                if recording.end.get(name) is recording.start[name]
                and recording.start[name].number in scene.forward
            ]
        else:
            found = others.never_updated(scene)
        # A variable that several functions share has a name in each.
        first = {recording.start[name].number: name for name in reversed(found)}
        return list(dict.fromkeys(first[recording.start[name].number] for name in found))


def _is_half(recordings: Sequence[Recording]) -> bool:
    """Whether what learns passes through numbers of 16 bits, which show no small fault."""
    return any(
        recording.depends[node.number] and np.asarray(node.value).dtype == np.float16
        for recording in recordings[:1]
        for node in recording.nodes
    )
