"""The anatomy of an update: everything it computes, beside what correct backpropagation gives.

Both are made on trainers of their own, so the run does not move.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np

from nntui.core.engine.changes import changed
from nntui.core.engine.network import Layout, activation_of, backward_of, faults_by_layer
from nntui.core.engine.state import Divergence, State
from nntui.core.engine.trainer import Trainer, learning_rate
from nntui.core.engine.update import optimiser_of
from nntui.core.formulas.recording import record
from nntui.core.parts.activations import Activation, Backward
from nntui.core.parts.faults import Fault
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array, Tape
from nntui.players.trainers import trainer_of
from nntui.timeline.history.replay import replay_updates
from nntui.timeline.microscope.substeps import Key, SubStep, substeps
from nntui.timeline.run import Run

ROUNDING = 1e-12
"""Of a tensor's largest magnitude: what differs by less, differs by rounding only."""


@dataclass(frozen=True, eq=False)
class Computed:
    """One update of one state; all arrays are read-only.

    ``tensors`` holds what it computes, by name and layer.  Of shape (units, samples): ``z``,
    ``a``, ``h`` (of a normalised layer, with its ``spread``, (1, samples)), ``error``,
    ``upstream`` (dL/da, or dL/dh of a normalised layer), ``slope`` (the derivative as it was
    used) and ``delta`` (dL/dz); a loss that is differentiated through the output's activation at
    once leaves the last layer without upstream and slope.  Of the shape of W, (units, units in),
    or of b, (units, 1): ``gradient of W``, ``clipped gradient of W`` (if anything clips),
    ``velocity of W`` and what else the optimiser carries, ``step of W``, and ``W`` afterwards;
    likewise for b.
    """

    configuration: Configuration
    rate: float
    """The learning rate."""
    count: int
    """The number of the update for the optimiser, from 1."""
    x: Array
    """The batch, (inputs, samples)."""
    y: Array
    """Its targets, (outputs, samples)."""
    before: Mapping[Key, Array]
    """``W``, ``b`` and what the optimiser carries, as they were before."""
    tensors: Mapping[Key, Array]
    steps: tuple[SubStep, ...]
    """The sub-steps, in order."""
    blocked: tuple[Array | None, ...]
    """Per layer, (units,): on how many training rows the slope is 0, where there is a slope."""
    divergence: Divergence | None
    """The first number that is not finite, if there is one."""

    @property
    def samples(self) -> int:
        """How many samples the batch has."""
        return int(self.x.shape[1])

    @property
    def fused(self) -> bool:
        """Whether the loss is differentiated through the output's activation at once."""
        return LOSSES[self.configuration.training.loss].needs_output is not None

    @cached_property
    def faults(self) -> list[list[Fault]]:
        """Per layer, the faults that are on in it."""
        return faults_by_layer(self.configuration)

    def incoming(self, layer: int) -> Array:
        """What ``layer`` sees, (units in, samples)."""
        return self.x if layer == 0 else self.output(layer - 1)

    def output(self, layer: int) -> Array:
        """What ``layer`` gives to the next, (units, samples)."""
        return self.tensors["h" if ("h", layer) in self.tensors else "a", layer]

    @property
    def penalties(self) -> dict[str, float]:
        """The factors of the penalties, by name."""
        return {"l1": self.configuration.l1, "l2": self.configuration.l2}

    def back(self, layer: int) -> Array:
        """The weights through which ``layer`` passes its delta down, (units, units in)."""
        faults = self.faults[layer]
        early = any(each.updates_before_backprop for each in faults)
        W = (self.tensors if early else self.before)["W", layer]
        tape = Tape()
        rate = np.array(self.rate)
        weights = reduce(
            lambda W, each: each.weights_back(tape, W, rate, self.penalties), faults, W
        )
        with np.errstate(all="ignore"):
            tape.play()
        return weights

    def function(self, layer: int) -> Activation:
        """The activation of ``layer``."""
        return activation_of(self.configuration.layers[layer])

    def backward(self, layer: int) -> Backward:
        """What backpropagation uses for the slope in ``layer``."""
        return backward_of(self.function(layer), self.faults[layer])


