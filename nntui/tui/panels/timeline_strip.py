"""The timeline strip: the updates of the branch, its cursor, and marks of what happened."""

from rich.segment import Segment
from rich.style import Style
from textual.events import MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline.history.events import CHANGED, DIED, GOAL, MINIMUM, NOT_FINITE, REVIVED, ROSE
from nntui.tui.actions import TIMELINE
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.panel import Panel, tsv
from nntui.tui.panels.plot_content import Travelled

LABEL = 7
"""Columns left of the strip."""
SHAPE, ENDED, PRINTED = "shape", "ended", "printed"
"""What happens to a program of the person's own, beside what happens to a preset."""
MARKS = {
    NOT_FINITE: ("x", "bad"),
    CHANGED: ("*", "mark"),
    GOAL: ("g", "good"),
    DIED: ("d", "bad"),
    REVIVED: ("r", "good"),
    ROSE: ("^", "bad"),
    MINIMUM: ("m", "good"),
    SHAPE: ("s", "bad"),
    ENDED: ("e", "mark"),
    PRINTED: ("p", "mark"),
}
"""A letter and a role by kind of event; where several share a cell, the first listed is shown."""
CHECKPOINT, FORK = ("c", "mark"), ("Y", "mark")


class Timeline(Panel):
    """Two lines: the updates of the branch with the cursor, and marks below them."""

    COMPONENT_CLASSES = {
        f"timeline--{role}"
        for role in ("label", "shared", "past", "future", "cursor", "mark", "good", "bad")
    }
    DEFAULT_CSS = """
    Timeline {
        height: 2; padding: 0 1; border: none; background: $panel;
        &:focus { border: none; }
        &:focus .timeline--label { color: $text-accent; text-style: bold; }
    }
    Timeline .timeline--label { color: $foreground-muted; }
    Timeline .timeline--shared { color: $foreground-muted; }
    Timeline .timeline--past { color: $text-primary; }
    Timeline .timeline--future { color: $foreground-disabled; }
    Timeline .timeline--cursor { color: $text-warning; text-style: bold; }
    Timeline .timeline--mark { color: $foreground; text-style: bold; }
    Timeline .timeline--good { color: $text-success; text-style: bold; }
    Timeline .timeline--bad { color: $text-error; text-style: bold; }
    """
    BINDINGS = bindings(TIMELINE)

    explained = (
        "The updates of this branch from 0 to the head, the furthest that was trained. The bright "
        "block is the cursor: all panels show its update. A double line is the past shared with "
        "the branch it came from, the thin line the future that was. Marks below: c checkpoint, "
        "Y another branch parts here, * something was changed, d a unit died, r one revived, "
        "m the lowest loss, ^ the loss rose sharply (it doubled within an epoch), g the goal is "
        "reached, x a number is not finite; of a program of your own also p it printed, s a shape "
        "changed, e it ended. A unit's mark is placed when it is looked at, every "
        "64 updates or more; the keys that go to an event find the exact update. Click or drag, "
        "or use the keys below while the focus is here."
    )

    snapshot: reactive[Travelled | None] = reactive(None)
    """The run at its cursor."""

    class Sought(Message):
        """Somebody wants to see another update."""

        def __init__(self, update: int) -> None:
            super().__init__()
            self.update = update

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Timeline"
        self._dragged = False

    @property
    def _room(self) -> tuple[int, str]:
        """The cells of the strip, and the text behind it."""
        head = 0 if self.snapshot is None else self.snapshot.head
        text = f" {head:,}"
        return max(self.content_size.width - LABEL - len(text), 2), text

    def _cell(self, update: int) -> int:
        """The cell in which ``update`` lies."""
        assert self.snapshot is not None
        cells, head = self._room[0], max(self.snapshot.head, 1)
        return min(update * (cells - 1) // head, cells - 1)

    def update_at(self, cell: int) -> int:
        """The update that a click on ``cell`` means; the last cell is the head."""
        if self.snapshot is None:
            return 0
        cells, head = self._room[0], self.snapshot.head
        cell = min(max(cell, 0), cells - 1)
        return head if cell == cells - 1 else -(-cell * head // (cells - 1))

    def render_line(self, y: int) -> Strip:
        """The strip, or the marks."""
        width = self.content_size.width
        if self.snapshot is None or y > 1:
            return Strip.blank(width, self.rich_style)
        cells = self._line(self.snapshot) if y == 0 else self._marks(self.snapshot)
        label = ("time 0 " if y == 0 else "marks ").ljust(LABEL)
        segments = [Segment(label, self._style("label"))]
        start = 0
        for at in range(1, len(cells) + 1):
            if at == len(cells) or cells[at][1] != cells[start][1]:
                text = "".join(character for character, _ in cells[start:at])
                segments.append(Segment(text, self._style(cells[start][1])))
                start = at
        if y == 0:
            segments.append(Segment(self._room[1], self._style("label")))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"timeline--{role}")

    def _line(self, snapshot: Travelled) -> list[tuple[str, str]]:
        cursor, shared = self._cell(snapshot.update), self._cell(snapshot.forked_at)
        return [
            ("█", "cursor")
            if cell == cursor
            else ("═", "shared")
            if cell < shared
            else ("━", "past")
            if cell < cursor
            else ("─", "future")
            for cell in range(self._room[0])
        ]

    def _marks(self, snapshot: Travelled) -> list[tuple[str, str]]:
        cells = [(" ", "label")] * self._room[0]
        for mark, updates in (
            (CHECKPOINT, snapshot.checkpoints),
            (FORK, [fork for fork in snapshot.forks if fork > 0]),
        ):
            for update in updates:
                cells[self._cell(update)] = mark
        kinds = list(MARKS)
        for event in sorted(snapshot.events, key=lambda each: -kinds.index(each.kind)):
            cells[self._cell(event.by)] = MARKS[event.kind]
        return cells

    def copied(self) -> str:
        """The events: up to which update, and what happened."""
        if self.snapshot is None:
            return ""
        rows = [(event.by, event.text) for event in self.snapshot.events]
        return tsv([("update", "event"), *rows]) if rows else ""

    def action_scrub(self, by: int) -> None:
        """Move the cursor by some updates, within what was trained."""
        if self.snapshot is not None:
            wanted = min(max(self.snapshot.update + by, 0), self.snapshot.head)
            self.post_message(self.Sought(wanted))

    def action_scrub_to(self, update: int) -> None:
        """Move the cursor to ``update``; -1 is the head."""
        if self.snapshot is not None:
            self.post_message(self.Sought(self.snapshot.head if update < 0 else update))

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take the cursor along from here on."""
        self._dragged = True
        self.capture_mouse()
        self._seek(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Take the cursor along."""
        if self._dragged:
            self._seek(event.x)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Leave the cursor where it is."""
        self._dragged = False
        self.release_mouse()

    def _seek(self, x: int) -> None:
        padding = self.gutter.left
        self.post_message(self.Sought(self.update_at(x - padding - LABEL)))
