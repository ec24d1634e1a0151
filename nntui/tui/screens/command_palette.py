"""The command palette: that of Textual, also for keys that come too early or too late."""

from contextlib import suppress
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.worker import Worker


class Palette(CommandPalette):
    """Lists what can be done; a key that it cannot take does nothing, and does not end the app."""

    def _gather_commands(self, search_value: str) -> Worker[None]:
        worker: Worker[None] = super()._gather_commands(search_value)
        worker.exit_on_error = False  # it may begin when the palette has been closed
        return worker

    def _action_command_list(self, action: str) -> None:
        # A list that has no lines yet has no pages.
        with suppress(NoMatches, KeyError, IndexError):
            super()._action_command_list(action)

    def _action_cursor_down(self) -> None:
        with suppress(NoMatches):
            super()._action_cursor_down()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close it; again does nothing, as of a `Dialog`."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
