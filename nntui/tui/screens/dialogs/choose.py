"""A dialog that asks to choose one item of a list."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from nntui.tui.drawing.titles import entitle
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.dialog import Dialog


class Choose(Dialog[int | None]):
    """Asks which of ``texts`` is wanted; the result is its place, None after Escape."""

    DEFAULT_CSS = """
    Choose { align: center middle; }
    Choose > Vertical {
        width: 62; max-width: 96%; height: auto; max-height: 94%;
        border: round $accent; background: $surface; padding: 0 1;
    }
    Choose OptionList {
        height: auto; max-height: 16; border: none; padding: 0; background: $surface;
        &:focus { border: none; }
    }
    """
    BINDINGS = [Binding("escape,q", "dismiss", "close")]

    def __init__(
        self,
        title: str,
        texts: Sequence[str],
        hint: str = "Enter chooses, Esc closes",
        at: int = 0,
    ) -> None:
        """``at`` is the text that is highlighted at first."""
        super().__init__()
        self._title, self._texts, self._hint, self._at = title, texts, hint, at

    def compose(self) -> ComposeResult:
        """The texts."""
        with Vertical() as box:
            entitle(box, self._title)
            box.border_subtitle = self._hint
            listed = PagedList(*(Option(Content(text)) for text in self._texts))
            listed.highlighted = self._at
            yield listed

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take it."""
        self.dismiss(event.option_index)
