"""The app: the library, the workbenches opened from it, and their sessions kept on disk."""

import asyncio
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import ScreenStackError, SystemCommand
from textual.css.query import NoMatches
from textual.events import Key, Resize
from textual.screen import Screen
from textual.theme import Theme
from textual.widget import AwaitMount, MountError
from textual.worker import WorkerFailed

from nntui.core.engine.player_names import AUTO
from nntui.core.errors import ConfigError
from nntui.presets.command_line import open_command
from nntui.presets.lookup import library
from nntui.presets.making.csv_columns import CsvColumns
from nntui.presets.preset import Preset
from nntui.program.program_error import ProgramError
from nntui.timeline import Run
from nntui.timeline.sessions import session_folder
from nntui.timeline.sessions.session import Session, load
from nntui.tui.actions import LIBRARY, MICROSCOPE, PROGRAM, WORKBENCH, Action, fill_keys
from nntui.tui.drawing.themes import HIGH_CONTRAST, own_variables
from nntui.tui.microscope.microscope_screen import MicroscopeScreen
from nntui.tui.panels.editing.inputs import EntryInput
from nntui.tui.panels.panel import colours_of
from nntui.tui.screens.command_palette import Palette
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.dialogs.choose_value import ListDialog
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.screens.sized import too_small
from nntui.tui.terminal.backpressure import ThriftyApp
from nntui.tui.terminal.preferences import remember, remembered
from nntui.tui.terminal.profile import Profile
from nntui.tui.terminal.taken import taken_file
from nntui.tui.workbench.autosave import EVERY
from nntui.tui.workbench.screen import WorkbenchScreen

if TYPE_CHECKING:  # a third of the start, which only those wait for who open a program
    from nntui.program.checking import CheckRequest
    from nntui.program.debugging.sessions.program_session import ProgramSession
    from nntui.tui.programs.program_screen import ProgramScreen

THEME, OF_SIXTEEN = "theme", "ansi-dark"
"""What the theme is remembered under, and the one for terminals of sixteen colours."""
MOST_OFFERED = 3
"""Saved sessions that the library offers to resume."""
NOT_FOR_VISITORS = ("resume", "program")
"""Actions of the library on what only its owner has."""

TAKEN_DOWN = (NoMatches, MountError, ScreenStackError)
"""What handlers that are still at work find while the screens are taken down."""


