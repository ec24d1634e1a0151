"""Describes the network that a program trains; called inside the program's process."""

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.analysis import Options, check_program, read_loss
from nntui.program.judge.generic_states import shake
from nntui.program.judge.readings import is_nonlinear
from nntui.program.judge.recording import Recording, ancestors, line_key
from nntui.program.judge.verdict import SHAPE_CHANGES
from nntui.program.recognise.description import DenseLayer, Description, Fault, Trajectory
from nntui.program.recognise.reading.data_rows import data_rows, held_arrays
from nntui.program.recognise.reading.extent import extent_of, shuffles_of
from nntui.program.recognise.reading.formula_text import factors, formula_text
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.recognise.reading.numbers_seen import SeriesSeen, constants_of, spot_of
from nntui.program.recognise.reading.observe import Observed, Observer, Subject
from nntui.program.recognise.reading.snapshot import LayerNumbers, Snapshot, read_update
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

Array = np.ndarray

LEAST, MOST = 24, 400
"""Updates that are observed; more than the least if that completes two epochs."""
KINDS, FEW, SEED, SECONDS = ("noise", "positive", "medium"), 9, 777, 4.0
"""Other first parameters, how many updates are observed from each, and for how long."""
CLIPPING = frozenset({"clip", "minimum", "maximum", "norm", "max", "min"})
WATCHED = 1.0
"""Seconds for which the program runs on to see when it prints."""
SEEN = 300
"""Samples of which activations are kept."""


def describe(execution: "Execution", options: Mapping[str, Any]) -> dict[str, Any]:
    """What the program trains, and the answer of its check.

    ``options`` are ``seconds``, and ``check``, an answer of `check_program` if there is one.  The
    answer has ``check``, and ``description`` (see `Description`) or ``error`` and ``message``.
    """
    seconds = float(options.get("seconds", 10.0))
    until = time.monotonic() + seconds
    check = options.get("check") or check_program(execution, Options(seconds=0.6 * seconds))
    answer: dict[str, Any] = {"check": check, "description": None}
    if "refused" in check:
        return {**answer, "refused": check["refused"]}
    if check.get("hypothesis") is None:
        return {**answer, "error": check.get("error") or "loss", "message": ""}
    describer = _Describer(execution, check)
    left = max(until - time.monotonic(), 0.2 * seconds)
    observer = Observer(
        execution,
        describer.subject,
        describer.take,
        lambda: describer.finish(observer.printed, observer.ended),
        left,
        describer.vary,
        watch=WATCHED,
    )
    answer.update(execution.analyse(observer, left + 5.0))
    return answer


