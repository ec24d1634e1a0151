"""The result of a sweep: outcomes per seed, and the share of solved seeds with its interval."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from nntui.core.engine.player_names import NUMPY
from nntui.presets.preset import Preset
from nntui.sweeps.block import Outcome
from nntui.timeline.views.json_text import json_ready

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def wilson(solved: int, count: int) -> tuple[float, float]:
    """The Wilson 95 % interval of ``solved`` out of ``count`` (Wilson 1927); (0, 1) for none."""
    if not count:
        return (0.0, 1.0)
    share, square = solved / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = (
        Z_95
        / (1 + square / count)
        * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    )
    return (max(middle - half, 0.0), min(middle + half, 1.0))


@dataclass(frozen=True)
class SweepResult:
    """The outcome of each seed, in the given order; after an early end, only of finished seeds."""

    preset: Preset
    epochs: int
    outcomes: tuple[Outcome, ...]
    elapsed_seconds: float

    @property
    def seeds(self) -> list[int]:
        """The seeds that were trained."""
        return [outcome.seed for outcome in self.outcomes]

    @property
    def solved(self) -> list[bool]:
        """Per seed, whether the goal was reached at the end."""
        return [outcome.solved(self.preset.goal) for outcome in self.outcomes]

    @property
    def final_losses(self) -> list[float | None]:
        """Per seed, the last reported loss; None if there is none or it is not finite."""
        return [json_ready(outcome.final_loss) for outcome in self.outcomes]

    @property
    def diverged(self) -> int:
        """How many seeds diverged."""
        return sum(outcome.diverged for outcome in self.outcomes)

    @property
    def players(self) -> dict[str, int]:
        """How many seeds each player trained: ``numpy``, ``compiled``."""
        return dict(sorted(Counter(outcome.player for outcome in self.outcomes).items()))

    @property
    def success_rate(self) -> float:
        """The share of seeds that reached the goal, from 0 to 1."""
        return sum(self.solved) / max(len(self.outcomes), 1)

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson 95 % interval of `success_rate`."""
        return wilson(sum(self.solved), len(self.outcomes))

    @property
    def updates_per_second(self) -> float:
        """Updates per second, summed over all replicas."""
        return sum(outcome.updates for outcome in self.outcomes) / max(self.elapsed_seconds, 1e-9)

    def as_json(self) -> dict[str, Any]:
        """What ``sweep --json`` prints; of players only if one is not NumPy."""
        return {
            "preset": self.preset.name,
            "seeds": self.seeds,
            "epochs": self.epochs,
            "goal": self.preset.goal.loss,
            "solved": self.solved,
            "success_rate": self.success_rate,
            "interval": list(self.interval),
            "final_losses": self.final_losses,
            "diverged": self.diverged,
            "elapsed_seconds": self.elapsed_seconds,
            "updates_per_second": self.updates_per_second,
            **({} if set(self.players) <= {NUMPY} else {"players": self.players}),
        }
