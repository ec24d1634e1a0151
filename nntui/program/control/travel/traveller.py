"""Inside a program: stops it at its updates, leaves sleeping copies behind, and tells its state.

Update n is the state at the start of iteration n of the one loop, counted over all entries of the
loop; behind the last iteration it is the state where the loop is left.  Each copy of the process is
asleep in a read from a socket of its own, and ends when the other side closes it.
"""

import importlib
import os
import socket
import threading
import time
from contextlib import suppress
from os.path import realpath
from queue import Queue
from typing import Any, NoReturn, Protocol

import numpy as np

from nntui.program.control import forks, wire
from nntui.program.control.execution import Execution
from nntui.program.control.live import Live
from nntui.program.control.travel.series import Series

GLANCE = 0.02
"""Seconds, about, after which a running program looks at the clock, and for a command to stop."""
RARE = 40.0
"""Copies are so rare that they take that part of the time, when one is large."""
NEVER = float("inf")
SMALL = 1 << 20
"""Bytes of an array that is sent along with the names of the variables."""


class Line(Protocol):
    """The line to whoever travels."""

    def receive(self) -> Any:
        """The next command; raises GoneError at the end."""

    def pending(self) -> bool:
        """Whether a command is there."""

    def send(self, answer: dict[str, Any]) -> None:
        """Send an answer."""


