"""The presets of a session, validated like any other, using nothing outside the session file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.settings.configuration import MOST_NUMBERS, Data
from nntui.core.tape import Array
from nntui.presets.preset import Preset
from nntui.presets.schema import read_preset
from nntui.timeline.sessions.checked_fields import Fields

LONGEST_NAME = 255
"""Characters of the name of a preset or a branch."""


class SavedPresets:
    """The presets of all stretches, each stored as its difference from the first."""

    def __init__(self, fields: Fields, tables: Array) -> None:
        preset = Fields(fields.table("preset"), "preset")
        self._name = preset.text("name", LONGEST_NAME)
        self._base = preset.table("source")
        self._tables = tables
        self._data: dict[str, tuple[dict[str, Any], Data]] = {}
        self._numbers = 0

    def preset(self, stretch: Fields) -> Preset:
        """The preset of a stretch."""
        source = {**self._base, **stretch.table("source")}
        source = {name: table for name, table in source.items() if table is not None}
        data_table = source.get("data")
        text = json.dumps(data_table, sort_keys=True)
        try:
            if text in self._data:
                return self._with_known_data(source, *self._data[text])
            if not isinstance(data_table, dict) or data_table.get("csv") is not None:
                raise ConfigError("data", "must be a table that contains the data")
            source["data"] = self._unpacked(data_table)
            made = read_preset(self._name, source)
        except ConfigError as error:
            raise error.under(stretch.key("source")) from None
        data = made.configuration.data
        self._numbers += data.rows * (data.width + data.outputs)
        if self._numbers > MOST_NUMBERS:
            raise stretch.wrong("source", "makes the data of all branches together too large")
        self._data[text] = made.source["data"], data
        return made

    def _with_known_data(self, source: dict[str, Any], table: dict[str, Any], data: Data) -> Preset:
        """The preset of ``source``, reusing data that were validated before, since that is slow."""
        alike = {
            "inputs": [[0.0] * data.width],
            "targets": [[1.0] + [0.0] * (data.outputs - 1)],
        }
        made = read_preset(self._name, {**source, "data": alike})
        return replace(
            made,
            configuration=replace(made.configuration, data=data),
            source={**made.source, "data": table},
        )

    def changes(self, stretch: Fields) -> dict[str, Any]:
        """The dotted keys that were changed at the beginning of a stretch."""
        return self._unpacked(stretch.table("changes"))

    def _unpacked(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """``table`` with its large tables put back, and its texts safe to print."""
        return {_showable(key): self._plain(key, value) for key, value in table.items()}

    def _plain(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            return _showable(value)
        if isinstance(value, list):
            return [self._plain(key, each) for each in value]
        if not isinstance(value, dict):
            return value
        return self._table(key, value) if list(value) == ["table"] else self._unpacked(value)

    def _table(self, key: str, reference: dict[str, Any]) -> list[list[float]]:
        place = Fields(reference, key).wholes("table", 3, 0, MOST_NUMBERS)
        if len(place) == 3:
            start, rows, columns = place
            if start + rows * columns <= len(self._tables) and rows and columns:
                found = self._tables[start : start + rows * columns].reshape(rows, columns)
                return list(found.tolist())
        raise ConfigError(key, "refers to a table that does not exist")


def _showable(text: str) -> str:
    """``text`` without control characters."""
    return "".join(each if each.isprintable() or each in "\n\t" else "?" for each in text)
