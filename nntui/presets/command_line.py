"""Writes commands that a shell runs as they are printed."""

import shlex
from collections.abc import Mapping
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.presets.compact_string import encode
from nntui.presets.preset import Origin, Preset
from nntui.presets.preset_table import plain_values
from nntui.presets.schema import merged, parse_value
from nntui.presets.writer import in_toml

PROGRAM = "nntui"
UNNAMED = "FILE.toml"
"""What stands for the file that a person would have to write first."""


def command_of(
    command: str, preset: Preset, changes: Mapping[str, Any] | None = None, seed: int | None = None
) -> list[str]:
    """``nntui COMMAND`` for ``preset`` with ``changes`` and from ``seed``, quoted for a shell.

    The preset is named as it was when it was loaded, with the changes made to it since.  The parts
    are to be joined by spaces: the words up to the seed, then each ``--set``.  One that a program
    made is written as a string, or as `UNNAMED` where that would be too long.
    """
    origin = preset.origin or Origin(_as_string(preset), preset.seed)
    wanted = merged(origin.changes, changes or {})
    # A word that begins with a dash is read as an option.
    words = [PROGRAM, command, f"./{origin.text}" if origin.text[:1] == "-" else origin.text]
    if seed is not None and seed != wanted.get("seed", origin.seed):
        words += ["--seed", str(seed)]
        wanted.pop("seed", None)
    sets = (f"--set {shlex.quote(f'{key}={set_text(value)}')}" for key, value in wanted.items())
    return [shlex.join(words), *sets]


def _as_string(preset: Preset) -> str:
    try:
        return encode(preset)
    except ConfigError:
        return UNNAMED


def open_command(session: str) -> str:
    """The command that opens the session with this name or path in the app."""
    return shlex.join([PROGRAM, "open", session])


def set_text(value: Any) -> str:
    """``value`` as ``--set KEY=`` takes it: in TOML, or bare text; empty for what is not set."""
    if value is None:
        return ""
    if isinstance(value, str) and value and value == value.strip() and parse_value(value) == value:
        return value
    return in_toml(plain_values(value))


def read_set(change: str) -> tuple[str, Any]:
    """The key and the value of ``KEY=VALUE``, the inverse of `set_text`.

    Raises ConfigError for text that is not KEY=VALUE.
    """
    key, equals, value = (part.strip() for part in change.partition("="))
    if not equals or not key:
        raise ConfigError("", f"--set takes KEY=VALUE, not {quoted(change)}")
    return key, parse_value(value) if value else None
