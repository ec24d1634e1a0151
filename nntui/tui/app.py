"""The app: the library and the workbenches opened from it."""

import asyncio
from collections.abc import Iterable

from textual.app import App, SystemCommand
from textual.events import Key, Resize
from textual.screen import Screen

from nntui.presets.library import library
from nntui.presets.preset import Preset
from nntui.tui.actions import LIBRARY, WORKBENCH
from nntui.tui.screens.ask import AskNumber
from nntui.tui.screens.library import LibraryScreen
from nntui.tui.screens.sized import too_small
from nntui.tui.screens.workbench import Workbench


class NNTUI(App[None]):
    """Opens ``preset``, or the library."""

    TITLE = "nntui"

    def __init__(self, preset: Preset | None = None) -> None:
        super().__init__()
        self._preset = preset
        self._library: LibraryScreen | None = None
        self.event_loop: asyncio.AbstractEventLoop | None = None
        self._benches: dict[Preset, Workbench] = {}

    def on_mount(self) -> None:
        """Open what was asked for."""
        self.event_loop = asyncio.get_running_loop()
        if self._preset is None:
            self._show_library()
        else:
            self._open(self._preset)

    def on_key(self, event: Key) -> None:
        """Keep what is typed fast: these keys were sent to the panel that asked the question.

        Printable keys reach the app only if the question's input did not get them.
        """
        screen = self.screen
        if isinstance(screen, AskNumber) and (event.is_printable or screen.focused is None):
            screen.type(event)

    def _show_library(self) -> None:
        if self._library is None:
            self._library = LibraryScreen(list(library()))
        self.push_screen(self._library)

    def _open(self, preset: Preset) -> None:
        """Open ``preset``, as it was left if it was open before."""
        if preset not in self._benches:
            self._benches[preset] = Workbench(preset)
            # An installed screen outlives being popped, and so does its run.
            self.install_screen(self._benches[preset], f"workbench-{len(self._benches)}")
        self.push_screen(self._benches[preset])

    def on_library_screen_chosen(self, message: LibraryScreen.Chosen) -> None:
        """Open the chosen preset above the library."""
        self._open(message.preset)

    def on_resize(self, event: Resize) -> None:
        """Close what lies above the screens where there is no room for it."""
        if too_small(event.size):
            while self.screen.is_modal:
                self.pop_screen()

    def on_workbench_left(self, message: Workbench.Left) -> None:
        """Put the workbench aside; the library lies below it, or is opened now."""
        if self.screen is not self._benches[message.preset]:
            return
        self.pop_screen()
        if not isinstance(self.screen, LibraryScreen):
            self._show_library()
        if self._library is not None:
            self._library.highlight(message.preset.name)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: what the screen can do now, then what Textual offers."""
        actions = {LibraryScreen: LIBRARY, Workbench: WORKBENCH}.get(type(screen), ())
        yield SystemCommand("quit (q)", "Leave nntui.", self.action_quit)
        for action in actions:
            method = getattr(screen, f"action_{action.name}", None)
            if method is not None:
                yield SystemCommand(f"{action.label} ({action.key})", action.help, method)
        for command in super().get_system_commands(screen):
            # Our help and zoom do these, and keep the status and the keys in sight.
            if command.title not in ("Keys", "Maximize", "Minimize", "Quit"):
                yield command
