"""The tree of branches: their names, where they parted, how far they were trained, their loss."""

from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import Tree
from nntui.tui.actions import BRANCHES, bindings
from nntui.tui.panels.panel import PANEL_CSS


@dataclass(frozen=True)
class Entry:
    """One branch as it is listed."""

    branch: Branch
    depth: int
    name: str
    parted: str
    head: int
    loss: str
    solved: bool
    diverged: bool
    pinned: bool
    role: str
    """``A`` on the screen, ``B`` overlaid, or neither."""


def entries(tree: Tree, shown: Branch, overlaid: Branch | None) -> tuple[Entry, ...]:
    """The branches of ``tree``, each below what it parted from."""
    return tuple(
        Entry(
            branch,
            depth,
            branch.name,
            _parted(branch),
            branch.update,
            "-" if branch.loss is None else f"{branch.loss:.3g}",
            branch.solved,
            branch.divergence is not None,
            branch.pinned,
            "A" if branch is shown else "B" if branch is overlaid else " ",
        )
        for depth, branch in tree.ordered()
    )


def _parted(branch: Branch) -> str:
    if branch.parent is None:
        return f"seed {branch.seed}"
    changes = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in branch.changes.items())
    return f"{changes or 'nothing changed'}, from {branch.forked_at:,} of {branch.parent.name}"


class BranchesPanel(OptionList):
    """The tree of branches, one highlighted; messages say what is wanted of it."""

    DEFAULT_CSS = f"""
    BranchesPanel {{
        {PANEL_CSS} background: transparent; padding: 0; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
        & > .option-list--option-highlighted,
        &:focus > .option-list--option-highlighted {{
            background: $row; color: $foreground; text-style: none;
        }}
    }}
    """
    BINDINGS = bindings(BRANCHES)

    explained = (
        "All branches of this scenario, each below the one it parted from. A is on the screen; B "
        "is overlaid on the loss plot. The first line has the name, the furthest update and the "
        "reported loss there; the second where it parted and what was changed. Every change of "
        "the past, every other seed and every restart is a branch of its own: nothing is lost."
    )

    listed: reactive[tuple[Entry, ...]] = reactive(())
    """What is listed, in order."""

    class Wanted(Message):
        """Somebody wants something done with a branch: ``select``, ``overlay``, ``rename``, ..."""

        def __init__(self, action: str, branch: Branch) -> None:
            super().__init__()
            self.action = action
            self.branch = branch

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Branches"

    compact: reactive[bool] = reactive(False)
    """Whether each branch has one line only."""

    def watch_compact(self, compact: bool) -> None:
        """Show the same entries in another form."""
        for at, entry in enumerate(self.listed):
            self.replace_option_prompt_at_index(at, _shown(entry, compact))

    def watch_listed(self, before: tuple[Entry, ...], now: tuple[Entry, ...]) -> None:
        """List anew, with the highlight on the branch that has it."""
        if [each.branch for each in before] == [each.branch for each in now]:
            for at, (old, new) in enumerate(zip(before, now, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(at, _shown(new, self.compact))
            return
        chosen = self.chosen(before)
        self.set_options([Option(_shown(entry, self.compact)) for entry in now])
        places = [at for at, entry in enumerate(now) if entry.branch is chosen]
        active = [at for at, entry in enumerate(now) if entry.role == "A"]
        self.highlighted = (active or places or [0])[0]

    def chosen(self, entries: tuple[Entry, ...]) -> Branch | None:
        """The highlighted branch."""
        at = self.highlighted
        return entries[at].branch if at is not None and at < len(entries) else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Switch to the branch."""
        event.stop()
        self._want("select")

    def _want(self, action: str) -> None:
        branch = self.chosen(self.listed)
        if branch is not None:
            self.post_message(self.Wanted(action, branch))

    def action_overlay(self) -> None:
        """Overlay the branch, or not."""
        self._want("overlay")

    def action_rename(self) -> None:
        """Give the branch another name."""
        self._want("rename")

    def action_pin(self) -> None:
        """Pin the branch, or not."""
        self._want("pin")

    def action_delete(self) -> None:
        """Delete the branch."""
        self._want("delete")


def _shown(entry: Entry, compact: bool) -> Content:
    state = " diverged" if entry.diverged else " solved" if entry.solved else ""
    style = "$text-error" if entry.diverged else "$text-success"
    indent = "  " * max(entry.depth - 1, 0) + ("└ " if entry.depth else "")
    return Content.assemble(
        (f"{entry.role} ", "bold $text-accent"),
        (indent, "$foreground-muted"),
        (entry.name, "bold"),
        ("  pinned" if entry.pinned else "", "$text-warning"),
        f"  {entry.head:,}  {entry.loss}",
        (state, style),
        ("" if compact else f"\n  {' ' * len(indent)}{entry.parted}", "$foreground-muted"),
    )
