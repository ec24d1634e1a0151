"""Gives a training another start: other sizes of its first weights, or other weights."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nntui.program.control.live import Live

SEED = 7_654_321
"""Of the weights that are drawn anew, beside the seed of the run."""


def start_anew(
    live: list["Live"], parameters: Collection[str], scales: Mapping[str, float],
    redrawn: bool, seed: int | None,
) -> None:  # fmt: skip
    """Multiply live parameters by ``scales``; ``redrawn``: draw all matrices anew first.

    They are drawn normally with the variance 2 / (units in + units out) of Glorot and Bengio
    (2010), which does not ask which axis is which.
    """
    draws = np.random.RandomState((SEED + (seed or 0)) % (1 << 32))
    done: set[int] = set()
    for each in live:
        if each.name not in parameters or each.alias_of is not None or id(each.value) in done:
            continue
        value = np.asarray(each.value)
        if value.dtype.kind != "f":
            continue
        new: Any = value
        if redrawn and value.ndim == 2 and min(value.shape) > 0:
            new = draws.standard_normal(value.shape) * np.sqrt(2.0 / sum(value.shape))
        new = new * scales.get(each.name, 1.0)
        if new is value:
            continue
        if isinstance(each.value, np.ndarray):
            each.value[...] = new
            done.add(id(each.value))
        elif each.set is not None:
            each.set(type(each.value)(new))
