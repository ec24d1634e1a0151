"""The status line: where the run is, always visible."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from nntui.presets.preset import Goal, Preset
from nntui.timeline import Snapshot

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


class StatusLine(Widget):
    """Two lines: preset, seed, state and hash; update, epoch, loss, goal and speed."""

    DEFAULT_CSS = """
    StatusLine { height: 2; padding: 0 1; background: $panel; color: $foreground; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    """The run at its cursor."""
    state: reactive[str] = reactive(PAUSED)
    """`PAUSED`, `RUNNING`, `REPLAYING`, `PAST` or `DIVERGED`."""
    note: reactive[str] = reactive("")
    """What just happened, in a few words."""
    speed: reactive[str] = reactive("")
    """How fast a run goes."""
    training: reactive[bool] = reactive(False)
    """Whether the head is trained while the past is looked at."""
    branches: reactive[int] = reactive(1)
    """How many branches there are."""

    goal: reactive[Goal] = reactive(Goal(loss=0.0, epochs=0))
    """The goal at the cursor."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._preset = preset
        self.set_reactive(StatusLine.goal, preset.goal)

    def mirror(self, other: "StatusLine") -> None:
        """Show what another status line shows."""
        for name in ("snapshot", "state", "note", "speed", "training", "branches", "goal"):
            setattr(self, name, getattr(other, name))

    def fits(self, note: str) -> bool:
        """Whether there is room for all of ``note``."""
        if self.snapshot is None:
            return True
        room = self.size.width - len(self.snapshot.state_hash) - 4
        return self._left(self.snapshot, note).cell_length <= room

    def _left(self, snapshot: Snapshot, note: str) -> Content:
        """The first line but for the hash."""
        return Content.assemble(
            (self._preset.name, "bold"),
            f" / {self._branch(snapshot.branch)}" if self.branches > 1 else "",
            "  " if f"seed {snapshot.seed}" in snapshot.branch else f"  seed {snapshot.seed}  ",
            (self.state, _STYLES[self.state]),
            f"  {note}",
        )

    def render(self) -> Content:
        """Both lines, cut to the width; the hash stands at the right."""
        snapshot, goal = self.snapshot, self.goal
        if snapshot is None:
            return Content("")
        left = self._left(snapshot, self.note)
        room = self.size.width - len(snapshot.state_hash) - 2
        left = left.truncate(max(room, 0), ellipsis=True, pad=True)
        first = Content.assemble(left, "  ", (snapshot.state_hash, "$foreground-muted"))
        head = f" of {snapshot.head:,}" if snapshot.update < snapshot.head else ""
        head += ", training" if self.training else ""
        reached = snapshot.solved
        second = Content.assemble(
            f"update {snapshot.update:,}{head}  epoch {snapshot.epoch:,}  loss ",
            (loss_text(snapshot.loss), "bold"),
            (
                "  solved" if reached else f"  goal {goal.loss:g}",
                "$text-success" if reached else "",
            ),
            f"  speed {self.speed}" if self.speed != "full" else "",
        )
        return Content("\n").join([first, second.truncate(self.size.width, ellipsis=True)])

    def _branch(self, name: str) -> str:
        """The name of a branch, shortened where the note would have no room."""
        most = max(self.size.width // 5, 8)
        return name if len(name) <= most else f"{name[: most - 1]}…"
