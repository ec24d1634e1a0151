"""The values among which an entry of a preset is chosen, and adding or removing a table."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nntui.core.engine.network import has_effect
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import BIAS_INITIALISERS, INITIALISERS
from nntui.core.settings.fault_settings import FaultEntry
from nntui.presets.csv_data import CsvSource
from nntui.presets.editing.applicability import CSV, source_of
from nntui.presets.editing.data_sources import columns_of, other_sources, with_inputs, with_targets
from nntui.presets.editing.entries import NOT_SET, SOURCE, Changes, PresetEntry, named_table
from nntui.presets.editing.entry_changes import change_of, read
from nntui.presets.editing.option import Option, Question
from nntui.presets.preset import Preset
from nntui.presets.preset_table import added_at, fault_tables, plain_values, table_of
from nntui.presets.writer import in_toml

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
"""What stands between two cells, and what that is called."""


def options(preset: Preset, chosen: PresetEntry) -> list[Option]:
    """The choices of an entry; empty if its value is typed.

    Raises ConfigError where the choices are read from a file and that cannot be read.
    """
    if chosen.adds:
        return list(_additions(preset, chosen.key.split(".")[0]))
    if chosen.key == SOURCE:
        return list(other_sources(preset))
    if chosen.key == "data.classes_from" and source_of(preset) == CSV:
        return list(_columns_of_texts(preset))
    if chosen.key == "data.delimiter" and source_of(preset) == CSV:
        return list(_delimiters(preset))
    if chosen.declared is None:
        return list(_for_layer(preset, chosen)) if chosen.key.startswith("layers.") else []
    return list(_declared(preset, chosen))


def is_listed(preset: Preset, chosen: PresetEntry) -> bool:
    """Whether the values of an entry are chosen from a list; no file is read for that."""
    if chosen.key in (*COLUMNS, "data.classes_from", "data.delimiter"):
        return source_of(preset) == CSV
    if chosen.declared is None:
        return not chosen.is_heading
    return bool(chosen.declared.metadata["choices"]) or chosen.declared.type is bool


def _declared(preset: Preset, chosen: PresetEntry) -> Iterator[Option]:
    """The choices of an entry as they are declared; the last may be to write a formula."""
    assert chosen.declared is not None
    declared = chosen.declared
    known, formula = declared.metadata["choices"], declared.metadata["formula"]
    values: list[Any] = [True, False] if declared.type is bool else list(known or ())
    if not values:
        return
    if chosen.key.startswith("faults.") and declared.name == "name":
        # A fault is planted once.
        present = {each.name for each in preset.configuration.faults}
        values = [each for each in values if each == chosen.value or each not in present]
    if chosen.key.startswith("faults.") and declared.name == "of":
        fault = preset.configuration.faults[int(chosen.key.split(".")[1])]
        values = [] if FAULTS[fault.name].weights_gradient else values
    if declared.default is None:
        values.append(None)
    for value in values:
        words = NOT_SET if value is None else in_toml(value).strip('"')
        make = partial(change_of, preset, chosen, value)
        yield Option(words, make, _about(known, value), value == chosen.value)
    if formula is not None:
        written = chosen.written if chosen.value not in (known or ()) else ""
        hint = f"{chosen.meaning[0].upper()}{chosen.meaning[1:]}."
        asked = Question(chosen.key, hint, partial(read, preset, chosen), written)
        here = isinstance(chosen.value, str) and chosen.value not in (known or ())
        yield Option("a formula", about=written or "of your own", present=here, asks=asked)


def _about(known: Any, value: Any) -> str:
    """What a value is, as the registry says that it is an entry of."""
    registry = INITIALISERS if known is BIAS_INITIALISERS else known
    if not isinstance(registry, Mapping) or value not in registry:
        return ""
    kind = registry[value]
    return str(getattr(kind, "summary", "") or getattr(kind, "what", ""))


def _additions(preset: Preset, key: str) -> Iterator[Option]:
    tables = table_of(preset).get(key, [])
    if key == "faults":
        present = {named_table(each)["name"] for each in tables}
        absent = [name for name in FAULTS if name not in present]
        idle = {x for x in absent if not has_effect(preset.configuration, FaultEntry(name=x))}
        for name in sorted(absent, key=idle.__contains__):
            about = f"{'no effect here: ' if name in idle else ''}{FAULTS[name].what}"
            yield Option(name, partial(dict, {key: [*tables, name]}), about)
        return
    # The last layer stays the output.
    like = max(len(tables) - 2, 0)
    made = {key: [*tables[:-1], tables[like], tables[-1]]}
    yield Option(f"like layer {like}", partial(dict, made), "below the output")


def added_table(preset: Preset, changes: Changes) -> str:
    """The dotted key of the fault or layer that ``changes`` add; empty if they add none."""
    for key, ending in (("faults", ".name"), ("layers", "")):
        if key in changes:
            now = plain_values(table_of(preset).get(key, []))
            at = added_at(now, plain_values(changes[key]))
            if at is not None:
                return f"{key}.{at}{ending}"
    return ""


def _for_layer(preset: Preset, chosen: PresetEntry) -> Iterator[Option]:
    """What can be done with a layer as a whole."""
    tables, at = table_of(preset)["layers"], int(chosen.key.split(".")[1])
    more = {"layers": [*tables[:at], tables[at], *tables[at:]]}
    yield Option("one more", partial(dict, more), "a copy of it, next to it")
    gone = removal(preset, chosen)
    if gone is not None and len(tables) > 1:
        yield Option("take it away", partial(dict, gone), "the others stay as they are")


def removal(preset: Preset, chosen: PresetEntry) -> Changes | None:
    """The change that removes the fault or layer of ``chosen``; None if it is in neither."""
    key, *rest = chosen.key.split(".")
    if key not in ("faults", "layers") or not rest or chosen.adds:
        return None
    configuration = preset.configuration
    tables = fault_tables(configuration.faults) if key == "faults" else table_of(preset)[key]
    at = int(rest[0])
    return {key: [*tables[:at], *tables[at + 1 :]]}


def _columns_of_texts(preset: Preset) -> Iterator[Option]:
    """The columns of the file whose texts may be the classes; or columns of numbers instead."""
    source = preset.csv_source
    for column in columns_of(preset).columns:
        if not column.problem and not column.is_numeric:
            make = partial(with_targets, preset, [column.name])
            yield Option(column.name, make, column.in_words, source.classes_from == column.name)
    numbers = [
        each.name
        for each in columns_of(preset).columns
        if each.is_numeric and not each.problem and each.name not in source.input_columns
    ]
    targets = list(source.target_columns) or numbers[-1:]
    if targets or source.classes_from is None:
        make = partial(with_targets, preset, targets)
        about = f"numbers are the targets: {', '.join(targets)}"
        yield Option(NOT_SET, make, about, source.classes_from is None)


def column_choices(preset: Preset, chosen: PresetEntry) -> list[Option]:
    """The columns among which several are chosen for an entry; empty if it has no columns.

    Raises ConfigError if the file cannot be read.
    """
    if chosen.key not in COLUMNS or source_of(preset) != CSV:
        return []
    return [
        Option(each.name, about=each.in_words, present=each.name in (chosen.value or ()))
        for each in columns_of(preset).columns
        if each.is_numeric and not each.problem
    ]


def with_columns(preset: Preset, chosen: PresetEntry, names: list[str]) -> Changes:
    """The change that reads the columns ``names`` for an entry; raises ConfigError."""
    return COLUMNS[chosen.key](preset, names)


COLUMNS = {"data.input_columns": with_inputs, "data.target_columns": with_targets}
"""The entries of columns, and what a choice of them changes."""


def _delimiters(preset: Preset) -> Iterator[Option]:
    now = CsvSource.__dataclass_fields__["delimiter"].default
    now = preset.csv_source.delimiter or now
    for value, words in DELIMITERS.items():
        yield Option(words, partial(dict, {"data.delimiter": value}), f'"{value}"', value == now)
