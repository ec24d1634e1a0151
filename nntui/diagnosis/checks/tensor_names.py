"""Names and positions of a network's tensors: ``W0``, ``b0``, ``W1``, ..., by layer number."""

from math import gcd
from typing import NamedTuple

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.state import Order
from nntui.core.settings.configuration import Configuration

MOST_COMPARED = 100_000
"""The most parameters whose updates are compared; of larger networks some of each tensor are."""


class Tensor(NamedTuple):
    """One W or b, and where it lies in the flat vector of `Layout`."""

    name: str
    layer: int
    is_bias: bool
    span: slice
    inputs: int
    """The length of a row; 1 of a bias."""
    part: slice
    """Where its parameters lie among those whose updates are compared: see `compared`."""

    @property
    def size(self) -> int:
        """How many parameters it has."""
        return int(self.span.stop - self.span.start)

    @property
    def words(self) -> str:
        """Such as ``b of layer 1``."""
        return f"{'b' if self.is_bias else 'W'} of layer {self.layer}"

    def places(self, most: int) -> Order:
        """The positions in the flat vector of at most ``most`` of its parameters, from all over.

        Their distance has no divisor in common with a row's length, so all columns occur.
        """
        stride = -(-self.size // max(most, 1))
        while gcd(stride, self.inputs) > 1:
            stride += 1
        return np.arange(self.span.start, self.span.stop, stride)


def tensors_of(stated: Configuration) -> list[Tensor]:
    """All tensors, in the order of the flat vector."""
    layout = Layout.of(stated)
    found: list[Tensor] = []
    start = begin = 0
    most = _most_of_each(layout)
    for layer, (units, inputs, has_bias) in enumerate(layout.shapes):
        for is_bias, row in ((False, inputs), (True, 1))[: 1 + has_bias]:
            span = slice(start, start + units * row)
            name = f"{'b' if is_bias else 'W'}{layer}"
            tensor = Tensor(name, layer, is_bias, span, row, slice(0, 0))
            end = begin + (tensor.size if most is None else len(tensor.places(most)))
            found.append(tensor._replace(part=slice(begin, end)))
            start, begin = span.stop, end
    return found


def compared(stated: Configuration) -> Order | slice:
    """The positions in the flat vector of the parameters whose updates are compared."""
    most = _most_of_each(Layout.of(stated))
    if most is None:
        return slice(None)
    return np.concatenate([each.places(most) for each in tensors_of(stated)])


def not_compared(stated: Configuration) -> tuple[str, ...]:
    """In words, if not the updates of all parameters are compared."""
    size, some = Layout.of(stated).size, tensors_of(stated)[-1].part.stop
    if some == size:
        return ()
    return (f"updates compared at {some:,} of the {size:,} parameters",)


def _most_of_each(layout: Layout) -> int | None:
    """How many parameters of each tensor are compared at most; None for all."""
    if layout.size <= MOST_COMPARED:
        return None
    return max(MOST_COMPARED // sum(1 + has_bias for *_, has_bias in layout.shapes), 1)
