"""Background work that ends with the app: calls in a thread, experiments in a process."""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from types import FrameType
from typing import TypeVar

from nntui.sweeps.processes import ignoring_interrupts, start_tracker

Result = TypeVar("Result")
Told = TypeVar("Told")
LOOK = 0.1
"""Seconds between two looks whether a process has said anything."""
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
    tells are pickled.  Raises ChildProcessError, with the message, where it fails.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, theirs))
    start_tracker()
    with ignoring_interrupts():
        process.start()
    theirs.close()
    try:
        while True:
            while not ours.poll():
                await asyncio.sleep(LOOK)
            try:
                kind, content = ours.recv()
            except EOFError:
                raise ChildProcessError("the process ended") from None
            if kind == FAILED:
                raise ChildProcessError(content)
            yield content
            if kind == DONE:
                return
    finally:
        ours.close()
        process.terminate()


TOLD, DONE, FAILED = "told", "done", "failed"


def _work(work: Work[Told], pipe: Connection) -> None:
    # The default would leave the processes of a sweep behind.
    signal.signal(signal.SIGTERM, _leave)
    if hasattr(os, "nice"):
        os.nice(NICENESS)

    def tell(told: Told) -> bool:
        return _sent(pipe, TOLD, told)

    try:
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
