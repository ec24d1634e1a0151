"""Finds the loop of which each iteration is one update, by recording one iteration of each."""

import inspect
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.probing.trials import Trials, as_it_is
from nntui.program.judge.update.carried import feedback, made_from
from nntui.program.judge.update.recorded_update import Recording, ancestors

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

TESTS = 2
"""Iterations of a loop that are tested: some programs make their parameters in the first one."""
BOUNDS = ((20_000, 64 << 20), (200_000, 2 << 30))
"""(operations, bytes of results) of one iteration: more is rather an epoch than an update.

Where no loop is found within the first bounds the second are tried.
"""
SECONDS = 20.0
"""For recording one iteration."""
BESIDE = 2.0
"""The same in another thread than the main one, whose copy may wait for the others in vain."""
BESIDE = 2.0
"""The same in another thread than the main one, which may wait for it in vain in its copy."""
Inspect = Callable[[Recording, list[str]], dict[str, Any]]
"""What an iteration alone shows, by its learning values: ``findings``, ``losses``."""
Learn = Callable[[Recording], list[str]]


@dataclass
class Found:
    """A loop whose iterations change values that feed back on themselves."""

    loop: int
    learning: list[str]
    around: int | None = None
    """The loop around it that is running."""
    grown: dict[str, list[list[int]]] = field(default_factory=dict)
    """By name, the shape before and after its first iteration, where they differ."""
    by_row: list[str] = field(default_factory=list)
    """Those of them that end with an entry for each row of the data."""
    from_whole_number: dict[str, tuple[list[int], int]] = field(default_factory=dict)
    """Arrays with an entry for each row that were none before: their shape, where they arise."""
    findings: list[dict[str, Any]] = field(default_factory=list)
    """What the first iteration alone shows."""
    losses: list[Any] = field(default_factory=list)
    """What the losses in question are in the first iteration; none if that was not looked at."""
    turns: int = 0


