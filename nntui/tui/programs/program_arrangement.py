"""Where the panels of a program stand, and which keys each of them has."""

from dataclasses import replace

from textual.widget import Widget

from nntui.tui.actions import (
    ARRAYS,
    BRANCHES,
    FINDINGS,
    PLOT,
    PROGRAM,
    SOURCE,
    TIMELINE,
    WORKBENCH,
    Action,
)
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.panels.variables_panel import VariablesPanel

CSS = """
    ProgramScreen #body { layout: horizontal; }
    ProgramScreen #right { width: 42%; min-width: 36; }
    ProgramScreen SourcePanel { width: 1fr; height: 1fr; }
    ProgramScreen #right > * { height: 1fr; min-height: 4; }
    ProgramScreen #right > BranchesPanel { height: auto; max-height: 30%; }
    ProgramScreen #right > .-first { height: 2fr; }
    ProgramScreen.-narrow #body { layout: vertical; }
    ProgramScreen.-narrow SourcePanel { height: 3fr; width: 100%; }
    ProgramScreen.-narrow #right { width: 100%; height: 2fr; layout: horizontal; }
    ProgramScreen.-narrow #right > * { width: 1fr; height: 100%; max-height: 100%; }
    ProgramScreen .-aside { display: none !important; }
    ProgramScreen.-zoomed #right { width: 1fr; height: 1fr; }
    ProgramScreen.-zoomed #right > * { height: 1fr; max-height: 100%; }
    """

OWN_KEYS: dict[type[Widget], tuple[Action, ...]] = {
    SourcePanel: SOURCE,
    FindingsPanel: (*FINDINGS, *(replace(x, rank=0) for x in PROGRAM if x.name == "mend")),
    ArrayHeatmap: ARRAYS,
    LossPlot: PLOT,
    Timeline: TIMELINE,
    BranchesPanel: BRANCHES,
}


def keys_of(panel: Widget | None) -> tuple[Action, ...]:
    """What can be done while ``panel`` has the focus: its own keys, and those it does not hide."""
    own = OWN_KEYS.get(type(panel), ()) if panel is not None else ()
    taken = {key for action in own for key in action.keys.split(",")}
    return (*own, *(each for each in PROGRAM if not taken & set(each.keys.split(","))))


PANELS = (
    *(SourcePanel, LossPlot, FindingsPanel, VariablesPanel),
    *(ArrayHeatmap, PrintedPanel, BranchesPanel, Timeline),
)
ABSENT = {
    key: action.label
    for action in WORKBENCH
    for key in action.keys.split(",")
    if key not in {known for each in PROGRAM for known in each.keys.split(",")}
}
"""By the keys of the workbench that a program has not, what they do there."""
