"""The catalogue: what a preset can contain, listed from the registries and declarations.

Names, formulas and meanings are read from the entries themselves, so a new activation, loss,
fault or key is listed as soon as it exists.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.datasets import DATASETS
from nntui.core.parts.faults import FAULTS
from nntui.core.parts.initialisers import BIAS_INITIALISERS, INITIALISERS
from nntui.core.parts.losses import LOSSES
from nntui.core.parts.optimisers import OPTIMISERS
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.data_settings import Data
from nntui.core.settings.fault_settings import FaultEntry
from nntui.core.settings.layer_settings import Draws, Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.section import Section, check_rows
from nntui.core.settings.training_settings import Training
from nntui.diagnosis.rules.finding_kinds import RULES
from nntui.presets.csv_data import CsvSource
from nntui.presets.descriptions import TYPES, limits_in_words, type_in_words
from nntui.presets.preset import Goal, Step, Story
from nntui.presets.schema import HIGHEST_SEED


@dataclass(frozen=True)
class CatalogueEntry:
    """One registered thing that a preset can name, or a finding."""

    name: str
    formula: str
    """Empty if there is none."""
    summary: str
    parameters: dict[str, Any]
    """The keys that it reads in the same table of the preset, each with its default."""
    source: str
    """The publication; empty if none is known."""

    def cells(self) -> list[str]:
        """The entry as cells of a line of text."""
        parameters = ", ".join(f"{key} = {_shown(value)}" for key, value in self.parameters.items())
        said = [self.summary, parameters and f"parameters: {parameters}", self.source]
        return [self.name, self.formula, "; ".join(part for part in said if part)]


@dataclass(frozen=True)
class Key:
    """An entry of a preset, by its dotted key; ``N`` is an index from 0."""

    key: str
    type: str
    default: Any
    """None also if the key is required, or not set by default."""
    required: bool
    allowed: str
    """Limits or choices; empty if there are none."""
    doc: str

    def cells(self) -> list[str]:
        """The key as cells of a line of text."""
        default = "required" if self.required else f"default {_shown(self.default)}"
        return [self.key, self.type, default, f"{self.doc}{self.allowed and f'; {self.allowed}'}"]


def catalogue(kind: str) -> list[CatalogueEntry] | list[Key]:
    """All entries of ``kind``, in registry order; raises ConfigError for another kind."""
    if kind not in KINDS:
        raise ConfigError("", f"there is no list of {quoted(kind)}; one of: {', '.join(KINDS)}")
    rows: Any = KINDS[kind]()
    return list(rows)


WIDEST = 40
"""Maximum characters of a column; a longer cell shifts only its own line."""


def as_table(kind: str) -> dict[str, Any]:
    """The catalogue of ``kind`` as plain values, ready for JSON."""
    return {"kind": kind, "entries": [asdict(each) for each in catalogue(kind)]}


def as_lines(kind: str) -> list[str]:
    """The catalogue of ``kind`` as text, one line each, in columns."""
    rows = [each.cells() for each in catalogue(kind)]
    *aligned, _ = zip(*rows, strict=True)
    widths = [
        max((len(cell) for cell in column if len(cell) <= WIDEST), default=1) for column in aligned
    ]
    lines = []
    for *cells, last in rows:
        padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True) if width]
        lines.append("  ".join([*padded, last]))
    return lines


def _shown(value: Any) -> str:
    """``value`` in the notation of a preset; text that is visible has no quotes."""
    if value is None:
        return "not set"
    if value in ("", ","):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(text: str | None) -> str:
    """The publication in ``text``: the parentheses that contain a year; empty if none."""
    found = re.search(r"\(([^()]*\b[12]\d{3}\b[^()]*)\)", " ".join((text or "").split()))
    return found[1] if found else ""


def _summary(text: str) -> str:
    """``text`` without the publication that `_source` finds in it."""
    source = _source(text)
    return text.replace(f" ({source})", "") if source else text


def _defaults(section: type[Section], names: Iterable[str]) -> dict[str, Any]:
    """The defaults of those of ``names`` that are keys of ``section``."""
    known = {each.name: each.default for each in fields(section)}
    return {name: known[name] for name in names if name in known}


def _activations() -> Iterator[CatalogueEntry]:
    for name, kind in ACTIVATIONS.items():
        taken = _defaults(Layer, kind.parameters)
        yield CatalogueEntry(name, kind.formula, kind.summary, taken, kind.source)


def _losses() -> Iterator[CatalogueEntry]:
    for name, loss in LOSSES.items():
        yield CatalogueEntry(name, loss.formula, loss.summary, {}, loss.source)


def _initialisers() -> Iterator[CatalogueEntry]:
    for name, each in INITIALISERS.items():
        said = _summary(each.summary)
        said += "; also as bias_init" if name in BIAS_INITIALISERS else ""
        yield CatalogueEntry(
            name,
            each.formula,
            said,
            _defaults(Layer, ["scale", *each.parameters]),
            _source(each.summary),
        )


def _optimisers() -> Iterator[CatalogueEntry]:
    for name, kind in OPTIMISERS.items():
        taken = _defaults(Training, kind.parameters)
        yield CatalogueEntry(name, kind.formula, kind.summary, taken, kind.source)


def _schedules() -> Iterator[CatalogueEntry]:
    for name, each in SCHEDULES.items():
        read = [word for word in ("decay", "every") if re.search(rf"\b{word}\b", each.formula)]
        taken = _defaults(Training, (f"schedule_{word}" for word in read))
        yield CatalogueEntry(
            name, each.formula, _summary(each.summary), taken, _source(each.summary)
        )


def _faults() -> Iterator[CatalogueEntry]:
    for name, kind in FAULTS.items():
        said = f"{kind.what}; symptom: {kind.symptom}; fix: {kind.fix}"
        yield CatalogueEntry(name, "", said, dict(kind.parameters), "")


def _data() -> Iterator[CatalogueEntry]:
    rows = check_rows("inputs", [[0.0]])
    table = Data(inputs=rows, targets=rows)
    formula = Data(formula="x")
    yield CatalogueEntry("table", "", "rows written in the preset", _read_by("table", table), "")
    yield CatalogueEntry(
        "formula", "", "y of x at evenly spaced points", _read_by("formula", formula), ""
    )
    yield CatalogueEntry("csv", "", "named columns of a CSV file", _read_by("csv", CsvSource()), "")
    for name, each in DATASETS.items():
        said = f"{each.summary}; at most {each.most_classes} classes"
        yield CatalogueEntry(name, each.formula, said, _read_by("set", Data(set=name)), "")


def _read_by(source: str, filled: Section) -> dict[str, Any]:
    """The keys of a data source, each with its value in ``filled``.

    The doc of such a key begins with the source, as in ``formula, set: how many rows``.
    """
    said = {
        each.name: each.metadata["doc"].partition(":")[0].split(", ") for each in fields(filled)
    }
    # The rows of a table are required: those of the example are not defaults.
    return {
        name: None if source == "table" else getattr(filled, name)
        for name, sources in said.items()
        if source in sources
    }


def _section_keys(prefix: str, section: type[Section]) -> Iterator[Key]:
    for each in fields(section):
        if "doc" not in each.metadata:
            continue  # a list of tables, whose keys are listed on their own
        required = each.default is MISSING
        yield Key(
            f"{prefix}.{each.name}",
            type_in_words(each.type),
            None if required else each.default,
            required,
            limits_in_words(each.metadata),
            each.metadata["doc"],
        )


SECTIONS: tuple[tuple[str, type[Section]], ...] = (
    ("faults.N", FaultEntry),
    ("data", CsvSource),
    ("data", Data),
    ("layers.N", Layer),
    ("draws", Draws),
    ("training", Training),
    ("report", Report),
    ("goal", Goal),
    ("story", Story),
    ("story.steps.N", Step),
)
"""The sections of a preset, each with its dotted key."""


def _keys() -> Iterator[Key]:
    seeds = limits_in_words(
        {
            "choices": None,
            "formula": None,
            "low": 0,
            "high": HIGHEST_SEED,
            "above": None,
            "below": None,
            "most": None,
        }
    )
    yield Key(
        "seed", TYPES[int], 0, False, seeds, "draws the first parameters and the epochs' orders"
    )
    yield Key("faults", "list", (), False, "", "planted faults: names, or tables with these keys")
    for prefix, section in SECTIONS:
        yield from _section_keys(prefix, section)


def _findings() -> Iterator[CatalogueEntry]:
    for rule in RULES.values():
        said = f"{rule.title}; {rule.klass}; not so if: {rule.disproof}"
        yield CatalogueEntry(rule.code, rule.formula, said, {}, rule.source)


KINDS: dict[str, Callable[[], Iterable[CatalogueEntry] | Iterable[Key]]] = {
    "activations": _activations,
    "losses": _losses,
    "initialisers": _initialisers,
    "optimisers": _optimisers,
    "schedules": _schedules,
    "faults": _faults,
    "data": _data,
    "findings": _findings,
    "keys": _keys,
}
"""The kinds that can be listed, each with the function that lists it."""
