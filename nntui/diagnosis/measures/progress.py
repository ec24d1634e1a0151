"""The gate: whether a run makes bad progress, so that a measurement beyond a threshold counts.

A network that has converged has tiny gradients, small steps and a flat loss, as one that is
stuck has; only the goal tells them apart.  AutoTrainer (Zhang et al. 2021) raises no false alarm
because it asks this first.
"""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.presets.preset import Goal

SHARE_SEEN = 0.5
"""Of its budget, what a run may take before a pace that is too slow counts as bad: a plateau that
is left again is no failure.  Our own choice."""
SHARE_SLOW = 0.01
"""Likewise before it counts as slow, which only rules ask that a plateau does not deceive."""
PATIENCE = 10
"""Epochs, at least, before anything but a divergence is bad."""
STILL = 1e-6
"""A relative change of the loss below this over half of the run is none at all."""
ROSE, SOARED = 1.05, 10.0
"""A loss that many times above the first has risen; or has so much that no patience is due."""


@dataclass(frozen=True)
class Progress:
    """How a run stands at one update."""

    said: str
    """In words, with the number."""
    trained: bool = True
    """Whether an epoch is finished, or the numbers have ended."""
    reached: bool = False
    """Whether the goal was reached and not left since."""
    slow: bool = False
    """Whether the pace so far does not lead to the goal within the budget."""
    bad: bool = False
    """The same with patience; then measurements count."""


def progress(losses: Array, goal: Goal, diverged: bool) -> Progress:
    """The verdict on ``losses``, the reported loss of each finished epoch.

    The goal counts as reached for as long as one of the last tenth of the epochs did: a noisy
    loss about the goal gives no alarm.  The pace is that of the medians of the last two quarters
    on a logarithmic axis, which flatters a loss that levels off.
    """
    epochs = len(losses)
    if diverged:
        return Progress("the numbers are no longer finite", slow=True, bad=True)
    if epochs == 0:
        return Progress("nothing is trained yet", trained=False)
    last = float(losses[-1])
    recent = losses[-max(5, epochs // 10) :]
    if recent.min() <= goal.loss:
        return Progress(f"the goal {goal.loss:g} is reached: {recent.min():.4g}", reached=True)
    above = f"the loss is {last:.4g}, the goal {goal.loss:g}"
    if epochs >= goal.epochs:
        return Progress(f"{above}, and the budget is spent", slow=True, bad=True)
    if epochs >= 3 and last > SOARED * losses[0]:
        return Progress(
            f"the loss has risen from {losses[0]:.4g} to {last:.4g}", slow=True, bad=True
        )
    if epochs < max(PATIENCE, SHARE_SLOW * goal.epochs):
        return Progress(f"{above}; too early to tell")
    half = losses[epochs // 2 :]
    if np.ptp(half) <= STILL * abs(last):
        return Progress(f"{above}, and it does not move", slow=True, bad=True)
    if np.median(recent) > ROSE * losses[0]:
        return Progress(
            f"the loss has risen from {losses[0]:.4g} to {last:.4g}", slow=True, bad=True
        )
    if epochs_needed(losses, goal.loss) <= goal.epochs - epochs:
        return Progress(f"{above}, and it falls fast enough")
    late = epochs >= SHARE_SEEN * goal.epochs
    return Progress(f"{above}, too far at this pace", slow=True, bad=late)


def epochs_needed(losses: Array, goal: float) -> float:
    """Epochs to the goal at the present pace; infinite where the loss does not fall."""
    window = max(2, len(losses) // 4)
    before, now = (
        float(np.median(part)) for part in (losses[-2 * window : -window], losses[-window:])
    )
    if not 0.0 < now < before:
        return np.inf
    if goal <= 0.0:
        return (now - goal) / (before - now) * window
    return float(np.log(now / goal) / np.log(before / now) * window)
