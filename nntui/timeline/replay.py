"""Replay: walking over a stretch of updates again, without moving anybody's cursor."""

from collections.abc import Callable, Iterator

from nntui.core.trainer import Trainer
from nntui.timeline.branch import Branch

Test = Callable[[Trainer], bool]


def replayed(branch: Branch, first: int, last: int) -> Iterator[Trainer]:
    """A trainer that stands at ``first``, then at each following update up to ``last``.

    Both lie between 0 and the head.  It is one trainer that moves on: take what you need from it
    before you ask for the next.
    """
    update, trainer = first, None
    while update <= last:
        following = branch.next_change(update)
        end = last if following is None else min(last, following - 1)
        trainer = Trainer(branch.below(update), _known)
        trainer.advance(update - trainer.update)
        while True:
            yield trainer
            if update == end:
                break
            trainer.advance(1)
            update += 1
        update += 1


def _known(epoch: int, loss: float) -> None:
    """The loss of an epoch that is trained again is known."""


def first_that(branch: Branch, first: int, last: int, holds: Test) -> int | None:
    """The first update from ``first`` to ``last`` whose state passes the test."""
    for trainer in replayed(branch, first, last):
        if holds(trainer):
            return trainer.update
    return None


def turns(branch: Branch, first: int, last: int, tested: Test) -> Iterator[tuple[int, bool]]:
    """The updates after ``first`` up to ``last`` at which the answer changes, and the answer."""
    before: bool | None = None
    for trainer in replayed(branch, first, last):
        now = tested(trainer)
        if before is not None and now is not before:
            yield trainer.update, now
        before = now
