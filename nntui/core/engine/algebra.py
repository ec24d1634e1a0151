"""The four matrix products of a dense layer, for one network and for many replicas.

Everything else that a layer computes is elementwise, or a sum over units or samples, and works
for both; only these products differ.  Replicas are on an additional last axis: W is
(units out, units in, replicas), x (units in, samples, replicas); a last axis of 1 is shared by
all replicas.
"""

from typing import Protocol

import numpy as np

from nntui.core.tape import Array, Tape


class Algebra(Protocol):
    """Records a dense layer's products."""

    tail: tuple[int, ...]
    """The axes after units and samples."""

    def affine(self, tape: Tape, W: Array, x: Array, z: Array) -> None:
        """Record ``z = W x``, (units out, samples)."""

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        """Record ``gW = delta x^T``, (units out, units in), summed over the samples."""

    def total(self, tape: Tape, delta: Array, gb: Array) -> None:
        """Record ``gb``, (units, 1): the deltas summed over the samples."""

    def back(self, tape: Tape, W: Array, delta: Array, upstream: Array) -> None:
        """Record ``upstream = W^T delta``, (units in, samples)."""


class Single:
    """The products of one network, by BLAS."""

    tail: tuple[int, ...] = ()

    # The dot methods avoid np.dot's dispatch, which takes a fifth of its time in small networks.
    def affine(self, tape: Tape, W: Array, x: Array, z: Array) -> None:
        tape.add(W.dot, x, z)

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        tape.add(delta.dot, x.T, gW)

    def total(self, tape: Tape, delta: Array, gb: Array) -> None:
        tape.add(delta.dot, np.ones((delta.shape[1], 1)), gb)

    def back(self, tape: Tape, W: Array, delta: Array, upstream: Array) -> None:
        tape.add(W.T.dot, delta, upstream)


class Replicas:
    """The products of many networks; replicas are the contiguous last axis."""

    def __init__(self, count: int) -> None:
        self.tail: tuple[int, ...] = (count,)

    def affine(self, tape: Tape, W: Array, x: Array, z: Array) -> None:
        tape.add(np.einsum, "oir,ibr->obr", W, x, out=z)

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        if delta.shape[1] == 1:
            tape.add(np.multiply, delta, x.swapaxes(0, 1), gW)
        else:
            tape.add(np.einsum, "obr,ibr->oir", delta, x, out=gW)

    def total(self, tape: Tape, delta: Array, gb: Array) -> None:
        tape.add(np.add.reduce, delta, 1, None, gb, True)

    def back(self, tape: Tape, W: Array, delta: Array, upstream: Array) -> None:
        tape.add(np.einsum, "oir,obr->ibr", W, delta, out=upstream)
