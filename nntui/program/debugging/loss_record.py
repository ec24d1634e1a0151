"""The losses of a branch of a program, by update and by epoch, and where its epochs begin."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import numpy as np

from nntui.timeline.history.loss_history import LossHistory

ROSE = 2.0
"""A loss rose sharply if it is more than this many times the one before."""
MOST_ROSE = 200


class LossRecord:
    """What the updates of one branch left behind, in the order in which they were made first.

    With ``epochs`` the losses are means of epochs: those of single samples say little.
    """

    def __init__(self, epochs: bool, printed: bool = False) -> None:
        self.by_epoch = epochs
        self.printed = LossRecord(epochs) if printed else None
        """The same of what is printed, where that is another number."""
        self.starts: list[int] = []
        """The update with which each epoch begins."""
        self.by_update = LossHistory()
        self.means = LossHistory()
        self.rises: list[tuple[int, float, float]] = []
        """Update, loss before and loss, where it rose sharply."""
        self.first_bad: int | None = None
        """The first update whose loss is not finite."""
        self._known = 0
        """The updates whose losses were taken."""

    @property
    def shown(self) -> LossHistory:
        """The losses that are plotted."""
        return self.means if self.by_epoch else self.by_update

    def points(self, update: int) -> int:
        """How many of those that are plotted lie before ``update``."""
        return self.epochs_before(update) if self.by_epoch else update

    def update_of(self, points: int) -> int:
        """The update at which so many of those that are plotted are complete."""
        if not self.by_epoch:
            return points
        if points < len(self.starts):
            return self.starts[points]
        return self._known

    def epochs_before(self, update: int) -> int:
        """The finished epochs at ``update``."""
        finished = max(bisect_right(self.starts, update) - 1, 0)
        at_end = len(self.means) == len(self.starts) and update >= self._known
        return len(self.starts) if at_end and self.starts else finished

    def last(self, update: int) -> float | None:
        """The loss of the last epoch before ``update``, or of the last update before the first."""
        known = self.shown.last(self.points(update)) or self.by_update.last(update)
        return None if known is None else known[1]

    def take(self, series: Mapping[str, Any]) -> None:
        """Take what a process has sent, as far as it is new."""
        read = series["read"]
        if self.printed is not None and len(read) > 1:
            self.printed.take({**series, "read": read[1:]})
        updates = read[0]["updates"] if read else np.empty(0)
        losses = read[0]["losses"] if read else np.empty(0)
        starts = series["epochs"]
        first = series["epoch"] - len(starts) + 1
        new = updates >= self._known
        if new.any():
            self._append(updates[new], losses[new])
        for at, start in enumerate(starts, first):
            if at == len(self.starts):
                self.starts.append(start)
                if at and self.by_epoch:
                    self._finish_epoch(at - 1, start)

    def finish(self, head: int) -> None:
        """The training has ended with ``head``: the last epoch is complete."""
        if self.printed is not None:
            self.printed.finish(head)
        if self.by_epoch and self.starts and len(self.means) < len(self.starts):
            self._finish_epoch(len(self.starts) - 1, head)

    def _append(self, updates: Any, losses: Any) -> None:
        first, last = int(updates[0]), int(updates[-1])
        if last - first + 1 == len(updates):
            self.by_update.extend(range(first, last + 1), losses)
        else:
            for update, loss in zip(updates.tolist(), losses.tolist(), strict=True):
                self.by_update.append(update, loss)
        if not self.by_epoch:
            before = self.by_update.last(first)
            self._note(updates, losses, None if before is None else before[1])
        self._known = last + 1

    def _finish_epoch(self, epoch: int, end: int) -> None:
        losses = self.by_update.read(self.starts[epoch], end)
        if not len(losses):
            return
        mean = np.array([losses.mean()])
        before = self.means.last(epoch)
        self.means.append(epoch, float(mean[0]))
        self._note(np.array([end - 1]), mean, None if before is None else before[1])

    def _note(self, updates: Any, losses: Any, before: float | None) -> None:
        """Note where the loss rose, or is not finite, of what is new."""
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad) and self.first_bad is None:
            self.first_bad = int(updates[bad[0]]) + 1
        with np.errstate(all="ignore"):
            earlier = np.concatenate([[np.nan if before is None else before], losses[:-1]])
            rose = np.flatnonzero((losses > ROSE * earlier) & (earlier > 0.0))
        for at in rose[: MOST_ROSE - len(self.rises)]:
            self.rises.append((int(updates[at]) + 1, float(earlier[at]), float(losses[at])))
