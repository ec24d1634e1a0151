"""Asks for the text of a preset: many lines of TOML, or a string, typed or pasted."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from nntui.core.errors import ConfigError
from nntui.presets.lookup import preset_of_text
from nntui.presets.preset import Preset
from nntui.tui.screens.dialog import Dialog

HINT = (
    "A preset as nntui show prints it: its TOML, or with --string one short string. Nothing is "
    "trained before you say so."
)


class PresetText(Dialog[Preset | None]):
    """Asks until the text is a preset, which is the result; None after Escape."""

    DEFAULT_CSS = """
    PresetText { align: center middle; }
    PresetText > Vertical {
        width: 90; max-width: 96%; height: 24; max-height: 94%; border: round $accent;
        background: $surface; padding: 0 1;
    }
    PresetText TextArea {
        height: 1fr; border: none; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    PresetText Static { height: auto; color: $foreground-muted; }
    PresetText .-wrong { color: $text-error; }
    """
    BINDINGS = [
        Binding("escape", "dismiss", "cancel", priority=True),
        Binding("ctrl+s,f4", "open", "open", priority=True),
    ]

    def compose(self) -> ComposeResult:
        """The text and, under it, what it may be."""
        with Vertical() as box:
            box.border_title = "Open a preset from its text"
            box.border_subtitle = "Ctrl+S opens, Esc cancels"
            yield TextArea(tab_behavior="focus", soft_wrap=True)
            yield Static(HINT, id="hint", markup=False)

    def action_open(self) -> None:
        """Open what was written, or say what is wrong with it."""
        try:
            preset = preset_of_text(self.query_one(TextArea).text, "typed")
        except ConfigError as error:
            hint = self.query_one("#hint", Static)
            hint.add_class("-wrong")
            hint.update(str(error))
        else:
            self.dismiss(preset)
