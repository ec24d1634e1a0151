"""Actions on how the run is looked at: the plot, the heatmap, the outputs, the microscope."""

from dataclasses import replace
from typing import Any

from nntui.timeline.views.grid import ALL, HELD, KINDS, LAYER, SCALES
from nntui.timeline.views.measurements import PLOTS, TEST
from nntui.timeline.views.outputs import output_kinds
from nntui.tui.microscope.microscope_screen import Focus, MicroscopeScreen
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.workbench.bench import Bench, Handlers

SCALES_TOLD = {
    LAYER: "colours: each layer up to its own largest",
    ALL: "colours: one scale for all layers",
    HELD: "colours: the scale is held as it is now",
}


class Viewing:
    """Changes the view, and never the run."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.handlers: Handlers = {
            "plot": self._plot,
            "recent": self._recent,
            "ghosts": self._ghosts,
            "log_scale": self._log_scale,
            "heatmap": self._kind,
            "layer": self._layer,
            "sort": self._sort,
            "scale": self._scale,
            "output_view": self._output_view,
            "inspect": self._inspect,
        }

    def _see_plot(self, note: str | None, **changes: Any) -> None:
        view = self._bench.view
        self._bench.look(replace(view, plot=replace(view.plot, **changes)), note)

    def _see_heatmap(self, note: str, **changes: Any) -> None:
        view = self._bench.view
        self._bench.look(replace(view, heatmap=replace(view.heatmap, **changes)), note)

    def _plot(self) -> None:
        """Plot the next of what there is."""
        now, tests = self._bench.view.plot.plot, self._bench.run_shown.data.test_rows
        offered = [each for each in PLOTS if each is not TEST or len(tests)]
        at = offered.index(now) if now in offered else 0
        plot = offered[(at + 1) % len(offered)]
        by_layer = ", by layer" if plot.per_layer else ""
        self._see_plot(f"plot of {plot.title.lower()}{by_layer}", plot=plot)

    def _recent(self) -> None:
        recent = not self._bench.view.plot.recent
        self._see_plot("the recent epochs" if recent else "all epochs", recent=recent)

    def _ghosts(self) -> None:
        ghosts = not self._bench.view.plot.ghosts
        note = "other branches dotted" if ghosts else "other branches not drawn"
        self._see_plot(note, ghosts=ghosts)

    def _log_scale(self) -> None:
        self._see_plot(None, log_axis=not self._bench.view.plot.log_axis)

    def _kind(self) -> None:
        """Go on to the next kind of heatmap."""
        kind = KINDS[(KINDS.index(self._bench.view.heatmap.kind) + 1) % len(KINDS)]
        ahead = ", in the next update" if kind.ahead else ""
        self._see_heatmap(f"heatmap of {kind.name}{ahead}", kind=kind)

    def _layer(self) -> None:
        """Show one layer in the heatmap, the next one, or all."""
        count = len(self._bench.run_shown.preset.configuration.layers)
        now = self._bench.view.heatmap.layer
        following = 0 if now is None else now + 1
        layer = following if following < count else None
        self._see_heatmap("all layers" if layer is None else f"layer {layer} alone", layer=layer)

    def _sort(self) -> None:
        ordered = not self._bench.view.heatmap.ordered
        note = f"units {'by size, the largest first' if ordered else 'in order'}"
        self._see_heatmap(note, ordered=ordered)

    def _scale(self) -> None:
        """Change what the colours are measured by."""
        now = self._bench.view.heatmap.scale
        scale = SCALES[(SCALES.index(now) + 1) % len(SCALES)]
        self._see_heatmap(SCALES_TOLD[scale], scale=scale)

    def _output_view(self) -> None:
        """Show the outputs in the next way that there is for this network."""
        view, offered = self._bench.view, output_kinds(self._bench.run_shown)
        if OutputPanel not in self._bench.shown_panels:
            self._bench.perform("output")
            return
        at = offered.index(view.output.what) if view.output.what in offered else 0
        what = offered[(at + 1) % len(offered)]
        output = replace(view.output, what=what)
        self._bench.look(replace(view, output=output), f"outputs: {what}")

    def _inspect(self) -> None:
        """Look at the next update, at the unit and the sample under the heatmap's cursor."""
        if self._bench.stop_to_ask():
            row = self._bench.panel(Heatmap).cell[1]
            microscope = MicroscopeScreen(self._bench, *self._bench.unit, row)
            self._bench.ask(microscope, self._inspected)

    def _inspected(self, focus: Focus | None) -> None:
        """Put the heatmap's cursor where one looked last."""
        if focus is not None:
            layers = self._bench.run_shown.preset.configuration.layers
            above = sum(layer.units for layer in layers[: focus.layer])
            self._bench.panel(Heatmap).cell = (above + focus.unit, focus.row)
