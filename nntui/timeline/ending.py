"""When a run ends: at its budget, at its stop rule, or where the numbers end."""

from dataclasses import dataclass

from nntui.presets.preset import Goal
from nntui.timeline.run import Run

BUDGET, TARGET, DIVERGED = "budget", "target", "diverged"


@dataclass(frozen=True)
class Ending:
    """The rule by which a run of ``goal`` ends, at the latest after ``updates`` updates."""

    goal: Goal
    updates: int

    @classmethod
    def of(cls, run: Run, epochs: int | None = None, updates: int | None = None) -> "Ending":
        """The ending of ``run``: its preset's, or a budget of ``epochs`` or ``updates``."""
        goal = run.preset.goal
        if updates is None:
            per_epoch = run.preset.configuration.updates_per_epoch
            updates = (goal.epochs if epochs is None else epochs) * per_epoch
        return cls(goal, updates)

    def reason(self, run: Run) -> str | None:
        """``diverged``, ``target`` or ``budget`` if the run ends at its cursor, else None."""
        if run.divergence is not None:
            return DIVERGED
        if self.goal.stop and run.position == 0 and self.goal.reached(run.loss):
            return TARGET
        return BUDGET if run.update >= self.updates else None

    def stride(self, run: Run, most: int) -> int:
        """How many updates, at most ``most``, can be made before `reason` is to be asked again."""
        if run.update < self.updates:
            most = min(most, self.updates - run.update)
        if self.goal.stop:
            most = min(most, run.preset.configuration.updates_per_epoch - run.position)
        return most


def solved(run: Run) -> bool:
    """Whether the reported loss of the last epoch run is finite and at or below the goal."""
    return run.divergence is None and run.preset.goal.reached(run.loss)
