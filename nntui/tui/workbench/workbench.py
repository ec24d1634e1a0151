"""The workbench: one scenario, its panels, and everything that can be done with its run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.message import Message
from textual.widget import Widget

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset
from nntui.timeline import Run, Snapshot
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
    bindings,
    fill_keys,
)
from nntui.tui.panels.branches_panel import BranchesPanel, entries
from nntui.tui.panels.entry_input import EntryInput
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.panel import Panel, TextPanel
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.tour import TourScreen
from nntui.tui.workbench.autosave import Keeper
from nntui.tui.workbench.diagnosing import Diagnosing
from nntui.tui.workbench.editing import Editing
from nntui.tui.workbench.exporting import Taking
from nntui.tui.workbench.guiding import Guiding
from nntui.tui.workbench.inspecting import Inspecting
from nntui.tui.workbench.stepping import Stepping

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


class Workbench(Stepping, Guiding, Inspecting, Diagnosing, Taking, Editing):
    """The screen of one scenario."""

    DEFAULT_CSS = """
    Workbench #left { width: 1fr; }
    Workbench #right { width: 42%; min-width: 28; max-width: 72; }
    Workbench LossPlot { height: 2fr; min-height: 5; }
    Workbench Heatmap { height: 3fr; min-height: 6; }
    Workbench NetworkPanel { height: auto; max-height: 50%; }
    Workbench.-branched NetworkPanel { max-height: 35%; }
    Workbench BranchesPanel { height: auto; max-height: 40%; display: none; }
    Workbench StoryPanel { height: 1fr; }
    Workbench OutputPanel { height: 2fr; min-height: 6; display: none; }
    Workbench.-output OutputPanel { display: block; }
    Workbench.-output NetworkPanel { max-height: 30%; }
    Workbench.-short.-output StoryPanel { display: none; }
    Workbench WhyPanel { height: 1fr; min-height: 6; display: none; }
    Workbench.-why WhyPanel { display: block; }
    Workbench.-why StoryPanel { display: none; }
    Workbench.-short.-why OutputPanel { display: none; }
    Workbench.-why NetworkPanel { max-height: 30%; }
    Workbench.-branched BranchesPanel { display: block; }
    Workbench.-short.-branched NetworkPanel { max-height: 25%; }
    Workbench.-short BranchesPanel { max-height: 32%; }
    Workbench .-aside { display: none !important; }
    Workbench .-look { border: heavy $success; }
    Workbench Timeline.-look { border: none; background: $success 30%; }
    Workbench NetworkPanel:focus-within { height: 3fr; max-height: 75% !important; }
    Workbench.-zoomed #right { width: 1fr; max-width: 100%; }
    Workbench.-zoomed NetworkPanel { height: 1fr; max-height: 100%; }
    Workbench.-zoomed NetworkPanel:focus-within { height: 1fr; max-height: 100% !important; }
    Workbench.-zoomed OutputPanel { height: 1fr; }
    Workbench.-zoomed BranchesPanel { height: 1fr; max-height: 100%; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    BINDINGS = [*bindings(WORKBENCH), Binding("escape", "unzoom", "all panels", show=False)]

    class Left(Message):
        """The user wants to go back to the library."""

        def __init__(self, bench: "Workbench") -> None:
            super().__init__()
            self.bench = bench

    class Resumed(Message):
        """The user wants the latest saved session of the scenario."""

        def __init__(self, bench: "Workbench") -> None:
            super().__init__()
            self.bench = bench

    def __init__(
        self, preset: Preset, run: Run | None = None, path: Path | None = None, note: str = ""
    ) -> None:
        """``run`` and ``path`` are those of a saved session; ``note`` is shown at first."""
        super().__init__(preset, run)
        self.keeper = Keeper(path)
        self._note = note or fill_keys("{run} runs, {one_update} steps")
        self._log_axis = True
        self._shown: tuple[object, ...] = ()

    @property
    def scenario(self) -> Preset:
        """What was opened."""
        return self._preset

    def compose(self) -> ComposeResult:
        """Status above, plots left, texts right, time and keys below."""
        yield StatusLine(self._preset)
        with Horizontal():
            with Vertical(id="left"):
                yield LossPlot()
                yield Heatmap()
            with Vertical(id="right"):
                yield NetworkPanel(self._preset, self.effect)
                yield BranchesPanel()
                yield OutputPanel()
                yield StoryPanel(self._preset.story)
                yield WhyPanel()
        yield Timeline()
        yield KeyBar(WORKBENCH)
        yield self.size_message()

    def on_mount(self) -> None:
        """Show the run; the story has the focus, because one reads it first."""
        self.query_one(StoryPanel).focus()
        self.show(self._note)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the keys of the panel that has the focus."""
        # An earlier focus may be told of later.
        self._list_keys(self.focused or event.widget)
        if not isinstance(self.focused_panel, NetworkPanel):
            self.query_one(NetworkPanel).editor.leave()

    def _list_keys(self, focused: Widget | None) -> None:
        """The keys of the panel that has the focus, then those that always do something."""
        own = () if focused is None else OWN_KEYS.get(type(focused), ())
        # Who sees that training has failed asks why.
        urgent = {"why"} if self.failed and not self.has_class("-why") else set[str]()
        if isinstance(focused, Heatmap):
            # Weights are set here, and `heatmap` leads to them.
            urgent |= {"heatmap", "point"} if focused.kind is WEIGHTS else {"heatmap"}
        own, keys = (
            tuple(replace(each, rank=0) if each.name in urgent else each for each in some)
            for some in (own, WORKBENCH)
        )
        writes = isinstance(focused, EntryInput)
        self.query_one(KeyBar).actions = own if writes else (*own, *keys)

    def show(self, note: str | None = None) -> None:
        """Hand the panels a new snapshot, if there is anything new."""
        run, status, player = self.run_shown, self.query_one(StatusLine), self.player
        theirs = None if self.other is None else self.other.head
        shown = (
            *(run, run.branch, run.update, run.head, theirs),
            *(self.state, self.trains_on, player.speed),
        )
        if note is None and shown == self._shown:
            return
        self._shown, snapshot = shown, Snapshot.of(run)
        with self.app.batch_update():
            status.snapshot = snapshot
            status.speed = player.speed_text
            status.state = self.state
            status.training = self.trains_on
            status.goal = run.preset.goal
            if note is not None:
                status.note = note
                if status.size:
                    self._say_all_of(note)
                else:
                    self.call_after_refresh(self._say_all_of, note)
            plot, heatmap = self.query_one(LossPlot), self.query_one(Heatmap)
            # One picture a frame: these two are drawn with the snapshot that follows.
            plot.set_reactive(LossPlot.goal, run.preset.goal.loss)
            plot.set_reactive(LossPlot.overlaid, self.overlaid())
            self.measure()
            plot.snapshot = snapshot
            heatmap.set_reactive(Heatmap.other, self._other_snapshot())
            self.look_ahead()
            heatmap.snapshot = snapshot
            self.look_at_outputs()
            self.query_one(Timeline).snapshot = snapshot
            self.query_one(NetworkPanel).preset = run.preset
            self.query_one(NetworkPanel).editor.take(run.preset, run.seed)
            self._list_branches()
            self._list_keys(self.focused)
        self.look_why()
        self.moved.publish(run)

    def _say_all_of(self, note: str) -> None:
        """Say ``note`` apart where its line has no room: it may be an answer to a question."""
        if not self.query_one(StatusLine).fits(note):
            self.notify(note, markup=False)

    def _other_snapshot(self) -> Snapshot | None:
        """The overlaid branch at the update of the run on the screen, or as near as it goes."""
        if self.other is None:
            return None
        self.other.seek(min(self.run_shown.update, self.other.head))
        return Snapshot.of(self.other)

    def _list_branches(self) -> None:
        run, several = self.run_shown, len(self.run_shown.tree.branches) > 1
        self.query_one(StatusLine).branches = len(run.tree.branches)
        panel = self.query_one(BranchesPanel)
        panel.compact = self.has_class("-short") and not self.zoomed
        if several or panel.listed:
            other = None if self.other is None else self.other.branch
            panel.listed = entries(run.tree, run.branch, other)
        if self.has_class("-branched") is not several:
            self.set_class(several, "-branched")

    def action_log_scale(self) -> None:
        """Switch the loss axis."""
        self._log_axis = not self._log_axis
        self.query_one(LossPlot).log_axis = self._log_axis

    @property
    def view(self) -> dict[str, Any]:
        """How the run is looked at, to be saved with it."""
        branches = self.run_shown.tree.branches
        other = None if self.other is None else self.other.branch
        return {
            "speed": self.player.speed,
            "log_axis": self._log_axis,
            "overlaid": branches.index(other) if other in branches else None,
            **self.seen,
        }

    def take_view(self, view: Mapping[str, Any]) -> None:
        """Look at the run as it was looked at when it was saved, as far as that can be known."""
        speed, overlaid = view.get("speed"), view.get("overlaid")
        branches = self.run_shown.tree.branches
        if isinstance(speed, int):
            self.player.change_speed(speed - self.player.speed)
        self._log_axis = view.get("log_axis") is not False
        self.query_one(LossPlot).log_axis = self._log_axis
        self.see(view)
        if isinstance(overlaid, int) and 0 <= overlaid < len(branches):
            self._overlay(branches[overlaid])
        self.keeper.opened(self.run_shown, self.view)
        self.show(self._note)

    def action_save(self) -> None:
        """Save the session."""
        try:
            path = self.keeper.save(self.run_shown, self.view)
        except ConfigError as error:
            self.show(f"not saved: {error}")
        else:
            self.show(f"saved as {path.stem}" if path else "nothing to save: nothing was trained")

    def action_resume(self) -> None:
        """Open the latest saved session."""
        self.pause()
        self.post_message(self.Resumed(self))

    def action_library(self) -> None:
        """Back to the library."""
        self.pause()
        self.post_message(self.Left(self))

    def action_tour(self) -> None:
        """Show around."""
        self.app.push_screen(TourScreen())

    def action_help(self) -> None:
        """Explain the focused panel."""
        panel = self.focused_panel
        if isinstance(panel, (Panel, TextPanel, BranchesPanel)):
            title, explained = str(panel.border_title), panel.explained
        else:
            title, explained = "The workbench", "Tab moves the focus; ? explains that panel."
        own = OWN_KEYS.get(type(panel), ()) if panel is not None else ()
        self.app.push_screen(HelpScreen(title, explained, (*own, *WORKBENCH)))

    def action_manual(self) -> None:
        """Open the manual."""
        self.app.push_screen(ManualScreen())
