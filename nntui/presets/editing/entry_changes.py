"""The change that a new value of an entry makes, typed or chosen, with what has to go with it."""

from dataclasses import replace
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.faults import FAULTS
from nntui.core.settings.section import check_entry
from nntui.presets.editing.applicability import SOURCES
from nntui.presets.editing.data_sources import from_csv, to_source, with_classes
from nntui.presets.editing.entries import Changes, PresetEntry, named_table
from nntui.presets.preset import Preset
from nntui.presets.preset_table import data_table, fault_tables, plain_values
from nntui.presets.schema import parse_value


def read(preset: Preset, chosen: PresetEntry, text: str) -> Changes:
    """The change that sets an entry to the TOML value ``text``; strings need no quotes.

    Empty text unsets an optional entry.  Raises ConfigError if the declaration does not allow the
    value; the whole configuration is validated only when the change is made.
    """
    declared, text = chosen.declared, text.strip()
    if declared is None:
        raise ConfigError(chosen.key, "is changed entry by entry")
    value = parse_value(text)
    if not text and declared.default is None:
        return change_of(preset, chosen, None)
    if isinstance(value, str) and declared.type in (float, float | None):
        value = _number(value)
    elif declared.type in (str, str | None) and not isinstance(value, str):
        value = text
    elif declared.type == tuple[str, ...] and isinstance(value, str) and text[:1] not in "[{":
        value = [each.strip() for each in value.split(",") if each.strip()]
    table = chosen.key.rpartition(".")[0]
    try:
        value = check_entry(declared, value)
        if chosen.section is not None:
            replace(chosen.section, **{declared.name: value})
    except ConfigError as error:
        raise error.under(table) if table else error from None
    return change_of(preset, chosen, value)


def _number(text: str) -> float | str:
    """``text`` as a number in Python's notation, such as ``.5``, which TOML does not allow."""
    try:
        return float(text)
    except ValueError:
        return text


def change_of(preset: Preset, chosen: PresetEntry, value: Any) -> Changes:
    """The dotted keys that set the entry, including others that must change with it."""
    table, _, name = chosen.key.rpartition(".")
    value = plain_values(value)
    if table.startswith("faults."):
        return {"faults": _with_fault(preset, int(table.split(".")[1]), name, value)}
    if table == "data" and name in SOURCES and value is not None:
        if name == "csv":
            return from_csv(preset, str(value))
        if name not in data_table(preset):
            return to_source(preset, name, value)
    if table == "data" and name in ("classes", "one_hot") and preset.configuration.data.set:
        return with_classes(preset, name, value)
    return {chosen.key: value}


def _with_fault(preset: Preset, at: int, name: str, value: Any) -> list[Any]:
    """All faults, one of them with another value; a new name keeps the keys that it takes."""
    tables = fault_tables(preset.configuration.faults)
    table = {**named_table(tables[at]), name: value}
    if name == "name":
        taken = {"name", "layers", *FAULTS[table["name"]].parameters}
        table = {key: each for key, each in table.items() if key in taken}
    table = {key: each for key, each in table.items() if each is not None}
    tables[at] = table["name"] if list(table) == ["name"] else table
    return tables
