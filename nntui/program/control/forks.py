"""Forks of a running program: exact copies that answer their parent and never outlive it.

A fork costs about a millisecond; it inherits every object, NumPy's random state included.  Python's
own generator seeds itself anew in a fork, so its state is put back.
"""

import ctypes
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from nntui.program.control import wire

Reply = Callable[[dict[str, Any]], NoReturn]
"""Sends an answer to the parent and ends the process."""

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
LEAST_MEMORY = 1 << 30
"""Bytes that a fork may take beyond what its parent has, however little is left."""


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    return found


ours = False
"""Whether it is nntui that forks now, and not the program."""
prctl = _prctl()  # looked up before a program could be kept from doing so


def available() -> bool:
    """Whether this system can fork, and NNTUI_NO_FORK does not forbid it."""
    return hasattr(os, "fork") and os.environ.get("NNTUI_NO_FORK", "") in ("", "0")


@contextmanager
def for_us() -> Iterator[None]:
    """What happens in this context is nntui's doing, not the program's."""
    global ours
    ours = True
    try:
        yield
    finally:
        ours = False


def exact_fork(separate: Callable[[], None] | None = None) -> int:
    """Fork: 0 in the child, which has the same random states; its number in the parent.

    ``separate`` is called in the child, to take leave of what it would share with its parent.
    """
    state = random.getstate()
    with for_us():
        number = os.fork()
        if number == 0:
            random.setstate(state)
            if separate is not None:
                separate()
    return number


def die_with_parent(parent: int) -> None:
    """End this process when process ``parent``, which has forked it, ends (Linux)."""
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended (Linux), to see their end."""
    if prctl is not None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with(lifeline: int) -> None:
    """Kill this process and its group once nobody has the other end of the pipe ``lifeline``.

    The kernel sends the signal (F_SETSIG of Linux), whatever the processes are doing; every fork
    inherits that.  Elsewhere a process ends when it next waits for a command.
    """
    try:
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    except (ImportError, AttributeError, OSError):
        return
    with suppress(BlockingIOError):
        if not os.read(lifeline, 1):  # it was too late for the signal
            os._exit(1)


def no_core_files() -> None:
    """Write no memory dump into the person's folder when compiled code fails."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def limit_memory(more: int) -> None:
    """Let this process take ``more`` bytes of memory than it has; then it gets MemoryErrors."""
    try:
        import resource

        with open("/proc/self/status", "rb") as status:
            data = next(line for line in status if line.startswith(b"VmData"))
        bound = int(data.split()[1]) * 1024 + more
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if hard != resource.RLIM_INFINITY:
            bound = min(bound, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    except (ImportError, OSError, StopIteration, ValueError):
        return


def memory_to_give() -> int:
    """Half of the memory that is available now, in bytes, and at least `LEAST_MEMORY`."""
    with suppress(OSError, StopIteration, ValueError), open("/proc/meminfo", "rb") as information:
        line = next(line for line in information if line.startswith(b"MemAvailable"))
        return max(int(line.split()[1]) * 512, LEAST_MEMORY)
    return LEAST_MEMORY


def awaited(descriptor: int, child: int, seconds: float) -> dict[str, Any]:
    """The answer that process ``child`` writes to ``descriptor``, or why there is none.

    The child has ended when this returns, and so have the forks that it has made itself.
    """
    try:
        answer = wire.receive(descriptor, time.monotonic() + seconds)
    except wire.LateError:
        _kill(child)
        return {"error": "time", "message": f"no answer within {seconds:g} s"}
    except (wire.GoneError, ValueError):
        return {"error": "died", "message": ended(child)}
    except BaseException:
        _kill(child)
        raise
    ended(child)
    if not isinstance(answer, dict):
        return {"error": "answer", "message": "an answer that is no dictionary"}
    return answer


@dataclass(frozen=True)
class Copy:
    """A fork that was started, and what is to be done when it has ended; or why there is none."""

    descriptor: int = -1
    process: int = 0
    at_end: Callable[[], None] = lambda: None
    error: str = ""

    def answer(self, seconds: float) -> dict[str, Any]:
        """What it answers within ``seconds``, or why it does not; it has ended then."""
        if self.error:
            return {"error": "fork", "message": self.error}
        try:
            return awaited(self.descriptor, self.process, seconds)
        finally:
            self._clear()

    def end(self) -> None:
        """Kill it: its answer is not wanted any more."""
        if not self.error:
            _kill(self.process)
            self._clear()

    def _clear(self) -> None:
        os.close(self.descriptor)
        with for_us():
            self.at_end()


def _kill(child: int) -> None:
    with for_us():
        os.kill(child, signal.SIGKILL)
    ended(child)


def ended(child: int) -> str:
    """Wait for process ``child``; how it ended, as a clause."""
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:
        return "its process has ended"
    return how(status)


def how(code: int) -> str:
    """What the exit ``code`` of a process means, as a clause; signals are negative."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    likely = {
        "SIGKILL": ", as when memory runs out",
        "SIGSEGV": ", a fault in compiled code",
    }
    return f"its process was ended by {name}{likely.get(name, '')}"
