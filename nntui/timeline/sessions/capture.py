"""Capturing a session: an immutable copy of a tree and a cursor, taken between two updates.

States are values, so a capture copies lists of them and nothing else; it takes no time, and
another thread can write it to disk while training goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nntui.core.engine.state import State
from nntui.core.tape import Array
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.tree import Tree
from nntui.timeline.history.unit_events import Flip, Mask


@dataclass(frozen=True, eq=False)
class BranchCapture:
    """A branch at one moment; see `Branch` for the fields."""

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
    checked_at: int
    dead: Mask | None
    flips: tuple[Flip, ...]


@dataclass(frozen=True, eq=False)
class Capture:
    """A tree with all its branches, and a cursor, at one moment."""

    branches: tuple[BranchCapture, ...]
    active: int
    """The place in ``branches`` of the one that the cursor is on."""
    cursor: int
    view: Mapping[str, Any]
    moment: datetime


def capture(
    tree: Tree, branch: Branch, update: int, view: Mapping[str, Any] | None = None
) -> Capture:
    """A copy of ``tree``, with the cursor at ``update`` of ``branch``.

    ``view`` is a small JSON object that is handed back when the session is loaded.
    """
    branches = list(tree.branches)
    # The cursor may be on a branch that was deleted meanwhile.
    missing: list[Branch] = []
    each: Branch | None = branch
    while each is not None and each not in branches:
        missing.insert(0, each)
        each = each.parent
    branches += missing
    return Capture(
        branches=tuple(_branch_capture(each, branches) for each in branches),
        active=branches.index(branch),
        cursor=update,
        view=json.loads(json.dumps(view or {}, allow_nan=False)),
        moment=datetime.now(UTC),
    )


def _branch_capture(branch: Branch, branches: list[Branch]) -> BranchCapture:
    return BranchCapture(
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
        checked_at=branch.watch.checked_at,
        dead=branch.watch.dead,
        flips=tuple(branch.watch.flips),
    )
