"""The workbench's actions on its panels: where the focus goes, and which has all the room."""

from textual.widget import Widget

from nntui.tui.actions import fill_keys
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.workbench.training_screen import TrainingScreen

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


class Zooming(TrainingScreen):
    """Moves the focus from panel to panel, and gives one of them all the room."""

    @property
    def focused_panel(self) -> Widget | None:
        """The panel that has the focus, or in which something has it."""
        within = self.focused.ancestors_with_self if self.focused is not None else ()
        return next((each for each in within if isinstance(each, PANELS)), None)

    @property
    def zoomed(self) -> bool:
        """Whether one panel has all the room."""
        return self.has_class("-zoomed")

    def action_zoom(self) -> None:
        """Show the focused panel alone, or all."""
        self._zoom(None if self.zoomed else self.focused_panel)

    def action_unzoom(self) -> None:
        """Show all panels."""
        self._zoom(None)

    def action_next_panel(self) -> None:
        """Move the focus to the next panel; where one is zoomed, the next one is."""
        panels = [self.query_one(kind) for kind in PANELS if not self.is_away(kind)]
        focused = self.focused_panel
        at = panels.index(focused) + 1 if focused in panels else 0
        following = panels[at % len(panels)]
        if self.zoomed and isinstance(following, Timeline):
            following = panels[(at + 1) % len(panels)]
        if self.zoomed:
            self._zoom(following)
        following.focus()

    def is_away(self, kind: type[Widget]) -> bool:
        """Whether the panel is not shown at all, zoomed or not."""
        short, why = self.has_class("-short"), self.has_class("-why")
        if kind is StoryPanel:
            return why or (short and self.has_class("-output"))
        if kind is OutputPanel and short and why:
            return True
        away = {BranchesPanel: "-branched", OutputPanel: "-output", WhyPanel: "-why"}
        return kind in away and not self.has_class(away[kind])

    def _zoom(self, panel: Widget | None) -> None:
        """Give ``panel`` all the room between status and time; None gives it back."""
        if isinstance(panel, Timeline):
            return
        self.set_class(panel is not None, "-zoomed")
        for each in self.query("#left > *, #right > *"):
            each.set_class(not (panel is None or each is panel), "-aside")
        for column in self.query("#left, #right"):
            column.set_class(all(each.has_class("-aside") for each in column.children), "-aside")
        if panel is not None:
            self.show(fill_keys("{zoom} shows all panels, {next_panel} the next"))
