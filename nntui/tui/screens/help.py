"""The help: the focused panel explained, and every key."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from nntui.tui.actions import Action
from nntui.tui.screens.manual import ManualScreen


class HelpScreen(ModalScreen[None]):
    """A page above the screen; Escape closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = [
        Binding("escape,question_mark,q,f1", "dismiss", "close"),
        Binding("m,f2", "manual", "manual"),
    ]

    def __init__(self, title: str, explained: str, actions: tuple[Action, ...]) -> None:
        super().__init__()
        self._title, self._explained, self._actions = title, explained, actions

    def compose(self) -> ComposeResult:
        """The explanation, then the keys."""
        actions = (*self._actions, *ALWAYS)
        widest = max(len(action.key) for action in actions)
        keys = [
            Content.assemble((action.key.rjust(widest), "bold $text-accent"), f"  {action.help}")
            for action in actions
        ]
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes, arrows scroll, m opens the manual"
            yield Static(Content.assemble((self._title, "bold"), "\n", self._explained, "\n"))
            yield Static(Content("\n").join(keys))

    def action_manual(self) -> None:
        """Open the manual in the place of this page."""
        self.app.switch_screen(ManualScreen())


ALWAYS = (Action("palette", "ctrl+p", "palette", "Everything that can be done, by name.", "^p"),)
