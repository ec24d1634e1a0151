"""Writes a `Preset` as TOML, in the layout of the library's files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError
from nntui.presets.atomic_write import write_bytes
from nntui.presets.preset import Preset
from nntui.presets.preset_table import embedded, plain_values
from nntui.presets.schema import TABLES
from nntui.presets.toml_text import check_size

WIDTH = 100
"""Columns after which a list or a text is wrapped."""


def to_toml(preset: Preset) -> str:
    """TOML text from which ``preset`` can be read again; it contains the rows of a CSV file.

    Raises ConfigError if it would be too large to be read again.
    """
    text = toml_of(plain_values(embedded(preset)))
    try:
        check_size(text)
    except ConfigError as error:
        raise ConfigError("", f"{preset.name} as TOML {error}") from None
    return text


def toml_of(source: Mapping[str, Any]) -> str:
    """The TOML text of a preset's tables, in the order of the library's files."""
    blocks = [_entries({key: source[key] for key in ("seed", "faults") if key in source})]
    for key in TABLES:
        if key not in ("seed", "faults"):
            blocks += _tables(key, source.get(key))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def save_preset(preset: Preset, path: Path) -> None:
    """Write ``preset`` to ``path`` as TOML, atomically.

    Raises ConfigError if the file cannot be written, or would be too large to be read again.
    """
    write_bytes(path, to_toml(preset).encode())


def _tables(key: str, value: Any) -> Iterator[list[str]]:
    """The lines of a table, or of each of a list of tables, with headers; then nested lists."""
    for table in value if isinstance(value, list) else [value]:
        if table is None:
            return
        header = f"[[{key}]]" if isinstance(value, list) else f"[{key}]"
        inner = {name: each for name, each in table.items() if _is_tables(each)}
        yield [header, *_entries({name: table[name] for name in table if name not in inner})]
        for name, each in inner.items():
            yield from _tables(f"{key}.{name}", each)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _entries(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value, len(key) + 3)}" for key, value in table.items()]


def _value(value: Any, used: int) -> str:
    """``value`` in TOML, on one line if it fits after ``used`` columns."""
    if isinstance(value, str) and ("\n" in value or len(_quoted(value)) + used > WIDTH):
        return _long_text(value)
    line = in_toml(value)
    if not isinstance(value, list) or len(line) + used <= WIDTH:
        return line
    return "\n".join(["[", *_wrapped(f"{in_toml(each)}," for each in value), "]"])


def in_toml(value: Any) -> str:
    """``value`` in TOML, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _quoted(value)
        case dict():
            inside = ", ".join(f"{key} = {in_toml(each)}" for key, each in value.items())
            return f"{{ {inside} }}"
        case list():
            return f"[{', '.join(map(in_toml, value))}]"
    return repr(value)


def _wrapped(items: Iterator[str]) -> Iterator[str]:
    """``items`` in indented lines, as many in each as fit."""
    line = " "
    for item in items:
        if len(line) > 1 and len(line) + 1 + len(item) > WIDTH:
            yield line
            line = " "
        line += f" {item}"
    yield line


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _long_text(text: str) -> str:
    r"""``text`` in triple quotes; long lines are broken with a trailing ``\``."""
    escaped = _quoted(text)[1:-1].replace("\\n", "\n").replace("\\t", "\t")
    lines = [part for line in escaped.split("\n") for part in _broken(line)]
    return '"""\n' + "\n".join(lines) + '"""'


def _broken(line: str) -> Iterator[str]:
    r"""``line`` in pieces that fit, broken between words, all but the last with a ``\``."""
    while len(line) > WIDTH - 3:
        place = line.rfind(" ", 0, WIDTH - 1) + 1
        # The next piece must not begin with a space, which TOML would drop.
        while place and line[place : place + 1].isspace():
            place = line.rfind(" ", 0, place - 1) + 1
        if not place:
            break
        yield f"{line[:place]}\\"
        line = line[place:]
    yield line
