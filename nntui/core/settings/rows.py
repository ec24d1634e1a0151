"""Rows: an immutable, hashable table of data rows, backed by a read-only array."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from nntui.core.tape import Array


class Rows:
    """Rows of finite numbers, all of one width; iteration yields each as a tuple of floats.

    Two tables are equal if their numbers are equal bit for bit.  They are compared by a digest
    that is computed once, so comparing, hashing and copying take the same time for any size.
    """

    def __init__(self, values: Array) -> None:
        """Wrap ``values``, (rows, columns), without a copy; they must not be changed afterwards."""
        self.array = np.ascontiguousarray(values, dtype=np.float64)
        """Shape (rows, columns), read-only."""
        self.array.flags.writeable = False

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return int(self.array.shape[1])

    @cached_property
    def digest(self) -> str:
        """A hexadecimal digest of shape and numbers."""
        shape = repr(self.array.shape).encode()
        return hashlib.sha256(shape + self.array.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, at: int) -> tuple[float, ...]:
        return tuple(self.array[at].tolist())

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return map(tuple, self.array.tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Rows) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def tolist(self) -> list[list[float]]:
        """The rows as lists of Python floats."""
        found: list[list[float]] = self.array.tolist()
        return found

    def __repr__(self) -> str:
        return f"Rows({self.tolist()})"

    def __reduce__(self) -> tuple[type["Rows"], tuple[Array]]:
        return Rows, (self.array,)

    def __deepcopy__(self, memo: object) -> "Rows":
        return self
