"""Which epochs were reported: one every so many, which a change of the preset may alter."""

from bisect import bisect_left, bisect_right
from operator import itemgetter

import numpy as np
import numpy.typing as npt

_PLACE, _EPOCH = itemgetter(0), itemgetter(1)

Places = npt.NDArray[np.intp]


class ReportedEpochs:
    """The numbers of the reported epochs, in order, kept as arithmetic progressions."""

    def __init__(self) -> None:
        self._count = 0
        self._parts: list[tuple[int, int, int]] = []
        """Of each progression: its place in the list, its first epoch, and its step."""

    def __len__(self) -> int:
        return self._count

    @property
    def progressions(self) -> list[tuple[int, int, int]]:
        """Of each progression its place in the list, its first epoch, and its step, a copy."""
        return list(self._parts)

    def __getitem__(self, place: int) -> int:
        if not 0 <= place < self._count:
            raise IndexError(f"there is no report {place}")
        first, epoch, step = self._parts[bisect_right(self._parts, place, key=_PLACE) - 1]
        return epoch + (place - first) * step

    def at(self, places: Places) -> Places:
        """The epochs at many ``places``."""
        if not self._parts:
            return places
        parts = np.array(self._parts)
        first, epoch, step = parts[np.searchsorted(parts[:, 0], places, side="right") - 1].T
        return np.asarray(epoch + (places - first) * step)

    def append(self, epoch: int) -> None:
        """The next reported epoch, later than the last."""
        if not self._parts:
            self._parts.append((0, epoch, 1))
        else:
            first, begun, step = self._parts[-1]
            if self._count - first == 1:
                self._parts[-1] = (first, begun, epoch - begun)
            elif epoch != begun + (self._count - first) * step:
                self._parts.append((self._count, epoch, 1))
        self._count += 1

    def extend(self, epochs: range) -> None:
        """The next reported epochs, later than the last."""
        for epoch in epochs[:1]:
            self.append(epoch)
        rest = epochs[1:]
        if rest:
            first, begun, step = self._parts[-1]
            if self._count - first > 1 and step != rest.step:
                self._parts.append((self._count, rest.start, rest.step))
            else:
                self._parts[-1] = (first, begun, rest.step)
            self._count += len(rest)

    def before(self, epoch: int) -> int:
        """How many reported epochs lie before ``epoch``; the place of the first that does not."""
        part = bisect_left(self._parts, epoch, key=_EPOCH) - 1
        if part < 0:
            return 0
        first, begun, step = self._parts[part]
        end = self._parts[part + 1][0] if part + 1 < len(self._parts) else self._count
        return min(first - (begun - epoch) // step, end)

    def cut(self, count: int) -> None:
        """Forget what follows the first ``count``."""
        self._count = min(self._count, count)
        self._parts = [each for each in self._parts if each[0] < self._count]

    def first(self, count: int) -> "ReportedEpochs":
        """A copy of the first ``count``."""
        made = ReportedEpochs()
        made._count, made._parts = self._count, list(self._parts)
        made.cut(count)
        return made
