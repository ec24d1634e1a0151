"""Questions about the past of a run: when did this last happen?  The answer is an update."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from nntui.core.engine.network import Layout
from nntui.core.engine.state import State
from nntui.core.engine.trainer import Trainer
from nntui.core.number_text import brief, number_text
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.replay import affordable_updates, last_transition, replay_updates
from nntui.timeline.history.unit_events import dead_mask, unit_number
from nntui.timeline.run import Run

MOST_WEIGHTS = 64
"""Weights of a unit that can be asked about."""


@dataclass(frozen=True)
class Occurrence:
    """When something happened, in words; ``update`` is None if it never did."""

    text: str
    update: int | None


Question = Callable[[], Occurrence]


def when_unit_flipped(
    branch: Branch, update: int, layer: int, unit: int, *, died: bool
) -> Occurrence:
    """When the unit, before or at ``update``, last ``died`` (is active on no row) or revived."""
    name, did = f"unit {layer}.{unit}", "died" if died else "revived"
    place = unit_number(branch.preset.configuration, layer, unit)
    # The recent past is replayed whole; further back only between checks that found a flip.
    recent = max(update - affordable_updates(branch), 0)
    known = [
        (each.after, min(each.by, recent))
        for each in branch.flips
        if (each.layer, each.unit, each.died) == (layer, unit, died) and each.after < recent
    ]
    for after, by in reversed([*known, (recent, update)]):
        found = last_transition(branch, max(after, 0), by, lambda at: _is_dead(at, place), died)
        if found is not None:
            return Occurrence(f"{name} {did} in update {found[0]:,}", found[0])
    if died and _is_dead(next(replay_updates(branch, 0, 0)), place):
        return Occurrence(f"{name} is dead from the start", 0)
    return Occurrence(f"{name} never {did} up to here", None)


def _is_dead(trainer: Trainer, place: int) -> bool:
    return bool(dead_mask(trainer.whole)[place])


def when_weight_changed_sign(
    branch: Branch, update: int, layer: int, unit: int, column: int | None
) -> Occurrence:
    """When a weight of the unit (its bias if ``column`` is None) last changed its sign.

    The distant past is replayed only between kept states that differ in sign: a change and its
    reversal between two of them are not found.
    """
    name = f"b of unit {layer}.{unit}" if column is None else f"w[{column}] of unit {layer}.{unit}"
    configuration = branch.preset.configuration
    units, inputs, _ = Layout.of(configuration).shapes[layer]
    start = Layout.of(configuration).spans()[layer].start
    place = start + (units * inputs + unit if column is None else unit * inputs + column)

    def negative(state: State) -> bool:
        return bool(state.theta[place] < 0.0)

    recent = max(update - affordable_updates(branch), 0)
    spans = [
        (older.update, min(newer.update, recent))
        for older, newer in pairwise(branch.kept(update))
        if older.update < recent and negative(older) is not negative(newer)
    ]
    for first, last in reversed([*spans, (recent, update)]):
        found = last_transition(branch, first, last, lambda at: negative(at.state))
        if found is not None:
            at, now = found
            return Occurrence(
                f"{name} became {'negative' if now else 'positive'} in update {at:,}", at
            )
    return Occurrence(f"{name} never changed its sign up to here", None)


def when_loss_was_below(branch: Branch, update: int, loss: float) -> Occurrence:
    """The end of the last epoch finished at ``update`` whose reported loss was below ``loss``."""
    epoch = branch.losses.last_below(loss, branch.epoch_at(update))
    if epoch is None:
        return Occurrence(f"the loss was never below {number_text(loss)} up to here", None)
    at = branch.end_of(epoch)
    return Occurrence(f"the loss was {number_text(branch.losses[epoch])} at update {at:,}", at)


def questions(run: Run, layer: int, unit: int) -> list[tuple[str, Question]]:
    """What can be asked about a unit, each with the function that answers it."""
    branch, update, name = run.branch, run.update, f"{layer}.{unit}"
    W, b = run.parameters[layer]

    def flip(died: bool) -> Question:
        return lambda: when_unit_flipped(branch, update, layer, unit, died=died)

    def sign(column: int | None) -> Question:
        return lambda: when_weight_changed_sign(branch, update, layer, unit, column)

    asked = [(f"did unit {name} die?", flip(True)), (f"did unit {name} revive?", flip(False))]
    for column, weight in enumerate(W[unit, :MOST_WEIGHTS]):
        words = f"did w[{column}] of unit {name}, now {brief(weight)}, change its sign?"
        asked.append((words, sign(column)))
    if b is not None:
        asked.append((f"did b of unit {name}, now {brief(b[unit])}, change its sign?", sign(None)))
    return asked
