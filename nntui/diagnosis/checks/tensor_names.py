"""Names and positions of a network's tensors: ``W0``, ``b0``, ``W1``, ..., by layer number."""

from typing import NamedTuple

from nntui.core.engine.network import Layout
from nntui.core.settings.configuration import Configuration


class Tensor(NamedTuple):
    """One W or b, and where it lies in the flat vector of `Layout`."""

    name: str
    layer: int
    is_bias: bool
    span: slice

    @property
    def words(self) -> str:
        """Such as ``b of layer 1``."""
        return f"{'b' if self.is_bias else 'W'} of layer {self.layer}"


def tensors_of(stated: Configuration) -> list[Tensor]:
    """All tensors, in the order of the flat vector."""
    found, start = [], 0
    for layer, (units, inputs, has_bias) in enumerate(Layout.of(stated).shapes):
        end = start + units * inputs
        found.append(Tensor(f"W{layer}", layer, False, slice(start, end)))
        start = end
        if has_bias:
            found.append(Tensor(f"b{layer}", layer, True, slice(end, end + units)))
            start += units
    return found
