"""Records consecutive updates in a fork of the program, from a generic state each."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nntui.program.judge.recorded_update import Recording
from nntui.program.record.following.live_values import separate
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply

Prepare = Callable[[list[Recording]], None]
"""Sets the state of the next recording; it is given those made so far."""
Finish = Callable[[list[Recording]], dict[str, Any]]


FEWEST = 3
"""Iterations that tell a rule from a coincidence."""


class Trials:
    """Records ``count`` iterations of ``loop`` from here on, then replies what ``finish`` finds.

    It runs in a fork whose program may be spoilt; ``prepare`` sets the state of each iteration.
    """

    def __init__(
        self,
        execution: "Execution",
        loop: int,
        count: int,
        prepare: Prepare,
        finish: Finish,
        most_nodes: int | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self._execution, self._recorder = execution, execution.recorder
        self._loop, self.count = loop, count
        self._prepare, self._finish = prepare, finish
        self.late = float("inf")
        """When to be content with fewer iterations (`time.monotonic`)."""
        self._bounds = most_nodes, most_bytes
        self._recordings: list[Recording] = []
        self._start: dict[str, Node] = {}
        self._reply: Reply | None = None

    def __call__(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._reply = reply
        self._execution.on_iteration = self._on_iteration
        self._execution.on_left = self._on_left
        self._execution.on_end = self._conclude
        self._execution.on_refused = self._on_refused
        self._recorder.on_full = self._on_full
        nodes, size = self._bounds
        self._recorder.most_nodes = nodes or self._recorder.most_nodes
        self._recorder.most_bytes = size or self._recorder.most_bytes
        self._begin()

    def _on_iteration(self, loop: int) -> None:
        if loop == self._loop:
            self._end()
            self._begin()

    def _on_left(self, loop: int) -> None:
        if loop == self._loop and self._recorder.on:
            self._end()

    def _on_full(self) -> None:
        self._end(complete=False)
        self._conclude()

    def _on_refused(self) -> dict[str, Any]:
        """The program does what it may not: go without the update in which it does."""
        self._recorder.on = False
        if len(self._recordings) >= FEWEST:
            assert self._reply is not None
            self._reply(self._finish(self._recordings))
        return {}

    def _begin(self) -> None:
        if len(self._recordings) >= self.count:
            self._conclude()
        self._recorder.reset()
        self._execution.hashes.number_anew()
        self._prepare(self._recordings)
        if not self._recordings:
            separate(self._execution.live())
        self._start = {}
        for each in self._execution.live():
            node = self._recorder.node_of(each.value, each.name)
            if node is not None:
                self._start[each.name] = node
        if self._execution.around_recording is not None:
            self._execution.around_recording[0]()
        self._recorder.on = True

    def _end(self, complete: bool = True) -> None:
        if not self._recorder.on:
            return
        self._recorder.on = False
        end = {}
        for each in self._execution.live():
            node = self._recorder.node_of(each.value)
            if node is not None:
                end[each.name] = node
        around = self._execution.around_recording
        if complete and around is not None:
            around[1](self._recording(end, complete))
        self._recordings.append(self._recording(end, complete))
        enough = len(self._recordings) >= FEWEST and time.monotonic() > self.late
        if len(self._recordings) >= self.count or enough:
            self._conclude()

    def _recording(self, end: dict[str, Node], complete: bool) -> Recording:
        recorder = self._recorder
        return Recording(
            list(recorder.nodes),
            list(recorder.assignments),
            list(recorder.outputs),
            self._start,
            end,
            complete,
        )

    def _conclude(self) -> None:
        """Reply; the fork ends here."""
        self._end()
        assert self._reply is not None
        if not self._recordings:
            ending = self._execution.ending
            why = "the program ended" if ending is None else ending.message
            self._reply({"error": "ended", "message": why})
        self._reply(self._finish(self._recordings))


def as_it_is(_recordings: list[Recording]) -> None:
    """Leaves the state as it is."""
