"""The screen of a person's own program: its panels, and the one view that all of them follow."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Key, Resize
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Preset
from nntui.program.checking import CheckRequest
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.seen import ProgramSeen
from nntui.program.debugging.sessions.program_session import ProgramSession
from nntui.program.debugging.snapshot_of_run import seen_of
from nntui.tui.actions import PROGRAM, fill_keys, fill_program_keys
from nntui.tui.drawing.titles import title_of
from nntui.tui.key_bindings import bindings, bindings_elsewhere, told_elsewhere
from nntui.tui.panels.branches_panel import BranchesPanel
from nntui.tui.panels.key_bar import KeyBar
from nntui.tui.panels.loss_plot import LossPlot
from nntui.tui.panels.message_line import MessageLine
from nntui.tui.panels.panel import Panel, TextPanel
from nntui.tui.panels.timeline_strip import Timeline
from nntui.tui.programs.actions.program_actions import ProgramActions
from nntui.tui.programs.panels.array_heatmap import ArrayHeatmap
from nntui.tui.programs.panels.findings_panel import FindingsPanel
from nntui.tui.programs.panels.printed_panel import PrintedPanel
from nntui.tui.programs.panels.program_status import ProgramStatus
from nntui.tui.programs.panels.source_panel import SourcePanel
from nntui.tui.programs.panels.variables_panel import VariablesPanel
from nntui.tui.programs.program_arrangement import ABSENT, CSS, PANELS, keys_of
from nntui.tui.programs.program_bench import PanelType
from nntui.tui.programs.program_control import ProgramControl
from nntui.tui.programs.program_display import ProgramDisplay
from nntui.tui.programs.program_keeper import ProgramKeeper
from nntui.tui.programs.program_view import NARROW, ProgramView
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.manual import ManualScreen
from nntui.tui.screens.sized import SizedScreen

LOOK = 1.0
"""Seconds between two looks whether the file was edited."""


class ProgramScreen(SizedScreen[None]):
    """Owns the program's run and the view, and hands every panel what it shows."""

    DEFAULT_CSS = CSS
    BINDINGS = [
        *bindings(PROGRAM, "perform"),
        *bindings_elsewhere(PROGRAM, "branches"),
        Binding("escape", "perform('unzoom')", "all panels", show=False),
    ]

    class Left(Message):
        """The user wants to go back to the library."""

        def __init__(self, screen: "ProgramScreen") -> None:
            super().__init__()
            self.screen = screen

    class Recognised(Message):
        """A preset computes the same."""

        def __init__(self, preset: Preset) -> None:
            super().__init__()
            self.preset = preset

    class Progressed(Message):
        """The program's thread says what it is doing now."""

        def __init__(self, note: str) -> None:
            super().__init__()
            self.note = note

    class Resumed(Message):
        """The user wants the latest saved session of the program."""

        def __init__(self, screen: "ProgramScreen") -> None:
            super().__init__()
            self.screen = screen

    def __init__(self, program: CheckRequest | ProgramSession, note: str = "") -> None:
        """A program to be opened, or a session of one, of which nothing runs at first.

        Raises ProgramError for what is no program to look at.
        """
        super().__init__()
        if isinstance(program, ProgramSession):
            self.run_shown = ProgramRun.from_session(program)
            self.keeper = ProgramKeeper(self.run_shown, program.path)
        else:
            self.run_shown = ProgramRun(program)
            self.keeper = ProgramKeeper(self.run_shown)
        self.run_shown.progress = self._progressed
        self.view = ProgramView()
        self.control = ProgramControl(self, self.run_shown)
        self.shown = ProgramDisplay(self)
        self.actions = ProgramActions(self)
        self._first_note = note
        self._edited: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Status above, the source, the plot and the others beside it, time and keys below."""
        yield ProgramStatus()
        with Horizontal(id="body"):
            yield SourcePanel()
            with Vertical(id="right"):
                yield LossPlot()
                yield FindingsPanel()
                yield VariablesPanel()
                yield ArrayHeatmap()
                yield PrintedPanel()
                yield BranchesPanel()
        yield MessageLine()
        yield Timeline()
        yield KeyBar(PROGRAM)
        yield self.size_message()

    def on_mount(self) -> None:
        """Show the source at once, and open the program in the background."""
        self.query_one(SourcePanel).focus()
        self.shown.show(seen_of(self.run_shown), self._first_note)
        if self.run_shown.is_kept:
            self.actions.remembering.show_kept(self._first_note)
        else:
            self.control.ask(
                "looking for the loop of the updates", self.run_shown.open, self._opened
            )
        self.set_interval(LOOK, self._look_at_file)

    def _opened(self, _: None) -> str:
        if self.run_shown.branch.problem:
            self.view = self.view.with_aside(PrintedPanel)
            self.share_room()
            return ""
        return fill_keys(f"{{run}} runs, {{one_update}} steps; {self._first_note}").rstrip("; ")

    def on_unmount(self) -> None:
        """Save what was seen, and end the program."""
        self.keeper.save_quietly()
        self.control.close()

    def on_resize(self, event: Resize) -> None:
        """Share the room anew."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW, "-narrow")
        self.query_one(MessageLine).fit(event.size.height)
        self.share_room()

    # What the panels show.

    @property
    def seen(self) -> ProgramSeen:
        """What is on the screen."""
        return self.shown.seen

    def take(self, seen: ProgramSeen) -> None:
        """Show what is seen of the program now."""
        if not self._has_panels:
            return
        run = self.run_shown
        if any({**each.texts, **self._edited} == each.texts for each in run.branches):
            self._edited = {}
        self.shown.show(replace(seen, edited=bool(self._edited)))

    def tell(self, note: str) -> None:
        """Say what just happened."""
        if self._has_panels:
            self.shown.tell(note)

    @property
    def _has_panels(self) -> bool:
        """Whether the panels are there; keys and answers may come before, or outlive them."""
        return bool(self.query(MessageLine))

    def look(self, view: ProgramView, note: str | None = None) -> None:
        """Show the program as ``view`` says from now on."""
        self.view = view
        if not self._has_panels:
            return
        self.share_room()
        self.shown.show(self.seen, note)

    def share_room(self) -> None:
        """Show the panels that are wanted and have room."""
        view, zoomed = self.view, self.view.zoomed
        branches = len(self.run_shown.branches)
        shown = view.shown(self.size.width, self.size.height, branches)
        self.set_class(zoomed is not None, "-zoomed")
        for kind in PANELS:
            here = kind in shown if zoomed is None else kind in (zoomed, Timeline)
            self.query_one(kind).set_class(not here, "-aside")
            self.query_one(kind).set_class(kind is view.asides[0], "-first")
        right = self.query_one("#right")
        right.set_class(all(each.has_class("-aside") for each in right.children), "-aside")

    @property
    def shown_panels(self) -> list[Widget]:
        """The panels that are shown, or would be if none were zoomed."""
        kinds = self.view.shown(self.size.width, self.size.height, len(self.run_shown.branches))
        return [self.query_one(kind) for kind in kinds]

    @property
    def focused_panel(self) -> Widget | None:
        """The panel that has the focus."""
        within = self.focused.ancestors_with_self if self.focused is not None else ()
        return next((each for each in within if isinstance(each, PANELS)), None)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the keys of the panel that has the focus."""
        focused = self.focused or event.widget
        self.query_one(KeyBar).actions = keys_of(focused)

    # What actions are handed.

    def action_perform(self, action: str) -> None:
        """Textual's way to `perform`."""
        self.perform(action)

    def action_elsewhere(self, opener: str, name: str) -> None:
        """Say of a panel's own key where it does something."""
        self.tell(told_elsewhere(opener, name, shown=False))

    def on_key(self, event: Key) -> None:
        """Say of a key of the workbench that it does nothing here."""
        label = ABSENT.get(event.key)
        if label is not None:
            hint = "{preset} opens the workbench, {help} lists the keys"
            self.tell(fill_program_keys(f"{label}: not for a program; {hint}"))

    def perform(self, action: str) -> None:
        """Do what the action of that name does, such as ``one_epoch`` or ``jump 300``."""
        if self._has_panels:
            self.actions.perform(action)

    def ask(self, question: Screen[Any], answered: Callable[[Any], None] | None = None) -> None:
        """Put a question above the panels; ``answered`` gets None where there is no answer."""
        self.app.push_screen(question, answered)

    def work(self, task: Callable[[], Coroutine[None, None, None]]) -> Worker[None]:
        """Do ``task`` in the background, until the screen is closed."""
        return self.run_worker(task, group="program")

    def panel(self, kind: type[PanelType]) -> PanelType:
        """The panel of that class."""
        return self.query_one(kind)

    def note_findings(self, note: str) -> None:
        """Say ``note`` above the findings from now on."""
        self.shown.finding_note = note

    @property
    def is_ready(self) -> bool:
        """Whether the program is checked and can be stepped; it is said why not."""
        if self.seen.check is None or self.seen.problem:
            self.tell(self.seen.problem or "the program is still being checked")
            return False
        return True

    def bring(self, kind: type[Widget]) -> None:
        """Bring the panel of that ``kind`` into sight, with the focus."""
        view = self.view.with_aside(kind)
        if view.zoomed is not None:
            view = replace(view, zoomed=kind)
        self.look(view)
        self.set_focus(self.query_one(kind))

    def explain(self) -> None:
        """Explain the focused panel."""
        panel = self.focused_panel
        if isinstance(panel, (Panel, TextPanel, BranchesPanel)):
            title, explained = title_of(panel), panel.explained
        else:
            title, explained = "A program of your own", "Tab moves the focus; ? explains it."
        own = tuple(each for each in keys_of(panel) if each not in PROGRAM)
        self.ask(HelpScreen(title, explained, PROGRAM, own))

    def open_manual(self) -> None:
        """Open the manual."""
        self.ask(ManualScreen())

    def recognised(self, preset: Preset) -> None:
        """Have ``preset`` opened in the workbench."""
        self.post_message(self.Recognised(preset))

    def resume(self) -> None:
        """The latest saved session of the program."""
        self.post_message(self.Resumed(self))

    def leave(self) -> None:
        """Back to the library."""
        self.control.halt()
        self.post_message(self.Left(self))

    def _progressed(self, note: str) -> None:
        self.post_message(self.Progressed(note))

    def on_program_screen_progressed(self, message: Progressed) -> None:
        """Say so."""
        self.tell(fill_program_keys(f"{message.note}; {{interrupt}} ends it"))

    # What the panels ask for.

    def on_timeline_sought(self, message: Timeline.Sought) -> None:
        """Follow the strip's cursor."""
        self.control.go_to(message.update)

    def on_loss_plot_sought(self, message: LossPlot.Sought) -> None:
        """Go to where the inspector line stands."""
        self.control.go_to(self.run_shown.branch.record.update_of(message.epoch))

    def on_source_panel_chosen(self, message: SourcePanel.Chosen) -> None:
        """Show the arrays of the chosen line, where they are in sight."""
        view = replace(self.view, line=message.line, array=0, turn=0)
        if not message.arrays:
            self.look(view)
            return
        update = self.seen.seen
        gives = (
            update.problem or not update.lines or update.on(view.file or self.seen.file, view.line)
        )
        nothing = f"line {view.line} gives no array in this update"
        nothing += ": the first parameter's instead" if update.parameters else ""
        self.look(view.with_aside(ArrayHeatmap), "" if gives else nothing)

    def on_source_panel_said(self, message: SourcePanel.Said) -> None:
        """Say so."""
        self.tell(message.note)

    def on_source_panel_elsewhere(self, message: SourcePanel.Elsewhere) -> None:
        """Show a line of another file."""
        self.look(replace(self.view, file=message.file, line=message.line))
        self.query_one(SourcePanel).show_line(message.line)

    def on_source_panel_file_wanted(self) -> None:
        """Show the next file of the program."""
        files = [each.file for each in self.seen.files]
        at = files.index(self.view.file) if self.view.file in files else 0
        if len(files) == 1:
            self.tell("the program has one file")
        else:
            self.look(replace(self.view, file=files[(at + 1) % len(files)], line=1, array=0))

    def on_array_heatmap_turned(self, message: ArrayHeatmap.Turned) -> None:
        """Show another value of the line."""
        self.look(replace(self.view, turn=max(self.view.turn - message.by, 0)))

    def on_findings_panel_wanted(self, message: FindingsPanel.Wanted) -> None:
        """Do what is wanted of a finding."""
        self.actions.repairing.serve_finding(message.action, message.finding)

    def on_branches_panel_wanted(self, message: BranchesPanel.Wanted) -> None:
        """Do what is wanted of a branch."""
        if isinstance(message.branch, int):
            self.actions.forking.serve_branch(message.action, message.branch)

    # The file.

    def _look_at_file(self) -> None:
        """Notice that the file was edited."""
        if self.control.closed or self.run_shown.is_kept:
            return
        was_kept = self.run_shown.files.stamp == ()
        edited, note = self.actions.forking.edited_texts()
        if note and was_kept and not self.control.doing:
            # Whether a session ran to the same state is not to be taken away by what is known.
            note = "; ".join(each for each in (self.shown.note, note) if each)
        if edited != self._edited:
            self._edited = edited
            self.shown.show(replace(self.seen, edited=bool(edited)), note)
        elif note is not None:
            self.tell(note)
