"""The next update, made on a trainer of its own: deltas, gradients and steps without moving on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nntui.core.engine.network import Layout
from nntui.core.engine.state import State, frozen
from nntui.core.engine.trainer import Trainer
from nntui.core.tape import Array
from nntui.players.trainers import trainer_of
from nntui.timeline.views.snapshot import norm


@dataclass(frozen=True, eq=False)
class LayerAhead:
    """What the next update computes in one layer; all arrays are read-only."""

    delta: Array
    """dL/dz, (units, samples of the batch)."""
    gradient_W: Array
    """What the optimiser gets, before any clipping, (units, units in)."""
    gradient_b: Array | None
    """(units,)"""
    step_W: Array
    """How much the update adds to the weights, (units, units in)."""
    step_b: Array | None
    """(units,)"""
    W: Array
    """The weights before it."""

    @cached_property
    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient, weights and bias together."""
        return norm(self.gradient_W, self.gradient_b)

    @cached_property
    def ratio(self) -> float:
        """The norm of the weights' step over that of the weights; NaN where these are all 0."""
        whole = norm(self.W)
        return norm(self.step_W) / whole if whole else float("nan")


@dataclass(frozen=True, eq=False)
class NextUpdate:
    """The update after a state, from its forward pass to its step."""

    update: int
    """Its number, which is that of the state it leads to."""
    rows: tuple[int, ...]
    """The training rows of its batch, one a column of each delta."""
    layers: tuple[LayerAhead, ...]


class Ahead:
    """Makes the update that follows a state; the trainer is kept from one state to the next."""

    def __init__(self) -> None:
        self._trainer: Trainer | None = None

    def standing_at(self, state: State) -> Trainer:
        """A trainer at ``state``, which is nobody else's."""
        trainer = self._trainer
        if trainer is None or not trainer.fits(state):
            trainer = self._trainer = trainer_of(state)
        else:
            trainer.restore(state)
        return trainer

    def of(self, state: State) -> NextUpdate | None:
        """The update after ``state``; None after a divergence, where there is none."""
        return None if state.divergence is not None else self.made(self.standing_at(state), state)

    def made(self, trainer: Trainer, state: State) -> NextUpdate:
        """The update that ``trainer``, which stands at ``state``, now makes."""
        rows = tuple(trainer.next_batch().tolist())
        trainer.advance(1)
        found = {(each.tensor, each.layer): each.values for each in trainer.written}
        layout = Layout.of(state.configuration)
        with np.errstate(all="ignore"):
            steps = layout.views(frozen(trainer.state.theta - state.theta))
        before = layout.views(state.theta)
        layers = []
        for layer, ((W, _), (step_W, step_b)) in enumerate(zip(before, steps, strict=True)):
            # A cross-entropy hands its output layer the delta itself.
            delta = found.get(("delta", layer), found["upstream", layer])
            gradient_b = found.get(("gradient of b", layer))
            layers.append(
                LayerAhead(
                    delta=frozen(delta),
                    gradient_W=frozen(found["gradient of W", layer]),
                    gradient_b=None if gradient_b is None else frozen(gradient_b.ravel()),
                    step_W=step_W,
                    step_b=None if step_b is None else step_b.ravel(),
                    W=W,
                )
            )
        return NextUpdate(state.update + 1, rows, tuple(layers))
