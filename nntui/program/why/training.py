"""Finds out about a program's training all that experiments with it need."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from threading import Thread
from typing import Any

from nntui.core.errors import ConfigError
from nntui.diagnosis.deadline import Deadline
from nntui.diagnosis.experiments.results import ENOUGH
from nntui.program.analysis_reply import effect_error
from nntui.program.answer import ProgramCheck
from nntui.program.control.client import Task
from nntui.program.follow.request import LineOfLoop, Request, Sought
from nntui.program.recognise.description import Description
from nntui.program.recognise.recognised import Recognised
from nntui.program.recognise.showing import DESCRIBE, recognise
from nntui.program.why.changes.literals import Literal, rate_literals
from nntui.program.why.changes.longer_loops import goes_over_data
from nntui.program.why.changes.source_edits import edited, of_diff
from nntui.program.why.changes.variants import Source, is_bias
from nntui.program.why.findings.located import mends_by_line
from nntui.program.why.findings.own_run import OwnRun
from nntui.program.why.trials.goal import Reference
from nntui.program.why.trials.pool import Pool, Question
from nntui.program.why.trials.program_trials import FOLLOW, Costs, Seeds

SURVEY, SCALING = "nntui.program.follow.many:survey", "nntui.program.follow.many:scaling"
FIRST, OWN_RUN, LITERAL, MATCH = 0.25, 0.22, 0.2, 0.3
"""The most of the time that is left for looking at the first updates; then for the own run, for
the learning rate in the source, and for the preset of the program, side by side."""
WINDOW = 16
"""Updates whose mean loss counts where each update uses other rows and no loop makes epochs."""
ANOTHER = 271_828
"""A seed that tells whether seeds make a difference."""
TWICE = 2.0
"""By what a number is multiplied to see whether it is the learning rate."""
LONGER, PASSES = (4, 16), (100, 1000, 3000, 10_000, 30_000)
"""How many times as long it trains; how many times it goes over the data that it saw once."""
LONG_SHARE, ONCE_SHARE = 0.3, 0.6
"""The most of the time that is left for a longer training from `ENOUGH` seeds; and for one of a
program that goes over its data once, where it is the first thing to try."""


@dataclass(frozen=True)
class Training:
    """A training that can be followed, its own run, and what is known of its network."""

    source: Source
    run: OwnRun
    costs: Costs
    reference: Reference
    seeds: Seeds
    usual: tuple[str, float] | None
    """The usual loss that the program's is a multiple of, and the factor."""
    recognised: Recognised | None

    def preset_string(self, program: str) -> str | None:
        """The preset that is proven to compute the same as the file ``program``, as a string.

        None if none is proven, or its tables are too long for a string.
        """
        if self.recognised is None:
            return None
        try:
            return self.recognised.as_string(program)
        except ConfigError:  # too long
            return None


