"""Reads UTF-8 text files of limited size; anything else is refused with a one-line message."""

import os
from pathlib import Path

from nntui.core.errors import ConfigError

LONGEST_PATH = 200
"""Maximum characters of a path in a message."""


_closed = ""


def close_files(reason: str) -> None:
    """Refuse every path from now on, whether or not there is a file, for the ``reason``.

    The library's presets, which are named by no path, stay.
    """
    global _closed
    _closed = reason


def is_csv(text: str) -> bool:
    """Whether ``text`` is the path of a CSV file, by its name."""
    return Path(text).suffix.lower() == ".csv"


def are_open() -> bool:
    """Whether files can be named by their paths."""
    return not _closed


def check_file(path: Path) -> Path:
    """``path``, if it is a regular file; else raises ConfigError."""
    if _closed:
        raise ConfigError("", f"{_shown(path)}: {_closed}")
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):  # the name is too long, or contains a NUL
        pass
    there = os.path.lexists(str(path).replace("\0", ""))
    said = "is not a regular file" if there else "there is no such file"
    raise ConfigError("", f"{_shown(path)}: {said}")


def read_text(path: Path, largest: int) -> str:
    """The text of a file of at most ``largest`` bytes, without a byte order mark.

    Raises ConfigError if it cannot be read, is larger, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise ConfigError("", f"{_shown(path)}: cannot be read ({error.strerror})") from None
    if len(content) > largest:
        raise ConfigError("", f"{_shown(path)}: is larger than {largest // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("", f"{_shown(path)}: is not UTF-8 text (byte {error.start})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shown(path: Path) -> str:
    """``path`` for a message; the middle of a very long one is left out."""
    text, half = str(path), LONGEST_PATH // 2
    return text if len(text) <= LONGEST_PATH else f"{text[:half]} ... {text[-half:]}"
