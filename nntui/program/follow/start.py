"""Gives a training another start: other sizes of its first weights, or other weights."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nntui.program.control.live import Live

SEED = 7_654_321
"""Of the weights that are drawn anew, beside the seed of the run."""
OFF = 0.1
"""The deviation of the noise on a start, as a share of the size of the parameter."""
LEAST = 0.01
"""The same for a parameter of zeros, whose size is 0."""


def start_anew(
    live: "list[Live]",
    parameters: Collection[str],
    scales: Mapping[str, float],
    redrawn: Collection[str],
    seed: int,
    jitter: int = 0,
) -> None:
    """Draw the live parameters ``redrawn`` anew, multiply those in ``scales``, then add noise.

    They are drawn normally with the variance 2 / (units in + units out) of Glorot and Bengio
    (2010), which does not ask which axis is which; a row or a number counts as one unit out.
    ``jitter``: all ``parameters`` get noise of a tenth of their size.
    """
    draws = np.random.RandomState((SEED + seed + 7919 * jitter) % (1 << 32))
    done: set[int] = set()
    for each in live:
        if each.name not in parameters or each.alias_of is not None or id(each.value) in done:
            continue
        value = np.asarray(each.value)
        if value.dtype.kind not in "fi":
            continue
        new: Any = value
        if each.name in redrawn:
            units = sum(value.shape) if value.ndim > 1 else value.size + 1
            new = draws.standard_normal(value.shape) * np.sqrt(2.0 / units)
        new = new * scales.get(each.name, 1.0)
        if jitter:
            size = float(np.sqrt(np.mean(np.square(new)))) if value.size else 0.0
            new = new + (OFF * size or LEAST) * draws.standard_normal(value.shape)
        if new is value:
            continue
        if isinstance(each.value, np.ndarray) and value.dtype.kind == "f":
            each.value[...] = new
            done.add(id(each.value))
        elif each.set is not None:
            each.set(new if value.ndim else float(new))
