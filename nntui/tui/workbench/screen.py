"""The screen of one scenario: its panels, its run, and the one view that all panels follow."""

import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal, Vertical
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget
from textual.worker import Worker

from nntui.compiler.object_cache import cache_folder
from nntui.core.engine.player_names import COMPILED
from nntui.core.errors import ConfigError
from nntui.players.trainers import prepare
from nntui.presets.preset import Preset
from nntui.timeline import Run
from nntui.timeline.history.branch import Branch
from nntui.tui.actions import WORKBENCH, fill_keys
from nntui.tui.drawing.titles import title_of
from nntui.tui.key_bindings import bindings, bindings_elsewhere, told_elsewhere
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.content import StatusContent
from nntui.tui.panels.editing.editor import Editor
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageLine
from nntui.tui.panels.network_panel import NetworkPanel
from nntui.tui.panels.output_panel import OutputPanel
from nntui.tui.panels.panel import Panel, TextPanel
from nntui.tui.panels.status_line import StatusLine
from nntui.tui.panels.story_panel import StoryPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.panels.why_panel import WhyPanel
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.screens.tour import TourScreen
from nntui.tui.terminal.backpressure import ThriftyApp
from nntui.tui.terminal.preferences import remembered
from nntui.tui.workbench.actions.registry import Actions
from nntui.tui.workbench.arrangement import (
    CSS,
    OWN_KEYS,
    PANELS,
    offered_keys,
    outputs_as_remembered,
    shown_panels,
)
from nntui.tui.workbench.autosave import Autosave
from nntui.tui.workbench.bench import PanelType, Result
from nntui.tui.workbench.display import Display
from nntui.tui.workbench.frame_budget import FrameBudget
from nntui.tui.workbench.run_control import RunControl
from nntui.tui.workbench.view import WorkbenchView

OF_VISITS = "nothing of a visit is kept; {take} copies the configuration"


class Columns(Horizontal):
    """What lies between status and message, in two or three columns."""

    class Resized(Message):
        """There is other room than before."""

    def on_resize(self, event: Resize) -> None:
        """Have the rows shared anew."""
        self.post_message(self.Resized())


