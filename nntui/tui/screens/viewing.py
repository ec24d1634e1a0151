"""The workbench's actions on what is seen: kinds of heatmap, layers, order, scale."""

from nntui.timeline.ahead import Ahead
from nntui.timeline.grid import ALL, HELD, KINDS, LAYER, SCALES
from nntui.tui.screens.branching import Branching
from nntui.tui.widgets.heatmap import Heatmap

SCALES_TOLD = {
    LAYER: "colours: each layer up to its own largest",
    ALL: "colours: one scale for all layers",
    HELD: "colours: the scale is held as it is now",
}


class Viewing(Branching):
    """Everything that changes how the run is looked at, and never the run."""

    _ahead: Ahead | None = None
    _other_ahead: Ahead | None = None

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

    def action_heatmap(self) -> None:
        """Go on to the next kind of heatmap."""
        heatmap = self.heatmap
        kind = KINDS[(KINDS.index(heatmap.kind) + 1) % len(KINDS)]
        heatmap.kind = kind
        self.show(f"heatmap of {kind.name}{', in the next update' if kind.ahead else ''}")

    def action_layer(self) -> None:
        """Show one layer in the heatmap, the next one, or all."""
        heatmap, count = self.heatmap, len(self.run_shown.preset.configuration.layers)
        following = 0 if heatmap.alone is None else heatmap.alone + 1
        heatmap.alone = following if following < count else None
        self.show("all layers" if heatmap.alone is None else f"layer {heatmap.alone} alone")

    def action_sort(self) -> None:
        """Sort the units of each layer, or put them back in their order."""
        heatmap = self.heatmap
        heatmap.ordered = not heatmap.ordered
        self.show(f"units {'by size, the largest first' if heatmap.ordered else 'in order'}")

    def action_scale(self) -> None:
        """Change what the colours are measured by."""
        heatmap = self.heatmap
        heatmap.scale = SCALES[(SCALES.index(heatmap.scale) + 1) % len(SCALES)]
        self.show(SCALES_TOLD[heatmap.scale])
