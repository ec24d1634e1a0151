"""A branch: training from a fork on, extended at its head; its past is reached by replay."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nntui.core.engine.state import Divergence, State
from nntui.core.engine.trainer import Trainer
from nntui.core.settings.dotted_keys import is_parameter
from nntui.core.tape import Array
from nntui.players.trainers import trainer_of
from nntui.presets.preset import Preset
from nntui.presets.schema import merged
from nntui.timeline.history.keyframes import MEMORY, UPDATE_OF, Keyframes, MemoryBudget, weight
from nntui.timeline.history.loss_history import LossHistory
from nntui.timeline.history.unit_events import Flip, UnitWatch


@dataclass(frozen=True, eq=False)
class Stretch:
    """The part of a branch that is trained with one preset, from the state ``first`` on."""

    preset: Preset
    first: State
    changes: Mapping[str, Any]
    """The dotted keys that were changed at its beginning."""

    @property
    def start(self) -> int:
        """Its first update."""
        return self.first.update


@dataclass(frozen=True, eq=False)
class Past:
    """A branch as it was before a change at its head."""

    stretches: tuple[Stretch, ...]
    changes: Mapping[str, Any]
    seed: int
    state: State


class Branch:
    """What was trained from ``stretch`` on, after the past that it shares with ``parent``.

    Every update from 0 to the head can be reached, by replay from its `nearest_state`.
    The past of a branch never changes; changing something there makes a fork.
    """

    def __init__(
        self, stretch: Stretch, seed: int, budget: MemoryBudget, parent: "Branch | None" = None
    ) -> None:
        self.seed = seed
        self.parent: Branch | None = parent
        self.name = ""
        self.renamed = False
        """Whether the user chose the name."""
        self.pinned = False
        self.exact: dict[Flip, int] = {}
        """The exact updates of flips that were located already."""
        self.left_at = stretch.start
        """Where the cursor was when the branch was last left."""
        self.changes: Mapping[str, Any] = stretch.changes
        """What differs from the parent, by dotted key."""
        self.budget = budget
        past = parent.stretches if parent is not None else ()
        self.stretches: tuple[Stretch, ...] = (
            *(each for each in past if each.start < stretch.start),
            stretch,
        )
        shared = parent.losses if parent is not None else None
        self.losses: LossHistory = LossHistory(shared, stretch.first.epoch)
        self.marks: dict[int, State | None] = {}
        """The checkpoints of this branch; each keeps a state of its own where there is room."""
        self._begin(stretch.first)
        if parent is not None and self.forked_at > 0:
            self.watch.follow(parent.watch, parent.flips, self.forked_at)

    def _begin(self, state: State) -> None:
        self.forked_at = state.update
        self.keyframes = Keyframes(state, self.budget)
        self.watch = UnitWatch(state.configuration)
        self._trainer: Trainer | None = None
        self._resume_from: State = state
        self._update = state.update

    @property
    def trainer(self) -> Trainer:
        """The trainer at the head."""
        if self._trainer is None:
            trainer = trainer_of(self._resume_from, self._finished, self._finished_many)
            trainer.advance(self._update - self._resume_from.update)
            self._trainer = trainer  # not earlier: an interrupt may leave it within an update
        return self._trainer

    def _finished(self, epoch: int, loss: float) -> None:
        self.losses.append(epoch, loss)

    def _finished_many(self, epochs: range, losses: Array) -> None:
        last = self.losses.last()
        known = sum(epoch <= last[0] for epoch in epochs) if last and last[0] >= epochs[0] else 0
        if known < len(epochs):
            self.losses.extend(epochs[known:], losses[known:])

    def release(self) -> None:
        """Free the trainer's memory until the branch is trained again."""
        if self._trainer is not None:
            self._resume_from, self._update = self._trainer.state, self._trainer.update
            self._trainer = None

    @property
    def state(self) -> State:
        """The whole state at the head."""
        if self._trainer is None and self._resume_from.update == self._update:
            return self._resume_from
        return self.trainer.state

    @property
    def update(self) -> int:
        """The head: the furthest update that was trained."""
        return self._update if self._trainer is None else self._trainer.update

    @property
    def epoch(self) -> int:
        """How many epochs are finished at the head."""
        return self.trainer.epoch

    @property
    def position(self) -> int:
        """How many updates of the unfinished epoch lie behind the head."""
        return self.trainer.position

    @property
    def loss(self) -> float | None:
        """The loss that was reported last, None before there is one."""
        last = self.losses.last()
        return last[1] if last else None

    @property
    def divergence(self) -> Divergence | None:
        """The first non-finite number, if training has come to one."""
        return self._resume_from.divergence if self._trainer is None else self._trainer.divergence

    @property
    def preset(self) -> Preset:
        """The preset at the head."""
        return self.stretches[-1].preset

    @property
    def solved(self) -> bool:
        """Whether the last report was finite, at or below the goal, and nothing diverged."""
        return self.divergence is None and self.preset.goal.reached(self.loss)

    @property
    def flips(self) -> list[Flip]:
        """When units died and revived, the shared past included."""
        found: list[Flip] = []
        for branch in self.lineage:
            found = [flip for flip in found if flip.by <= branch.forked_at] + branch.watch.flips
        return found

    def step(self, updates: int, stop: float | None = None) -> None:
        """Make ``updates`` updates at the head; fewer if one diverges.

        With ``stop``, an epoch that reports a loss at or below it is the last one.
        """
        trainer = self.trainer
        target = trainer.update + updates
        while trainer.update < target and trainer.divergence is None:
            update, due = trainer.update, self.keyframes.due
            if update == due:
                self.keyframes.add(trainer.state)
                due = self.keyframes.due
            if (update == self.keyframes.last or self.watch.dead is None) and self.watch.due(
                update, trainer.configuration
            ):
                self.watch.check(update, trainer.whole, first=update == 0)
            until = min(target, due)
            if self._advance(trainer, until - update, stop):
                return

    def _advance(self, trainer: Trainer, updates: int, stop: float | None) -> bool:
        begun = trainer.update
        try:
            return trainer.advance(updates, stop)
        except BaseException:
            # Ctrl+C may have come in the middle of an update: only a kept state is consistent.
            self._trainer, self._resume_from, self._update = None, self.nearest_state(begun), begun
            self.losses.cut(self.epoch_at(begun))
            raise

    def change(self, stretch: Stretch) -> None:
        """Continue from the head with ``stretch``, which begins there."""
        last, state, changes = self.stretches[-1], stretch.first, stretch.changes
        self._replace_head(state)
        if last.start == state.update:
            changes = merged(last.changes, changes)
            self.stretches = self.stretches[:-1]
        if state.update == self.forked_at:
            self.changes = changes
        self.stretches = (*self.stretches, Stretch(stretch.preset, state, changes))

    def _replace_head(self, state: State) -> None:
        if state.update == 0:
            self._begin(state)
        self.keyframes.replace_last(state)
        if state.update in self.marks:
            self.marks[state.update] = state
        self._trainer, self._resume_from, self._update = None, state, state.update

    def revert(self, past: Past) -> None:
        """Restore a recorded state; nothing may have been trained since."""
        self._replace_head(past.state)
        self.stretches, self.changes, self.seed = past.stretches, past.changes, past.seed

    @property
    def past(self) -> Past:
        """A record of the branch that `revert` can restore."""
        return Past(self.stretches, self.changes, self.seed, self.state)

    def restore(
        self,
        later: Sequence[Stretch],
        keyframes: Keyframes,
        marks: Mapping[int, State | None],
        reports: Sequence[range],
        losses: Array,
        head: State,
    ) -> None:
        """Continue from a saved session: later stretches, keyframes, checkpoints, losses, head.

        ``reports`` are the epochs of the losses, by stretch.
        """
        self.stretches = (*self.stretches, *later)
        self.keyframes, self.marks = keyframes, dict(marks)
        for state in marks.values():
            if state is not None:
                self.budget.count(state)
        for epochs in reports:
            self.losses.extend(epochs, losses[: len(epochs)])
            losses = losses[len(epochs) :]
        self._trainer, self._resume_from, self._update = None, head, head.update

    def nearest_state(self, update: int) -> State:
        """The kept state from which ``update`` is reached with the least replay."""
        branch = self.owner(update)
        marks = branch.marks.items()
        kept = [state for mark, state in marks if state is not None and mark <= update]
        frame = branch.keyframes.below(update)
        # Of states at one update max takes the first, which is the one with the changes.
        first = branch.stretch_at(update).first
        return max((first, *([frame] if frame else []), *kept), key=UPDATE_OF)

    def owner(self, update: int) -> "Branch":
        """The branch in which ``update`` was trained: this one, or one that it comes from."""
        branch = self
        while update < branch.forked_at and branch.parent is not None:
            branch = branch.parent
        return branch

    @property
    def lineage(self) -> "list[Branch]":
        """The branches whose past this one shares, the root first and itself last."""
        found = [self]
        while found[-1].parent is not None and found[-1].forked_at > 0:
            found.append(found[-1].parent)
        return found[::-1]

    def kept(self, update: int) -> list[State]:
        """Every kept state up to ``update``, those of the shared past included, in order."""
        kept: dict[int, State] = {}
        for branch in self.lineage:
            # A branch shares what lies before its fork, and has a state of its own there.
            kept = {at: state for at, state in kept.items() if at < branch.forked_at}
            marks = (state for state in branch.marks.values() if state is not None)
            firsts = (each.first for each in branch.stretches if each.start >= branch.forked_at)
            kept |= {state.update: state for state in (*branch.keyframes.states, *marks, *firsts)}
        return [kept[at] for at in sorted(kept) if at <= update]

    def stretch_at(self, update: int) -> Stretch:
        """The stretch in which the update after ``update`` is made."""
        last = self.stretches[-1]
        if update >= last.start:
            return last
        starts = [each.start for each in self.stretches]
        return self.stretches[bisect_right(starts, update) - 1]

    def next_change(self, update: int) -> int | None:
        """The first update after ``update`` at which the preset changes."""
        starts = [each.start for each in self.stretches]
        place = bisect_right(starts, update)
        return starts[place] if place < len(starts) else None

    def changed(self, update: int) -> dict[str, Any]:
        """The entries that were changed between update 0 and ``update``, by dotted key.

        Parameters that were set by hand are no entries: they belong to the update of `by_hand`.
        """
        found: dict[str, Any] = {}
        for stretch in self.stretches:
            if 0 < stretch.start <= update:
                found = merged(found, stretch.changes)
        return {key: value for key, value in found.items() if not is_parameter(key)}

    def by_hand(self, update: int) -> dict[str, float]:
        """The parameters that were set by hand up to ``update``, by dotted key."""
        found: dict[str, Any] = {}
        for stretch in self.stretches:
            if stretch.start <= update:
                found = merged(found, stretch.changes)
        return {key: float(value) for key, value in found.items() if is_parameter(key)}

    def epoch_at(self, update: int) -> int:
        """How many epochs are finished at ``update``."""
        first = self.stretch_at(update).first
        per_epoch = first.configuration.updates_per_epoch
        return first.epoch + (first.position + update - first.update) // per_epoch

    def end_of(self, epoch: int) -> int:
        """The update at which ``epoch``, counted from 0, is finished, or will be."""
        first = self.stretches[-1].first
        if epoch < first.epoch:
            epochs = [each.first.epoch for each in self.stretches]
            first = self.stretches[bisect_right(epochs, epoch) - 1].first
        per_epoch = first.configuration.updates_per_epoch
        return first.update - first.position + (epoch + 1 - first.epoch) * per_epoch

    def mark(self, update: int, state: State) -> None:
        """Set a checkpoint; without room for ``state``, replay leads back to it as well.

        One in the shared past is the parent's, so that both have it.
        """
        marks = self.owner(update).marks
        if update not in marks:
            fits = self.budget.nbytes + weight(state) <= MEMORY
            marks[update] = state if fits else None
            if fits:
                self.budget.count(state)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The updates that are marked, those of the shared past included, in order."""
        marked: list[int] = []
        for branch in self.lineage:
            marked = [mark for mark in marked if mark < branch.forked_at] + sorted(branch.marks)
        return tuple(marked)
