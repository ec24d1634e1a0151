"""The story panel: what was asked, what to press and see, what was answered, what is true."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from nntui.presets.preset import Story
from nntui.tui.actions import KEY, fill_keys
from nntui.tui.widgets.panel import TextPanel


def tell(story: Story) -> Content:
    """The story as text, the steps first: they are what one does."""
    parts = [Content.styled(story.question, "bold")] if story.question else []
    for number, step in enumerate(story.steps, start=1):
        parts.append(
            Content.assemble(
                (f"{number}. ", "bold $text-accent"),
                _with_keys(step.do),
                "\n",
                (fill_keys(step.see), "$foreground-muted"),
            )
        )
    for heading, text in (
        ("Asked", story.asked),
        ("The published answer", story.answer),
        ("What running it shows", story.shown),
    ):
        if text:
            parts.append(Content.assemble((heading, "bold $text-accent"), "\n", fill_keys(text)))
    return Content("\n\n").join(parts) if parts else Content("This preset tells no story.")


def _with_keys(text: str) -> Content:
    """``text`` with the keys of the actions it names, in reverse."""
    pieces, end = [], 0
    for found in KEY.finditer(text):
        pieces += [Content(text[end : found.start()]), _key(found[0])]
        end = found.end()
    return Content("").join([*pieces, Content(text[end:])])


def _key(name: str) -> Content:
    return Content.styled(f" {fill_keys(name)} ", "reverse")


class StoryPanel(TextPanel):
    """The preset's story, with the keys to press."""

    explained = (
        "The scenario as it was asked in public, retold: steps with the keys to press and what "
        "you will see, then the answer that was published and what running it really shows. "
        "Scroll with the arrow keys while the panel has the focus."
    )

    def __init__(self, story: Story) -> None:
        super().__init__()
        self._story = story
        self.border_title = "Story"

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(tell(self._story))
