"""Whether one vector is a multiple of another, up to the rounding of the numbers involved."""

import sys
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

Array = np.ndarray

SAME = 1e-5
"""Relative difference up to which a step counts as a multiple of the gradient: ten thousand times
what rounding leaves of double precision in the programs that were measured, a hundredth of the
smallest fault."""
SAME_SINGLE = 5e-3
"""The same where single precision is used."""
HUGE = 1e100
"""Entries of a step from which on it is compared in a unit of its own."""
CONSTANT = 2e-3
"""Relative spread up to which the factors of several states count as one."""


class Agreement(NamedTuple):
    """How a step compares with the gradient in one state: step = -factor * gradient."""

    factor: float
    residual: float
    """Relative to the step: 0 where they are parallel, 1 where they have nothing in common."""
    bound: float
    """The residual up to which they count as parallel here."""

    @property
    def holds(self) -> bool:
        """Whether they are parallel."""
        return self.residual <= self.bound


def agreement(
    step: Array | None, gradient: Array | None, parameter: Array, scale: float
) -> Agreement | None:
    """Compare a step with minus the gradient; None where the state tells nothing.

    ``parameter`` is what the step was added to, which bounds its rounding; ``scale`` is the
    largest entry of any gradient in this state: what is 1e11 times smaller is rounding.
    """
    if step is None or gradient is None:
        return None
    single = np.asarray(parameter).dtype == np.float32
    if not single and np.size(step) == np.size(gradient) == np.size(parameter) == 1:
        return _of_numbers(_number(step), _number(gradient), _number(parameter), scale)
    step, gradient = np.ravel(step).astype(float), np.ravel(gradient).astype(float)
    if step.size != gradient.size or not (np.isfinite(step).all() and np.isfinite(gradient).all()):
        return None
    unit = float(np.max(np.abs(step), initial=0.0))
    if unit > HUGE:  # its square is beyond a float
        found = agreement(step / unit, gradient, np.asarray(parameter) / unit, scale)
        return None if found is None else found._replace(factor=found.factor * unit)
    epsilon = float(np.finfo(np.float32 if single else float).eps)
    size = float(np.max(np.abs(parameter), initial=0.0))
    noise = 2 * epsilon * size * np.sqrt(step.size)
    length, steepness = float(np.linalg.norm(step)), float(np.linalg.norm(gradient))
    if length <= 3e3 * noise and (length > 0 or steepness < 1e-7):
        return None
    if 0 < steepness < 1e-11 * scale:
        return None
    if steepness < 1e-300:
        return Agreement(0.0, 1.0, SAME) if length > 1e3 * noise else None
    factor = -float(step @ gradient) / float(gradient @ gradient)
    if length == 0:
        return Agreement(0.0, 1.0, SAME)
    residual = float(np.linalg.norm(step + factor * gradient)) / length
    bound = (SAME_SINGLE if single else SAME) + 20 * noise / length
    return Agreement(factor, residual, min(bound, 0.1))


def _number(value: Array) -> float:
    return float(value) if np.ndim(value) == 0 else float(np.ravel(value)[0])


def _of_numbers(step: float, gradient: float, parameter: float, scale: float) -> Agreement | None:
    """`agreement` of single numbers: a program may have its weights one by one, by the hundred."""
    if not (isfinite(step) and isfinite(gradient)):
        return None
    noise = 2 * sys.float_info.epsilon * abs(parameter)
    length, steepness = abs(step), abs(gradient)
    if length <= 3e3 * noise and (length > 0 or steepness < 1e-7):
        return None
    if 0 < steepness < 1e-11 * scale:
        return None
    if steepness < 1e-300:
        return Agreement(0.0, 1.0, SAME) if length > 1e3 * noise else None
    if length == 0:
        return Agreement(0.0, 1.0, SAME)
    factor = -step / gradient
    residual = abs(step + factor * gradient) / length
    return Agreement(factor, residual, min(SAME + 20 * noise / length, 0.1))


def spread(factors: Sequence[float]) -> float:
    """The relative spread of ``factors``: 0 where they are one number."""
    if not all(map(isfinite, factors)):
        return float("nan")
    largest = max(map(abs, factors))
    return float((max(factors) - min(factors)) / largest) if largest else 0.0


def is_constant(factors: Sequence[float]) -> bool:
    """Whether ``factors`` are one number that is not 0."""
    return all(factors) and all(map(isfinite, factors)) and spread(factors) <= CONSTANT
