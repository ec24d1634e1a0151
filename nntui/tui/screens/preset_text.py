"""Asks for the text of a preset: many lines of TOML, or a string, typed or pasted."""

from nntui.presets.lookup import preset_of_text
from nntui.presets.preset import Preset
from nntui.tui.screens.dialogs.ask_lines import AskLines

HINT = (
    "A preset as nntui show prints it: its TOML, or with --string one short string. Nothing is "
    "trained before you say so."
)


class PresetText(AskLines[Preset]):
    """Asks until the text is a preset, which is the result."""

    def __init__(self) -> None:
        super().__init__(
            "Open a preset from its text",
            HINT,
            lambda text: preset_of_text(text, "typed"),
            does="opens it",
        )
