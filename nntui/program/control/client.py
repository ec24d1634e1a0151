"""Starts the host of a program, asks it, and leaves no process of it behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nntui.program.control import forks, wire
from nntui.program.control.world.scratch_folder import make_scratch, remove_scratch
from nntui.program.program_error import ProgramError

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What linear algebra libraries read the number of their threads from."""
GRACE = 5.0
"""Seconds for a host to end by itself."""


@dataclass(frozen=True)
class Task:
    """A program, and how it is run.

    ``python`` is the interpreter, None for the one that runs nntui; ``loops`` are the lines, or
    file and line, of the loops that are watched, None for all.
    """

    path: str
    arguments: Sequence[str] = ()
    seed: int | None = None
    loops: Collection[int | tuple[str, int]] | None = None
    python: str | None = None
    allow_effects: bool = False
    threads: int | None = None
    """That NumPy computes with; None: as many as it takes by itself, so that it gives the bits of
    the plain run.  An analysis takes one: a fork's many threads are slow beside other work."""
    texts: Mapping[str, str] | None = None
    """By file, source to run in the place of what the file holds."""
    losses: Sequence[Mapping[str, Any]] = ()
    """Where losses of each update are read off, as `LossSite.as_plain` writes it."""
    epoch_loop: tuple[str, int] | None = None
    """File and line of the loop of which each turn is an epoch; it must be among ``loops``."""


def ask(
    task: Task,
    function: str,
    options: Mapping[str, Any] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """What ``function`` (``package.module:name``), called inside the program, answers.

    It is called with an `Execution` that has not been run, and with ``options``.  Where there is no
    answer the dictionary has ``refused`` (an effect; see `Refused`), or ``error`` (``time`` after
    ``seconds``, ``died``, ``failed``, ``fork``) and ``message``.  Raises ProgramError if the
    program cannot be looked at.  However this ends, the program's processes have ended.
    """
    with Host(task) as host:
        host.start("analyse", function=function, options=dict(options or {}))
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            answer = wire.receive(host.reader, deadline)
        except wire.LateError:
            return {"error": "time", "message": f"no answer within {seconds:g} s"}
        except (wire.GoneError, ValueError):
            return {"error": "died", "message": host.how_it_ended()}
    return checked(answer)


def checked(answer: Any) -> dict[str, Any]:
    """``answer``, unless it says that the program cannot be looked at; then a ProgramError."""
    if not isinstance(answer, dict):
        raise ProgramError("the program's process gave no proper answer")
    if "problem" in answer:
        raise ProgramError(str(answer["problem"]))
    return answer


class Host:
    """A host process for ``task``; `close` ends it and all that it has started."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.reader = self.writer = -1
        """The descriptors of the line to the host."""
        self.scratch = ""
        """The folder where the program's output and files are, until `close`."""
        self._finalizer: Any = None

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def number(self) -> int:
        """The number of the host's process, which is that of its session: all others are in it."""
        assert self._process is not None
        return self._process.pid

    @property
    def python(self) -> str:
        """The interpreter that runs the program."""
        return self._task.python or sys.executable

    def start(self, do: str, *, pipes: bool = False, **request: Any) -> None:
        """Start the process, and tell it what to ``do``; ``pipes`` do without sockets.

        Raises ProgramError if the interpreter is not fit for it.
        """
        pipes = pipes or not hasattr(os, "fork")
        self.scratch = make_scratch()
        ours, theirs = (None, None) if pipes else socket.socketpair()
        errors = os.open(os.path.join(self.scratch, "host"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            self._process = subprocess.Popen(
                [self.python, str(BOOTSTRAP)],
                stdin=theirs.fileno() if theirs else subprocess.PIPE,
                stdout=subprocess.DEVNULL if theirs else subprocess.PIPE,
                stderr=errors,
                # Ctrl+C in the terminal is for nntui alone, which then ends the program.
                start_new_session=True,
                env=_environment(self._task.threads),
            )
        except OSError as error:
            if ours is not None:
                ours.close()
            remove_scratch(self.scratch)
            raise ProgramError(f"{self.python} cannot be run: {error.strerror}") from None
        finally:
            if theirs is not None:
                theirs.close()
            os.close(errors)
        process, self._socket = self._process, ours
        if ours is not None:
            self.reader = self.writer = ours.fileno()
        else:
            assert process.stdin is not None
            assert process.stdout is not None
            self.reader, self.writer = process.stdout.fileno(), process.stdin.fileno()
        self._finalizer = weakref.finalize(self, _end, process, ours, self.scratch)
        task = {**asdict(self._task), "do": do, "scratch": self.scratch, **request}
        task["arguments"] = list(self._task.arguments)
        task["loops"] = None if self._task.loops is None else list(self._task.loops)
        try:
            try:
                ready = wire.receive(self.reader)
            except (wire.GoneError, ValueError):
                ended = self.how_it_ended()
                raise ProgramError(
                    f"{self.python} cannot be used as the interpreter: {ended}"
                ) from None
            checked(ready)
            with suppress(wire.GoneError):  # then it is missed when an answer is read
                wire.send(self.writer, task)
        except BaseException:
            self.close()
            raise

    def own_line(self) -> socket.socket:
        """The socket of the program's own process; raises ProgramError if there is none."""
        assert self._socket is not None
        try:
            _, sockets, _, _ = socket.recv_fds(self._socket, 1, 1)
        except ConnectionResetError:
            sockets = []
        if not sockets:
            raise ProgramError(f"the program cannot be run: {self.how_it_ended()}")
        return socket.socket(fileno=sockets[0])

    def how_it_ended(self) -> str:
        """How the host's process ended, as a clause, with the last line that it wrote."""
        assert self._process is not None
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            return "its process gives no answer"
        told = forks.how(code)
        with suppress(OSError):
            lines = Path(self.scratch, "host").read_text("utf-8", "replace").strip().splitlines()
            if lines:
                return f"{told}: {lines[-1][:300]}"
        return told

    def close(self) -> None:
        """End the host and the program, and remove the scratch folder."""
        if self._finalizer is not None:
            self._finalizer()


def _end(process: "subprocess.Popen[bytes]", channel: socket.socket | None, scratch: str) -> None:
    """Close the line, which the host takes as the order to end the program and itself."""
    try:
        with suppress(OSError):
            if channel is not None:
                channel.shutdown(socket.SHUT_WR)
                channel.settimeout(GRACE)
                while channel.recv(1 << 16):  # until its end is closed: it has ended
                    pass
        for each in (channel, process.stdin, process.stdout):
            if each is not None:
                with suppress(OSError):
                    each.close()
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
    except BaseException:  # an impatient second Ctrl+C
        process.kill()
        process.wait()
        raise
    finally:
        process.wait()
        remove_scratch(scratch)


def _environment(threads: int | None) -> dict[str, str]:
    """That of nntui, with one order of sets in all runs of a program."""
    bounds = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    return {"PYTHONHASHSEED": "0", **os.environ, **bounds}


def end_process(number: int) -> None:
    """Kill process ``number`` of a program."""
    with suppress(OSError):
        os.kill(number, signal.SIGKILL)
