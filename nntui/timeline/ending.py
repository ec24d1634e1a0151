"""When a run ends: at its budget, at its stop rule, or where the numbers end."""

from dataclasses import dataclass, replace

from nntui.presets.preset import Goal
from nntui.timeline.run import Run

BUDGET, TARGET, DIVERGED = "budget", "target", "diverged"
ENDLESS = 10**15
"""A budget that nobody lives to see spent."""


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

    def beyond(self, run: Run) -> "Ending":
        """What is left of the rule for a run that is to go on from where it ended."""
        ending = self
        if ending.reason(run) == TARGET:
            ending = replace(ending, goal=replace(ending.goal, stop=False))
        if ending.reason(run) == BUDGET:
            ending = replace(ending, updates=ENDLESS)
        return ending

    def next_look(self, run: Run) -> int:
        """The update up to which the run can be trained before `reason` is to be asked again."""
        per_epoch = run.preset.configuration.updates_per_epoch
        epoch_end = run.update + per_epoch - run.position
        return min(epoch_end, self.updates) if self.goal.stop else self.updates
