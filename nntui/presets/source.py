"""The table that a preset was read from, made plain and whole, so that it can be written again."""

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from nntui.core.errors import ConfigError
from nntui.presets.csv_data import CsvSource
from nntui.presets.preset import Preset


def embedded(preset: Preset) -> dict[str, Any]:
    """The source of ``preset`` with the rows of a csv in the place of its name.

    Raises ConfigError for a preset that was not read from a source.
    """
    source, data = preset.source, preset.configuration.data
    if "data" not in source:
        raise ConfigError("", "a preset that was made without its source cannot be saved")
    if source["data"].get("csv") is None:
        return source
    of_csv = {each.name for each in fields(CsvSource)}
    own = {key: value for key, value in source["data"].items() if key not in of_csv}
    return {**source, "data": {"inputs": data.inputs, "targets": data.targets, **own}}


def whole(preset: Preset) -> dict[str, Any]:
    """All that ``preset`` was read from, in the types of TOML and JSON, a csv's rows in it.

    Raises ConfigError for a preset that was not read from a source.
    """
    # A preset may have been given another seed since; 0 is the default.
    source: dict[str, Any] = plain({**embedded(preset), "seed": preset.seed or None})
    return source


def plain(value: Any) -> Any:
    """``value`` without tuples, NumPy's numbers, and what is None."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    return value
