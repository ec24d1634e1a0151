"""Leaving on a hang-up or a termination: the terminal restored if it is there, gone in any case."""

import os
import signal
import threading
from types import FrameType

from nntui.tui.app import NNTUI

GRACE = 3.0
"""Seconds for a clean end; a terminal that has gone can block it for ever."""


def leave_on_signals(app: NNTUI) -> None:
    """End ``app`` on SIGHUP (the connection dropped) and SIGTERM; exit code 128 + the signal.

    Without this, they would kill the process and leave the terminal in the app's screen.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        watchdog = threading.Timer(GRACE, os._exit, (128 + number,))
        watchdog.daemon = True
        watchdog.start()
        if app.event_loop is not None:
            # Nothing less wakes a loop that waits for the keyboard.
            app.event_loop.call_soon_threadsafe(app.exit, None, 128 + number)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for name in ("SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
