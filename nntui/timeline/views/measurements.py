"""Losses, norms and dead units along a branch, measured on demand at kept or replayed states.

Nothing is recorded while training; a measurement is cached for as long as its state exists.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from nntui.core.engine.reported_loss import reported_value
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer
from nntui.core.parts.losses import loss_value
from nntui.core.tape import Array
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.replay import affordable_updates, replay_updates
from nntui.timeline.microscope.next_update import Ahead
from nntui.timeline.views.first_difference import last_shared_update

MOST = 128
"""States of one branch that are measured: a plot is not wider."""
SHARE = 4
"""A plot replays at most this fraction (1/SHARE) of the updates that a question may replay."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured at one state."""

    update: int
    epochs: float
    """Epochs up to it, with the part of the unfinished one."""
    training: float
    """The training loss over all training rows, penalties included."""
    reported: float
    """The reported loss, without penalties, over the same rows with the parameters as they are."""
    test: float | None
    """The same over the rows kept for testing."""
    gradients: tuple[float, ...]
    """Per layer, the norm of the next update's gradient; empty after a divergence."""
    ratios: tuple[float, ...]
    """Per layer, the norm of the next update's step of the weights over that of the weights."""
    dead: tuple[int, ...]
    """Per layer, how many units are active on no row."""


class Measurements:
    """Measures states of branches, each once."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[State, Measurement] = WeakKeyDictionary()
        self._between: WeakKeyDictionary[Stretch, dict[int, Measurement]] = WeakKeyDictionary()
        """The same by update, for states that are not kept."""
        self._ahead = Ahead()

    def along(self, branch: Branch, *, fine: bool = False) -> tuple[Measurement, ...]:
        """At most `MOST` kept states, evenly spaced from update 0, and the head.

        If ``fine``, and if that does not take long, updates between kept states are replayed and
        measured as well.
        """
        head = branch.update
        kept = {state.update: state for state in branch.kept(head)}
        spacing = 1
        while head > MOST * spacing:
            spacing *= 2  # a power of two, so that what was measured stays chosen
        wanted = range(0, head, spacing)
        missing = [at for at in wanted if at not in kept and at not in self._of(branch, at)]
        if fine and (not missing or head - missing[0] <= affordable_updates(branch) // SHARE):
            self._replay(branch, missing)
            found = [self.of(kept[at]) if at in kept else self._of(branch, at)[at] for at in wanted]
        else:
            stride = 1
            while len(kept) > MOST * stride:
                stride *= 2
            found = [self.of(state) for state in list(kept.values())[::stride]]
        last = [self.of(branch.state)] if not found or found[-1].update < head else []
        return (*found, *last)

    def beside(
        self, mine: Branch, theirs: Branch, *, fine: bool = False
    ) -> tuple[Measurement, ...]:
        """The same along ``theirs``, from its fork from ``mine`` on."""
        parted, found = last_shared_update(mine, theirs), self.along(theirs, fine=fine)
        first = max((at for at, each in enumerate(found) if each.update <= parted), default=0)
        return found[first:]

    def _of(self, branch: Branch, update: int) -> dict[int, Measurement]:
        """The measurements by update of the stretch that contains ``update``."""
        return self._between.setdefault(branch.stretch_at(update), {})

    def _replay(self, branch: Branch, updates: list[int]) -> None:
        """Measure the states at ``updates``, which are in order."""
        wanted = set(updates)
        if wanted:
            for trainer in replay_updates(branch, updates[0], updates[-1]):
                if trainer.update in wanted:
                    known = self._of(branch, trainer.update)
                    known[trainer.update] = self._measure(trainer.state)

    def of(self, state: State) -> Measurement:
        """The measurement of ``state``."""
        if state not in self._known:
            self._known[state] = self._measure(state)
        return self._known[state]

    def _measure(self, state: State) -> Measurement:
        configuration = state.configuration
        training = configuration.training
        trainer = self._ahead.standing_at(state)
        whole, data = trainer.whole, trainer.data
        error, z = whole.play() - data.y, whole.layers[-1].z
        test = trainer.test_loss
        dead = tuple(int(layer.activation.dead(layer.a).sum()) for layer in whole.layers)
        loss = loss_value(training.loss, training.reduction, z, error, data.y)
        reported = reported_value(configuration, z, error, data.y)
        loss += _penalty(trainer)
        per_epoch = configuration.updates_per_epoch
        layers = () if state.divergence else self._ahead.made(trainer, state).layers
        return Measurement(
            update=state.update,
            epochs=state.epoch + state.position / per_epoch,
            training=loss,
            reported=reported,
            test=test,
            gradients=tuple(layer.gradient_norm for layer in layers),
            ratios=tuple(layer.ratio for layer in layers),
            dead=dead,
        )


def _penalty(trainer: Trainer) -> float:
    """What the penalties add to the training loss."""
    configuration = trainer.configuration
    with np.errstate(all="ignore"):
        squares = sum(float(np.sum(W * W)) for W, _ in trainer.parameters)
        sizes = sum(float(np.sum(np.abs(W))) for W, _ in trainer.parameters)
        return configuration.l2 / 2 * squares + configuration.l1 * sizes


@dataclass(frozen=True)
class Plot:
    """A quantity that the plot can show."""

    name: str
    title: str
    per_layer: bool = False
    counts: bool = False
    """Whether it is a count, for which a log axis is useless."""


REPORTED = Plot("reported", "Loss")
TRAINING = Plot("training", "Training loss")
TEST = Plot("test", "Test loss")
GRADIENTS = Plot("gradients", "Gradient norm", per_layer=True)
RATIOS = Plot("ratios", "|Step|/|weights|", per_layer=True)
DEAD = Plot("dead", "Dead units", per_layer=True, counts=True)
PLOTS = (REPORTED, TRAINING, TEST, GRADIENTS, RATIOS, DEAD)


def series(plot: Plot, measured: tuple[Measurement, ...]) -> list[tuple[str, Array, Array]]:
    """The lines of ``plot``: a name of one character, and x (in epochs) and y, (points,).

    A layer's line is named by its number; of the test loss, ``t`` is that of the rows kept for
    testing and ``r`` that of the training rows.
    """
    x = np.array([each.epochs for each in measured])
    if plot is TRAINING:
        return [("", x, np.array([each.training for each in measured]))]
    if plot is TEST:
        tests = [np.nan if each.test is None else each.test for each in measured]
        reported = [each.reported for each in measured]
        return [("r", x, np.array(reported)), ("t", x, np.array(tests))]
    of = {GRADIENTS: "gradients", RATIOS: "ratios", DEAD: "dead"}[plot]
    layers = max((len(getattr(each, of)) for each in measured), default=0)
    nothing = (np.nan,) * layers
    rows = np.array([getattr(each, of) or nothing for each in measured], dtype=np.float64)
    return [(str(layer % 10), x, rows[:, layer]) for layer in range(layers)]


def nearest(measured: tuple[Measurement, ...], epochs: float) -> int:
    """The index of the one nearest to ``epochs``."""
    return int(np.argmin([abs(each.epochs - epochs) for each in measured]))
