"""Looks at the first updates of a training: its loss, the loss of a constant answer, its rows."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.follow.loops import UPDATE, Loops
from nntui.program.follow.loss_finder import as_usual, found, found_without_names
from nntui.program.follow.request import Request
from nntui.program.follow.updates import Updates
from nntui.program.judge.update.recorded_update import PASSING, Recording, ancestors
from nntui.program.judge.verdict.loss_hypotheses import Loss

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

MOST_UPDATES = 64
"""Updates that are looked at."""


class Survey:
    """The job of a fork that records the first updates, and replies what they show."""

    def __init__(self, execution: "Execution", request: Request, seconds: float) -> None:
        self._execution, self._request, self._seconds = execution, request, seconds
        self._loops = Loops(execution.places, request.loop, request.around)
        self._updates = Updates(execution)
        self._recordings: list[Recording] = []

    def __call__(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._reply, self._until = reply, time.monotonic() + self._seconds
        self._execution.on_iteration = self._on_iteration
        self._execution.on_left = self._on_left
        self._execution.on_end = self._conclude

    def _on_iteration(self, number: int) -> None:
        if self._loops.kind(number) != UPDATE:
            return
        self._end()
        if len(self._recordings) >= MOST_UPDATES or time.monotonic() > self._until:
            self._conclude()
        first = len(self._recordings) < 2
        self._updates.begin(start=first, end=first)

    def _on_left(self, number: int) -> None:
        if self._loops.kind(number) == UPDATE:
            self._end()
            self._conclude()

    def _end(self) -> None:
        if self._updates.recording:
            self._recordings.append(self._updates.end())

    def _conclude(self) -> None:
        self._end()
        request, places = self._request, self._execution.places
        if not self._recordings:
            self._reply({"updates": 0})
        known = found(request.loss, self._recordings, request.parameters, places)
        if known is None:
            self._reply({"updates": len(self._recordings)})
            return
        loss, sought = known
        plain = found_without_names(loss, self._recordings[:2][-1])
        loss, later = (loss, self._recordings[:2]) if plain is None else (plain, self._recordings)
        usual = as_usual(loss, later, request.parameters, places)
        self._reply(
            {
                "updates": len(self._recordings),
                "ordinal": sought.ordinal,
                "constant": None if usual is None else usual.constant,
                "usual": None if usual is None else [usual.kind, usual.ratio],
                "varies": varies(loss, self._recordings, request.parameters),
                "losses": [loss.value(each) for each in later],
                "sources": {
                    file: "\n".join(lines).rstrip("\n") + "\n"
                    for file, lines in places.sources.items()
                },
            }
        )


def varies(loss: Loss, recordings: Sequence[Recording], parameters: Sequence[str]) -> bool:
    """Whether what ``loss`` is computed from, beside the parameters, differs between updates."""
    data = [_data(loss, each, parameters) for each in recordings[:2]]
    if len(data) < 2:
        return False
    one, other = data
    return len(one) != len(other) or any(
        not np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True)
    )


def _data(loss: Loss, recording: Recording, parameters: Sequence[str]) -> list[Any]:
    """The values that depend on no parameter, and meet what does, on the way to the loss."""
    forward, mask = ancestors(loss.tops(recording)), recording.mask(parameters)
    meeting = {
        each.number: each
        for number in sorted(forward)
        if recording.depends[number] & mask and recording.nodes[number].operation not in PASSING
        for each in recording.nodes[number].inputs
        if not recording.depends[each.number] & mask
    }
    return [node.value for _, node in sorted(meeting.items())]
