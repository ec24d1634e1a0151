"""What one update computes, line by line: asked of a program that stands in front of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.follow.loops import Loops
from nntui.program.follow.loss_finder import found
from nntui.program.follow.request import Sought
from nntui.program.judge.probing.trials import Trials, as_it_is
from nntui.program.judge.update.recorded_update import Recording, ancestors
from nntui.program.record.adjoints import NotDifferentiableError, adjoints
from nntui.program.record.node import Node
from nntui.program.record.not_finite import first_not_finite, reason

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

MOST_NODES, MOST_BYTES = 100_000, 1 << 30
"""Operations, and bytes of results, of an update that is still recorded."""
MOST_NUMBERS, MOST_TOGETHER = 1 << 14, 1 << 20
"""Numbers of one array that are sent whole, and of all arrays together."""
PRODUCTS = ("@", "dot", "matmul")
MOST_TURNS = 8
"""Values of one line, the last ones, that are sent with their numbers."""


def lines(execution: "Execution", options: Mapping[str, Any]) -> Trials:
    """The job that records the update that is about to be made, and replies what it computed.

    ``options`` has the ``loop``, as file and line, the ``parameters`` by name, and the ``loss`` as
    the fields of `Sought`, or None.
    """
    loops = Loops(execution.places, tuple(options["loop"]), None)
    numbers = range(len(execution.places.loops))
    number = next(each for each in numbers if loops.kind(each) == "update")

    def finish(recordings: list[Recording]) -> dict[str, Any]:
        return _Told(execution, recordings[0], options).reply()

    return _OneUpdate(execution, number, 1, as_it_is, finish, MOST_NODES, MOST_BYTES)


class _OneUpdate(Trials):
    """The same for one update, in which the program may also end: what came before is told."""

    def _conclude(self) -> None:
        if not self._recordings and self._execution.ending is not None:
            self._recorder.on = True  # so that its end is taken, which the program's end was not
        super()._conclude()


class _Told:
    """The reply about one recorded update."""

    def __init__(
        self, execution: "Execution", recording: Recording, options: Mapping[str, Any]
    ) -> None:
        self._places, self._recording = execution.places, recording
        self._parameters = [name for name in options["parameters"] if name in recording.start]
        self._sent = 0
        self._first: dict[str, int] = {}
        """By parameter, the place that gives its gradient first."""
        self._slopes: dict[int, Any] = {}
        self._forward: set[int] = set()
        self._forward_lines: set[int] = set()
        """The places of what the loss is computed from."""
        self._loss: float | None = None
        if options["loss"] is not None:
            self._differentiate(Sought(**options["loss"]))
        self._ends = {
            name: (end.number, ancestors([end]))
            for name in self._parameters
            if (end := recording.end.get(name)) is not None
        }
        self._alone = self._single_numbers() if self._slopes else {}

    def _single_numbers(self) -> dict[int, str]:
        """Single numbers that stand where a gradient should: by node, the parameter.

        They are the last ones that a line gives on the way to a parameter of several numbers, with
        nothing of its shape on that way.
        """
        recording, found = self._recording, dict[int, str]()
        for name, (end, way) in self._ends.items():
            shape = np.shape(recording.start[name].value)
            given = [
                node
                for _, node, _ in recording.assignments
                if node.number in way
                and node.number not in (end, recording.start[name].number)
                and node.number not in self._forward
                and node.place not in self._forward_lines
                and recording.depends[node.number] & recording.mask(self._parameters)
            ]
            single = [node.number for node in given if np.size(node.value) == 1]
            if single and np.prod(shape) > 1 and all(np.shape(x.value) != shape for x in given):
                found[max(single)] = name
        return found

    def _differentiate(self, sought: Sought) -> None:
        recording = self._recording
        known = found(sought, [recording], self._parameters, self._places)
        seeds = None if known is None else known[0].seeds(recording)
        if known is None or seeds is None:
            return
        self._loss = known[0].value(recording)
        self._forward = ancestors(known[0].tops(recording))
        self._forward_lines = {recording.nodes[at].place for at in self._forward} - {-1}
        try:
            self._slopes = adjoints(recording.nodes, seeds)
        except NotDifferentiableError:
            self._slopes = {}

    def reply(self) -> dict[str, Any]:
        """What is sent."""
        recording = self._recording
        lost = first_not_finite(recording.nodes)
        return {
            "complete": recording.complete,
            "loss": self._loss,
            "lines": self._lines(),
            "parameters": [self._parameter(name) for name in self._parameters],
            "not_finite": None if lost is None else self._lost(lost),
        }

    def _lost(self, node: Node) -> dict[str, Any] | None:
        levels = self._places.levels(node)
        if not levels:
            return None
        return {"file": levels[0][0], "line": levels[0][1], "reason": reason(node)}

    def _lines(self) -> list[dict[str, Any]]:
        """By line and target, in the order in which they were computed first."""
        told: dict[tuple[str, int, str], list[Node]] = {}
        for at, node, _ in self._recording.assignments:
            place = self._places.places[at]
            if _is_shown(node.value):
                told.setdefault((place.file, place.line, place.target or ""), []).append(node)
        return [
            {
                "file": file,
                "line": line,
                "target": target,
                "times": len(nodes),
                "values": [self._value(node) for node in nodes[-MOST_TURNS:]],
            }
            for (file, line, target), nodes in told.items()
        ]

    def _value(self, node: Node) -> dict[str, Any]:
        told: dict[str, Any] = {"number": self._array(node.value), **_summary(node.value)}
        of = self._gradient_of(node)
        if of is not None:
            told["of"], told["true"] = of, self._array(self._true(of))
        elif (name := self._updated(node)) is not None:
            told["updates"] = name
        elif node.number in self._forward and node.number in self._slopes:
            told["slope"] = self._array(self._slopes[node.number])
            told["dead"] = self._dead(node)
        return told

    def _updated(self, node: Node) -> str | None:
        """The parameter of which ``node`` is the value behind the update."""
        ends = ((name, number) for name, (number, _) in self._ends.items())
        return next((name for name, number in ends if number == node.number), None)

    def _dead(self, node: Node) -> list[int]:
        """The units that are 0 on every row, if ``node`` is a layer's ReLU of several rows.

        A matrix product that it goes into tells which axis are the units.
        """
        value = np.asarray(node.value)
        if value.ndim != 2 or value.size == 0 or not (value >= 0).all() or (value > 0).all():
            return []
        for user in self._recording.users[node.number]:
            if user.operation in PRODUCTS and len(user.inputs) == 2:
                rows = 1 if user.inputs[1] is node else 0
                if value.shape[rows] > 1:
                    return [int(each) for each in np.flatnonzero((value == 0).all(axis=rows))]
        return []

    def _gradient_of(self, node: Node) -> str | None:
        """The parameter that ``node`` looks like the gradient of."""
        recording = self._recording
        if not self._slopes or node.number in self._forward or node.place in self._forward_lines:
            return None
        if not recording.depends[node.number] & recording.mask(self._parameters):
            return None
        fitting = [
            (self._ends[name][0], name)
            for name in self._parameters
            if name in self._ends
            and node.number != self._ends[name][0]
            and node.number in self._ends[name][1]
            and np.shape(node.value) == np.shape(recording.start[name].value)
            and recording.start[name].number in self._slopes
        ]
        if not fitting:
            return self._alone.get(node.number)
        name = min(fitting)[1]
        # What is made of a gradient, as an optimiser does, need not be one.
        first = self._first.setdefault(name, node.place)
        return name if first == node.place or _are_parallel(node.value, self._true(name)) else None

    def _true(self, name: str) -> Any:
        return self._slopes.get(self._recording.start[name].number)

    def _parameter(self, name: str) -> dict[str, Any]:
        recording = self._recording
        step = recording.step(name) if name in recording.end else None
        return {
            "name": name,
            "value": self._array(recording.start[name].value),
            "gradient": self._array(self._true(name)),
            "step": self._array(step),
        }

    def _array(self, value: Any) -> Any:
        """``value`` as numbers, or None where there are too many to send."""
        if value is None:
            return None
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.size > MOST_NUMBERS:
            return None
        if self._sent + array.size > MOST_TOGETHER:
            return None
        self._sent += array.size
        return np.array(array, float)


def _is_shown(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fiub"


def _are_parallel(one: Any, other: Any) -> bool:
    """Whether two arrays have one direction, or opposite ones; of two numbers, one size."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    if one.size == 1:
        return bool(np.isclose(abs(one.item()), abs(other.item()), rtol=1e-9, atol=0.0))
    with np.errstate(all="ignore"):
        sizes = float(np.sum(one * one)) * float(np.sum(other * other))
        return bool(abs(float(np.sum(one * other))) >= PARALLEL * np.sqrt(sizes) > 0.0)


PARALLEL = 1.0 - 1e-12
"""The cosine from which on two arrays have one direction."""
POINTS = 16


def _summary(value: Any) -> dict[str, Any]:
    """Shape, range and a few points of ``value``."""
    array = np.asarray(value)
    flat = np.asarray(array, float).ravel()
    finite = flat[np.isfinite(flat)]
    count = min(len(flat), POINTS)
    parts = np.array_split(flat, count) if count else []
    with np.errstate(all="ignore"):
        return {
            "shape": list(array.shape),
            "least": float(finite.min()) if len(finite) else None,
            "most": float(finite.max()) if len(finite) else None,
            "bad": int(len(flat) - len(finite)),
            "points": [float(part.mean()) for part in parts],
        }
