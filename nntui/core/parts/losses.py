"""Losses: what the gradient belongs to, and what a program prints.

A loss is written for the error ``e = a - y`` of one batch, shape ``(outputs, samples)``.
The training loss and the reported loss are chosen apart, because in the programs that people
ask about they often are not the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from nntui.core.tape import Array, Tape

Value = Callable[[], Any]
"""Gives a float; for many networks side by side, an array with one number each."""

REDUCTIONS = ("sum", "mean")


class Loss(ABC):
    """One loss, summed over outputs and samples; the caller divides for a mean.

    ``needs_output`` names the only output activation the loss is defined for.  Such a loss is
    differentiated through that activation at once: `gradient` is then ``dL/dz``, not ``dL/da``.
    """

    name = ""
    formula = ""
    summary = ""
    needs_output: str | None = None

    @abstractmethod
    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        """Record ``scale * dL/da`` (or ``dL/dz``) and return the buffer that will hold it."""

    @abstractmethod
    def terms(self, z: Array, error: Array, y: Array) -> Array:
        """The loss of each output and sample, (outputs, samples)."""

    def value(self, z: Array, error: Array, y: Array) -> Value:
        """A function that reads the buffers and returns the loss, summed over the batch."""
        return lambda: self.terms(z, error, y).sum(axis=(0, 1))


def _sum_of_squares(error: Array) -> Value:
    if error.ndim == 2:
        flat, dot = error.reshape(-1), np.dot
        return lambda: float(dot(flat, flat))
    if error.shape[:2] == (1, 1):
        one = error[0, 0]
        return lambda: one * one
    return lambda: np.einsum("obr,obr->r", error, error)


def _scaled(tape: Tape, error: Array, factor: float, out: Array) -> Array:
    if factor == 1.0:
        return error
    tape.add(np.multiply, error, factor, out)
    return out


class SquaredError(Loss):
    """The squared error, without the half: its gradient carries the factor 2."""

    name = "squared-error"
    formula = "L = sum (a - y)^2"
    summary = "gradient 2(a - y)"

    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        return _scaled(tape, error, 2.0 * scale, out)

    def terms(self, z: Array, error: Array, y: Array) -> Array:
        return error * error

    def value(self, z: Array, error: Array, y: Array) -> Value:
        return _sum_of_squares(error)


class HalfSquaredError(Loss):
    """Half the squared error: its gradient is the error itself."""

    name = "half-squared-error"
    formula = "L = sum (a - y)^2 / 2"
    summary = "gradient a - y"

    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        return _scaled(tape, error, scale, out)

    def terms(self, z: Array, error: Array, y: Array) -> Array:
        return 0.5 * error * error

    def value(self, z: Array, error: Array, y: Array) -> Value:
        squares = _sum_of_squares(error)
        return lambda: 0.5 * squares()


class HalfAbsoluteError(Loss):
    """Half the absolute error."""

    name = "half-absolute-error"
    formula = "L = sum |a - y| / 2"
    summary = "gradient sign(a - y)/2, of the same size however small the error"

    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        tape.add(np.sign, error, out)
        tape.add(np.multiply, out, 0.5 * scale, out)
        return out

    def terms(self, z: Array, error: Array, y: Array) -> Array:
        return 0.5 * np.abs(error)


class BinaryCrossEntropy(Loss):
    """Binary cross-entropy of a sigmoid output, computed from the pre-activation.

    ``max(z, 0) - z*y + log(1 + exp(-|z|))`` is the stable form of ``-log p(y)``; through the
    sigmoid its derivative with respect to ``z`` is simply ``a - y`` (Bishop 2006, section 5.2).
    """

    name = "binary-cross-entropy"
    formula = "L = sum -y log(a) - (1 - y) log(1 - a)"
    summary = "needs a sigmoid output; delta a - y"
    needs_output = "sigmoid"

    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        return _scaled(tape, error, scale, out)

    def terms(self, z: Array, error: Array, y: Array) -> Array:
        return np.asarray(np.maximum(z, 0.0) - z * y + np.log1p(np.exp(-np.abs(z))))


class CategoricalCrossEntropy(Loss):
    """Cross-entropy of a softmax output, computed from the pre-activation.

    ``sum y*(log sum exp z - z)`` is the stable form of ``-sum y log a``; for targets that add up
    to 1, through the softmax, its derivative with respect to ``z`` is ``a - y`` (Bishop 2006,
    section 4.3.4).
    """

    name = "categorical-cross-entropy"
    formula = "L = sum -y log(a)"
    summary = "needs a softmax output and targets that add up to 1; delta a - y"
    needs_output = "softmax"

    def gradient(self, tape: Tape, error: Array, scale: float, out: Array) -> Array:
        return _scaled(tape, error, scale, out)

    def terms(self, z: Array, error: Array, y: Array) -> Array:
        # Far from 0 the differences of z survive only if they are taken first.
        shifted = z - z.max(axis=0, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=0, keepdims=True))
        return np.asarray(y * (log_sum - shifted))


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        SquaredError(),
        HalfSquaredError(),
        HalfAbsoluteError(),
        BinaryCrossEntropy(),
        CategoricalCrossEntropy(),
    )
}


def loss_of(name: str, reduction: str, z: Array, error: Array, y: Array) -> float:
    """The loss ``name`` of one network, summed over all samples or their mean."""
    with np.errstate(all="ignore"):
        total = float(LOSSES[name].value(z, error, y)())
    return total / error.shape[1] if reduction == "mean" else total
