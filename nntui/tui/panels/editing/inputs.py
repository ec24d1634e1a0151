"""Text inputs that carry keys out in the order in which they were typed."""

from collections.abc import Callable

from textual.events import Key
from textual.widgets import Input


class OrderedInput(Input):
    """A line of text in which Backspace, the arrows and Enter take effect as soon as letters do.

    Textual runs bindings when a key has bubbled up to the app, by which time an input has got the
    letters that were typed after it.
    """

    async def on_key(self, event: Key) -> None:
        """Do what the key is for; letters are left to the base."""
        if not event.is_printable and await self.take(event):
            event.prevent_default().stop()

    async def take(self, event: Key) -> bool:
        """Treat ``event`` as typed here, whoever got it; whether it means anything here."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                return True
        if event.is_printable and event.character is not None:
            self.replace(event.character, *sorted(self.selection))
            return True
        return False


class EntryInput(OrderedInput):
    """An input as one line among others; what is typed first replaces what stood there."""

    DEFAULT_CSS = """
    EntryInput {
        border: none; height: 1; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    """

    def __init__(self, placeholder: str = "", id: str | None = None) -> None:
        # What is typed fast comes before the event of the focus, which would select it.
        super().__init__(placeholder=placeholder, select_on_focus=False, id=id)

    def open(self, value: str) -> None:
        """Take the focus, with ``value`` to be replaced or changed."""
        self.value = value
        self.display = True
        self.screen.set_focus(self)
        self.action_select_all()


class FilterInput(EntryInput):
    """An input for words that are looked for in the list above it."""

    DEFAULT_CSS = """
    FilterInput { border-left: wide $accent; &:focus { border-left: wide $accent; } }
    """

    BINDINGS = [("up", "move(-1)"), ("down", "move(1)")]

    def __init__(self, move: Callable[[int], None], chosen: Callable[[], None]) -> None:
        """``move`` is called for the arrows, and ``chosen`` on Enter.

        Both at once: the next key may belong to what they lead to.
        """
        super().__init__("part of a name, such as rate; Esc lists all")
        self._move, self._chosen = move, chosen

    def action_move(self, lines: int) -> None:
        """Move the list's cursor."""
        self._move(lines)

    async def action_submit(self) -> None:
        """Take the entry under the list's cursor."""
        self._chosen()

    async def on_key(self, event: Key) -> None:
        """Leave to the app what was typed fast after Enter; it knows what has the focus now."""
        if self.screen.focused is not self:
            event.prevent_default()
