"""What all panels share: a titled border, the focus, and a text that explains them."""

from typing import Protocol, runtime_checkable

from textual.containers import VerticalScroll
from textual.widget import Widget

PANEL_CSS = """
    border: round $foreground 30%;
    border-title-color: $foreground-muted;
    border-subtitle-color: $foreground-muted;
    &:focus { border: round $accent; border-title-color: $text-accent; }
"""


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
