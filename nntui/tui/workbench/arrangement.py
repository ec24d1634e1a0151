"""Which panels are on the screen, in which order the focus goes round, and the keys of each."""

from dataclasses import replace

from textual.widget import Widget

from nntui.timeline import Run
from nntui.timeline.views.grid import WEIGHTS
from nntui.tui.actions import (
    BRANCHES,
    HEATMAP,
    NETWORK,
    OUTPUT,
    PLOT,
    TIMELINE,
    WHY,
    WORKBENCH,
    WRITING,
    Action,
)
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.inputs import EntryInput
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.workbench.view import WorkbenchView

PANELS: tuple[type[Widget], ...] = (
    StoryPanel,
    WhyPanel,
    LossPlot,
    Heatmap,
    Timeline,
    NetworkPanel,
    BranchesPanel,
    OutputPanel,
)
"""In the order in which the focus goes round."""
OWN_KEYS: dict[type[Widget], tuple[Action, ...]] = {
    Timeline: TIMELINE,
    Heatmap: HEATMAP,
    NetworkPanel: NETWORK,
    EntryInput: WRITING,
    BranchesPanel: BRANCHES,
    OutputPanel: OUTPUT,
    LossPlot: PLOT,
    WhyPanel: WHY,
}
"""The keys that a panel has of its own while it has the focus."""
CSS = """
    WorkbenchScreen #left { width: 1fr; }
    WorkbenchScreen #right { width: 42%; min-width: 28; max-width: 72; }
    WorkbenchScreen LossPlot { height: 2fr; min-height: 5; }
    WorkbenchScreen Heatmap { height: 3fr; min-height: 6; }
    WorkbenchScreen NetworkPanel { height: auto; max-height: 50%; }
    WorkbenchScreen.-branched NetworkPanel { max-height: 35%; }
    WorkbenchScreen BranchesPanel { height: auto; max-height: 40%; display: none; }
    WorkbenchScreen StoryPanel { height: 1fr; }
    WorkbenchScreen OutputPanel { height: 2fr; min-height: 6; display: none; }
    WorkbenchScreen.-output OutputPanel { display: block; }
    WorkbenchScreen.-output NetworkPanel { max-height: 30%; }
    WorkbenchScreen.-short.-output StoryPanel { display: none; }
    WorkbenchScreen WhyPanel { height: 1fr; min-height: 6; display: none; }
    WorkbenchScreen.-why WhyPanel { display: block; }
    WorkbenchScreen.-why StoryPanel { display: none; }
    WorkbenchScreen.-short.-why OutputPanel { display: none; }
    WorkbenchScreen.-why NetworkPanel { max-height: 30%; }
    WorkbenchScreen.-branched BranchesPanel { display: block; }
    WorkbenchScreen.-short.-branched NetworkPanel { max-height: 25%; }
    WorkbenchScreen.-short BranchesPanel { max-height: 32%; }
    WorkbenchScreen .-aside { display: none !important; }
    WorkbenchScreen .-look { border: heavy $success; }
    WorkbenchScreen Timeline.-look { border: none; background: $success 30%; }
    WorkbenchScreen NetworkPanel:focus-within { height: 3fr; max-height: 75% !important; }
    WorkbenchScreen.-zoomed #right { width: 1fr; max-width: 100%; }
    WorkbenchScreen.-zoomed NetworkPanel { height: 1fr; max-height: 100%; }
    WorkbenchScreen.-zoomed NetworkPanel:focus-within { height: 1fr; max-height: 100% !important; }
    WorkbenchScreen.-zoomed OutputPanel { height: 1fr; }
    WorkbenchScreen.-zoomed BranchesPanel { height: 1fr; max-height: 100%; }
"""
"""How the panels share the screen; `arrange` sets the classes."""


def shown_panels(view: WorkbenchView, run: Run, *, short: bool) -> list[type[Widget]]:
    """The panels that are shown, or would be if none were zoomed; ``short`` is a low screen."""
    away = {
        StoryPanel: view.why or (short and view.output.visible),
        WhyPanel: not view.why,
        OutputPanel: not view.output.visible or (short and view.why),
        BranchesPanel: len(run.tree.branches) < 2,
    }
    return [kind for kind in PANELS if not away.get(kind, False)]


def arrange(screen: Widget, view: WorkbenchView, run: Run) -> None:
    """Show the panels of ``screen`` as ``view`` says."""
    zoomed = view.zoomed
    for name, holds in (
        ("-branched", len(run.tree.branches) > 1),
        ("-output", view.output.visible),
        ("-why", view.why),
        ("-zoomed", zoomed is not None),
    ):
        screen.set_class(holds, name)
    for kind in PANELS:
        panel = screen.query_one(kind)
        panel.set_class(kind is view.pointed, "-look")
        panel.set_class(zoomed is not None and kind not in (zoomed, Timeline), "-aside")
    for column in screen.query("#left, #right"):
        column.set_class(all(each.has_class("-aside") for each in column.children), "-aside")


def offered_keys(
    focused: Widget | None, view: WorkbenchView, *, failed: bool
) -> tuple[Action, ...]:
    """The keys of what has the focus, then those that always do something.

    Where training has ``failed``, the key that asks why is among the first.
    """
    own = () if focused is None else OWN_KEYS.get(type(focused), ())
    if isinstance(focused, EntryInput):
        return own
    urgent = {"why"} if failed and not view.why else set[str]()
    if isinstance(focused, Heatmap):
        # Weights are set here, and `heatmap` leads to them.
        urgent |= {"heatmap", "point"} if view.heatmap.kind is WEIGHTS else {"heatmap"}
    keys = (*own, *WORKBENCH)
    return tuple(replace(each, rank=0) if each.name in urgent else each for each in keys)
