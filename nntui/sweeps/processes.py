"""Local worker processes: started clean, deaf to Ctrl+C, and gone when they are not needed."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Read by the linear algebra library when NumPy is imported."""


def ignore_interrupt() -> None:
    """Leave Ctrl+C, which a terminal sends to the whole group, to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def local_processes(count: int) -> Iterator[Executor | None]:
    """An executor of ``count`` processes with one BLAS thread each; None for none."""
    if count < 1:
        yield None
        return
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update({name: value or "1" for name, value in before.items()})
    # A fork would copy the app's threads and locks in whatever state they are.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, context, initializer=ignore_interrupt)
    finished = False
    try:
        yield executor
        finished = True
    finally:
        executor.shutdown(wait=finished, cancel_futures=True)
        if not finished:
            _end_children()
        for name, value in before.items():
            if value is None:
                del os.environ[name]


def _end_children() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
