"""Local worker processes: left alone by signals, and killed when no longer needed."""

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from subprocess import Popen
from typing import Any, ParamSpec, TypeVar

from nntui.sweeps.child_process import end, start_python

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Environment variables that the linear algebra library reads when NumPy is imported."""

ENDED = "a worker process has ended"
HEARD_BY_PARENT = tuple(
    number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")
)
"""Signals that a whole group of processes gets; the one that started the workers ends them."""

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


@contextmanager
def local_processes(count: int, shared: object = None) -> Iterator[Executor | None]:
    """An executor of ``count`` processes with one BLAS thread each; None if ``count`` is 0.

    What they call finds ``shared``, which is sent to each of them once, as `shared_object`.  The
    processes are killed at the end of the context, even while they are working.  There is no
    executor either where no process may be started.
    """
    if count < 1:
        yield None
        return
    pool = _Pool(pickle.dumps(shared))
    try:
        started = True
        try:
            pool.start(count)
        except OSError:
            started = False
        yield pool if started else None
    finally:
        pool.shutdown()


class _Pool(Executor):
    """Processes with a pipe and a thread each; a call runs in the first process that is free.

    Unlike a ``ProcessPoolExecutor`` it can be shut down while its processes are working: they
    share no lock and no pipe, and no clean-up remains for the end of the interpreter.
    """

    def __init__(self, shared: bytes) -> None:
        self._shared = shared
        self._tasks: SimpleQueue[tuple[Future[Any], bytes] | None] = SimpleQueue()
        self._processes: list[Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ended = False

    def start(self, count: int) -> None:
        """Start ``count`` processes."""
        before = {name: os.environ.get(name) for name in BLAS_THREADS}
        os.environ.update({name: value or "1" for name, value in before.items()})
        try:
            for _ in range(count):
                process, ours = start_python(serve, HEARD_BY_PARENT)
                self._processes.append(process)
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
            end(process)

    def _hand_over(self, pipe: Connection) -> None:
        """Pass tasks to one process until it ends or the pool is shut down."""
        with pipe:
            with suppress(OSError):  # then the process has ended, which is found below
                pipe.send_bytes(self._shared)
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


_shared = pickle.dumps(None)


@cache
def shared_object() -> Any:
    """The object that `local_processes` shares with the process that this is called in."""
    return pickle.loads(_shared)


def serve(pipe: Connection) -> None:
    """Answer calls that arrive through ``pipe`` until its other end is closed."""
    global _shared
    with suppress(EOFError, OSError):
        _shared = pipe.recv_bytes()
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(call: bytes) -> bytes:
    try:
        fn, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, fn(*args, **kwargs)))
    except Exception as error:
        error.add_note(traceback.format_exc())
        return pickle.dumps((False, error))
