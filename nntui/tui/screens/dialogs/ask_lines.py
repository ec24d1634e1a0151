"""A dialog that asks for a text of many lines, parses it, and says what would be valid."""

from collections.abc import Callable
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from nntui.core.errors import ConfigError
from nntui.tui.drawing.titles import entitle
from nntui.tui.screens.dialogs.dialog import Dialog

Result = TypeVar("Result")


class AskLines(Dialog[Result | None]):
    """Asks for a text; the result is what ``read`` makes of it, None after Escape.

    ``read`` raises ConfigError for what it cannot take; its message is shown in place of ``hint``.
    """

    DEFAULT_CSS = """
    AskLines { align: center middle; }
    AskLines > Vertical {
        width: 90; max-width: 96%; height: 24; max-height: 94%; border: round $accent;
        background: $surface; padding: 0 1;
    }
    AskLines TextArea {
        height: 1fr; border: none; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    AskLines Static { height: auto; max-height: 50%; color: $foreground-muted; }
    AskLines .-wrong { color: $text-error; }
    """
    BINDINGS = [
        Binding("escape", "dismiss", "cancel", priority=True),
        Binding("ctrl+s,f4", "take", "take", priority=True),
    ]

    def __init__(
        self, title: str, hint: str, read: Callable[[str], Result], text: str = "", does: str = ""
    ) -> None:
        """``text`` stands there at first; ``does`` is what Ctrl+S does, in a word."""
        super().__init__()
        self._title, self._hint, self._read, self._text = title, hint, read, text
        self._does = does or "takes it"

    def compose(self) -> ComposeResult:
        """The text and, under it, what it may be."""
        with Vertical() as box:
            entitle(box, self._title)
            box.border_subtitle = f"Ctrl+S {self._does}, Esc cancels"
            yield TextArea(self._text, tab_behavior="focus", soft_wrap=True)
            yield Static(self._hint, id="hint", markup=False)

    def action_take(self) -> None:
        """Take what was written, or say what is wrong with it."""
        try:
            result = self._read(self.query_one(TextArea).text)
        except ConfigError as error:
            hint = self.query_one("#hint", Static)
            hint.add_class("-wrong")
            hint.update(str(error))
        else:
            self.dismiss(result)
