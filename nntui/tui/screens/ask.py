"""A question for one whole number."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

LONGEST = 20
"""Digits; no limit that is asked for has more."""


class AskNumber(ModalScreen[int | None]):
    """Asks for a whole number from ``low`` to ``high``; the result is None after Escape."""

    DEFAULT_CSS = """
    AskNumber { align: center middle; }
    AskNumber > Vertical {
        width: 58; max-width: 96%; height: auto; border: round $accent;
        background: $surface; padding: 0 1;
    }
    AskNumber Static { color: $foreground-muted; height: auto; }
    AskNumber .-wrong { color: $text-error; }
    AskNumber Input {
        border: none; height: 1; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    """
    BINDINGS = [Binding("escape", "dismiss", "cancel")]

    def __init__(self, title: str, hint: str, low: int, high: int) -> None:
        super().__init__()
        self._title, self._hint, self._low, self._high = title, hint, low, high
        self._early: list[Key] = []

    def compose(self) -> ComposeResult:
        """The input and, under it, what may be given."""
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "Enter goes, Esc cancels"
            yield Input(id="number")
            yield Static(self._hint, id="hint")

    def on_mount(self) -> None:
        """Take what was typed while the screen was being made."""
        for event in self._early:
            self.type(event)

    def type(self, event: Key) -> None:
        """Treat ``event`` as typed into the input, also before that is on the screen."""
        if not self.is_mounted:
            self._early.append(event)
            return
        number = self.query_one(Input)
        if event.key == "enter":
            number.post_message(Input.Submitted(number, number.value))
        elif event.character is not None and event.is_printable:
            number.insert_text_at_cursor(event.character)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the number, or say what it should be."""
        text = event.value.replace(",", "").replace("_", "").replace(" ", "")
        if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= LONGEST:
            number = int(text.lstrip("0") or "0")
            if self._low <= number <= self._high:
                self.dismiss(number)
                return
        hint = self.query_one("#hint", Static)
        hint.add_class("-wrong")
        hint.update(f"A whole number from {self._low:,} to {self._high:,}, please.")
