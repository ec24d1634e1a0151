"""The branches panel: the tree of branches with fork points, training progress and loss."""

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from nntui.core.number_text import brief
from nntui.presets.preset_table import changes_in_brief
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import Tree
from nntui.tui.actions import BRANCHES
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.content import BranchesContent, BranchLine
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.panels.panel import PANEL_CSS, tsv


def lines_of(tree: Tree, shown: Branch, overlaid: Branch | None) -> tuple[BranchLine, ...]:
    """The branches of ``tree``, each below what it parted from."""
    return tuple(
        BranchLine(
            branch,
            depth,
            branch.name,
            _parted(branch),
            branch.update,
            "-" if branch.loss is None else brief(branch.loss),
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
    changes = changes_in_brief(branch.changes)
    return f"{changes or 'nothing changed'}, from {branch.forked_at:,} of {branch.parent.name}"


class BranchesPanel(PagedList):
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
    BINDINGS = bindings(BRANCHES, "want")

    explained = (
        "All branches of this scenario, each below the one it parted from. A is on the screen; B "
        "is overlaid on the loss plot. The first line has the name, the furthest update and the "
        "reported loss there; the second where it parted and what was changed. Every change of "
        "the past, every other seed and every restart is a branch of its own: nothing is lost."
    )

    content: reactive[BranchesContent] = reactive(BranchesContent())
    """What is listed."""

    class Wanted(Message):
        """Somebody wants something done with a branch: ``select``, ``overlay``, ``rename``, ..."""

        def __init__(self, action: str, branch: object) -> None:
            super().__init__()
            self.action = action
            self.branch = branch

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Branches"

    @property
    def rows_needed(self) -> int:
        """The rows, border included, in which all branches can be seen."""
        return 2 + len(self.content.listed) * (1 if self.content.compact else 2)

    def watch_content(self, before: BranchesContent, now: BranchesContent) -> None:
        """List anew, with the highlight on the branch that has it."""
        if [each.branch for each in before.listed] == [each.branch for each in now.listed]:
            for at, (old, new) in enumerate(zip(before.listed, now.listed, strict=True)):
                if old != new or before.compact != now.compact:
                    self.replace_option_prompt_at_index(at, _shown(new, now.compact))
            return
        chosen = self._highlighted_of(before)
        self.set_options([Option(_shown(line, now.compact)) for line in now.listed])
        places = [at for at, line in enumerate(now.listed) if line.branch is chosen]
        active = [at for at, line in enumerate(now.listed) if line.role == "A"]
        self.highlighted = (active or places or [0])[0]

    def _highlighted_of(self, content: BranchesContent) -> object:
        at, listed = self.highlighted, content.listed
        return listed[at].branch if at is not None and at < len(listed) else None

    def copied(self) -> str:
        """A line a branch."""
        rows = (
            (each.role.strip(), each.name, each.head, each.loss, each.parted)
            for each in self.content.listed
        )
        return tsv([("shown as", "branch", "update", "loss", "parted"), *rows])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Switch to the branch."""
        event.stop()
        self.action_want("select")

    def action_want(self, action: str) -> None:
        """Hand on what is wanted of the highlighted branch."""
        branch = self._highlighted_of(self.content)
        if branch is not None:
            self.post_message(self.Wanted(action, branch))


def _shown(line: BranchLine, compact: bool) -> Content:
    state = " diverged" if line.diverged else " solved" if line.solved else ""
    style = "$text-error" if line.diverged else "$text-success"
    indent = "  " * max(line.depth - 1, 0) + ("└ " if line.depth else "")
    return Content.assemble(
        (f"{line.role} ", "bold $text-accent"),
        (indent, "$foreground-muted"),
        (line.name, "bold"),
        ("  pinned" if line.pinned else "", "$text-warning"),
        f"  {line.head:,}  {line.loss}",
        (state, style),
        ("" if compact else f"\n  {' ' * len(indent)}{line.parted}", "$foreground-muted"),
    )
