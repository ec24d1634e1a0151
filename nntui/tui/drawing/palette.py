"""Colours for signed numbers: blue below zero, orange above, nothing at zero.

The sign is never told by the hue alone: cells carry their number, or a glyph of their sign.
"""

import math
from functools import lru_cache

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

LEVELS = 7
"""Steps from zero to the largest; few, so that styles are shared and frames stay small."""

# Picked by hand from the 256 colours: one hue each, brighter step by step.  Blended ones would be
# rounded to hues that lead astray.  There are no dark oranges and blues: the lowest steps are grey.
_DARK_256 = {
    "zero": (234,),
    "+": (238, 94, 130, 166, 172, 208, 214),
    "-": (237, 24, 25, 26, 32, 39, 75),
}
_LIGHT_256 = {
    "zero": (255,),
    "+": (230, 223, 222, 216, 215, 208, 172),
    "-": (195, 153, 117, 111, 75, 33, 25),
}
_DARK = {"zero": Color.parse("#1c1f26"), "-": Color.parse("#4aa3ff"), "+": Color.parse("#ff9a3c")}
_LIGHT = {"zero": Color.parse("#f4f4f4"), "-": Color.parse("#1668b8"), "+": Color.parse("#b85c00")}
POSITIVE, NEGATIVE = " ░░▒▒▓▓█", " --==≡≡≡"


def level_of(value: float, largest: float) -> int:
    """``value`` as a step from ``-LEVELS`` to ``LEVELS``; anything but 0 is at least one step."""
    if value == 0.0 or largest == 0.0 or not math.isfinite(value):
        return 0
    step = max(round(min(abs(value) / largest, 1.0) * LEVELS), 1)
    return step if value > 0 else -step


@lru_cache(maxsize=256)
def cell_style(level: int, dark: bool, colours: str | None, cursor: bool) -> Style:
    """The style of a cell, on a terminal with ``colours`` (Rich's names of colour systems).

    Without 256 colours it uses the terminal's own sixteen, and no background.
    """
    sign = "-" if level < 0 else "+"
    if is_plain(colours):
        below, above = ("bright_blue", "yellow") if dark else ("blue", "red")
        colour = below if level < 0 else above if level > 0 else None
        return Style(color=colour, reverse=cursor, bold=cursor)
    if colours == "256":
        steps = _DARK_256 if dark else _LIGHT_256
        chosen = steps[sign][abs(level) - 1] if level else steps["zero"][0]
        rich_ground = RichColor.from_ansi(chosen)
        ground = Color.from_rich_color(rich_ground)
    else:
        ramp = _DARK if dark else _LIGHT
        ground = ramp["zero"].blend(ramp[sign], abs(level) / LEVELS)
        rich_ground = ground.rich_color
    ink = Color.parse("#000000" if ground.brightness > 0.45 else "#ffffff").rich_color
    if cursor:
        return Style(color=rich_ground, bgcolor=ink, bold=True)
    return Style(color=ink, bgcolor=rich_ground)


def is_plain(colours: str | None) -> bool:
    """Whether glyphs have to tell what backgrounds cannot."""
    return colours not in ("256", "truecolor")


def legend(dark: bool, colours: str | None, centre: str = "0") -> str:
    """How to read the cells, as markup for a panel's border."""
    if is_plain(colours):
        return f"below {centre} -=≡  above {centre} ░▒▓"
    ends = (cell_style(level, dark, colours, False).bgcolor for level in (-LEVELS, LEVELS))
    below, above = (Color.from_rich_color(each).hex for each in ends)
    return f"below {centre} [{below}]██[/]  above {centre} [{above}]██[/]"


def glyph(level: int) -> str:
    """One character for ``level``: shades above zero, dashes below."""
    return POSITIVE[level] if level >= 0 else NEGATIVE[-level]
