"""Reading text files: of a bounded size, UTF-8, and refused in one line otherwise."""

import os
from pathlib import Path

from nntui.core.errors import ConfigError

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of a preset or a CSV file; what is larger is refused."""

LONGEST_PATH = 200
"""Characters of a path in a message."""


def check_file(path: Path) -> Path:
    """``path``, if it is a file; ConfigError says what it is not."""
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):  # a name too long, or with a NUL
        pass
    there = os.path.lexists(str(path).replace("\0", ""))
    said = "is not a regular file" if there else "there is no such file"
    raise ConfigError("", f"{_shown(path)}: {said}")


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark; ConfigError if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError("", f"{_shown(path)}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_FILE:
        raise ConfigError("", f"{_shown(path)}: is larger than {LARGEST_FILE // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("", f"{_shown(path)}: is not UTF-8 text (byte {error.start})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shown(path: Path) -> str:
    """``path`` as it stands in a message: the middle of a very long one is left out."""
    text, half = str(path), LONGEST_PATH // 2
    return text if len(text) <= LONGEST_PATH else f"{text[:half]} ... {text[-half:]}"