class _Describer:
    """Reads one update after the other, and puts together what they show."""

    def __init__(self, execution: "Execution", check: Mapping[str, Any], most: int = MOST) -> None:
        self._most = most
        self._varied: list[dict[str, Any]] = []
        self._execution, self._check = execution, check
        names = [each["name"] for each in check["parameters"]]
        around = check.get("epoch_loop")
        self.subject = Subject(
            check["loop_number"],
            None if around is None else (around["file"], around["line"]),
            read_loss(check["hypothesis"]),
            tuple(names),
            tuple(check.get("memories", ())),
        )
        self._names: tuple[str, ...] = ()
        self._printed: list[int] = []
        self._ended = False
        self._last: dict[str, Any] = {}
        self._steps: dict[str, int] = {}
        self._budget: int | None = None
        self._stops_at: float | None = None
        self._snapshots: list[Snapshot] = []
        self._turns: list[int] = []
        self._held: list[Array] = []
        self._series = SeriesSeen(execution.places)
        self._constants: list[Any] = []
        self._top: tuple[Any, ...] | None = None
        self._adapts = self._clips = False
        self._reason: NoCounterpartError | None = None
        self._formulas: list[tuple[str | None, tuple[str, ...]]] = []

    # Other first parameters.

    def vary(self) -> bool:
        """Observe a few updates from other parameters, in forks; false in these forks."""
        for kind in KINDS:
            answer = self._execution.fork(partial(self._observe_from, kind), SECONDS + 2.0)
            if answer is None:
                return False
            if "trajectory" in answer:
                self._varied.append(answer["trajectory"])
        return True

    def _observe_from(self, kind: str, reply: "Reply") -> None:
        varied = _Describer(self._execution, self._check, FEW)
        draws = np.random.RandomState(SEED)
        shake(self._execution.live(), self.subject.parameters, (), kind, draws)
        observer = Observer(
            self._execution, varied.subject, varied.take, varied.reply, SECONDS, now=True
        )
        observer(reply)

    def reply(self) -> dict[str, Any]:
        """The reply of a fork: the updates as they are."""
        snapshots = self._snapshots
        if len(snapshots) < 2:
            return {}
        layers = range(len(snapshots[0].layers))
        return {
            "trajectory": {
                "W": [np.stack([each.layers[at].W for each in snapshots]) for at in layers],
                "b": [_biases([each.layers[at] for each in snapshots]) for at in layers],
                "x": [each.x for each in snapshots[:-1]],
                "y": [each.y for each in snapshots[:-1]],
                "values": [
                    np.stack(
                        [
                            np.concatenate([each.layers[at].z for each in snapshots], axis=1),
                            np.concatenate([each.layers[at].f for each in snapshots], axis=1),
                        ]
                    )[:, :, :SEEN]
                    for at in layers
                ],
            }
        }

    # One update.

    def take(self, observed: Observed) -> bool:
        """Read an update; whether another one is wanted."""
        try:
            snapshot = self._read(observed)
        except NoCounterpartError as error:
            if len(self._snapshots) < 2:
                self._reason = error
            return False
        if not snapshot.is_finite:
            if len(self._snapshots) < 2:
                self._reason = NoCounterpartError("its numbers are not finite from the start")
            return False
        snapshot.stack = None
        for layer in snapshot.layers:
            layer.level = None
        self._snapshots.append(snapshot)
        self._turns.append(observed.epoch)
        self._last = {name: node.value for name, node in observed.recording.end.items()}
        count = len(self._snapshots)
        if count >= self._most:
            return False
        if count < LEAST:
            return True
        epochs = observed.epoch - self._turns[0]
        return (0 < self._turns.count(self._turns[0]) < count and epochs < 2) or (
            epochs == 0 and self._is_long()
        )

    def _is_long(self) -> bool:
        """Whether the first epoch goes on: no row has come twice."""
        first = self._snapshots[0].x
        last = self._snapshots[-1].x
        return (
            self.subject.around is not None
            and first.shape[1] == last.shape[1]
            and not any(np.array_equal(first, each.x) for each in self._snapshots[1:])
        )

    def _read(self, observed: Observed) -> Snapshot:
        recording, places = observed.recording, self._execution.places
        for each in self._check["parameters"]:
            if each["verdict"] == SHAPE_CHANGES and each["shape"]:
                raise NoCounterpartError(f"{each['name']} changes its shape")
        loss, subject = self.subject.loss, self.subject
        first = not self._snapshots
        if first:
            forward = ancestors(loss.tops(recording))
            memories = [
                name
                for name in subject.memories
                if name in recording.start and recording.start[name].number in forward
            ]
            self._names = tuple(
                name for name in (*subject.parameters, *memories) if name in recording.start
            )
            for name in self._names:
                if np.asarray(recording.start[name].value).dtype == np.float32:
                    raise NoCounterpartError(f"{name} is in single precision")
            self._held = held_arrays(self._execution.live(whole=True))
            loop = self._execution.places.loops[subject.loop]
            self._budget, self._stops_at = extent_of(self._execution, loop)
        tops = self._tops(recording)
        snapshot = read_update(recording, self._names, loss, places, tops)
        if first:
            self._note_first(recording, snapshot)
        self._series.add(recording, len(self._snapshots), self._names)
        return snapshot

    def _tops(self, recording: Recording) -> list[Node] | None:
        """Where the loss is not computed in every update: the outputs of the lines that gave it."""
        if self._top is None or self.subject.loss.tops(recording):
            return None
        return [node for node in recording.nodes if line_key(node) in self._top]

    def _note_first(self, recording: Recording, snapshot: Snapshot) -> None:
        stack = snapshot.stack
        assert stack is not None
        self._top = tuple({line_key(node) for node in stack.levels[-1].f_nodes})
        forward = set(stack.forward)
        self._constants = constants_of(recording, forward, self._execution.places)
        memories = [name for name in self.subject.memories if name not in self._names]
        self._adapts = any(
            is_nonlinear(recording, name, memories)
            for name in self._names
            if name in recording.end and name in recording.bit
        )
        self._steps = {
            name: recording.end[name].place for name in self._names if name in recording.end
        }
        self._clips = any(
            node.operation in CLIPPING
            and node.number not in forward
            and recording.depends[node.number] & stack.mask
            for node in recording.nodes
        )
        behind = [node for node in recording.nodes if node.number not in forward]
        for level in stack.levels:
            roots = {root.number: "z" for root in level.roots}
            held = level.f_nodes[0]
            text = "z" if held.number in roots else formula_text(held, roots)
            among = {**{node.number: "a" for node in level.f_nodes}, **roots}
            self._formulas.append((text, tuple(factors(behind, among)[:8])))

    # All of them.

    def finish(self, printed: list[int], ended: bool) -> dict[str, Any]:
        """The reply: the description.

        ``printed`` are the updates that print something; ``ended`` says whether there are no more.
        """
        self._printed, self._ended = printed, ended and self._reason is None
        try:
            if self._reason is not None:
                raise self._reason
            if len(self._snapshots) < 2:
                raise NoCounterpartError("fewer than two updates could be read")
            description = self._described()
        except NoCounterpartError as error:
            spot = spot_of(self._execution.places, error.place)
            description = Description(reason=error.reason, spot=spot, faults=self._faults())
        return {"description": description.as_plain()}

    def _described(self) -> Description:
        snapshots = self._snapshots
        first = snapshots[0]
        for each in snapshots:
            if len(each.layers) != len(first.layers) or any(
                own.W.shape != other.W.shape
                for own, other in zip(each.layers, first.layers, strict=True)
            ):
                raise NoCounterpartError("the network changes from update to update")
        samples = [(each.x, each.y) for each in snapshots]
        rows = data_rows(samples, self._turns, self._held, self._ended)
        # Of an update without a successor it is known where it ends only if it is the very last.
        count = len(snapshots) if self._ended else len(snapshots) - 1
        layers = [self._layer(at) for at in range(len(first.layers))]
        trajectories = [
            Trajectory(*(tuple(each[name]) for name in ("W", "b", "x", "y")))
            for each in self._varied
        ]
        inputs = rows.inputs
        column = _ones_of_bias(layers[0], first.layers[0], inputs)
        if column is not None:
            layers[0] = _with_bias(layers[0], first.layers[0], column)
            inputs = np.delete(inputs, column, axis=1)
            trajectories = [_moved_bias(each, column) for each in trajectories]
        return Description(
            layers=tuple(layers),
            inputs=inputs,
            targets=rows.targets,
            batches=tuple(rows.batches[:count]),
            epochs=rows.epochs[:count],
            trajectories=tuple(trajectories),
            printed=np.array(self._printed, int),
            budget=int(rows.epochs[-1]) + 1 if self._ended else self._budget,
            stops_at=self._stops_at,
            shuffles=shuffles_of(self._execution.sources, self._execution.source.path),
            loss=self.subject.loss.kind,
            series=self._series.series(),
            constants=tuple(self._constants),
            memories=tuple(name for name in self.subject.memories if name not in self._names),
            adapts=self._adapts,
            clips=self._clips,
            faults=self._faults(),
            seeds=self._seeds(),
        )

    def _layer(self, at: int) -> DenseLayer:
        own: list[LayerNumbers] = [each.layers[at] for each in self._snapshots]
        places = self._execution.places
        names = next((each.b_names for each in own if each.b is not None), ())
        z = np.concatenate([each.z for each in own], axis=1)[:, :SEEN]
        f = np.concatenate([each.f for each in own], axis=1)[:, :SEEN]
        values = np.concatenate(
            [np.stack([z, f]), *(each["values"][at] for each in self._varied)], axis=2
        )
        formula, slopes = self._formulas[at]
        W = [each.W for each in own]
        b = _biases(own)
        if self._ended:
            W.append(_held(own[-1].W_names, own[-1].W_places, self._last))
            if b is not None and own[-1].b_places is not None:
                b = np.concatenate([b, [_held(own[-1].b_names, own[-1].b_places, self._last)]])
        return DenseLayer(
            weights=own[0].W_names,
            biases=names,
            W=np.stack(W),
            b=b,
            transposed=_is_transposed(own[0].W_places),
            values=values,
            formula=formula,
            slopes=slopes,
            bias_behind=own[0].behind,
            z=spot_of(places, own[0].z_place),
            a=spot_of(places, own[0].f_place),
            step=spot_of(places, self._steps.get(own[0].W_names[0], -1)),
            shared=own[0].shared,
        )

    def _faults(self) -> tuple[Fault, ...]:
        return tuple(
            Fault(each["code"], each.get("file"), each.get("line"), tuple(each["parameters"]))
            for each in self._check.get("findings", ())
        )

    def _seeds(self) -> tuple[int, ...]:
        """Seeds of NumPy's legacy generator: ours, else those in the program's text."""
        chosen = self._execution.world.seeding.chosen
        if chosen is not None:
            return (chosen,)
        found: dict[int, None] = {}
        for lines in self._execution.sources.values():
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.Call) and len(node.args) == 1:
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    given = node.args[0]
                    value = given.value if isinstance(given, ast.Constant) else None
                    if name in ("seed", "RandomState") and type(value) is int and value >= 0:
                        found.setdefault(value)
        return tuple(found)


