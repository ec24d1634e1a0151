"""A run: a cursor on a branch, which can be stepped forwards, moved back and forked anywhere."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nntui.core.engine.data import DataArrays
from nntui.core.engine.network import Parameters
from nntui.core.engine.player_names import AUTO
from nntui.core.engine.state import Divergence, State
from nntui.core.engine.trainer import Trainer
from nntui.core.settings.section import check_rows
from nntui.core.tape import Array
from nntui.players.trainers import trainer_of
from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed, merged
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import Tree, prepared, seed_of
from nntui.timeline.sessions import session


@dataclass(frozen=True)
class UpdateReport:
    """Where a run is after its last update."""

    update: int
    epoch: int
    """Finished epochs."""
    loss: float | None
    """The loss that was reported last, None before there is one."""
    divergence: Divergence | None


def _checked(updates: int) -> int:
    updates = index(updates)
    if updates < 0:
        raise ValueError(f"cannot make {updates} updates; seek goes back")
    return updates


class Run:
    """A network of ``preset``, trained from ``seed`` (that of the preset if None).

    Update k is the state after k updates.  The cursor, `update`, can be anywhere
    from 0 to `head`; every property describes the cursor.  Any update is reached exactly,
    forwards by training and backwards by replay from a kept state.

    ``player`` makes all updates: ``numpy``, ``compiled`` (with ``nntui[fast]``), or ``auto``, the
    compiled one where it is installed and not slower.

    Raises ConfigError for a seed that is not a whole number from 0 to 2**32 - 1, and for a player
    that does not exist or is not installed.
    """

    def __init__(self, preset: Preset, seed: int | None = None, player: str = AUTO) -> None:
        tree = Tree(preset, check_seed(preset.seed if seed is None else seed), player)
        self._place(tree, tree.root, 0)

    @classmethod
    def on(cls, tree: Tree, branch: Branch, update: int | None = None) -> "Run":
        """A run on ``branch`` of ``tree``, at ``update`` or where the branch was left."""
        run = cls.__new__(cls)
        run._place(tree, branch, branch.left_at if update is None else update)
        return run

    def _place(self, tree: Tree, branch: Branch, update: int) -> None:
        self.tree, self.branch = tree, branch
        self._at = min(update, branch.update)
        self._behind: Trainer | None = None

    @property
    def preset(self) -> Preset:
        """The preset in force at the cursor."""
        return self.branch.stretch_at(self._at).preset

    @property
    def configured(self) -> Preset:
        """The preset in force at the cursor, with the seed of the run."""
        return replace(self.preset, seed=self.seed)

    @property
    def seed(self) -> int:
        """The seed of the first parameters."""
        return self.branch.seed

    @property
    def player(self) -> str:
        """What makes the updates: ``numpy`` or ``compiled``."""
        return self.branch.stretches[0].first.player

    @property
    def head(self) -> int:
        """The furthest update that was trained on this branch."""
        return self.branch.update

    @property
    def update(self) -> int:
        """The cursor: how many updates were made."""
        return self._at

    @property
    def trainer(self) -> Trainer:
        """The trainer at the cursor: that of the branch at the head, else one that replays."""
        if self._at == self.branch.update:
            return self.branch.trainer
        trainer, configuration = self._behind, self.branch.stretch_at(self._at).preset.configuration
        if trainer is None or trainer.configuration is not configuration:
            trainer = trainer_of(self.branch.nearest_state(self._at))
        elif trainer.update != self._at:
            below = self.branch.nearest_state(self._at)
            if not below.update <= trainer.update < self._at:
                trainer.restore(below)
        self._behind = None  # an interrupt may leave it in the middle of an update
        trainer.advance(self._at - trainer.update)
        self._behind = trainer
        return trainer

    @property
    def epoch(self) -> int:
        """How many epochs are finished at the cursor."""
        return self.branch.epoch_at(self._at)

    @property
    def position(self) -> int:
        """How many updates of the unfinished epoch were made at the cursor."""
        return self.trainer.position

    def end_of(self, epoch: int) -> int:
        """The update at which ``epoch``, counted from 0, is finished, or will be."""
        return self.branch.end_of(epoch)

    @property
    def losses(self) -> Array:
        """The losses reported up to the cursor, a copy, shape (reports,).

        That is one of every finished epoch, or of those that ``report.every`` says.
        """
        return self.branch.losses.read(0, self.epoch)

    @property
    def reported_epochs(self) -> npt.NDArray[np.intp]:
        """The epochs of `losses`, counted from 0, shape (reports,)."""
        return self.branch.losses.numbers(0, self.epoch)

    @property
    def loss(self) -> float | None:
        """The loss that was reported last, None before there is one."""
        last = self.branch.losses.last(self.epoch)
        return last[1] if last else None

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
            (W.copy(), None if b is None else b.ravel().copy()) for W, b in self.trainer.parameters
        ]

    @property
    def state(self) -> State:
        """The whole state at the cursor."""
        return self.trainer.state

    @property
    def state_hash(self) -> str:
        """A short digest of the whole state: equal digests, equal futures."""
        return self.trainer.state.hash

    @property
    def divergence(self) -> Divergence | None:
        """The first non-finite number, if the cursor stands at the update that made it."""
        if self._at == self.branch.update:
            return self.branch.divergence
        behind = self._behind
        return behind.divergence if behind is not None and behind.update == self._at else None

    @property
    def data(self) -> DataArrays:
        """The data rows at the cursor, as the network gets them."""
        return self.trainer.data

    @property
    def outputs(self) -> Array:
        """The network's output on all data rows, test rows included, (outputs, rows)."""
        trainer = self.trainer
        testing = trainer.forward(trainer.data.test_x).play()
        return trainer.data.in_order(trainer.whole.play(), testing)

    @property
    def targets(self) -> Array:
        """What the outputs should be, (outputs, rows)."""
        return self.data.in_order(self.data.y, self.data.test_y)

    @property
    def test_loss(self) -> float | None:
        """The reported loss, without penalties, on the rows kept for testing; None without any."""
        return self.trainer.test_loss

    def predict(self, rows: Sequence[Sequence[float]] | Array) -> Array:
        """The output for each of ``rows``, (outputs, rows); constant inputs may be left out.

        Raises ConfigError unless ``rows`` is a table of finite numbers, as wide as the inputs.
        """
        listed = rows.tolist() if isinstance(rows, np.ndarray) else rows
        x = self.trainer.data.inputs(check_rows("input", listed), "input")
        return self.trainer.forward(x).play().copy()

    def step(self, updates: int = 1, stop: float | None = None) -> UpdateReport:
        """Make ``updates`` updates from the cursor on; fewer if one diverges.

        With ``stop``, an epoch that reports a loss at or below it is the last one.

        In the past the same updates are made again, with the changes that were made there.
        Raises ValueError for a negative number, TypeError for one that is not whole.  After a
        KeyboardInterrupt the cursor is at a whole update, not beyond the target.
        """
        updates = _checked(updates)
        target, branch = self._at + updates, self.branch
        while self._at < min(target, branch.update):
            following = branch.next_change(self._at) or target
            trainer, self._behind = self.trainer, None
            until = min(target, branch.update, following)
            ended = trainer.advance(until - self._at, stop)
            self._behind, self._at = trainer, trainer.update
            if ended:
                # A divergence is that of the head, or of a replay on a machine that rounds the
                # last bits differently; neither goes on.
                return UpdateReport(self._at, self.epoch, self.loss, self.divergence)
        if self._at < target:
            try:
                branch.step(target - self._at, stop)
            finally:
                self._at = branch.update
        return UpdateReport(self._at, self.epoch, self.loss, self.divergence)

    def train(self, updates: int = 1) -> UpdateReport:
        """Make ``updates`` updates at the head; the cursor stays where it is.

        Returns the report of the head.  Raises what `step` raises.
        """
        self.branch.step(_checked(updates))
        head = self.branch
        return UpdateReport(head.update, head.epoch, head.loss, head.divergence)

    def seek(self, update: int) -> UpdateReport:
        """Move the cursor to ``update``: back by replay, forwards by training.

        A diverged run ends at the update that diverged; seeking beyond stops there.  Raises
        ValueError for a negative update.
        """
        self.approach(update)
        return self.step(update - self._at)

    def approach(self, update: int) -> None:
        """Move the cursor, without training, as near below ``update`` as a kept state is.

        `step` does the rest, in portions of any size.  Raises ValueError for a negative update.
        """
        update = index(update)
        if update < 0:
            raise ValueError(f"there is no update {update}; the first is 0")
        if update >= self.branch.update:
            self._at = self.branch.update
        else:
            start = self.branch.nearest_state(update).update
            if not start <= self._at <= update:
                self._at = start

    @property
    def changed(self) -> dict[str, Any]:
        """The entries that were changed between update 0 and the cursor, by dotted key."""
        return self.branch.changed(self._at)

    @property
    def by_hand(self) -> dict[str, float]:
        """The parameters that were set by hand up to the cursor, by dotted key."""
        return self.branch.by_hand(self._at)

    @property
    def lacking(self) -> str:
        """What `configured` does not hold of this run, in words; empty if it holds all."""
        return "what was set by hand is no part of it" if self.by_hand else ""

    def fork(self, **changes: Any) -> "Run":
        """A new run that shares the past up to the cursor, with dotted keys changed from there on.

        Keys are those of ``--set``: ``run.fork(**{"training.learning_rate": 0.01})``.  One weight
        or bias is set by hand with ``parameters.LAYER.W.UNIT.INPUT`` or
        ``parameters.LAYER.b.UNIT``, as in ``run.fork(**{"parameters.1.W.0.2": 0.5})``; all others
        stay as they are (at update 0: as the seed draws them).  Raises
        ConfigError, a ValueError, for a key that does not exist, a value that it cannot take, a
        key that decides update 0 (``data``, ``layers``, ``seed``) anywhere else, and for another
        batch, order or number of draws in the middle of an epoch.
        """
        stretch = prepared(self.branch, self._at, self.trainer.state, changes)
        seed = seed_of(self.branch, stretch.changes)
        return Run.on(self.tree, self.tree.fork(self.branch, self._at, stretch, seed))

    def check_changes(self, **changes: Any) -> None:
        """Raise what `fork` and `change` would raise for ``changes``, and do nothing else."""
        prepared(self.branch, self._at, self.trainer.state, changes)

    def change(self, **changes: Any) -> None:
        """Change dotted keys from the cursor on, as part of the history.

        At the head the branch itself goes on with them.  In the past the run moves to a new
        branch that forks here, and the old one stays in the tree.  Keys, also of single weights
        and biases (``parameters.1.b.0``), are those of `fork`; raises what that does.
        """
        if self._at < self.branch.update:
            self._leave(self.fork(**changes).branch, self._at)
            return
        stretch = prepared(self.branch, self._at, self.trainer.state, changes)
        self.branch.seed = seed_of(self.branch, stretch.changes)
        self.branch.change(stretch)

    def restart(self, **changes: Any) -> None:
        """Move to a new branch from update 0, with everything that was changed up to the cursor.

        ``changes`` are made on top of that.  Raises what `fork` does at update 0.
        """
        first = Run.on(self.tree, self.branch, 0)
        self._leave(first.fork(**merged(self.changed, changes)).branch, 0)

    def switch(self, branch: Branch, update: int | None = None) -> None:
        """Move to another branch of the tree, at ``update`` or where its cursor was left.

        Raises ValueError for a branch that is not one of the tree.
        """
        if branch not in self.tree.branches:
            raise ValueError("the branch is not in the tree of this run")
        self.branch.left_at = self._at
        self._leave(branch, branch.left_at if update is None else update)

    def _leave(self, branch: Branch, update: int) -> None:
        self.branch.left_at = self._at
        if branch is not self.branch:
            self.branch.release()
        self._place(self.tree, branch, update)

    def set_checkpoint(self) -> int:
        """Set a checkpoint at the cursor; returns its update."""
        if self._at not in self.branch.checkpoints:
            self.branch.mark(self._at, self.trainer.state)
        return self._at

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The updates with a checkpoint, in order."""
        return self.branch.checkpoints

    def checkpoint_before(self) -> int:
        """The last checkpoint before the cursor; update 0 always is one."""
        marked = self.branch.checkpoints
        place = bisect_left(marked, self._at)
        return marked[place - 1] if place else 0

    def save(self, path: str | PathLike[str]) -> None:
        """Write the run, with all branches of its tree, to ``path``; `load_session` reads it.

        Raises ConfigError if it cannot be written; the file is then unchanged.
        """
        session.write(self.capture(), Path(path))

    def capture(self, view: Mapping[str, Any] | None = None) -> session.Capture:
        """An immutable copy of the whole tree and the cursor; see `sessions.capture.capture`."""
        return session.capture(self.tree, self.branch, self._at, view)


def load_session(path: str | PathLike[str]) -> Run:
    """The run that was saved in ``path``, on its branch and at its cursor.

    Raises ConfigError, in one line that begins with the path, for anything that is not the whole
    and unaltered session of a known version.
    """
    saved = session.load(Path(path))
    return Run.on(saved.tree, saved.branch, saved.update)
