"""Interrupts work of this process that takes too long, so that what it has found is not lost."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTimeError(Exception):
    """The time for a piece of work is up."""


@contextmanager
def interrupted_at(until: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block at ``until`` (`time.monotonic`).

    Where there are no timers (Windows, other threads) the block runs to its end.
    """
    if not hasattr(signal, "setitimer") or (
        threading.current_thread() is not threading.main_thread()
    ):
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
