"""The entries of a preset as a flat list for an editor, and the change that a new value makes.

Names, meanings and limits are read from the declarations of the entries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.faults import FAULTS
from nntui.core.settings.data_settings import Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, check_entry, entry
from nntui.core.settings.training_settings import Training
from nntui.presets.csv_data import OF_CSV, CsvSource
from nntui.presets.descriptions import limits_in_words, type_in_words
from nntui.presets.making.csv_columns import look_at_csv
from nntui.presets.making.first_preset import for_columns
from nntui.presets.preset import Goal, Preset
from nntui.presets.preset_table import data_table, fault_tables, plain_values, table_of
from nntui.presets.schema import HIGHEST_SEED, parse_value
from nntui.presets.writer import in_toml

Changes = dict[str, Any]
Option = tuple[str, Changes]
"""A value as text, and the change that sets it."""
NOT_SET = "not set"
ADD = "add"
MOST_ROWS_SHOWN, LONGEST = 4, 20_000
"""Maximum rows of a table shown in full; maximum characters of a value edited as text."""


@dataclass(frozen=True, kw_only=True)
class Top(Section):
    """The entries above all tables."""

    seed: int = entry(0, doc="seed of the first parameters and of orders", low=0, high=HIGHEST_SEED)


KINDS: dict[str, tuple[type[Section], ...]] = {
    "faults": (FaultEntry,),
    "training": (Training,),
    "report": (Report,),
    "goal": (Goal,),
    "layers": (Layer,),
    "draws": (Draws,),
    "data": (Data, CsvSource),
    "": (Top,),
}
"""The sections that declare each table; tables that can be changed at any update come first."""
SOURCES = {"inputs": "table", "formula": "formula", "set": "set", "csv": "csv"}
"""The entries that name a data source, and the name of each source."""


@dataclass(frozen=True, eq=False)
class PresetEntry:
    """One line of the list: an entry, a whole table, or the offer to add a table."""

    key: str
    """The dotted key; the offer to add a table ends in `ADD`."""
    name: str
    depth: int
    """How many tables enclose it."""
    value: Any
    """The value in force; None if it is not set."""
    given: bool
    """Whether the preset sets it; otherwise it has its default."""
    declared: Field[Any] | None = None
    """Its declaration; None if it is not a single entry."""
    section: Section | None = None
    """The section that contains it, if that can be validated at once."""

    @property
    def adds(self) -> bool:
        """Whether it is the offer to add a table."""
        return self.key.endswith(f".{ADD}")

    @property
    def text(self) -> str:
        """The value as short text."""
        if self.declared is None:
            return str(_table(self.value).get("name", "")) if self.depth else ""
        if self.value is None:
            return NOT_SET
        if isinstance(self.value, str):
            return self.value or '""'
        if isinstance(self.value, Rows) and len(self.value) > MOST_ROWS_SHOWN:
            return f"{len(self.value):,} rows of {self.value.width}"
        return in_toml(plain_values(self.value))

    @property
    def written(self) -> str:
        """The value as text for `read`; raises ConfigError if it is too long."""
        if self.value is None:
            return ""
        bare = self.declared is not None and isinstance(self.value, str)
        text = self.value if bare else in_toml(plain_values(self.value))
        if len(text) > LONGEST:
            raise ConfigError(self.key, "is too large to be edited here; edit the preset's file")
        return text

    @property
    def meaning(self) -> str:
        """What it means, and its type and limits."""
        if self.declared is None:
            return "" if self.adds else "the whole table, in TOML"
        metadata = self.declared.metadata
        if metadata["choices"]:
            return str(metadata["doc"])
        limits = limits_in_words(metadata)
        return f"{metadata['doc']}: {type_in_words(self.declared.type)}{limits and f', {limits}'}"


def preset_entries(preset: Preset, seed: int) -> list[PresetEntry]:
    """All entries of ``preset`` except the story, with the ``seed`` of a run instead of its own.

    A table precedes its entries; the offer to add a table follows the last one of its kind.
    """
    top = PresetEntry("seed", "seed", 0, seed, True, fields(Top)[0], Top(seed=seed))
    return [*_tables(preset), top]


def _tables(preset: Preset) -> Iterator[PresetEntry]:
    configuration, source = preset.configuration, table_of(preset)
    listed: dict[str, Sequence[Section]] = {
        "faults": configuration.faults,
        "layers": configuration.layers,
    }
    single: dict[str, Section] = {
        "training": configuration.training,
        "report": configuration.report,
        "goal": preset.goal,
        "draws": configuration.draws,
        "data": configuration.data,
    }
    for key in KINDS:
        if key in listed:
            tables = source.get(key, [])
            yield PresetEntry(key, key, 0, tables, key in source)
            for at, section in enumerate(listed[key]):
                yield PresetEntry(f"{key}.{at}", f"{key[:-1]} {at}", 1, tables[at], True)
                yield from _of(f"{key}.{at}", KINDS[key], _table(tables[at]), section, 2)
            yield PresetEntry(f"{key}.{ADD}", f"add a {key[:-1]}", 1, None, False)
        elif key in single:
            table = source.get(key, {})
            yield PresetEntry(key, key, 0, table, key in source)
            yield from _of(key, KINDS[key], table, single[key], 1)


def _of(
    key: str,
    kinds: Sequence[type[Section]],
    table: Mapping[str, Any],
    section: Section,
    depth: int,
) -> Iterator[PresetEntry]:
    for kind in kinds:
        for each in fields(kind):
            value = table.get(each.name)
            given = value is not None
            if not given and not (table.get("csv") is not None and each.name in OF_CSV):
                value = getattr(section, each.name, each.default)
            # Data are validated only when a change is made, because that may take long.
            own = section if isinstance(section, kind) and kind is not Data else None
            yield PresetEntry(f"{key}.{each.name}", each.name, depth, value, given, each, own)


def options(preset: Preset, chosen: PresetEntry) -> list[Option]:
    """The choices of an entry; empty if its value is typed."""
    if chosen.adds:
        return _additions(preset, chosen.key.split(".")[0])
    if chosen.declared is None:
        return []
    values: list[Any] = list(chosen.declared.metadata["choices"] or ())
    if chosen.declared.type is bool:
        values = [True, False]
    if values and chosen.declared.default is None:
        values.append(None)
    return [
        (NOT_SET if value is None else in_toml(value).strip('"'), _change(preset, chosen, value))
        for value in values
    ]


def _additions(preset: Preset, key: str) -> list[Option]:
    tables = table_of(preset).get(key, [])
    if key == "faults":
        present = {_table(each)["name"] for each in tables}
        return [(name, {key: [*tables, name]}) for name in FAULTS if name not in present]
    # The last layer stays the output.
    like = max(len(tables) - 2, 0)
    words = f"like layer {like}, below the output"
    return [(words, {key: [*tables[:-1], tables[like], tables[-1]]})]


def removal(preset: Preset, chosen: PresetEntry) -> Changes | None:
    """The change that removes the fault or layer of ``chosen``; None if it is in neither."""
    key, *rest = chosen.key.split(".")
    if key not in ("faults", "layers") or not rest or chosen.adds:
        return None
    tables, at = table_of(preset)[key], int(rest[0])
    return {key: [*tables[:at], *tables[at + 1 :]]}


def read(preset: Preset, chosen: PresetEntry, text: str) -> Changes:
    """The change that sets an entry to the TOML value ``text``; strings need no quotes.

    Empty text unsets an optional entry.  Raises ConfigError if the declaration does not allow the
    value; the whole configuration is validated only when the change is made.
    """
    text = text.strip()
    value = parse_value(text)
    declared = chosen.declared
    if declared is None:
        if not isinstance(value, (dict, list)) and (not chosen.depth or value not in FAULTS):
            raise ConfigError(chosen.key, f"must be TOML, such as {chosen.written[:40]}")
        return {chosen.key: value}
    if not text and declared.default is None:
        return _change(preset, chosen, None)
    if isinstance(value, str) and declared.type in (float, float | None):
        value = _number(value)
    elif declared.type in (str, str | None) and not isinstance(value, str):
        value = text
    table = chosen.key.rpartition(".")[0]
    try:
        value = check_entry(declared, value)
        if chosen.section is not None:
            replace(chosen.section, **{declared.name: value})
    except ConfigError as error:
        raise error.under(table) if table else error from None
    return _change(preset, chosen, value)


def _number(text: str) -> float | str:
    """``text`` as a number in Python's notation, such as ``.5``, which TOML does not allow."""
    try:
        return float(text)
    except ValueError:
        return text


