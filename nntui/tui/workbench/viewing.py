"""The workbench's actions on what is seen: the heatmap, the outputs, the plots."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from nntui.timeline import Run
from nntui.timeline.microscope.next_update import Ahead
from nntui.timeline.views.compare import compare_outputs
from nntui.timeline.views.ghost_curves import Ghosts, ghosts_of
from nntui.timeline.views.grid import ALL, HELD, KINDS, LAYER, SCALES, Kind
from nntui.timeline.views.measurements import PLOTS, REPORTED, TEST, Measurement, Measurements, Plot
from nntui.timeline.views.outputs import SURFACE, output_kinds
from nntui.tui.actions import fill_keys
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.workbench.branching import Branching
from nntui.tui.workbench.zooming import Zooming

SCALES_TOLD = {
    LAYER: "colours: each layer up to its own largest",
    ALL: "colours: one scale for all layers",
    HELD: "colours: the scale is held as it is now",
}


_Named = TypeVar("_Named", Kind, Plot)


def _named(offered: tuple[_Named, ...], name: object) -> _Named:
    """The one with that name; the first where there is none."""
    return next((each for each in offered if each.name == name), offered[0])


class Viewing(Branching, Zooming):
    """Everything that changes how the run is looked at, and never the run."""

    _ahead: Ahead | None = None
    _other_ahead: Ahead | None = None
    _measures: Measurements | None = None
    seen: Mapping[str, Any] = MappingProxyType({})
    """How the panels are looked at, to be saved; what is missing is as it was at first."""
    ghosts = True
    """Whether the other branches are drawn behind the losses."""
    output = ""
    """What is seen of the outputs; the most telling, where it cannot be had."""

    @property
    def heatmap(self) -> Heatmap:
        """The heatmap."""
        return self.query_one(Heatmap)

    def look_ahead(self) -> None:
        """Give the heatmap the update that follows, where what it shows belongs to that."""
        heatmap, run, other = self.heatmap, self.run_shown, self.other
        if not heatmap.kind.ahead:
            self._ahead = self._other_ahead = None
            heatmap.set_reactive(Heatmap.ahead, None)
            heatmap.set_reactive(Heatmap.other_ahead, None)
            return
        self._ahead, self._other_ahead = self._ahead or Ahead(), self._other_ahead or Ahead()
        theirs = None if other is None else self._other_ahead.of(other.state)
        heatmap.set_reactive(Heatmap.ahead, self._ahead.of(run.state))
        heatmap.set_reactive(Heatmap.other_ahead, theirs)

    def _looked(self, note: str) -> None:
        """Show what is looked at now, and remember it: a session is saved without its panels."""
        heatmap, plot = self.heatmap, self.query_one(LossPlot)
        self.seen = {
            "heatmap": heatmap.kind.name,
            "layer": heatmap.alone,
            "sorted": heatmap.ordered,
            "scale": heatmap.scale,
            "plot": plot.plot.name,
            "recent": plot.recent,
            "ghosts": self.ghosts,
            "output": self.output if self.shows_outputs else None,
        }
        self.show(note)

    def see(self, seen: Mapping[str, Any]) -> None:
        """Look at the panels as they were looked at, as far as that can be known."""
        heatmap, plot = self.heatmap, self.query_one(LossPlot)
        layer, layers = seen.get("layer"), self.run_shown.preset.configuration.layers
        heatmap.kind = _named(KINDS, seen.get("heatmap"))
        heatmap.alone = layer if isinstance(layer, int) and 0 <= layer < len(layers) else None
        heatmap.ordered = seen.get("sorted") is True
        heatmap.scale = next((each for each in SCALES if each == seen.get("scale")), LAYER)
        plot.plot = _named(PLOTS, seen.get("plot"))
        plot.recent = seen.get("recent") is True
        self.ghosts = seen.get("ghosts") is not False
        output = seen.get("output")
        self.set_class(isinstance(output, str), "-output")
        self.output = output if isinstance(output, str) else ""
        self._looked("")

    def measure(self) -> None:
        """Give the plot what it needs beyond the reported losses."""
        plot = self.query_one(LossPlot)
        if plot.plot is REPORTED:
            self._measures = None
            plot.set_reactive(LossPlot.measured, ())
            plot.set_reactive(LossPlot.measured_other, ())
            run, other = self.run_shown, self.other
            branches, overlaid = run.tree.branches, None if other is None else other.branch
            shown = ghosts_of(run.branch, branches, overlaid) if self.ghosts else Ghosts()
            plot.set_reactive(LossPlot.ghosts, shown)
        else:
            self._measures = self._measures or Measurements()
            fine, mine = not self.running, self.run_shown.branch
            plot.set_reactive(LossPlot.measured, self._measures.along(mine, fine=fine))
            theirs: tuple[Measurement, ...] = ()
            if self.other is not None:
                theirs = self._measures.beside(mine, self.other.branch, fine=fine)
            plot.set_reactive(LossPlot.measured_other, theirs)

    def action_plot(self) -> None:
        """Plot the next of what there is."""
        plot, run = self.query_one(LossPlot), self.run_shown
        offered = [each for each in PLOTS if each is not TEST or len(run.data.test_rows)]
        at = offered.index(plot.plot) if plot.plot in offered else 0
        plot.plot = offered[(at + 1) % len(offered)]
        self._looked(
            f"plot of {plot.plot.title.lower()}{', by layer' if plot.plot.per_layer else ''}"
        )

    def action_ghosts(self) -> None:
        """Draw the other branches behind the losses, or not."""
        self.ghosts = not self.ghosts
        self._looked("other branches dotted" if self.ghosts else "other branches not drawn")

    def action_recent(self) -> None:
        """Plot the recent epochs, or all."""
        plot = self.query_one(LossPlot)
        plot.recent = not plot.recent
        self._looked("the recent epochs" if plot.recent else "all epochs")

    def on_loss_plot_sought(self, message: LossPlot.Sought) -> None:
        """Go to the end of the epoch under the inspector line."""
        self.seek(self.run_shown.end_of(message.epoch - 1), f"epoch {message.epoch:,}")

    @property
    def shows_outputs(self) -> bool:
        """Whether the outputs are on the screen."""
        return self.has_class("-output")

    def look_at_outputs(self) -> None:
        """Give the output panel a picture that fits it."""
        panel, run = self.query_one(OutputPanel), self.run_shown
        if not self.shows_outputs:
            return
        offered = output_kinds(run)
        what = self.output if self.output in offered else offered[0]
        unit = self._unit_of(run)
        cells = panel.cells(len(run.data.y) if what == SURFACE else 1)
        picture, shown = compare_outputs(run, self.other, what, unit, cells, self.heatmap.shown)
        panel.set_reactive(OutputPanel.shown, shown)
        panel.picture = picture

    def _unit_of(self, run: Run) -> tuple[int, int]:
        """The unit under the heatmap's cursor; on a target, the output."""
        last = len(run.preset.configuration.layers) - 1
        return self.heatmap.unit or (last, 0)

    def on_output_panel_wanted(self, message: OutputPanel.Wanted) -> None:
        """Draw for the new size."""
        self.look_at_outputs()

    def action_output(self) -> None:
        """Show the outputs, or the story."""
        shown, panel = not self.shows_outputs, self.query_one(OutputPanel)
        had_focus = self.focused is panel
        if not shown and had_focus:
            self.action_unzoom()
        self.set_class(shown, "-output")
        if shown:
            panel.focus()
        elif had_focus:
            self.query_one(StoryPanel).focus()
        self._looked(fill_keys("{output_view} shows more of the outputs") if shown else "")

    def action_output_view(self) -> None:
        """Show the outputs in the next way that there is for this network."""
        offered = output_kinds(self.run_shown)
        if self.shows_outputs:
            at = offered.index(self.output) if self.output in offered else 0
            self.output = offered[(at + 1) % len(offered)]
            self._looked(f"outputs: {self.output}")
        else:
            self.action_output()

    def action_heatmap(self) -> None:
        """Go on to the next kind of heatmap."""
        heatmap = self.heatmap
        kind = KINDS[(KINDS.index(heatmap.kind) + 1) % len(KINDS)]
        heatmap.kind = kind
        self._looked(f"heatmap of {kind.name}{', in the next update' if kind.ahead else ''}")

    def action_layer(self) -> None:
        """Show one layer in the heatmap, the next one, or all."""
        heatmap, count = self.heatmap, len(self.run_shown.preset.configuration.layers)
        following = 0 if heatmap.alone is None else heatmap.alone + 1
        heatmap.alone = following if following < count else None
        self._looked("all layers" if heatmap.alone is None else f"layer {heatmap.alone} alone")

    def action_sort(self) -> None:
        """Sort the units of each layer, or put them back in their order."""
        heatmap = self.heatmap
        heatmap.ordered = not heatmap.ordered
        self._looked(f"units {'by size, the largest first' if heatmap.ordered else 'in order'}")

    def action_scale(self) -> None:
        """Change what the colours are measured by."""
        heatmap = self.heatmap
        heatmap.scale = SCALES[(SCALES.index(heatmap.scale) + 1) % len(SCALES)]
        self._looked(SCALES_TOLD[heatmap.scale])
