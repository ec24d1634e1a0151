"""Interrupts work of this process that takes too long, so that what it has found is not lost."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class OutOfTimeError(Exception):
    """The time for a piece of work is up."""


@contextmanager
def interrupted_at(until: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block at ``until`` (`time.monotonic`).

    Where there are no timers (Windows, other threads) the block runs to its end.
    """
    if not _has_timer():
        yield
        return

    def ring(_number: int, _frame: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def ring_at(until: float, then: Callable[[], None]) -> None:
    """Call ``then`` at ``until`` (`time.monotonic`), whatever this process does then.

    A fork has no such timer.  Where there are none (Windows, other threads) it is never called.
    """
    if _has_timer():
        own = os.getpid()

        def ring(_number: int, _frame: object) -> None:
            if os.getpid() == own:  # a fork may be rung by what the program does
                then()

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), 0.001))


def _has_timer() -> bool:
    return hasattr(signal, "setitimer") and (threading.current_thread() is threading.main_thread())
