"""An append-only vector, kept in pieces that never move and never change.

One growing array would be copied as it grows and whenever a session is captured, and would leave
ever larger holes in the allocator's memory.
"""

from array import array

import numpy as np

from nntui.core.tape import Array

PIECE = 8192
"""Numbers in a piece: 64 KiB."""


class AppendOnlyVector:
    """A vector of floats, at eight bytes each."""

    def __init__(self) -> None:
        self._full: list[Array] = []
        self._last = array("d")

    def __len__(self) -> int:
        return PIECE * len(self._full) + len(self._last)

    def __getitem__(self, place: int) -> float:
        piece, at = divmod(place, PIECE)
        return self._last[at] if piece == len(self._full) else float(self._full[piece][at])

    def append(self, value: float) -> None:
        """Append one number."""
        self._last.append(value)
        if len(self._last) == PIECE:
            self._full.append(_sealed(self._last))
            self._last = array("d")

    def extend(self, values: Array) -> None:
        """Append many, (count,)."""
        start = 0
        while start < len(values):
            part = values[start : start + PIECE - len(self._last)]
            start += len(part)
            self._last.frombytes(part.tobytes())
            if len(self._last) == PIECE:
                self._full.append(_sealed(self._last))
                self._last = array("d")

    def cut(self, count: int) -> None:
        """Forget what follows the first ``count``."""
        if count < len(self):
            piece, at = divmod(count, PIECE)
            last = self.pieces[piece][:at]
            self._full, self._last = self._full[:piece], array("d", last.tolist())

    @property
    def pieces(self) -> tuple[Array, ...]:
        """All numbers, read-only; only the last piece, which is not full, is a copy."""
        return (*self._full, _sealed(self._last))

    def read(self, start: int, stop: int) -> Array:
        """The numbers from place ``start`` to before ``stop``, a copy."""
        first, last = start // PIECE, -(-stop // PIECE)
        parts = [
            piece[max(start - at * PIECE, 0) : max(stop - at * PIECE, 0)]
            for at, piece in enumerate(self._full[first:last], start=first)
        ]
        end = PIECE * len(self._full)
        if stop > end:
            tail = self._last[max(start - end, 0) : stop - end]
            parts.append(np.array(tail, dtype=np.float64))
        return np.concatenate(parts) if parts else np.empty(0)


def _sealed(values: "array[float]") -> Array:
    made = np.array(values, dtype=np.float64)
    made.flags.writeable = False
    return made
