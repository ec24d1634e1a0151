"""Presets: scenario files, how they are found, read, validated, changed and written."""

from nntui.presets.compact_string import decode, encode
from nntui.presets.lookup import find_preset, load_preset, preset_names
from nntui.presets.preset import Goal, Preset, Step, Story
from nntui.presets.schema import read_preset
from nntui.presets.writer import save_preset, to_toml

__all__ = [
    "Goal",
    "Preset",
    "Step",
    "Story",
    "decode",
    "encode",
    "find_preset",
    "load_preset",
    "preset_names",
    "read_preset",
    "save_preset",
    "to_toml",
]
