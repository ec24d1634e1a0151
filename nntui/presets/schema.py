"""From a TOML table to a `Preset`: every wrong entry is named by its dotted key."""

import copy
import operator
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

from nntui.core.engine.changes import is_structural
from nntui.core.engine.data import load_data
from nntui.core.engine.parameter_edits import is_parameter
from nntui.core.errors import ConfigError, quoted
from nntui.core.settings.configuration import (
    Configuration,
    Data,
    FaultEntry,
    Layer,
    Report,
    Training,
)
from nntui.core.settings.section import Section, one_of
from nntui.presets.csv_data import CsvSource, read_csv
from nntui.presets.preset import Goal, Preset, Step, Story

SectionType = TypeVar("SectionType", bound=Section)

MOST_LAYERS = 64
TABLES = ("seed", "faults", "data", "layers", "training", "report", "goal", "story")
HIGHEST_SEED = 2**32 - 1


def read_preset(name: str, source: Mapping[str, Any], folder: Path | None = None) -> Preset:
    """The preset that the TOML table ``source`` describes; ConfigError where it does not.

    Relative paths in it start at ``folder``, or at the working directory without one.
    """
    _known("", source, TABLES)
    for needed in ("data", "layers", "training", "report", "goal"):
        if needed not in source:
            header = "[[layers]]" if needed == "layers" else f"[{needed}]"
            raise ConfigError(needed, f"is missing: a preset needs {header}")
    configuration = Configuration(
        data=_data(source["data"], folder or Path()),
        layers=tuple(_sections(Layer, "layers", source["layers"], MOST_LAYERS)),
        training=_section(Training, "training", source["training"]),
        report=_section(Report, "report", source["report"]),
        faults=tuple(_faults(source.get("faults", []))),
    )
    load_data(configuration)
    return Preset(
        name=name,
        configuration=configuration,
        goal=_section(Goal, "goal", source["goal"]),
        seed=check_seed(source.get("seed", 0)),
        story=_story(source.get("story", {})),
        source=copy.deepcopy(dict(source)),
        folder=folder,
    )


def check_seed(seed: object) -> int:
    """``seed`` as a seed that RandomState takes; ConfigError otherwise."""
    if isinstance(seed, Integral) and not isinstance(seed, bool):
        number = operator.index(seed)
        if 0 <= number <= HIGHEST_SEED:
            return number
    raise ConfigError(
        "seed", f"must be a whole number from 0 to {HIGHEST_SEED}, not {quoted(seed)}"
    )


def override(preset: Preset, changes: Mapping[str, Any]) -> Preset:
    """``preset`` with dotted keys changed, such as ``{"layers.1.activation": "tanh"}``.

    Raises ConfigError for a key that does not exist or a value that it cannot take.
    """
    source = copy.deepcopy(preset.source)
    for key, value in changes.items():
        _put(source, key, value)
    return read_preset(preset.name, source, preset.folder)


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """``old`` changes followed by ``new`` ones, by dotted key.

    A table that is replaced takes with it what was changed inside it, and what draws all
    parameters anew takes with it those that were set by hand.
    """
    anew = any(is_structural(key) for key in new)

    def replaced(key: str) -> bool:
        inside = any(key == each or key.startswith(f"{each}.") for each in new)
        return inside or (anew and is_parameter(key))

    return {**{key: value for key, value in old.items() if not replaced(key)}, **new}


def parse_value(text: str) -> Any:
    """A value as it stands in TOML (``0.1``, ``true``, ``[1, 2]``); anything else is a text."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML, too many digits, or too deep
        return text
    return table["value"] if list(table) == ["value"] else text


def _put(source: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = source
    walked: list[str] = []
    for part in (*path, last):
        if isinstance(place, list):
            if not (part.isdecimal() and part.isascii() and len(part) < 10) or (
                int(part) >= len(place)
            ):
                has = f"has entries 0 to {len(place) - 1}" if place else "is empty"
                raise ConfigError(key, f"{'.'.join(walked)} {has}")
        elif not isinstance(place, dict):
            raise ConfigError(key, f"{'.'.join(walked)} has no entries of its own")
        if len(walked) == len(path):
            break
        walked.append(part)
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[int(last) if isinstance(place, list) else last] = value


def _known(prefix: str, table: Mapping[str, Any], names: Iterable[str]) -> None:
    names = tuple(names)
    for key in table:
        if key not in names:
            raise ConfigError(f"{prefix}.{key}" if prefix else str(key), one_of(key, names))


def _data(table: object, folder: Path) -> Data:
    """The data section; a CSV is read here, and core sees its tables."""
    if not isinstance(table, dict):
        raise ConfigError("data", f"must be a table, not {quoted(table)}")
    own, csv_keys = names_of(Data), names_of(CsvSource)
    _known("data", table, (*own, *csv_keys))
    chosen = _section(CsvSource, "data", {key: table[key] for key in csv_keys if key in table})
    rest = {key: table[key] for key in own if key in table}
    others = [key for key in ("inputs", "targets", "formula", "set") if rest.get(key) is not None]
    if chosen.csv is not None:
        if others:
            raise ConfigError(f"data.{others[0]}", "does not go with a csv; give one of them")
        try:
            rest["inputs"], rest["targets"] = read_csv(chosen, folder)
        except ConfigError as error:
            raise error.under("data") from None
    elif not others:
        raise ConfigError(
            "data.inputs", "is missing: give inputs and targets, a formula, a set, or a csv"
        )
    return _section(Data, "data", rest)


def names_of(kind: type[Section]) -> tuple[str, ...]:
    """The keys of a section."""
    return tuple(each.name for each in fields(kind))


def _section(kind: type[SectionType], key: str, table: object) -> SectionType:
    if not isinstance(table, dict):
        raise ConfigError(key, f"must be a table, not {quoted(table)}")
    _known(key, table, names_of(kind))
    for each in fields(kind):
        if each.default is MISSING and each.default_factory is MISSING and each.name not in table:
            choices = each.metadata.get("choices")
            hint = f"; one of: {', '.join(choices)}" if choices else f" ({each.metadata['doc']})"
            raise ConfigError(f"{key}.{each.name}", f"is missing{hint}")
    try:
        return kind(**table)
    except ConfigError as error:
        raise error.under(key) from None


def _sections(kind: type[SectionType], key: str, tables: object, most: int) -> list[SectionType]:
    if not isinstance(tables, list):
        raise ConfigError(key, f"must be a list of tables, [[{key}]]")
    if len(tables) > most:
        raise ConfigError(key, f"has {len(tables)} entries; at most {most} are possible")
    return [_section(kind, f"{key}.{index}", table) for index, table in enumerate(tables)]


def _faults(entries: object) -> list[FaultEntry]:
    if not isinstance(entries, list):
        raise ConfigError("faults", f'must be a list such as ["bias-decay"], not {quoted(entries)}')
    tables = [{"name": each} if isinstance(each, str) else each for each in entries]
    return _sections(FaultEntry, "faults", tables, most=100)


def _story(table: object) -> Story:
    if not isinstance(table, dict):
        raise ConfigError("story", f"must be a table, not {quoted(table)}")
    steps = _sections(Step, "story.steps", table.get("steps", []), most=100)
    return _section(Story, "story", {**table, "steps": tuple(steps)})
