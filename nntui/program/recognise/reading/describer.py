"""Reads one update of a program after the other, and puts together what they show."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.inside.facts import read_loss
from nntui.program.judge.probing.generic_states import shake
from nntui.program.judge.update.recorded_update import Recording, ancestors, line_key
from nntui.program.judge.verdict.judgement import SHAPE_CHANGES
from nntui.program.recognise.description import Description, Fault
from nntui.program.recognise.reading.assembly import (
    Seen,
    assembled,
    trajectory_of,
)
from nntui.program.recognise.reading.data_rows import held_arrays
from nntui.program.recognise.reading.extent import extent_of
from nntui.program.recognise.reading.layers.stack import Stack
from nntui.program.recognise.reading.layers.update_numbers import UpdateNumbers, read_update
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.recognise.reading.numbers_seen import SeriesSeen, constants_of, spot_of
from nntui.program.recognise.reading.observe import Observed, Observer, Subject
from nntui.program.recognise.reading.traits import check_parameters, formulas_of, scaling_of
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

LEAST, MOST = 24, 400
"""Updates that are observed; more than the least if that completes two epochs."""
KINDS, FEW, SEED, SECONDS = ("noise", "positive", "medium"), 9, 777, 4.0
"""Other first parameters, how many updates are observed from each, and for how long."""
UNREAD = "its network is written in a way that is not read"


class Describer:
    """Takes the updates that an `Observer` hands over; ``check`` is the answer of the check.

    At most ``most`` updates are wanted.
    """

    def __init__(self, execution: "Execution", check: Mapping[str, Any], most: int = MOST) -> None:
        self._execution, self._check, self._most = execution, check, most
        around = check.get("epoch_loop")
        self.subject = Subject(
            check["loop_number"],
            None if around is None else (around["file"], around["line"]),
            read_loss(check["hypothesis"]),
            tuple(each["name"] for each in check["parameters"]),
            tuple(check.get("memories", ())),
        )
        self._seen = Seen(execution.places, self.subject.loss.kind)
        self._series = SeriesSeen(execution.places)
        self._names: tuple[str, ...] = ()
        self._top: frozenset[Any] = frozenset()
        self._reason: NoCounterpartError | None = None

    # Other first parameters.

    def vary(self) -> bool:
        """Observe a few updates from other parameters, in forks; false in these forks."""
        for kind in KINDS:
            answer = self._execution.fork(partial(self._observe_from, kind), SECONDS + 2.0)
            if answer is None:
                return False
            if "W" in answer:
                self._seen.varied.append(answer)
        return True

    def _observe_from(self, kind: str, reply: "Reply") -> None:
        varied = Describer(self._execution, self._check, FEW)
        draws = np.random.RandomState(SEED)
        shake(self._execution.live(), self.subject.parameters, (), kind, draws)
        finish = partial(trajectory_of, varied._seen)
        Observer(self._execution, varied.subject, varied.take, finish, SECONDS, now=True)(reply)

    # One update.

    def take(self, observed: Observed) -> bool:
        """Read an update; whether another one is wanted."""
        try:
            snapshot = self._read(observed.recording)
            if not snapshot.is_finite:
                raise NoCounterpartError("its numbers are not finite from the start")
        except NoCounterpartError as error:
            return self._stop(error)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            # Programs can be written in more ways than there are readers for.
            return self._stop(NoCounterpartError(UNREAD))
        snapshot.forget()
        seen = self._seen
        seen.snapshots.append(snapshot)
        seen.turns.append(observed.epoch)
        seen.last = {name: node.value for name, node in observed.recording.end.items()}
        count = len(seen.snapshots)
        if not LEAST <= count < self._most:
            return count < self._most
        epochs = seen.turns[-1] - seen.turns[0]
        if epochs == 0:
            return self._goes_on()
        return epochs < 2 and seen.turns.count(seen.turns[0]) > 1

    def _stop(self, error: NoCounterpartError) -> bool:
        """No more updates are read; those so far may do."""
        if len(self._seen.snapshots) < 2:
            self._reason = error
        return False

    def _goes_on(self) -> bool:
        """Whether there is no sign yet that an epoch is over: the first samples came once."""
        first, *others = self._seen.snapshots
        return self.subject.around is not None and not any(
            np.array_equal(first.x, each.x) for each in others
        )

    def _read(self, recording: Recording) -> UpdateNumbers:
        seen, places = self._seen, self._execution.places
        is_first = not seen.snapshots
        if is_first:
            self._begin(recording)
        tops = self._tops(recording)
        snapshot = read_update(recording, self._names, self.subject.loss, places, tops)
        stack = snapshot.stack
        assert stack is not None
        if is_first:
            self._note(recording, stack)
        scaling = scaling_of(recording, stack)
        seen.adapts, seen.clips = seen.adapts or scaling.adapts, seen.clips or scaling.clips
        self._series.add(recording, len(seen.snapshots), self._names)
        return snapshot

    def _begin(self, recording: Recording) -> None:
        """Find the parameters in the first update."""
        for each in self._check["parameters"]:
            if each["verdict"] == SHAPE_CHANGES and each["shape"]:
                raise NoCounterpartError(f"{each['name']} changes its shape")
        subject, seen = self.subject, self._seen
        forward = ancestors(subject.loss.tops(recording))
        self._names = tuple(
            name
            for name in (*subject.parameters, *subject.memories)
            if name in recording.start and recording.start[name].number in forward
        )
        check_parameters(recording, self._names, subject.memories, forward)
        seen.memories = tuple(name for name in subject.memories if name not in self._names)
        seen.held = held_arrays(self._execution.live(whole=True))
        loop = self._execution.places.loops[subject.loop]
        seen.budget, seen.stops_at = extent_of(self._execution, loop)

    def _note(self, recording: Recording, stack: Stack) -> None:
        """Keep what the first update shows and the others need not."""
        seen, places = self._seen, self._execution.places
        self._top = frozenset(line_key(node) for node in stack.levels[-1].f_nodes)
        seen.formulas = formulas_of(recording, stack)
        seen.constants = constants_of(recording, set(stack.forward), places)
        seen.steps = {
            name: recording.end[name].place for name in self._names if name in recording.end
        }

    def _tops(self, recording: Recording) -> list[Node] | None:
        """Where the loss is not computed in every update: the outputs of the lines that gave it."""
        if not self._top or self.subject.loss.tops(recording):
            return None
        return [node for node in recording.nodes if line_key(node) in self._top]

    # All of them.

    def finish(self, observer: Observer) -> dict[str, Any]:
        """The reply: the description, with what ``observer`` has seen itself."""
        seen = self._seen
        seen.printed, seen.ended, seen.later = observer.printed, observer.ended, observer.later
        faults = tuple(
            Fault(each["code"], each.get("file"), each.get("line"), tuple(each["parameters"]))
            for each in self._check.get("findings", ())
        )
        try:
            if self._reason is not None:
                raise self._reason
            description = assembled(seen, self._execution, self._series.series(), faults)
        except NoCounterpartError as error:
            spot = spot_of(self._execution.places, error.place)
            description = Description(reason=error.reason, spot=spot, faults=faults)
        return {"description": description.as_plain()}
