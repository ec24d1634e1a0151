"""Edits of a run: what a change will do, making it, and undoing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nntui.core.engine.parameter_edits import value_by_hand
from nntui.core.errors import ConfigError
from nntui.core.settings.dotted_keys import is_parameter, is_structural
from nntui.presets.editing.entries import value_at
from nntui.presets.schema import merged
from nntui.timeline.history.branch import Branch, Past, Stretch
from nntui.timeline.history.tree import prepared
from nntui.timeline.run import Run

MOST_UNDONE = 20
"""Edits that can be undone; each may keep a state."""


class Effect(StrEnum):
    """What an edit will do, in words."""

    LIVE = "applies from the next update on"
    FIRST = "changes update 0; nothing is trained yet"
    BRANCH = "begins a branch here"
    RESTART = "begins a branch at update 0"


def effect_of(run: Run, changes: Mapping[str, Any]) -> Effect:
    """What an edit with these dotted keys does at the cursor of ``run``; see `Edits.make`."""
    structural = any(map(is_structural, changes))
    if run.update > 0:
        if structural:
            return Effect.RESTART
        return Effect.LIVE if run.update == run.head else Effect.BRANCH
    # Branches that fork at update 0 are described by how they differ from here.
    if run.head > 0 or run.tree.children(run.branch):
        return Effect.RESTART
    return Effect.FIRST if structural else Effect.LIVE


@dataclass(frozen=True, eq=False)
class _Edit:
    """An edit that was made: where, what was there before, and what came of it."""

    changes: Mapping[str, Any]
    branch: Branch
    update: int
    past: Past | None
    """The branch before an edit that changed its head."""
    made: Branch
    stretch: Stretch
    """The stretch that began with the edit."""


class Edits:
    """Makes changes to runs, and undoes the last one."""

    def __init__(self) -> None:
        self._made: list[_Edit] = []

    def check(self, run: Run, changes: Mapping[str, Any]) -> None:
        """Raise the ConfigError that `make` would raise, and do nothing else."""
        effect = effect_of(run, changes)
        _check_alive(run, effect)
        if effect is Effect.RESTART:
            prepared(run.branch, 0, run.state, merged(run.changed, changes))
        else:
            run.check_changes(**changes)

    def make(self, run: Run, changes: Mapping[str, Any]) -> Effect:
        """Make ``changes`` at the cursor: at the head live, in the past as a branch.

        A change of what decides update 0 begins a branch there, with everything that was changed up
        to the cursor.  Raises ConfigError, and changes nothing, for a change that cannot be made.
        """
        effect, branch, update = effect_of(run, changes), run.branch, run.update
        in_place = effect in (Effect.LIVE, Effect.FIRST)
        past = branch.past if in_place else None
        _check_alive(run, effect)
        if effect is Effect.RESTART:
            run.restart(**changes)
        else:
            run.change(**changes)
        self._note(_Edit(changes, branch, update, past, run.branch, run.branch.stretches[-1]))
        return effect

    def began(self, run: Run, branch: Branch, update: int, changes: Mapping[str, Any]) -> None:
        """Note that ``changes`` at ``update`` of ``branch`` led ``run`` to the branch it is on."""
        self._note(_Edit(changes, branch, update, None, run.branch, run.branch.stretches[-1]))

    def _note(self, edit: _Edit) -> None:
        self._made = [*self._made[1 - MOST_UNDONE :], edit]

    def undo(self, run: Run) -> str:
        """Undo the last edit, and say in words what was done.

        An edit that began a branch: the run goes back to where it was, and the branch is deleted
        if nothing was done in it.  One at the head: it is taken back exactly if nothing was
        trained since, else a branch begins before it.  Either way the state is, bit for bit,
        that before the edit.  Raises ConfigError if there is nothing to undo.
        """
        tree = run.tree
        while self._made:
            edit = self._made.pop()
            # A branch that was deleted took its edits with it.
            if edit.branch not in tree.branches:
                continue
            keys = ", ".join(edit.changes) or "fork"
            if edit.past is None:
                run.switch(edit.branch, edit.update)
                if edit.made in tree.branches and tree.is_untouched(edit.made):
                    tree.delete(edit.made)
                    return f"undone: {keys}"
                return f"back before {keys}; the branch {edit.made.name} stays"
            if _is_last(edit, run):
                edit.branch.revert(edit.past)
                run.switch(edit.branch, edit.update)
                return f"undone: {keys}"
            run.switch(_before(edit, edit.past, run), edit.update)
            return f"a branch from before {keys}; what was trained since stays"
        raise ConfigError("", "nothing to undo")


def _check_alive(run: Run, effect: Effect) -> None:
    if effect is Effect.LIVE and run.divergence is not None:
        raise ConfigError("", "diverged: go back first, then change something")


def _is_last(edit: _Edit, run: Run) -> bool:
    """Whether nothing was done in the branch since."""
    branch = edit.branch
    alone = edit.update > 0 or not run.tree.children(branch)
    return branch.update == edit.update and branch.stretches[-1] is edit.stretch and alone


def _before(edit: _Edit, past: Past, run: Run) -> Branch:
    """A new branch from the state before ``edit``."""
    preset = past.stretches[-1].preset
    inverse = {
        key: value_by_hand(past.state, key)
        if is_parameter(key)
        else past.seed
        if key == "seed"
        else value_at(preset, key)
        for key in edit.changes
    }
    stretch = Stretch(preset, past.state, inverse)
    return run.tree.fork(edit.branch, edit.update, stretch, past.seed)
