"""Snapshots: a run at its cursor, as an immutable value for the screen."""

from dataclasses import dataclass

import numpy as np

from nntui.core.engine.state import Divergence, frozen
from nntui.core.engine.trainer import Trainer
from nntui.core.settings.data_settings import NO_SCALING
from nntui.core.tape import Array
from nntui.timeline.history.events import Event, events
from nntui.timeline.history.loss_history import LossHistory
from nntui.timeline.run import Run


def largest_finite(values: Array) -> float:
    """The greatest magnitude among the finite ``values``, 0 if there is none."""
    return float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))


def norm(*arrays: Array | None) -> float:
    """The Euclidean norm of all numbers of ``arrays``; infinite where it overflows."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(sum(float(np.sum(a * a)) for a in arrays if a is not None)))


@dataclass(frozen=True, eq=False)
class LayerView:
    """One layer on all data rows; arrays are (units, samples), if not said otherwise.

    All are read-only.
    """

    activation: str
    W: Array
    """(units, units in)"""
    b: Array | None
    """(units,)"""
    z: Array
    a: Array
    h: Array
    """What the next layer sees: ``a``, or its normalisation."""
    normalised: bool
    dead: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Per unit: active on no sample."""

    @property
    def norm(self) -> float:
        """The Euclidean norm of the weights."""
        return norm(self.W)


def layer_views(trainer: Trainer) -> tuple[LayerView, ...]:
    """Every layer of ``trainer`` on all training rows, as copies."""
    trainer.whole.play()
    return tuple(
        LayerView(
            W=frozen(W),
            b=None if b is None else frozen(b.ravel()),
            activation=layer.activation.name,
            z=frozen(layer.z),
            a=frozen(layer.a),
            h=frozen(layer.h),
            normalised=layer.normalisation is not None,
            dead=frozen(layer.activation.dead(layer.a)),
        )
        for layer, (W, b) in zip(trainer.whole.layers, trainer.parameters, strict=True)
    )


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one update; losses are reported losses."""

    branch: str
    """The name of the branch."""
    forked_at: int
    """The update up to which the branch shares the past of another one."""
    forks: tuple[int, ...]
    """Where other branches fork from this one."""
    events: tuple[Event, ...]
    """What happened on the branch, in order."""
    seed: int
    update: int
    head: int
    """The furthest update that was trained."""
    epoch: int
    """Finished epochs at ``update``."""
    losses: LossHistory
    """The reported losses, of which those of the first ``epochs`` belong to the snapshot."""
    epochs: int
    """Finished epochs at ``head``."""
    solved: bool
    """See `Run.solved`."""
    state_hash: str
    divergence: Divergence | None
    next_rows: tuple[int, ...]
    """The data rows of the next update."""
    layers: tuple[LayerView, ...]
    inputs: Array
    """(inputs, samples)"""
    targets: Array
    """(outputs, samples)"""
    checkpoints: tuple[int, ...]
    target_names: tuple[str, ...] = ()
    """What the targets, or classes, are called; empty where they have no names."""
    scaled_inputs: bool = False
    """Whether the inputs are scaled, and not as they stand in the data."""
    scaled_targets: bool = False

    @classmethod
    def of(cls, run: Run) -> "Snapshot":
        """Everything the screen shows of ``run`` at its cursor."""
        trainer, branch, data = run.trainer, run.branch, run.preset.configuration.data
        return cls(
            branch=branch.name,
            forked_at=branch.forked_at,
            forks=tuple(each.forked_at for each in run.tree.children(branch)),
            events=tuple(events(branch)),
            seed=run.seed,
            update=run.update,
            head=run.head,
            epoch=run.epoch,
            losses=branch.losses,
            epochs=branch.epoch_at(branch.update),
            solved=run.solved,
            state_hash=run.state_hash,
            divergence=run.divergence,
            next_rows=tuple(trainer.next_batch().tolist()),
            layers=layer_views(trainer),
            inputs=trainer.data.x,
            targets=trainer.data.y,
            checkpoints=run.checkpoints,
            target_names=data.target_names,
            scaled_inputs=data.scale_inputs != NO_SCALING,
            scaled_targets=data.scale_targets != NO_SCALING,
        )

    @property
    def loss(self) -> float | None:
        """The loss that was reported last, None before there is one."""
        last = self.losses.last(self.epoch)
        return last[1] if last else None

    @property
    def outputs(self) -> Array:
        """The network's output on all data rows, (outputs, samples)."""
        return self.layers[-1].h
