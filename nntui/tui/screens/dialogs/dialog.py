"""A screen above another one, which is closed once."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """What is asked or told above the panels."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close it with ``result``; again does nothing.

        Where Enter comes twice, the second finds the dialog closed, and Textual would close the
        screen that is now on top.
        """
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
