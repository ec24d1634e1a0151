"""Reads TOML, refusing what would take long to read, or minutes and gigabytes."""

import re
import tomllib
from typing import Any

from nntui.core.errors import ConfigError

LARGEST_TOML = 4 * 2**20
"""Maximum bytes of a preset: `tomllib` goes through some parts of a text by the character."""
MOST_MARKS, MOST_DOTS = 300_000, 50_000
"""Commas, equals signs and line ends, and dots of keys: `tomllib` takes 3 and 10 us for each."""
MOST_PARTS = 10
"""Parts of a dotted key: `tomllib` takes the square of their number in time and memory."""
INSTEAD = "a CSV file may hold the rows of its data"
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_TOO_DEEP = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{MOST_PARTS}}}")
_KEY_DOT = re.compile(r"\.(?=\D|\d+\.)")
"""A dot that is not that of a decimal number."""


def check_size(text: str) -> None:
    """Raise ConfigError for a text that would take more than about a second to read."""
    if len(text.encode(errors="surrogatepass")) > LARGEST_TOML:
        raise ConfigError("", f"is larger than {LARGEST_TOML // 2**20} MiB; {INSTEAD}")
    for counted, most, what in (
        (sum(map(text.count, ",=\n")), MOST_MARKS, "commas, equals signs and line ends"),
        (len(_KEY_DOT.findall(text)), MOST_DOTS, "dots that are no decimal points"),
    ):
        if counted > most:
            raise ConfigError("", f"has {counted:,} {what}; at most {most:,} are read; {INSTEAD}")


def parse_toml(text: str) -> dict[str, Any]:
    """The table that ``text`` describes.

    Raises ConfigError for a text that `check_size` refuses and for a key of more than `MOST_PARTS`
    parts, and for other invalid texts what `tomllib.loads` raises: ValueError, and RecursionError
    where they are nested too deeply.
    """
    check_size(text)
    if found := _TOO_DEEP.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ConfigError("", f"line {line} has a key of more than {MOST_PARTS} parts")
    return tomllib.loads(text)
