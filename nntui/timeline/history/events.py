"""Events: what happened on a branch, and at which update; replay finds the exact one on demand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nntui.core.number_text import number_text
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.replay import replay_updates
from nntui.timeline.history.unit_events import Flip, Mask, dead_mask, unit_number

MINIMUM, ROSE, DIED, REVIVED = "minimum", "rose", "died", "revived"
NOT_FINITE, GOAL, CHANGED = "not finite", "goal", "changed"

SHARP = 2.0
"""A loss above the goal rose sharply if it is more than this many times that of the epoch
before: above the noise of training on single samples, below the jump of a step too large."""
MOST_NAMED = 4
"""Units that are named when the same happened to many."""
MOST_RISES = 500
"""Rises that are kept from the beginning of a branch; a loss may jump for ever."""


@dataclass(frozen=True)
class Event:
    """Something that happened after update ``after`` and at the latest at ``by``.

    It is exact where ``after`` is ``by - 1``; otherwise `exact_update` finds the update by replay.
    """

    kind: str
    what: str
    """What happened, in words; to the unit, where it is about one."""
    after: int
    by: int
    flip: Flip | None = None

    @property
    def exact(self) -> bool:
        """Whether ``by`` is the exact update."""
        return self.after >= self.by - 1

    @property
    def unit(self) -> str | None:
        """The unit it happened to, as ``layer.unit``; None if it is about no unit."""
        return None if self.flip is None else f"{self.flip.layer}.{self.flip.unit}"

    @property
    def text(self) -> str:
        """The event in words."""
        return self.what if self.unit is None else f"unit {self.unit} {self.what}"


def _at(kind: str, text: str, update: int) -> Event:
    return Event(kind, text, update - 1, update)


def events(branch: Branch) -> list[Event]:
    """All events of ``branch``, those of the shared past included, in order.

    Units are checked only at intervals (see `unit_events`): one that dies and revives in between is
    not found.
    """
    found = [*_of_losses(branch), *_of_units(branch), *_of_changes(branch)]
    if branch.divergence is not None:
        found.append(_at(NOT_FINITE, branch.divergence.what, branch.update))
    return sorted(found, key=lambda event: event.by)


def _of_losses(branch: Branch) -> Iterator[Event]:
    losses, goal = branch.losses, branch.preset.goal
    least = losses.minimum()
    if least is not None:
        text = f"the lowest loss so far, {number_text(losses[least])}"
        yield _at(MINIMUM, text, branch.end_of(least))
    reached = losses.first_at_most(goal.loss)
    if reached is not None:
        yield _at(GOAL, f"the goal {number_text(goal.loss)} is reached", branch.end_of(reached))
    for epoch in losses.rises(SHARP, goal.loss, MOST_RISES):
        before = losses.last(epoch)
        assert before is not None
        apart = epoch - before[0]
        within = "an epoch" if apart == 1 else f"{apart:,} epochs"
        low, high = (number_text(loss, 4) for loss in (before[1], losses[epoch]))
        text = f"the loss rose from {low} to {high} in {within}"
        yield _at(ROSE, text, branch.end_of(epoch))


def _of_units(branch: Branch) -> Iterator[Event]:
    for flip in branch.flips:
        kind = DIED if flip.died else REVIVED
        fate = "dead from the start" if flip.after < 0 else kind
        yield Event(kind, fate, flip.after, flip.by, flip)


def _of_changes(branch: Branch) -> Iterator[Event]:
    for stretch in branch.stretches:
        if stretch.changes and stretch.start > 0:
            yield _at(CHANGED, changes_text(stretch), stretch.start)


def changes_text(stretch: Stretch) -> str:
    """What was changed at the beginning of ``stretch``, in words."""
    return ", ".join(f"{key} = {value}" for key, value in stretch.changes.items())


def exact_update(branch: Branch, event: Event) -> int:
    """The exact update of ``event``: for a unit that flickers, of the last flip that led to it."""
    flip = event.flip
    if event.exact or flip is None:
        return event.by
    if flip not in branch.exact:
        _locate(branch, flip.after, flip.by)
    return branch.exact.get(flip, flip.by)


def _locate(branch: Branch, after: int, by: int) -> None:
    """Locate all flips between two checks, in one replay."""
    before: Mask | None = None
    turned: dict[tuple[int, bool], int] = {}
    for trainer in replay_updates(branch, after, by):
        dead = dead_mask(trainer.whole)
        if before is not None:
            for place in np.flatnonzero(dead != before):
                turned[int(place), bool(dead[place])] = trainer.update
        before = dead
    configuration = branch.preset.configuration
    # Replay does not see changes at its ends: at ``by`` before the check, at ``after`` behind it.
    starts = {stretch.start for stretch in branch.stretches if stretch.start > 0}
    unseen = after + 1 if after in starts and by not in starts else by
    for flip in branch.flips:
        if (flip.after, flip.by) == (after, by):
            number = unit_number(configuration, flip.layer, flip.unit)
            branch.exact[flip] = turned.get((number, flip.died), unseen)


def events_text(branch: Branch, update: int) -> str:
    """Everything that happened at ``update``, in words; empty if nothing did."""
    texts: dict[str, list[str]] = {}
    for event in events(branch):
        if event.after < update <= event.by and exact_update(branch, event) == update:
            # Units to which the same happened are listed together.
            texts.setdefault(event.what, []).append(event.unit or "")
    return "; ".join(
        verb if subjects == [""] else f"{_units(subjects)} {verb}"
        for verb, subjects in texts.items()
    )


def _units(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"unit{'s' if len(names) > 1 else ''} {shown}{more}"


def next_event(branch: Branch, update: int) -> tuple[int, Event] | None:
    """The first event after ``update``, with its exact update."""
    best: tuple[int, Event] | None = None
    for event in sorted(events(branch), key=lambda each: each.after):
        if best is not None and event.after + 1 >= best[0]:
            break
        if event.by > update:
            at = exact_update(branch, event)
            if at > update and (best is None or at < best[0]):
                best = at, event
    return best


def previous_event(branch: Branch, update: int) -> tuple[int, Event] | None:
    """The last event before ``update``, with its exact update."""
    best: tuple[int, Event] | None = None
    for event in sorted(events(branch), key=lambda each: -each.by):
        if best is not None and event.by <= best[0]:
            break
        if event.after + 1 < update:
            at = exact_update(branch, event)
            if at < update and (best is None or at > best[0]):
                best = at, event
    return best
