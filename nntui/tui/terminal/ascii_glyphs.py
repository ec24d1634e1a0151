"""ASCII replacements for other characters, each of the same width."""

import unicodedata

from rich.cells import cell_len

_ROWS = (0x09, 0x12, 0x24, 0xC0)
"""The dots of a braille character, row by row; the left one of a row is the lower bit."""
_ALIKE = {
    "─╌┄┈╴╶╼╾": "-",
    "═": "=",
    "━╍┅┉": "#",
    "│║┃╎┆┊╏╷╵▏▕▎▊▌▐": "|",
    "┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋": "+",
    "░": ".",
    "▒": "o",
    "▓▅▆▇▖▗▘▝▙▛▜▟▞▚": "#",
    "█■▪◼": "@",
    "▀": " ",  # half a cell would be a speck; the ground is the lower half's
    "▔": "'",
    "▄▁▂▃": "_",
    "≡": "%",
    "…": "~",
    "\u2013\u2014\u2212\u2010\u2011": "-",  # dashes and the minus sign
    "•·●∙": "*",
    "○◦◯": "o",
    "\u2018\u2019\u2032": "'",  # single quotes and the prime
    "“”″": '"',
    "→▶►▸": ">",
    "←◀◄◂": "<",
    "↑▲▴△": "^",
    "↓▼▾▽": "v",
    "\u00d7\u2715\u2716": "x",  # the times sign and crosses
    "✓✔": "v",
    "≤": "<",
    "≥": ">",
    "\xa0": " ",
}
"""Shades stay apart from the dashes of what is below zero, and thick lines from thin ones."""


def _braille(dots: int) -> str:
    """What looks most like ``dots``: a piece of a line at their height, rising or falling."""
    if not dots:
        return " "
    rows = [row for row in range(4) if dots & _ROWS[row]]
    left = [row for row in rows if dots & _ROWS[row] & 0x47]
    right = [row for row in rows if dots & _ROWS[row] & 0xB8]
    if len(rows) >= 3 and left and right and sum(left) / len(left) != sum(right) / len(right):
        return "\\" if sum(left) / len(left) < sum(right) / len(right) else "/"
    if len(rows) >= 3:
        return "|"
    height = sum(rows) / len(rows)
    both = bool(left and right)
    return "'" if height < 1 else "-" if height < 2.5 else "_" if both else "."


_TABLE = {ord(each): plain for alike, plain in _ALIKE.items() for each in alike}
_TABLE |= {0x2800 + dots: _braille(dots) for dots in range(256)}


def plain(text: str) -> str:
    """``text`` in ASCII, as many columns wide; what has no likeness is a question mark."""
    if text.isascii():
        return text
    text = text.translate(_TABLE)
    return text if text.isascii() else "".join(map(_nearest, text))


def _nearest(character: str) -> str:
    if character.isascii():
        return character
    first = unicodedata.normalize("NFKD", character)[:1]
    return (first if first.isascii() else "?").ljust(1) * cell_len(character)
