"""Checks a program from the inside: finds its loop, judges its updates, names the wrong line."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.blame.faults.shapes import of_growth
from nntui.program.inside.facts import first_value, loss_values, read_loss
from nntui.program.inside.first_bad_update import find_not_finite
from nntui.program.inside.named_parameters import changed_of, learning_of
from nntui.program.inside.settled_findings import settle
from nntui.program.inside.states_judged import Options, States
from nntui.program.inside.training_verdict import is_right, tell_growth
from nntui.program.inside.unlearned import arrays_not_differentiated, changing_loop
from nntui.program.judge.probing.alarm import ring_at
from nntui.program.judge.probing.further_trainings import FurtherTrainings
from nntui.program.judge.probing.generic_states import KINDS
from nntui.program.judge.probing.handed import (
    Handed,
    uses_scipy,
    watch_optimisers,
)
from nntui.program.judge.probing.search import Found, Learn, Search
from nntui.program.judge.probing.trials import Trials
from nntui.program.judge.probing.watch import Watch
from nntui.program.judge.update.carried import feedback
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.confirm import confirm
from nntui.program.judge.verdict.judged_by_loss import LARGE
from nntui.program.judge.verdict.judgement import (
    NEVER_UPDATED,
)
from nntui.program.mending.mend import Check, Mending
from nntui.program.record.places import Places

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

SLACK = 1.0
"""Seconds behind the time given until a process that does not answer is given up."""
RESERVE = 0.1
"""The part of the time that is kept for finding where a number stopped to be finite."""
FEW = 4
"""States of an update of very many numbers."""
WATCHED = 0.2
"""The part of the time that the rest of the training is watched for at most."""


def check_program(execution: "Execution", options: Options) -> dict[str, Any]:
    """Run the program in forks, and answer in the shape of the JSON contract.

    Beside its keys there are: ``others`` (lines of further trainings), ``left_out``, ``ending``
    (how the program ended, if it did), ``memories``, ``hypothesis``, ``error`` (why it could not
    tell); and without a loop ``any_began``, ``changing`` (see `changing_loop`) and
    ``not_differentiated`` (see `arrays_not_differentiated`).
    """
    answer = _checked(execution, options)
    if options.diff:
        until = time.monotonic() + options.seconds
        execution.on_refused = lambda: _plain(answer)
        answer.update(Mending(execution, answer, _again(options), until).mend())
    return _plain(answer)


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """``answer`` without what is for whoever mends the program."""
    for each in answer.get("findings", ()):
        each.pop("repair", None)
    return answer


def _checked(execution: "Execution", options: Options) -> dict[str, Any]:
    until = time.monotonic() + options.seconds
    answer = _judged(execution, options, 1, until)
    wide = "loop" not in answer and bool(answer.get("cut_off")) and time.monotonic() < until
    if wide:
        answer = _judged(execution, options, 1, until, wide=True)
    if answer.get("unjudged") and time.monotonic() < until:
        # The loop has one iteration: it is judged at its first.
        again = _judged(execution, options, 0, until, wide)
        answer = again if "loop" in again else answer
    around = answer.get("epoch_loop")
    asked = options.lines or options.loss or options.parameters
    if answer.get("error") == "loss" and around and not asked and time.monotonic() < until:
        # An error that is computed once may go into several updates, one for each factor.
        outer = replace(options, lines=(around["line"],))
        again = _judged(execution, outer, 1, until, wide)
        answer = again if again.get("ok") is not None else answer
    left = until - time.monotonic()
    if answer.get("any_began") and not {"loop", "error"} & answer.keys() and left > 0.0:
        answer["changing"] = changing_loop(execution, tuple(options.lines), left)
    if answer.get("not_finite") is not None:
        execution.on_refused = lambda: _plain(answer)
        find_not_finite(execution, answer, until)
    return answer


def _again(options: Options) -> Check:
    """The check of a mended program, whose loop begins in another line perhaps."""

    def check(execution: "Execution", seconds: float, line: int) -> dict[str, Any]:
        return _checked(execution, replace(options, lines=(line,) if line else (), seconds=seconds))

    return check


def _judged(
    execution: "Execution", options: Options, at: int, until: float, wide: bool = False
) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for learn in _learners(options):
        answer = _run(_Check(execution, options, at, until, wide, learn), until)
        if "loop" in answer or time.monotonic() > until:
            break
    return answer


def _learners(options: Options) -> list[Learn]:
    """What learns in an iteration of a loop, one after the other until a loop is found.

    Parameters that are asked for are looked for among the values that feed back on themselves,
    and among all that change where no loop has any such.  In between any training is taken: its
    check says which of the names it does not know.
    """
    asked = options.parameters
    if not asked:
        return [feedback]
    return [
        lambda recording: learning_of(recording, asked),
        feedback,
        lambda recording: changed_of(recording, asked),
    ]


def _run(check: "_Check", until: float) -> dict[str, Any]:
    execution = check.execution
    return execution.analyse(check.begin, max(until - time.monotonic(), 0.0) + SLACK)


class _Check:
    """One run of the program: its loop is looked for, judged, and the training watched."""

    def __init__(
        self,
        execution: "Execution",
        options: Options,
        at: int,
        until: float,
        wide: bool,
        learn: Learn,
    ) -> None:
        self.execution = self._execution = execution
        self._options, self._until = options, until
        self._search = Search(execution, self._judge, self._inspect, at, options.lines, wide, learn)
        self._answer: dict[str, Any] = {}
        self._watch: Watch | None = None
        self._further: FurtherTrainings | None = None
        self._reply: Reply | None = None

    def begin(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._reply = reply
        self._execution.on_end = self._on_end
        ring_at(self._until, self._on_time)
        self._search.begin()
        if uses_scipy(self._execution.source.tree):
            watch_optimisers(self._execution.files, self._on_handed)

    def _on_handed(self, handed: Handed) -> None:
        """The program hands a loss and its gradient to an optimiser, and so has no loop itself."""
        if self._search.best is not None:
            return
        execution = self._execution
        states = States(execution, self._options)
        states.until = time.monotonic() + 0.7 * max(self._until - time.monotonic(), 1.0)

        def job(reply: "Reply") -> None:
            reply(states.of_handed(handed))

        answer = execution.fork(job, max(self._until - time.monotonic(), 1.0) + SLACK / 2)
        if answer is None:
            return
        self._answer = answer
        self._execution.on_refused = self._on_refused
        here = {"file": handed.file, "line": handed.line}
        function = None if handed.function == "<module>" else handed.function
        answer["loop"] = {**here, "function": function}
        answer["epoch_loop"] = None
        self._conclude()

    def _inspect(self, recording: Recording, learning: list[str]) -> dict[str, Any]:
        """What the first iteration shows: shapes that change, and what the losses are then."""
        places = self._execution.places
        grown = [
            name
            for name in learning
            if np.shape(recording.start[name].value) != np.shape(recording.end[name].value)
        ]
        return {
            "findings": of_growth(recording, grown, places) if grown else [],
            "losses": loss_values(recording, learning, places),
        }

    def _judge(self, found: Found) -> None:
        execution = self._execution
        line = execution.places.loops[found.loop].line
        states = States(execution, self._options)
        states.line = line
        states.evaluate_loss(found.loop)
        seconds = max(self._until - time.monotonic(), 1.0)
        states.until = time.monotonic() + 0.7 * seconds

        def prepare(recordings: list[Recording]) -> None:
            if recordings and recordings[0].size > LARGE:
                trials.count = FEW
            states.prepare(recordings)

        trials = Trials(execution, found.loop, len(KINDS), prepare, states.answer)
        trials.late = time.monotonic() + 0.3 * seconds
        answer = execution.fork(trials, seconds + SLACK / 2)
        if answer is None:
            return
        if "problem" in answer:
            assert self._reply is not None
            self._reply(answer)
        execution.on_iteration = execution.on_left = None
        self._answer = answer
        execution.on_refused = self._on_refused
        if not self._confirm(found):
            return
        names = [each["name"] for each in answer.get("parameters", ())] or found.learning
        self._watch = Watch(
            execution,
            found.loop,
            names,
            self._on_not_finite,
            self._on_late,
            min(
                self._until - RESERVE * self._options.seconds,
                time.monotonic() + WATCHED * self._options.seconds,
            ),
            begun=found.turns,
        )
        self._further = FurtherTrainings(execution, self._search.running)
        self._watch.begin(self._further)

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

    def _on_time(self) -> None:
        """The time is up, wherever the program is: answer with what there is."""
        try:
            self._at_end_of_time()
        except BaseException as error:  # nothing of ours is for the program to catch
            self._execution.fail(error)

    def _at_end_of_time(self) -> None:
        self._answer["watched"] = 0
        if self._watch is not None:
            self._on_late()
        if "parameters" not in self._answer:
            self._answer.setdefault("error", "time")
        elif "confirmed" not in self._answer:
            self._answer.setdefault("left_out", []).append(
                "there was no time to confirm the gradient by finite differences"
            )
        self._conclude()

    def _on_late(self) -> None:
        if self._watch is not None and self._watch.look():
            return
        self._answer["watched"] = watched = self._watch.looked if self._watch is not None else 0
        self._answer.setdefault("left_out", []).append(
            f"training was watched up to update {watched:,} for numbers that are not finite"
        )
        self._conclude()

    def _on_end(self) -> None:
        ending = self._execution.ending
        self._answer["ending"] = None if ending is None else ending.as_dict()
        if self._watch is not None:
            self._watch.finish()
        if self._search.best is None:
            self._answer["not_differentiated"] = arrays_not_differentiated(self._execution)
        self._conclude()

    def _on_refused(self) -> dict[str, Any]:
        """What was judged before the program did what it may not; its rest was not looked at."""
        answer = self._concluded()
        answer["ok"] = answer["ok"] and None
        return answer

    def _conclude(self) -> None:
        assert self._reply is not None
        self._reply(self._concluded())

    def _concluded(self) -> dict[str, Any]:
        answer, best, places = self._answer, self._search.best, self._execution.places
        others = [*self._search.others, *(self._further.loops if self._further else ())]
        answer["others"] = [_loop(places, each) for each in dict.fromkeys(others)]
        answer["errors"] = self._search.errors
        answer["cut_off"], answer["any_began"] = self._search.cut_off, self._search.any_began
        if best is not None:
            answer["loop"] = _loop(places, best.loop)
            answer["epoch_loop"] = None if best.around is None else _loop(places, best.around)
            answer["grown"] = best.grown
            answer["unjudged"] = self._watch is None
            answer["loop_number"] = best.loop
            answer.setdefault("findings", [])
            tell_growth(answer, best, places)
            if answer.get("hypothesis") is not None:
                answer["loss"]["value"] = first_value(answer["hypothesis"], best.losses)
        if "findings" in answer:
            settle(answer)
        answer["ok"] = is_right(answer)
        answer["files"] = sorted(self._execution.files)
        answer["seeded_by_us"] = self._execution.world.seeding.seeded_by_us
        return answer


def _loop(places: Places, number: int) -> dict[str, Any]:
    loop = places.loops[number]
    return {
        "file": loop.file,
        "line": loop.line,
        "function": None if loop.function == "<module>" else loop.function,
    }
