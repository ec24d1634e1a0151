"""Reading text files: of a bounded size, UTF-8, and refused in one line otherwise."""

from pathlib import Path

from nntui.core.errors import ConfigError

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of a preset or a CSV file; what is larger is refused."""


def is_file(path: Path) -> bool:
    """Whether ``path`` is a file; a name that no file can have (too long, with a NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark; ConfigError if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError("", f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_FILE:
        raise ConfigError("", f"{path}: is larger than {LARGEST_FILE // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("", f"{path}: is not UTF-8 text (byte {error.start})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
