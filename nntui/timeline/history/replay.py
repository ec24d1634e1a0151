"""Replay: making past updates again on a separate trainer, leaving every cursor where it is."""

from collections.abc import Callable, Iterator

from nntui.core.engine.network import Layout
from nntui.core.engine.trainer import Trainer
from nntui.players.trainers import trainer_of
from nntui.timeline.history.branch import Branch

CHUNK = 512
"""Updates that are replayed at once in a search backwards."""
MOST_REPLAYED, FEWEST, MOST_WORK = 10_000, 8, 4e8
"""Updates that a question replays one by one: within these limits, about so many products."""

Test = Callable[[Trainer], bool]


def replay_updates(branch: Branch, first: int, last: int) -> Iterator[Trainer]:
    """A trainer at ``first``, then at each following update up to ``last``, both within the branch.

    It is one trainer that moves on: take what you need before you ask for the next.  It holds what
    the update that led there computed, so a change of the preset shows only in the update after.
    """
    if first > last:
        return
    following = branch.next_change(first)
    trainer = trainer_of(branch.nearest_state(first))
    trainer.advance(first - trainer.update)
    yield trainer
    for update in range(first, last):
        if update == following:
            following = branch.next_change(update)
            trainer = trainer_of(branch.nearest_state(update))
        trainer.advance(1)
        yield trainer


def transitions(branch: Branch, first: int, last: int, tested: Test) -> Iterator[tuple[int, bool]]:
    """The updates after ``first`` up to ``last`` at which the answer changes, and the answer."""
    before: bool | None = None
    for trainer in replay_updates(branch, first, last):
        now = tested(trainer)
        if before is not None and now is not before:
            yield trainer.update, now
        before = now


def last_transition(
    branch: Branch, first: int, last: int, tested: Test, wanted: bool | None = None
) -> tuple[int, bool] | None:
    """The last of the `transitions` (to ``wanted``, if given), searched backwards from ``last``."""
    while last > first:
        begin = max(last - CHUNK, first)
        found = [
            turn for turn in transitions(branch, begin, last, tested) if wanted in (None, turn[1])
        ]
        if found:
            return found[-1]
        last = begin
    return None


def affordable_updates(branch: Branch, work: float = MOST_WORK) -> int:
    """How many updates can be replayed and looked at one by one with about ``work`` products."""
    configuration = branch.preset.configuration
    samples = 6 * configuration.batch_size + 2 * configuration.data.training_rows
    each = 20_000 + Layout.of(configuration).size * samples
    return max(min(MOST_REPLAYED, int(work / each)), FEWEST)
