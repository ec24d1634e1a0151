"""Colours for classes: a hue each, paler where the network is less sure; textures without them."""

from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.markup import escape

from nntui.tui.drawing.palette import is_plain

SURE = 2
"""The last of three steps of sureness."""
STEPS = (0.6, 0.9)
"""Shares of the winning class from which on the network is surer."""
# Chosen by hand: neighbours in this order differ in hue and in brightness.
_STRONG = ("#2f74c0", "#c8791f", "#3f9a5f", "#9a58b5", "#2a9aa5", "#c04f5f")
_DARK, _LIGHT = Color.parse("#15181d"), Color.parse("#ffffff")
_SHARES = (0.35, 0.5, 0.68)
"""Of the strong colour, by sureness; samples have all of it."""
_DARK_256 = (
    (24, 25, 26, 75),
    (94, 94, 130, 208),
    (22, 22, 28, 41),
    (53, 53, 90, 170),
    (23, 23, 30, 44),
    (52, 52, 88, 203),
)
_LIGHT_256 = (
    (195, 153, 111, 33),
    (230, 223, 216, 172),
    (194, 157, 114, 35),
    (225, 183, 177, 133),
    (195, 159, 116, 37),
    (224, 217, 210, 167),
)
_ANSI_DARK = (
    "bright_blue",
    "yellow",
    "bright_green",
    "bright_magenta",
    "bright_cyan",
    "bright_red",
)
_ANSI_LIGHT = ("blue", "red", "green", "magenta", "cyan", "black")
_TEXTURES = (" ", "░", "▒", "▓", "-", "=", "+", ":", "~", "%")


def sureness(share: float) -> int:
    """0 to `SURE`, by the ``share`` of the class that wins."""
    return sum(share >= step for step in STEPS)


def texture(number: int) -> str:
    """A character that fills the region of a class where colours cannot."""
    return _TEXTURES[number % len(_TEXTURES)]


@lru_cache(maxsize=256)
def class_style(number: int, sure: int, dark: bool, colours: str | None) -> Style:
    """The ground of a region; without 256 colours, the ink of its texture."""
    hue = number % len(_STRONG)
    if is_plain(colours):
        return Style(color=(_ANSI_DARK if dark else _ANSI_LIGHT)[hue])
    if colours == "256":
        return Style(bgcolor=RichColor.from_ansi((_DARK_256 if dark else _LIGHT_256)[hue][sure]))
    ground = (_DARK if dark else _LIGHT).blend(Color.parse(_STRONG[hue]), _SHARES[sure])
    return Style(bgcolor=ground.rich_color)


@lru_cache(maxsize=64)
def class_mark(number: int, dark: bool, colours: str | None) -> Style:
    """A sample of a class, which stands out from every region."""
    hue = number % len(_STRONG)
    if is_plain(colours):
        return class_style(number, SURE, dark, colours) + Style(reverse=True, bold=True)
    if colours == "256":
        ground = RichColor.from_ansi((_DARK_256 if dark else _LIGHT_256)[hue][-1])
    else:
        ground = Color.parse(_STRONG[hue]).lighten(0.12).rich_color
    ink = "#000000" if Color.from_rich_color(ground).brightness > 0.45 else "#ffffff"
    return Style(color=ink, bgcolor=ground, bold=True)


def class_legend(names: Sequence[str], dark: bool, colours: str | None) -> str:
    """Which class has which colour, or texture, as markup."""
    parts = []
    for number, name in enumerate(names):
        if is_plain(colours):
            parts.append(f"{number % 10}{texture(number) * 2} {escape(name)}")
        else:
            ground = class_mark(number, dark, colours).bgcolor
            colour = "" if ground is None else Color.from_rich_color(ground).hex
            parts.append(f"[{colour}]██[/] {escape(name)}")
    return "  ".join(parts)
