"""The panel of what the program has printed, up to the update at the cursor."""

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from nntui.tui.drawing.printed_text import as_printed
from nntui.tui.panels.panel import TextPanel

MOST = 400
"""Lines that are shown, the last ones."""


class PrintedPanel(TextPanel):
    """The end of the output; it follows, unless it was scrolled up."""

    explained = (
        "What your program has printed up to the update at the cursor; going back takes back what "
        "was printed later. Its errors follow behind it where it crashed. Nothing is asked of you: "
        "input() gets an empty line."
    )
    DEFAULT_CSS = "PrintedPanel Static { height: auto; }"

    text: reactive[str] = reactive("")
    """What was printed."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Output"
        self._shown = Static()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._shown

    def watch_text(self, text: str) -> None:
        """Show its end."""
        lines = as_printed("\n".join(text.split("\n")[-MOST:])).split("\n")
        if any(lines):
            self._shown.update(Content("\n".join(lines).rstrip("\n")))
        else:
            self._shown.update(
                Content.styled("nothing was printed up to here", "$foreground-muted")
            )
        self.call_after_refresh(self.scroll_end, animate=False)

    def copied(self) -> str:
        """All that is kept of it."""
        return self.text