class NNTUI(ThriftyApp):
    """Opens ``preset``, or a saved session, or a ``program``, or the library."""

    TITLE = "nntui"

    def __init__(
        self,
        preset: Preset | None = None,
        session: Session | None = None,
        profile: Profile | None = None,
        program: "CheckRequest | ProgramSession | None" = None,
        player: str = AUTO,
        visitor: bool = False,
        data: CsvColumns | None = None,
    ) -> None:
        """A ``visitor`` opens the library and texts of presets, and keeps nothing.

        For ``data`` a preset is made at first, question by question.
        """
        super().__init__(profile or Profile())
        self._player = player
        self.register_theme(HIGH_CONTRAST)
        self._preset, self._session, self._program = preset, session, program
        self._library: LibraryScreen | None = None
        self._visitor, self._data = visitor, data
        self.event_loop: asyncio.AbstractEventLoop | None = None
        self._benches: dict[Preset, WorkbenchScreen] = {}
        self._opened = 0
        self._programs: list[ProgramScreen] = []

    def get_css_variables(self) -> dict[str, str]:
        """Those of the theme, and our own."""
        own = own_variables(self.current_theme, colours_of(self))
        self.theme_variables = super().get_css_variables() | own
        return self.theme_variables

    async def on_mount(self) -> None:
        """Open what was asked for."""
        self.event_loop = asyncio.get_running_loop()
        self._choose_theme()
        self.set_interval(EVERY, self.autosave)
        if self._session is not None:
            note = self._noted(f"resumed {self._session.path.stem}")
            await self._resume(self._session, note)
        elif self._program is not None:
            await self._open_program(self._program, self.profile.note)
        elif self._preset is not None:
            await self._open(self._preset, self._noted(self._offer(self._preset)))
        else:
            await self._show_library()
            if self._data is not None and self._library is not None:
                self._library.make_for(self._data)

    def _choose_theme(self) -> None:
        """The theme that was chosen last; in sixteen colours, else one that is made of them."""
        known = None if self._visitor else remembered(THEME)
        chosen = self.available_themes.get(known) if isinstance(known, str) else None
        few = not (self.no_color or self.is_headless) and _has_sixteen(self)
        if few and (chosen is None or not chosen.ansi):
            self.theme = OF_SIXTEEN  # others would be rounded to a few, many of them white
        elif chosen is not None:
            self.theme = chosen.name
        self._theme_at_first = self.theme
        self.theme_changed_signal.subscribe(self, self._remember_theme, immediate=True)

    def _remember_theme(self, theme: Theme) -> None:
        if not self._visitor and (theme.name != self._theme_at_first or remembered(THEME)):
            remember(THEME, theme.name)

    def action_press(self, name: str) -> None:
        """Press the key of the workbench's action of that name: its cap was clicked."""
        found = next((each for each in WORKBENCH if each.name == name), None)
        if found is not None:
            self.simulate_key(found.keys.split(",")[0])

    def notify(self, message: str, **named: Any) -> None:
        """Say it in the message line of a workbench or a program; elsewhere as Textual does."""
        screen = self.screen if self.screen_stack else None
        program = next((each for each in self._programs if each is screen), None)
        if isinstance(screen, WorkbenchScreen) and screen.is_mounted:
            screen.show(message)
        elif program is not None and program.is_mounted:
            program.tell(message)
        else:
            # Messages are plain text: a path may have brackets.
            super().notify(message, **{"markup": False, **named})

    def deliver_screenshot(
        self, filename: str | None = None, path: str | None = None, time_format: str | None = None
    ) -> str | None:
        """Save the screen as an SVG in the folder of sessions, and say where."""
        if self._visitor:
            self.notify("nothing of a visit is kept, and no screenshot either")
            return None
        try:
            saved = taken_file("screenshot", ".svg", self.export_screenshot())
        except ConfigError as error:
            self.notify(f"no screenshot: {error}")
            return None
        self.notify(f"screenshot saved as {saved}")
        return str(saved)

    async def on_key(self, event: Key) -> None:
        """Keep what is typed fast: these keys were sent to the panel that asked the question.

        Printable keys reach the app only if the question's input did not get them.
        """
        screen = self.screen
        if isinstance(screen, (Ask, ListDialog)) and (event.is_printable or screen.focused is None):
            await screen.type(event)
        focused = self.focused
        if isinstance(focused, EntryInput) and await focused.take(event):
            event.prevent_default()

    @property
    def _of_library(self) -> tuple[Action, ...]:
        """What can be done in the library."""
        return tuple(x for x in LIBRARY if not (self._visitor and x.name in NOT_FOR_VISITORS))

    def _show_library(self) -> AwaitMount:
        if self._library is None:
            self._library = LibraryScreen(
                list(library()), self._offered, self.profile.note, self._of_library
            )
        return self.push_screen(self._library)

    def _offered(self) -> list[session_folder.SessionFile]:
        """The latest sessions, of a program the last one."""
        known: set[str] = set()
        offered = []
        for entry in self._saved():
            if entry.program is None or entry.program not in known:
                offered.append(entry)
            known.add(entry.program or "")
        return offered[:MOST_OFFERED]

    def _offer(self, preset: Preset) -> str:
        """A note that an earlier session of ``preset`` can be resumed; empty if there is none."""
        saved = next((entry for entry in self._saved() if entry.preset == preset.name), None)
        if saved is None:
            return ""
        when = session_folder.age(saved.saved, datetime.now(UTC))
        return fill_keys(f"{{resume}} resumes what was saved {when}")

    def _noted(self, note: str) -> str:
        """``note``, behind what was chosen for this connection."""
        return "; ".join(each for each in (self.profile.note, note) if each)

    def _open(self, preset: Preset, note: str = "") -> AwaitMount:
        """Open ``preset``, as it was left if it was open before."""
        if preset not in self._benches:
            run = Run(preset, player=self._player)
            self._install(WorkbenchScreen(preset, run, note=note, visitor=self._visitor))
        return self.push_screen(self._benches[preset])

    def _install(self, bench: WorkbenchScreen) -> None:
        self._opened += 1
        self._benches[bench.scenario] = bench
        # An installed screen outlives being popped, and so does its run.
        self.install_screen(bench, f"workbench-{self._opened}")

    async def _resume(self, session: Session, note: str = "") -> None:
        """Go on with a saved session."""
        scenario, path = session.tree.root.stretches[0].preset, session.path
        run = Run.on(session.tree, session.branch, session.update)
        said = (note or f"resumed {path.stem}", session.tree.note)
        bench = WorkbenchScreen(scenario, run, path, note="; ".join(filter(None, said)))
        before = self._benches.get(scenario)
        if before is not None:
            self._keep(before)
        self._install(bench)
        await self.push_screen(bench)
        bench.take_view(session.view)

    async def on_library_screen_resumed(self, message: LibraryScreen.Resumed) -> None:
        """Open the chosen session, or the workbench that has it open."""
        for bench in self._benches.values():
            if bench.autosave.path == message.path:
                self.push_screen(bench)
                return
        try:
            if message.is_program:
                from nntui.program.debugging.sessions.program_session import load_program_session

                await self._open_program(load_program_session(message.path))
            else:
                await self._resume(load(message.path))
        except ConfigError as error:
            if self._library is not None:
                self._library.complain(str(error))

    def on_library_screen_chosen(self, message: LibraryScreen.Chosen) -> None:
        """Open the chosen preset above the library."""
        self._open(message.preset, message.note or self._offer(message.preset))

    def on_resize(self, event: Resize) -> None:
        """Close what lies above the screens where there is no room for it."""
        if too_small(event.size):
            while self.screen.is_modal:
                self.pop_screen()

    def _open_program(self, program: "CheckRequest | ProgramSession", note: str = "") -> AwaitMount:
        """Open a program, or a session of one; raises ProgramError for what is none."""
        from nntui.tui.programs.program_screen import ProgramScreen

        screen = ProgramScreen(program, note)
        self._programs.append(screen)
        return self.push_screen(screen)

    def on_program_screen_left(self, message: "ProgramScreen.Left") -> None:
        """End the program; the library lies below it, or is opened now."""
        if self.screen is message.screen:
            self.pop_screen()
            if not isinstance(self.screen_stack[-1], LibraryScreen):
                self._show_library()

    def on_program_screen_recognised(self, message: "ProgramScreen.Recognised") -> None:
        """Open the preset that computes the same as a program, above that."""
        self._open(message.preset, "the program lies below; l goes back to it")

    def on_program_screen_resumed(self, message: "ProgramScreen.Resumed") -> None:
        """Put the latest saved session of the program in its place."""
        screen = message.screen
        path, own = os.path.abspath(screen.run_shown.request.path), screen.keeper.path
        found = next((e for e in self._saved() if e.program == path and e.path != own), None)
        if found is None:
            screen.tell("no other session of this program is saved")
            return
        from nntui.program.debugging.sessions.program_session import load_program_session

        try:
            session = load_program_session(found.path)
        except ConfigError as error:
            screen.tell(str(error))
        else:
            self.pop_screen()
            self._open_program(session, f"resumed {found.path.stem}")

    def on_library_screen_program_wanted(self, message: LibraryScreen.ProgramWanted) -> None:
        """Open a program by its path."""
        if self._visitor:
            if self._library is not None:
                self._library.complain("no program is run here: nntui FILE.py opens yours at home")
            return
        from nntui.program.checking import CheckRequest

        try:
            self._open_program(CheckRequest(os.path.expanduser(message.path)))
        except ProgramError as error:
            if self._library is not None:
                self._library.complain(str(error))

    def on_workbench_screen_left(self, message: WorkbenchScreen.Left) -> None:
        """Put the workbench aside; the library lies below it, or is opened now."""
        if self.screen is not message.bench:
            return
        self.pop_screen()
        below = self.screen_stack[-1]
        if not isinstance(below, LibraryScreen) and below not in self._programs:
            self._show_library()
        if self._library is not None:
            self._library.highlight(message.bench.scenario.name)

    async def on_workbench_screen_resumed(self, message: WorkbenchScreen.Resumed) -> None:
        """Put the latest saved session of the scenario in the place of the workbench."""
        bench = message.bench
        name, own = bench.scenario.name, bench.autosave.path
        found = next((e for e in self._saved() if e.preset == name and e.path != own), None)
        if found is None:
            bench.show("no other session of this scenario is saved")
            return
        try:
            session = load(found.path)
        except ConfigError as error:
            bench.show(str(error))
        else:
            self.pop_screen()
            await self._resume(session)

    def _saved(self) -> Iterator[session_folder.SessionFile]:
        """The sessions that can be resumed, the latest first."""
        if self._visitor:
            return
        try:
            yield from (entry for entry in session_folder.entries() if entry.problem is None)
        except ConfigError:
            return

    def _keep(self, bench: WorkbenchScreen) -> Path | None:
        return bench.autosave.save(bench.run_shown, bench.saved_view)

    def autosave(self) -> None:
        """Save in the background what is new since the last time."""
        if self._visitor:
            return
        for bench in self._benches.values():
            bench.autosave.save_later(bench.run_shown, bench.saved_view)
            if bench.autosave.problem and self.screen is bench:
                bench.show(f"not saved: {bench.autosave.problem}")

        for screen in self._programs:
            if screen.is_mounted and screen.keeper.is_new and not screen.control.is_busy:
                screen.control.keep_later(screen.keeper.save_quietly)

    def leave(self, code: int) -> None:
        """Save, then end with exit ``code``: a terminal that has gone may block for ever."""
        self.save_all()
        self.exit(return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (self._exit and isinstance(cause, TAKEN_DOWN)):
            super()._handle_exception(error)

    def hold_training(self, seconds: float) -> bool:
        """Let no further update be made, from another thread; False if one takes too long."""
        return all(
            bench.control.player.turn.acquire(timeout=seconds) for bench in self._benches.values()
        )

    def save_all(self) -> list[str]:
        """Save every session now; what to tell about it, a line each."""
        lines: list[str] = []
        if self._visitor:
            return lines
        for bench in self._benches.values():
            try:
                path = self._keep(bench)
            except ConfigError as error:
                lines.append(f"the session of {bench.scenario.name} is not saved: {error}")
            else:
                if path is not None:
                    lines.append(
                        f"saved; resume with: {open_command(session_folder.name_of(path))}"
                    )
        for screen in self._programs:
            keeper, name = screen.keeper, screen.run_shown.request.path
            if screen.is_mounted:
                keeper.save_quietly()
            if keeper.problem:
                lines.append(f"the session of {name} is not saved: {keeper.problem}")
            elif keeper.path is not None:
                lines.append(
                    f"saved; look again with: {open_command(session_folder.name_of(keeper.path))}"
                )
        return lines

    def action_command_palette(self) -> None:
        """Open the palette, unless it is open."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: what the screen can do now, then what Textual offers."""
        possible = {
            LibraryScreen: self._of_library,
            WorkbenchScreen: WORKBENCH,
            MicroscopeScreen: MICROSCOPE,
        }
        program = next((each for each in self._programs if each is screen), None)
        actions = possible.get(type(screen), () if program is None else PROGRAM)
        yield SystemCommand("quit (q)", "Leave nntui.", self.action_quit)
        for action in actions:
            method = getattr(screen, f"action_{action.name}", None)
            acting = screen if isinstance(screen, WorkbenchScreen) else program
            if acting is not None and action.name in acting.actions.handlers:
                method = partial(acting.perform, action.name)
            if method is not None:
                yield SystemCommand(f"{action.label} ({action.key})", action.help, method)
        for command in super().get_system_commands(screen):
            # Our help and zoom do these, and keep the status and the keys in sight.
            ours = ("Keys", "Maximize", "Minimize", "Quit")
            if command.title not in ours and not (self._visitor and command.title == "Screenshot"):
                # The list is sorted by its letters, capitals first; ours begin with small ones.
                title = command.title[:1].lower() + command.title[1:]
                yield command._replace(title=title)


def _has_sixteen(app: NNTUI) -> bool:
    """Whether the terminal has but sixteen colours."""
    return app.console.color_system in ("standard", "windows")
