"""The tape: an update recorded once as a list of NumPy calls, then played any number of times.

In a small network, deciding which activation, loss, optimiser and fault applies costs more than
the arithmetic.  The decisions are therefore made once, while the tape is recorded; what remains
is a flat list of calls on preallocated buffers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class ComputedTensor(NamedTuple):
    """A tensor that a tape computes: its name, its layer, and the buffer that will hold it."""

    tensor: str
    layer: int
    values: Array


class Tape:
    """An ordered list of calls without arguments, each writing into a buffer."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []
        self.written: list[ComputedTensor] = []
        """The tensors named by `note`, in the order of computation."""

    def note(self, tensor: str, layer: int, values: Array | None) -> None:
        """Record that the calls so far compute ``tensor`` into ``values``; None is ignored."""
        if values is not None:
            self.written.append(ComputedTensor(tensor, layer, values))

    def add(self, function: Callable[..., object], *arguments: Any, **named: Any) -> None:
        """Append ``function(*arguments, **named)``; a ufunc's last argument is its output.

        NumPy wants the output of ``maximum`` and ``minimum`` as ``out=``.
        """
        # NumPy converts a Python float anew at every call, which costs as much as a small ufunc.
        arguments = tuple(np.array(x) if isinstance(x, float) else x for x in arguments)
        self.calls.append(partial(function, *arguments, **named))

    def play(self) -> None:
        """Run every call in order."""
        for call in self.calls:
            call()


class Arena:
    """Named float64 buffers in one contiguous block, so that one call checks all for finiteness."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], watched: int) -> None:
        self._spans: dict[str, tuple[int, int]] = {}
        size = 0
        for name, shape in shapes.items():
            count = int(np.prod(shape))
            self._spans[name] = (size, count)
            size += count
        self.flat: Array = np.zeros(size)
        end = sum(self._spans[name][1] for name in list(shapes)[:watched])
        self.watched: Array = self.flat[:end]
        """The first ``watched`` buffers; any non-finite number of an update reaches one of them."""
        self.parts: dict[str, Array] = {
            name: self.flat[start : start + count] for name, (start, count) in self._spans.items()
        }
        """Every buffer, one-dimensional, by its name."""
        self.watched_parts: list[Array] = list(self.parts.values())[:watched]

    def view(self, name: str, *shape: int) -> Array:
        """The start of buffer ``name`` as a contiguous array of ``shape``.

        Raises ValueError if the buffer is too small.
        """
        start, count = self._spans[name]
        needed = int(np.prod(shape))
        if needed > count:
            raise ValueError(f"buffer {name} holds {count} numbers, not {needed}")
        return self.flat[start : start + needed].reshape(shape)

    def all_finite(self) -> bool:
        """Whether no buffer holds an infinity or a NaN."""
        return bool(np.isfinite(self.flat).all())
