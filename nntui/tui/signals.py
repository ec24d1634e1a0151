"""Ends the app on SIGHUP, SIGTERM and SIGINT: saved, and the terminal as it was, if it is there."""

import os
import signal
import threading
from types import FrameType

from nntui.tui.app import NNTUI

GRACE = 3.0
"""Seconds for a clean end; a terminal that has gone can block it for ever."""


def leave_on_signals(app: NNTUI) -> None:
    """Save and end ``app`` on SIGHUP (a dropped connection), SIGTERM and SIGINT.

    The exit code is 128 + the signal.

    Without this they would kill the process and leave the terminal in the app's screen.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        watchdog = threading.Timer(GRACE, _end, (app, 128 + number))
        watchdog.daemon = True
        watchdog.start()
        if app.event_loop is not None:
            # Nothing less wakes a loop that waits for the keyboard.
            app.event_loop.call_soon_threadsafe(app.leave, 128 + number)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for name in ("SIGHUP", "SIGTERM", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def _end(app: NNTUI, code: int) -> None:
    """End the process, with what its blocked loop could not save, if no update is being made."""
    if app.hold_training(GRACE):
        app.save_all()
    os._exit(code)
