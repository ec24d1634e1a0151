"""Titles of borders, in which names of files, columns and classes stand as they are."""

from textual.content import Content
from textual.widget import Widget


def entitle(box: Widget, title: str) -> None:
    """Give the border a title; what looks like markup in it is text all the same."""
    box.border_title = Content(title)


def title_of(box: Widget) -> str:
    """The title of a border."""
    return Content.from_markup(box.border_title or "").plain


def has_title(box: Widget, title: str) -> bool:
    """Whether that is the title of a border."""
    return box.border_title == Content(title).markup
