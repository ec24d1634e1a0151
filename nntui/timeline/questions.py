"""Reverse questions: when did it happen?  Every answer is an update to go to."""

from dataclasses import dataclass
from itertools import pairwise

from nntui.core.network import Layout
from nntui.core.state import State
from nntui.core.trainer import Trainer
from nntui.timeline.branch import Branch
from nntui.timeline.replay import turns
from nntui.timeline.units import dead_units, unit_number


@dataclass(frozen=True)
class Answer:
    """What was found; ``update`` is None where nothing was."""

    text: str
    update: int | None


def when_unit_died(branch: Branch, update: int, layer: int, unit: int) -> Answer:
    """When the unit, before or at ``update``, last ceased to be active on any row."""
    return _when_flipped(branch, update, layer, unit, died=True)


def when_unit_revived(branch: Branch, update: int, layer: int, unit: int) -> Answer:
    """When the unit, before or at ``update``, last became active on some row again."""
    return _when_flipped(branch, update, layer, unit, died=False)


def _when_flipped(branch: Branch, update: int, layer: int, unit: int, *, died: bool) -> Answer:
    name = f"unit {layer}.{unit}"
    place = unit_number(branch.preset.configuration, layer, unit)
    known = [each for each in branch.flips if (each.layer, each.unit) == (layer, unit)]
    spans = [(each.after, each.by) for each in known if each.died is died and each.after < update]
    # Whether it flipped since the last look is seen only by looking now.
    last = max(min(branch.watch.looked_at, branch.kept(update)[-1].update), 0)
    for after, by in reversed([*spans, (last, update)]):
        if after < 0:
            return Answer(f"{name} is dead from the start", 0)
        found = [
            at
            for at, now in turns(branch, after, min(by, update), lambda at: _is_dead(at, place))
            if now is died
        ]
        if found:
            did = "died" if died else "revived"
            return Answer(f"{name} {did} in update {found[-1]:,}", found[-1])
    return Answer(f"{name} was not seen to {'die' if died else 'revive'} up to here", None)


def _is_dead(trainer: Trainer, place: int) -> bool:
    return bool(dead_units(trainer.whole)[place])


def when_weight_changed_sign(
    branch: Branch, update: int, layer: int, unit: int, column: int | None
) -> Answer:
    """When a weight of the unit (its bias if ``column`` is None) last changed its sign.

    Kept states are compared, and the updates between two that differ replayed: a weight that
    changed back between two kept states is not found.
    """
    name = f"b of unit {layer}.{unit}" if column is None else f"w[{column}] of unit {layer}.{unit}"
    configuration = branch.preset.configuration
    units, inputs, _ = Layout.of(configuration).shapes[layer]
    start = Layout.of(configuration).spans()[layer].start
    place = start + (units * inputs + unit if column is None else unit * inputs + column)

    def negative(state: State) -> bool:
        return bool(state.theta[place] < 0.0)

    kept = branch.kept(update)
    spans = [
        (older.update, newer.update)
        for older, newer in pairwise(kept)
        if negative(older) is not negative(newer)
    ]
    for first, last in reversed([*spans, (kept[-1].update, update)]):
        found = list(turns(branch, first, last, lambda at: negative(at.state)))
        if found:
            at, now = found[-1]
            return Answer(f"{name} became {'negative' if now else 'positive'} in update {at:,}", at)
    return Answer(f"{name} was not seen to change its sign up to here", None)


def when_loss_was_below(branch: Branch, update: int, loss: float) -> Answer:
    """The end of the last epoch finished at ``update`` whose reported loss was below ``loss``."""
    epoch = branch.losses.last_below(loss, branch.epoch_at(update))
    if epoch is None:
        return Answer(f"the loss was never below {loss:g} up to here", None)
    at = branch.end_of(epoch)
    return Answer(f"the loss was {branch.losses[epoch]:.6g} at update {at:,}", at)
