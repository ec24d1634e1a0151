"""The interface that actions are handed: the run, the view, the panels, and ways to ask."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Protocol, TypeVar

from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from nntui.presets.preset import Preset
from nntui.timeline import Run
from nntui.tui.microscope.microscope_screen import MicroscopeSubject
from nntui.tui.workbench.run_control import RunControl
from nntui.tui.workbench.view import WorkbenchView

PanelType = TypeVar("PanelType", bound=Widget)
Result = TypeVar("Result")

Handlers = Mapping[str, Callable[..., None]]
"""By the name of an action in `nntui.tui.actions`, what does it.

Some take a number, without which they ask for it; stories write that as ``jump 300``.
"""


class Bench(MicroscopeSubject, Protocol):
    """A run with its panels, as an action sees it."""

    scenario: Preset
    """What was opened."""
    view: WorkbenchView
    """How all of it is looked at; `look` replaces it."""

    @property
    def other(self) -> Run | None:
        """The overlaid branch, B, at the update of A or as near as it goes."""

    @property
    def note(self) -> str:
        """What the status line says of what just happened."""

    @property
    def control(self) -> RunControl:
        """What trains the run and moves its cursor."""

    @property
    def unit(self) -> tuple[int, int]:
        """The layer and the unit under the heatmap's cursor; on a target, the first output."""

    @property
    def focused(self) -> Widget | None:
        """What has the focus."""

    @property
    def focused_panel(self) -> Widget | None:
        """The panel that has the focus, or in which something has it."""

    @property
    def is_short(self) -> bool:
        """Whether the screen has so few rows that some panels must give way."""

    @property
    def shown_panels(self) -> list[type[Widget]]:
        """The panels that are shown, or would be if none were zoomed, in the order of the focus."""

    @property
    def is_in_front(self) -> bool:
        """Whether no question or other screen lies above."""

    def panel(self, kind: type[PanelType]) -> PanelType:
        """The panel of that class."""

    def show(self, note: str | None = None) -> None:
        """Show the run as it is now; ``note`` says in a few words what just happened."""

    def look(self, view: WorkbenchView, note: str | None = None) -> None:
        """Show the run as ``view`` says from now on."""

    def ask(
        self, question: Screen[Result], answered: Callable[[Result | None], None] | None = None
    ) -> None:
        """Put a question above the panels; ``answered`` gets None where there is no answer."""

    def stop_to_ask(self) -> bool:
        """Pause; False if there is a question on the screen already."""

    def perform(self, action: str) -> None:
        """Do what the action of that name does, such as ``one_epoch`` or ``jump 300``."""

    def set_focus(self, widget: Widget) -> None:
        """Move the focus at once."""

    def work(self, task: Callable[[], Coroutine[None, None, None]], group: str) -> Worker[None]:
        """Do ``task`` in the background, until the screen is closed."""
