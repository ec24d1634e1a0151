"""What a program's updates leave behind as they are made: the loss of each, and where epochs begin.

The loss is what the expression at a site gave in the update's own run, which costs one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nntui.program.record.places import Site

SQUARED, BINARY, CATEGORICAL = "squared-error", "binary-cross-entropy", "categorical-cross-entropy"
NAN = float("nan")


@dataclass(frozen=True)
class LossSite:
    """Where the loss of an update is read off the running program.

    ``kind`` is ``own``, the value itself, of which the ``nth`` in an update counts (the last where
    there are fewer); ``sum``, all its values in an update added up; or a usual loss of a
    prediction, operand ``side``, and its target, summed over the update.
    """

    site: Site
    kind: str
    nth: int = 0
    side: int = 0

    def as_plain(self) -> dict[str, Any]:
        """As values that `nntui.program.control.wire` sends."""
        return {"kind": self.kind, "nth": self.nth, "side": self.side, "site": vars(self.site)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "LossSite":
        """The site that `as_plain` wrote."""
        return cls(**{**plain, "site": Site(**plain["site"])})


class _Read:
    """One loss: its value in the update that is being made, and those of the updates before."""

    def __init__(self, loss: LossSite) -> None:
        self._loss = loss
        self._count, self._now = 0, NAN
        self._updates: list[int] = []
        self._losses: list[float] = []

    def seen(self, left: Any, right: Any) -> None:
        loss = self._loss
        if loss.kind == "own":
            if self._count <= loss.nth:
                self._now = _number(left)
        else:
            if loss.kind == "sum":
                value = _number(left)
            else:
                value = _usual(loss.kind, *((left, right) if loss.side == 0 else (right, left)))
            self._now = value if self._count == 0 else self._now + value
        self._count += 1

    def end(self, update: int) -> None:
        """Update ``update`` is made; one that did not come by the site has no loss."""
        if self._count:
            self._updates.append(update)
            self._losses.append(self._now)

    def begin(self) -> None:
        self._count, self._now = 0, NAN

    def take(self) -> dict[str, Any]:
        taken = {
            "updates": np.array(self._updates, dtype=np.int64),
            "losses": np.array(self._losses, dtype=np.float64),
        }
        self._updates, self._losses = [], []
        return taken


class Series:
    """The losses of the updates that were made since they were last taken, and epochs likewise."""

    def __init__(self, losses: Sequence[LossSite]) -> None:
        self._read = [_Read(each) for each in losses]
        self._complete = 0
        """The updates whose losses are known."""
        self._epochs: list[int] = []
        self.epoch = -1
        """The epoch that is going on; -1 in front of the first."""

    @property
    def is_wanted(self) -> bool:
        """Whether there is a loss to note."""
        return bool(self._read)

    def seen(self, site: int, left: Any, right: Any) -> None:
        """The program came by a site."""
        self._read[site].seen(left, right)

    def begin(self, update: int) -> None:
        """Update ``update`` was reached: the one before is complete."""
        for each in self._read:
            if update > self._complete:
                each.end(update - 1)
            each.begin()
        self._complete = max(self._complete, update)

    def left(self, update: int) -> None:
        """The loop was left behind update ``update - 1``; it may be entered again."""
        if update > self._complete:
            self.begin(update)

    def begin_epoch(self, update: int) -> None:
        """An epoch begins with ``update``."""
        self.epoch += 1
        self._epochs.append(update)

    def take(self) -> dict[str, Any]:
        """What is new, which then is not."""
        taken = {
            "read": [each.take() for each in self._read],
            "epochs": self._epochs,
            "epoch": self.epoch,
        }
        self._epochs = []
        return taken


def _number(value: Any) -> float:
    try:
        return float(np.sum(value))
    except (TypeError, ValueError):
        return NAN


def _times_log(share: Any, value: Any) -> Any:
    """share * log(value), where 0 * log(0) is 0: a prediction that is sure, and right."""
    return np.where(share == 0.0, 0.0, share * np.log(value))


def _usual(kind: str, prediction: Any, target: Any) -> float:
    """A usual loss of one comparison, summed over its rows."""
    try:
        p, y = np.asarray(prediction, float), np.asarray(target, float)
        with np.errstate(all="ignore"):
            if kind == SQUARED:
                return 0.5 * float(np.sum((p - y) ** 2))
            if kind == BINARY:
                return -float(np.sum(_times_log(y, p) + _times_log(1 - y, 1 - p)))
            return -float(np.sum(_times_log(y, p)))
    except (TypeError, ValueError):
        return NAN
