"""Follows one training in a fork: counts its epochs, measures the loss at some, stops in time."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.follow.loops import EPOCH, UPDATE, Loops
from nntui.program.follow.loss_finder import found, found_without_names
from nntui.program.follow.request import Request
from nntui.program.follow.start import start_anew
from nntui.program.follow.updates import Updates
from nntui.program.judge.update.recorded_update import Recording
from nntui.program.judge.verdict.loss_hypotheses import Loss
from nntui.program.record.adjoints import adjoints

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

MOST_UPDATES = 64
"""Updates of one epoch that are recorded, evenly spaced."""
FIRST = 2
"""Updates from which the loss is found: what is summed up is seen at the second."""
MOST_LOOKS = 48
"""Looks that are kept where no epochs are asked for; more are thinned out to half."""
DETAILED = 4
"""Of so many looks one has the parameters and gradients, if they are wanted."""
LEFT, UNTIL, TIME, NOWHERE = "left", "until", "time", "nowhere"
"""Why following ended: the loop did; all looks were made; the time was up; there is no loss."""


class Following:
    """The job of a fork that follows a training as a `Request` says, and replies what it saw."""

    def __init__(self, execution: "Execution", request: Request, seconds: float) -> None:
        self._execution, self._request, self._seconds = execution, request, seconds
        self._loops = Loops(execution.places, request.loop, request.around)
        self._updates = Updates(execution)
        self._loss: Loss | None = None
        self._epoch = self._update = -1
        self._in_epoch, self._per_epoch = 0, 1 if request.around else request.window
        self._every = 1
        self._is_look = self._is_detailed = self._is_wanted = False
        self._recordings: list[Recording] = []
        self._first: list[Recording] = []
        self._unread: list[tuple[dict[str, Any], list[Recording]]] = []
        self._looks: list[dict[str, Any]] = []
        self._called = self._begun = self._last = self._plain_seconds = 0.0
        self._plain, self._was_recorded = 0, False
        self._named_only = False

    def __call__(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._called = self._begun = time.monotonic()
        self._reply, self._until = reply, self._called + self._seconds
        self._execution.on_iteration = self._on_iteration
        self._execution.on_left = self._on_left
        self._execution.on_end = self._on_end

    # The loops.

    def _on_iteration(self, number: int) -> None:
        kind = self._loops.kind(number)
        if kind == EPOCH:
            self._next_epoch()
        elif kind == UPDATE:
            self._end_update()
            if not self._loops.has_epochs and (self._update + 1) % self._request.window == 0:
                self._next_epoch()
            self._begin_update()

    def _on_left(self, number: int) -> None:
        if self._loops.kind(number) == UPDATE:
            self._end_update()
        if self._loops.ends_training(number):
            self._conclude(LEFT)

    def _on_end(self) -> None:
        self._conclude(LEFT if self._update >= 0 else NOWHERE)

    def _next_epoch(self) -> None:
        looks = self._request.looks
        if looks is not None and (not looks or self._epoch >= looks[-1]):
            self._conclude(UNTIL)
        self._end_epoch()
        self._epoch += 1
        self._in_epoch = 0
        if looks is not None:
            self._is_look = self._is_detailed = self._epoch in looks
        else:
            self._is_look = self._epoch % self._every == 0
            self._is_detailed = self._epoch % (DETAILED * self._every) == 0

    def _begin_update(self) -> None:
        self._note_time()
        self._update += 1
        at, self._in_epoch = self._in_epoch, self._in_epoch + 1
        if self._update == 0:
            self._begun = time.monotonic()
            self._change_start()
        elif time.monotonic() > self._until:
            self._conclude(TIME)
        stride = -(-self._per_epoch // MOST_UPDATES)
        few = len(self._recordings) < MOST_UPDATES
        self._is_wanted = self._is_look and at % stride == 0 and few
        self._was_recorded = self._is_wanted or self._update < FIRST
        if self._was_recorded:
            self._updates.begin(start=self._needs_names(), end=self._update < FIRST)

    def _needs_names(self) -> bool:
        if self._update < FIRST or self._named_only:
            return True
        return self._request.values and not self._recordings and self._is_detailed

    def _note_time(self) -> None:
        """Keep how long the last update took, if it was not recorded."""
        now = time.monotonic()
        if self._update >= 0 and not self._was_recorded:
            self._plain_seconds += now - self._last
            self._plain += 1
        self._last = now

    def _change_start(self) -> None:
        request, execution = self._request, self._execution
        if request.scales or request.redrawn or request.jitter:
            start_anew(
                execution.live(),
                request.parameters,
                request.scales,
                request.redrawn,
                execution.seed or 0,
                request.jitter,
            )

    # What is measured.

    def _end_update(self) -> None:
        if not self._updates.recording:
            return
        recording = self._updates.end()
        if self._is_wanted:
            self._recordings.append(recording)
        if self._update < FIRST:
            self._first.append(recording)
        if self._update == FIRST - 1:
            self._find_loss()

    def _find_loss(self) -> None:
        request, places = self._request, self._execution.places
        if self._loss is None and self._first:
            known = found(request.loss, self._first, request.parameters, places)
            if known is None:
                self._reply({"ended": NOWHERE})
            else:
                plain = found_without_names(known[0], self._first[-1])
                self._loss, self._named_only = plain or known[0], plain is None
        self._first = []

    def _end_epoch(self) -> None:
        self._end_update()
        self._per_epoch = max(self._per_epoch, self._in_epoch)
        if self._recordings:
            look = {"epoch": self._epoch, "update": self._update + 1 - self._in_epoch}
            self._unread.append((look, self._recordings))
            self._recordings = []
        if self._loss is not None:
            self._read(self._loss)

    def _read(self, loss: Loss) -> None:
        for look, recordings in self._unread:
            measured = {"loss": float(np.mean([loss.value(each) for each in recordings]))}
            detailed = self._request.values and recordings[0].start
            values = self._values(recordings[0], loss) if detailed else {}
            self._looks.append({**look, **measured, **values})
        self._unread = []
        if self._request.looks is None and len(self._looks) > MOST_LOOKS:
            self._looks, self._every = self._looks[::2], 2 * self._every

    def _values(self, recording: Recording, loss: Loss) -> dict[str, Any]:
        """The parameters before the look's first update, and the gradient of its loss there."""
        names = [name for name in self._request.parameters if name in recording.start]
        values = {name: np.array(recording.start[name].value, float) for name in names}
        seeds = loss.seeds(recording)
        gradients: dict[str, Any] = {}
        if seeds is not None:
            with np.errstate(all="ignore"):
                slopes = adjoints(recording.nodes, seeds)
            gradients = {
                name: np.array(slopes.get(recording.start[name].number, 0.0 * values[name]))
                for name in names
            }
        return {"values": values, "gradients": gradients}

    def _conclude(self, why: str) -> None:
        if why == TIME:
            self._recordings = []  # of a part of an epoch
        self._find_loss()
        self._end_epoch()
        ending = self._execution.ending
        last: dict[str, Any] = {}
        if self._request.values:
            last = {
                each.name: np.array(each.value, float)
                for each in self._execution.live()
                if each.name in self._request.parameters
            }
        self._reply(
            {
                "ended": why,
                "looks": self._looks,
                "epochs": self._epoch + 1,
                "updates": self._update + 1,
                "per_epoch": self._per_epoch,
                "before": self._begun - self._called,
                "seconds": time.monotonic() - self._begun,
                "each": self._plain_seconds / self._plain if self._plain else None,
                "last": last,
                "ending": None if ending is None else ending.as_dict(),
            }
        )
