"""Pictures: what a run and its tree were at one moment, while they go on.

States are values, so a picture copies lists of them and nothing else; it takes no time, and
another thread can write it down.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.run import Run
from nntui.timeline.history.unit_events import Flip, Mask


@dataclass(frozen=True, eq=False)
class BranchPicture:
    """What a branch was at one moment; see `Branch` for the fields."""

    name: str
    renamed: bool
    pinned: bool
    seed: int
    parent: int | None
    """The parent's place in the list of branches."""
    left_at: int
    stretches: tuple[Stretch, ...]
    """Its own, without those of the shared past."""
    keyframes: tuple[State, ...]
    distance: int
    marks: tuple[tuple[int, State | None], ...]
    head: State
    losses: tuple[Array, ...]
    """Its own, in pieces."""
    looked_at: int
    dead: Mask | None
    flips: tuple[Flip, ...]


@dataclass(frozen=True, eq=False)
class Saved:
    """What a run, with all branches of its tree, was at one moment."""

    branches: tuple[BranchPicture, ...]
    active: int
    """The branch that the run looks at."""
    cursor: int
    view: Mapping[str, Any]
    moment: datetime


def capture(run: Run, view: Mapping[str, Any] | None = None) -> Saved:
    """A picture of ``run`` and its tree that later training does not change.

    ``view`` is anything small that JSON can say, and is given back by `load`.  Call it between
    two updates; it copies no states, only lists of them.
    """
    branches = list(run.tree.branches)
    # Somebody may look at a branch that was deleted meanwhile.
    missing: list[Branch] = []
    each: Branch | None = run.branch
    while each is not None and each not in branches:
        missing.insert(0, each)
        each = each.parent
    branches += missing
    return Saved(
        branches=tuple(_picture(each, branches) for each in branches),
        active=branches.index(run.branch),
        cursor=run.update,
        view=json.loads(json.dumps(view or {}, allow_nan=False)),
        moment=datetime.now(UTC),
    )


def _picture(branch: Branch, branches: list[Branch]) -> BranchPicture:
    return BranchPicture(
        name=branch.name,
        renamed=branch.renamed,
        pinned=branch.pinned,
        seed=branch.seed,
        parent=None if branch.parent is None else branches.index(branch.parent),
        left_at=branch.left_at,
        stretches=tuple(each for each in branch.stretches if each.start >= branch.forked_at),
        keyframes=branch.keyframes.states,
        distance=branch.keyframes.distance,
        marks=tuple(sorted(branch.marks.items(), key=lambda mark: mark[0])),
        head=branch.state,
        losses=branch.losses.own,
        looked_at=branch.watch.looked_at,
        dead=branch.watch.dead,
        flips=tuple(branch.watch.flips),
    )
