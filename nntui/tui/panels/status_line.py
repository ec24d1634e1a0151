"""The status line: where the run stands, always visible."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from nntui.presets.preset import Preset
from nntui.tui.panels.content import StatusContent
from nntui.tui.terminal.backpressure import READ_FIRST

PAUSED, RUNNING, PAST, DIVERGED = "paused", "running", "at the past", "diverged"
REPLAYING = "replaying"

_STYLES = {
    PAUSED: "bold $text-primary",
    RUNNING: "bold $text-success",
    REPLAYING: "bold $text-success",
    PAST: "bold $text-warning",
    DIVERGED: "bold $text-error reverse",
}


def loss_text(loss: float | None) -> str:
    """A reported loss in six digits; a dash before there is one."""
    return "-" if loss is None else f"{loss:.6g}"


def fits_beside(left: Content, state_hash: str, width: int) -> bool:
    """Whether all of ``left`` has room on a line of ``width`` that ends with the hash."""
    return left.cell_length <= width - len(state_hash) - 4


def beside_hash(left: Content, state_hash: str, width: int) -> Content:
    """A line of ``width``: ``left``, cut where it has no room, and the hash at the right."""
    room = max(width - len(state_hash) - 2, 0)
    cut = left.truncate(room, ellipsis=True, pad=True)
    return Content.assemble(cut, "  ", (state_hash, "$foreground-muted"))


class StatusLine(Widget):
    """Two lines: preset, seed, state and hash; update, epoch, loss, goal and speed."""

    DEFAULT_CLASSES = READ_FIRST
    DEFAULT_CSS = """
    StatusLine { height: 2; padding: 0 1; background: $panel; color: $foreground; }
    """

    content: reactive[StatusContent | None] = reactive(None)
    """What is shown; None before the run is shown for the first time."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._preset = preset

    def fits(self, note: str) -> bool:
        """Whether there is room for all of ``note``."""
        if self.content is None:
            return True
        left, state_hash = self._left(self.content, note), self.content.snapshot.state_hash
        return fits_beside(left, state_hash, self.size.width)

    def _left(self, content: StatusContent, note: str) -> Content:
        """The first line but for the hash."""
        snapshot = content.snapshot
        return Content.assemble(
            (self._preset.name, "bold"),
            f" / {self._branch(snapshot.branch)}" if content.branches > 1 else "",
            "  " if f"seed {snapshot.seed}" in snapshot.branch else f"  seed {snapshot.seed}  ",
            (content.state, _STYLES[content.state]),
            f"  {note}",
        )

    def render(self) -> Content:
        """Both lines, cut to the width; the hash stands at the right."""
        content = self.content
        if content is None:
            return Content("")
        snapshot = content.snapshot
        left = self._left(content, content.note)
        first = beside_hash(left, snapshot.state_hash, self.size.width)
        head = f" of {snapshot.head:,}" if snapshot.update < snapshot.head else ""
        head += ", training" if content.training else ""
        reached = snapshot.solved
        second = Content.assemble(
            f"update {snapshot.update:,}{head}  epoch {snapshot.epoch:,}  loss ",
            (loss_text(snapshot.loss), "bold"),
            (
                "  solved" if reached else f"  goal {content.goal.loss:g}",
                "$text-success" if reached else "",
            ),
            f"  speed {content.speed}" if content.speed != "full" else "",
        )
        return Content("\n").join([first, second.truncate(self.size.width, ellipsis=True)])

    def _branch(self, name: str) -> str:
        """The name of a branch, shortened where the note would have no room."""
        most = max(self.size.width // 5, 8)
        return name if len(name) <= most else f"{name[: most - 1]}…"
