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
"""Environment variables that the linear algebra library reads when NumPy is imported."""

ENDED = "a worker process has ended"

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


@contextmanager
def local_processes(count: int) -> Iterator[Executor | None]:
    """An executor of ``count`` processes with one BLAS thread each; None if ``count`` is 0.

    The processes are killed at the end of the context, even while they are working.
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
    """Processes started in this context ignore SIGINT, which Ctrl+C sends to the whole group.

    A process inherits the blocked signal, so it ignores SIGINT from its start.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_tracker() -> None:
    """Start multiprocessing's resource tracker with the real error stream.

    It inherits the descriptor of stderr, and an app's replacement for stderr has none.
    """
    replaced, sys.stderr = sys.stderr, sys.__stderr__
    try:
        resource_tracker.ensure_running()
    finally:
        sys.stderr = replaced


class _Pool(Executor):
    """Processes with a pipe and a thread each; a call runs in the first process that is free.

    Unlike a ``ProcessPoolExecutor`` it can be shut down while its processes are working: they
    share no lock and no pipe, and no clean-up remains for the end of the interpreter.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], bytes] | None] = SimpleQueue()
        self._processes: list[BaseProcess] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ended = False

    def start(self, count: int) -> None:
        """Start ``count`` processes."""
        # A fork would copy the app's locks in whatever state its threads hold them.
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
        """Call ``fn`` in a process; the future raises BrokenProcessPool if a process has ended."""
        future: Future[Result] = Future()
        task = future, pickle.dumps((fn, args, kwargs))
        with self._lock:
            if not self._ended:
                self._tasks.put(task)
                return future
        future.set_exception(BrokenProcessPool(ENDED))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the processes at once; unfinished calls fail with BrokenProcessPool."""
        for process in self._processes:
            process.kill()
        self._fail()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.join()

    def _hand_over(self, pipe: Connection) -> None:
        """Pass tasks to one process until it ends or the pool is shut down."""
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
        """Fail all waiting tasks, and end every thread that waits for one."""
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
    """Answer calls that arrive through ``pipe`` until its other end is closed."""
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
