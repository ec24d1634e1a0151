"""A run: one network trained from one seed, stepped forwards and sought backwards."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index

import numpy as np

from nntui.core.losses import LOSSES
from nntui.core.network import Parameters
from nntui.core.section import check_rows
from nntui.core.state import Divergence, State, frozen
from nntui.core.tape import Array
from nntui.core.trainer import Trainer, initial_state
from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed
from nntui.timeline.keyframes import MEMORY, Keyframes
from nntui.timeline.snapshot import LayerView, Snapshot, largest_finite


@dataclass(frozen=True)
class UpdateReport:
    """What the last of some updates led to."""

    update: int
    epoch: int
    """Finished epochs."""
    loss: float | None
    """The reported loss of the last finished epoch, None before there is one."""
    divergence: Divergence | None


def _update_of(state: State) -> int:
    return state.update


class Run:
    """A network of ``preset``, trained from ``seed`` (the preset's own if None).

    Update k is the state after k updates.  The cursor, which `update` tells, can be anywhere
    from 0 to `head`; every property describes the cursor.  Any update is reached exactly,
    forwards by training and backwards by replay from a kept state.

    Raises ConfigError for a seed that is no whole number from 0 to 2**32 - 1.
    """

    def __init__(self, preset: Preset, seed: int | None = None) -> None:
        self.preset = preset
        self.seed = check_seed(preset.seed if seed is None else seed)
        self._losses = array("d")
        state = initial_state(preset.configuration, self.seed)
        self._trainer = Trainer(state, self._finished)
        self._keyframes = Keyframes(state)
        self._marked: list[int] = []
        self._checkpoints: dict[int, State] = {}
        self.head = 0
        self._whole = self._trainer.forward(self._trainer.data.x)

    def _finished(self, epoch: int, loss: float) -> None:
        if epoch == len(self._losses):
            self._losses.append(loss)

    @property
    def update(self) -> int:
        """The cursor: how many updates lie behind."""
        return self._trainer.update

    @property
    def epoch(self) -> int:
        """How many epochs are finished at the cursor."""
        return self._trainer.epoch

    @property
    def position(self) -> int:
        """How many updates of the unfinished epoch lie behind the cursor."""
        return self._trainer.position

    @property
    def losses(self) -> Array:
        """The reported loss of every epoch finished at the cursor, a copy, shape (epoch,)."""
        return np.array(self._losses[: self.epoch], dtype=np.float64)

    @property
    def loss(self) -> float | None:
        """The reported loss of the last finished epoch, None before there is one."""
        return self._losses[self.epoch - 1] if self.epoch else None

    @property
    def solved(self) -> bool:
        """Whether the last epoch run ended finite, at or below the preset's goal.

        An epoch that diverges is run, but never ends: a diverged run is not solved.
        """
        return self.divergence is None and self.preset.goal.reached(self.loss)

    @property
    def parameters(self) -> Parameters:
        """Per layer (W, b), copies: W (units out, units in), b (units,) or None."""
        return [
            (W.copy(), None if b is None else b.ravel().copy()) for W, b in self._trainer.parameters
        ]

    @property
    def state(self) -> State:
        """The whole state at the cursor."""
        return self._trainer.state

    @property
    def state_hash(self) -> str:
        """A short digest of the whole state: equal digests, equal futures."""
        return self._trainer.state.hash

    @property
    def divergence(self) -> Divergence | None:
        """The first non-finite number, if the cursor stands at the update that made it."""
        return self._trainer.divergence

    @property
    def outputs(self) -> Array:
        """The network's output on all data rows, test rows included, (outputs, rows)."""
        data = self._trainer.data
        testing = self._trainer.forward(data.test_x).play()
        return self._in_order(self._whole.play(), testing)

    @property
    def targets(self) -> Array:
        """What the outputs should be, (outputs, rows)."""
        return self._in_order(self._trainer.data.y, self._trainer.data.test_y)

    @property
    def test_loss(self) -> float | None:
        """The reported loss, without penalties, on the rows kept for testing; None without any."""
        data, report = self._trainer.data, self.preset.configuration.report
        if not data.test_x.shape[1]:
            return None
        forward = self._trainer.forward(data.test_x)
        error = forward.play() - data.test_y
        value = LOSSES[report.loss].value(forward.layers[-1].z, error, data.test_y)
        with np.errstate(all="ignore"):
            total = float(value())
        return total / data.test_x.shape[1] if report.reduction == "mean" else total

    def _in_order(self, training: Array, testing: Array) -> Array:
        """Columns for training and test rows, in the order of the data."""
        data = self._trainer.data
        whole = np.empty((len(training), training.shape[1] + testing.shape[1]))
        whole[:, data.training_rows], whole[:, data.test_rows] = training, testing
        return whole

    def predict(self, rows: Sequence[Sequence[float]] | Array) -> Array:
        """The output for each of ``rows``, (outputs, rows); constant inputs may be left out.

        Raises ConfigError for what is no table of finite numbers, as wide as the inputs.
        """
        listed = rows.tolist() if isinstance(rows, np.ndarray) else rows
        x = self._trainer.data.inputs(check_rows("input", listed), "input")
        return self._trainer.forward(x).play().copy()

    def step(self, updates: int = 1) -> UpdateReport:
        """Make ``updates`` updates from the cursor on; fewer if one diverges.

        Raises ValueError for a negative number, TypeError for one that is not whole.  After a
        KeyboardInterrupt the cursor stands at a kept state, at most some hundred updates back.
        """
        updates = index(updates)
        if updates < 0:
            raise ValueError(f"cannot make {updates} updates; seek goes back")
        target = self.update + updates
        while self.update < target and self.divergence is None:
            if self.update == self._keyframes.due:
                self._keyframes.add(self._trainer.state)
            self._advance(min(target, self._keyframes.due) - self.update)
            self.head = max(self.head, self.update)
        return UpdateReport(self.update, self.epoch, self.loss, self.divergence)

    def _advance(self, updates: int) -> None:
        begun = self.update
        try:
            self._trainer.advance(updates)
        except BaseException:
            # Ctrl+C may have come in the middle of an update: only a kept state is whole.
            self._trainer.restore(self._nearest(begun))
            del self._losses[self.head // self.preset.configuration.updates_per_epoch :]
            raise

    def seek(self, update: int) -> UpdateReport:
        """Move the cursor to ``update``: back by replay, forwards by training.

        A diverged run ends at the update that diverged; seeking beyond stops there.  Raises
        ValueError for a negative update.
        """
        self.approach(update)
        return self.step(update - self.update)

    def approach(self, update: int) -> None:
        """Move the cursor, without training, as near below ``update`` as a kept state is.

        The rest is `step`'s, which can be taken in small portions.  Raises ValueError for a
        negative update.
        """
        update = index(update)
        if update < 0:
            raise ValueError(f"there is no update {update}; the first is 0")
        if update != self.update:
            start = self._nearest(update)
            if update < self.update or start.update > self.update:
                self._trainer.restore(start)

    def _nearest(self, update: int) -> State:
        """The kept state from which ``update`` is reached with the least replay."""
        state = self._keyframes.below(update)
        kept = [self._checkpoints[mark] for mark in self._marked if mark in self._checkpoints]
        return max((state, *(each for each in kept if each.update <= update)), key=_update_of)

    def set_checkpoint(self) -> int:
        """Mark the cursor's update, so that one can come back to it; returns the update."""
        if self.update not in self._marked:
            insort(self._marked, self.update)
            state = self._trainer.state
            # Without a state of its own, replay from a keyframe leads back to the mark as well.
            if state.nbytes * (len(self._checkpoints) + 1) <= MEMORY:
                self._checkpoints[self.update] = state
        return self.update

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The updates that are marked, in order."""
        return tuple(self._marked)

    def checkpoint_before(self) -> int:
        """The last checkpoint that lies before the cursor; update 0 always is one."""
        place = bisect_left(self._marked, self.update)
        return self._marked[place - 1] if place else 0

    def snapshot(self) -> Snapshot:
        """Everything the screen shows, as a value."""
        self._whole.play()
        data = self._trainer.data
        return Snapshot(
            seed=self.seed,
            update=self.update,
            head=self.head,
            epoch=self.epoch,
            losses=frozen(np.array(self._losses, dtype=np.float64)),
            solved=self.solved,
            state_hash=self.state_hash,
            divergence=self.divergence,
            next_rows=tuple(self._trainer.next_batch().tolist()),
            layers=tuple(
                LayerView(
                    W=frozen(W),
                    b=None if b is None else frozen(b),
                    activation=layer.activation.name,
                    z=frozen(layer.z),
                    a=frozen(layer.a),
                    h=frozen(layer.h),
                    normalised=layer.normalisation is not None,
                    dead=frozen(layer.activation.dead(layer.a)),
                    largest=largest_finite(layer.a),
                )
                for layer, (W, b) in zip(self._whole.layers, self.parameters, strict=True)
            ),
            inputs=data.x,
            targets=data.y,
            checkpoints=self.checkpoints,
        )
