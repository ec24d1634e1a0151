"""The first update at which two branches differ, and the tensor in which they do."""

from dataclasses import dataclass

import numpy as np

from nntui.core.engine.trainer import Trainer
from nntui.core.tape import Array
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.replay import affordable_updates, replay_updates

WORK = 4e7
"""Products in one call: a few milliseconds; most branches differ in the first update."""


@dataclass(frozen=True)
class FirstDifference:
    """The first update at which two branches differ."""

    update: int | None
    """None if they do not differ so far."""
    what: str
    """The first tensor that differs, in the order of computation; or why there is none."""
    searched_to: int = 0
    """The update up to which the branches were found equal."""

    @property
    def text(self) -> str:
        """The difference in one line."""
        if self.update is None:
            return self.what
        return f"differs at {self.update:,}: {self.what}"


def last_shared_update(one: Branch, other: Branch) -> int:
    """The last update that both share; at update 0 they may share nothing."""
    mine, theirs = _lineage(one), _lineage(other)
    return next((min(at, theirs[each]) for each, at in mine.items() if each in theirs), 0)


def _lineage(branch: Branch) -> dict[Branch, int]:
    """``branch`` and all that it comes from, each with its last update on the way to here."""
    found, update = {branch: branch.update}, branch.forked_at
    while (parent := branch.parent) is not None:
        found[parent], branch, update = update, parent, parent.forked_at
    return found


def first_difference(one: Branch, other: Branch, known: int = 0) -> FirstDifference:
    """How ``one`` and ``other`` come to differ, found by replaying both from their fork.

    A long search takes several calls: ``known`` is `searched_to` of the one before.
    """
    shared = last_shared_update(one, other)
    last = min(one.update, other.update)
    if _shapes(one) != _shapes(other):
        return FirstDifference(0, "other layers or data")
    if _are_twins(one, other, shared):
        return FirstDifference(None, f"the same as A up to {last:,}", last)
    begin = min(max(shared, known), last)
    end = min(last, begin + affordable_updates(one, WORK))
    for a, b in zip(
        replay_updates(one, begin, end), replay_updates(other, begin, end), strict=True
    ):
        tensor = _first(a, b, begun=a.update > begin)
        if tensor is not None:
            return FirstDifference(a.update, tensor)
    return FirstDifference(None, f"the same as A up to {end:,}", end)


def _are_twins(one: Branch, other: Branch, update: int) -> bool:
    """Whether both go on from equal states, and neither is changed later."""
    if one.next_change(update) is not None or other.next_change(update) is not None:
        return False
    hashes = [next(replay_updates(each, update, update)).state.hash for each in (one, other)]
    return hashes[0] == hashes[1]


def _shapes(branch: Branch) -> list[object]:
    configuration = branch.preset.configuration
    width = configuration.data.width, configuration.data.training_rows
    return [width, *(layer.units for layer in configuration.layers)]


def _first(a: Trainer, b: Trainer, *, begun: bool) -> str | None:
    """The first tensor that differs: of the update just made, or of the state where none was."""
    mine, theirs = _tensors(a, begun), _tensors(b, begun)
    for name, values in mine.items():
        other = theirs.get(name)
        # A fault or an optimiser may compute tensors that the other branch does not have.
        if other is None or other.shape != values.shape:
            continue
        if not np.array_equal(values, other, equal_nan=True):
            return name
    return None


def _tensors(trainer: Trainer, begun: bool) -> dict[str, Array]:
    """The tensors of the last update, in the order of computation, then the parameters."""
    found: dict[str, Array] = {}
    for tensor, layer, values in trainer.written if begun else ():
        found.setdefault(f"{tensor} of layer {layer}", values)
    for layer, (W, b) in enumerate(trainer.parameters):
        found.setdefault(f"W of layer {layer}", W)
        if b is not None:
            found.setdefault(f"b of layer {layer}", b)
    return found