class WorkbenchScreen(SizedScreen[None]):
    """Owns the run and the view, and hands every panel what it shows; a `Bench` for actions."""

    DEFAULT_CSS = CSS
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    BINDINGS = [
        *bindings(WORKBENCH, "perform"),
        *bindings_elsewhere(WORKBENCH, "why", "branches"),
        Binding("escape", "perform('unzoom')", "all panels", show=False),
    ]

    class Left(Message):
        """The user wants to go back to the library."""

        def __init__(self, bench: "WorkbenchScreen") -> None:
            super().__init__()
            self.bench = bench

    class Resumed(Message):
        """The user wants the latest saved session of the scenario."""

        def __init__(self, bench: "WorkbenchScreen") -> None:
            super().__init__()
            self.bench = bench

    def __init__(
        self,
        scenario: Preset,
        run: Run | None = None,
        path: Path | None = None,
        note: str = "",
        visitor: bool = False,
    ) -> None:
        """``run`` and ``path`` are those of a saved session; ``note`` is shown at first.

        Nothing is kept of what a ``visitor`` does.
        """
        super().__init__()
        self.scenario, self.visitor = scenario, visitor
        self.run_shown = Run(scenario) if run is None else run
        self.view = WorkbenchView()
        self._recalled = False
        self.control = RunControl(self, self.run_shown)
        self.panels = Display(self)
        self.autosave = Autosave(path)
        self.moved: Signal[Run] = Signal(self, "moved")
        """Published whenever the run is shown as it is now."""
        self._first_note = note or fill_keys("{run} runs, {one_update} steps")
        self.actions = Actions(
            self,
            {
                "save": self._save,
                "resume": self._resume,
                "library": lambda: self._leave(self.Left(self)),
                "tour": lambda: self.ask(TourScreen()),
                "help": self._help,
                "manual": lambda: self.ask(ManualScreen()),
            },
        )

    def compose(self) -> ComposeResult:
        """Status above, plots left, pictures and texts right; message, time and keys below."""
        yield StatusLine(self.scenario)
        with Columns(id="columns"):
            with Vertical(id="left"):
                yield LossPlot()
                yield Heatmap()
            with Container(id="side"):
                with Vertical(id="middle"):
                    editing = self.actions.editing
                    yield NetworkPanel(self.scenario, editing.effect, editing.ask)
                    yield BranchesPanel()
                    yield OutputPanel()
                with Vertical(id="right"):
                    yield StoryPanel(self.scenario.story)
                    yield WhyPanel()
        yield MessageLine()
        yield Timeline()
        yield KeyBar(WORKBENCH)
        yield self.size_message()

    def on_columns_resized(self) -> None:
        """Share the rows that there are now; the outputs are shown as they were last."""
        name = outputs_as_remembered(self.run_shown, short=self.is_short)
        visible = None if self.visitor or name is None else remembered(name)
        if not self._recalled and isinstance(visible, bool) and self.view.output.visible is None:
            self.view = replace(self.view, output=replace(self.view.output, visible=visible))
        self._recalled = True
        self.panels.show(None, anew=True)

    def on_mount(self) -> None:
        """Show the run; the story has the focus, because one reads it first."""
        assert isinstance(self.app, ThriftyApp)
        player = self.control.player
        self._budget = FrameBudget(self.app.profile.frames, lambda: player.trained)
        self._frames = self.set_interval(self._budget.interval, self._frame, pause=True)
        first = self.run_shown.branch.stretches[-1].first
        if first.player == COMPILED:
            # In the time that it takes to press a key; later the code is only loaded.
            if not cache_folder().exists():
                self._first_note += "; its updates are compiled once, and kept"
            threading.Thread(target=prepare, args=(first,)).start()
        self.show(self._first_note)
        self.query_one(self.shown_panels[0]).focus()

    def on_unmount(self) -> None:
        """Stop training."""
        self.control.pause()

    def _frame(self) -> None:
        """Show the run, if it is time and the terminal has shown what it got before."""
        assert isinstance(self.app, ThriftyApp)
        if not self.app.line_is_busy and self._budget.is_due():
            self.show()

    # What the panels show.

    @property
    def note(self) -> str:
        """What the status line says of what just happened."""
        return self.panels.note

    def look(self, view: WorkbenchView, note: str | None = None) -> None:
        """Show the run as ``view`` says from now on."""
        self.view = view
        self.show(note)

    def show(self, note: str | None = None) -> None:
        """Hand the panels what they show, if there is anything new; see `Bench.show`."""
        if self.panels.show(note):
            self._list_keys(self.focused)
            self.actions.diagnosing.look()
            self.moved.publish(self.run_shown)

    def _list_keys(self, focused: Widget | None) -> None:
        keys = offered_keys(focused, self.view, failed=self.control.failed)
        self.query_one(KeyBar).actions = keys

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the keys of the panel that has the focus."""
        # An earlier focus may be told of later.
        self._list_keys(self.focused or event.widget)
        if not isinstance(self.focused_panel, NetworkPanel):
            self.query_one(NetworkPanel).editor.leave()
        self.panels.fit()

    def on_screen_resume(self) -> None:
        """Catch up with what was done meanwhile."""
        self.actions.diagnosing.look()

    # What actions are handed; see `Bench`.

    def action_perform(self, action: str) -> None:
        """Textual's way to `perform`."""
        self.perform(action)

    def action_elsewhere(self, opener: str, name: str) -> None:
        """Say of a panel's own key where it does something."""
        shown = opener == "why" and self.view.why  # there, its key would take the panel away
        self.show(told_elsewhere(opener, name, shown=shown))

    def perform(self, action: str) -> None:
        """Do what the action of that name does, such as ``one_epoch`` or ``jump 300``."""
        self.actions.perform(action)

    @property
    def other(self) -> Run | None:
        """The overlaid branch at the update of the run on the screen, or as near as it goes."""
        return self.panels.feed.other(self.view)

    @property
    def running(self) -> bool:
        """Whether anything is being trained right now."""
        return self.control.running

    @property
    def unit(self) -> tuple[int, int]:
        """The layer and the unit under the heatmap's cursor; on a target, the first output."""
        last = len(self.run_shown.preset.configuration.layers) - 1
        return self.query_one(Heatmap).unit or (last, 0)

    @property
    def status(self) -> StatusContent | None:
        """What the status line says."""
        return self.query_one(StatusLine).content

    @property
    def focused_panel(self) -> Widget | None:
        """The panel that has the focus, or in which something has it."""
        within = self.focused.ancestors_with_self if self.focused is not None else ()
        return next((each for each in within if isinstance(each, PANELS)), None)

    @property
    def shown_panels(self) -> list[type[Widget]]:
        """The panels that are shown, or would be if none were zoomed, in the order of the focus."""
        return shown_panels(self.view, self.run_shown, short=self.is_short)

    @property
    def zoomed(self) -> bool:
        """Whether one panel has all the room."""
        return self.view.zoomed is not None

    @property
    def is_short(self) -> bool:
        """Whether the screen has so few rows that some panels must give way."""
        return self.has_class("-short")

    @property
    def is_in_front(self) -> bool:
        """Whether no question or other screen lies above."""
        return self.app.screen is self

    def panel(self, kind: type[PanelType]) -> PanelType:
        """The panel of that class."""
        return self.query_one(kind)

    def ask(
        self, question: Screen[Result], answered: Callable[[Result | None], None] | None = None
    ) -> None:
        """Put a question above the panels; ``answered`` gets None where there is no answer."""
        self.app.push_screen(question, answered)

    def stop_to_ask(self) -> bool:
        """Pause; False if there is a question on the screen already."""
        if self.control.pause():
            self.show(fill_keys("paused to ask; {run} goes on"))
        return self.is_in_front

    def draw_frames(self, on: bool) -> None:
        """Draw frames, which is needed only while something is trained, or stop it."""
        (self._frames.resume if on else self._frames.pause)()

    def work(self, task: Callable[[], Coroutine[None, None, None]], group: str) -> Worker[None]:
        """Do ``task`` in the background, until the screen is closed."""
        return self.run_worker(task, group=group)

    def copy(self, text: str) -> None:
        """Send ``text`` to the terminal's clipboard."""
        # OSC 52 goes through SSH; a terminal never says whether it took the text.
        self.app.copy_to_clipboard(text)

    # What the panels ask for.

    def on_timeline_sought(self, message: Timeline.Sought) -> None:
        """Follow the strip's cursor."""
        self.control.seek(message.update)

    def on_loss_plot_sought(self, message: LossPlot.Sought) -> None:
        """Go to the end of the epoch under the inspector line."""
        update = self.run_shown.end_of(message.epoch - 1)
        self.control.seek(update, f"epoch {message.epoch:,}")

    def on_output_panel_wanted(self) -> None:
        """Draw for the new size."""
        self.panels.fit_outputs()

    def on_branches_panel_wanted(self, message: BranchesPanel.Wanted) -> None:
        """Do what is wanted of a branch."""
        if isinstance(message.branch, Branch):
            self.actions.branching.serve(message.action, message.branch)

    def on_why_panel_wanted(self, message: WhyPanel.Wanted) -> None:
        """Do what is wanted of a finding, or of a fix that was tried."""
        self.actions.diagnosing.serve(message.action, message.item)

    def on_heatmap_pointed(self, message: Heatmap.Pointed) -> None:
        """Ask for another value of the parameter under the heatmap's cursor."""
        self.actions.editing.ask_value(message.place)

    def on_network_panel_left(self) -> None:
        """Go back to where one was before editing."""
        self.perform("unzoom")

    def on_heatmap_moved(self) -> None:
        """The story may have asked for that."""
        self.actions.guiding.moved()

    def on_editor_begun(self) -> None:
        """Let nothing be trained while somebody edits."""
        self.actions.editing.begun()

    def on_editor_edited(self, message: Editor.Edited) -> None:
        """Make the changes that were written."""
        self.actions.editing.edited(message.changes)

    # The session, and other screens.

    @property
    def saved_view(self) -> dict[str, Any]:
        """How the run is looked at, to be saved with it."""
        return {
            "speed": self.control.player.speed,
            **self.view.saved(self.run_shown.tree.branches),
        }

    def take_view(self, saved: Mapping[str, Any]) -> None:
        """Look at the run as it was looked at when it was saved, as far as that can be known."""
        run, player, speed = self.run_shown, self.control.player, saved.get("speed")
        if isinstance(speed, int):
            player.change_speed(speed - player.speed)
        layers = len(run.preset.configuration.layers)
        view = self.view.restored(saved, run.tree.branches, layers)
        if view.overlaid is run.branch:
            view = view.with_overlay(None)
        self.look(view, self._first_note)
        self.autosave.opened(run, self.saved_view)

    def _save(self) -> None:
        if self.visitor:
            self.show(fill_keys(OF_VISITS))
            return
        try:
            path = self.autosave.save(self.run_shown, self.saved_view)
        except ConfigError as error:
            self.show(f"not saved: {error}")
        else:
            self.show(f"saved as {path.stem}" if path else "nothing to save: nothing was trained")

    def _resume(self) -> None:
        if self.visitor:
            self.show(fill_keys(OF_VISITS))
        else:
            self._leave(self.Resumed(self))

    def _leave(self, message: Message) -> None:
        self.control.pause()
        self.post_message(message)

    def _help(self) -> None:
        """Explain the focused panel."""
        panel = self.focused_panel
        if isinstance(panel, (Panel, TextPanel, BranchesPanel)):
            title, explained = title_of(panel), panel.explained
        else:
            title, explained = "The workbench", "Tab moves the focus; ? explains that panel."
        own = OWN_KEYS.get(type(panel), ()) if panel is not None else ()
        self.ask(HelpScreen(title, explained, WORKBENCH, own))
