"""The tree of branches: which forked from which, and where; no branch is ever truncated."""

from collections.abc import Mapping
from typing import Any

from nntui.core.engine.changes import changed
from nntui.core.engine.parameter_edits import set_by_hand
from nntui.core.engine.player_names import AUTO
from nntui.core.engine.state import State
from nntui.core.engine.trainer import initial_state
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.dotted_keys import is_parameter, is_structural
from nntui.players.player_choice import check_compilable, chosen_player, player_of_restart
from nntui.presets.preset import Preset
from nntui.presets.preset_table import change_in_brief
from nntui.presets.schema import merged, override
from nntui.timeline.history.branch import Branch, Stretch
from nntui.timeline.history.keyframes import MemoryBudget

LONGEST_NAME = 40
ROOT = "main"


class Tree:
    """All branches of one preset, beginning with its first run from ``seed``, made by ``player``.

    Raises what `chosen_player` raises.
    """

    note = ""
    """What is to be said of a tree that was saved; empty if nothing is."""

    def __init__(self, preset: Preset, seed: int, player: str = AUTO) -> None:
        self.budget = MemoryBudget()
        configuration = preset.configuration
        made = initial_state(configuration, seed, chosen_player(player, configuration))
        first = Stretch(preset, made, {})
        root = Branch(first, seed, self.budget)
        root.name = ROOT
        self.branches: list[Branch] = [root]

    @classmethod
    def restored(cls, branches: list[Branch], budget: MemoryBudget, note: str = "") -> "Tree":
        """The tree of branches that were saved, in the order in which they were made."""
        made = cls.__new__(cls)
        made.budget, made.branches, made.note = budget, branches, note
        return made

    @property
    def root(self) -> Branch:
        """The branch that all others come from."""
        return self.branches[0]

    def fork(self, branch: Branch, update: int, stretch: Stretch, seed: int) -> Branch:
        """A new branch that shares the past of ``branch`` up to ``update``."""
        parent, changes = branch.owner(update), stretch.changes
        # Forks at update 0 share nothing, so seeds and restarts become siblings.
        while update == 0 and parent.forked_at == 0 and parent.parent is not None:
            changes, parent = merged(parent.changes, changes), parent.parent
        made = Branch(Stretch(stretch.preset, stretch.first, changes), seed, self.budget, parent)
        before = parent.stretch_at(update).preset
        made.name = self._free_name(_described(before, stretch.changes))
        self.branches.append(made)
        return made

    def beginning(self, branch: Branch, changes: Mapping[str, Any]) -> Branch | None:
        """The branch that a fork of ``branch`` at update 0 with ``changes`` would repeat."""
        parent: Branch = branch
        while parent.parent is not None:
            if parent.forked_at == 0:
                changes = merged(parent.changes, changes)
            parent = parent.parent
        drawn = not any(is_parameter(key) for key in parent.changes)
        if changes == {"seed": parent.seed} and drawn:
            return parent
        siblings = (each for each in self.children(parent) if each.forked_at == 0)
        return next((each for each in siblings if each.changes == changes), None)

    def children(self, branch: Branch) -> list[Branch]:
        """The branches that fork from ``branch``, the oldest first."""
        return [each for each in self.branches if each.parent is branch]

    def descendants(self, branch: Branch) -> list[Branch]:
        """Everything that comes from ``branch``, itself first."""
        return [each for _, each in self._below(branch)]

    def ordered(self) -> list[tuple[int, Branch]]:
        """Every branch, below its parent, with its depth; that of the root is 0."""
        return self._below(self.root)

    def _below(self, branch: Branch) -> list[tuple[int, Branch]]:
        children: dict[Branch | None, list[Branch]] = {}
        for each in self.branches:
            children.setdefault(each.parent, []).append(each)
        found, waiting = [], [(0, branch)]
        while waiting:
            depth, each = waiting.pop()
            found.append((depth, each))
            waiting += [(depth + 1, child) for child in reversed(children.get(each, []))]
        return found

    def rename(self, branch: Branch, name: str) -> None:
        """Give ``branch`` a name; raises what `checked_name` raises."""
        branch.name, branch.renamed = self.checked_name(branch, name), True

    def checked_name(self, branch: Branch, name: str) -> str:
        """``name`` for ``branch``; ConfigError if it is taken, empty, long or unprintable."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise ConfigError("name", f"must be 1 to {LONGEST_NAME} printable characters")
        if any(each.name == name for each in self.branches if each is not branch):
            raise ConfigError("name", f"{quoted(name)} is another branch; choose a free one")
        return name

    def delete(self, branch: Branch) -> None:
        """Remove ``branch``, and what forked from it, from the tree.

        Raises ConfigError for the root and where one of them is pinned.
        """
        if branch is self.root:
            raise ConfigError("branch", "everything comes from the first branch; it stays")
        going = self.descendants(branch)
        pinned = next((each for each in going if each.pinned), None)
        if pinned is not None:
            raise ConfigError("branch", f"{pinned.name} is pinned; unpin it first")
        self.branches = [each for each in self.branches if each not in going]
        for each in going:
            each.release()  # a trainer refers to its branch: their memory would be freed late

    def is_untouched(self, branch: Branch) -> bool:
        """Whether nothing was ever done in ``branch``."""
        return not (
            branch.update > branch.forked_at
            or branch.pinned
            or branch.renamed
            or branch.marks
            or self.children(branch)
        )

    def _free_name(self, wanted: str) -> str:
        taken = {each.name for each in self.branches}
        names = (f"{wanted} ({number})" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *names) if name not in taken)


def prepared(branch: Branch, update: int, state: State, changes: Mapping[str, Any]) -> Stretch:
    """The stretch that begins where ``branch`` has ``state``, with ``changes`` made to its preset.

    What was set by hand at update 0 stays there as long as the parameters are not drawn anew.
    Raises ConfigError for changes that are none, or that cannot be made at ``update``.
    """
    stretch = branch.stretch_at(update)
    before = stretch.preset
    values = {key: plain_value(key, value) for key, value in changes.items()}
    if update == 0:
        kept = {key: value for key, value in stretch.changes.items() if is_parameter(key)}
        values = merged(kept, values)
    structural = next(filter(is_structural, values), None)
    if structural is not None and update > 0:
        raise ConfigError(
            structural, f"decides update 0 itself; go there to change it (this is update {update})"
        )
    by_hand = {key: value for key, value in values.items() if is_parameter(key)}
    entries = {key: value for key, value in values.items() if key not in by_hand}
    preset = override(before, entries) if entries else before
    if update == 0:
        player = player_of_restart(state.player, preset.configuration)
        first = initial_state(preset.configuration, seed_of(branch, values), player)
    else:
        check_compilable(state.player, preset.configuration)
        first = changed(state, preset.configuration)
    return Stretch(preset, set_by_hand(first, by_hand), values)


def seed_of(branch: Branch, changes: Mapping[str, Any]) -> int:
    """The seed of ``branch`` once ``changes`` are made."""
    return int(changes.get("seed", branch.seed))


def plain_value(key: str, value: Any) -> Any:
    """``value`` as TOML could have said it: NumPy's numbers as Python's, tuples as lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain_value(f"{key}.{at}", each) for at, each in enumerate(value)]
    if isinstance(value, dict):
        return {str(name): plain_value(f"{key}.{name}", each) for name, each in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConfigError(key, f"must be a number, a text, true, false or a list, not {quoted(value)}")


def _described(before: Preset, changes: Mapping[str, Any]) -> str:
    """A name for what was changed, such as ``learning_rate=0.1``."""
    if not changes:
        return "again"
    parts = [change_in_brief(before, key, value) for key, value in changes.items()]
    text = "".join(each if each.isprintable() else " " for each in " ".join(parts))
    return text if len(text) <= LONGEST_NAME - 6 else f"{text[: LONGEST_NAME - 9]}..."
