"""Create the branch in which a fix is applied to a run."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nntui.core.errors import ConfigError
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.run import Run
from nntui.timeline.history.tree import plain_value


def branch_with(run: Run, changes: Mapping[str, Any], since: int | None = None) -> Branch:
    """The branch of ``run``'s tree that is ``run`` up to its cursor, but with ``changes``.

    It parts just before update ``since``, at which the trouble began (None: update 0), or at the
    beginning of that epoch, or at update 0: the latest of these at which the changes can be made.
    What the run itself changed between there and its cursor is changed too.  A branch that is
    there already is not made again; the run stays where it is.

    Raises ConfigError for changes that the preset cannot take anywhere.
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
    siblings = tree.children(start.branch.at(update))
    return next((b for b in siblings if b.forked_at == update and b.changes == plain), None)
