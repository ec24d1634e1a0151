"""The lines of the editor at any width: names and values in their columns, and what gives way."""

import pytest

from nntui.presets import load_preset
from nntui.presets.editing.entries import preset_entries
from nntui.presets.schema import override
from nntui.tui.panels.editing.entry_text import NAMES, entry_line, indented

PRESET = override(
    load_preset("add-relu"),
    {"faults": ["update-before-backprop", "bias-decay"], "training.rho": 0.5},
)


@pytest.mark.parametrize("width", [30, 34, 40, 60, 69])
def test_no_name_is_lost_and_reasons_stand_in_their_column(width: int) -> None:
    for entry in preset_entries(PRESET, 0):
        text = entry_line(entry, width, here=False, is_new=True).plain
        assert len(text) <= width
        words = text.split()
        if entry.key == "faults.0.name":
            assert words in (
                ["0", "update-before-backprop", "*"],
                ["fault", "0", "update-before-backprop", "*"],
            )
        elif entry.name not in ("source", "seed"):
            assert text.startswith(f"{indented(entry)} ".rstrip())
        if entry.needs and not entry.given:
            assert text[NAMES - 1 :].startswith(" only ")
