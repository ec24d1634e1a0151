"""Reads a preset from a TOML table, and changes entries of a preset by their dotted keys."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from nntui.core.engine.data import load_data
from nntui.core.errors import ConfigError, one_of, quoted
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.dotted_keys import is_parameter, is_structural
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section
from nntui.core.settings.training_settings import Training
from nntui.presets.csv_data import CsvSource
from nntui.presets.preset import Goal, Preset
from nntui.presets.preset_table import data_table
from nntui.presets.sections import (
    check_known,
    fault_entries,
    names_of,
    read_data,
    read_faults,
    read_layers,
    read_section,
    read_story,
)
from nntui.presets.toml_text import parse_toml

TABLES = ("seed", "faults", "data", "layers", "draws", "training", "report", "goal", "story")
HIGHEST_SEED = 2**32 - 1


def read_preset(name: str, source: Mapping[str, Any], folder: Path | None = None) -> Preset:
    """The preset that the TOML table ``source`` describes.

    Relative paths in it are relative to ``folder``, or to the working directory.  Raises
    ConfigError for an invalid entry, with its dotted key.
    """
    check_known("", source, TABLES)
    for needed in ("data", "layers", "training", "report", "goal"):
        if needed not in source:
            header = "[[layers]]" if needed == "layers" else f"[{needed}]"
            raise ConfigError(needed, f"is missing: a preset needs {header}")
    data, csv_source = read_data(source["data"], folder or Path())
    configuration = Configuration(
        data=data,
        layers=read_layers(source["layers"]),
        training=read_section(Training, "training", source["training"]),
        report=read_section(Report, "report", source["report"]),
        faults=read_faults(source.get("faults", [])),
        draws=read_section(Draws, "draws", source.get("draws", {})),
    )
    load_data(configuration)
    return Preset(
        name=name,
        configuration=configuration,
        goal=read_section(Goal, "goal", source["goal"]),
        seed=check_seed(source.get("seed", 0)),
        story=read_story(source.get("story", {})),
        csv_source=csv_source,
        folder=folder,
    )


def check_seed(seed: object) -> int:
    """``seed`` as an int from 0 to 2**32 - 1, as RandomState takes it; else raises ConfigError."""
    if isinstance(seed, Integral) and not isinstance(seed, bool):
        number = operator.index(seed)
        if 0 <= number <= HIGHEST_SEED:
            return number
    raise ConfigError(
        "seed", f"must be a whole number from 0 to {HIGHEST_SEED}, not {quoted(seed)}"
    )


def override(preset: Preset, changes: Mapping[str, Any]) -> Preset:
    """``preset`` with dotted keys changed, such as ``{"layers.1.activation": "tanh"}``.

    Only the tables on the path to a changed key are validated again.  A CSV file is read again
    only if ``changes`` contains a key that describes it.  First parameters given as numbers and
    a rule for drawing them displace each other.

    Raises ConfigError for a key that does not exist or an invalid value.
    """
    parts = _changed_parts(changes, lambda top: _part(preset, top))
    configuration, csv_source = preset.configuration, preset.csv_source
    new: dict[str, Any] = {}
    if "data" in parts:
        again = any(_names_csv(key) for key in changes)
        known = None if again else (csv_source, configuration.data)
        new["data"], csv_source = read_data(parts["data"], preset.folder or Path(), known)
    if "layers" in parts:
        new["layers"] = read_layers(parts["layers"])
    if "training" in parts:
        new["training"] = read_section(Training, "training", parts["training"])
    if "report" in parts:
        new["report"] = read_section(Report, "report", parts["report"])
    if "faults" in parts:
        new["faults"] = read_faults(parts["faults"])
    if "draws" in parts:
        new["draws"] = read_section(Draws, "draws", parts["draws"])
    if new:
        configuration = replace(configuration, **new)
        if configuration.data != preset.configuration.data:
            load_data(configuration)
    origin = preset.origin
    if origin is not None:
        origin = replace(origin, changes=merged(origin.changes, changes))
    return replace(
        preset,
        origin=origin,
        configuration=configuration,
        goal=read_section(Goal, "goal", parts.get("goal", preset.goal)),
        seed=check_seed(parts.get("seed", preset.seed)),
        story=read_story(parts.get("story", preset.story)),
        csv_source=csv_source,
    )


DISPLACED: dict[str, tuple[str, ...]] = {
    "W": ("init", "scale"),
    "init": ("W",),
    "b": ("bias_init", "bias_scale"),
    "bias_init": ("b",),
}
"""The keys of a layer that a change of one of them sets back to their defaults."""
DEFAULTS = {each.name: each.default for each in fields(Layer)}
"""The default of each key of a layer."""


def with_displaced(changes: Mapping[str, Any]) -> dict[str, Any]:
    """``changes``, and after each the defaults of the keys that it displaces."""
    made: dict[str, Any] = {}
    for key, value in changes.items():
        made[key] = value
        match key.split("."):
            case ["layers", at, name] if name in DISPLACED and value is not None:
                places = {f"layers.{at}.{other}": DEFAULTS[other] for other in DISPLACED[name]}
                made |= {place: each for place, each in places.items() if place not in changes}
    return made


def _is_index(part: str, items: Sequence[Any] | Rows) -> bool:
    """Whether a part of a dotted key is the index of one of ``items``."""
    return part.isdecimal() and part.isascii() and len(part) < 10 and int(part) < len(items)


def changed_table(source: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The TOML table ``source``, valid or not, with dotted keys changed as in `override`.

    Raises ConfigError for a key without a place in it.
    """

    def part(top: str) -> Any:
        if top == "faults" and isinstance(source.get(top, []), list):
            return fault_entries(source.get(top, []))
        return source.get(top, [] if top == "layers" else {})

    return {**source, **_changed_parts(changes, part)}


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge ``old`` changes with later ``new`` ones, by dotted key.

    A change that replaces a table drops older changes inside it; one that draws all parameters
    anew drops parameters that were set by hand.
    """
    anew = any(is_structural(key) for key in new)

    def replaced(key: str) -> bool:
        inside = any(key == each or key.startswith(f"{each}.") for each in new)
        return inside or (anew and is_parameter(key))

    return {**{key: value for key, value in old.items() if not replaced(key)}, **new}


def parse_value(text: str) -> Any:
    """``text`` as a TOML value (``0.1``, ``true``, ``[1, 2]``); if it is not one, as a string."""
    try:
        table = parse_toml(f"value = {text}")
    except (ConfigError, ValueError, RecursionError):  # not TOML, too many digits, or too deep
        return text
    return table["value"] if list(table) == ["value"] else text


def _changed_parts(changes: Mapping[str, Any], part: Callable[[str], Any]) -> dict[str, Any]:
    """The values under those of `TABLES` that ``changes`` name; ``part`` gives them unchanged."""
    parts: dict[str, Any] = {}
    for key, value in with_displaced(changes).items():
        top, *path = key.split(".")
        if top not in TABLES:
            raise ConfigError(top, one_of(top, TABLES))
        parts[top] = _put(parts[top] if top in parts else part(top), path, value, key)
    return parts


def _part(preset: Preset, top: str) -> Any:
    """The value of ``preset`` under one of `TABLES`: sections, and a plain table for the data."""
    if top == "data":
        return data_table(preset)
    return getattr(preset if top in ("seed", "goal", "story") else preset.configuration, top)


def _put(place: Any, path: Sequence[str], value: Any, key: str) -> Any:
    """A copy of ``place`` with ``value`` at ``path``, the end of ``key``.

    Sections on the path become plain tables or lists, to be validated again.
    """
    if not path:
        return value
    part, *rest = path
    if isinstance(place, Section):
        place = place.non_defaults
    if isinstance(place, dict):
        if part in place:
            return {**place, part: _put(place[part], rest, value, key)}
        for name in reversed(rest):
            value = {name: value}
        return {**place, part: value}
    walked = key.removesuffix(f".{'.'.join(path)}")
    if not isinstance(place, (list, tuple, Rows)):
        raise ConfigError(key, f"{walked} has no entries of its own")
    if not _is_index(part, place):
        has = f"has entries 0 to {len(place) - 1}" if len(place) else "is empty"
        raise ConfigError(key, f"{walked} {has}")
    items = list(place)
    items[int(part)] = _put(items[int(part)], rest, value, key)
    return items


def _names_csv(key: str) -> bool:
    """Whether ``key`` describes a CSV file or what to read from it."""
    top, *path = key.split(".")
    return top == "data" and (not path or path[0] in names_of(CsvSource))
