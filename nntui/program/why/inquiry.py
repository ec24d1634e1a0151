"""One question about one program: its time, its processes, and whether to go on."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace

from nntui.diagnosis.deadline import Deadline
from nntui.program.checking import CheckRequest
from nntui.program.control.client import Task
from nntui.program.control.loading.source_file import text_of
from nntui.program.why.findings.located import Located
from nntui.program.why.training import Training
from nntui.program.why.trials.pool import Pool
from nntui.program.why.trials.program_trials import Board, ProgramLaboratory

OnProgress = Callable[[str, float], bool]
"""Called with the current activity and the share of time used; returns False to stop."""


class Inquiry:
    """What all stages of answering ``request`` share."""

    def __init__(
        self,
        request: CheckRequest,
        seeds: int,
        deadline: Deadline,
        progress: OnProgress | None,
        workers: int,
    ) -> None:
        self.request, self.seeds, self.deadline = request, seeds, deadline
        self.workers = workers
        self._progress, self._whole = progress, deadline.left
        python = request.python
        interpreter = None if python is None else shutil.which(os.path.expanduser(python))
        self.task = Task(
            request.path,
            request.arguments,
            request.seed,
            None,
            interpreter,
            request.allow_effects,
            threads=1,
            # The file may be edited, or deleted, while its many processes start.
            texts={request.path: text_of(request.path)},
        )
        self.stopped = False
        """Whether the progress asked to stop."""

    def go_on(self, words: str) -> bool:
        """Report ``words`` as the current activity; returns whether to continue."""
        if self._progress is not None and not self.stopped:
            used = 1.0 - self.deadline.left / max(self._whole, 1e-9)
            self.stopped = not self._progress(words, used)
        return not self.stopped

    def pool(self, words: str) -> Pool:
        """Processes of the program, for the activity ``words``."""
        return Pool(self.task, self.workers, self.deadline, lambda: self.go_on(words))

    def laboratory(self, training: Training, board: Board, words: str) -> ProgramLaboratory:
        """Trains variants of the program of ``training``."""
        return ProgramLaboratory(
            training.source, board, training.seeds, self.pool(words), training.costs
        )

    def as_given(self, finding: Located) -> Located:
        """``finding`` with its file as the program was named, or relative to the working folder."""
        if finding.file is None:
            return finding
        program = self.request.path
        same = os.path.realpath(finding.file) == os.path.realpath(program)
        return replace(finding, file=program if same else os.path.relpath(finding.file))
