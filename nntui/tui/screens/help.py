"""The help: the focused panel explained, and every key, in groups."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from nntui.tui.actions import Action, grouped
from nntui.tui.screens.dialogs.dialog import Dialog
from nntui.tui.screens.manual import ManualScreen


class HelpScreen(Dialog[None]):
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

    def __init__(
        self,
        title: str,
        explained: str,
        actions: tuple[Action, ...],
        own: tuple[Action, ...] = (),
    ) -> None:
        """``own`` are the keys of what is explained, ``actions`` those of the whole screen."""
        super().__init__()
        self._title, self._explained, self._actions, self._own = title, explained, actions, own

    def compose(self) -> ComposeResult:
        """The explanation, then the keys in groups."""
        groups = grouped((*self._actions, *ALWAYS))
        if self._own:
            groups.insert(0, ("Keys of this panel, while it has the focus", list(self._own)))
        widest = max(len(action.key) for _, actions in groups for action in actions)
        parts = []
        for heading, actions in groups:
            keys = [
                Content.assemble((each.key.rjust(widest), "bold $text-accent"), f"  {each.help}")
                for each in actions
            ]
            parts.append(Content("\n").join([Content.styled(heading, "bold"), *keys]))
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes, arrows scroll, m opens the manual"
            yield Static(Content.assemble((self._title, "bold"), "\n", self._explained, "\n"))
            yield Static(Content("\n\n").join(parts))

    def action_manual(self) -> None:
        """Open the manual in the place of this page."""
        self.app.switch_screen(ManualScreen())


ALWAYS = (Action("palette", "ctrl+p", "palette", "Everything that can be done, by name.", "^p"),)
