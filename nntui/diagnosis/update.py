"""The update check: is the change of the parameters the stated rule applied to the true gradient?

``r = ||dtheta + step|| / (||dtheta|| + ||step||)``, where ``step`` is what the stated optimiser
makes of the gradient at the parameters before the update, on the same samples; two updates in a
row, so that what an optimiser remembers is checked as well.  The true gradient is the stated
configuration's own backpropagation, which is the complex step's to 1e-12 (`reference`).
"""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.diagnosis.tensors import Tensor, tensors_of
from nntui.diagnosis.trials import Made, Replays

FAULT = 1e-9
"""A residual above is a fault: correct programs stay at 1e-13 (10 of 10 planted faults were
found so, with 0 of 120 false alarms)."""
ROUNDING = 2.0 * float(np.finfo(np.float64).eps)
"""What storing the parameters may cost a step, as a share of the parameters."""
OK, WRONG, TOO_SMALL = "ok", "wrong", "too small"


def distance(mine: Array, right: Array) -> float:
    """``||mine - right|| / (||mine|| + ||right||)``: 0 for equal ones, 1 for opposite ones.

    Where not both are finite they are as far apart as can be, unless both are not.
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


def step_distance(mine: Array, right: Array, before: Array) -> float:
    """The distance of two steps from ``before``, 0 where storing the parameters may cause it."""
    with np.errstate(all="ignore"):
        off = np.linalg.norm(mine - right)
        allowed = ROUNDING * (2.0 * np.linalg.norm(before) + np.linalg.norm(right))
    return 0.0 if off <= allowed else distance(mine, right)


@dataclass(frozen=True)
class Residual:
    """How far the updates of one tensor are off, at worst."""

    tensor: Tensor
    of_step: float
    """The residual r of the steps."""
    of_gradient: float
    """The distance between the gradient that the program reports and the true one."""
    seen: bool
    """Whether any step was larger than rounding."""
    worst: int
    """The update at which it is farthest off, as `Replays.updates` counts."""

    @property
    def verdict(self) -> str:
        """``ok``, ``wrong``, or ``too small`` where no step could be told from rounding."""
        if max(self.of_step, self.of_gradient) > FAULT:
            return WRONG
        return OK if self.seen else TOO_SMALL


def residuals(replays: Replays, right: list[Made]) -> list[Residual]:
    """How far the observed updates are from those that are ``right``, per tensor."""
    found = []
    for tensor in tensors_of(replays.stated):
        part, steps, gradients, seen = tensor.span, [], [], False
        for update, mine, theirs in zip(replays.updates, replays.observed, right, strict=True):
            before = update.before[part]
            steps.append(step_distance(mine.step[part], theirs.step[part], before))
            gradients.append(distance(mine.gradient[part], theirs.gradient[part]))
            least = 10.0 * ROUNDING * np.linalg.norm(before)
            seen |= bool(np.linalg.norm(theirs.step[part]) > least)
        of_step, of_gradient = max(steps), max(gradients)
        worst = int(np.argmax(steps if of_step > FAULT else gradients))
        found.append(Residual(tensor, of_step, of_gradient, seen, worst))
    return found


def agrees(replays: Replays, right: list[Made], part: slice, by: str = "both") -> bool:
    """Whether the observed updates of a part of the parameters are those that are ``right``.

    ``by`` says what is compared: the ``step``, the reported ``gradient``, or ``both``.
    """
    for update, mine, theirs in zip(replays.updates, replays.observed, right, strict=True):
        steps = mine.step[part], theirs.step[part], update.before[part]
        if by != "gradient" and step_distance(*steps) > FAULT:
            return False
        if by != "step" and distance(mine.gradient[part], theirs.gradient[part]) > FAULT:
            return False
    return True
