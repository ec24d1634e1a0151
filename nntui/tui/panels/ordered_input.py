"""An input that carries keys out in the order in which they were typed."""

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
