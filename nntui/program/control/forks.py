"""Forks of a running program: exact copies that answer their parent and never outlive it.

A fork costs about a millisecond; it inherits every object, NumPy's random state included.  Python's
own generator seeds itself anew in a fork, so its state is put back.
"""

import ctypes
import gc
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from nntui.program.control import wire

Reply = Callable[[dict[str, Any]], NoReturn]
"""Sends an answer to the parent and ends the process."""

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
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


prctl = _prctl()  # looked up before a program could be kept from doing so


def available() -> bool:
    """Whether this system can fork, and NNTUI_NO_FORK does not forbid it."""
    return hasattr(os, "fork") and os.environ.get("NNTUI_NO_FORK", "") in ("", "0")


def exact_fork() -> int:
    """Fork: 0 in the child, which has the same random states; its number in the parent."""
    state = random.getstate()
    gc.freeze()  # a collection in the child would copy every page that holds an object
    try:
        number = os.fork()
    except BaseException:
        gc.unfreeze()
        raise
    if number:
        gc.unfreeze()
    else:
        random.setstate(state)
    return number


def die_with_parent(parent: int) -> None:
    """End this process when process ``parent``, which has forked it, ends (Linux)."""
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


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
        os.kill(child, signal.SIGKILL)
        ended(child)
        return {"error": "time", "message": f"no answer within {seconds:g} s"}
    except (wire.GoneError, ValueError):
        return {"error": "died", "message": ended(child)}
    except BaseException:
        os.kill(child, signal.SIGKILL)
        ended(child)
        raise
    ended(child)
    if not isinstance(answer, dict):
        return {"error": "answer", "message": "an answer that is no dictionary"}
    return answer


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
