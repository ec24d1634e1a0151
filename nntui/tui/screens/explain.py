"""A modal page of headings and texts that explains something."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from nntui.tui.screens.dialogs.dialog import Dialog


class ExplainScreen(Dialog[None]):
    """Headings, each with a text; the arrows scroll, Escape closes."""

    DEFAULT_CSS = """
    ExplainScreen { align: center middle; }
    ExplainScreen > VerticalScroll {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
    }
    ExplainScreen Static { height: auto; }
    """
    BINDINGS = [Binding("escape,enter,M,q", "dismiss", "close")]

    def __init__(self, title: str, parts: list[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._parts = title, parts

    def compose(self) -> ComposeResult:
        """The title, then the parts that say anything."""
        told = [
            Content.assemble((heading, "bold $text-accent"), "\n", text)
            for heading, text in self._parts
            if text
        ]
        with VerticalScroll() as page:
            page.border_title = "Explained"
            page.border_subtitle = "Esc closes, arrows scroll"
            yield Static(Content("\n\n").join([Content.styled(self._title, "bold"), *told]))
