"""A loss that was asked for as an expression: evaluated in the program at the end of each update.

It is recorded there, so that it has a gradient.  The parameters have the values of the update's
start meanwhile, and the rest those of its end: ``np.mean((a - y)**2) + c * np.sum(W**2)`` is the
loss of one set of weights, though ``W`` is updated by then.
"""

import ast
import builtins
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.control.world.effects import LOSS_FILE
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.loss_hypotheses import OWN, USUAL, Loss
from nntui.program.record.following.live_values import copy_of, fresh
from nntui.program.record.instrument import compile_program
from nntui.program.record.node import Node
from nntui.program.record.places import Loop, Places

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

GIVEN, RESULT = "_nn_given", "_nn_loss"
MOST_NAMES = 12
"""Names that are told as those that there are."""


class LossError(Exception):
    """The expression has no value; the message is one line."""


def problem_of(text: str) -> str | None:
    """Why ``text`` is no expression, in one line; None if it is one, or names a usual loss."""
    if text in USUAL:
        return None
    try:
        ast.parse(f"({text}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        return (
            f"--loss {_short(text)}: {why}; it is an expression in the names of the program, such "
            f'as "np.mean((y - a)**2)", or one of {", ".join(USUAL)}'
        )
    return None


class LossExpression:
    """The expression ``text`` in the program of ``execution``, for updates of the loop ``loop``.

    `begin` is called at the start of each recorded update and `end` at its end.  ``parameters``
    gives the names of the parameters of a recording.
    """

    def __init__(
        self,
        execution: "Execution",
        text: str,
        loop: int,
        parameters: Callable[[Recording], Collection[str]],
    ) -> None:
        self._execution, self._text, self._parameters = execution, text, parameters
        source, places = f"{GIVEN} = ({text}\n)", execution.places
        self._code: CodeType = compile_program(source, LOSS_FILE, places)
        # A value of its own, which has the same key in every recording.
        self._own: CodeType = compile_program(f"{RESULT} = 1.0 * {GIVEN}", f"{LOSS_FILE}'", places)
        self._names = names_in(ast.parse(source)) - {GIVEN}
        self._targets = _targets(places.loops[loop], places) & self._names
        self._turn: dict[str, Any] = {}
        """The loop's variables, which are those of the next turn already when an update is over."""
        self.loss: Loss | None = None
        """The loss, once it was evaluated."""

    def begin(self) -> None:
        """An update begins."""
        self._turn = {}
        for frame in self._frames():
            self._turn = {
                name: value for name, value in frame.f_locals.items() if name in self._targets
            }
            break

    def end(self, recording: Recording) -> None:
        """Evaluate and record it at the end of ``recording``, which was just made.

        Raises LossError.
        """
        recorder = self._execution.recorder
        trail = recorder.trail
        place = trail.path, trail.loops
        kept = len(recorder.assignments), len(recorder.outputs)
        recorder.on = True
        trail.path, trail.loops = (), []
        try:
            with self._at_start(recording):
                value = self._value(recording)
                node = recorder.node_of(value)
        finally:
            recorder.on = False
            trail.path, trail.loops = place
            del recorder.assignments[kept[0] :], recorder.outputs[kept[1] :]
        if node is None:
            raise LossError(f"--loss {_short(self._text)} is no number")
        self.loss = self._told(node)

    def _told(self, node: Node) -> Loss:
        """The hypothesis; a number that the program computes itself keeps its place."""
        places = self._execution.places.places
        inner = next((each for each in node.inputs if each.place >= 0), None)
        own = inner is not None and not places[inner.place].file.startswith(LOSS_FILE)
        place = inner.place if own and inner is not None else -1
        return Loss(OWN, node.key, prior=3.0, place=place, name=self._text)

    def _value(self, recording: Recording) -> Any:
        namespace = self._namespace(recording)
        try:
            exec(self._code, namespace)
        except Exception as error:
            raise LossError(self._why(error, recording)) from None
        value = namespace[GIVEN]
        if not isinstance(value, float | int | np.ndarray | np.floating | np.integer):
            raise LossError(
                f"--loss {_short(self._text)} is no number, but of type {type(value).__name__}"
            )
        if np.size(value) != 1:
            raise LossError(
                f"--loss {_short(self._text)} is an array of shape {np.shape(value)}, not a "
                "number; take its sum or mean"
            )
        exec(self._own, namespace)
        return namespace[RESULT]

    def _why(self, error: Exception, recording: Recording) -> str:
        if not isinstance(error, NameError):
            lines = f"{type(error).__name__}: {error}".splitlines()
            return f"--loss {_short(self._text)}: {lines[0]}"
        places = self._execution.places.places
        targets = [places[number].target or "" for number, _, _ in recording.assignments]
        assigned = (target for target in targets if target.isidentifier())
        told = list(dict.fromkeys((*recording.end, *assigned)))
        there = ", ".join(told[:MOST_NAMES]) + (", ..." if len(told) > MOST_NAMES else "")
        return (
            f"--loss {_short(self._text)}: there is no {error.name} at the end of an update; "
            f"there is {there or 'no number'}"
        )

    def _namespace(self, recording: Recording) -> dict[str, Any]:
        """What the names mean: variables around the loop, then what was assigned in the update."""
        frames = list(self._frames())
        found: dict[str, Any] = dict(frames[0].f_globals) if frames else {}
        for frame in reversed(frames):
            if frame.f_code.co_name != "<module>":
                found.update(frame.f_locals)
        found.update(self._turn)
        memory, places = self._execution.recorder.memory, self._execution.places.places
        for number, node, _ in reversed(recording.assignments):
            target = places[number].target
            if target in self._names and target not in found and not hasattr(builtins, target):
                found[target] = value = _copy(node)
                memory.put(value, node)
        if "np" not in found:
            found["np"] = np
        return found

    def _frames(self) -> Iterator[FrameType]:
        """The program's active frames, innermost first."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename in self._execution.files:
                yield frame
            frame = frame.f_back

    @contextmanager
    def _at_start(self, recording: Recording) -> Iterator[None]:
        """In this context the parameters have the values of the start of the update."""
        memory = self._execution.recorder.memory
        given: list[tuple[Any, Any]] = []
        before: dict[int, Any] = {}
        for name in self._parameters(recording):
            before[recording.end[name].number] = recording.start[name]
        for each in self._execution.live():
            end = recording.end.get(each.name)
            if end is None or end.number not in before:
                continue
            node = before[end.number]
            if each.set is not None:
                value = _copy(node)
                each.set(value)
                memory.put(value, node)
                given.append((each.set, each.value))
            elif isinstance(each.value, np.ndarray) and each.value.flags.writeable:
                array, now = each.value, copy_of(each.value)
                array[...] = node.value
                memory.put(array, node)
                given.append((lambda value, array=array: _fill(array, value), now))
        try:
            yield
        finally:
            for put, value in reversed(given):
                put(value)


def names_in(tree: ast.AST) -> set[str]:
    """The plain names in ``tree``."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _targets(loop: Loop, places: Places) -> set[str]:
    """The names that ``loop`` itself gives values to."""
    tree = ast.parse("\n".join(places.sources[loop.file]))
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.AsyncFor) and node.lineno == loop.line
        for name in names_in(node.target)
    }


def _fill(array: np.ndarray, value: np.ndarray) -> None:
    array[...] = value


def _copy(node: Node) -> Any:
    """The value of ``node`` with an identity of its own."""
    value = node.value
    return copy_of(value) if isinstance(value, np.ndarray) else fresh(value)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