def _change(preset: Preset, chosen: PresetEntry, value: Any) -> Changes:
    """The dotted keys that set the entry, including others that must change with it."""
    table, _, name = chosen.key.rpartition(".")
    value = plain_values(value)
    if table.startswith("faults."):
        return {"faults": _with_fault(preset, int(table.split(".")[1]), name, value)}
    if table == "data" and name in SOURCES and value is not None:
        data = data_table(preset)
        if name == "csv":
            return _from_csv(preset, str(value))
        if name not in data:
            kept = {key: each for key, each in data.items() if _goes_with(key, SOURCES[name])}
            return {"data": plain_values({**kept, name: value})}
    return {chosen.key: value}


def _from_csv(preset: Preset, path: str) -> Changes:
    """The change that takes the data from a CSV file, its last column as the target.

    The output layer, the losses and the goal become those of such a target.
    """
    if data_table(preset).get("csv") == path:
        return {"data.csv": path}
    try:
        found = look_at_csv((preset.folder or Path()) / path)
        target = found.columns[-1].name
        made = for_columns(found, found.inputs_for(target), target, ())
    except ConfigError as error:
        raise ConfigError("data.csv", str(error).removeprefix("csv: ")) from None
    last = len(preset.configuration.layers) - 1
    return {
        "data": {**made["data"], "csv": path},
        f"layers.{last}": made["layers"][-1],
        "training.loss": made["training"]["loss"],
        "report.loss": made["report"]["loss"],
        "goal.loss": made["goal"]["loss"],
    }