class Direct:
    """A socket of this process's own."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def receive(self) -> Any:
        return wire.receive(self.descriptor)

    def pending(self) -> bool:
        return wire.wait(self.descriptor, 0.0)

    def send(self, answer: dict[str, Any]) -> None:
        wire.send(self.descriptor, answer)


class Queued:
    """Commands that a thread reads."""

    def __init__(self, commands: "Queue[Any]", answers: int) -> None:
        self._commands, self._answers = commands, answers

    def receive(self) -> Any:
        return self._commands.get()

    def pending(self) -> bool:
        return not self._commands.empty()

    def send(self, answer: dict[str, Any]) -> None:
        wire.send(self._answers, answer)


class Traveller:
    """Moves ``execution``, whose hooks it takes, as the commands on ``line`` say.

    Commands are dictionaries: ``do`` is ``go`` (``to``: an update; ``last``: whether it is known
    to be the last; ``interval``: seconds between copies, or None; ``seconds``: stop after these;
    ``careful``: tell every update that is passed),
    ``stop``, ``copy``, ``variables``, ``value`` (``name``), ``hash``, ``set`` (``name``, ``value``:
    what it is from here on), ``ask`` (``function``, ``options``, ``seconds``: the job that the
    function makes of execution and options is done in a fork, which replies).

    ``epoch_loop`` is the file and line of the loop of which each turn is an epoch.
    """

    def __init__(
        self,
        execution: Execution,
        line: Line,
        series: Series | None = None,
        epoch_loop: tuple[str, int] | None = None,
    ) -> None:
        self._execution, self._line = execution, line
        self._series = Series([]) if series is None else series
        self._epoch_loop = None if epoch_loop is None else (realpath(epoch_loop[0]), epoch_loop[1])
        self._is_epoch: dict[int, bool] = {}
        """By loop, whether its turns are epochs."""
        self._to_epoch = False
        """Whether to stop where an epoch begins."""
        self._epoch_begun = False
        self._at = -1
        """The iteration that began last; -1 in front of the first."""
        self._left = -1
        """How many iterations had begun when the loop was left."""
        self._target, self._last, self._careful = 0, False, False
        self._interval: float | None = None
        self._unanswered = False
        """Whether it was not yet said what became of the last copy."""
        self._copy_at = self._stop_at = NEVER
        self._look_at, self._stride, self._looked = 0, 1, 0.0
        """The iteration to look at the clock at, how many later the next, and when the last was."""
        self._cost = 0.0
        """Seconds that the last copy took."""
        self._children: list[int] = []

    def travel(self) -> NoReturn:
        """Run the program, stopping where the commands say; never returns."""
        execution, recorder = self._execution, self._execution.recorder
        execution.answer_with(self._refused)
        recorder.on_iteration, recorder.on_left = self._on_iteration, self._on_left
        if self._series.is_wanted:
            recorder.on_seen = self._series.seen
        self._listen()
        ending = execution.run()
        with suppress(wire.GoneError):
            self._line.send(
                {
                    "ended": ending.as_dict(),
                    "begun": self._at + 1,
                    "left": self._left == self._at + 1,
                    **self._situation(),
                }
            )
        os._exit(0)

    # The hooks: they are called at every update, and cost what they cost.

    def _on_iteration(self, loop: int) -> None:
        if self._epoch_loop is not None and self._counts_epochs(loop):
            self._epoch_begun = True
            return
        self._at += 1
        if self._series.is_wanted:
            self._series.begin(self._at)
        if self._epoch_begun:
            self._epoch_begun = False
            self._series.begin_epoch(self._at)
            if self._to_epoch:
                self._arrive(self._at)
                return
        if self._at >= self._look_at:
            if self._at >= self._target and not self._last:
                self._arrive(self._at)
            else:
                self._glance()

    def _counts_epochs(self, loop: int) -> bool:
        known = self._is_epoch.get(loop)
        if known is None:
            place = self._execution.places.loops[loop]
            known = (realpath(place.file), place.line) == self._epoch_loop
            self._is_epoch[loop] = known
        return known

    def _on_left(self, loop: int) -> None:
        if self._left == self._at + 1 or (self._epoch_loop and self._counts_epochs(loop)):
            return
        self._left = self._at + 1
        self._series.left(self._left)
        if self._last and self._left == self._target:
            self._arrive(self._left)

    def _arrive(self, update: int) -> None:
        self._line.send({"at": update, **self._situation()})
        self._listen()

    def _glance(self) -> None:
        """Between two updates: stop, leave a copy, or go on."""
        now = time.perf_counter()
        while self._line.pending():
            self._note(self._command())
        if now >= self._stop_at:
            self._arrive(self._at)
            return
        elapsed, self._looked = now - self._looked, now
        if self._careful:
            self._line.send({"passed": self._at})
        elif elapsed < GLANCE / 2:
            self._stride *= 2
        elif elapsed > GLANCE:
            self._stride = max(self._stride // 2, 1)
        self._plan()
        if now >= self._copy_at and can_be_copied():
            while self._unanswered:  # whoever keeps the copies falls behind
                self._note(self._command())
            if self._leave_copy(self._at):
                self._listen()
                return
            self._unanswered = True
            self._set_clock()

    def _note(self, command: dict[str, Any]) -> None:
        """Take what is said while the program runs."""
        if "interval" in command:
            self._interval, self._unanswered = command["interval"], False
        elif command.get("do") == "stop":
            self._stop_at = 0.0

    def _plan(self) -> None:
        """The next look at the clock, which costs as much as a short update, is a stride away."""
        self._look_at = self._at + self._stride
        if not self._last:
            self._look_at = min(self._look_at, self._target)

    def _set_clock(self) -> None:
        self._looked = time.perf_counter()
        interval = NEVER if self._interval is None else max(self._interval, RARE * self._cost)
        self._copy_at = self._looked + interval

    def _situation(self) -> dict[str, Any]:
        execution = self._execution
        execution.flush()
        world = execution.world
        return {
            "pid": os.getpid(),
            "written": [world.output.written, world.errors.written],
            "seed": world.seeding.chosen,
            "seeded_by_us": world.seeding.seeded_by_us,
            "series": self._series.take(),
        }

    def _refused(self, answer: dict[str, Any]) -> None:
        """What the execution replies where it ends the process."""
        self._line.send({**answer, "begun": self._at + 1, "left": False, **self._situation()})

    # Commands.

    def _command(self) -> dict[str, Any]:
        try:
            command: dict[str, Any] = self._line.receive()
        except (wire.GoneError, ValueError):
            os._exit(0)
        return command

    def _listen(self) -> None:
        """Answer questions until the command to go on."""
        while True:
            command = self._command()  # of which some were meant for before: they have no effect
            do = command.get("do")
            if do == "go":
                self._target, self._last = command["to"], command["last"]
                self._careful, self._to_epoch = command["careful"], command.get("epoch", False)
                self._interval, self._unanswered = command["interval"], False
                seconds = command["seconds"]
                self._stop_at = NEVER if seconds is None else time.perf_counter() + seconds
                self._stride = 1
                self._set_clock()
                self._plan()
                return
            try:
                if do == "copy" and not can_be_copied():
                    self._line.send({"error": "its threads would not be in the copy"})
                elif do == "copy":
                    self._leave_copy(max(self._at, self._left))
                elif do == "variables":
                    self._line.send({"variables": self._variables()})
                elif do == "value":
                    self._line.send({"value": self._value(command["name"])})
                elif do == "hash":
                    self._line.send({"hash": self._execution.state_hash()})
                elif do == "set":
                    self._line.send(self._set(command["name"], command["value"]))
                elif do == "ask" and self._asked(command):
                    return
            except wire.GoneError:
                os._exit(0)
            except Exception as error:  # what the program's own objects do when they are looked at
                self._line.send({"error": f"{type(error).__name__}: {error}"})

    def _set(self, name: str, value: Any) -> dict[str, Any]:
        """Give the live value ``name`` another value; what it is then, or an ``error``."""
        live = next((each for each in self._numbers() if each.name == name), None)
        if live is None:
            return {"error": f"there is no {name} at this update"}
        now = live.value
        if isinstance(now, np.ndarray):
            now[...] = value
        elif live.set is None:
            return {"error": f"{name} is in a tuple, which cannot be changed"}
        else:
            live.set(type(now)(value) if isinstance(now, np.generic) else value)
        return {"set": name}

    def _asked(self, command: dict[str, Any]) -> bool:
        """Send what a fork replies; True in the fork, whose program goes on."""
        module, _, attribute = command["function"].partition(":")
        job = getattr(importlib.import_module(module), attribute)(
            self._execution, command["options"]
        )
        answer = self._execution.fork(job, command["seconds"])
        if answer is None:
            return True
        self._line.send(answer)
        return False

    def _leave_copy(self, update: int) -> bool:
        """Fork: the child is to sleep as ``update``, and its socket goes to the other side.

        True in the child.
        """
        assert isinstance(self._line, Direct)
        self._children = [each for each in self._children if not _has_ended(each)]
        self._execution.flush()
        begun = time.perf_counter()
        near, far = socket.socketpair()
        with forks.for_us():
            parting = self._execution.world.part()
        child = forks.exact_fork(parting.separate)
        if child == 0:
            near.close()
            os.close(self._line.descriptor)
            self._line.descriptor = far.detach()
            self._children, self._unanswered = [], False
            return True
        self._cost = time.perf_counter() - begun
        far.close()
        self._children.append(child)
        copy = {"copy": update, "folder": parting.folder}
        self._line.send({**copy, **self._situation(), "pid": child})
        duplicate = socket.socket(fileno=os.dup(self._line.descriptor))
        with duplicate, near, forks.for_us():
            socket.send_fds(duplicate, [b"\0"], [near.fileno()])
        return False

    def _variables(self) -> dict[str, Any]:
        """By name: the value, or the shape of an array that is too large to send unasked."""
        found: dict[str, Any] = {}
        for each in self._numbers():
            value = each.value
            if isinstance(value, np.ndarray) and value.nbytes > SMALL:
                found[each.name] = {"shape": list(value.shape)}
            else:
                found[each.name] = value
        return found

    def _value(self, name: str) -> Any:
        return next(each.value for each in self._numbers() if each.name == name)

    def _numbers(self) -> list[Live]:
        return [each for each in self._execution.live(whole=True) if each.alias_of is None]


def can_be_copied() -> bool:
    """Whether this process has one thread: a fork has no more, and may wait for the others."""
    return threading.active_count() == 1


def _has_ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True
