"""Replay: walking over a stretch of updates again, without moving anybody's cursor."""

from collections.abc import Callable, Iterator

from nntui.core.trainer import Trainer
from nntui.timeline.branch import Branch

Test = Callable[[Trainer], bool]


def replayed(branch: Branch, first: int, last: int) -> Iterator[Trainer]:
    """A trainer that stands at ``first``, then at each following update up to ``last``.

    Both lie between 0 and the head.  It is one trainer that moves on: take what you need from it
    before you ask for the next.  What it has computed is the update that led there, so a change
    of the preset shows only in the update after it.
    """
    if first > last:
        return
    following = branch.next_change(first)
    trainer = Trainer(branch.below(first), _known)
    trainer.advance(first - trainer.update)
    yield trainer
    for update in range(first, last):
        if update == following:
            following = branch.next_change(update)
            trainer = Trainer(branch.below(update), _known)
        trainer.advance(1)
        yield trainer


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
