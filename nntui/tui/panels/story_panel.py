"""The story panel: the question, the steps to do, the published answer, and what is true."""

from textual.app import ComposeResult
from textual.content import Content
from textual.markup import escape
from textual.reactive import reactive
from textual.widgets import Static

from nntui.presets.preset import Step, Story
from nntui.tui.actions import KEY, fill_keys
from nntui.tui.panels.panel import TextPanel

CAPS_CSS = """
    link-color: $foreground; link-background: initial; link-style: reverse;
    link-color-hover: $text-accent; link-background-hover: initial; link-style-hover: reverse bold;
"""
"""Of texts with caps of keys, which can be clicked like links, and look like keys."""


def told_step(number: int, step: Step, done: int) -> Content:
    """One step: those ``done`` are dim, the next one is marked."""
    mark = "> " if number == done + 1 else ""
    shade = "$foreground-muted" if number <= done else ""
    return Content.assemble(
        (f"{mark}{number}. ", "bold $text-accent"),
        ("done. " if number <= done else "", "bold $text-success"),
        with_keys(step.do).stylize(shade) if shade else with_keys(step.do),
        "\n",
        (fill_keys(step.see), "$foreground-muted"),
    )


def told_in_brief(number: int, do: str, see: str) -> Content:
    """A step in one or two lines, for where the story is not on the screen."""
    return Content.assemble(
        (f"> {number}. ", "bold $text-accent"),
        with_keys(do),
        " ",
        (fill_keys(see), "$foreground-muted"),
    )


def told_rest(story: Story) -> Content:
    """What was asked, what was answered, and what is true."""
    parts = []
    for heading, text in (
        ("Asked", story.asked),
        ("The published answer", story.answer),
        ("What running it shows", story.shown),
    ):
        if text:
            parts.append(Content.assemble((heading, "bold $text-accent"), "\n", fill_keys(text)))
    if not (parts or story.steps or story.question):
        parts = [Content("This preset tells no story.")]
    return Content("\n\n").join(parts)


def with_keys(text: str) -> Content:
    """``text`` with the keys of the actions it names, in reverse; a click presses one."""
    pieces, end = [], 0
    for found in KEY.finditer(text):
        pieces += [Content(text[end : found.start()]), _key(found[0])]
        end = found.end()
    return Content("").join([*pieces, Content(text[end:])])


def _key(name: str) -> Content:
    pressed = f"@click=app.press('{name.strip('{}')}')"
    return Content.from_markup(f"[reverse {pressed}] {escape(fill_keys(name))} [/]")


class StoryPanel(TextPanel):
    """The preset's story, with the keys to press."""

    explained = (
        "The scenario as it was asked in public, retold: steps with the keys to press and what "
        "you will see, then the answer that was published and what running it really shows. "
        "The step to do next is marked; one key does it for you, and the app knows when you did "
        "it yourself and highlights the panel to look at. Scroll with the arrow keys while the "
        "panel has the focus."
    )
    DEFAULT_CSS = f"""
    StoryPanel Static {{ height: auto; margin-bottom: 1; {CAPS_CSS} }}
    """

    done: reactive[int] = reactive(0)
    """How many of the steps are done."""

    def __init__(self, story: Story) -> None:
        super().__init__()
        self._story = story
        self.border_title = "Story"

    def compose(self) -> ComposeResult:
        """The question, the steps, and the rest."""
        if self._story.question:
            yield Static(Content.styled(self._story.question, "bold"))
        for number, step in enumerate(self._story.steps, start=1):
            yield Static(told_step(number, step, self.done), classes="step")
        yield Static(told_rest(self._story))

    def copied(self) -> str:
        """All of it as text."""
        steps = [
            told_step(number, step, self.done).plain
            for number, step in enumerate(self._story.steps, start=1)
        ]
        return (
            "\n\n".join([self._story.question, *steps, told_rest(self._story).plain]).strip() + "\n"
        )

    def watch_done(self, before: int, done: int) -> None:
        """Mark the next step, and bring it into view."""
        shown = list(self.query(".step").results(Static))
        for number in (before, before + 1, done, done + 1):
            if 1 <= number <= len(shown):
                step = self._story.steps[number - 1]
                shown[number - 1].update(told_step(number, step, done))
        if done < len(shown):
            shown[done].scroll_visible(animate=False, top=True)
