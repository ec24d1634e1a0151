"""Mutants of the programs that are right: one line changed, and what is true of the result."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nntui.bench.programs.known_programs import folder
from nntui.bench.programs.mutating import Mutation


@dataclass(frozen=True)
class Mutant:
    """A changed line of a program and its truth; ``accepted`` are the lines that name it.

    A fault with one of the codes in ``anywhere`` has no line of its own: a finding with that code
    is right wherever it points.
    """

    program: str
    file: str
    operator: str
    lines: tuple[tuple[int, str], ...]
    ok: bool
    accepted: tuple[str, ...]
    anywhere: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def name(self) -> str:
        """Program, operator, line, and a hash of the text."""
        digest = hashlib.sha256(json.dumps(self.lines).encode()).hexdigest()[:6]
        return f"{self.program}#{self.operator}@{self.lines[0][0]}-{digest}"

    def apply(self, source: str) -> str:
        """The text of the mutated file."""
        return Mutation(self.operator, 0, self.lines).apply(source)


def stored() -> Path:
    """The file with the list."""
    return folder() / "mutants.json"


def mutants() -> list[Mutant]:
    """The stored list."""
    entries = json.loads(stored().read_text())
    return [
        Mutant(
            each["program"],
            each["file"],
            each["operator"],
            tuple((number, text) for number, text in each["lines"]),
            each["ok"],
            tuple(each["accepted"]),
            tuple(each["anywhere"]),
            tuple(each["wrong"]),
        )
        for each in entries
    ]
