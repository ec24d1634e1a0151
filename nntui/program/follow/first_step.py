"""The first step of every parameter, without any recording: for a quick comparison of programs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.follow.loops import UPDATE, Loops
from nntui.program.follow.request import Request

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution
    from nntui.program.control.forks import Reply


class FirstStep:
    """The job of a fork that replies the parameters before the first update, and its steps."""

    def __init__(self, execution: "Execution", request: Request) -> None:
        self._execution, self._parameters = execution, request.parameters
        self._loops = Loops(execution.places, request.loop, request.around)
        self._start: dict[str, Any] | None = None

    def __call__(self, reply: "Reply") -> None:
        """Begin; the job of a fork."""
        self._reply = reply
        self._execution.on_iteration = self._on_iteration
        self._execution.on_left = self._on_left

    def _on_iteration(self, number: int) -> None:
        if self._loops.kind(number) != UPDATE:
            return
        if self._start is None:
            self._start = self._values()
        else:
            self._conclude(self._start)

    def _on_left(self, number: int) -> None:
        if self._loops.kind(number) == UPDATE and self._start is not None:
            self._conclude(self._start)

    def _values(self) -> dict[str, Any]:
        return {
            each.name: np.array(each.value, float)
            for each in self._execution.live()
            if each.name in self._parameters
        }

    def _conclude(self, start: dict[str, Any]) -> None:
        now = self._values()
        steps = {
            name: now[name] - start[name]
            for name in start
            if name in now and now[name].shape == start[name].shape
        }
        self._reply({"start": start, "steps": steps})
