"""A dialog that asks for one line of text, parses it, and explains what would be valid."""

from collections.abc import Callable
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input, Static

from nntui.core.errors import ConfigError
from nntui.presets.schema import parse_value
from nntui.tui.drawing.titles import entitle
from nntui.tui.panels.editing.inputs import OrderedInput
from nntui.tui.screens.dialogs.dialog import Dialog

Result = TypeVar("Result")

LONGEST = 20
"""Digits; no limit that is asked for has more."""


class Ask(Dialog[Result | None]):
    """Asks for a line of text; the result is what ``read`` makes of it, None after Escape.

    ``read`` raises ConfigError for what it cannot take; its message is shown in place of ``hint``.
    """

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical {
        width: 62; max-width: 96%; height: auto; max-height: 94%; border: round $accent;
        background: $surface; padding: 0 1;
    }
    Ask Static { color: $foreground-muted; height: auto; }
    Ask .-wrong { color: $text-error; }
    Ask Input {
        border: none; height: 1; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    """
    BINDINGS = [Binding("escape", "dismiss", "cancel")]

    def __init__(
        self,
        title: str,
        hint: str,
        read: Callable[[str], Result],
        value: str = "",
        keys: str = "Enter goes, Esc cancels",
    ) -> None:
        super().__init__()
        self._keys = keys
        self._title, self._hint, self._read, self._value = title, hint, read, value
        self._early: list[Key] = []

    def compose(self) -> ComposeResult:
        """The input and, under it, what may be given."""
        with Vertical() as box:
            entitle(box, self._title)
            box.border_subtitle = self._keys
            yield OrderedInput(self._value, id="answer")
            yield Static(self._hint, id="hint", markup=False)
            yield from self.below()

    def below(self) -> list[Widget]:
        """What stands under the hint."""
        return []

    async def on_mount(self) -> None:
        """Take what was typed while the screen was being made."""
        for event in self._early:
            await self.type(event)

    async def type(self, event: Key) -> None:
        """Treat ``event`` as typed into the input, also before that is on the screen."""
        if self.is_mounted:
            await self.query_one(OrderedInput).take(event)
        else:
            self._early.append(event)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer, or say what it should be."""
        try:
            result = self._read(event.value)
        except ConfigError as error:
            self.complain(str(error))
        else:
            self.dismiss(result)

    def complain(self, message: str) -> None:
        """Say what would be right."""
        hint = self.query_one("#hint", Static)
        hint.add_class("-wrong")
        hint.update(message)


class AskNumber(Ask[int]):
    """Asks for a whole number from ``low`` to ``high``."""

    def __init__(self, title: str, hint: str, low: int, high: int) -> None:
        def read(text: str) -> int:
            text = text.replace(",", "").replace("_", "").replace(" ", "")
            if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= LONGEST:
                number = int(text.lstrip("0") or "0")
                if low <= number <= high:
                    return number
            raise ConfigError("", f"A whole number from {low:,} to {high:,}, please.")

        super().__init__(title, hint, read)


def read_number(text: str) -> float:
    """A finite number; ConfigError for anything else."""
    try:
        value = parse_value(text.strip())
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = float(value)
            if abs(number) < float("inf"):
                return number
    except OverflowError:
        pass
    raise ConfigError("", "A number such as 0.5 or 1e-3, please.")
