"""The state of a run: an immutable value that determines its whole future, and its hash."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nntui.core.engine.player_names import NUMPY
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array

HASH_DIGITS = 12

Order = npt.NDArray[np.intp]
"""Row numbers in the order in which they are used."""


AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


def frozen(values: AnyArray) -> AnyArray:
    """A read-only copy of ``values``."""
    copy = values.copy()
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True)
class Divergence:
    """The first non-finite number, and the update that computed it."""

    update: int
    tensor: str
    """The tensor that holds it: ``z``, ``a``, ``h``, ``error``, ``delta``, ``W``, ``loss``, ..."""
    layer: int | None
    cell: tuple[int, ...]
    """The index in the tensor: (unit,), or (unit out, unit in) of a matrix; may be empty."""
    sample: int | None
    """The data row, if the tensor has one column per sample."""
    value: str
    """``inf``, ``-inf`` or ``nan``."""

    @property
    def what(self) -> str:
        """A description such as ``z of layer 1, unit 3, sample 2 is inf``."""
        layer = "" if self.layer is None else f" of layer {self.layer}"
        place = f"[{', '.join(map(str, self.cell))}]" if len(self.cell) > 1 else ""
        unit = f", unit {self.cell[0]}" if len(self.cell) == 1 else ""
        sample = "" if self.sample is None else f", sample {self.sample}"
        return f"{self.tensor}{place}{layer}{unit}{sample} is {self.value}"


@dataclass(frozen=True, eq=False)
class State:
    """Everything that determines the next updates; arrays are read-only.

    ``theta`` and each slot are flat vectors in the order of `network.Layout`.  ``random`` is
    the result of ``RandomState.get_state()``.  ``loss_sum`` is the reported loss summed over the
    ``position`` batches that the unfinished epoch has used, ``order`` the sequence of the epoch's
    training rows (None: in order).  ``since`` is the update at which the optimiser started, with
    its slots at 0; Adam counts its updates from there.
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
    player: str = NUMPY
    """What makes its updates: each player has its own last bits; see `player_names`."""

    @cached_property
    def hash(self) -> str:
        """A short hexadecimal digest of the whole state: equal digests mean equal futures."""
        digest = hashlib.sha256(self.configuration.canonical)
        if self.player != NUMPY:
            digest.update(self.player.encode())
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
        # Only states of drawn orders have their own random state; all others share one.
        return int(sum(array.nbytes for array in arrays)) + (2500 if self.order is not None else 0)
