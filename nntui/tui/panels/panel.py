"""What all panels share: a titled border, the focus, and a text that explains them."""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from nntui.tui.drawing.titles import entitle, has_title

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


def draws_ascii(app: App[Any]) -> bool:
    """Whether the terminal draws nothing but ASCII."""
    profile = getattr(app, "profile", None)
    return bool(getattr(profile, "ascii", False))


@runtime_checkable
class Copied(Protocol):
    """A panel whose numbers can be copied."""

    def copied(self) -> str:
        """What it shows as text, columns separated by tabs."""
        ...


def tsv(rows: Iterable[Iterable[object]]) -> str:
    """``rows`` as lines whose cells are separated by tabs; numbers have all their digits."""
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: object) -> str:
    text = repr(float(value)) if isinstance(value, float) else str(value)
    return " ".join(text.split())


def set_caption(panel: Widget, title: str, below: str | None = None) -> None:
    """Set the titles of the border where they are new: setting one repaints the whole panel.

    What stands ``below`` may be markup.
    """
    if not has_title(panel, title):
        entitle(panel, title)
    if below is not None and (panel.border_subtitle or "") != below:
        panel.border_subtitle = below


class Panel(Widget, can_focus=True):
    """A panel that draws itself."""

    DEFAULT_CSS = f"Panel {{ {PANEL_CSS} }}"

    explained = ""
    """What the panel shows and how to read it, for the help."""


CURSOR_KEYS = (
    Binding("up", "move(-1, 0)", "up", show=False),
    Binding("down", "move(1, 0)", "down", show=False),
    Binding("left", "move(0, -1)", "left", show=False),
    Binding("right", "move(0, 1)", "right", show=False),
    Binding("pageup", "move(-10, 0)", "page up", show=False),
    Binding("pagedown", "move(10, 0)", "page down", show=False),
    Binding("shift+left,ctrl+left", "move(0, -10)", "10 columns left", show=False),
    Binding("shift+right,ctrl+right", "move(0, 10)", "10 columns right", show=False),
    Binding("ctrl+home", "move(-100000000, 0)", "first row", show=False),
    Binding("ctrl+end", "move(100000000, 0)", "last row", show=False),
    Binding("home", "move(0, -100000000)", "first column", show=False),
    Binding("end", "move(0, 100000000)", "last column", show=False),
)
"""For panels with a cell cursor and an ``action_move(rows, columns)``."""


class StripPanel(Panel):
    """A panel that is made as a whole, and of which only the lines that changed are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []

    def redraw(self) -> None:
        """Make the lines anew, for the size and the theme as they are now, and `put` them."""
        raise NotImplementedError

    def on_resize(self, event: Resize) -> None:
        """Show as much as fits."""
        self.redraw()

    def notify_style_update(self) -> None:
        """Draw in the theme's colours."""
        super().notify_style_update()
        self.redraw()

    def put(self, strips: list[Strip]) -> None:
        """Show these lines."""
        before, self._strips = self._strips, strips
        if len(before) != len(strips):
            self.refresh()
            return
        changed = [y for y, strip in enumerate(strips) if strip != before[y]]
        if changed:
            width = self.content_size.width
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """A line that was put."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.content_size.width, self.rich_style)


class TextPanel(VerticalScroll):
    """A panel of text, scrolled with the arrow keys when it has the focus."""

    DEFAULT_CSS = f"TextPanel {{ {PANEL_CSS} padding: 0 0 0 1; scrollbar-size-vertical: 1; }}"

    explained = ""
    """What the panel shows and how to read it, for the help."""
