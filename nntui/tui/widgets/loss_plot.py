"""The loss plot: the reported loss of every epoch, up to the cursor and beyond it."""

from dataclasses import dataclass

from rich.segment import Segment
from textual.markup import escape
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline import Snapshot
from nntui.timeline.curve import Curve, Overlay, make_curve
from nntui.tui.actions import fill_keys
from nntui.tui.plotting import Cells, draw_curve
from nntui.tui.widgets.panel import Panel

TITLE = "Loss"
MOST_COPIED = 2000
"""Epochs that are copied: what a terminal takes at once is limited."""
LEAST = 3
"""Rows that a picture needs."""


@dataclass(frozen=True)
class Overlaid:
    """Another branch over the one that is shown."""

    overlay: Overlay
    name: str
    """What it is called."""
    difference: str
    """Where the two first differ."""

    def caption(self, width: int) -> str:
        """At most ``width`` columns; the name gives way to the finding."""
        for text in (f"B {self.name}: {self.difference}", f"B {self.difference}"):
            if len(text) <= width:
                return text
        return f"{text[: max(width - 3, 0)]}..."


class LossPlot(Panel):
    """The reported loss over epochs, its goal, and the future that was before going back."""

    COMPONENT_CLASSES = {
        "loss-plot--past",
        "loss-plot--future",
        "loss-plot--other",
        "loss-plot--goal",
        "loss-plot--cursor",
        "loss-plot--bad",
        "loss-plot--axis",
    }
    DEFAULT_CSS = """
    LossPlot .loss-plot--past { color: $text-primary; text-style: bold; }
    LossPlot .loss-plot--future { color: $foreground-disabled; }
    LossPlot .loss-plot--other { color: #d787d7; }
    LossPlot:light .loss-plot--other { color: #870087; }
    LossPlot .loss-plot--goal { color: $text-success; }
    LossPlot .loss-plot--cursor { color: $text-warning; }
    LossPlot .loss-plot--bad { color: $text-error; text-style: bold; }
    LossPlot .loss-plot--axis { color: $foreground-muted; }
    """

    explained = (
        "The reported loss (what the program prints) of every finished epoch. The green line is "
        "the goal. After going back, the part beyond the cursor stays, dim: it is the future "
        "that was, and the same updates lead there again. A red x marks an epoch whose loss is "
        "infinite or not a number; losses at or below 0 cannot be shown on a logarithmic axis "
        "and are counted at the bottom instead. Where another branch is overlaid, it is drawn in "
        "another colour (without colours, in + signs) from the fork on; the line below names it "
        "as B and says at which update, and in which tensor, it first differs from A."
    )

    snapshot: reactive[Snapshot | None] = reactive(None)
    """The run at its cursor."""
    overlaid: reactive[Overlaid | None] = reactive(None)
    """The other branch that is drawn too, from the next snapshot on."""
    log_axis: reactive[bool] = reactive(True)
    """Whether the loss axis is logarithmic."""

    goal: reactive[float] = reactive(0.0)
    """The reported loss that counts as solved, from the next snapshot on."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Cells] = []
        self._message = ""

    def copied(self) -> str:
        """Epoch and reported loss, the last ones where there are many."""
        snapshot = self.snapshot
        if snapshot is None or not snapshot.epochs:
            return ""
        first = max(snapshot.epochs - MOST_COPIED, 0)
        losses = snapshot.losses.read(first, snapshot.epochs).tolist()
        return "".join(f"{epoch}\t{loss!r}\n" for epoch, loss in enumerate(losses, start=first))

    def watch_snapshot(self) -> None:
        """Draw anew."""
        self._draw()

    def watch_log_axis(self) -> None:
        """Draw anew."""
        self._draw()

    def on_resize(self) -> None:
        """Draw anew."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.content_size
        snapshot, self._rows = self.snapshot, []
        if snapshot is None or width < 20 or height < LEAST:
            self._message = "no room to draw"
            return
        if not snapshot.epochs:
            self._message = fill_keys("no epoch is finished yet; {one_epoch} trains one")
            self.border_title, self.border_subtitle = TITLE, ""
            self.refresh()
            return
        overlaid = self.overlaid
        coloured = not self.app.no_color and self.app.console.color_system is not None
        curve = make_curve(
            snapshot.losses,
            snapshot.epochs,
            snapshot.epoch,
            self.goal,
            log=self.log_axis,
            bins=2 * width,
            most_ticks=max(height // 2, 2),
            overlay=None if overlaid is None else overlaid.overlay,
        )
        self._caption(curve)
        self._rows = draw_curve(curve, width, height, coloured=coloured)
        self.refresh()

    def _caption(self, curve: Curve) -> None:
        # Only a changed caption is set, because setting one repaints the whole panel.
        title = f"{TITLE} ({'log' if self.log_axis else 'linear'} axis, by epoch)"
        parts = []
        if curve.hidden:
            parts.append(f"{curve.hidden:,} at or below 0: not on a log axis")
        if len(curve.not_finite):
            parts.append(f"{len(curve.not_finite):,} not finite: x")
        if self.overlaid is not None:
            room = self.size.width - 6 - sum(len(part) + 2 for part in parts)
            colour = self.get_component_styles("loss-plot--other").color.hex6
            parts.append(f"[{colour}]{escape(self.overlaid.caption(room))}[/]")
        subtitle = "; ".join(parts)
        if self.border_title != title:
            self.border_title = title
        if (self.border_subtitle or "") != subtitle:
            self.border_subtitle = subtitle

    def _strip(self, cells: Cells) -> Strip:
        return Strip(
            [
                Segment(text, self.get_component_rich_style(f"loss-plot--{role}", partial=False))
                for text, role in cells
            ]
        )

    def render_line(self, y: int) -> Strip:
        """One row of the picture, or a message in its place."""
        if y < len(self._rows):
            return self._strip(self._rows[y])
        text = self._message if y == 0 and not self._rows else ""
        width = self.content_size.width
        return Strip([Segment(text.ljust(width)[:width], self.rich_style)])
