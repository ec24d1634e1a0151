"""The status line: where the run stands, always visible."""

from textual.content import Content
from textual.events import Resize
from textual.reactive import reactive
from textual.widget import Widget

from nntui.core.number_text import number_text
from nntui.presets.preset import Preset
from nntui.tui.panels.content import StatusContent
from nntui.tui.terminal.backpressure import READ_FIRST

PAUSED, RUNNING, PAST, DIVERGED = "paused", "running", "at the past", "diverged"
REPLAYING = "replaying"
ONE_LINE = 150
"""Columns in which all of it has room in one line."""

_STYLES = {
    PAUSED: "bold $text-primary",
    RUNNING: "bold $text-success",
    REPLAYING: "bold $text-success",
    PAST: "bold $text-warning",
    DIVERGED: "bold $text-error reverse",
}


def loss_text(loss: float | None) -> str:
    """A reported loss in six digits; a dash before there is one."""
    return "-" if loss is None else number_text(loss)


def beside_hash(left: Content, state_hash: str, width: int) -> Content:
    """A line of ``width``: ``left``, cut where it has no room, and the hash at the right."""
    room = max(width - len(state_hash) - 2, 0)
    cut = left.truncate(room, ellipsis=True, pad=True)
    return Content.assemble(cut, "  ", (state_hash, "$foreground-muted"))


class StatusLine(Widget):
    """Preset, seed, state and hash; update, epoch, loss and goal: one line where that is enough."""

    DEFAULT_CLASSES = READ_FIRST
    DEFAULT_CSS = """
    StatusLine { height: 2; padding: 0 1; background: $panel; color: $foreground; }
    StatusLine.-one { height: 1; }
    """

    content: reactive[StatusContent | None] = reactive(None)
    """What is shown; None before the run is shown for the first time."""

    def __init__(self, preset: Preset, *, with_note: bool = False) -> None:
        """``with_note``: also say what just happened, where no message line does."""
        super().__init__()
        self._preset, self._with_note = preset, with_note

    def on_resize(self, event: Resize) -> None:
        """Take one line on a wide screen."""
        self.set_class(event.size.width >= ONE_LINE and not self._with_note, "-one")

    def _who(self, content: StatusContent) -> Content:
        snapshot = content.snapshot
        return Content.assemble(
            (self._preset.name, "bold"),
            f" / {self._branch(snapshot.branch)}" if content.branches > 1 else "",
            "  " if f"seed {snapshot.seed}" in snapshot.branch else f"  seed {snapshot.seed}  ",
            (content.state, _STYLES[content.state]),
            f"  {content.left}" if content.left else "",
            f"  {content.note}" if self._with_note else "",
        )

    def _where(self, content: StatusContent) -> Content:
        snapshot = content.snapshot
        head = f" of {snapshot.head:,}" if snapshot.update < snapshot.head else ""
        head += ", training" if content.training else ""
        reached, budget = snapshot.solved, content.goal.epochs
        beyond = snapshot.epoch - budget
        epochs = f" of {budget:,}" if beyond <= 0 else f", {beyond:,} beyond the budget"
        goal = "  solved" if reached else f"  goal {number_text(content.goal.loss)}"
        return Content.assemble(
            f"epoch {snapshot.epoch:,}{epochs}  update {snapshot.update:,}{head}  loss ",
            (loss_text(snapshot.loss), "bold"),
            (goal, "$text-success" if reached else ""),
            f"  speed {content.speed}" if content.speed != "full" else "",
        )

    def render(self) -> Content:
        """The line or lines, cut to the width; the hash stands at the right."""
        content = self.content
        if content is None:
            return Content("")
        who, where, width = self._who(content), self._where(content), self.size.width
        state_hash = content.snapshot.state_hash
        if self.has_class("-one"):
            return beside_hash(Content("  ").join([who, where]), state_hash, width)
        first = beside_hash(who, state_hash, width)
        return Content("\n").join([first, where.truncate(width, ellipsis=True)])

    def _branch(self, name: str) -> str:
        """The name of a branch, shortened where the rest would have no room."""
        most = max(self.size.width // 5, 8)
        return name if len(name) <= most else f"{name[: most - 1]}…"
