"""The plot: the reported loss of every epoch, or what is measured along the branch."""

from dataclasses import dataclass

from rich.segment import Segment
from textual.markup import escape
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline import Snapshot
from nntui.timeline.views.curve import Curve, Overlay, make_chart, make_curve, recent
from nntui.timeline.views.ghost_curves import Ghosts
from nntui.timeline.views.measurements import REPORTED, TEST, Measurement, Plot, nearest, series
from nntui.tui.actions import PLOT, bindings, fill_keys
from nntui.tui.drawing.plotting import Cells, draw_curve
from nntui.tui.drawing.shortening import shortened
from nntui.tui.panels.panel import Panel, colours_of

MOST_COPIED = 2000
"""Epochs that are copied: what a terminal takes at once is limited."""
LEAST = 3
"""Rows that a picture needs."""
LEAST_MEASURED = 10
"""Measured states that are shown at least, however recent."""
MARGIN = 7
"""Columns that the y axis takes, about."""


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
        return shortened(text, width)


class LossPlot(Panel):
    """The reported loss over epochs, its goal, and the future that was before going back."""

    COMPONENT_CLASSES = {
        "loss-plot--past",
        "loss-plot--future",
        "loss-plot--other",
        "loss-plot--ghost",
        "loss-plot--goal",
        "loss-plot--cursor",
        "loss-plot--bad",
        "loss-plot--axis",
    }
    DEFAULT_CSS = """
    LossPlot .loss-plot--past { color: $text-primary; text-style: bold; }
    LossPlot .loss-plot--future { color: $foreground-disabled; }
    LossPlot .loss-plot--other { color: $overlaid; }
    LossPlot .loss-plot--ghost { color: $foreground-muted; }
    LossPlot .loss-plot--goal { color: $text-success; }
    LossPlot .loss-plot--cursor { color: $text-warning; }
    LossPlot .loss-plot--bad { color: $text-error; text-style: bold; }
    LossPlot .loss-plot--axis { color: $foreground-muted; }
    """

    BINDINGS = bindings(PLOT)

    class Sought(Message):
        """Somebody wants to see the end of an epoch, counted from 1."""

        def __init__(self, epoch: int) -> None:
            super().__init__()
            self.epoch = epoch

    explained = (
        "The reported loss (what the program prints) of every finished epoch. The green line is "
        "the goal. After going back, the part beyond the cursor stays, dim: it is the future "
        "that was, and the same updates lead there again. A red x marks an epoch whose loss is "
        "infinite or not a number; losses at or below 0 cannot be shown on a logarithmic axis "
        "and are counted at the bottom instead. Where another branch is overlaid, it is drawn in "
        "another colour (without colours, in + signs) from the fork on; the line below names it "
        "as B and says at which update, and in which tensor, it first differs from A. "
        "Dotted lines behind the curve are all other branches that have losses, earlier seeds "
        "among them, from where they part; a key below takes them away. "
        "Other plots, by the keys below, are measured at the states that the run keeps: the "
        "training loss (which the gradient belongs to), the loss on test rows (t; r is the same "
        "on training rows), and a line a layer, ending in its number: the norm of the gradient, "
        "of the step beside the weights, and dead units. With B overlaid, its lines are there "
        "too, in B's colour or in + signs. With the focus here, left and right "
        "move an inspector line, which the title reads; Enter goes there."
    )

    plot: reactive[Plot] = reactive(REPORTED)
    """What is plotted, from the next snapshot on."""
    measured: reactive[tuple[Measurement, ...]] = reactive(())
    """The branch, measured, where ``plot`` needs it, likewise."""
    measured_other: reactive[tuple[Measurement, ...]] = reactive(())
    """Likewise the overlaid branch, from where it parted."""
    ghosts: reactive[Ghosts] = reactive(Ghosts())
    """The other branches behind the losses, from the next snapshot on."""
    recent: reactive[bool] = reactive(False)
    """Whether only the last epochs are shown."""
    inspected: reactive[int | None] = reactive(None)
    """Where the inspector line stands, in finished epochs; None for no line."""
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

    def watch_recent(self) -> None:
        """Draw anew."""
        self._draw()

    def watch_inspected(self) -> None:
        """Draw anew."""
        self._draw()

    def on_resize(self) -> None:
        """Draw anew."""
        self._draw()

    @property
    def _start(self) -> int:
        """The finished epochs at which the picture begins."""
        start = recent(self._epochs) if self.recent else 0
        few = self.measured[-LEAST_MEASURED:]
        return min(start, int(few[0].epochs)) if few and self.plot is not REPORTED else start

    @property
    def _epochs(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.epochs

    def _look(self, by: int) -> None:
        """Move the inspector line, which first stands at the cursor."""
        snapshot = self.snapshot
        if snapshot is None or not snapshot.epochs:
            return
        at = self.inspected
        moved = snapshot.epoch if at is None else at + by
        self.inspected = min(max(moved, self._start, 1), snapshot.epochs)

    def action_look(self, by: int) -> None:
        """Move the inspector line by a column, and by one epoch at least."""
        width = max(self.content_size.width - MARGIN, 1)
        self._look(by * max((self._epochs - self._start) // width, 1))

    def action_look_one(self, by: int) -> None:
        """Move the inspector line by one epoch."""
        self._look(by)

    def action_look_to(self, place: int) -> None:
        """Move the inspector line to the first epoch, or to the last."""
        self.inspected = None
        self._look(0)
        self._look(-self._epochs if place == 0 else self._epochs)

    def action_look_away(self) -> None:
        """Take the inspector line away."""
        self.inspected = None

    def action_go(self) -> None:
        """Go to the inspected epoch."""
        if self._inspected is not None:
            self.post_message(self.Sought(self._inspected))

    @property
    def _inspected(self) -> int | None:
        """The inspected epoch, counted from 1, within what is shown."""
        at = self.inspected
        return None if at is None else min(max(at, self._start, 1), self._epochs)

    def _draw(self) -> None:
        width, height = self.content_size
        snapshot, self._rows = self.snapshot, []
        if snapshot is None or width < 20 or height < LEAST:
            self._message = "no room to draw"
            return
        if not snapshot.epochs:
            self._message = fill_keys("no epoch is finished yet; {one_epoch} trains one")
            self.border_title, self.border_subtitle = self.plot.title, ""
            self.refresh()
            return
        coloured = colours_of(self.app) is not None
        curve = self._curve(snapshot, width, max(height // 2, 2))
        at = self._inspected
        self._caption(curve, snapshot)
        self._rows = draw_curve(curve, width, height, coloured=coloured, inspected=at)
        self.refresh()

    def _curve(self, snapshot: Snapshot, width: int, most_ticks: int) -> Curve:
        if self.plot is not REPORTED:
            return make_chart(
                series(self.plot, self.measured),
                snapshot.epochs,
                snapshot.epoch if snapshot.update < snapshot.head else None,
                self.goal if self.plot is TEST else None,
                log=self._log,
                most_ticks=most_ticks,
                start=self._start,
                counts=self.plot.counts,
                others=series(self.plot, self.measured_other),
            )
        return make_curve(
            snapshot.losses,
            snapshot.epochs,
            snapshot.epoch,
            self.goal,
            log=self.log_axis,
            bins=2 * width,
            most_ticks=most_ticks,
            overlay=None if self.overlaid is None else self.overlaid.overlay,
            ghosts=self.ghosts.curves,
            start=self._start,
        )

    @property
    def _log(self) -> bool:
        return self.log_axis and not self.plot.counts

    def _reading(self, snapshot: Snapshot, at: int) -> str:
        """What the inspector line reads: of what is measured, the nearest."""
        if self.plot is REPORTED:
            text = f"epoch {at:,}: {snapshot.losses[at - 1]:.6g}"
            other = None if self.overlaid is None else self.overlaid.overlay
            known = other is not None and at <= other.epochs
            return text + (f"  B {other.losses[at - 1]:.6g}" if other and known else "")
        if not self.measured:
            return f"epoch {at:,}"
        text = self._values(self.measured, at)
        theirs = self.measured_other
        if not theirs or theirs[0].epochs > at:
            return text
        return text + f"  B at {self._values(theirs, at)[7:]}"

    def _values(self, measured: tuple[Measurement, ...], at: int) -> str:
        near = nearest(measured, at)
        lines = series(self.plot, measured)
        values = "  ".join(f"{name} {y[near]:.3g}".strip() for name, _, y in lines)
        return f"update {measured[near].update:,}: {values}"

    def _caption(self, curve: Curve, snapshot: Snapshot) -> None:
        # Only a changed caption is set, because setting one repaints the whole panel.
        axis, at = "log" if self._log else "linear", self._inspected
        title = f"{self.plot.title} ({axis} axis, by epoch)"
        if at is not None:
            reading = self._reading(snapshot, at)
            titles = (f"{self.plot.title} ({axis}), {reading}", f"{self.plot.title}, {reading}")
            room = self.size.width - 6
            cut = reading if len(reading) <= room else f"{reading[: room - 3]}..."
            title = next((each for each in titles if len(each) <= room), cut)
        parts = []
        if curve.hidden:
            parts.append(f"{curve.hidden:,} at or below 0: not on a log axis")
        if len(curve.not_finite):
            parts.append(f"{len(curve.not_finite):,} not finite: x")
        if self.plot is not REPORTED:
            parts.append(f"measured at {len(self.measured)} updates")
        elif self.ghosts.text:
            parts.append(self._told_of_ghosts(curve, sum(len(part) + 2 for part in parts)))
        if self.overlaid is not None:
            room = self.size.width - 6 - sum(len(part) + 2 for part in parts)
            parts.append(f"[$overlaid]{escape(self.overlaid.caption(room))}[/]")
        subtitle = "; ".join(parts)
        if self.border_title != title:
            self.border_title = title
        if (self.border_subtitle or "") != subtitle:
            self.border_subtitle = subtitle

    def _told_of_ghosts(self, curve: Curve, taken: int) -> str:
        """What is dotted, in the words that leave room for B, with ``taken`` columns gone."""
        beyond = f", {curve.beyond} beyond the picture" if curve.beyond else ""
        long = f"dotted: {self.ghosts.text}{beyond}"
        needed = 0 if self.overlaid is None else len(f"; B {self.overlaid.difference}")
        fits = taken + len(long) + needed <= self.size.width - 6
        return long if fits else f"{len(curve.ghosts)} dotted"

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
