"""Confirms the gradient by finite differences of the person's real code, run in forks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntui.program.judge.generic_states import direction, move, shake
from nntui.program.judge.losses import Loss
from nntui.program.judge.recording import Recording
from nntui.program.judge.trials import Trials
from nntui.program.record.adjoints import adjoints

if TYPE_CHECKING:
    from nntui.program.control.execution import Execution

DISTANCE = 1e-5
"""How far the parameters are moved: near the cube root of the rounding unit, where the errors of
truncation and of rounding of a central difference are alike."""
AGREES = 1e-5
"""Relative difference up to which the gradient counts as confirmed."""
SEEDS = (99, 5)
"""Of the generic state, and of the direction in it."""
SECONDS = 10.0


@dataclass(frozen=True)
class Confirmation:
    """The slope of the loss along one random direction, measured and derived."""

    measured: float
    derived: float

    @property
    def holds(self) -> bool:
        """Whether both agree; where both are 0 nothing is shown."""
        size = max(abs(self.measured), abs(self.derived))
        return bool(
            np.isfinite(size) and size > 0 and abs(self.measured - self.derived) <= AGREES * size
        )


def confirm(
    execution: "Execution",
    loop: int,
    loss: Loss,
    parameters: Collection[str],
    memories: Collection[str],
) -> Confirmation | None:
    """Run one update at a generic state, and on both sides of it; None in the forks themselves."""

    def slope(recordings: list[Recording]) -> dict[str, Any]:
        recording = recordings[0]
        seeds = loss.seeds(recording)
        if seeds is None:
            return {}
        found = adjoints(recording.nodes, seeds)
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
        return {"slope": total, "loss": loss.value(recording)}

    answers = []
    for side in (0.0, DISTANCE, -DISTANCE):

        def prepare(_recordings: list[Recording], side: float = side) -> None:
            draws = np.random.RandomState(SEEDS[0])
            shake(execution.live(), parameters, memories, "noise", draws)
            if side:
                move(execution.live(), parameters, side, np.random.RandomState(SEEDS[1]))

        answer = execution.fork(Trials(execution, loop, 1, prepare, slope), SECONDS)
        if answer is None:
            return None
        if "loss" not in answer:
            return Confirmation(float("nan"), float("nan"))
        answers.append(answer)
    measured = (answers[1]["loss"] - answers[2]["loss"]) / (2 * DISTANCE)
    return Confirmation(measured, answers[0]["slope"])
