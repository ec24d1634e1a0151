"""Every entry of a preset, one after the other, and the change that a new value of it makes.

What an entry is called, means and may be is read from its declaration.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.faults import FAULTS
from nntui.core.settings.configuration import Data, FaultEntry, Layer, Report, Training
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, check_entry, entry
from nntui.presets.csv_data import CsvSource
from nntui.presets.descriptions import limits_in_words, type_in_words
from nntui.presets.preset import Goal, Preset
from nntui.presets.schema import HIGHEST_SEED, parse_value
from nntui.presets.tables import OF_CSV, data_table, fault_tables, plain_values, table_of
from nntui.presets.writer import in_toml

Changes = dict[str, Any]
Option = tuple[str, Changes]
"""A value in words, and the change that sets it."""
NOT_SET = "not set"
ADD = "add"
MOST_ROWS_SHOWN, LONGEST = 4, 20_000
"""Rows of a table that are shown as they are; characters of a value that is edited as text."""


@dataclass(frozen=True, kw_only=True)
class Top(Section):
    """What stands above all tables."""

    seed: int = entry(0, doc="seed of the first parameters and of orders", low=0, high=HIGHEST_SEED)


KINDS: dict[str, tuple[type[Section], ...]] = {
    "faults": (FaultEntry,),
    "training": (Training,),
    "report": (Report,),
    "goal": (Goal,),
    "layers": (Layer,),
    "data": (Data, CsvSource),
    "": (Top,),
}
"""What declares the entries of each table: first what can be changed anywhere."""
SOURCES = {"inputs": "table", "formula": "formula", "set": "set", "csv": "csv"}
"""The entries that say where data come from, and what each source is called."""


@dataclass(frozen=True, eq=False)
class PresetEntry:
    """One entry, or a whole table of them, or the place where another table can be added."""

    key: str
    """Dotted; the place where one can be added ends in `ADD`."""
    name: str
    depth: int
    """How many tables it stands in."""
    value: Any
    """As it is in force; None where it is not set."""
    given: bool
    """Whether the preset says so, and not the default."""
    declared: Field[Any] | None = None
    """None where it is no single entry."""
    section: Section | None = None
    """The table it stands in, where that can be checked at once."""

    @property
    def adds(self) -> bool:
        """Whether it stands for one that could be added."""
        return self.key.endswith(f".{ADD}")

    @property
    def text(self) -> str:
        """The value in short."""
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
        """The value as `read` takes it; ConfigError if it is too long."""
        if self.value is None:
            return ""
        bare = self.declared is not None and isinstance(self.value, str)
        text = self.value if bare else in_toml(plain_values(self.value))
        if len(text) > LONGEST:
            raise ConfigError(self.key, "is too large to be edited here; edit the preset's file")
        return text

    @property
    def meaning(self) -> str:
        """What it means, and what it may be."""
        if self.declared is None:
            return "" if self.adds else "the whole of it, in TOML"
        metadata = self.declared.metadata
        if metadata["choices"]:
            return str(metadata["doc"])
        limits = limits_in_words(metadata)
        return f"{metadata['doc']}: {type_in_words(self.declared.type)}{limits and f', {limits}'}"


def preset_entries(preset: Preset, seed: int) -> list[PresetEntry]:
    """All that ``preset`` holds beside its story, with the ``seed`` of a run in place of its own.

    A table comes before its entries, and one that can be added behind the last of its kind.
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
            yield PresetEntry(key, key, 0, source[key], True)
            yield from _of(key, KINDS[key], source[key], single[key], 1)


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
            # Data are checked as a whole when they are taken: that may take long.
            own = section if isinstance(section, kind) and kind is not Data else None
            yield PresetEntry(f"{key}.{each.name}", each.name, depth, value, given, each, own)


def options(preset: Preset, chosen: PresetEntry) -> list[Option]:
    """What can be chosen for an entry; nothing where a value is written."""
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
        return [(name, {key: [*tables, name]}) for name in FAULTS]
    # The last layer is the output, and stays that.
    like = max(len(tables) - 2, 0)
    words = f"like layer {like}, below the output"
    return [(words, {key: [*tables[:-1], tables[like], tables[-1]]})]


def removal(preset: Preset, chosen: PresetEntry) -> Changes | None:
    """The change that takes a fault or a layer away; None where ``chosen`` stands in none."""
    key, *rest = chosen.key.split(".")
    if key not in ("faults", "layers") or not rest or chosen.adds:
        return None
    tables, at = table_of(preset)[key], int(rest[0])
    return {key: [*tables[:at], *tables[at + 1 :]]}


def read(preset: Preset, chosen: PresetEntry, text: str) -> Changes:
    """The change that sets an entry to what ``text`` says in TOML, where texts need no quotes.

    Nothing at all unsets what need not be set.  Raises ConfigError for what the declaration does
    not allow; whether the whole configuration does is seen when the change is made.
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
    """What Python, but not TOML, takes for a number, such as ``.5``."""
    try:
        return float(text)
    except ValueError:
        return text


def _change(preset: Preset, chosen: PresetEntry, value: Any) -> Changes:
    """The dotted keys that set the entry, with what has to change beside it."""
    table, _, name = chosen.key.rpartition(".")
    value = plain_values(value)
    if table.startswith("faults."):
        return {"faults": _with_fault(preset, int(table.split(".")[1]), name, value)}
    if table == "data" and name in SOURCES and value is not None:
        data = data_table(preset)
        if name not in data:
            kept = {key: each for key, each in data.items() if _goes_with(key, SOURCES[name])}
            return {"data": plain_values({**kept, name: value})}
    return {chosen.key: value}


def _with_fault(preset: Preset, at: int, name: str, value: Any) -> list[Any]:
    """All faults, one of them with another value; another fault keeps what it can take."""
    tables = fault_tables(preset.configuration.faults)
    table = {**_table(tables[at]), name: value}
    taken = {"name", "layers", *(each.name for each in fields(FAULTS[table["name"]]))}
    if name == "name":
        table = {key: each for key, each in table.items() if key in taken}
    table = {key: each for key, each in table.items() if each is not None}
    tables[at] = table["name"] if list(table) == ["name"] else table
    return tables


def _goes_with(key: str, source: str) -> bool:
    """Whether a key of the data can stay when they come from another ``source``.

    What belongs to some sources only begins its meaning with them: ``formula, set: ...``.
    """
    docs = {each.name: each.metadata["doc"] for kind in KINDS["data"] for each in fields(kind)}
    named = set(docs[key].partition(":")[0].split(", ")) & set(SOURCES.values())
    return key not in SOURCES and (not named or source in named)


def value_at(preset: Preset, key: str) -> Any:
    """What ``preset`` has at the dotted ``key``, in the types of TOML."""
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
