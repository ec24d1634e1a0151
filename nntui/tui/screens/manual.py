"""The manual above the screen: its topics at the left, the chosen one at the right."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from nntui.manual import SUFFIX, source, topics
from nntui.manual.generated_tables import filled
from nntui.tui.actions import ACTIONS
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from textual.widgets import Markdown


class ManualScreen(Dialog[None]):
    """Opens at ``topic``; moving in the list shows another one, Escape closes."""

    DEFAULT_CSS = """
    ManualScreen { align: center middle; }
    ManualScreen > Horizontal {
        width: 110; max-width: 100%; height: 100%; border: round $accent; background: $surface;
    }
    ManualScreen OptionList {
        width: 13; height: 100%; border: none; padding: 0; background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
    }
    ManualScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    ManualScreen Markdown { padding: 0; margin: 0; background: $surface; }
    ManualScreen MarkdownH1 { content-align: left middle; margin: 0 0 1 0; }
    ManualScreen MarkdownTableContent { keyline: none; grid-gutter: 0; }
    """
    BINDINGS = [
        Binding("escape,q,f2", "dismiss", "close"),
        Binding("space,pagedown", "scroll(1)", "text down", priority=True),
        Binding("b,pageup", "scroll(-1)", "text up", priority=True),
    ]

    def __init__(self, topic: str = "app") -> None:
        super().__init__()
        self._topics = list(topics())
        self._topic = topic
        self._page: Markdown

    def compose(self) -> ComposeResult:
        """The topics and the page."""
        # Its parser takes two and a half megabytes and a twentieth of the start; few open a manual.
        from textual.widgets import Markdown

        with Horizontal() as box:
            box.border_title = "Manual"
            box.border_subtitle = "up/down topic, Space/b text, Tab, Esc closes"
            yield PagedList(*(Option(Content(name), id=name) for name in self._topics))
            with VerticalScroll():
                self._page = Markdown(open_links=False)
                yield self._page

    def on_mount(self) -> None:
        """Go to the topic that was asked for, which shows it."""
        self._choose(self._topic)

    async def on_option_list_option_highlighted(
        self, message: OptionList.OptionHighlighted
    ) -> None:
        """Show the topic."""
        topic = str(message.option.id)
        await self._page.update(filled(source(topic), ACTIONS))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def on_markdown_link_clicked(self, message: "Markdown.LinkClicked") -> None:
        """Follow a link to another topic."""
        topic = message.href.partition("#")[0].removesuffix(SUFFIX)
        if topic in self._topics:
            self._choose(topic)

    def _choose(self, topic: str) -> None:
        self.query_one(OptionList).highlighted = self._topics.index(topic)

    def action_scroll(self, pages: int) -> None:
        """Scroll the page by nearly a screen."""
        page = self.query_one(VerticalScroll)
        page.scroll_relative(y=pages * max(page.size.height - 2, 1), animate=False)
