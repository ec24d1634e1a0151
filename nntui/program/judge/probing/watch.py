"""Watches a training for the first update after which a number is not finite."""

import re
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.probing.further_trainings import FurtherTrainings

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

NOT_FINITE = re.compile(r"(?<![\w.])[+-]?(nan|inf|infinity)(?![\w.])", re.IGNORECASE)
"""How a program prints a number that is not finite."""
SHARE = 0.2
"""The part of the time that looking may take while the program runs on."""


class Watch:
    """Looks at the parameters and at the output at the start of updates, seldom or at each.

    ``on_found(last, now, printed)`` is told the last update at whose start all was finite, the
    first one looked at where it is not, and whether only what was printed is not finite;
    ``on_late()`` that the time is up.  ``begun`` iterations have
    begun before, and looking is seldom unless it is each update from ``exact_from`` on.
    """

    def __init__(
        self,
        execution: "Execution",
        loop: int,
        parameters: Collection[str],
        on_found: Callable[[int, int, bool], None],
        on_late: Callable[[], None] | None = None,
        until: float = float("inf"),
        exact_from: int | None = None,
        begun: int = 0,
    ) -> None:
        self._execution, self._loop, self._parameters = execution, loop, frozenset(parameters)
        self._on_found, self._on_late, self._until = on_found, on_late, until
        self._exact_from = exact_from
        self.update = begun - 1
        self.looked = max(begun - 1, 0)
        """The last update at whose start all was seen to be finite."""
        self._next = 0.0
        self._read = 0
        self._further: FurtherTrainings | None = None
        self._is_inside = True

    def begin(self, further: FurtherTrainings | None = None) -> None:
        """Watch from the next iteration on; what begins behind the loop is ``further``'s."""
        self._execution.on_iteration = self._on_iteration
        self._further = further
        if further is not None:
            self._execution.on_left = self._on_left

    def _on_left(self, loop: int) -> None:
        if loop == self._loop:
            self._is_inside = False
        elif self._further is not None and not self._is_inside:
            self._further.on_left(loop)

    def _on_iteration(self, loop: int) -> None:
        if loop != self._loop:
            if self._further is not None and not self._is_inside:
                self._further.on_iteration(loop)
            return
        self._is_inside = True
        self.update += 1
        now = time.monotonic()
        if now > self._until and self._on_late is not None:
            self._on_late()
        exact = self._exact_from is not None and self.update >= self._exact_from
        if exact or (self._exact_from is None and now >= self._next):
            self.look()
            taken = time.monotonic() - now
            self._next = now + taken / SHARE

    def finish(self) -> None:
        """Look at what the last update left; the program has ended."""
        self.update += 1
        self.look()

    def look(self) -> bool:
        """Look now; whether a number is not finite, which is then told."""
        for each in self._execution.live():
            if each.name in self._parameters and not _finite(each.value):
                self._on_found(self.looked, self.update, False)
                return True
        self._execution.flush()
        output = self._execution.output
        if NOT_FINITE.search(output.read_at(self._read, output.written)):
            self._on_found(self.looked, self.update, True)
            return True
        self._read = output.written
        self.looked = self.update
        return False


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
