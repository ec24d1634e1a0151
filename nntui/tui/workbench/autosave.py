"""Saves a session to disk: on request, from time to time, and when the app is left."""

import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from nntui.core.errors import ConfigError
from nntui.timeline import Run
from nntui.timeline.sessions.session import Capture, write
from nntui.timeline.sessions.session_folder import is_in_folder, new_path

EVERY = 15.0
"""Seconds between two looks at whether there is anything new to save."""
PAUSE = 20.0
"""How many times the time that saving took passes before it is done again."""


class Autosave:
    """Saves one run with all its branches to one file, which is made when it is first needed."""

    def __init__(self, path: Path | None = None) -> None:
        """``path`` is the file that the run was loaded from."""
        self.path = path
        self.problem = ""
        """Why the last attempt failed; empty if it did not."""
        self._stamp = _stamp(path)
        self._kept: object = None
        self._lock = threading.Lock()
        self._due = 0.0

    def opened(self, run: Run, view: Mapping[str, Any]) -> None:
        """Note that the file holds ``run`` as it is."""
        self._kept = _signature(run, view)

    def save(self, run: Run, view: Mapping[str, Any]) -> Path | None:
        """Save now; returns where, or None if there is nothing worth it.

        Raises ConfigError if it cannot be done.
        """
        if not _is_worth_it(run):
            return None
        with self._lock:
            signature = _signature(run, view)
            if signature != self._kept or self.path is None or not self.path.exists():
                self._write(run.capture(view), run.tree.root.preset.name)
                self._kept = signature
        return self.path

    def save_later(self, run: Run, view: Mapping[str, Any]) -> threading.Thread | None:
        """Save what is new in the background; None if nothing is, or if it is too soon."""
        signature = _signature(run, view)
        if signature == self._kept or monotonic() < self._due or not _is_worth_it(run):
            return None
        # A picture is taken and written under one lock: an older one never comes after a newer.
        if not self._lock.acquire(blocking=False):
            return None
        picture, name = run.capture(view), run.tree.root.preset.name
        thread = threading.Thread(target=self._finish, args=(picture, name, signature), daemon=True)
        thread.start()
        return thread

    def _finish(self, picture: Capture, name: str, signature: object) -> None:
        started = monotonic()
        try:
            self._write(picture, name)
            self._kept = signature
        except ConfigError as error:
            self.problem = str(error)
        finally:
            self._due = monotonic() + PAUSE * (monotonic() - started)
            self._lock.release()

    def _write(self, picture: Capture, name: str) -> None:
        # Another nntui may have opened the same session, and a file from elsewhere is not ours.
        if self.path is None or _stamp(self.path) != self._stamp or not is_in_folder(self.path):
            self.path = new_path(name)
        write(picture, self.path)
        self._stamp, self.problem = _stamp(self.path), ""


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What changes when somebody writes the file."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_mtime_ns, status.st_size)


def _is_worth_it(run: Run) -> bool:
    """Whether anything was done that would be lost."""
    first = run.tree.root
    return len(run.tree.branches) > 1 or first.update > 0 or bool(first.marks or first.changes)


def _signature(run: Run, view: Mapping[str, Any]) -> object:
    """What differs as soon as there is anything new to save."""
    return (
        [
            (each.name, each.pinned, each.update, each.left_at, each.stretches, tuple(each.marks))
            for each in run.tree.branches
        ],
        run.branch.name,
        run.update,
        dict(view),
    )
