"""A high-contrast theme, and the theme variables that nntui adds to every theme."""

from textual.color import Color
from textual.theme import Theme

DARKER = 0.25
"""Of how much black coloured text has a share in light themes; without it, yellow is not read."""

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#66ccff",
    secondary="#66ccff",
    warning="#ffff00",
    error="#ff8080",
    success="#66ff66",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    text_alpha=1.0,
    variables={
        "foreground-muted": "#ffffff",
        "foreground-disabled": "#b8b8b8",
        "frame": "#ffffff",
        "overlaid": "#ff99ff",
        "text-primary": "#66ccff",
        "text-accent": "#ffff00",
        "text-success": "#66ff66",
        "text-warning": "#ffff00",
        "text-error": "#ff8080",
    },
)
"""White and pure colours on black: nothing that is read stands out less than 7 to 1 (WCAG AAA)."""

_ANSI = {"frame": "ansi_bright_black", "foreground-disabled": "ansi_bright_black"}
_ANSI_DARK = _ANSI | {
    "overlaid": "ansi_bright_magenta",
    "row": "ansi_blue",
    "text-primary": "ansi_bright_cyan",
    "text-accent": "ansi_bright_yellow",
    "text-success": "ansi_bright_green",
    "text-warning": "ansi_bright_yellow",
    "text-error": "ansi_bright_red",
}
"""Blue and the other dark ones of the sixteen are hard to read on black."""
_ANSI_LIGHT = _ANSI | {
    "overlaid": "ansi_magenta",
    "row": "ansi_white",
    "text-warning": "ansi_red",
}


_DARK_256 = {
    "foreground": "#dadada",
    "foreground-muted": "#a8a8a8",
    "foreground-disabled": "#767676",
    "background": "#121212",
    "surface": "#1c1c1c",
    "panel": "#303030",
    "boost": "#262626",
    "row": "#3a3a3a",
    "frame": "#585858",
    "overlaid": "#d787d7",
    "primary": "#005faf",
    "accent": "#ffaf5f",
    "error": "#af005f",
    "text-primary": "#5fafff",
    "text-accent": "#ffaf5f",
    "text-success": "#87d787",
    "text-warning": "#ffd75f",
    "text-error": "#ff8787",
    "scrollbar": "#585858",
    "scrollbar-hover": "#767676",
    "scrollbar-active": "#8a8a8a",
    "scrollbar-background": "#1c1c1c",
    "scrollbar-background-hover": "#1c1c1c",
    "scrollbar-background-active": "#1c1c1c",
    "scrollbar-corner-color": "#1c1c1c",
    "block-cursor-background": "#005faf",
    "block-cursor-blurred-background": "#3a3a3a",
}
"""The default theme in colours that are among the 256: others would be rounded, greys to navy."""
_LIGHT_256 = {
    "foreground": "#262626",
    "foreground-muted": "#4e4e4e",
    "foreground-disabled": "#808080",
    "background": "#eeeeee",
    "surface": "#e4e4e4",
    "panel": "#d0d0d0",
    "boost": "#dadada",
    "row": "#c6c6c6",
    "frame": "#9e9e9e",
    "overlaid": "#870087",
    "primary": "#005f87",
    "accent": "#af5f00",
    "error": "#af005f",
    "text-primary": "#005f87",
    "text-accent": "#875f00",
    "text-success": "#005f00",
    "text-warning": "#875f00",
    "text-error": "#af0000",
    "scrollbar": "#9e9e9e",
    "scrollbar-hover": "#808080",
    "scrollbar-active": "#626262",
    "scrollbar-background": "#e4e4e4",
    "scrollbar-background-hover": "#e4e4e4",
    "scrollbar-background-active": "#e4e4e4",
    "scrollbar-corner-color": "#e4e4e4",
}
_OF_256 = {"textual-dark": _DARK_256, "textual-light": _LIGHT_256}


def own_variables(theme: Theme, colours: str | None = None) -> dict[str, str]:
    """What the panels use beside Textual's variables, and what they use in place of them.

    The terminal's own colours have no shades; where there are only 256 ``colours`` (in Rich's
    words), the usual themes are made of these.
    """
    if colours == "256" and theme.name in _OF_256:
        return _OF_256[theme.name]
    if theme.ansi:
        return _ANSI_DARK if theme.dark else _ANSI_LIGHT
    known = theme.to_color_system().generate()
    own = {
        "frame": f"{known['foreground']} 30%",
        "row": f"{known['primary']} {25 if theme.dark else 12}%",
        "overlaid": "#d787d7" if theme.dark else "#870087",
    }
    if not theme.dark:
        black = Color(0, 0, 0)
        texts = (f"text-{name}" for name in ("primary", "accent", "success", "warning", "error"))
        own |= {name: Color.parse(known[name]).blend(black, DARKER).hex for name in texts}
    return {name: value for name, value in own.items() if name not in theme.variables}
