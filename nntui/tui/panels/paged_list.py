"""A list of options that is asked for another page at any moment, also before it is laid out."""

from typing import Literal

from textual.widgets import OptionList


class PagedList(OptionList):
    """Textual's list; a key for a page does nothing while there are no lines."""

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if self._lines:
            super()._move_page(direction)
