"""What is typed to fork: a variable and its value, or an edit of one line of the source."""

import ast
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError


def read_change(text: str, source: str) -> tuple[str, Any]:
    """``name=value``, or an edit ``line N: old -> new`` as an empty name and the edited source.

    Raises ConfigError for what is neither.
    """
    head, colon, rest = text.partition(":")
    words = head.split()
    if colon and len(words) == 2 and words[0] == "line" and words[1].isdigit():
        return "", edited_line(source, int(words[1]), rest)
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigError("", "name=value, such as lr=0.1; or line 12: 0.5 -> 0.1")
    try:
        read = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ConfigError("", f"{value.strip()} is no number, and no list of numbers") from None
    if isinstance(read, (list, tuple)):
        try:
            read = np.array(read, float)
        except (ValueError, TypeError):
            raise ConfigError("", "a list of numbers, such as [[1, 2], [3, 4]]") from None
    if not isinstance(read, (int, float, str, np.ndarray)):
        raise ConfigError("", "a number, or a list of numbers")
    return name.strip(), read


def edited_line(source: str, number: int, change: str) -> str:
    """``source`` with ``old -> new`` in one line; raises ConfigError if it has no ``old``."""
    old, arrow, new = change.partition("->")
    old, new = old.strip(), new.strip()
    lines = source.split("\n")
    if not arrow or not old:
        raise ConfigError("", "line N: old -> new, such as line 12: 0.5 -> 0.1")
    if not 1 <= number <= len(lines) or old not in lines[number - 1]:
        raise ConfigError("", f"line {number} has no {old}")
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        raise ConfigError("", f"line {number} would be no Python then") from None
    return text
