"""Local worker processes: spawned, ignoring SIGINT, and terminated when no longer needed."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Read by the linear algebra library when NumPy is imported."""


def ignore_interrupt() -> None:
    """Leave Ctrl+C, which a terminal sends to the whole group, to the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def local_processes(count: int) -> Iterator[Executor | None]:
    """An executor of ``count`` processes with one BLAS thread each; None if ``count`` is 0."""
    if count < 1:
        yield None
        return
    start_tracker()
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update({name: value or "1" for name, value in before.items()})
    # A fork would copy the app's locks in whatever state its threads left them.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, context, initializer=ignore_interrupt)
    with _ignoring_sigint():
        for _ in range(count):
            executor.submit(os.getpid)  # a process is started when there is work for it
    try:
        yield executor
    finally:
        # The blocks of an abandoned sweep could go on for hours.
        processes = list(executor._processes.values())
        executor.shutdown(wait=False)
        for process in processes:
            process.terminate()
        for name, value in before.items():
            if value is None:
                del os.environ[name]


@contextmanager
def _ignoring_sigint() -> Iterator[None]:
    """Make processes that are started within ignore SIGINT from their first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def start_tracker() -> None:
    """Start multiprocessing's resource tracker with the real error stream.

    It inherits the stream's descriptor, and what an app puts in the place of stderr has none.
    """
    replaced, sys.stderr = sys.stderr, sys.__stderr__
    try:
        resource_tracker.ensure_running()
    finally:
        sys.stderr = replaced
