"""Generic states: other values for the parameters, so that a coincidence does not pass for a rule.

Saturated units, dead units and tiny weights hide a fault; at weights of several sizes it shows.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nntui.program.control.live import Live

KINDS = ("as it is", "noise", "medium", "positive", "small", "tiny", "positive", "noise")
"""The states of consecutive recordings: the program's own first."""
SIZES = {"medium": 0.7, "small": 0.15, "tiny": 0.01}
"""Standard deviations, before they are divided by the root of the longest axis."""
WIDER = 3.0
"""Vectors and numbers on their own are that much larger."""


def shake(
    live: "Iterable[Live]",
    parameters: Collection[str],
    memories: Collection[str],
    kind: str,
    draws: np.random.RandomState,
) -> None:
    """Give ``parameters`` values of another kind, and set optimiser ``memories`` to 0."""
    if kind == "as it is":
        return
    for each in sorted(live, key=lambda one: one.name):
        if each.name in memories:
            _assign(each, np.zeros(np.shape(each.value)))
        elif each.name in parameters:
            _assign(each, drawn(np.asarray(each.value, float), kind, draws))


def drawn(value: np.ndarray, kind: str, draws: np.random.RandomState) -> np.ndarray:
    """Values of the ``kind`` for a parameter that is ``value`` now."""
    noise = draws.randn(*value.shape)
    longest = max(value.shape, default=1)
    if kind == "noise":
        finite: np.ndarray = np.where(np.isfinite(value), value, 0.0)
        spread = float(np.std(finite)) if value.size > 1 else float(np.abs(finite).max(initial=0))
        return np.asarray(finite + 0.5 * min(max(spread, 0.1), 1.0) * noise)
    if kind == "positive":
        return np.asarray(0.6 * np.abs(noise) / np.sqrt(longest))
    drawn = SIZES[kind] * (WIDER if longest == 1 else 1.0) * noise / np.sqrt(longest)
    return np.asarray(drawn)


def _assign(each: "Live", value: np.ndarray) -> None:
    old = each.value
    if isinstance(old, np.ndarray) and old.flags.writeable:
        old[...] = value
    elif each.set is not None and not isinstance(old, np.ndarray):
        each.set(type(old)(float(value)))
    elif each.set is not None:
        each.set(value.astype(old.dtype))


def move(
    live: "Iterable[Live]", parameters: Collection[str], by: float, draws: np.random.RandomState
) -> None:
    """Move all ``parameters`` by ``by`` along one random direction drawn from ``draws``."""
    for each in sorted(live, key=lambda one: one.name):
        if each.name in parameters:
            direction = draws.randn(*np.shape(each.value))
            _assign(each, np.asarray(each.value, float) + by * direction)


def direction(
    shapes: dict[str, tuple[int, ...]], draws: np.random.RandomState
) -> dict[str, np.ndarray]:
    """The direction in which `move` moves parameters of these ``shapes``, by name."""
    return {name: draws.randn(*shapes[name]) for name in sorted(shapes)}
