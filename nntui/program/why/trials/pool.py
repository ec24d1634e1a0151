"""Asks several processes of a program at once, and leaves none of them behind."""

import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nntui.diagnosis.deadline import Deadline
from nntui.program.control import wire
from nntui.program.control.client import Host, Task, checked

HEARTBEAT = 0.2
"""Longest time in seconds between two calls of the progress."""
PATIENCE = 1.0
"""Seconds behind the deadline at which a process that gives no answer is given up."""


@dataclass(frozen=True)
class Question:
    """What one process is asked: a function that is called inside the program, and its options."""

    function: str
    options: Mapping[str, Any]


class Pool:
    """Up to ``workers`` processes of ``task`` at a time."""

    def __init__(
        self, task: Task, workers: int, deadline: Deadline, go_on: Callable[[], bool]
    ) -> None:
        self._task, self._workers, self.deadline = task, max(workers, 1), deadline
        self._go_on = go_on

    @property
    def workers(self) -> int:
        """How many processes run at a time."""
        return self._workers

    def ask(self, questions: Iterable[Question]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The number of each question and its answer, in the order in which they come.

        Ends early at the deadline, and when the progress asks to stop.  Raises ProgramError if the
        program cannot be looked at.
        """
        waiting = deque(enumerate(questions))
        running: dict[int, tuple[int, Host]] = {}
        try:
            while (waiting or running) and self._go_on():
                while waiting and len(running) < self._workers and not self.deadline.passed:
                    number, question = waiting.popleft()
                    host = Host(self._task)
                    host.start("analyse", function=question.function, options=question.options)
                    running[host.reader] = number, host
                if not running or self.deadline.left < -PATIENCE:
                    return
                for reader in _ready(list(running)):
                    number, host = running.pop(reader)
                    try:
                        answer = self._answer(host)
                    finally:
                        host.close()
                    yield number, answer
        finally:
            for _, host in running.values():
                host.close()

    def _answer(self, host: Host) -> dict[str, Any]:
        until = time.monotonic() + max(self.deadline.left, 0.0) + PATIENCE
        try:
            answer = wire.receive(host.reader, until)
        except (wire.GoneError, wire.LateError, ValueError):
            return {"error": "died", "message": host.how_it_ended()}
        return checked(answer)


def _ready(readers: list[int]) -> list[int]:
    if hasattr(select, "poll"):
        poll = select.poll()
        for reader in readers:
            poll.register(reader, select.POLLIN)
        return [reader for reader, _ in poll.poll(HEARTBEAT * 1000)]
    return select.select(readers, [], [], HEARTBEAT)[0]
