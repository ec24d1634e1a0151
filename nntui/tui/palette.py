"""Colours for signed numbers: blue below zero, orange above, nothing at zero.

The sign is never told by the hue alone: cells carry their number, or a glyph of their sign.
"""

import math
from functools import lru_cache

from rich.style import Style
from textual.color import Color

LEVELS = 7
"""Steps from zero to the largest; few, so that styles are shared and frames stay small."""

_DARK = {"zero": Color.parse("#1c1f26"), "-": Color.parse("#4aa3ff"), "+": Color.parse("#ff9a3c")}
_LIGHT = {"zero": Color.parse("#f4f4f4"), "-": Color.parse("#1668b8"), "+": Color.parse("#b85c00")}
POSITIVE, NEGATIVE = " ░░▒▒▓▓█", " --==≡≡≡"


def level_of(value: float, largest: float) -> int:
    """``value`` as a step from ``-LEVELS`` to ``LEVELS``; anything but 0 is at least one step."""
    if value == 0.0 or largest == 0.0 or value != value:
        return 0
    step = min(max(round(abs(value) / largest * LEVELS), 1), LEVELS)
    return step if value > 0 else -step


@lru_cache(maxsize=256)
def cell_style(level: int, dark: bool, plain: bool, cursor: bool) -> Style:
    """The style of a cell; ``plain`` uses the terminal's sixteen colours and no background."""
    if plain:
        colour = "bright_blue" if level < 0 else "yellow" if level > 0 else None
        return Style(color=colour, reverse=cursor, bold=cursor)
    ramp = _DARK if dark else _LIGHT
    ground = ramp["zero"].blend(ramp["-" if level < 0 else "+"], abs(level) / LEVELS)
    ink = ground.get_contrast_text(1.0)
    if cursor:
        ground, ink = ink, ground
    return Style(color=ink.rich_color, bgcolor=ground.rich_color, bold=cursor)


def legend(dark: bool, plain: bool) -> str:
    """How to read the cells, as markup for a panel's border."""
    if plain:
        return "below 0 -=≡  above 0 ░▒▓, scaled by layer"
    ramp = _DARK if dark else _LIGHT
    below, above = ramp["-"].hex, ramp["+"].hex
    return f"below 0 [{below}]██[/]  above 0 [{above}]██[/]  scaled by layer"


def glyph(level: int) -> str:
    """One character for ``level``: shades above zero, dashes below."""
    return POSITIVE[level] if level >= 0 else NEGATIVE[-level]


def short(value: float, width: int) -> str:
    """``value`` in at most ``width`` (4 or more) characters; what is nearly 0 keeps its sign."""
    decimals = 4 if width >= 8 else 2
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"[:width]
    if abs(value) < 0.5 * 10.0**-decimals:
        return "-0" if value < 0 else "+0"
    for digits in range(decimals, -1, -1):
        text = f"{value:.{digits}f}"
        if len(text) <= width:
            return text
    return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")[:width]
