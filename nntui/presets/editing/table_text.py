"""Rows of numbers as lines of text, to be edited like a sheet: `0.1, 0.2 -> 0.3`."""

import math
import re
from collections.abc import Sequence
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.rows import Rows
from nntui.presets.csv_data import is_number
from nntui.presets.editing.applicability import source_of
from nntui.presets.editing.data_sources import to_source
from nntui.presets.editing.entries import LONGEST, Changes, PresetEntry
from nntui.presets.preset import Preset

ARROW = "->"
"""Between the inputs and the targets of a row."""
_BETWEEN = re.compile(r"[,;\s]+")


def is_rows(chosen: PresetEntry) -> bool:
    """Whether the entry is edited as lines of numbers."""
    return chosen.declared is not None and Rows in getattr(
        chosen.declared.type, "__args__", (chosen.declared.type,)
    )


def rows_text(preset: Preset, chosen: PresetEntry) -> str:
    """The rows of an entry, a line each; inputs and targets of a table stand together.

    Raises ConfigError if that is too long to be edited.
    """
    data = preset.configuration.data
    if _is_of_table(chosen) and data.inputs is not None and data.targets is not None:
        names = [_joined(data.input_names), _joined(data.target_names)]
        lines = [f" {ARROW} ".join(names)] if all(names) else []
        pairs = zip(data.inputs, data.targets, strict=True)
        lines += [f"{_line(row)} {ARROW} {_line(target)}" for row, target in pairs]
    else:
        lines = [_line(row) for row in chosen.value or ()]
    text = "\n".join(lines)
    if len(text) > LONGEST:
        raise ConfigError(chosen.key, "is too large to be edited here; edit the preset's file")
    return text


def read_rows(preset: Preset, chosen: PresetEntry, text: str) -> Changes:
    """The change that sets an entry to the rows in ``text``, with commas, blanks or tabs between.

    Of a table, a line holds inputs and targets with an arrow between them, or without one the
    targets last; a first line of words names the columns.  Raises ConfigError with the line.
    """
    lines = [(at, each.strip()) for at, each in enumerate(text.splitlines(), 1) if each.strip()]
    if _is_of_table(chosen):
        return _table(preset, lines)
    if not lines and chosen.declared is not None and chosen.declared.default is None:
        return {chosen.key: None}
    return {chosen.key: _even(chosen.key, [(at, _numbers(at, line)) for at, line in lines], "")}


def _is_of_table(chosen: PresetEntry) -> bool:
    return chosen.key in ("data.inputs", "data.targets")


def _table(preset: Preset, lines: list[tuple[int, str]]) -> Changes:
    data = preset.configuration.data
    names: tuple[list[str], list[str]] = ([], [])
    if lines and not any(map(is_number, _parts(lines[0][1].replace(ARROW, ",")))):
        given, arrow, told = lines.pop(0)[1].partition(ARROW)
        words, count = _words(given), data.outputs
        names = (words, _words(told)) if arrow else (words[:-count], words[-count:])
    inputs, targets = [], []
    for at, line in lines:
        given, arrow, told = line.partition(ARROW)
        row = _numbers(at, given)
        target = _numbers(at, told) if arrow else row[-data.outputs :]
        inputs.append((at, row if arrow else row[: -data.outputs]))
        targets.append((at, target))
    made = {
        "data.inputs": _even("data.inputs", inputs, "inputs"),
        "data.targets": _even("data.targets", targets, "targets"),
    }
    if source_of(preset) != "table":
        rows = to_source(preset, "inputs", made["data.inputs"])["data"]
        made = {"data": {**rows, "targets": made["data.targets"]}}
    widths = len(inputs[0][1]), len(targets[0][1])
    for key, width, named in zip(("input_names", "target_names"), widths, names, strict=True):
        now = getattr(data, key)
        if (named or len(now) not in (0, width)) and "data" not in made:
            made[f"data.{key}"] = named if len(named) in (0, width) else []
    if widths[1] != data.outputs:
        made[f"layers.{len(preset.configuration.layers) - 1}.units"] = widths[1]
    return made


def _even(key: str, rows: Sequence[tuple[int, list[float]]], what: str) -> Any:
    if not rows:
        raise ConfigError(key, "must be at least one row of numbers, a line each")
    first = len(rows[0][1])
    for at, row in rows:
        if not row:
            raise ConfigError(key, f"line {at} has no {what or 'numbers'}")
        if len(row) != first:
            count = f"{len(row)} {what}".strip()
            raise ConfigError(key, f"line {at} has {count} where the first row has {first}")
    return [row for _, row in rows]


def _numbers(at: int, text: str) -> list[float]:
    found = []
    for part in _parts(text):
        if not is_number(part) or not math.isfinite(float(part)):
            raise ConfigError("", f"line {at}: {quoted(part)} is not a number")
        found.append(float(part))
    return found


def _parts(text: str) -> list[str]:
    return [each for each in _BETWEEN.split(text.strip()) if each]


def _words(text: str) -> list[str]:
    return [each.strip() for each in re.split(r"[,;\t]", text) if each.strip()]


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def _line(row: Sequence[float]) -> str:
    # The shortest text that is read again as the same number.
    return ", ".join(repr(each).removesuffix(".0") for each in row)
