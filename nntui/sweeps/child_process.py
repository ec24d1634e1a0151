"""Python processes that answer over a pipe, and end with the process that started them."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from typing import Any

START = "import sys; sys.path[:] = sys.argv[3:]; from {module} import main; main(*sys.argv[1:3])"
"""What a process runs: the paths of modules are those of the process that starts it."""


def start_python(
    target: Callable[[Connection], None], ignored: Iterable[signal.Signals]
) -> tuple["subprocess.Popen[bytes]", Connection]:
    """Start a process that calls ``target``, a function of a module, with the end of a pipe.

    Returns the process, and the other end of the pipe.  The process ignores the signals
    ``ignored``.  It is killed as soon as this process has ended, however that came about.

    A process of `multiprocessing` would come with a second one, the tracker of its resources, which
    outlives both for a moment; and it would import the program that uses the library again.
    """
    ours, theirs = Pipe()
    program = START.format(module=__name__)
    where = f"{target.__module__}:{target.__qualname__}"
    with theirs, _blocked(ignored):
        command = [sys.executable, "-c", program, where, str(theirs.fileno()), *sys.path]
        # Standard input ends when this process does, for it alone holds the other end.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
    return process, ours


@contextmanager
def _blocked(signals: Iterable[signal.Signals]) -> Iterator[None]:
    """A process that is started in this context inherits that ``signals`` are blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill ``process``, and wait until it has ended."""
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def main(where: str, descriptor: str) -> None:
    """Call ``where`` ("module:function") with the pipe on ``descriptor``, in the new process."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module, _, name = where.partition(":")
    target: Any = getattr(import_module(module), name)
    target(Connection(int(descriptor)))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGKILL)