@dataclass
class Looking:
    """Looks at the training of ``task`` within ``deadline``, in ``workers`` processes."""

    task: Task
    deadline: Deadline
    workers: int
    go_on: Callable[[str], bool]
    """Called with the current activity; returns False to stop."""

    def training(self, check: ProgramCheck, reply: Mapping[str, Any]) -> Training | None:
        """The training that ``check`` found; None where it cannot be followed.

        ``reply`` is what the check's answer was made of.
        """
        loss, loop = reply.get("loss"), reply.get("loop")
        if check.loss is None or loss is None or loop is None or loss.get("text") is None:
            return None
        plain = Request(
            loop=_line(loop),
            around=None if reply.get("epoch_loop") is None else _line(reply["epoch_loop"]),
            loss=Sought(loss["kind"], loss["text"], check.loss.value),
            parameters=tuple(each.name for each in check.parameters),
        )
        own, other, described = self._first(plain, reply)
        if not own.get("losses"):
            return None
        other_rows = bool(own["varies"]) and plain.around is None
        sought = replace(plain.loss, ordinal=own["ordinal"])
        plain = replace(plain, loss=sought, window=WINDOW if other_rows else 1)
        texts = {os.path.realpath(file): text for file, text in own["sources"].items()}
        file, line = plain.loop
        once = other_rows and goes_over_data(texts[file], line)
        matching = _Matching(described, self.task.path, MATCH * self.deadline.left)
        literal, course = self._literal_and_course(plain, texts)
        if not course.get("looks"):
            return None
        run, costs = OwnRun.of(course), Costs.measured(course)
        if once:  # its one epoch is all that it does
            plain = replace(plain, window=max(run.updates, 1))
            costs = replace(costs, epoch=costs.epoch * run.epochs)
            run = replace(run, epochs=1)
        source = self._source(check, plain, texts, run, literal, once)
        source = replace(source, longer=self._longer(source, costs))
        constant, first = own["constant"], float(run.losses[0])
        return Training(
            source=source,
            run=run,
            costs=costs,
            reference=Reference(constant or (first if isfinite(first) else 1.0), constant is None),
            seeds=Seeds(self.task.seed, other.get("losses") == own["losses"]),
            usual=None if own["usual"] is None else (own["usual"][0], own["usual"][1]),
            recognised=matching.result(),
        )

    def _asked(self, words: str, questions: Sequence[Question]) -> list[dict[str, Any]]:
        pool = Pool(self.task, self.workers, self.deadline, lambda: self.go_on(words))
        found = dict(pool.ask(questions))
        for number, each in found.items():
            if "refused" in each and questions[number].function != DESCRIBE:
                raise effect_error(self.task.path, each["refused"])
        return [found.get(number, {}) for number in range(len(questions))]

    def _first(
        self, plain: Request, reply: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The first updates, those from another seed, and the description of the network."""
        seconds = max(FIRST * self.deadline.left, 0.5)
        options = {"request": plain.as_plain(), "seconds": seconds}
        # What describes the network takes longest, and so begins with the first.
        own, described, other = self._asked(
            "looking at the first updates",
            [
                Question(SURVEY, options),
                Question(DESCRIBE, {"seconds": seconds, "check": dict(reply)}),
                Question(SURVEY, {**options, "seed": ANOTHER}),
            ],
        )
        return own, other, described

    def _literal_and_course(
        self, plain: Request, texts: Mapping[str, str]
    ) -> tuple[Literal | None, dict[str, Any]]:
        """The learning rate in the source, and the own run."""
        literals = rate_literals(texts)
        twice = [edited(texts, [each.replaced(TWICE * each.value)]) for each in literals]
        left, seed = self.deadline.left, self.task.seed
        run = {"request": replace(plain, values=True).as_plain(), "seed": seed, "texts": {}}
        scaling = {"request": plain.as_plain(), "texts": twice, "times": TWICE}
        followed, scaled = self._asked(
            "following the program's own run",
            [
                Question(FOLLOW, {"runs": [run], "seconds": OWN_RUN * left}),
                Question(SCALING, {**scaling, "seconds": LITERAL * left}),
            ],
        )
        first = scaled.get("first")
        courses = followed.get("runs") or [{}]
        return None if first is None else literals[first], courses[0]

    def _source(
        self,
        check: ProgramCheck,
        plain: Request,
        texts: Mapping[str, str],
        run: OwnRun,
        literal: Literal | None,
        once: bool,
    ) -> Source:
        biases = tuple(each.name for each in check.parameters if is_bias(each.name, each.shape))
        program = os.path.realpath(self.task.path)
        files = [program, *(file for file in texts if file != program)]
        edits = () if check.diff is None else of_diff(check.diff, files)
        return Source(
            texts=texts,
            request=plain,
            weights=tuple(name for name in plain.parameters if name not in biases),
            biases=biases,
            epochs=max(run.epochs, 1),
            rate=literal,
            mends=mends_by_line(check, edits),
            once=once,
        )

    def _longer(self, source: Source, costs: Costs) -> tuple[int, ...]:
        """How many times as long the program can be trained from a few seeds, most first."""
        share, possible = (ONCE_SHARE, PASSES) if source.once else (LONG_SHARE, LONGER)
        room = share * self.workers * self.deadline.left / ENOUGH
        fitting = [each for each in possible if costs.of(each * source.epochs) <= room]
        return tuple(sorted(fitting, reverse=True)[: 1 if source.once else 2])


class _Matching:
    """Looks for the preset of a description, in a thread of its own."""

    def __init__(self, described: Mapping[str, Any], path: str, seconds: float) -> None:
        self._plain, self._path, self._seconds = described.get("description"), path, seconds
        self._found: Recognised | None = None
        self._thread = Thread(target=self._match, daemon=True)
        if self._plain is not None:
            self._thread.start()

    def _match(self) -> None:
        assert self._plain is not None
        # A description that cannot be fitted leaves the program itself to be tried.
        with suppress(Exception):
            description = Description.from_plain(self._plain)
            self._found = recognise(description, self._path, max(self._seconds, 1.0))

    def result(self) -> Recognised | None:
        """What was found; None without a description."""
        if self._plain is not None:
            self._thread.join(2.0 * self._seconds + 2.0)
        return self._found


def _line(loop: Mapping[str, Any]) -> LineOfLoop:
    return os.path.realpath(loop["file"]), loop["line"]
