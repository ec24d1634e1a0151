"""What all panels share: a titled border, the focus, and a text that explains them."""

from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.containers import VerticalScroll
from textual.widget import Widget

PANEL_CSS = """
    border: round $frame;
    border-title-color: $foreground-muted;
    border-subtitle-color: $foreground-muted;
    &:focus { border: round $accent; border-title-color: $text-accent; }
"""


def colours_of(app: App[Any]) -> str | None:
    """The colours that cells may have, in Rich's words; None for none.

    Where the theme is the terminal's own colours, those are all there are.
    """
    if app.no_color:
        return None
    known = app.console.color_system
    return "standard" if known is not None and app.current_theme.ansi else known


@runtime_checkable
class Copied(Protocol):
    """A panel whose numbers can be copied."""

    def copied(self) -> str:
        """What it shows as text, columns separated by tabs."""
        ...


class Panel(Widget, can_focus=True):
    """A panel that draws itself."""

    DEFAULT_CSS = f"Panel {{ {PANEL_CSS} }}"

    explained = ""
    """What the panel shows and how to read it, for the help."""


class TextPanel(VerticalScroll):
    """A panel of text, scrolled with the arrow keys when it has the focus."""

    DEFAULT_CSS = f"TextPanel {{ {PANEL_CSS} padding: 0 0 0 1; scrollbar-size-vertical: 1; }}"

    explained = ""
    """What the panel shows and how to read it, for the help."""