class Search:
    """Watches the loops of a program as they begin, and keeps the innermost that learns.

    ``on_found`` is called at the start of that loop's iteration ``at``, counted from where it was
    found; ``lines`` restricts the search to loops on these lines, ``wide`` allows for the second
    of `BOUNDS`, and ``learn`` says which values of a recorded iteration learn.
    """

    def __init__(
        self,
        execution: "Execution",
        on_found: Callable[[Found], None],
        inspect: Inspect,
        at: int = 1,
        lines: Collection[int] = (),
        wide: bool = False,
        learn: Learn = feedback,
    ) -> None:
        self._execution, self._on_found, self._inspect = execution, on_found, inspect
        self._at, self._lines, self._wide, self._learn = at, lines, wide, learn
        self._last_tested = -1
        self._cut: set[int] = set()
        """Loops of which an iteration was beyond the first bounds."""
        self.cut_off = False
        """Whether an iteration was beyond the bounds."""
        self._looking = threading.RLock()
        self._running_in: dict[int, list[int]] = {}
        """By thread, its loops that are running, the innermost last."""
        self._tested: dict[int, int] = {}
        """How often each loop was tested."""
        self._born: dict[int, tuple[dict[str, list[list[int]]], list[dict[str, Any]]]] = {}
        """By loop, what its first iteration shows of parameters that are made in it."""
        self.best: Found | None = None
        self.others: list[int] = []
        """Loops of further trainings."""
        self.errors: list[str] = []
        """Why iterations could not be recorded."""

    @property
    def _running(self) -> list[int]:
        return self._running_in.setdefault(threading.get_ident(), [])

    @property
    def running(self) -> list[int]:
        """The loops that are running, the innermost last."""
        return list(self._running)

    @property
    def any_began(self) -> bool:
        """Whether an iteration of any loop has begun."""
        return bool(self._tested)

    def begin(self) -> None:
        """Watch from here on."""
        self._execution.on_iteration = self.on_iteration
        self._execution.on_left = self.on_left

    def on_left(self, loop: int) -> None:
        """A loop has ended."""
        if loop in self._running:
            del self._running[self._running.index(loop) :]

    def on_iteration(self, loop: int) -> None:
        """An iteration of ``loop`` begins; one thread is looked at after the other."""
        with self._looking:
            self._look_at(loop)

    def _look_at(self, loop: int) -> None:
        if loop in self._running:
            del self._running[self._running.index(loop) + 1 :]
        else:
            self._running.append(loop)
        if self._tested.get(loop, 0) < TESTS and (self.best is None or self.best.loop != loop):
            self._tested[loop] = self._tested.get(loop, 0) + 1
            self._test(loop)
        if self.best is not None and loop == self.best.loop:
            self.best.turns += 1
            if self.best.turns == self._at + 1:
                self._on_found(self.best)

    def _bounds(self, loop: int) -> tuple[int, int]:
        """The second ones for a loop that was too large, and has no other within: an update."""
        innermost = loop in self._cut and self._last_tested == loop
        return BOUNDS[self._wide or innermost]

    def _test(self, loop: int) -> None:
        line = self._execution.places.loops[loop].line
        if self._lines and line not in self._lines:
            return
        if self.best is not None and self.best.turns > self._at:
            return
        trials = Trials(self._execution, loop, 1, as_it_is, self._learning, *self._bounds(loop))
        is_main = threading.current_thread() is threading.main_thread()
        answer = self._execution.fork(trials, SECONDS if is_main else BESIDE)
        if answer is None:
            return
        self._last_tested = loop
        if "error" in answer:
            self.errors.append(f"{answer['error']}: {answer.get('message', '')}")
            return
        if not answer["complete"]:
            self.cut_off = True
            self._cut.add(loop)
        if not answer["learning"]:
            self._born.setdefault(loop, (answer["grown"], answer["findings"]))
            return
        found = Found(loop, answer["learning"], self._around(loop), turns=self._tested[loop] - 1)
        born = self._born.get(loop, ({}, []))
        found.grown = {**answer["grown"], **born[0]}
        found.by_row = answer["by_row"]
        found.from_whole_number = answer["from_whole_number"]
        found.findings = born[1] + answer["findings"]
        found.losses = [] if found.turns else answer["losses"]
        if self.best is None:
            self.best = found
        elif self.best.loop not in self._running:
            if not self._is_in_generator(loop):  # that hands out the rows of a training
                self.others.append(loop)
        elif set(self.best.learning) <= set(found.learning):
            found.grown = {**self.best.grown, **found.grown}
            self.best = found

    def _around(self, loop: int) -> int | None:
        """The loop around ``loop``: in its function, or in one that calls it.

        A loop of a generator that hands out rows is running, too, and is around nothing.
        """
        loops = self._execution.places.loops
        parent = loops[loop].parent
        if parent is not None and parent in self._running:
            return parent
        callers = {(frame.f_code.co_filename, frame.f_code.co_name) for frame in self._frames()}
        for other in reversed(self._running[: self._running.index(loop)]):
            if (loops[other].file, loops[other].function) in callers:
                return other
        return None

    def _is_in_generator(self, loop: int) -> bool:
        """Whether the function that ``loop`` is in, which runs now, is a generator."""
        file = self._execution.places.loops[loop].file
        frame = next((each for each in self._frames() if each.f_code.co_filename == file), None)
        return frame is not None and bool(frame.f_code.co_flags & inspect.CO_GENERATOR)

    @staticmethod
    def _frames() -> Iterator[FrameType]:
        frame = inspect.currentframe()
        while frame is not None:
            yield frame
            frame = frame.f_back

    def _learning(self, recordings: list[Recording]) -> dict[str, Any]:
        recording = recordings[0]
        learning = self._learn(recording)
        grown = {
            name: [list(np.shape(recording.start[name].value)), list(np.shape(end.value))]
            for name, end in recording.end.items()
            if name in learning and np.shape(end.value) != np.shape(recording.start[name].value)
        }
        born = {} if learning else made_from(recording)
        for name, start in born.items():
            shapes = np.shape(start.value), np.shape(recording.end[name].value)
            if shapes[0] != shapes[1]:
                grown[name] = [list(shape) for shape in shapes]
        if grown and not learning:
            recording.start = {**recording.start, **born}
            learning_now = list(grown)
        else:
            learning_now = learning
        return {
            "learning": learning,
            "grown": grown,
            "by_row": [name for name in grown if _has_entry_by_row(recording, name, learning)],
            "from_whole_number": _from_whole_numbers(recording, learning),
            "nodes": len(recording.nodes),
            "complete": recording.complete,
            "findings": [],
            "losses": [],
            **(self._inspect(recording, learning_now) if learning_now else {}),
        }


def _has_entry_by_row(recording: Recording, name: str, learning: list[str]) -> bool:
    """Whether ``name`` grows an axis as long as the data, and as no other parameter's.

    A number that becomes a bias for each unit is as long as an axis of their weights.
    """
    before = np.shape(recording.start[name].value) if name in recording.start else ()
    behind = ancestors(recording.end[each] for each in learning)
    rows = {
        np.shape(node.value)[0]
        for each, node in recording.start.items()
        if each not in recording.bit and node.number in behind and np.ndim(node.value)
    }
    others = {
        length
        for other in learning
        if other != name
        for length in np.shape(recording.start[other].value)
    }
    grown = set(np.shape(recording.end[name].value)) - set(before) - {1}
    return bool(grown & rows - others)


def _from_whole_numbers(
    recording: Recording, learning: list[str]
) -> dict[str, tuple[list[int], int]]:
    """By name, shape and place of values that first are arrays at the end, one entry a row.

    A bias that begins as 0 is no float before its first update. Which of these are parameters is
    seen later.
    """
    return {
        name: (list(np.shape(end.value)), end.place)
        for name, end in recording.end.items()
        if name not in recording.start
        and end.operation in ("+", "-")
        and _has_entry_by_row(recording, name, learning)
    }
