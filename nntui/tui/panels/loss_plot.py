"""The plot panel: the reported loss by epoch, or what is measured along the branch."""

from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.timeline.views.curve import Curve
from nntui.tui.actions import PLOT
from nntui.tui.drawing.plotting import AXIS_ROWS, Cells, draw_curve
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.panel import Panel, colours_of, set_caption, tsv
from nntui.tui.panels.plot_content import Plotted

MOST_COPIED = 2000
"""Epochs that are copied: what a terminal takes at once is limited."""
LEAST = 3
"""Rows that a picture needs."""
FEW = 2
"""Rows above the x axis in which the losses are shown in their own range, with one label."""
MOST_TICKS = 9
"""Labels of the y axis, at most."""


class LossPlot(Panel):
    """The reported loss over epochs, its goal, and the future that was before going back."""

    COMPONENT_CLASSES = {
        "loss-plot--past",
        "loss-plot--future",
        "loss-plot--other",
        "loss-plot--ghost",
        "loss-plot--goal",
        "loss-plot--floor",
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
    LossPlot .loss-plot--floor { color: $text-error; }
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
        "The reported loss (what the program prints) of every finished epoch, or of those for "
        "which it is printed. Where it goes up and down within few columns, the line is its mean "
        "and the shaded band what it fills. The green line is the goal, if that is near enough to "
        "be in the picture; a red line (= without colours) is a floor that the Why panel has "
        "proven: as things are, the loss cannot fall below it. After going back, the part beyond "
        "the cursor stays, dim: it is the future that was, and the same updates lead there again. "
        "A red x marks an epoch whose loss is infinite or not a number; losses at or below 0 "
        "cannot be shown on a logarithmic axis and are counted at the bottom instead. Where "
        "another branch is overlaid, it is drawn in another colour (without colours, in + signs) "
        "from the fork on; the line below names it as B and says at which update, and in which "
        "tensor, it first differs from A. Dotted lines behind the curve are all other branches "
        "that have losses, earlier seeds among them, from where they part; a key below takes them "
        "away. Other plots, by the keys below, are measured at the states that the run keeps: the "
        "training loss (which the gradient belongs to), the loss on test rows (t; r is the same on "
        "training rows), and a line a layer, ending in its number: the norm of the gradient, of "
        "the step beside the weights, and dead units. With B overlaid, its lines are there too, in "
        "B's colour or in + signs. With the focus here, left and right move an inspector line, "
        "which the title reads; Enter goes there."
    )

    content: reactive[Plotted | None] = reactive(None)
    """What is shown; None before the run is shown for the first time."""
    inspected: reactive[int | None] = reactive(None)
    """Where the inspector line stands, in finished epochs; None for no line."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Cells] = []
        self._message = ""
        self._left = 0
        """Columns left of the picture."""

    def copied(self) -> str:
        """Epoch (or update) and loss, also of B; the last ones where there are many."""
        content = self.content
        return tsv(content.table(MOST_COPIED)) if content is not None and content.last else ""

    def watch_content(self) -> None:
        """Draw anew."""
        self._draw()

    def watch_inspected(self) -> None:
        """Draw anew."""
        self._draw()

    def on_resize(self) -> None:
        """Draw anew."""
        self._draw()

    @property
    def _range(self) -> tuple[int, int]:
        """The first and the last finished epoch in the picture."""
        content = self.content
        return (0, 0) if content is None else (content.start, content.last)

    def _look(self, by: int) -> None:
        """Move the inspector line, which first stands at the cursor."""
        content = self.content
        if content is None or not content.last:
            return
        at = self.inspected
        moved = content.cursor if at is None else at + by
        self.inspected = min(max(moved, content.start, 1), content.last)

    def action_look(self, by: int) -> None:
        """Move the inspector line by some epochs."""
        self._look(by)

    def action_look_to(self, place: int) -> None:
        """Move the inspector line to the first epoch, or to the last."""
        self.inspected = None
        self._look(0)
        last = self._range[1]
        self._look(-last if place == 0 else last)

    def action_look_away(self) -> None:
        """Take the inspector line away."""
        self.inspected = None

    def action_go(self) -> None:
        """Go to the inspected epoch."""
        if self._inspected is not None:
            self.post_message(self.Sought(self._inspected))

    def on_click(self, event: Click) -> None:
        """Read the epoch under the mouse; a second click there goes to it."""
        inside = event.get_content_offset(self)
        first, last = self._range
        canvas = self.content_size.width - self._left
        if inside is None or not self._rows or canvas < 2 or inside.x < self._left:
            return
        at = first + round((inside.x - self._left) / (canvas - 1) * (last - first))
        at = min(max(at, first, 1), last)
        if event.chain > 1 and self.inspected is not None:
            self.action_go()
        else:
            self.inspected = at

    @property
    def _inspected(self) -> int | None:
        """The inspected epoch, counted from 1, within what is shown."""
        at, (first, last) = self.inspected, self._range
        return None if at is None else min(max(at, first, 1), last)

    def _draw(self) -> None:
        width, height = self.content_size
        content, self._rows = self.content, []
        if content is None or width < 20 or height < LEAST:
            self._message = "no room to draw"
            return
        if not content.last:
            self._message = content.nothing
            set_caption(self, content.title, "")
            self.refresh()
            return
        coloured = colours_of(self.app) is not None
        rows = height - AXIS_ROWS
        curve = content.curve(width, 1 if rows <= FEW else min(max(rows // 2, 2), MOST_TICKS))
        self._caption(curve, content)
        at = self._inspected
        self._left = 1 + max((len(text) for _, text in curve.ticks), default=0)
        self._rows = draw_curve(curve, width, height, coloured=coloured, inspected=at)
        self.refresh()

    def _caption(self, curve: Curve, content: Plotted) -> None:
        axis, at = "log" if content.log else "linear", self._inspected
        name, room = content.title, self.size.width - 6
        title = f"{name} ({axis} axis, by {content.unit})"
        if at is not None:
            reading = content.reading(at)
            titles = (f"{name} ({axis}), {reading}", f"{name}, {reading}")
            cut = reading if len(reading) <= room else f"{reading[: room - 3]}..."
            title = next((each for each in titles if len(each) <= room), cut)
        set_caption(self, title, content.below(curve, room))

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
