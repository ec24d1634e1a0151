"""The presets of a session, validated like any other, using nothing outside the session file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError
from nntui.core.settings.data_settings import MOST_NUMBERS, Data
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import check_rows
from nntui.core.tape import Array
from nntui.presets.preset import Origin, Preset
from nntui.presets.schema import read_preset
from nntui.timeline.history.tree import plain_value
from nntui.timeline.sessions.checked_fields import Fields

LONGEST_NAME = 255
"""Characters of the name of a preset or a branch."""


class SavedPresets:
    """The presets of all stretches, each stored as its difference from the first."""

    def __init__(self, fields: Fields, tables: Array, origin: Origin) -> None:
        preset = Fields(fields.table("preset"), "preset")
        self._name = preset.text("name", LONGEST_NAME)
        self._base = preset.table("source")
        self._tables, self._origin = tables, origin
        self._known: dict[tuple[int, ...], Rows] = {}
        self._data: set[Data] = set()
        self._numbers = 0

    def preset(self, stretch: Fields) -> Preset:
        """The preset of a stretch."""
        source = {**self._base, **stretch.table("source")}
        source = {name: table for name, table in source.items() if table is not None}
        data_table = source.get("data")
        try:
            if not isinstance(data_table, dict) or data_table.get("csv") is not None:
                raise ConfigError("data", "must be a table that contains the data")
            source["data"] = self._unpacked(data_table)
            if "layers" in source:
                source["layers"] = self._plain("layers", source["layers"])
            made = read_preset(self._name, source)
        except ConfigError as error:
            raise error.under(stretch.key("source")) from None
        data = made.configuration.data
        if data not in self._data:
            self._data.add(data)
            self._numbers += data.rows * (data.width + data.outputs)
        if self._numbers > MOST_NUMBERS:
            raise stretch.wrong("source", "makes the data of all branches together too large")
        return replace(made, origin=self._origin)

    def changes(self, stretch: Fields) -> dict[str, Any]:
        """The dotted keys that were changed at the beginning of a stretch."""
        told = self._unpacked(stretch.table("changes"))
        return {key: plain_value(key, value) for key, value in told.items()}

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

    def _table(self, key: str, reference: dict[str, Any]) -> Rows:
        place = tuple(Fields(reference, key).wholes("table", 3, 0, MOST_NUMBERS))
        if place in self._known:
            return self._known[place]
        if len(place) == 3:
            start, rows, columns = place
            if start + rows * columns <= len(self._tables) and rows and columns:
                found = self._tables[start : start + rows * columns].reshape(rows, columns)
                if not np.isfinite(found).all():
                    check_rows(key, found.tolist())  # names the number
                return self._known.setdefault(place, Rows(found.copy()))
        raise ConfigError(key, "refers to a table that does not exist")


def _showable(text: str) -> str:
    """``text`` without control characters."""
    return "".join(each if each.isprintable() or each in "\n\t" else "?" for each in text)
