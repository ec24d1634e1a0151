"""The entries of a preset as a flat list for an editor: names, values, meanings and limits.

Names, meanings and limits are read from the declarations of the entries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.settings.data_settings import Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.rows import Rows
from nntui.core.settings.section import Section, entry
from nntui.core.settings.training_settings import Training
from nntui.presets.csv_data import OF_CSV, CsvSource
from nntui.presets.descriptions import limits_in_words, type_in_words
from nntui.presets.editing.applicability import SOURCE_WORDS, needed_by, source_of, sources_of
from nntui.presets.preset import Goal, Preset
from nntui.presets.preset_table import layer_in_words, plain_values, table_of
from nntui.presets.schema import HIGHEST_SEED
from nntui.presets.writer import in_toml

Changes = dict[str, Any]
NOT_SET = "not set"
ADD, SOURCE = "add", "data.source"
"""How the key of an offer to add a table ends, and the key of the line of the data's source."""
LONGEST_LIST, LONGEST = 60, 20_000
"""Maximum characters of a list shown in full, and of a value edited as text."""


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
    "data": (CsvSource, Data),
    "": (Top,),
}
"""The sections that declare each table; tables that can be changed at any update come first."""


@dataclass(frozen=True, eq=False)
class PresetEntry:
    """One line of the list: an entry, a heading, or the offer to add a table."""

    key: str
    """The dotted key; the offer to add a table ends in `ADD`."""
    name: str
    depth: int
    """How many tables enclose it."""
    value: Any
    """The value in force; None if it is not set.  Of a heading, what it says."""
    given: bool
    """Whether the preset sets it; otherwise it has its default."""
    declared: Field[Any] | None = None
    """Its declaration; None if it is not a single entry."""
    section: Section | None = None
    """The section that contains it, if that can be validated at once."""
    needs: str = ""
    """What it needs to have an effect, in words; empty where it has one."""

    @property
    def adds(self) -> bool:
        """Whether it is the offer to add a table."""
        return self.key.endswith(f".{ADD}")

    @property
    def is_heading(self) -> bool:
        """Whether nothing can be done with it."""
        return self.declared is None and not self.depth

    @property
    def text(self) -> str:
        """The value as short text."""
        if self.value is None:
            return "" if self.declared is None else NOT_SET
        if isinstance(self.value, str):
            return self.value or '""'
        if isinstance(self.value, Rows):
            return f"{len(self.value):,} rows of {self.value.width}"
        if self.value == ():
            return "none"
        names = isinstance(self.value, tuple) and all(isinstance(x, str) for x in self.value)
        text = ", ".join(self.value) if names else in_toml(plain_values(self.value))
        if isinstance(self.value, tuple) and len(text) > LONGEST_LIST:
            return f"{len(self.value):,} of them"
        return text

    @property
    def written(self) -> str:
        """The value as text for `read`; raises ConfigError if it is too long."""
        if self.value is None:
            return ""
        text = self.value if isinstance(self.value, str) else in_toml(plain_values(self.value))
        if len(text) > LONGEST:
            raise ConfigError(self.key, "is too large to be edited here; edit the preset's file")
        return text

    @property
    def meaning(self) -> str:
        """What it means, in one line."""
        if self.key == SOURCE:
            return "where the rows come from"
        if self.declared is None:
            return ""
        doc = str(self.declared.metadata["doc"])
        limited = self.key.startswith("data.") and sources_of(self.name)
        return doc.partition(": ")[2] if limited else doc

    @property
    def allowed(self) -> str:
        """Its type and limits; empty where it is chosen from a list."""
        if self.declared is None or self.declared.metadata["choices"]:
            return ""
        limits = limits_in_words(self.declared.metadata)
        return f"{type_in_words(self.declared.type)}{limits and f', {limits}'}"


def preset_entries(preset: Preset, seed: int) -> list[PresetEntry]:
    """All entries of ``preset`` except the story, with the ``seed`` of a run instead of its own.

    A heading precedes the entries of a table; the offer to add a table follows the last one of its
    kind.
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
            yield PresetEntry(key, key, 0, None, key in source)
            for at, section in enumerate(listed[key]):
                found = _of(preset, f"{key}.{at}", named_table(tables[at]), section, 2)
                if key == "layers":
                    said = layer_in_words(section.non_defaults)
                    yield PresetEntry(f"{key}.{at}", f"layer {at}", 1, said, True)
                yield from found
            yield PresetEntry(f"{key}.{ADD}", f"add a {key[:-1]}", 1, None, False)
        elif key in single:
            yield PresetEntry(key, key, 0, None, key in source)
            if key == "data":
                yield PresetEntry(SOURCE, "source", 1, SOURCE_WORDS[source_of(preset)], True)
            yield from _of(preset, key, source.get(key, {}), single[key], 1)


def _of(
    preset: Preset, key: str, table: Mapping[str, Any], section: Section, depth: int
) -> Iterator[PresetEntry]:
    for kind in KINDS[key.split(".")[0]]:
        for each in fields(kind):
            value = table.get(each.name)
            given = value is not None
            if not given and not (table.get("csv") is not None and each.name in OF_CSV):
                value = getattr(section, each.name, each.default)
            # Data are validated only when a change is made, because that may take long.
            own = section if isinstance(section, kind) and kind is not Data else None
            needs = needed_by(preset, f"{key}.{each.name}")
            name, at = each.name, depth
            if key.startswith("faults.") and name == "name":
                name, at = f"fault {key.split('.')[1]}", depth - 1  # it heads the others
            yield PresetEntry(f"{key}.{each.name}", name, at, value, given, each, own, needs)


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


def named_table(entry: Any) -> dict[str, Any]:
    """The table of a list's ``entry``; a fault may be given by its name alone."""
    return {"name": entry} if isinstance(entry, str) else dict(entry or {})
