"""Where the numbers ended: the first tensor of an update that holds no finite number."""

from collections.abc import Iterable

import numpy as np

from nntui.core.engine.state import Divergence, Order
from nntui.core.tape import ComputedTensor


def locate(written: Iterable[ComputedTensor], update: int, rows: Order, loss: float) -> Divergence:
    """The first non-finite number of ``update``, or its reported ``loss`` if there is no other.

    ``written`` is what the update computed, in that order; ``rows`` are the data rows of its
    batch, one a column of every tensor that has samples.
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
