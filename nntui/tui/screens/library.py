"""The library: which scenario looks like yours?"""

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from nntui.presets.preset import Preset
from nntui.tui.actions import LIBRARY, bindings
from nntui.tui.screens.help import HelpScreen
from nntui.tui.screens.sized import SizedScreen
from nntui.tui.widgets.key_bar import KeyBar

EXPLAINED = (
    "Each scenario is a small network that somebody asked about in public, or what was answered, "
    "or what mends it. Choose with the arrow keys the one that looks like yours and press Enter: "
    "nothing is trained before you say so. A preset of your own opens with: nntui FILE.toml"
)


class LibraryScreen(SizedScreen):
    """All presets: name, question, network, what happens."""

    DEFAULT_CSS = """
    LibraryScreen #headline { height: 2; padding: 0 1; background: $panel; }
    LibraryScreen OptionList {
        height: 1fr; border: none; padding: 0; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & > .option-list--option-highlighted,
        &:focus > .option-list--option-highlighted {
            background: $primary 25%; color: $foreground; text-style: none;
        }
    }
    """
    BINDINGS = bindings(LIBRARY)

    class Chosen(Message):
        """A preset was chosen."""

        def __init__(self, preset: Preset) -> None:
            super().__init__()
            self.preset = preset

    def __init__(self, presets: list[Preset]) -> None:
        super().__init__()
        self._presets = presets

    def compose(self) -> ComposeResult:
        """A headline, the list, the keys."""
        yield Static(
            Content.assemble(
                ("nntui", "bold"),
                "  step the training of a small network, and see why it does not learn\n",
                ("Which of these looks like yours?", "$foreground-muted"),
            ),
            id="headline",
        )
        yield OptionList(*(Option(_entry(preset)) for preset in self._presets))
        yield KeyBar(LIBRARY)
        yield self.size_message()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the chosen preset."""
        self.post_message(self.Chosen(self._presets[event.option_index]))

    def highlight(self, name: str) -> None:
        """Put the highlight on the preset called ``name``, if it is listed."""
        for index, preset in enumerate(self._presets):
            if preset.name == name and self.is_mounted:
                self.query_one(OptionList).highlighted = index

    def action_help(self) -> None:
        """Explain the library."""
        self.app.push_screen(HelpScreen("The library", EXPLAINED, LIBRARY))


def _entry(preset: Preset) -> Content:
    faults = len(preset.configuration.faults)
    planted = f"  {faults} fault{'s' if faults > 1 else ''}" if faults else ""
    return Content.assemble(
        (f" {preset.name:<24}", "bold"),
        (preset.network, "$text-accent"),
        (planted, "$text-error"),
        (f"\n   {preset.story.question}\n", "$foreground"),
        (f"   {preset.story.happens}", "$foreground-muted"),
    )