def _is_transposed(places: Array) -> bool:
    """Whether the units' weights are columns of the array that the program keeps."""
    return bool(
        places.shape[0] > 1
        and places.shape[1] > 1
        and places[0, 1] - places[0, 0] > places[1, 0] - places[0, 0]
    )


def _held(names: Sequence[str], places: Array, values: Mapping[str, Any]) -> Array:
    """What the program's variables hold where ``places`` are, see `LayerNumbers.W_places`."""
    found = np.empty(places.shape)
    for number, name in enumerate(names):
        here = places >> 32 == number
        found[here] = np.asarray(values[name], float).reshape(-1)[places[here] & 0xFFFFFFFF]
    return found


def _biases(own: list[LayerNumbers]) -> Array | None:
    """By update, b; zeros where it was not there yet."""
    if all(each.b is None for each in own):
        return None
    zeros = np.zeros(len(own[0].W))
    return np.stack([zeros if each.b is None else each.b for each in own])


def _ones_of_bias(layer: DenseLayer, numbers: LayerNumbers, inputs: Array) -> int | None:
    """The column of ones whose weights are a parameter of its own, as in ``B1.dot(ones)``."""
    owners = numbers.W_places >> 32
    if layer.b is not None or len(layer.weights) != 2:
        return None
    for at in np.flatnonzero((inputs == 1.0).all(axis=0)):
        own, others = owners[:, at], np.delete(owners, at, axis=1)
        if (own == own[0]).all() and others.size and (others == 1 - own[0]).all():
            return int(at)
    return None


def _with_bias(layer: DenseLayer, numbers: LayerNumbers, column: int) -> DenseLayer:
    own = int(numbers.W_places[0, column] >> 32)
    return replace(
        layer,
        weights=(layer.weights[1 - own],),
        biases=(layer.weights[own],),
        W=np.delete(layer.W, column, axis=2),
        b=layer.W[:, :, column],
    )


def _moved_bias(trajectory: Trajectory, column: int) -> Trajectory:
    W = trajectory.W[0]
    return replace(
        trajectory,
        W=(np.delete(W, column, axis=2), *trajectory.W[1:]),
        b=(W[:, :, column], *trajectory.b[1:]),
        x=tuple(np.delete(each, column, axis=0) for each in trajectory.x),
    )
