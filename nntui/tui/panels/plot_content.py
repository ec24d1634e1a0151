"""What the loss plot shows: its curves and measurements, of a run or of a program."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from textual.markup import escape

from nntui.core.number_text import brief, number_text
from nntui.timeline import Snapshot
from nntui.timeline.views.curve import Curve, Overlay, loss_table, make_chart, make_curve, recent
from nntui.timeline.views.ghost_curves import Ghosts
from nntui.timeline.views.measurements import REPORTED, TEST, Measurement, Plot, nearest, series
from nntui.tui.actions import fill_keys
from nntui.tui.drawing.shortening import shortened

LEAST_MEASURED = 10
"""Measurement states that are plotted at least, however recent."""


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


@dataclass(frozen=True)
class PlotView:
    """How the plot is looked at; where its inspector line stands, the panel alone knows."""

    plot: Plot = REPORTED
    """What is plotted."""
    recent: bool = False
    """Whether only the last epochs are shown."""
    log_axis: bool = True
    """Whether the loss axis is logarithmic."""
    ghosts: bool = True
    """Whether the other branches are drawn behind the losses."""
    floor: "ProvenFloor | None" = None
    """The highest that the last diagnosis found."""


@dataclass(frozen=True)
class ProvenFloor:
    """A bound below which the loss of a branch cannot fall."""

    loss: float
    since: int
    """The update from which on it holds."""
    of: object
    """The stretches of the branch that was diagnosed: of others nothing is proven."""


class Happened(Protocol):
    """An event, as the timeline marks it."""

    @property
    def kind(self) -> str:
        """Which mark it gets."""

    @property
    def by(self) -> int:
        """The update at which it had happened."""

    @property
    def text(self) -> str:
        """The event in words."""


class Travelled(Protocol):
    """What the timeline strip draws: the updates of a branch, and where its cursor is."""

    @property
    def update(self) -> int:
        """Where the cursor is."""

    @property
    def head(self) -> int:
        """The furthest update that was made."""

    @property
    def forked_at(self) -> int:
        """The update up to which the past is another branch's."""

    @property
    def forks(self) -> tuple[int, ...]:
        """Where other branches part."""

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The checkpoints, by update."""

    @property
    def events(self) -> Sequence[Happened]:
        """What happened, in order."""


class Plotted(Protocol):
    """What the plot panel draws: curves over epochs, or over updates."""

    @property
    def title(self) -> str:
        """What is plotted."""

    @property
    def unit(self) -> str:
        """What the x axis counts: ``epoch`` or ``update``."""

    @property
    def nothing(self) -> str:
        """What is said where there is nothing to draw yet."""

    @property
    def start(self) -> int:
        """Where the picture begins on the x axis."""

    @property
    def last(self) -> int:
        """How many epochs, or updates, there are to draw."""

    @property
    def cursor(self) -> int:
        """Where the cursor stands."""

    @property
    def log(self) -> bool:
        """Whether the y axis is logarithmic."""

    def curve(self, width: int, most_ticks: int) -> Curve:
        """What is to be drawn in ``width`` columns."""

    def reading(self, at: int) -> str:
        """What an inspector line at ``at`` reads."""

    def below(self, curve: Curve, room: int) -> str:
        """What is said below the picture, as markup, in ``room`` columns."""

    def table(self, most: int) -> list[tuple[object, ...]]:
        """The last ``most`` losses to be copied, each behind its place, below their headings."""


@dataclass(frozen=True, eq=False)
class PlotContent:
    """What the plot shows: the numbers, and how they are looked at."""

    view: PlotView
    snapshot: Snapshot
    """The run at its cursor."""
    goal: float
    """The reported loss that counts as solved."""
    overlaid: Overlaid | None = None
    """The other branch that is drawn too."""
    measured: tuple[Measurement, ...] = ()
    """The branch, measured, where ``view.plot`` needs it."""
    measured_other: tuple[Measurement, ...] = ()
    """Likewise the overlaid branch, from where it parted."""
    ghosts: Ghosts = field(default_factory=Ghosts)
    """The other branches behind the losses."""
    floor: tuple[float, int] | None = None
    """The floor that is drawn, and the finished epochs from which on it holds."""

    unit = "epoch"

    @property
    def title(self) -> str:
        """What is plotted."""
        return self.view.plot.title

    @property
    def nothing(self) -> str:
        """What is said before the first epoch is finished."""
        return fill_keys("no epoch is finished yet; {one_epoch} trains one")

    @property
    def last(self) -> int:
        """The finished epochs at the head."""
        return self.snapshot.epochs

    @property
    def cursor(self) -> int:
        """The finished epochs at the cursor."""
        return self.snapshot.epoch

    def table(self, most: int) -> list[tuple[object, ...]]:
        """Finished epochs, as `reading` counts them, and reported loss; that of B too."""
        snapshot, other = self.snapshot, None if self.overlaid is None else self.overlaid.overlay
        rows = loss_table(snapshot.losses, snapshot.epochs, other, most, first=1)
        return [(self.unit, "loss", *(["B"] if other is not None else [])), *rows]

    def below(self, curve: Curve, room: int) -> str:
        """What cannot be drawn, the ghosts, and the other branch."""
        parts = undrawn(curve)
        if curve.goal is None and self.view.plot is REPORTED and curve.goal_beyond:
            parts.append(f"goal {number_text(self.goal)} lies {curve.goal_beyond}")
        if curve.floor is not None and self.view.floor is not None:
            parts.append(f"floor {number_text(self.view.floor.loss, 4)}, proven")
        overlaid, ghosts = self.overlaid, self.ghosts
        if self.view.plot is not REPORTED:
            parts.append(f"measured at {len(self.measured)} updates")
        elif ghosts.text:
            beyond = f", {curve.beyond} beyond the picture" if curve.beyond else ""
            long = f"dotted: {ghosts.text}{beyond}"
            taken = sum(len(part) + 2 for part in parts)
            needed = 0 if overlaid is None else len(f"; B {overlaid.difference}")
            fits = taken + len(long) + needed <= room
            parts.append(long if fits else f"{len(curve.ghosts)} dotted")
        if overlaid is not None:
            left = room - sum(len(part) + 2 for part in parts)
            parts.append(f"[$overlaid]{escape(overlaid.caption(left))}[/]")
        return "; ".join(parts)

    @property
    def start(self) -> int:
        """The finished epochs at which the picture begins."""
        start = recent(self.snapshot.epochs) if self.view.recent else 0
        few = self.measured[-LEAST_MEASURED:]
        return min(start, int(few[0].epochs)) if few else start

    @property
    def log(self) -> bool:
        """Whether the axis is logarithmic: what is counted has a linear one."""
        return self.view.log_axis and not self.view.plot.counts

    def curve(self, width: int, most_ticks: int) -> Curve:
        """What is to be drawn in ``width`` columns."""
        snapshot, plot = self.snapshot, self.view.plot
        if plot is not REPORTED:
            return make_chart(
                series(plot, self.measured),
                snapshot.epochs,
                snapshot.epoch if snapshot.update < snapshot.head else None,
                self.goal if plot is TEST else None,
                log=self.log,
                most_ticks=most_ticks,
                start=self.start,
                counts=plot.counts,
                others=series(plot, self.measured_other),
            )
        return make_curve(
            snapshot.losses,
            snapshot.epochs,
            snapshot.epoch,
            self.goal,
            log=self.log,
            bins=2 * width,
            most_ticks=most_ticks,
            overlay=None if self.overlaid is None else self.overlaid.overlay,
            ghosts=self.ghosts.curves,
            start=self.start,
            floor=self.floor,
        )

    def reading(self, at: int) -> str:
        """What an inspector line at epoch ``at`` reads: of what is measured, the nearest."""
        if self.view.plot is REPORTED:
            last = self.snapshot.losses.last(at)
            text = f"epoch {last[0] + 1:,}: {number_text(last[1])}" if last else f"epoch {at:,}"
            other = None if self.overlaid is None else self.overlaid.overlay
            beside = other.losses.last(at) if other is not None and at <= other.epochs else None
            return text + (f"  B {number_text(beside[1])}" if beside else "")
        if not self.measured:
            return f"epoch {at:,}"
        text = self._values(self.measured, at)
        theirs = self.measured_other
        if not theirs or theirs[0].epochs > at:
            return text
        return text + f"  B at {self._values(theirs, at)[7:]}"

    def _values(self, measured: tuple[Measurement, ...], at: int) -> str:
        near = nearest(measured, at)
        lines = series(self.view.plot, measured)
        values = "  ".join(f"{name} {brief(y[near])}".strip() for name, _, y in lines)
        return f"update {measured[near].update:,}: {values}"


def undrawn(curve: Curve) -> list[str]:
    """What of ``curve`` cannot be drawn, in words."""
    parts = []
    if curve.hidden:
        parts.append(f"{curve.hidden:,} at or below 0: not on a log axis")
    if curve.count_not_finite:
        parts.append(f"{curve.count_not_finite:,} not finite: x")
    return parts
