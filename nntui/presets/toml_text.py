"""Reads TOML, refusing what would take minutes and gigabytes to read."""

import re
import tomllib
from typing import Any

from nntui.core.errors import ConfigError

MOST_PARTS = 100
"""Parts of a dotted key: `tomllib` takes the square of their number in time and memory."""
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_TOO_DEEP = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{MOST_PARTS}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """The table that ``text`` describes.

    Raises ConfigError for a key of more than `MOST_PARTS` parts, and for other invalid texts what
    `tomllib.loads` raises: ValueError, and RecursionError where they are nested too deeply.
    """
    if found := _TOO_DEEP.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ConfigError("", f"line {line} has a key of more than {MOST_PARTS} parts")
    return tomllib.loads(text)