def _with_fault(preset: Preset, at: int, name: str, value: Any) -> list[Any]:
    """All faults, one of them with another value; a new name keeps the keys that it takes."""
    tables = fault_tables(preset.configuration.faults)
    table = {**_table(tables[at]), name: value}
    taken = {"name", "layers", *(each.name for each in fields(FAULTS[table["name"]]))}
    if name == "name":
        table = {key: each for key, each in table.items() if key in taken}
    table = {key: each for key, each in table.items() if each is not None}
    tables[at] = table["name"] if list(table) == ["name"] else table
    return tables


def _goes_with(key: str, source: str) -> bool:
    """Whether a key of the data stays valid with another ``source``.

    The doc of a key that is limited to some sources begins with them: ``formula, set: ...``.
    """
    docs = {each.name: each.metadata["doc"] for kind in KINDS["data"] for each in fields(kind)}
    named = set(docs[key].partition(":")[0].split(", ")) & set(SOURCES.values())
    return key not in SOURCES and (not named or source in named)


def value_at(preset: Preset, key: str) -> Any:
    """The value of ``preset`` at the dotted ``key``, in the types of TOML; None if not set."""
    place: Any = table_of(preset)
    path = key.split(".")
    for part in path:
        try:
            place = place[part if isinstance(place, dict) else int(part)]
        except (KeyError, IndexError, TypeError, ValueError):
            kinds = KINDS.get(path[0] if len(path) > 1 else "", ())
            defaults = {each.name: each.default for kind in kinds for each in fields(kind)}
            found = defaults.get(path[-1], [] if key == "faults" else None)
            return None if found is MISSING else plain_values(found)
    return plain_values(place)


def _table(entry: Any) -> dict[str, Any]:
    """The table of a list's ``entry``; a fault may be given by its name alone."""
    return {"name": entry} if isinstance(entry, str) else dict(entry or {})
