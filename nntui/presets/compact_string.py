"""Encodes a preset as one short string that can be pasted into a message, a shell or a URL.

The format is ``nntui1-`` and URL-safe base64 of four bytes of SHA-256 and a zlib stream of
canonical JSON: the preset's name and tables, CSV rows included, the story left out.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from typing import Any

from nntui.core.errors import ConfigError
from nntui.presets.preset import Preset
from nntui.presets.preset_table import embedded, plain_values
from nntui.presets.schema import read_preset

PREFIX = "nntui1-"
LONGEST = 131_000
"""Maximum characters of a string: Linux limits an argument of a program to 131,072 bytes."""
LARGEST_TEXT = 2 * 2**20
"""Bytes of the JSON in a string; more would be data that no person pastes."""
_UNPACKS = f"holds more than {LARGEST_TEXT // 2**20} MiB; keep it as a file"
LONGEST_NAME = 255
_CHECK = 4
"""Bytes of the digest in a string."""


def encode(preset: Preset) -> str:
    """Encode ``preset``, without its story, as a string of letters, digits, ``-`` and ``_``.

    Raises ConfigError if the string would exceed `LONGEST` characters.
    """
    source = {key: value for key, value in plain_values(embedded(preset)).items() if key != "story"}
    content = {"name": _showable(preset.name), "source": source}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    packed = zlib.compress(text.encode(), 9)
    string = PREFIX + base64.urlsafe_b64encode(_digest(packed) + packed).decode().rstrip("=")
    if len(string) > LONGEST:
        raise ConfigError(
            "",
            f"{preset.name} would make a string of {len(string):,} characters, more than the "
            f"{LONGEST:,} that fit on a command line; keep it as a file",
        )
    if len(text.encode()) > LARGEST_TEXT:
        raise ConfigError("", f"{preset.name} would make a string that {_UNPACKS}")
    return string


def is_compact(text: str) -> bool:
    """Whether ``text`` starts like a preset string, of this version or another."""
    return re.match(r"\s*nntui\d+-", text) is not None


def decode(text: str) -> Preset:
    """Decode a string made by `encode`; white space in it is ignored.

    Raises ConfigError, in one line, for any other text.
    """
    try:
        content = json.loads(_unpacked("".join(text[: 2 * LONGEST].split())))
        name, source = _parts(content)
        return read_preset(name, source)
    except ConfigError as error:
        raise ConfigError("", f"the preset string{': ' if error.key else ' '}{error}") from None
    except (ValueError, RecursionError):
        raise ConfigError("", "the preset string holds no preset") from None


def _unpacked(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise ConfigError("", f"has another version than {PREFIX[:-1]}")
    if len(text) > LONGEST:
        raise ConfigError("", f"has more than {LONGEST:,} characters")
    body = text.removeprefix(PREFIX)
    try:
        content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("", "was cut off or altered: it is not base64") from None
    check, packed = content[:_CHECK], content[_CHECK:]
    # The last letter may contain surplus bits, which must be as `encode` made them.
    again = base64.urlsafe_b64encode(content).decode().rstrip("=")
    if check != _digest(packed) or again != body:
        raise ConfigError("", "was cut off or altered: its checksum does not match")
    return _inflated(packed)


def _inflated(packed: bytes) -> bytes:
    """Decompress ``packed``, up to `LARGEST_TEXT` bytes."""
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(packed, LARGEST_TEXT)
    except zlib.error:
        raise ConfigError("", "holds no preset") from None
    if stream.unconsumed_tail:
        raise ConfigError("", _UNPACKS)
    if not stream.eof or stream.unused_data:
        raise ConfigError("", "holds no preset")
    return unpacked


def _parts(content: Any) -> tuple[str, dict[str, Any]]:
    """The name and the tables in ``content``; raises ConfigError for what `encode` never writes."""
    if not isinstance(content, dict) or set(content) != {"name", "source"}:
        raise ConfigError("", "holds no preset")
    name, source = content["name"], content["source"]
    if not isinstance(name, str) or name != _showable(name) or not isinstance(source, dict):
        raise ConfigError("", "holds no preset")
    if "story" in source:
        raise ConfigError("", "contains a story, which a preset string never has")
    data = source.get("data")
    if isinstance(data, dict) and "csv" in data:
        raise ConfigError("", "names a CSV file instead of containing its rows")
    return name, source


def _showable(name: str) -> str:
    """``name`` without unprintable characters and slashes."""
    shown = "".join(each if each.isprintable() and each != "/" else "?" for each in name)
    return shown[:LONGEST_NAME] or "?"


def _digest(packed: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + packed).digest()[:_CHECK]
