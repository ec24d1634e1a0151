"""When training ends: the budget is spent, the stop rule is met, or the numbers diverge."""

from dataclasses import dataclass, replace
from typing import Protocol

from nntui.core.engine.state import Divergence
from nntui.presets.preset import Preset

BUDGET, TARGET, DIVERGED = "budget", "target", "diverged"
UNLIMITED = 10**15
"""A budget that is never spent."""


class Trainable(Protocol):
    """What is trained: a run at its cursor, or a branch at its head."""

    @property
    def preset(self) -> Preset: ...
    @property
    def update(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def loss(self) -> float | None: ...
    @property
    def divergence(self) -> Divergence | None: ...
    def end_of(self, epoch: int) -> int:
        """The update at which ``epoch`` is finished."""
        ...

    def step(self, updates: int, stop: float | None = None) -> object:
        """Make ``updates`` updates, or those up to a report at or below ``stop``."""
        ...


@dataclass(frozen=True)
class Termination:
    """A budget of ``updates``, or of ``epochs``, or else the goal's; and the goal's stop rule."""

    epochs: int | None = None
    updates: int | None = None
    stops: bool = True
    """Whether the stop rule counts."""

    def budget(self, run: Trainable) -> int:
        """The update at which the budget of ``run`` is spent."""
        if self.updates is not None:
            return self.updates
        epochs = run.preset.goal.epochs if self.epochs is None else self.epochs
        return run.end_of(epochs - 1) if epochs else 0

    def reason(self, run: Trainable) -> str | None:
        """``diverged``, ``target`` or ``budget`` if ``run`` ends where it is, else None."""
        if run.divergence is not None:
            return DIVERGED
        if self._stops(run) and run.position == 0 and run.preset.goal.reached(run.loss):
            return TARGET
        return BUDGET if run.update >= self.budget(run) else None

    def beyond(self, run: Trainable) -> "Termination":
        """The conditions under which ``run`` goes on from where it ended."""
        rest = replace(self, stops=False) if self.reason(run) == TARGET else self
        return replace(rest, updates=UNLIMITED) if rest.reason(run) == BUDGET else rest

    def next_check(self, run: Trainable) -> int:
        """The update up to which ``run`` can be trained before `reason` must be asked again."""
        budget = self.budget(run)
        if not self._stops(run):
            return budget
        due = run.preset.configuration.report.next_from(run.epoch)
        return min(run.end_of(due), budget)

    def stop_at(self, run: Trainable) -> float | None:
        """The reported loss at or below which ``run`` ends; None if it has no stop rule."""
        return run.preset.goal.loss if self._stops(run) else None

    def _stops(self, run: Trainable) -> bool:
        return self.stops and run.preset.goal.stop
