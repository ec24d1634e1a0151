"""The compiled loop over many updates, on the buffers of one training."""

import ctypes
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nntui.compiler.calls.regions import AnyArray
from nntui.compiler.machine import MachineCode

Numbers = npt.NDArray[np.float64]

MADE, REPORTS, FLAG, SUM, PLACES = 0, 1, 2, 3, 4
"""What a call leaves behind: the updates it made, the losses it reported, why it ended before the
last one, and the sum of the losses after a wild update."""
WILD, UNREPORTED, REACHED = 1, 2, 3
"""Why a call ends: an update, or only the report of its epoch, is not finite; or that is low."""


class Played(NamedTuple):
    """What a call has done."""

    made: int
    """Updates."""
    reports: int
    """Losses that it wrote, or rows of losses of replicas."""
    is_wild: bool
    """Whether the last update computed a number that is not finite."""
    ended: bool
    """Whether that, or a loss that is low enough, was the end."""
    loss: float
    """After a wild update: the loss that was summed up or reported there."""


class LoopCode:
    """The compiled loop, on the buffers of one training."""

    def __init__(self, code: MachineCode, buffers: Sequence[AnyArray]) -> None:
        pointer, whole = ctypes.c_void_p, ctypes.c_int64
        arguments = (*(pointer,) * 6, whole, whole, ctypes.c_double)
        self._play: Callable[..., int] = code.function("play", *arguments)
        self._kept = (code, buffers)
        self._table = (ctypes.c_void_p * len(buffers))(*(each.ctypes.data for each in buffers))
        self._left = np.zeros(PLACES, dtype=np.int64)

    def play(
        self,
        position: int,
        updates: int,
        rates: Numbers,
        due: npt.NDArray[np.uint8],
        losses: Numbers,
        orders: npt.NDArray[np.intp] | None,
        lowest: float,
    ) -> Played:
        """Make ``updates`` updates from ``position`` of an epoch on.

        An update that computes a number that is not finite is the last, and so is an epoch that
        reports a loss at or below ``lowest``.

        ``due`` says of each epoch, the present one first, whether it reports; ``rates`` are the
        learning rates of the epochs after it.
        """
        self._play(
            self._table,
            orders.ctypes.data if orders is not None else None,
            rates.ctypes.data,
            due.ctypes.data,
            losses.ctypes.data,
            self._left.ctypes.data,
            position,
            updates,
            lowest,
        )
        made, reports, flag, _ = self._left.tolist()
        total = float(self._left.view(np.float64)[SUM])
        loss = losses[reports - 1].item() if flag == UNREPORTED else total
        return Played(made, reports, flag in (WILD, UNREPORTED), flag != 0, loss)
