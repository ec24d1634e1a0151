"""The programs that the check of a person's own program is scored on, and what is true of each."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nntui
from nntui.core.errors import ConfigError

GROUPS = ("documents", "styles", "field", "own")
KEPT_SHARE = 3
"""One of so many families is kept apart."""


@dataclass(frozen=True)
class KnownProgram:
    """A program and its truth, as ``truth.json`` of its group has it.

    ``lines`` are those that name the fault: numbers, or ``FILE:NUMBER`` in an imported file.
    ``loops`` are the lines of the loop of which each iteration is one update; none where that
    loop is inside a library.  ``judge`` says where the independent judge finds what it measures.
    """

    group: str
    name: str
    ok: bool
    lines: tuple[str, ...]
    codes: tuple[str, ...]
    loops: tuple[int, ...]
    parameters: dict[str, Any]
    needs: tuple[str, ...]
    helpers: tuple[str, ...]
    fault: str
    judge: dict[str, Any]

    @property
    def path(self) -> Path:
        """Its file."""
        return folder() / self.group / self.name

    @property
    def title(self) -> str:
        """Its group and name."""
        return f"{self.group}/{self.name}"


def folder() -> Path:
    """Where the programs are: in the repository, not in the installed package."""
    found = Path(nntui.__file__).resolve().parent.parent / "tests" / "programs"
    if not found.is_dir():
        raise ConfigError("", f"the programs of the benchmark are in the repository; no {found}")
    return found


def programs() -> Iterator[KnownProgram]:
    """Every program, in the order of the groups and of their names."""
    for group in GROUPS:
        truth = json.loads((folder() / group / "truth.json").read_text())
        for name, entry in truth.items():
            if not entry.get("helper"):
                yield _program(group, name, entry)


def _program(group: str, name: str, entry: dict[str, Any]) -> KnownProgram:
    file = name.rpartition("/")[2]
    return KnownProgram(
        group,
        name,
        entry["ok"],
        tuple(line if isinstance(line, str) else f"{file}:{line}" for line in entry["lines"]),
        tuple(entry.get("codes", ())),
        tuple(entry["loop"]),
        entry["parameters"],
        tuple(entry.get("needs", ())),
        tuple(entry.get("helpers", ())),
        entry.get("fault", ""),
        entry["judge"],
    )


def family(title: str) -> str:
    """What the right program and its wrong twins have in common: the name without the ending."""
    group, _, name = title.partition("/")
    if group == "field":
        return f"{group}/{name.partition('/')[0]}"
    stem = name.removesuffix(".py")
    if group == "own":
        return f"{group}/{stem.partition('_wrong')[0].removesuffix('_factor')}"
    if group == "styles":
        first, _, rest = stem.partition("_")
        return f"{group}/{first.removesuffix('b')}_{rest}"
    return f"{group}/{stem}"


def kept_apart(title: str) -> bool:
    """Whether a program, with its twins and mutants, is kept apart while the checker is tuned."""
    return hashlib.sha256(family(title).encode()).digest()[0] % KEPT_SHARE == 0
