"""The output panel: what the network has learned, as a curve, a surface, a table or a graph."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nntui.core.number_text import number_text, numbers_text
from nntui.timeline.views.outputs import Confusion, FitCurve, Graph, Picture, Samples, Surface
from nntui.tui.actions import OUTPUT
from nntui.tui.drawing.cells import Look
from nntui.tui.drawing.class_colours import class_legend
from nntui.tui.drawing.network_graph import draw_graph
from nntui.tui.drawing.palette import legend
from nntui.tui.drawing.plotting import draw_fit
from nntui.tui.drawing.shortening import shortened
from nntui.tui.drawing.surface import GUTTER, draw_surface, points_in
from nntui.tui.drawing.tables import draw_confusion, draw_table, sample_at
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.content import OutputContent
from nntui.tui.panels.panel import StripPanel, colours_of, draws_ascii, set_caption, tsv

Rows = list[list[Segment]]
LEAST_WIDTH, LEAST_HEIGHT = 20, 4
NARROW = 48
"""Below this many columns the last line says y and a for target and output."""


class OutputPanel(StripPanel):
    """One picture of the outputs, with a chosen sample that is read out below it."""

    COMPONENT_CLASSES = {
        f"output--{role}"
        for role in (
            *("past", "goal", "other", "testing", "cursor", "axis"),
            *("label", "value", "chosen", "wrong"),
        )
    }
    DEFAULT_CSS = """
    OutputPanel .output--past { color: $text-primary; text-style: bold; }
    OutputPanel .output--goal { color: $text-success; }
    OutputPanel .output--other { color: $overlaid; }
    OutputPanel .output--testing { color: $text-accent; text-style: bold; }
    OutputPanel .output--cursor { color: $text-warning; }
    OutputPanel .output--axis { color: $foreground-muted; }
    OutputPanel .output--label { color: $foreground-muted; }
    OutputPanel .output--value { color: $foreground; }
    OutputPanel .output--chosen { color: $text-accent; text-style: bold reverse; }
    OutputPanel .output--wrong { color: $text-error; }
    """
    BINDINGS = bindings(OUTPUT)

    explained = (
        "What the network has learned, in the data's own units. One input: its curve, bright, "
        "beside the targets (o, or a line; t are test rows). Two inputs: the surface of its "
        "output from above, orange above the centre and blue below, or in - and shades without "
        "colours; samples are o (target above) or x, on the colour of their target, and with "
        "several classes each place has the colour (or the texture) of the one that wins, paler "
        "where it is less sure, and each sample is its class's number. More inputs: a table, "
        "wrong classes marked. Other views: the curve or surface of the unit under the heatmap's "
        "cursor, how classes are confused, and the network drawn as a graph: orange weights are "
        "positive, blue ones negative, full lines are near the layer's largest and dotted ones "
        "smaller. Where another branch is overlaid, its curve is drawn too (in the colour of B, or "
        "in + signs) and the table has its column; of surfaces, confused classes and graphs there "
        "is A, B, or A minus B, as in the heatmap. With the focus here, the arrow keys choose a "
        "sample; the last line reads it."
    )

    content: reactive[OutputContent | None] = reactive(None)
    """What is drawn; None until the panel is on the screen."""
    sample: reactive[int] = reactive(0)
    """The data row that is read out."""

    class Wanted(Message):
        """The panel has another size, and needs a picture that fits."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Output"
        self._drawn_in = (0, 0)
        """How many points fitted when a picture was asked for last."""

    @property
    def picture(self) -> Picture | None:
        """What is drawn."""
        return None if self.content is None else self.content.picture

    def watch_content(self) -> None:
        """Draw it."""
        self.redraw()

    def watch_sample(self) -> None:
        """Read another sample."""
        self.redraw()

    def on_resize(self, event: Resize) -> None:
        """Ask for a picture that fits."""
        event.prevent_default()  # the one that there is has another size
        self._strips = []
        self._drawn_in = self.cells
        self.post_message(self.Wanted())

    def notify_style_update(self) -> None:
        """In a theme of sixteen colours, or in one of more, other points fit."""
        super().notify_style_update()
        if self.is_attached and self.size and self.cells != self._drawn_in:
            self._drawn_in = self.cells
            self.post_message(self.Wanted())

    @property
    def cells(self) -> tuple[int, int]:
        """How many columns and rows of points a picture may have; 0 where there is no room."""
        width, height = self.content_size
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return 0, 0
        return points_in(width, height - 1, self._look)

    def on_click(self, event: Click) -> None:
        """Choose the sample under the mouse, or the one nearest to it."""
        inside, samples = event.get_content_offset(self), self._samples
        if inside is None or samples is None or self.content is None:
            return
        width, height = self.content_size
        x, y = inside.x - GUTTER, inside.y
        share = x / max(width - GUTTER - 1, 1), 1 - y / max(height - 3, 1)
        match self.picture:
            case Samples():
                at = sample_at(samples, width, height - 1, self._chosen, y)
                self.sample = self.sample if at is None else at
            case Surface(x=across, y=up):
                apart = [
                    (samples.x[at] - low) / (high - low) - share[at]
                    for at, (low, high) in enumerate((across, up))
                ]
                self.sample = int(np.argmin(np.hypot(*apart)))
            case FitCurve(x=points):
                wanted = points[0] + share[0] * (points[-1] - points[0])
                self.sample = int(np.argmin(np.abs(samples.x[0] - wanted)))

    @property
    def _samples(self) -> Samples | None:
        picture = self.picture
        return picture if picture is None or isinstance(picture, Samples) else picture.samples

    def action_choose(self, by: int) -> None:
        """Choose another sample."""
        samples = self._samples
        if samples is not None:
            self.sample = min(max(self._chosen + by, 0), samples.x.shape[1] - 1)

    @property
    def _chosen(self) -> int:
        samples = self._samples
        return 0 if samples is None else min(self.sample, samples.x.shape[1] - 1)

    @property
    def _look(self) -> Look:
        dark = self.app.current_theme.dark
        wrong, label = self._style("wrong"), self._style("label")
        return Look(dark, colours_of(self.app), wrong, label, draws_ascii(self.app))

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"output--{role}")

    def redraw(self) -> None:
        """Make all lines."""
        width, height = self.content_size
        content, samples = self.content, self._samples
        if content is None or samples is None or not height:
            return
        picture = content.picture
        if width < LEAST_WIDTH or height < LEAST_HEIGHT:
            rows = [[Segment("no room to draw", self._style("label"))]]
        else:
            rows = self._drawn(picture, width, height - 1)[: height - 1]
            rows += [[] for _ in range(height - 1 - len(rows))]
            rows.append([Segment(self._readout(samples, width), self._style("value"))])
        self._caption(content)
        self.put([Strip(row).adjust_cell_length(width, self.rich_style) for row in rows])

    def copied(self) -> str:
        """Every data row: inputs, targets, outputs, whether it is a test row; those of B too."""
        samples = self._samples
        if samples is None:
            return ""
        inputs, outputs = len(samples.x), len(samples.targets)
        names = samples.input_names or tuple(f"x{at}" for at in range(inputs))
        header = ["row", *names]
        header += [f"{what} {at}" for what in ("target", "output") for at in range(outputs)]
        columns = [*samples.x, *samples.targets, *samples.predictions]
        if samples.other is not None:
            header += [f"B {at}" for at in range(len(samples.other))]
            columns += [*samples.other]
        if samples.labels is not None and samples.predicted is not None:
            header += ["class", "taken for"]
        rows = []
        for at, numbers in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
            row: list[object] = [at, *numbers]
            if samples.labels is not None and samples.predicted is not None:
                kinds = samples.names_of_classes
                row += [kinds[samples.labels[at]], kinds[samples.predicted[at]]]
            rows.append([*row, "test" if samples.testing[at] else "training"])
        return tsv([[*header, "kept for"], *rows])

    def _drawn(self, picture: Picture, width: int, height: int) -> Rows:
        look = self._look
        match picture:
            case FitCurve():
                lines = draw_fit(
                    picture, width, height, self._chosen, coloured=look.colours is not None
                )
                return [[Segment(text, self._style(role)) for text, role in row] for row in lines]
            case Surface():
                return draw_surface(picture, look, self._style("label"), self._chosen)
            case Graph():
                styles = {role: self._style(role) for role in ("label", "chosen")}
                return draw_graph(picture, width, height, look, styles)
            case Confusion():
                listed = draw_confusion(picture, width, height)
            case Samples():
                listed = draw_table(picture, width, height, self._chosen)
        return [[Segment(text, self._style(role))] for text, role in listed]

    def _caption(self, content: OutputContent) -> None:
        picture, look, below = content.picture, self._look, ""
        match picture:
            case FitCurve(name=name):
                title = f"{name} of x" if name != "output" else "prediction, target"
            case Surface(name=name, winners=None):
                title = f"surface of {name}"
                below = legend(look.dark, look.colours, number_text(picture.centre))
            case Surface():
                title = "which class wins"
                names = picture.samples.names_of_classes
                below = class_legend(names, look.dark, look.colours)
            case Graph():
                title, below = "weights", legend(look.dark, look.colours)
            case Confusion():
                title = "classes confused"
            case Samples():
                title = "row by row"
        title = f"Output {content.shown}".rstrip() + f": {title}"
        set_caption(self, title, below)

    def _readout(self, samples: Samples, width: int) -> str:
        """The chosen sample: inputs, targets, predictions."""
        at = self._chosen
        names = ("y", "a") if width < NARROW else ("target", "output")
        parts = [f"{'test row' if samples.testing[at] else 'row'} {at}"]
        if samples.labels is not None and samples.class_names and samples.predicted is not None:
            label, won = int(samples.labels[at]), int(samples.predicted[at])
            taken = "right" if label == won else f"taken for {samples.class_names[won]}"
            parts.append(f"{samples.class_names[label]}, {taken}")
            parts.append(f"{names[1]} {numbers_text(samples.predictions[:8, at], 3)}")
        else:
            parts.append(f"{names[0]} {numbers_text(samples.targets[:8, at], 4)}")
            parts.append(f"{names[1]} {numbers_text(samples.predictions[:8, at], 4)}")
        if samples.other is not None:
            parts.append(f"B {numbers_text(samples.other[:8, at], 4)}")
        if samples.input_names:
            pairs = zip(samples.input_names[:8], samples.x[:8, at].tolist(), strict=True)
            parts.append(", ".join(f"{name} {number_text(x, 4)}" for name, x in pairs))
        else:
            parts.append(f"x {numbers_text(samples.x[:8, at], 4)}")
        text = "  ".join(parts)
        return shortened(text, width)
