"""Screens that say so when the terminal is too small for them."""

from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen, ScreenResultType
from textual.widgets import Static

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
TOO_SMALL = f"nntui needs a terminal of at least {LEAST_WIDTH} columns and {LEAST_HEIGHT} rows"


def too_small(size: Size) -> bool:
    """Whether nothing can be shown in ``size`` but the message."""
    return size.width < LEAST_WIDTH or size.height < LEAST_HEIGHT


class SizedScreen(Screen[ScreenResultType]):
    """Below the least size, a message takes the place of everything else."""

    DEFAULT_CSS = """
    SizedScreen > .too-small {
        display: none; width: 100%; height: 100%; content-align: center middle;
    }
    SizedScreen.-too-small > * { display: none; }
    SizedScreen.-too-small > .too-small { display: block; }
    """

    def size_message(self) -> Static:
        """The message, to be composed with the rest."""
        return Static(f"{TOO_SMALL}; make it larger, or press q to quit.", classes="too-small")

    def on_resize(self, event: Resize) -> None:
        """Show the message or the screen."""
        self.set_class(too_small(event.size), "-too-small")
