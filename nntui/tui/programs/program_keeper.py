"""Saves what was seen of a program: on request, from time to time, and when it is left."""

import threading
from pathlib import Path

from nntui.core.errors import ConfigError
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.sessions.program_session import write_program_session
from nntui.timeline.sessions.session_folder import is_in_folder, new_path


class ProgramKeeper:
    """The session file of one program, which is made when it is first needed."""

    def __init__(self, run: ProgramRun, path: Path | None = None) -> None:
        """``path`` is the file that it was loaded from."""
        self._run = run
        self.path = path
        self.problem = ""
        """Why the last attempt failed; empty if it did not."""
        self._saved: object = self._signature() if path is not None else None
        self._lock = threading.Lock()

    def save(self) -> Path | None:
        """Save now; where, or None if nothing is known of the program yet.

        Raises ConfigError if it cannot be done.
        """
        run = self._run
        if run.branches[0].insight is None:
            return None
        with self._lock:
            signature = self._signature()
            if signature != self._saved or self.path is None or not self.path.exists():
                if self.path is None or not is_in_folder(self.path):
                    self.path = new_path(Path(run.request.path).stem)
                write_program_session(self.path, *run.keep())
                self._saved = signature
        return self.path

    def save_quietly(self) -> None:
        """Save; `problem` says if that failed."""
        self.problem = ""
        try:
            self.save()
        except (ConfigError, OSError, ValueError) as error:
            self.problem = str(error)

    @property
    def is_new(self) -> bool:
        """Whether there is anything that was not saved yet."""
        return self._run.branches[0].insight is not None and self._signature() != self._saved

    def _signature(self) -> object:
        """What differs as soon as there is anything new."""
        run = self._run
        return (
            [
                (each.number, each.name, each.update, each.head, each.pinned)
                for each in run.branches
            ],
            run.branch.number,
            None if run.overlaid is None else run.overlaid.number,
        )
