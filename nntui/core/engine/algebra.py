"""The four products of a dense layer, for one network and for many side by side.

Everything else that a layer computes is element by element, or a sum over units or samples, and
serves both; only these products read rows against columns.  Many networks ("replicas") stand on
a last axis of their own: W is (units out, units in, replicas), x (units in, samples, replicas),
where a last axis of 1 is shared by all.
"""

from typing import Protocol

import numpy as np

from nntui.core.tape import Array, Tape


class Algebra(Protocol):
    """How a dense layer's products are recorded."""

    tail: tuple[int, ...]
    """The axes that stand after units and samples."""

    def affine(self, tape: Tape, W: Array, x: Array, z: Array) -> None:
        """Record ``z = W x``, (units out, samples)."""

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        """Record ``gW = delta x^T``, (units out, units in), summed over the samples."""

    def total(self, tape: Tape, delta: Array, gb: Array) -> None:
        """Record ``gb``, (units, 1): the deltas summed over the samples."""

    def back(self, tape: Tape, W: Array, delta: Array, upstream: Array) -> None:
        """Record ``upstream = W^T delta``, (units in, samples)."""


class Single:
    """One network: BLAS."""

    tail: tuple[int, ...] = ()

    # The methods skip a dispatch that np.dot makes first, a fifth of its time in small networks.
    def affine(self, tape: Tape, W: Array, x: Array, z: Array) -> None:
        tape.add(W.dot, x, z)

    def outer(self, tape: Tape, delta: Array, x: Array, gW: Array) -> None:
        tape.add(delta.dot, x.T, gW)

    def total(self, tape: Tape, delta: Array, gb: Array) -> None:
        tape.add(delta.dot, np.ones((delta.shape[1], 1)), gb)

    def back(self, tape: Tape, W: Array, delta: Array, upstream: Array) -> None:
        tape.add(W.T.dot, delta, upstream)


class Replicas:
    """Many networks, the last axis: every product runs along it without a gap."""

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
