"""Converts a `Preset` back to the table it can be read from; defaults are left out."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from nntui.core.number_text import number_text
from nntui.core.settings.dotted_keys import is_parameter
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section
from nntui.presets.csv_data import OF_CSV
from nntui.presets.preset import Preset


def table_of(preset: Preset) -> dict[str, Any]:
    """The tables of ``preset`` in the order of a file; CSV data are given by their file's name.

    Tuples and `Rows` are those of the configuration; see `plain_values`.
    """
    configuration = preset.configuration
    found: dict[str, Any] = {
        "seed": preset.seed,
        "faults": fault_tables(configuration.faults),
        "data": data_table(preset),
        "layers": [each.non_defaults for each in configuration.layers],
        "draws": configuration.draws.non_defaults,
        "training": configuration.training.non_defaults,
        "report": configuration.report.non_defaults,
        "goal": preset.goal.non_defaults,
        "story": _nested(preset.story),
    }
    optional = ("seed", "faults", "draws", "story")
    return {key: value for key, value in found.items() if value or key not in optional}


def embedded(preset: Preset) -> dict[str, Any]:
    """The tables of ``preset`` with the rows of a CSV file instead of its name."""
    return {**table_of(preset), "data": preset.configuration.data.non_defaults}


def data_table(preset: Preset) -> dict[str, Any]:
    """The table of the data, with the name of a CSV file instead of its rows."""
    table = preset.configuration.data.non_defaults
    if preset.csv_source.csv is None:
        return table
    own = {key: value for key, value in table.items() if key not in OF_CSV}
    return {**preset.csv_source.non_defaults, **own}


def fault_tables(faults: Sequence[FaultEntry]) -> list[Any]:
    """A list of ``faults``: each a table, or just its name if nothing else is set."""
    tables = [plain_values(each.non_defaults) for each in faults]
    return [each["name"] if list(each) == ["name"] else each for each in tables]


def _nested(section: Section) -> dict[str, Any]:
    """The table of ``section``, including nested sections."""
    return {
        key: [each.non_defaults if isinstance(each, Section) else each for each in value]
        if isinstance(value, tuple)
        else value
        for key, value in section.non_defaults.items()
    }


def plain_values(value: Any) -> Any:
    """``value`` in the types of TOML and JSON: without tuples, NumPy types and None."""
    if isinstance(value, Rows):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain_values(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [plain_values(each) for each in value]
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    return value


def in_brief(value: Any) -> str:
    """``value`` as a few characters of what a preset says: ``0.5``, ``tanh``, ``3 entries``."""
    plain = plain_values(value)
    if isinstance(plain, list):
        names = [_name(each) if isinstance(each, dict) else str(each) for each in plain]
        text = "+".join(names) if all(names) else ""
        if not plain:
            return "none"
        return text if 0 < len(text) <= LONGEST_BRIEF else f"{len(plain)} entries"
    if isinstance(plain, dict):
        named = next((key for key in ("csv", "set", "formula", "activation") if key in plain), None)
        return f"{len(plain)} entries" if named is None else f"{named} {plain[named]}"
    if plain is None:
        return "not set"
    if isinstance(plain, float):
        return number_text(plain)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _name(table: Mapping[str, Any]) -> str:
    """What tells a table of a list from the others: the name of a fault, a layer in words."""
    return layer_in_words(table) if "units" in table else str(table.get("name", ""))


def layer_in_words(table: Mapping[str, Any]) -> str:
    """The layer of a preset's ``table`` in two words: its units and its activation."""
    return f"{table['units']} {table.get('activation', Layer.activation)}"


def added_at(before: Sequence[Any], after: Sequence[Any]) -> int | None:
    """Where ``after`` has one table more than ``before``; None where that is not the difference.

    Of equal tables next to each other, the last counts as added.
    """
    pairs = zip(before, after, strict=False)
    at = next((at for at, (old, new) in enumerate(pairs) if old != new), len(before))
    return at if list(after[at + 1 :]) == list(before[at:]) and len(after) > len(before) else None


def change_in_brief(preset: Preset, key: str, value: Any, sign: str = "=") -> str:
    """What setting ``key`` of ``preset`` to ``value`` does, in a few characters.

    A layer that is added or taken away is told as that: ``+ layer 1: 8 tanh``.
    """
    if key == "layers" and isinstance(value, list):
        now, then = plain_values(table_of(preset)[key]), plain_values(value)
        for mark, (fewer, more) in (("+", (now, then)), ("-", (then, now))):
            at = added_at(fewer, more)
            if at is not None:
                return f"{mark} layer {at}: {layer_in_words(more[at])}"
    return f"seed {value}" if key == "seed" else f"{short_key(key)}{sign}{in_brief(value)}"


def short_key(key: str) -> str:
    """What tells a dotted ``key`` from others: its last part, of a parameter all but the first."""
    if is_parameter(key):
        return key.partition(".")[2]
    last = key.rpartition(".")[2]
    return key if last.isdecimal() else last


def changes_in_brief(changes: Mapping[str, Any]) -> str:
    """Changes by dotted key, each by its short key."""
    return ", ".join(f"{short_key(key)} {in_brief(each)}" for key, each in changes.items())


LONGEST_BRIEF = 40
"""Characters that a list may take in a sentence."""
