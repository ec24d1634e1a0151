"""Checks a program from the inside: finds its loop, judges its updates, names the wrong line."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from nntui.program.judge.alarm import OutOfTimeError, interrupted_at
from nntui.program.judge.carried import feedback
from nntui.program.judge.confirm import Confirmation, confirm
from nntui.program.judge.generic_states import KINDS, drawn, shake
from nntui.program.judge.handed import (
    Handed,
    record_at,
    record_handed,
    uses_scipy,
    watch_optimisers,
)
from nntui.program.judge.losses import Loss
from nntui.program.judge.recording import Recording
from nntui.program.judge.search import Found, Search
from nntui.program.judge.trials import Trials, as_it_is
from nntui.program.judge.verdict import (
    NEVER_UPDATED,
    NO_INFORMATION,
    RIGHT,
    SHAPE_CHANGES,
    WRONG,
    Judgement,
    best_of,
)
from nntui.program.judge.watch import Watch
from nntui.program.record.adjoints import adjoints
from nntui.program.record.not_finite import first_not_finite
from nntui.program.record.places import Places

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

SEED = 12345
"""Of the generic states: the same in every run."""

EARLY = 20
"""Updates within which a printed number that is not finite makes a training wrong by itself.

Later, while every parameter is finite, it is told: predictions that are exactly 0 or 1 at the end
of a training that went well give log(0) in what is printed, and in nothing else.
"""
HANDED_DISTANCE = 1e-5
"""How far the parameters that were handed to an optimiser are moved for a finite difference."""
SLACK = 4.0
"""Seconds behind the time given until a process that does not answer is given up."""
WATCHED = 0.2
"""The part of the time that the rest of the training is watched for at most."""


@dataclass(frozen=True)
class Options:
    """What is asked of a check."""

    lines: tuple[int, ...] = ()
    """Lines of the loop; none: it is looked for."""
    loss: str | None = None
    """The kind of a usual loss, or source that names the program's own."""
    parameters: tuple[str, ...] = ()
    seconds: float = 10.0


def check_program(execution: "Execution", options: Options) -> dict[str, Any]:
    """Run the program in forks, and answer in the shape of the JSON contract.

    Beside its keys there are: ``others`` (lines of further trainings), ``left_out``, ``ending``
    (how the program ended, if it did), ``memories``, ``hypothesis``, ``error`` (why it could not
    tell).
    """
    until = time.monotonic() + options.seconds
    answer = _judged(execution, options, 1, until)
    wide = "loop" not in answer and bool(answer.get("cut_off"))
    if wide:
        answer = _judged(execution, options, 1, until, wide=True)
    if answer.get("unjudged"):
        # The loop has one iteration: it is judged at its first.
        again = _judged(execution, options, 0, until, wide)
        answer = again if "loop" in again else answer
    if answer.get("not_finite") is not None:
        _find_not_finite(execution, answer, until)
    return answer


def _judged(
    execution: "Execution", options: Options, at: int, until: float, wide: bool = False
) -> dict[str, Any]:
    check = _Check(execution, options, at, until, wide)
    return execution.analyse(check.begin, max(until - time.monotonic(), 1.0) + SLACK)


