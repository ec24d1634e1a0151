"""What a diagnosis says: findings, each with its evidence, its fix, and what would disprove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROOF, MEASURED, EXPERIMENT = "proof", "measured", "experiment"
CLASSES = (PROOF, MEASURED, EXPERIMENT)
"""How sure a finding is, the surest first: a certificate without a tuned threshold; a number
beyond a threshold while progress is bad; runs from many seeds."""


@dataclass(frozen=True)
class Fix:
    """Something to try: in words, and as changes of the preset by dotted key."""

    text: str
    changes: Mapping[str, Any]
    """Keys and values as ``--set`` and `Run.fork` take them; empty where no key can express it."""
    parts: int = 1
    """How many fixes it is made of."""

    @property
    def size(self) -> tuple[int, int]:
        """Smaller is simpler: its parts, then the entries that it changes."""
        return self.parts, len(self.changes)


@dataclass(frozen=True)
class Rule:
    """A kind of finding: what it means, by which formula, and where that is from."""

    code: str
    """Its name, such as ``dead-layer``."""
    title: str
    """In a few words, such as ``no unit of the layer is active on any sample``."""
    klass: str
    """One of `CLASSES`."""
    formula: str
    """What is computed, and the threshold."""
    source: str
    """Where formula and threshold are from."""
    disproof: str
    """What one would see if it were not so."""
    is_code_fault: bool = False
    """Whether it says that the program does not compute what it states: such a proof leads even
    when the run learns."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    rule: Rule
    evidence: str
    """One sentence with the number that shows it."""
    layer: int | None = None
    """The layer concerned; of several the uppermost."""
    first_update: int | None = None
    """Since which update it holds, where that is known."""
    fixes: tuple[Fix, ...] = ()
    """What mends it, the best guess first."""
    units: tuple[tuple[int, int], ...] = ()
    """The units concerned, as (layer, unit)."""
    weight: float = 0.0
    """How much of the failure it explains, to rank findings of one class; larger leads."""
    symptom_of: tuple[str, ...] = ()
    """Codes of causes that would explain it away: it never leads beside one of them."""
    layers: tuple[int, ...] = ()
    """All of them, where there are several."""

    @property
    def where(self) -> str:
        """The layers in words, such as ``layers 0, 1 and 2``; empty where it concerns none."""
        if len(self.layers) > 1:
            *most, last = map(str, self.layers)
            return f"layers {', '.join(most)} and {last}"
        return "" if self.layer is None else f"layer {self.layer}"

    @property
    def code(self) -> str:
        """The code of its rule."""
        return self.rule.code

    def as_json(self) -> dict[str, Any]:
        """An entry of ``findings`` in ``why --json``."""
        return {
            "code": self.rule.code,
            "title": self.rule.title,
            "class": self.rule.klass,
            "layer": self.layer,
            "evidence": self.evidence,
            "first_update": self.first_update,
            "fix": self.fixes[0].text if self.fixes else None,
        }


@dataclass(frozen=True)
class Diagnosis:
    """What was found at one update of a run, before anything was tried."""

    update: int
    learns: bool
    """Whether progress is good, so that only a wrong program is worth a word."""
    findings: tuple[Finding, ...]
    """All of them, the headline's first."""
    checked: tuple[str, ...] = field(default=())
    """What was looked at, in words, for a run in which nothing is found."""
    limits: tuple[str, ...] = ()
    """What was looked at on a part of the rows, or not at all, in words."""

    @property
    def headline(self) -> Finding | None:
        """The cause that is named, None for a healthy run."""
        return self.findings[0] if self.findings else None
