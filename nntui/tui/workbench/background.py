"""Background work that ends with the app: calls in a thread, experiments in a process."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import aclosing, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from subprocess import Popen, TimeoutExpired
from types import FrameType
from typing import TypeVar

from nntui.sweeps.child_process import end, start_python

Result = TypeVar("Result")
Told = TypeVar("Told")
LOOK = 0.1
"""Seconds between two looks whether a process has said anything."""
GRACE = 2.0
"""Seconds for a process to end in order."""
NICENESS = 10
"""How far a process stands back behind the keys, the screen and the training."""


async def in_thread(call: Callable[[], Result]) -> Result:
    """What ``call`` returns or raises, made in a thread that does not keep the process alive.

    Nothing can stop it: who gives up waiting only misses the answer.
    """
    answer: Future[Result] = Future()
    # From now on it cannot be cancelled, and so the thread can always settle it.
    answer.set_running_or_notify_cancel()

    def work() -> None:
        try:
            answer.set_result(call())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(answer)


Work = Callable[[Callable[[Told], bool]], Told]
"""Says how far it is by calling its argument, which answers whether to go on; returns the last."""


async def in_process(work: Work[Told]) -> AsyncGenerator[Told, None]:
    """What ``work`` tells, and at last what it returns, from a process of its own.

    Giving up ends that process, and the processes that it has started.  ``work`` and what it
    tells are pickled.  Where no process may be started, a thread does the work.  Raises
    ChildProcessError, with the message, where it fails.
    """
    try:
        process, ours = start_python(work_for_app, [signal.SIGINT])
    except OSError:
        async with aclosing(_told_by_thread(work)) as told:
            async for each in told:
                yield each
        return
    try:
        with suppress(OSError):  # then the process has ended, which is found below
            ours.send(work)
        while True:
            while not ours.poll():
                await asyncio.sleep(LOOK)
            try:
                kind, content = ours.recv()
            except (EOFError, OSError):  # at its end, or in the middle of a word
                raise ChildProcessError("the process ended") from None
            if kind == FAILED:
                raise ChildProcessError(content)
            yield content
            if kind == DONE:
                return
    finally:
        ours.close()
        process.terminate()
        threading.Thread(target=_await_end, args=(process,)).start()


async def _told_by_thread(work: Work[Told]) -> AsyncGenerator[Told, None]:
    """What ``work`` tells, and at last what it returns; giving up lets it end at its next word."""
    told: SimpleQueue[Told] = SimpleQueue()
    given_up = False

    def tell(each: Told) -> bool:
        told.put(each)
        return not given_up

    answer = asyncio.ensure_future(in_thread(lambda: work(tell)))
    try:
        while not (answer.done() and told.empty()):
            if told.empty():
                await asyncio.sleep(LOOK)
            else:
                yield told.get()
        try:
            yield answer.result()
        except Exception as error:
            raise ChildProcessError(f"{type(error).__name__}: {error}") from None
    finally:
        given_up = True
        answer.cancel()


def _await_end(process: Popen[bytes]) -> None:
    """Let ``process`` end the processes that it has started; the app waits for that on its end."""
    with suppress(TimeoutExpired):
        process.wait(GRACE)
    end(process)


TOLD, DONE, FAILED = "told", "done", "failed"


def work_for_app(pipe: Connection) -> None:
    """Do the work that arrives through ``pipe``, in the new process."""
    # The default would leave the processes of a sweep behind.
    signal.signal(signal.SIGTERM, _leave)
    if hasattr(os, "nice"):
        os.nice(NICENESS)

    def tell(told: Told) -> bool:
        return _sent(pipe, TOLD, told)

    try:
        work: Work[object] = pipe.recv()
        _sent(pipe, DONE, work(tell))
    except Exception as error:
        # A traceback would be written across the screen of the app.
        _sent(pipe, FAILED, f"{type(error).__name__}: {error}")
    # Nothing is left to be ended in order; what Python does on its way out must not be interrupted.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(number: int, frame: FrameType | None) -> None:
    """End in order, once: the group and the app may both say so."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _sent(pipe: Connection, kind: str, content: object) -> bool:
    """Whether there is still somebody who listens."""
    try:
        pipe.send((kind, content))
    except OSError:
        return False
    return True
