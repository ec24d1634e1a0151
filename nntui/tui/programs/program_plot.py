"""The losses of a program, ready for the plot panel."""

from dataclasses import dataclass, replace

import numpy as np
from textual.markup import escape

from nntui.program.debugging.margin import NO_LOSS
from nntui.program.debugging.seen import Array, BranchSeen, ProgramSeen
from nntui.timeline.views.curve import (
    Curve,
    Overlay,
    loss_table,
    make_chart,
    make_curve,
    recent,
)
from nntui.tui.actions import fill_keys
from nntui.tui.panels.plot_content import undrawn


@dataclass(frozen=True, eq=False)
class ProgramPlot:
    """What the plot shows of a program; see `Plotted`."""

    seen: ProgramSeen
    log: bool = True
    recent: bool = False

    @property
    def title(self) -> str:
        """The loss, by its name in the program."""
        name = self.seen.loss_name
        return "Loss" if name in ("", NO_LOSS) else f"Loss {name}"

    @property
    def unit(self) -> str:
        """What the x axis counts."""
        return "epoch" if self.seen.by_epoch else "update"

    @property
    def nothing(self) -> str:
        """What is said before there is a loss."""
        seen = self.seen
        if seen.check is None or seen.problem:
            return ""
        if seen.loop is None or seen.loss_name in ("", NO_LOSS):
            return "none is known: --loss TEXT names it"
        key = "{one_epoch} makes an epoch" if seen.by_epoch else "{one_update} makes an update"
        return fill_keys(f"no loss yet; {key}")

    @property
    def start(self) -> int:
        """Where the picture begins."""
        return recent(self.last) if self.recent else 0

    @property
    def last(self) -> int:
        """How far the losses go."""
        return self.seen.branch.points if len(self.seen.branch.losses) else 0

    @property
    def cursor(self) -> int:
        """Where the cursor stands."""
        return min(self.seen.epoch if self.seen.by_epoch else self.seen.update, self.last)

    @property
    def _other(self) -> BranchSeen | None:
        number = self.seen.overlaid
        return next((each for each in self.seen.branches if each.number == number), None)

    @property
    def _overlay(self) -> Overlay | None:
        other = self._other
        return None if other is None else Overlay(other.losses, 0, other.points)

    def curve(self, width: int, most_ticks: int) -> Curve:
        """What is to be drawn in ``width`` columns."""
        curve = make_curve(
            self.seen.branch.losses,
            self.last,
            self.cursor,
            None,
            log=self.log,
            bins=2 * width,
            most_ticks=most_ticks,
            overlay=self._overlay,
            start=self.start,
        )
        return self._with_printed(curve, most_ticks)

    def _with_printed(self, curve: Curve, most_ticks: int) -> Curve:
        """``curve`` with what is printed dotted behind it, where that is another number."""
        printed = self.seen.branch.printed
        if printed is None or not len(printed):
            return curve
        places = np.asarray(printed.numbers(self.start, self.last), np.float64) + 1.0
        losses = printed.read(self.start, self.last)
        lines: list[tuple[str, Array, Array]] = [("", places, losses)]
        chart = make_chart(
            lines, self.last, None, None, log=self.log, most_ticks=most_ticks, start=self.start
        )
        return replace(
            curve,
            low=min(curve.low, chart.low),
            high=max(curve.high, chart.high),
            ticks=curve.ticks or chart.ticks,
            ghosts=tuple(line for _, line in chart.more),
        )

    def reading(self, at: int) -> str:
        """What an inspector line at ``at`` reads."""
        known, other = self.seen.branch.losses.last(at), self._other
        text = f"{self.unit} {known[0]:,}: {known[1]:.6g}" if known else f"{self.unit} {at:,}"
        beside = other.losses.last(at) if other is not None and at <= other.points else None
        return text + (f"  B {beside[1]:.6g}" if beside else "")

    def below(self, curve: Curve, room: int) -> str:
        """What cannot be drawn, and the other branch."""
        parts, other = undrawn(curve), self._other
        if curve.ghosts:
            parts.append(f"dotted: printed, {escape(self.seen.printed_name)}")
        if other is not None:
            last = "" if other.loss is None else f": {other.loss:.4g} at {other.head:,}"
            text = f"B {other.name}{last}"
            left = room - sum(len(part) + 2 for part in parts)
            text = text if len(text) <= left else f"{text[: max(left - 3, 0)]}..."
            parts.append(f"[$overlaid]{escape(text)}[/]")
        return "; ".join(parts)

    def table(self, most: int) -> list[tuple[object, ...]]:
        """The last losses, to be copied, counted as `reading` does; those of B too."""
        other = self._overlay
        rows = loss_table(self.seen.branch.losses, self.last, other, most)
        return [(self.unit, "loss", *(["B"] if other is not None else [])), *rows]
