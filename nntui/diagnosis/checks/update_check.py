"""Update check: does each step equal the stated rule applied to the true gradient?

``r = ||dtheta + step|| / (||dtheta|| + ||step||)``, where ``step`` is the step of the stated
optimiser for the gradient at the parameters before the update, on the same samples.  Two
consecutive updates are compared, so that the optimiser's state is checked as well.  The true
gradient is the stated configuration's backpropagation, which equals that of the complex step
(`oracle`) to 1e-12.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.diagnosis.checks.replays import Made, Replays, Seen
from nntui.diagnosis.checks.tensor_names import Tensor, tensors_of

FAULT = 1e-9
"""A residual above this is a fault: correct programs stay at 1e-13 (10 of 10 planted faults were
found, with no false alarm in 120 correct programs)."""
ROUNDING = 2.0 * float(np.finfo(np.float64).eps)
"""Rounding of a step by storing the parameters, relative to the parameters."""
SMALL = 10.0
"""Steps below this many times `ROUNDING` are too small to be compared."""
CANCELLED = 1e-14
"""A gradient that is a smaller share of the whole is regarded as rounding error."""
NOISE = 32.0
"""Rounding may be this many times the effect of a change in the last bits: a sum of many terms
rounds at each of them."""
OK, WRONG, TOO_SMALL = "ok", "wrong", "too small"


def distance(mine: Array, right: Array) -> float:
    """``||mine - right|| / (||mine|| + ||right||)``: 0 for equal ones, 1 for opposite ones.

    Vectors with non-finite entries in different places have distance 1.
    """
    finite = np.isfinite(mine) & np.isfinite(right)
    if not finite.all():
        same = np.array_equal(np.isfinite(mine), np.isfinite(right))
        if not same:
            return 1.0
        mine, right = mine[finite], right[finite]
    largest = max(np.abs(mine).max(initial=0.0), np.abs(right).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    mine, right = mine / largest, right / largest
    return float(np.linalg.norm(mine - right) / (np.linalg.norm(mine) + np.linalg.norm(right)))


def is_clear(gradient: Array, part: slice) -> bool:
    """Whether a part of a gradient is larger than the rounding error of sums that cancel."""
    with np.errstate(all="ignore"):
        return bool(np.linalg.norm(gradient[part]) > CANCELLED * np.linalg.norm(gradient))


def apart(update: Seen, mine: Made, right: Made, noise: Made, part: slice) -> tuple[float, float]:
    """The distances of the steps and the gradients of a part; 0 if rounding may explain them."""
    with np.errstate(all="ignore"):
        level = max(
            CANCELLED * np.linalg.norm(right.gradient),
            NOISE * np.linalg.norm(noise.gradient[part]),
        )
        gradients = mine.gradient[part], right.gradient[part]
        if max(map(np.linalg.norm, gradients)) <= level:
            # What is left of a sum that cancels; an optimiser may still make a large step of it.
            return 0.0, 0.0
        steps = mine.step[part], right.step[part]
        stored = 2.0 * np.linalg.norm(update.before[part]) + np.linalg.norm(steps[1])
        least = max(ROUNDING * stored, NOISE * np.linalg.norm(noise.step[part]))
        of_step = np.linalg.norm(steps[0] - steps[1]) > least
        of_gradient = np.linalg.norm(gradients[0] - gradients[1]) > level
        unknown = not np.isfinite(right.gradient).all()
    return (
        distance(*steps) if of_step or unknown else 0.0,
        distance(*gradients) if of_gradient or unknown else 0.0,
    )


@dataclass(frozen=True)
class Residual:
    """The largest deviation of a tensor's updates."""

    tensor: Tensor
    of_step: float
    """The residual r of the steps."""
    of_gradient: float
    """The distance between the reported gradient and the true one."""
    seen: bool
    """Whether any step was larger than rounding error."""
    worst: int
    """The index in `Replays.updates` of the update that deviates most."""
    first: int | None = None
    """Likewise of the first that is a fault; None if none is."""

    @property
    def verdict(self) -> str:
        """``ok``, ``wrong``, or ``too small`` if no step exceeds rounding error."""
        if max(self.of_step, self.of_gradient) > FAULT:
            return WRONG
        return OK if self.seen else TOO_SMALL


def residuals(replays: Replays, right: Sequence[Made]) -> list[Residual]:
    """The deviation of the observed updates from the ``right`` ones, per tensor."""
    found = []
    for tensor in tensors_of(replays.stated):
        part, steps, gradients, seen = tensor.part, [], [], False
        for update, mine, theirs, noise in zip(
            replays.updates, replays.observed, right, replays.noise, strict=True
        ):
            of_step, of_gradient = apart(update, mine, theirs, noise, part)
            steps.append(of_step)
            gradients.append(of_gradient)
            least = SMALL * ROUNDING * np.linalg.norm(update.before[part])
            seen |= bool(np.linalg.norm(theirs.step[part]) > least)
        of_step, of_gradient = max(steps), max(gradients)
        worst = int(np.argmax(steps if of_step > FAULT else gradients))
        off = (
            at for at, pair in enumerate(zip(steps, gradients, strict=True)) if max(pair) > FAULT
        )
        found.append(Residual(tensor, of_step, of_gradient, seen, worst, next(off, None)))
    return found


def agrees(replays: Replays, right: Sequence[Made], part: slice, by: str = "both") -> bool:
    """Whether the observed updates of a part of the parameters equal the ``right`` ones.

    ``by`` selects what is compared: the ``step``, the reported ``gradient``, or ``both``.
    """
    every = zip(replays.updates, replays.observed, right, replays.noise, strict=True)
    for update, mine, theirs, noise in every:
        of_step, of_gradient = apart(update, mine, theirs, noise, part)
        if (by != "gradient" and of_step > FAULT) or (by != "step" and of_gradient > FAULT):
            return False
    return True
