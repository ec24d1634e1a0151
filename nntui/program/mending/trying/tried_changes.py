"""Tries changes of a program: many of them in forks of one run, others in a run of their own."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from nntui.program.control.execution import Execution, Same
from nntui.program.control.forks import Copy
from nntui.program.mending.source.proposal import Proposal
from nntui.program.mending.source.source_text import SourceText
from nntui.program.mending.trying.changed_blocks import (
    Change,
    Switched,
    SwitchedExecution,
    change_of,
    function_line,
    line_range,
    makes_locals,
    turn,
)
from nntui.program.mending.trying.judged_updates import Question, UpdateTrial, Verdicts
from nntui.program.program_error import ProgramError

if TYPE_CHECKING:
    from nntui.program.control.forks import Reply

FIRST, MOST_AT_ONCE = 12, 48
"""Changes in the first program with several of them, and in the others."""
AT_ONCE = 3
"""Forks that run at the same time."""
LONGEST = 10.0
"""Seconds of one trial; it ends earlier where the unchanged program takes less."""


@dataclass(frozen=True)
class Tried:
    """A proposal and what it makes of the updates."""

    proposal: Proposal
    verdicts: Verdicts


class Trying:
    """Runs changes of the program ``texts``, by file, up to its training loop and judges them.

    ``loop`` is (file, line), and ``at`` the iteration from which on updates are recorded.
    """

    def __init__(
        self,
        original: Execution,
        sources: Mapping[str, SourceText],
        loop: tuple[str, int],
        at: int,
        question: Question,
        until: float,
    ) -> None:
        self._original, self._sources = original, sources
        self._loop, self._at, self._question, self._until = loop, at, question, until
        self._before: Verdicts | None = None
        self.facts: dict[str, Any] = {}
        self._functions: set[tuple[str, int]] = set()
        self._seconds = LONGEST
        self.count = 0
        """Changes that were tried."""

    def begin(self) -> Verdicts:
        """Judge the unchanged program."""
        begun = time.monotonic()
        execution = self._execution(Execution, self._loop)
        answer = self._alone(execution, None)
        self._before = Verdicts.of(answer)
        self.facts = answer
        self._seconds = min(LONGEST, 1.0 + 4 * (time.monotonic() - begun))
        for file, line in answer.get("lines", ()):
            if file in self._sources:
                self._functions.add((file, self._sources[file].function_at(line)))
        return self._before

    def each(self, proposals: Iterable[Proposal]) -> Iterator[Tried]:
        """The proposals that do something, each as it was tried, until the time is up."""
        coming, left = iter(proposals), list[Proposal]()
        size = FIRST
        while time.monotonic() < self._until:
            switched, taken = Switched(), dict[int, Proposal]()
            cold, waiting, left = list[Proposal](), left, []
            for at, proposal in enumerate(chain(waiting, islice(coming, 2 * size))):
                if len(taken) + len(cold) >= size:
                    left.append(proposal)
                    continue
                change = change_of(self._sources[proposal.file], proposal)
                if change is None:
                    continue
                if not self._can_switch(change):
                    cold.append(proposal)
                elif switched.add(change, at):
                    taken[at] = proposal
                else:
                    left.append(proposal)
            if not taken and not cold and not left:
                return
            yield from self._switched(switched, taken)
            for proposal in cold:
                if time.monotonic() < self._until:
                    yield self._cold(proposal)
            size = MOST_AT_ONCE

    def _can_switch(self, change: Change) -> bool:
        """Whether the change acts where it is turned on at the start of an iteration."""
        source = self._sources[change.file]
        first, last = line_range(source, change)
        file, line = self._loop
        if change.file == file and first <= line <= last:
            return False
        if makes_locals(source, change):
            return False
        if (change.file, function_line(source, change)) not in self._functions:
            return False
        if function_line(source, change):
            return True
        statement = source.statement_at(line)
        return (
            file == change.file
            and statement is not None
            and (statement.lineno <= first and last <= (statement.end_lineno or 0))
        )

    def _execution(
        self, kind: type[Same], loop: tuple[str, int], texts: Mapping[str, str] | None = None
    ) -> Same:
        known = {file: each.text for file, each in self._sources.items()}
        return self._original.renewed(kind, self._original.seed, {**known, **(texts or {})}, [loop])

    def _switched(self, switched: Switched, taken: Mapping[int, Proposal]) -> Iterator[Tried]:
        """Try the changes in forks of one run."""
        numbers = list(taken)
        while numbers and time.monotonic() < self._until:
            execution = self._execution(SwitchedExecution, self._loop)
            execution.switched = switched
            answers = self._in_forks(execution, numbers)
            if not answers:
                return
            for number, answer in answers:
                numbers.remove(number)
                self.count += 1
                if answer.get("verdicts"):
                    yield Tried(taken[number], Verdicts.of(answer))

    def _in_forks(
        self, execution: Execution, numbers: Sequence[int]
    ) -> list[tuple[int, dict[str, Any]]]:
        """The answers of the changes ``numbers``, up to the first that mends everything."""
        for number in numbers:
            turn(number, False)

        def try_all(loop: int, reply: "Reply") -> None:
            running: list[tuple[int, Copy]] = []
            waiting, found = list(numbers), []
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    number = waiting.pop(0)
                    copy = execution.start_fork(partial(self._turned_on, execution, loop, number))
                    if copy is None:
                        return
                    running.append((number, copy))
                number, copy = running.pop(0)
                seconds = min(self._seconds, self._until - time.monotonic())
                answer = copy.answer(max(seconds, 0.0))
                found.append([number, answer])
                verdicts = Verdicts.of(answer)
                if (verdicts.verdicts and not verdicts.wrong) or seconds <= 0:
                    break
            for _, copy in running:
                copy.end()
            reply({"found": found})

        begin = self._when_begun(execution, try_all)
        answer = execution.analyse(begin, max(self._until - time.monotonic(), 0.1) + 1.0)
        return [(number, each) for number, each in answer.get("found", ())]

    def _turned_on(self, execution: Execution, loop: int, number: int, reply: "Reply") -> None:
        """The job of the fork that tries the change ``number``."""
        turn(number, True)
        UpdateTrial(execution, loop, self._question, self._before)(reply)

    def _cold(self, proposal: Proposal) -> Tried:
        """Try a change in a run of its own."""
        source = self._sources[proposal.file]
        file, line = self._loop
        if proposal.file == file:
            line = proposal.line(source, line)
        text = {proposal.file: proposal.text(source)}
        execution = self._execution(Execution, (file, line), text)
        self.count += 1
        return Tried(proposal, Verdicts.of(self._alone(execution, self._before)))

    def _alone(self, execution: Execution, before: Verdicts | None) -> dict[str, Any]:
        def try_it(loop: int, reply: "Reply") -> None:
            UpdateTrial(execution, loop, self._question, before)(reply)

        seconds = min(LONGEST, max(self._until - time.monotonic(), 0.1))
        try:
            return execution.analyse(self._when_begun(execution, try_it), seconds)
        except ProgramError:  # the change has moved the loop
            return {}

    def _when_begun(
        self, execution: Execution, then: "Callable[[int, Reply], None]"
    ) -> "Callable[[Reply], None]":
        """The job that runs the program up to iteration ``at`` of its loop, and then ``then``."""

        def begin(reply: "Reply") -> None:
            turns = 0

            def on_iteration(loop: int) -> None:
                nonlocal turns
                turns += 1
                if turns == self._at + 1:
                    execution.on_iteration = None
                    then(loop, reply)

            execution.on_iteration = on_iteration

        return begin
