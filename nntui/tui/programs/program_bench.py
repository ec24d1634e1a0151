"""The interface that a program's actions are handed: the run, the view, and ways to ask and say."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

from nntui.presets.preset import Preset
from nntui.program.debugging.program_run import ProgramRun
from nntui.program.debugging.seen import ProgramSeen
from nntui.tui.programs.program_control import ProgramControl
from nntui.tui.programs.program_keeper import ProgramKeeper
from nntui.tui.programs.program_view import ProgramView

PanelType = TypeVar("PanelType", bound=Widget)


class ProgramBench(Protocol):
    """A program with its panels, as an action sees it."""

    run_shown: ProgramRun
    view: ProgramView
    """How all of it is looked at; `look` replaces it."""
    control: ProgramControl
    """What moves the program, and asks it."""
    keeper: ProgramKeeper
    """What saves it."""

    @property
    def app(self) -> App[Any]:
        """The app."""

    @property
    def seen(self) -> ProgramSeen:
        """What is on the screen."""

    @property
    def is_ready(self) -> bool:
        """Whether the program is checked and can be stepped; it is said why not."""

    @property
    def focused_panel(self) -> Widget | None:
        """The panel that has the focus."""

    @property
    def shown_panels(self) -> list[Widget]:
        """The panels that are shown, or would be if none were zoomed."""

    def panel(self, kind: type[PanelType]) -> PanelType:
        """The panel of that class."""

    def tell(self, note: str) -> None:
        """Say what just happened."""

    def note_findings(self, note: str) -> None:
        """Say ``note`` above the findings from now on."""

    def look(self, view: ProgramView, note: str | None = None) -> None:
        """Show the program as ``view`` says from now on."""

    def bring(self, kind: type[Widget]) -> None:
        """Bring the panel of that ``kind`` into sight, with the focus."""

    def set_focus(self, widget: Widget | None) -> None:
        """Move the focus at once."""

    def ask(self, question: Screen[Any], answered: Callable[[Any], None] | None = None) -> None:
        """Put a question above the panels; ``answered`` gets None where there is no answer."""

    def recognised(self, preset: Preset) -> None:
        """Have ``preset`` opened in the workbench."""

    def share_room(self) -> None:
        """Show the panels that are wanted and have room."""

    def resume(self) -> None:
        """The latest saved session of the program."""

    def leave(self) -> None:
        """Back to the library."""

    def explain(self) -> None:
        """Explain the focused panel."""

    def open_manual(self) -> None:
        """Open the manual."""
