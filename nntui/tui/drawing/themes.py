"""Themes beside Textual's own: one of high contrast, and what the terminal's own colours lack."""

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


def own_variables(theme: Theme) -> dict[str, str]:
    """What the panels use beside Textual's variables, and what they use in place of them.

    The terminal's own colours have no shades.
    """
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
