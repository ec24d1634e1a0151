"""How the workbench is looked at: one immutable value, which actions replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from textual.widget import Widget

from nntui.timeline.history.branch import Branch
from nntui.timeline.views.compare import A
from nntui.timeline.views.grid import KINDS, LAYER, SCALES, Kind
from nntui.timeline.views.measurements import PLOTS, Plot
from nntui.tui.panels.content import HeatmapView, OutputView
from nntui.tui.panels.plot_content import PlotView

Named = TypeVar("Named", Kind, Plot)


@dataclass(frozen=True)
class WorkbenchView:
    """Everything that decides what is seen of a run, beside the run itself."""

    plot: PlotView = field(default_factory=PlotView)
    heatmap: HeatmapView = field(default_factory=HeatmapView)
    output: OutputView = field(default_factory=OutputView)
    why: bool = False
    """Whether the Why panel stands in the story's place."""
    overlaid: Branch | None = None
    """The branch B, which is compared with the one on the screen."""
    zoomed: type[Widget] | None = None
    """The panel that has all the room; None where all panels are shown."""
    steps_done: int = 0
    """How many of the story's steps are done."""
    pointed: type[Widget] | None = None
    """The panel that the story says to look at."""

    def with_overlay(self, branch: Branch | None) -> "WorkbenchView":
        """The same with ``branch`` as B; the heatmap shows A at first."""
        return replace(self, overlaid=branch, heatmap=replace(self.heatmap, shown=A))

    def saved(self, branches: Sequence[Branch]) -> dict[str, Any]:
        """What a session keeps of it, as JSON; ``branches`` are those of the session."""
        heatmap, plot, output, other = self.heatmap, self.plot, self.output, self.overlaid
        return {
            "log_axis": plot.log_axis,
            "overlaid": branches.index(other) if other in branches else None,
            "heatmap": heatmap.kind.name,
            "layer": heatmap.layer,
            "sorted": heatmap.ordered,
            "scale": heatmap.scale,
            "plot": plot.plot.name,
            "recent": plot.recent,
            "ghosts": plot.ghosts,
            "output": output.what,
            "output_shown": output.visible,
        }

    def restored(
        self, saved: Mapping[str, Any], branches: Sequence[Branch], layers: int
    ) -> "WorkbenchView":
        """The same with what was `saved`; what is missing or wrong is as it is at first.

        ``layers`` is how many layers the network has.
        """
        layer, overlaid, output = (saved.get(key) for key in ("layer", "overlaid", "output"))
        visible = saved.get("output_shown")
        known = range(len(branches))
        return replace(
            self,
            overlaid=branches[overlaid]
            if isinstance(overlaid, int) and overlaid in known
            else None,
            plot=PlotView(
                plot=_named(PLOTS, saved.get("plot")),
                recent=saved.get("recent") is True,
                log_axis=saved.get("log_axis") is not False,
                ghosts=saved.get("ghosts") is not False,
            ),
            heatmap=HeatmapView(
                kind=_named(KINDS, saved.get("heatmap")),
                layer=layer if isinstance(layer, int) and 0 <= layer < layers else None,
                ordered=saved.get("sorted") is True,
                scale=next((each for each in SCALES if each == saved.get("scale")), LAYER),
            ),
            output=OutputView(
                visible if isinstance(visible, bool) else None,
                output if isinstance(output, str) else "",
            ),
        )


def _named(offered: tuple[Named, ...], name: object) -> Named:
    """The one with that name; the first where there is none."""
    return next((each for each in offered if each.name == name), offered[0])
