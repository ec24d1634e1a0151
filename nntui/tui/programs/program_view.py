"""How a program is looked at: one immutable value, which actions replace."""

from dataclasses import dataclass, replace

from textual.widget import Widget

from nntui.timeline.views.compare import A
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.panels.variables_panel import VariablesPanel

Kind = type[Widget]
ASIDES: tuple[Kind, ...] = (
    FindingsPanel,
    VariablesPanel,
    ArrayHeatmap,
    PrintedPanel,
    BranchesPanel,
)
"""The panels that share the room beside the source, in their order."""
ROWS = 8
"""Rows that one of them should have."""
NARROW = 100
"""Below this many columns the source has the whole width, and one panel stands beside the plot."""


@dataclass(frozen=True)
class ProgramView:
    """Everything that decides what is seen of a program, beside the program itself."""

    asides: tuple[Kind, ...] = (
        *(FindingsPanel, VariablesPanel, PrintedPanel),
        *(ArrayHeatmap, BranchesPanel),
    )
    """The panels that are wanted, the latest first."""
    log_axis: bool = True
    recent: bool = False
    zoomed: Kind | None = None
    file: str = ""
    """The file that is shown; empty for the program's own."""
    line: int = 0
    """The line whose arrays are shown."""
    array: int = 0
    """Which array: 0 is the line's, the others are the parameters'."""
    compared: str = A
    """Whose arrays: `A`, `B` (the overlaid branch), or `DIFFERENCE`."""
    turn: int = 0
    """Which of the values of a line that ran several times, counted from the last."""

    def with_aside(self, kind: Kind) -> "ProgramView":
        """The same with ``kind`` in sight first."""
        others = tuple(each for each in self.asides if each is not kind)
        return replace(self, asides=(kind, *others))

    def shown(self, width: int, height: int, branches: int) -> list[Kind]:
        """The panels that there is room for on a screen of that size, in their order."""
        room = 1 if width < NARROW else max((height - 5) // ROWS - 1, 1)
        wanted = self.asides if branches > 1 else [x for x in self.asides if x is not BranchesPanel]
        kept = set(list(wanted)[:room])
        return [SourcePanel, LossPlot, *(each for each in ASIDES if each in kept), Timeline]
