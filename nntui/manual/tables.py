"""The tables of the manual, made from the registries when a topic is shown."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from nntui.catalogue import SECTIONS, Entry, Key, catalogue
from nntui.core.datasets import DATASETS
from nntui.diagnosis.rules import RULES

MARKER = re.compile(r"^<!-- table: (.+) -->$", re.MULTILINE)

Rows = Iterator[tuple[str, str]]


class Action(Protocol):
    """What the manual tells of an action of the app."""

    @property
    def name(self) -> str:
        """As a story's steps write it."""

    @property
    def key(self) -> str:
        """As people read it."""

    @property
    def help(self) -> str:
        """What it does, a sentence."""


def filled(text: str, actions: Mapping[str, Sequence[Action]]) -> str:
    """``text`` with a table in the place of each marker.

    ``actions`` are those of each screen and panel of the app, by its name.
    """
    made = tables(actions)
    return MARKER.sub(lambda found: made[found[1]](), text)


def tables(actions: Mapping[str, Sequence[Action]]) -> dict[str, Callable[[], str]]:
    """Every table that a marker can name, and what makes it."""
    made = {
        **{kind: _entries(kind, name) for kind, name in KINDS.items()},
        "findings": lambda: _table("finding", _findings()),
        "keys of the preset": lambda: _table("key", _keys("")),
    }
    for prefix in dict.fromkeys(prefix for prefix, _ in SECTIONS):
        made[f"keys of {prefix}"] = lambda prefix=prefix: _table("key", _keys(prefix))
    for place, there in actions.items():
        made[f"{place} keys"] = lambda there=there: _table(
            "key", ((f"`{each.key}`", each.help) for each in there)
        )
        made[f"{place} actions"] = lambda there=there: _table(
            "action", ((f"`{each.name}`", f"`{each.key}`: {each.help}") for each in there)
        )
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


def _table(head: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [(head, "meaning"), ("---", "---"), *rows]
    return "\n".join(f"| {_cell(name)} | {_cell(said)} |" for name, said in lines)


def _cell(text: str) -> str:
    """``text`` as a cell of a table; bars and stars in it mean nothing to Markdown."""
    return re.sub(r"([|*])", r"\\\1", text)


def _entries(kind: str, head: str) -> Callable[[], str]:
    def rows() -> Rows:
        for each in catalogue("data" if kind == "sets" else kind):
            if isinstance(each, Entry) and (kind != "sets" or each.name in DATASETS):
                _, formula, said = each.cells()
                yield f"`{each.name}`", "; ".join(part for part in (formula, said) if part)

    return lambda: _table(head, rows())


def _findings() -> Rows:
    for rule in RULES.values():
        yield f"`{rule.code}`", f"{rule.klass}: {rule.title}"


def _keys(prefix: str) -> Rows:
    """The keys of one table of a preset; of its top level if ``prefix`` is empty."""
    for each in catalogue("keys"):
        table, _, name = each.key.rpartition(".") if isinstance(each, Key) else ("", "", "")
        if isinstance(each, Key) and table == prefix:
            _, kind, default, said = each.cells()
            yield f"`{name}`", f"{said} ({kind}, {default})"
