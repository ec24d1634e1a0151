"""Locates a divergence: the first non-finite number of an update."""

from collections.abc import Iterable

import numpy as np

from nntui.core.engine.state import Divergence, Order
from nntui.core.tape import ComputedTensor


def locate(written: Iterable[ComputedTensor], update: int, rows: Order, loss: float) -> Divergence:
    """The first non-finite number of ``update``; its reported ``loss`` if all tensors are finite.

    ``written`` are the tensors of the update in the order of computation; ``rows`` are the data
    rows of its batch, one for each column of a tensor with samples.
    """
    for tensor, layer, values in written:
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            cell = tuple(int(index) for index in bad[0])
            value = f"{values[cell]:g}"
            if tensor.endswith("W"):
                return Divergence(update, tensor, layer, cell, None, value)
            sample = None if tensor.endswith("b") else int(rows[cell[1]])
            return Divergence(update, tensor, layer, cell[:1], sample, value)
    return Divergence(update, "loss", None, (), None, f"{loss:g}")
