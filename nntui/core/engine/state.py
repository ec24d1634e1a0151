"""The state of a run: one immutable value that decides its whole future, and its hash."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array

HASH_DIGITS = 12

Order = npt.NDArray[np.intp]
"""Training rows, by number."""


AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


def frozen(values: AnyArray) -> AnyArray:
    """A copy of ``values`` that nobody can write to."""
    copy = values.copy()
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True)
class Divergence:
    """The first number that was not finite, and the update that made it."""

    update: int
    tensor: str
    """What was being computed: ``z``, ``a``, ``h``, ``error``, ``delta``, ``W``, ``loss``, ..."""
    layer: int | None
    cell: tuple[int, ...]
    """The place in the tensor: (unit,), or (unit out, unit in) of a matrix; may be empty."""
    sample: int | None
    """The data row, where the tensor has one column a sample."""
    value: str
    """``inf``, ``-inf`` or ``nan``."""

    @property
    def what(self) -> str:
        """The finding in words, such as ``z of layer 1, unit 3, sample 2 is inf``."""
        layer = "" if self.layer is None else f" of layer {self.layer}"
        place = f"[{', '.join(map(str, self.cell))}]" if len(self.cell) > 1 else ""
        unit = f", unit {self.cell[0]}" if len(self.cell) == 1 else ""
        sample = "" if self.sample is None else f", sample {self.sample}"
        return f"{self.tensor}{place}{layer}{unit}{sample} is {self.value}"


@dataclass(frozen=True, eq=False)
class State:
    """Everything that decides what the next updates do; arrays are read-only.

    ``theta`` and each slot are flat vectors in the order of `network.Layout`.  ``random`` is
    what ``RandomState.get_state()`` gave.  ``loss_sum`` is the reported loss summed over
    the ``position`` batches that the unfinished epoch has seen, ``order`` the training rows that
    the epoch takes in turn (None: in order).  ``since`` is the update at which the optimiser
    began, with its slots at 0: Adam counts from there.
    """

    configuration: Configuration
    update: int
    epoch: int
    position: int
    loss_sum: float
    theta: Array
    slots: tuple[Array, ...]
    random: tuple[Any, ...]
    order: Order | None
    divergence: Divergence | None = None
    since: int = 0

    @cached_property
    def hash(self) -> str:
        """A short hexadecimal digest of the whole state: same digest, same future."""
        digest = hashlib.sha256(self.configuration.canonical)
        counts = (self.update, self.since, self.epoch, self.position)
        digest.update(f"{counts} {self.divergence}".encode())
        digest.update(np.float64(self.loss_sum).tobytes())
        for array in (self.theta, *self.slots, self.random[1]):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(repr(self.random[2:]).encode())
        if self.order is not None:
            digest.update(self.order.astype(np.int64).tobytes())
        return digest.hexdigest()[:HASH_DIGITS]

    @property
    def nbytes(self) -> int:
        """The memory its arrays take, in bytes."""
        arrays = (self.theta, *self.slots, *(() if self.order is None else (self.order,)))
        # Only what draws orders has a random state of its own; the others share the first.
        return int(sum(array.nbytes for array in arrays)) + (2500 if self.order is not None else 0)
