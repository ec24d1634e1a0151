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

    def step(self, updates: int) -> object:
        """Make ``updates`` updates."""
        ...


@dataclass(frozen=True)
class Termination:
    """A budget of ``updates``, or of ``epochs``, or else the goal's; and the goal's stop rule."""

    epochs: int | None = None
    updates: int | None = None
    stops: bool = True
    """Whether the stop rule counts."""

    def budget(self, line: Trainable) -> int:
        """The update at which the budget of ``line`` is spent."""
        if self.updates is not None:
            return self.updates
        epochs = line.preset.goal.epochs if self.epochs is None else self.epochs
        return line.end_of(epochs - 1) if epochs else 0

    def reason(self, line: Trainable) -> str | None:
        """``diverged``, ``target`` or ``budget`` if ``line`` ends where it is, else None."""
        if line.divergence is not None:
            return DIVERGED
        if self._stops(line) and line.position == 0 and line.preset.goal.reached(line.loss):
            return TARGET
        return BUDGET if line.update >= self.budget(line) else None

    def beyond(self, line: Trainable) -> "Termination":
        """The conditions under which ``line`` goes on from where it ended."""
        rest = replace(self, stops=False) if self.reason(line) == TARGET else self
        return replace(rest, updates=UNLIMITED) if rest.reason(line) == BUDGET else rest

    def next_check(self, line: Trainable) -> int:
        """The update up to which ``line`` can be trained before `reason` must be asked again."""
        budget = self.budget(line)
        return min(line.end_of(line.epoch), budget) if self._stops(line) else budget

    def _stops(self, line: Trainable) -> bool:
        return self.stops and line.preset.goal.stop
