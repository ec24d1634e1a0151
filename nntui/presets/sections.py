"""Converts the tables of a preset to validated sections; errors name the dotted key.

A section that was validated before is accepted instead of its table, and not validated again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from nntui.core.errors import ConfigError, one_of, quoted
from nntui.core.settings.data_settings import Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.section import Section
from nntui.presets.csv_data import OF_CSV, CsvSource, read_csv
from nntui.presets.preset import Step, Story

SectionType = TypeVar("SectionType", bound=Section)

MOST_LAYERS = 64
MOST_ENTRIES = 100
"""Maximum number of faults, or of steps of a story."""


def check_known(prefix: str, table: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise ConfigError for a key of ``table`` that is not one of ``names``."""
    names = tuple(names)
    for key in table:
        if key not in names:
            raise ConfigError(f"{prefix}.{key}" if prefix else str(key), one_of(key, names))


def names_of(kind: type[Section]) -> tuple[str, ...]:
    """The keys of a section."""
    return tuple(each.name for each in fields(kind))


def read_section(kind: type[SectionType], key: str, table: object) -> SectionType:
    """The section that ``table`` describes; raises ConfigError with dotted keys under ``key``."""
    if isinstance(table, kind):
        return table
    if not isinstance(table, dict):
        raise ConfigError(key, f"must be a table, not {quoted(table)}")
    check_known(key, table, names_of(kind))
    for each in fields(kind):
        if each.default is MISSING and each.default_factory is MISSING and each.name not in table:
            choices = each.metadata.get("choices")
            hint = f"; one of: {', '.join(choices)}" if choices else f" ({each.metadata['doc']})"
            raise ConfigError(f"{key}.{each.name}", f"is missing{hint}")
    try:
        return kind(**table)
    except ConfigError as error:
        raise error.under(key) from None


def _read_list(
    kind: type[SectionType], key: str, tables: object, most: int
) -> tuple[SectionType, ...]:
    if not isinstance(tables, (list, tuple)):
        raise ConfigError(key, f"must be a list of tables, [[{key}]]")
    if len(tables) > most:
        raise ConfigError(key, f"has {len(tables)} entries; at most {most} are allowed")
    return tuple(read_section(kind, f"{key}.{at}", table) for at, table in enumerate(tables))


def read_layers(tables: object) -> tuple[Layer, ...]:
    """The layers, starting with the first that has weights."""
    return _read_list(Layer, "layers", tables, MOST_LAYERS)


def read_faults(entries: object) -> tuple[FaultEntry, ...]:
    """The faults; one that is given by its name alone is on in all layers."""
    if not isinstance(entries, (list, tuple)):
        raise ConfigError("faults", f'must be a list such as ["bias-decay"], not {quoted(entries)}')
    return _read_list(FaultEntry, "faults", fault_entries(entries), MOST_ENTRIES)


def fault_entries(entries: Iterable[Any]) -> list[Any]:
    """``entries`` with a table in the place of each bare name."""
    return [{"name": each} if isinstance(each, str) else each for each in entries]


def read_story(table: object) -> Story:
    """The story, with its steps."""
    if isinstance(table, dict):
        steps = _read_list(Step, "story.steps", table.get("steps", []), MOST_ENTRIES)
        table = {**table, "steps": steps}
    return read_section(Story, "story", table)


def read_data(
    table: object, folder: Path, known: tuple[CsvSource, Data] | None = None
) -> tuple[Data, CsvSource]:
    """The data and their CSV source; if that equals the ``known`` one, its file is not read again.

    A relative path is relative to ``folder``.  Raises ConfigError for an invalid entry.
    """
    if not isinstance(table, dict):
        raise ConfigError("data", f"must be a table, not {quoted(table)}")
    own, csv_keys = names_of(Data), names_of(CsvSource)
    check_known("data", table, (*own, *csv_keys))
    kept = {key: table[key] for key in csv_keys if key in table}
    chosen = read_section(CsvSource, "data", kept)
    rest = {key: table[key] for key in own if key in table}
    others = [key for key in (*OF_CSV, "formula", "set") if rest.get(key) is not None]
    if chosen.csv is not None:
        if others:
            raise ConfigError(f"data.{others[0]}", "conflicts with the csv; give one of them")
        if known is not None and known[0] == chosen:
            rest |= {name: getattr(known[1], name) for name in OF_CSV}
        else:
            try:
                rest |= read_csv(chosen, folder)
            except ConfigError as error:
                raise error.under("data") from None
    elif not others:
        raise ConfigError(
            "data.inputs", "is missing: give inputs and targets, a formula, a set, or a csv"
        )
    return read_section(Data, "data", rest), chosen
