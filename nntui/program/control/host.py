"""The host of a program: a process that starts it, watches over it, and runs none of it itself.

The program runs in a fork of the host, in a process group of its own.  When the client is gone,
the host kills that group, removes the scratch folder and ends; when the host is gone, the kernel
kills the group.  Where there is no fork, the host is the program's process itself.
"""

import importlib
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Queue
from typing import Any, NoReturn

from nntui.program.control import forks, wire
from nntui.program.control.execution import Execution
from nntui.program.control.travel.series import LossSite, Series
from nntui.program.control.travel.traveller import Direct, Line, Queued, Traveller
from nntui.program.program_error import ProgramError

ANALYSE, TRAVEL = "analyse", "travel"
GRACE = 2.0
"""Seconds for the processes of a program to be gone after they were killed."""


def serve(answers: int) -> None:
    """Do what the one request on standard input asks, and answer on ``answers``."""
    requests = os.dup(0)
    answers = requests if answers == 0 else os.dup(answers)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    forks.no_core_files()
    with suppress(wire.GoneError):
        wire.send(answers, {"ready": sys.version.split()[0]})
        request = wire.receive(requests)
        if forks.available() or (request["do"] == ANALYSE and hasattr(os, "fork")):
            _Host(requests, request).serve()
        else:
            _alone(requests, answers, request)


class _Host:
    """Watches the group of processes in which the program of ``request`` runs."""

    def __init__(self, channel: int, request: dict[str, Any]) -> None:
        self._channel, self._request = channel, request
        self._child = 0
        self._status: int | None = None

    def serve(self) -> None:
        forks.adopt_orphans()
        lifeline, ours = os.pipe()
        near, far = socket.socketpair()
        self._child = os.fork()
        if self._child == 0:
            near.close()
            os.close(ours)
            os.close(self._channel)
            os.setpgid(0, 0)
            forks.end_with(lifeline)
            _work(self._request, far.detach())
        os.close(lifeline)
        far.close()
        with suppress(OSError):
            os.setpgid(self._child, self._child)
        signal.signal(signal.SIGCHLD, self._reap)
        self._reap()
        try:
            if self._request["do"] == TRAVEL:
                self._hand_over(near)
            else:
                self._pass_on(near)
            self._await_client()
        finally:
            self._end()

    def _hand_over(self, near: socket.socket) -> None:
        """Give the client the program's own socket."""
        with socket.socket(fileno=os.dup(self._channel)) as channel:
            socket.send_fds(channel, [b"\0"], [near.fileno()])
        near.close()

    def _pass_on(self, near: socket.socket) -> None:
        """Give the client the program's one answer, or say why there is none."""
        poll = select.poll()
        poll.register(near.fileno(), select.POLLIN)
        poll.register(self._channel, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll()]
        if self._channel in ready:  # the client is gone: it has nothing more to say
            return
        try:
            answer = wire.receive(near.fileno())
        except (wire.GoneError, ValueError):
            answer = {"error": "died", "message": self._how_it_ended()}
        wire.send(self._channel, answer)

    def _await_client(self) -> None:
        while os.read(self._channel, 1 << 12):
            pass

    def _how_it_ended(self) -> str:
        deadline = time.monotonic() + GRACE
        while self._status is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return "its process has ended" if self._status is None else forks.how(self._status)

    def _reap(self, *_: object) -> None:
        with suppress(ChildProcessError):
            while True:
                number, status = os.waitpid(-1, os.WNOHANG)
                if number == 0:
                    return
                if number == self._child:
                    self._status = os.waitstatus_to_exitcode(status)

    def _end(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with suppress(OSError):
            os.killpg(self._child, signal.SIGKILL)
        deadline = time.monotonic() + GRACE
        with suppress(ChildProcessError):
            while time.monotonic() < deadline:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    _kill_children()  # those that have left the group have become ours
                    time.sleep(0.002)
        shutil.rmtree(self._request["scratch"], ignore_errors=True)
        os._exit(0)


def _kill_children() -> None:
    """Kill the processes whose parent this is (Linux)."""
    with suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as file:
        for number in file.read().split():
            with suppress(OSError):
                os.kill(int(number), signal.SIGKILL)


def _alone(requests: int, answers: int, request: dict[str, Any]) -> None:
    """Without forks: this process runs the program, and ends with the client."""
    if request["do"] == ANALYSE:
        wire.send(answers, {"error": "fork", "message": "this system cannot fork a process"})
        return
    commands: Queue[Any] = Queue()

    def read() -> None:  # also while the program computes, and nobody waits for a command
        with suppress(wire.GoneError):
            while True:
                commands.put(wire.receive(requests))
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    _work(request, answers, Queued(commands, answers))


def _work(request: dict[str, Any], answers: int, line: Line | None = None) -> NoReturn:
    """Run the program for ``request``, answer, and end the process."""
    execution: Execution | None = None
    try:
        losses = [LossSite.from_plain(each) for each in request["losses"]]
        execution = Execution(
            request["path"],
            request["arguments"],
            request["seed"],
            None if request["loops"] is None else [_loop(each) for each in request["loops"]],
            allow_effects=request["allow_effects"],
            scratch=request["scratch"],
            texts=request["texts"],
            sites=[each.site for each in losses],
        )
        execution.answer_with(lambda answer: wire.send(answers, answer))
        if request["do"] == TRAVEL:
            epoch_loop = None if request["epoch_loop"] is None else tuple(request["epoch_loop"])
            Traveller(execution, line or Direct(answers), Series(losses), epoch_loop).travel()
        else:
            answer = _function(request["function"])(execution, request["options"])
            execution.reply(answer)
    except ProgramError as error:
        with suppress(wire.GoneError):
            wire.send(answers, {"problem": str(error)})
    except BaseException as error:
        if execution is not None:
            execution.fail(error)
        wire.send(answers, {"error": "failed", "message": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _loop(loop: Any) -> Any:
    return tuple(loop) if isinstance(loop, list) else loop


def _function(name: str) -> Callable[[Execution, dict[str, Any]], dict[str, Any]]:
    """The function that ``package.module:name`` names."""
    module, _, attribute = name.partition(":")
    found: Callable[[Execution, dict[str, Any]], dict[str, Any]] = getattr(
        importlib.import_module(module), attribute
    )
    return found
