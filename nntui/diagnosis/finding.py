"""Findings: what is wrong, with evidence, fixes, and what would disprove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROOF, MEASURED, EXPERIMENT = "proof", "measured", "experiment"
CLASSES = (PROOF, MEASURED, EXPERIMENT)
"""How certain a finding is, most certain first: a certificate without a tuned threshold; a
measurement beyond a threshold while the run fails; an experiment over many seeds."""

ENLARGING = frozenset(("units", "layers", "epochs"))
"""Last parts of the keys by which a network or its training becomes larger."""


@dataclass(frozen=True)
class Fix:
    """A change to try: in words, and as changes of the preset by dotted key."""

    text: str
    changes: Mapping[str, Any]
    """Keys and values as for ``--set`` and `Run.fork`; empty if no key can express the fix."""
    parts: int = 1
    """How many single fixes it combines."""

    @property
    def size(self) -> tuple[int, int, int]:
        """Sort key, simpler first: the number of parts, what it changes, its changed entries.

        Settings of training and data come before another network, that before a larger one or
        longer training, and layer normalisation, which hides a wrong scale instead of mending it,
        last.
        """
        ends = {key.rpartition(".")[-1] for key in self.changes}
        if "normalise" in ends:
            kind = 3
        elif ends & ENLARGING:
            kind = 2
        else:
            kind = int(any(key.startswith("layers.") for key in self.changes))
        return self.parts, kind, len(self.changes)


@dataclass(frozen=True)
class Rule:
    """A kind of finding: its meaning, its formula and the source of that formula."""

    code: str
    """Its name, such as ``dead-layer``."""
    title: str
    """Its meaning in a few words, such as ``no unit of the layer is active on any sample``."""
    klass: str
    """One of `CLASSES`."""
    formula: str
    """What is computed, and the threshold."""
    source: str
    """The source of formula and threshold."""
    disproof: str
    """What one would observe if the finding were wrong."""
    is_code_fault: bool = False
    """Whether it means that the program does not compute what its configuration states; such a
    finding is reported first even if the run learns."""


@dataclass(frozen=True)
class Finding:
    """One problem that was found in a run."""

    rule: Rule
    evidence: str
    """One sentence with the number that shows it."""
    layer: int | None = None
    """The layer concerned; the uppermost of several."""
    first_update: int | None = None
    """The first update at which it holds; None if unknown."""
    fixes: tuple[Fix, ...] = ()
    """Fixes for it, the most likely one first."""
    units: tuple[tuple[int, int], ...] = ()
    """The units concerned, as (layer, unit)."""
    weight: float = 0.0
    """How much of the failure it explains; findings of one class are ranked by it."""
    symptom_of: tuple[str, ...] = ()
    """Codes of causes of which it would be a symptom; it is dropped if one of them is found."""
    aside: str = ""
    """It in a few words, such as ``layer 0 is dead``, for the evidence of a cause that it is
    dropped for; empty if it need not be told there."""
    layers: tuple[int, ...] = ()
    """All of them, where there are several."""
    floor: float | None = None
    """The reported loss that it proves to be the least possible."""

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

    def as_headline(self) -> dict[str, Any]:
        """What the ``headline`` of ``why --json`` says of it."""
        return {
            "code": self.code,
            "cause": self.rule.title,
            "evidence": self.evidence,
            "class": self.rule.klass,
            "layer": self.layer,
            "first_update": self.first_update,
            "disproof": self.rule.disproof,
        }

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
    """The findings at one update of a run, before any experiment."""

    update: int
    learns: bool
    """Whether the run makes good progress; then only code faults are reported."""
    findings: tuple[Finding, ...]
    """All of them, the headline's first."""
    checked: tuple[str, ...] = field(default=())
    """What was examined, in words."""
    limits: tuple[str, ...] = ()
    """What was examined only in part, or not at all, in words."""
    suspects: tuple[Finding, ...] = ()
    """Measurements left out of `findings` because a proof explains them: causes after all if
    experiments show that what was proven does no harm."""
    progress: str = ""
    """How the run gets on, in words."""

    @property
    def headline(self) -> Finding | None:
        """The finding reported as the cause; None for a healthy run."""
        return self.findings[0] if self.findings else None
