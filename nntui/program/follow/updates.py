"""Records single updates of a running program."""

from typing import TYPE_CHECKING

from nntui.program.judge.update.recorded_update import Recording
from nntui.program.record.node import Node

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution


class Updates:
    """Records one update at a time, between `begin` and `end`."""

    def __init__(self, execution: "Execution") -> None:
        self._execution, self._recorder = execution, execution.recorder
        self._start: dict[str, Node] = {}
        self._with_end = False

    @property
    def recording(self) -> bool:
        """Whether an update is being recorded."""
        return self._recorder.on

    def begin(self, start: bool, end: bool) -> None:
        """Record from here on; name the live values at its ``start`` and find them at its ``end``.

        Both take far longer than recording a small update.
        """
        self._recorder.reset()
        self._with_end, self._start = end, {}
        if start:
            for each in self._execution.live():
                node = self._recorder.node_of(each.value, each.name)
                if node is not None:
                    self._start[each.name] = node
        self._recorder.on = True

    def end(self) -> Recording:
        """What was recorded since `begin`."""
        recorder, end = self._recorder, {}
        recorder.on = False
        if self._with_end:
            for each in self._execution.live():
                node = recorder.node_of(each.value) if each.name in self._start else None
                if node is not None:
                    end[each.name] = node
        return Recording(
            list(recorder.nodes),
            list(recorder.assignments),
            list(recorder.outputs),
            self._start,
            end,
            not recorder.full,
        )
