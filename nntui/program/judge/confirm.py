"""Confirms the gradient by finite differences of the person's real code, run in forks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.generic_states import direction, move, shake
from nntui.program.judge.loss_hypotheses import Loss
from nntui.program.judge.recorded_update import Recording
from nntui.program.judge.trials import Trials
from nntui.program.record.adjoints import adjoints

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

DISTANCES = ((1e-5, 1e-5), (1e-7, 1e-4), (1e-3, 2e-2))
"""(how far the parameters are moved, relative difference up to which the gradient is confirmed).

The first is near the cube root of the rounding unit, where the errors of truncation and of
rounding of a central difference are alike; the second meets fewer kinks, such as those of ReLU;
the third is for single precision.
"""
SEEDS = (99, 5)
"""Of the generic state, and of the direction in it."""
KINDS_OF_STATE = ("noise", "positive", "medium")
"""Generic states, one after the other until the slope is not 0."""
SECONDS = 10.0


@dataclass(frozen=True)
class Confirmation:
    """The slope of the loss along one random direction, measured and derived."""

    measured: float
    derived: float
    agrees: float

    @property
    def holds(self) -> bool:
        """Whether both agree; where both are 0 nothing is shown."""
        size = max(abs(self.measured), abs(self.derived))
        return bool(
            np.isfinite(size)
            and size > 0
            and abs(self.measured - self.derived) <= self.agrees * size
        )


def confirm(
    execution: "Execution",
    loop: int,
    loss: Loss,
    parameters: Collection[str],
    memories: Collection[str],
) -> Confirmation | None:
    """Run one update at a generic state, and on both sides of it; None in the forks themselves."""

    def value(recordings: list[Recording]) -> dict[str, Any]:
        return {"loss": loss.value(recordings[0])}

    def slope(recordings: list[Recording]) -> dict[str, Any]:
        recording = recordings[0]
        seeds = loss.seeds(recording)
        if seeds is None:
            return {}
        found = adjoints(recording.nodes, seeds, needed=recording.needed)
        shapes = {
            name: np.shape(recording.start[name].value)
            for name in parameters
            if name in recording.start
        }
        along = direction(shapes, np.random.RandomState(SEEDS[1]))
        total = sum(
            float(np.sum(found.get(recording.start[name].number, 0.0) * along[name]))
            for name in shapes
        )
        return {"slope": total}

    def at(moved: float, kind: str) -> dict[str, Any] | None:
        def prepare(_recordings: list[Recording]) -> None:
            draws = np.random.RandomState(SEEDS[0])
            shake(execution.live(), parameters, memories, kind, draws)
            if moved:
                move(execution.live(), parameters, moved, np.random.RandomState(SEEDS[1]))

        return execution.fork(
            Trials(execution, loop, 1, prepare, value if moved else slope), SECONDS
        )

    found = Confirmation(float("nan"), float("nan"), 0.0)
    here: dict[str, Any] | None = None
    for kind in KINDS_OF_STATE:
        here = at(0.0, kind)
        if here is None:
            return None
        # Where all units are dead the slope is 0, and shows nothing.
        if np.isfinite(here.get("slope", np.nan)) and here["slope"]:
            break
    slope_here = float("nan") if here is None else here.get("slope", float("nan"))
    for distance, agrees in DISTANCES:
        losses = []
        for side in (distance, -distance):
            answer = at(side, kind)
            if answer is None:
                return None
            losses.append(answer.get("loss", float("nan")))
        measured = (losses[0] - losses[1]) / (2 * distance)
        found = Confirmation(measured, slope_here, agrees)
        if found.holds:
            break
    return found
