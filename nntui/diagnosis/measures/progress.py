"""Is the run failing?

A converged network has tiny gradients, small steps and a flat loss, like one that is stuck; only
the goal tells them apart.  AutoTrainer (Zhang et al. 2021) avoids false alarms by asking this
first.
"""

from dataclasses import dataclass

import numpy as np

from nntui.core.tape import Array
from nntui.presets.preset import Goal

SHARE_SEEN = 0.5
"""The share of its budget after which a pace that is too slow counts as bad: a plateau that a run
leaves again is no failure.  Our own choice."""
SHARE_SLOW = 0.01
"""The share after which it counts as slow, for rules that a plateau does not mislead."""
PATIENCE = 10
"""Reports before which only divergence counts as bad."""
STILL = 1e-6
"""A smaller relative change of the loss over half of the run counts as none."""
ROSE, SOARED = 1.05, 10.0
"""Ratios to the first loss: it has risen, or so much that the run fails at once."""


@dataclass(frozen=True)
class Progress:
    """Whether a run is failing, at one update."""

    said: str
    """The verdict in words, with the loss."""
    trained: bool = True
    """Whether an epoch is finished, or the run has diverged."""
    reached: bool = False
    """Whether the goal is reached."""
    slow: bool = False
    """Whether the goal is out of reach within the budget at the pace so far."""
    bad: bool = False
    """Whether the run is failing, judged with patience; only then do measurements count."""


def progress(
    losses: Array, goal: Goal, diverged: bool, epochs: int | None = None, *, drawn: bool = False
) -> Progress:
    """Judge ``losses``, all that were reported in ``epochs`` (None: one in each).

    The goal counts as reached if any of the last tenth reached it, so that a loss that is noisy
    around the goal raises no alarm.  ``drawn`` losses, each of a few rows only, tell something
    together: their mean must have reached it.  The pace is that of the medians of the last two
    quarters on a logarithmic axis, which flatters a loss that levels off.
    """
    reports = len(losses)
    epochs = reports if epochs is None else epochs
    if diverged:
        return Progress("the numbers are no longer finite", slow=True, bad=True)
    if reports == 0:
        return Progress("nothing is trained yet", trained=False)
    last = float(losses[-1])
    recent = losses[-max(5, reports // 10) :]
    best = recent.mean() if drawn else recent.min()
    if best <= goal.loss:
        return Progress(f"the goal {goal.loss:g} is reached: {best:.4g}", reached=True)
    above = f"the loss is {last:.4g}, the goal {goal.loss:g}"
    if epochs >= goal.epochs:
        return Progress(f"{above}, and the budget is spent", slow=True, bad=True)
    if reports >= 3 and last > SOARED * losses[0]:
        return Progress(
            f"the loss has risen from {losses[0]:.4g} to {last:.4g}", slow=True, bad=True
        )
    if reports < PATIENCE or epochs < SHARE_SLOW * goal.epochs:
        return Progress(f"{above}; too early to tell")
    half = losses[reports // 2 :]
    if np.ptp(half) <= STILL * abs(last):
        return Progress(f"{above}, and it does not move", slow=True, bad=True)
    if np.median(recent) > ROSE * losses[0]:
        return Progress(
            f"the loss has risen from {losses[0]:.4g} to {last:.4g}", slow=True, bad=True
        )
    if epochs_needed(losses, goal.loss, epochs) <= goal.epochs - epochs:
        return Progress(f"{above}, and it falls fast enough")
    late = epochs >= SHARE_SEEN * goal.epochs
    return Progress(f"{above}, too far at this pace", slow=True, bad=late)


def epochs_needed(losses: Array, goal: float, epochs: int) -> float:
    """Epochs to the goal at the present pace of the ``losses`` reported in so many ``epochs``."""
    return reports_needed(losses, goal) * epochs / max(len(losses), 1)


def reports_needed(losses: Array, goal: float) -> float:
    """Reports to the goal at the present pace; infinite where the loss does not fall."""
    window = max(2, len(losses) // 4)
    before, now = (
        float(np.median(part)) for part in (losses[-2 * window : -window], losses[-window:])
    )
    if not 0.0 < now < before:
        return np.inf
    if goal <= 0.0:
        return (now - goal) / (before - now) * window
    return float(np.log(now / goal) / np.log(before / now) * window)