class _Check:
    """One run of the program: its loop is looked for, judged, and the training watched."""

    def __init__(
        self, execution: "Execution", options: Options, at: int, until: float, wide: bool
    ) -> None:
        self._execution, self._options, self._until = execution, options, until
        self._search = Search(execution, self._judge, self._inspect, at, options.lines, wide)
        self._answer: dict[str, Any] = {}
        self._watch: Watch | None = None
        self._reply: Reply | None = None

    def begin(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._reply = reply
        self._execution.on_end = self._on_end
        self._search.begin()
        if uses_scipy(self._execution.source.tree):
            watch_optimisers(self._execution.files, self._on_handed)

    def _on_handed(self, handed: Handed) -> None:
        """The program hands a loss and its gradient to an optimiser, and so has no loop itself."""
        if self._search.best is not None:
            return
        execution = self._execution
        states = _States(execution, self._options)
        states.until = time.monotonic() + 0.7 * max(self._until - time.monotonic(), 1.0)

        def job(reply: "Reply") -> None:
            reply(states.of_handed(handed))

        answer = execution.fork(job, max(self._until - time.monotonic(), 1.0) + SLACK / 2)
        if answer is None:
            return
        self._answer = answer
        here = {"file": handed.file, "line": handed.line}
        function = None if handed.function == "<module>" else handed.function
        answer["loop"] = {**here, "function": function}
        answer["epoch_loop"] = None
        self._conclude()

    def _inspect(self, recording: Recording, learning: list[str]) -> list[Finding]:
        """What the first iteration shows: shapes that change."""
        grown = [
            name
            for name in learning
            if np.shape(recording.start[name].value) != np.shape(recording.end[name].value)
        ]
        return of_growth(recording, grown, self._execution.places) if grown else []

    def _judge(self, found: Found) -> None:
        execution = self._execution
        states = _States(execution, self._options)
        seconds = max(self._until - time.monotonic(), 1.0)
        states.until = time.monotonic() + 0.7 * seconds
        trials = Trials(execution, found.loop, len(KINDS), states.prepare, states.answer)
        trials.late = time.monotonic() + 0.3 * seconds
        answer = execution.fork(trials, seconds + SLACK / 2)
        if answer is None:
            return
        execution.on_iteration = execution.on_left = None
        self._answer = answer
        if not self._confirm(found):
            return
        names = [each["name"] for each in answer.get("parameters", ())] or found.learning
        self._watch = Watch(
            execution,
            found.loop,
            names,
            self._on_not_finite,
            self._on_late,
            min(self._until, time.monotonic() + WATCHED * self._options.seconds),
            begun=found.turns,
        )
        self._watch.begin()

    def _confirm(self, found: Found) -> bool:
        """False in the forks that this makes, whose program goes on."""
        answer = self._answer
        plain = answer.get("hypothesis")
        if plain is None or time.monotonic() > self._until:
            return True
        names = [each["name"] for each in answer["parameters"] if each["verdict"] != NEVER_UPDATED]
        confirmation = confirm(
            self._execution, found.loop, read_loss(plain), names, answer["memories"]
        )
        if confirmation is None:
            return False
        answer["confirmed"] = confirmation.holds
        return True

    def _on_not_finite(self, last: int, now: int, printed: bool) -> None:
        self._answer["not_finite"] = {"between": [last, now], "printed": printed}
        self._conclude()

    def _on_late(self) -> None:
        watched = self._watch.update if self._watch is not None else 0
        self._answer.setdefault("left_out", []).append(
            f"training was watched up to update {watched:,} for numbers that are not finite"
        )
        self._conclude()

    def _on_end(self) -> None:
        ending = self._execution.ending
        self._answer["ending"] = None if ending is None else ending.as_dict()
        if self._watch is not None:
            self._watch.finish()
        self._conclude()

    def _conclude(self) -> None:
        answer, best, places = self._answer, self._search.best, self._execution.places
        answer["others"] = [_loop(places, each) for each in self._search.others]
        answer["errors"] = self._search.errors
        answer["cut_off"] = self._search.cut_off
        if best is not None:
            answer["loop"] = _loop(places, best.loop)
            answer["epoch_loop"] = None if best.around is None else _loop(places, best.around)
            answer["grown"] = best.grown
            answer["unjudged"] = self._watch is None
            answer["loop_number"] = best.loop
            answer.setdefault("findings", [])
            _grow(answer, best)
        answer["ok"] = _ok(answer)
        answer["seeded_by_us"] = self._execution.world.seeding.seeded_by_us
        assert self._reply is not None
        self._reply(answer)


def _loop(places: Places, number: int) -> dict[str, Any]:
    loop = places.loops[number]
    return {
        "file": loop.file,
        "line": loop.line,
        "function": None if loop.function == "<module>" else loop.function,
    }


def _grow(answer: dict[str, Any], found: Found) -> None:
    """Parameters that changed their shape in their first update are told so."""
    known = {each["name"]: each for each in answer.setdefault("parameters", [])}
    grown = []
    for name, (before, _) in found.grown.items():
        benign = (RIGHT, NO_INFORMATION, WRONG)
        if not before and name in known and known[name]["verdict"] in benign:
            # A number that becomes one entry for each unit, as a bias of all of them.
            continue
        if name not in known:
            answer["parameters"].append({"name": name, "factor": None, "residual": None})
        entry = known.get(name, answer["parameters"][-1])
        entry.update(shape=before, verdict=SHAPE_CHANGES)
        grown.append(name)
    first, last = [], []
    for each in found.findings:
        if set(each["parameters"]) & set(grown):
            first.append(each)
        else:
            last.append({**each, "code": "broadcast", "confidence": "likely"})
    answer["findings"] = first + answer["findings"] + last


def _ok(answer: dict[str, Any]) -> bool | None:
    """Whether the training is right; see PROGRAMS.md for what is decisive."""
    verdicts = [each["verdict"] for each in answer.get("parameters", ())]
    wrong = {WRONG, SHAPE_CHANGES, NEVER_UPDATED}
    if any(each in wrong for each in verdicts):
        return False
    lost = answer.get("not_finite")
    if lost is not None and not lost["printed"]:
        return False
    if "hypothesis" not in answer or RIGHT not in verdicts:
        return None
    return None if answer.get("confirmed") is False else True


def _find_not_finite(execution: "Execution", answer: dict[str, Any], until: float) -> None:
    """Run again up to the first update that gives a number that is not finite, and record it."""
    lost = answer["not_finite"]
    last = lost["between"][0]
    seconds = max(until - time.monotonic(), 2.0)
    names = [each["name"] for each in answer["parameters"]]
    loop = answer["loop_number"]

    def closer(reply: "Reply") -> None:
        watch = Watch(
            execution,
            loop,
            names,
            lambda _last, now, _printed: reply({"first": now}),
            exact_from=last,
        )
        execution.on_end = watch.finish
        watch.begin()

    first = execution.analyse(closer, seconds).get("first")
    if first is None or first < 1:
        return
    lost["update"] = first - 1
    if lost["printed"] and first - 1 <= EARLY:
        answer["ok"] = False

    def recorded(reply: "Reply") -> None:
        count = 0

        def finish(recordings: list[Recording]) -> dict[str, Any]:
            node = first_not_finite(recordings[0].nodes)
            if node is None:
                return {}
            return {"finding": of_not_finite(execution.places, node, first - 1)}

        trials = Trials(execution, loop, 1, as_it_is, finish)

        def on_iteration(number: int) -> None:
            nonlocal count
            if number == loop:
                count += 1
                if count == first:
                    trials(reply)

        execution.on_iteration = on_iteration

    found = execution.analyse(recorded, seconds)
    if "finding" in found:
        # What is not finite often follows from a step that is wrong.
        follows = any(each["verdict"] == WRONG for each in answer["parameters"])
        answer["findings"].insert(len(answer["findings"]) if follows else 0, found["finding"])


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
