"""Local worker processes: spawned, ignoring SIGINT, and terminated when no longer needed."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Read by the linear algebra library when NumPy is imported."""

ENDED = "a worker process has ended"

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


@contextmanager
def local_processes(count: int) -> Iterator[Executor | None]:
    """An executor of ``count`` processes with one BLAS thread each; None for none.

    The processes end with the context, whatever they are doing.
    """
    if count < 1:
        yield None
        return
    pool = _Pool()
    try:
        pool.start(count)
        yield pool
    finally:
        pool.shutdown()


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """What is started here leaves Ctrl+C, which goes to the whole group, to this process.

    A process inherits the blocked signal, and so it is deaf from its first moment on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_tracker() -> None:
    """Start multiprocessing's resource tracker with the real error stream.

    It inherits the stream's descriptor, and what an app puts in the place of stderr has none.
    """
    replaced, sys.stderr = sys.stderr, sys.__stderr__
    try:
        resource_tracker.ensure_running()
    finally:
        sys.stderr = replaced


class _Pool(Executor):
    """Processes with a pipe and a thread each; what is submitted goes to the first that is free.

    Unlike a ``ProcessPoolExecutor`` it can be ended while its processes are at work: no lock and
    no pipe is shared by two of them, and nothing is left to be done when the interpreter ends.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], bytes] | None] = SimpleQueue()
        self._processes: list[BaseProcess] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ended = False

    def start(self, count: int) -> None:
        """Start ``count`` processes."""
        # A fork would copy the app's threads and locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        start_tracker()
        before = {name: os.environ.get(name) for name in BLAS_THREADS}
        os.environ.update({name: value or "1" for name, value in before.items()})
        try:
            for _ in range(count):
                ours, theirs = context.Pipe()
                with ignoring_interrupts():
                    process = context.Process(target=_serve, args=(theirs,), daemon=True)
                    process.start()
                    self._processes.append(process)
                theirs.close()
                thread = threading.Thread(target=self._hand_over, args=(ours,), daemon=True)
                thread.start()
                self._threads.append(thread)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]

    def submit(
        self, fn: Callable[Asked, Result], /, *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Future[Result]:
        """Call ``fn`` in a process; BrokenProcessPool in the future where one has ended."""
        future: Future[Result] = Future()
        task = future, pickle.dumps((fn, args, kwargs))
        with self._lock:
            if not self._ended:
                self._tasks.put(task)
                return future
        future.set_exception(BrokenProcessPool(ENDED))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes at once; what they have not done fails with BrokenProcessPool."""
        for process in self._processes:
            process.kill()
        self._fail()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.join()

    def _hand_over(self, pipe: Connection) -> None:
        """Give one process its tasks, until it ends or there will be no more."""
        with pipe:
            while (task := self._tasks.get()) is not None:
                future, call = task
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    pipe.send_bytes(call)
                    done, answer = pickle.loads(pipe.recv_bytes())
                except (EOFError, OSError):
                    future.set_exception(BrokenProcessPool(ENDED))
                    self._fail()
                    return
                except Exception as error:
                    future.set_exception(error)  # an answer that cannot be unpickled
                else:
                    if done:
                        future.set_result(answer)
                    else:
                        future.set_exception(answer)

    def _fail(self) -> None:
        """Fail the tasks that wait, and end every thread that waits for one."""
        with self._lock:
            self._ended = True
            with suppress(Empty):
                while True:
                    task = self._tasks.get_nowait()
                    if task is not None and task[0].set_running_or_notify_cancel():
                        task[0].set_exception(BrokenProcessPool(ENDED))
            for _ in self._threads:
                self._tasks.put(None)


def _serve(pipe: Connection) -> None:
    """Answer what comes through ``pipe`` until its other end is closed."""
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(call: bytes) -> bytes:
    try:
        fn, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, fn(*args, **kwargs)))
    except Exception as error:
        error.add_note(traceback.format_exc())
        return pickle.dumps((False, error))
