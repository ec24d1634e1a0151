"""Create the branch in which a fix is applied to a run."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nntui.core.errors import ConfigError
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import plain_value
from nntui.timeline.run import Run


def branch_with(run: Run, changes: Mapping[str, Any], since: int | None = None) -> Branch:
    """The branch of ``run``'s tree with its history up to the cursor, and ``changes``.

    It forks just before update ``since``, where the problem began (None: update 0), or at the
    beginning of that epoch, or at update 0: the latest of these at which the changes are allowed.
    Changes that the run itself made after that point are repeated.  An existing equal branch is
    returned; the run's cursor does not move.

    Raises ConfigError for changes that are not allowed at any of these points.
    """
    before = min(max((since or 0) - 1, 0), run.update)
    epoch = run.branch.epoch_at(before)
    places = {before, run.branch.end_of(epoch - 1) if epoch else 0, 0}
    for update in sorted(places - {0}, reverse=True):
        with suppress(ConfigError):
            return _parting(run, update, changes)
    return _parting(run, 0, changes)


def _parting(run: Run, update: int, changes: Mapping[str, Any]) -> Branch:
    start = Run.on(run.tree, run.branch, update)
    wanted = {**_changed_later(start, run), **changes}
    start.check_changes(**wanted)
    return _known(start, wanted) or start.fork(**wanted).branch


def _changed_later(start: Run, run: Run) -> dict[str, Any]:
    """What ``run`` changed after ``start``."""
    nothing = object()
    before = start.changed
    return {key: each for key, each in run.changed.items() if before.get(key, nothing) != each}


def _known(start: Run, changes: Mapping[str, Any]) -> Branch | None:
    """The branch that forking ``start`` with ``changes`` would make again."""
    plain = {key: plain_value(key, each) for key, each in changes.items()}
    tree, update = start.tree, start.update
    if update == 0:
        return tree.beginning(start.branch, plain)
    siblings = tree.children(start.branch.owner(update))
    return next((b for b in siblings if b.forked_at == update and b.changes == plain), None)
