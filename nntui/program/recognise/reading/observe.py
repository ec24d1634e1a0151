"""Runs a program from its start and reads its first updates, one after the other."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply


FIRST_CHECKPOINT, CHECKPOINTS = 256, 5
"""The update at which the parameters are noted again, and how often they are, at twice the update
each time."""


@dataclass(frozen=True)
class Subject:
    """What the check has found out about the program."""

    loop: int
    """The loop of which each iteration is one update, by its number in `Places`."""
    around: tuple[str, int] | None
    """File and line of the loop around it."""
    loss: Loss
    parameters: tuple[str, ...]
    memories: tuple[str, ...] = ()


@dataclass
class Observed:
    """An update of the program, as it is."""

    recording: Recording
    epoch: int


class Observer:
    """Records the updates of ``subject``, from the first on, and hands each to ``take``.

    ``take`` says whether it wants more; then, or when the time is up or the program ends,
    ``finish`` makes the reply.  It is the job of a fork that is about to run the program, or, with
    ``now``, at the start of an update.  ``before`` is called at the start of the first update; it
    says whether to go on, which a fork that it has made does not.  For ``watch`` seconds more the
    program runs on unrecorded, to see when it prints.
    """

    def __init__(
        self,
        execution: "Execution",
        subject: Subject,
        take: Callable[[Observed], bool],
        finish: Callable[[], dict[str, Any]],
        seconds: float,
        before: Callable[[], bool] = lambda: True,
        now: bool = False,
        watch: float = 0.0,
    ) -> None:
        self._before, self._now, self._watch = before, now, watch
        self.printed: list[int] = []
        """The updates in whose turns something was printed."""
        self.later: list[tuple[int, dict[str, Any]]] = []
        """The parameters at some updates behind the recorded ones, by name."""
        self._update, self._written, self._watching = -1, 0, False
        self._execution, self._recorder = execution, execution.recorder
        self._subject, self._take, self._finish = subject, take, finish
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._checkpoint = FIRST_CHECKPOINT
        self._start: dict[str, Node] = {}
        self._epoch = -1
        self._reply: Reply | None = None
        self._names = {*subject.parameters, *subject.memories}
        self._recording = self._are_floats = False
        self._is_first = True
        self.ended = False
        """Whether the training came to its end while it was recorded."""

    def __call__(self, reply: "Reply") -> None:
        """Begin."""
        self._reply = reply
        self._execution.on_iteration = self._on_iteration
        self._execution.on_left = self._on_left
        self._execution.on_end = self._on_end
        self._recorder.on_full = self._on_full
        if self._now:
            self._begin()

    def _on_iteration(self, loop: int) -> None:
        if self._is_around(loop):
            self._epoch += 1
        if loop != self._subject.loop:
            if self._is_first and self._is_outside(loop):
                # What the turn of a loop outside does is recorded only if its turn began so.
                self._recorder.reset()
                self._recorder.on = True
            return
        if self._is_first:
            self._recorder.on = False
        self._note_output()
        if self._watching:
            self._watch_on()
            return
        if self._recording and not self._end():
            self._stop_recording()
            return
        if self._is_first:
            self._is_first = False
            if not self._before():
                return
            self._until = time.monotonic() + self._seconds
        self._begin()

    def _is_outside(self, loop: int) -> bool:
        loops = self._execution.places.loops
        parent = loops[self._subject.loop].parent
        while parent is not None and parent != loop:
            parent = loops[parent].parent
        return parent == loop or self._is_around(loop)

    def _is_around(self, loop: int) -> bool:
        """Whether it is the loop next around; the one in the same function, if there is one.

        Otherwise it may be the loop of a generator, which runs around it only for a while.
        """
        loops = self._execution.places.loops
        parent = loops[self._subject.loop].parent
        if parent is not None:
            return loop == parent
        return (loops[loop].file, loops[loop].line) == self._subject.around

    def _stop_recording(self) -> None:
        if self._watch <= 0.0:
            self._conclude()
        self._watching, self._until = True, time.monotonic() + self._watch

    def _watch_on(self) -> None:
        """The program runs on; note its parameters at twice the update, then at twice that."""
        is_late = time.monotonic() > self._until
        if is_late or self._update == self._checkpoint:
            values = {each.name: each.value for each in self._execution.live()}
            known = {name: np.array(values[name]) for name in self._names if name in values}
            self.later.append((self._update, known))
            self._checkpoint *= 2
        if is_late or len(self.later) >= CHECKPOINTS:
            self._conclude()

    def _note_output(self) -> None:
        """Note whether the turn that has just ended has printed something."""
        if self._watch > 0.0:
            self._execution.flush()
            written = self._execution.output.written
            if written > self._written and self._update >= 0:
                self.printed.append(self._update)
            self._written = written
        self._update += 1

    def _on_left(self, loop: int) -> None:
        own = self._execution.places.loops[self._subject.loop]
        if self._subject.around is None and own.parent is None:
            is_last = loop == own.number
        else:
            is_last = self._is_around(loop)
        if is_last and self._watching:
            self._conclude()
        if is_last and self._recording:
            self.ended = True
            self._end()
            self._conclude()

    def _on_end(self) -> None:
        self._conclude()

    def _on_full(self) -> None:
        self._recorder.on = False
        if not self._is_first:
            self._conclude()

    def _begin(self) -> None:
        recorder = self._recorder
        recorder.reset()
        self._began_in = max(self._epoch, 0)
        self._start = {}
        if not self._are_floats:
            self._make_floats()
        for each in self._execution.live():
            if each.name in self._names and each.name not in self._start:
                node = recorder.node_of(each.value, each.name)
                if node is not None:
                    self._start[each.name] = node
        self._recording = recorder.on = True

    def _make_floats(self) -> None:
        """Make parameters that start as whole numbers what they will be, and each its own.

        In ``b = 0`` it becomes a float with the first update; where several start from one number
        of the text, they are one object until then.
        """
        self._are_floats = True
        seen: set[int] = set()
        for each in self._execution.live(whole=True):
            if each.name not in self._names or type(each.value) not in (int, float) or not each.set:
                continue
            if type(each.value) is int or id(each.value) in seen:
                each.set(float(each.value) * 1.0)
            seen.add(id(each.value))

    def _end(self) -> bool:
        recorder = self._recorder
        self._recording = recorder.on = False
        end = {}
        for each in self._execution.live():
            if each.name in self._start:
                node = recorder.node_of(each.value)
                if node is not None:
                    end[each.name] = node
        recording = Recording(
            recorder.nodes, recorder.assignments, recorder.outputs, self._start, end, True
        )
        wants = self._take(Observed(recording, self._began_in))
        return wants and time.monotonic() < self._until

    def _conclude(self) -> None:
        """Reply; the fork ends here."""
        assert self._reply is not None
        self._reply(self._finish())
