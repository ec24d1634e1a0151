"""Finds the loops of further trainings, once the first has come to its end."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from nntui.program.judge.probing.trials import Trials, as_it_is
from nntui.program.judge.update.carried import feedback
from nntui.program.judge.update.recorded_update import Recording

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

SECONDS = 2.0
"""For recording an iteration of a loop: it is only said that there is another training."""


class FurtherTrainings:
    """Tests the first iteration of every loop that begins, but for ``known`` ones.

    ``known`` are the loop of the first training and those around it.
    """

    def __init__(self, execution: "Execution", known: Collection[int]) -> None:
        self._execution = execution
        self._tested = set(known)
        self._running: list[int] = []
        self.loops: list[int] = []
        """The innermost loops that learn, in their order."""

    def on_iteration(self, loop: int) -> None:
        """An iteration of ``loop`` begins."""
        if loop in self._running:
            del self._running[self._running.index(loop) + 1 :]
        else:
            self._running.append(loop)
        if loop in self._tested:
            return
        self._tested.add(loop)
        answer = self._execution.fork(Trials(self._execution, loop, 1, as_it_is, _learns), SECONDS)
        if answer is not None and answer.get("learns"):
            # A loop around it learns as well, and was tested before.
            self.loops = [each for each in self.loops if each not in self._running[:-1]]
            self.loops.append(loop)

    def on_left(self, loop: int) -> None:
        """``loop`` has ended."""
        if loop in self._running:
            del self._running[self._running.index(loop) :]


def _learns(recordings: list[Recording]) -> dict[str, bool]:
    return {"learns": bool(feedback(recordings[0]))}
