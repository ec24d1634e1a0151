"""The tables of the manual, made from the registries when a topic is shown."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

from nntui.catalogue import SECTIONS, CatalogueEntry, Key, catalogue
from nntui.core.parts.datasets import DATASETS
from nntui.diagnosis.rules.finding_kinds import RULES

MARKER = re.compile(r"^<!-- table: (.+) -->$", re.MULTILINE)


class Action(Protocol):
    """The properties of an app's action that the manual shows."""

    @property
    def name(self) -> str:
        """The name, as used in a story's steps."""

    @property
    def key(self) -> str:
        """The key, as shown to people."""

    @property
    def help(self) -> str:
        """One sentence about what it does."""


def filled(text: str, actions: Mapping[str, Sequence[Action]]) -> str:
    """``text`` with each marker replaced by its table.

    ``actions`` maps each screen and panel of the app to its actions.  Raises KeyError for a
    marker of an unknown table.
    """
    made = tables(actions)
    return MARKER.sub(lambda found: made[found[1]](), text)


def tables(actions: Mapping[str, Sequence[Action]]) -> dict[str, Callable[[], str]]:
    """Every table that a marker can name, each with the function that makes it."""
    made: dict[str, Callable[[], str]] = {"findings": _findings, "keys of the preset": _keys}
    for kind, head in KINDS.items():
        made[kind] = partial(_entries, kind, head)
    for prefix, _ in SECTIONS:
        made[f"keys of {prefix}"] = partial(_keys, prefix)
    for place, there in actions.items():
        made[f"{place} keys"] = partial(_key_table, there)
        made[f"{place} actions"] = partial(_action_table, there)
    return made


KINDS = {
    "activations": "activation",
    "losses": "loss",
    "initialisers": "init",
    "optimisers": "optimiser",
    "schedules": "schedule",
    "sets": "set",
    "faults": "fault",
}
"""The kinds of entries with a table, and the head of its first column."""


def _entries(kind: str, head: str) -> str:
    rows = []
    for each in catalogue("data" if kind == "sets" else kind):
        if isinstance(each, CatalogueEntry) and (kind != "sets" or each.name in DATASETS):
            _, formula, said = each.cells()
            rows.append((each.name, "; ".join(part for part in (formula, said) if part)))
    return _table(head, rows)


def _findings() -> str:
    rules = RULES.values()
    return _table("finding", [(rule.code, f"{rule.klass}: {rule.title}") for rule in rules])


def _keys(prefix: str = "") -> str:
    """The keys of one table of a preset; of its top level if ``prefix`` is empty."""
    rows = []
    for each in catalogue("keys"):
        if isinstance(each, Key) and each.key.rpartition(".")[0] == prefix:
            key, kind, default, said = each.cells()
            rows.append((key.rpartition(".")[2], f"{said} ({kind}, {default})"))
    return _table("key", rows)


def _key_table(actions: Iterable[Action]) -> str:
    return _table("key", [(each.key, each.help) for each in actions])


def _action_table(actions: Iterable[Action]) -> str:
    return _table("action", [(each.name, f"`{each.key}`: {each.help}") for each in actions])


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(said)} |" for name, said in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """``text`` as a cell of a table; bars and stars are escaped."""
    return re.sub(r"([|*])", r"\\\1", text)
