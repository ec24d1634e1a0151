"""Presets: scenario files, how they are read and checked, and where the library's own lie."""

from nntui.presets.library import find_preset, load_preset, preset_names
from nntui.presets.preset import Goal, Preset, Step, Story
from nntui.presets.schema import read_preset

__all__ = [
    "Goal",
    "Preset",
    "Step",
    "Story",
    "find_preset",
    "load_preset",
    "preset_names",
    "read_preset",
]
