"""Describes the network that a program trains; called inside the program's process."""

import ast
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.analysis import Options, check_program, read_loss
from nntui.program.judge.readings import is_nonlinear
from nntui.program.judge.recording import ancestors
from nntui.program.recognise.description import DenseLayer, Description, Fault, Spot
from nntui.program.recognise.reading.data_rows import data_rows, held_arrays
from nntui.program.recognise.reading.formula_text import factors, formula_text
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.recognise.reading.numbers_seen import SeriesSeen, constants_of, spot_of
from nntui.program.recognise.reading.observe import Observed, Observer, Subject
from nntui.program.recognise.reading.snapshot import LayerNumbers, Snapshot, read_update
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

Array = np.ndarray

LEAST, MOST = 24, 400
"""Updates that are observed; more than the least if that completes two epochs."""
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
    observer = Observer(execution, describer.subject, describer.take, describer.finish, left)
    answer.update(execution.analyse(observer, left + 5.0))
    return answer


class _Describer:
    """Reads one update after the other, and puts together what they show."""

    def __init__(self, execution: "Execution", check: Mapping[str, Any]) -> None:
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
        self._snapshots: list[Snapshot] = []
        self._turns: list[int] = []
        self._held: list[Array] = []
        self._series = SeriesSeen(execution.places)
        self._constants: list[Any] = []
        self._top: tuple[Any, ...] | None = None
        self._adapts = False
        self._reason: NoCounterpartError | None = None
        self._formulas: list[tuple[str | None, tuple[str, ...]]] = []

    # One update.

    def take(self, observed: Observed) -> bool:
        """Read an update; whether another one is wanted."""
        try:
            snapshot = self._read(observed)
        except NoCounterpartError as error:
            if len(self._snapshots) < 2:
                self._reason = error
            return False
        snapshot.stack = None
        for layer in snapshot.layers:
            layer.level = None
        self._snapshots.append(snapshot)
        self._turns.append(observed.epoch)
        count = len(self._snapshots)
        if count >= MOST:
            return False
        if count < LEAST:
            return True
        epochs = observed.epoch - self._turns[0]
        return 0 < self._turns.count(self._turns[0]) < count and epochs < 2 or (
            epochs == 0 and self._is_long()
        )

    def _is_long(self) -> bool:
        """Whether the first epoch goes on: no row has come twice."""
        first = self._snapshots[0].x
        last = self._snapshots[-1].x
        return self.subject.around is not None and first.shape[1] == last.shape[1] and not any(
            np.array_equal(first, each.x) for each in self._snapshots[1:]
        )

    def _read(self, observed: Observed) -> Snapshot:
        recording, places = observed.recording, self._execution.places
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
            self._held = held_arrays(self._execution.live())
        tops = self._tops(recording)
        snapshot = read_update(recording, self._names, loss, places, tops)
        if first:
            self._note_first(recording, snapshot)
        self._series.add(recording, len(self._snapshots), self._names)
        return snapshot

    def _tops(self, recording: Any) -> list[Node] | None:
        """Where the loss is not computed in every update: the outputs of the lines that gave it."""
        if self._top is None or self.subject.loss.tops(recording):
            return None
        from nntui.program.judge.recording import line_key

        return [node for node in recording.nodes if line_key(node) in self._top]

    def _note_first(self, recording: Any, snapshot: Snapshot) -> None:
        from nntui.program.judge.recording import line_key

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
        behind = [node for node in recording.nodes if node.number not in forward]
        for level in stack.levels:
            roots = {root.number: "z" for root in level.roots}
            held = level.f_nodes[0]
            text = "z" if held.number in roots else formula_text(held, roots)
            among = {**{node.number: "a" for node in level.f_nodes}, **roots}
            self._formulas.append((text, tuple(factors(behind, among)[:8])))

    # All of them.

    def finish(self) -> dict[str, Any]:
        """The reply: the description."""
        try:
            if self._reason is not None:
                raise self._reason
            if len(self._snapshots) < 2:
                raise NoCounterpartError("fewer than two updates were made")
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
        rows = data_rows([(each.x, each.y) for each in snapshots], self._turns, self._held)
        layers = [self._layer(at) for at in range(len(first.layers))]
        layers[0], inputs = _with_bias(layers[0], first.layers[0], rows.inputs)
        return Description(
            layers=tuple(layers),
            inputs=inputs,
            targets=rows.targets,
            batches=tuple(rows.batches[:-1]),
            epochs=rows.epochs[:-1],
            budget=None,
            loss=self.subject.loss.kind,
            series=self._series.series(),
            constants=tuple(self._constants),
            memories=tuple(name for name in self.subject.memories if name not in self._names),
            adapts=self._adapts,
            faults=self._faults(),
            seeds=self._seeds(),
        )

    def _layer(self, at: int) -> DenseLayer:
        own: list[LayerNumbers] = [each.layers[at] for each in self._snapshots]
        places = self._execution.places
        biases: list[Array | None] = [each.b for each in own]
        b = None
        if any(each is not None for each in biases):
            zeros = np.zeros(len(own[0].W))
            b = np.stack([zeros if each is None else each for each in biases])
        names = next((each.b_names for each in own if each.b is not None), ())
        z = np.concatenate([each.z for each in own], axis=1)[:, :SEEN]
        f = np.concatenate([each.f for each in own], axis=1)[:, :SEEN]
        formula, slopes = self._formulas[at]
        return DenseLayer(
            weights=own[0].W_names,
            biases=names,
            W=np.stack([each.W for each in own]),
            b=b,
            transposed=_is_transposed(own[0].W_places),
            values=np.stack([z, f]),
            formula=formula,
            slopes=slopes,
            bias_behind=own[0].behind,
            z=spot_of(places, own[0].z_place),
            a=spot_of(places, own[0].f_place),
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
                    if name in ("seed", "RandomState") and isinstance(given, ast.Constant):
                        if type(given.value) is int and given.value >= 0:
                            found.setdefault(given.value)
        return tuple(found)


def _is_transposed(places: Array) -> bool:
    """Whether the units' weights are columns of the array that the program keeps."""
    return bool(
        places.shape[0] > 1
        and places.shape[1] > 1
        and places[0, 1] - places[0, 0] > places[1, 0] - places[0, 0]
    )


def _with_bias(
    layer: DenseLayer, numbers: LayerNumbers, inputs: Array
) -> tuple[DenseLayer, Array]:
    """A parameter of its own that is multiplied by ones, as in ``B1.dot(ones)``, is a bias."""
    owners = numbers.W_places >> 32
    if layer.b is not None or len(layer.weights) != 2:
        return layer, inputs
    for at in np.flatnonzero((inputs == 1.0).all(axis=0)):
        own, others = owners[:, at], np.delete(owners, at, axis=1)
        if (own == own[0]).all() and others.size and (others == 1 - own[0]).all():
            from dataclasses import replace

            names = layer.weights
            return (
                replace(
                    layer,
                    weights=(names[1 - own[0]],),
                    biases=(names[own[0]],),
                    W=np.delete(layer.W, at, axis=2),
                    b=layer.W[:, :, at],
                ),
                np.delete(inputs, at, axis=1),
            )
    return layer, inputs


__all__ = ["Spot", "describe"]
