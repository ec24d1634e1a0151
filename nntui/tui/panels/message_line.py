"""The message line: what just happened, and what the story says to do next where it is not seen."""

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from nntui.tui.panels.story_panel import CAPS_CSS, told_in_brief
from nntui.tui.terminal.backpressure import READ_FIRST

LOW_SCREEN = 20
"""Rows of the screen, below which a message has one and its end may be cut off."""


@dataclass(frozen=True)
class MessageContent:
    """What the message line says."""

    note: str = ""
    """What just happened."""
    number: int = 0
    """Of the story's next step, counted from 1; 0 where nothing is said of the story."""
    do: str = ""
    see: str = ""


class MessageLine(Widget):
    """One line, or as many as what is said takes; it covers nothing."""

    DEFAULT_CLASSES = READ_FIRST
    DEFAULT_CSS = f"""
    MessageLine {{
        height: auto; min-height: 1; max-height: 4; padding: 0 1; color: $foreground; {CAPS_CSS}
    }}
    MessageLine.-low {{ max-height: 1; text-wrap: nowrap; text-overflow: ellipsis; }}
    """

    def fit(self, height: int) -> None:
        """Take one row where the screen has a low ``height``."""
        self.set_class(height < LOW_SCREEN, "-low")

    content: reactive[MessageContent] = reactive(MessageContent(), layout=True)
    """What is said."""

    def render(self) -> Content:
        """The message, and below it the step of the story."""
        said = self.content
        lines = [Content(said.note)] if said.note or not said.number else []
        if said.number and not (lines and self.has_class("-low")):
            lines.append(told_in_brief(said.number, said.do, said.see))
        return Content("\n").join(lines)