@dataclass(frozen=True)
class Deviation:
    """How far a tensor is from what correct backpropagation gives."""

    tensor: str
    layer: int
    largest: float
    """The greatest difference, of all cells."""
    share: float
    """The same as a share of the greatest correct magnitude; infinite where all should be 0."""
    cell: tuple[int, ...]
    """Where the difference is greatest."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One update, as it is made and as correct backpropagation makes it from the same state."""

    update: int
    """The update it starts from."""
    rows: tuple[int, ...]
    """The training rows of its batch, one a sample."""
    made: Computed
    correct: Computed
    """The same object where no fault is on."""

    def step_of(self, tensor: str, layer: int) -> int:
        """The number of the sub-step that makes ``tensor`` known; KeyError if none does."""
        for number, step in enumerate(self.made.steps):
            if (tensor, layer) in step.tensors:
                return number
        raise KeyError((tensor, layer))

    def distances(self, tensor: str, layer: int) -> Array:
        """How far each cell of ``tensor`` is off, rounding left out; of the tensor's shape."""
        mine, right = (each.tensors[tensor, layer] for each in (self.made, self.correct))
        with np.errstate(all="ignore"):
            same = (mine == right) | (np.isnan(mine) & np.isnan(right))
            off = np.where(same, 0.0, np.abs(mine - right))
            off = np.where(np.isnan(off), np.inf, off)
            return np.where(off > ROUNDING * np.abs(right).max(), off, 0.0)

    def is_off(self, tensor: str, layer: int, unit: int, sample: int) -> bool:
        """Whether one cell of a tensor of shape (units, samples) is not what it should be."""
        return self.made is not self.correct and bool(self._off[tensor, layer][unit, sample])

    @cached_property
    def _off(self) -> dict[Key, Array]:
        return {key: self.distances(*key) for key in self.made.tensors}

    def deviation(self, tensor: str, layer: int) -> Deviation | None:
        """How far ``tensor`` is off; None where it is as it should be."""
        if self.made is self.correct:
            return None
        off = self._off[tensor, layer]
        largest = float(off.max())
        if largest == 0.0:
            return None
        with np.errstate(all="ignore"):
            share = float(largest / np.abs(self.correct.tensors[tensor, layer]).max())
        cell = tuple(int(index) for index in np.unravel_index(int(off.argmax()), off.shape))
        return Deviation(tensor, layer, largest, share, cell)

    @cached_property
    def deviations(self) -> tuple[Deviation, ...]:
        """All tensors that are off, in the order of computation."""
        found = (self.deviation(*key) for key in self.made.tensors)
        return tuple(each for each in found if each is not None)


def dissect(run: Run) -> Anatomy:
    """The anatomy of the update that follows the run's cursor, which stays where it is.

    Where the run has diverged no update follows: there it is the one that diverged.
    """
    if run.divergence is None:
        state = run.state
    else:
        state = next(replay_updates(run.branch, run.update - 1, run.update - 1)).state
    made, rows = _computed(state)
    correct = made
    if state.configuration.faults:
        correct, _ = _computed(changed(state, replace(state.configuration, faults=())))
    return Anatomy(state.update, rows, made, correct)


def _computed(state: State) -> tuple[Computed, tuple[int, ...]]:
    """The next update of ``state``, and the training rows that it takes."""
    configuration = state.configuration
    trainer = trainer_of(state)
    rows = trainer.next_batch()
    blocked = _blocked(trainer)
    trainer.advance(1)
    fused = LOSSES[configuration.training.loss].needs_output is not None
    last = len(configuration.layers) - 1
    tensors = {}
    for tensor, layer, values in trainer.written:
        name = "delta" if fused and (tensor, layer) == ("upstream", last) else tensor
        tensors[name, layer] = _closed(values)
    computed = Computed(
        configuration,
        rate=learning_rate(configuration, state.epoch),
        count=state.update - state.since + 1,
        x=_closed(trainer.data.x[:, rows]),
        y=_closed(trainer.data.y[:, rows]),
        before=_before(state),
        tensors=tensors,
        steps=substeps(tensors, len(configuration.layers)),
        blocked=blocked,
        divergence=trainer.divergence,
    )
    return computed, tuple(rows.tolist())


def _closed(values: Array) -> Array:
    """``values``, not to be written to; the trainer they belong to makes no second update."""
    view = values.view()
    view.flags.writeable = False
    return view


def _before(state: State) -> dict[Key, Array]:
    layout, found = Layout.of(state.configuration), {}
    names = optimiser_of(state.configuration).slots
    for name, flat in (("", state.theta), *zip(names, state.slots, strict=True)):
        of = f"{name} of " if name else ""
        for layer, (W, b) in enumerate(layout.views(flat)):
            found[f"{of}W", layer] = W
            if b is not None:
                found[f"{of}b", layer] = b
    return found


def _blocked(trainer: Trainer) -> tuple[Array | None, ...]:
    """Per layer, the training rows on which each unit's slope, as it would be used, is 0."""
    configuration = trainer.configuration
    fused = LOSSES[configuration.training.loss].needs_output is not None
    trainer.whole.play()
    found: list[Array | None] = []
    for layer, faults in zip(trainer.whole.layers, faults_by_layer(configuration), strict=True):
        if fused and len(found) == len(configuration.layers) - 1:
            found.append(None)
            continue
        used = backward_of(layer.activation, faults)
        tape, slope = Tape(), np.empty_like(layer.z)
        record(tape, used.slope, {"z": layer.z, "a": layer.a, "f": layer.value}, slope)
        with np.errstate(all="ignore"):
            tape.play()
        found.append(_closed((slope == 0.0).sum(axis=1)))
    return tuple(found)
