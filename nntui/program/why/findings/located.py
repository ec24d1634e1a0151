"""Findings that have a place in a program: a file and a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from nntui.diagnosis.finding import PROOF, Finding, Fix, Rule
from nntui.diagnosis.rules.finding_kinds import BAD_LUCK, FOUND, PLATEAU, RULES
from nntui.program.answer import PROVEN, ProgramCheck, ProgramFinding
from nntui.program.why.changes.source_edits import Edits
from nntui.program.why.changes.variants import LINES

UNKNOWN = "update-wrong"
"""The kind of a wrong update whose kind has no rule of its own."""
GUESSES = (BAD_LUCK.code, FOUND.code, PLATEAU.code)
"""Findings that name no cause."""
STEP = 0.01
"""By how much the weight of a finding is below that of the one before it."""


@dataclass(frozen=True)
class Located(Finding):
    """A finding, with where in the program it is."""

    file: str | None = None
    line: int | None = None
    text: str | None = None
    """The source line."""
    parameters: tuple[str, ...] = ()
    """What it concerns, in the program's names."""
    cause: str = ""
    """What is wrong, in the program's own names; empty: the title of the rule says it."""

    @property
    def title(self) -> str:
        """What is wrong, as a clause."""
        return self.cause or self.rule.title

    def as_headline(self) -> dict[str, Any]:
        """What the ``headline`` of ``why --json`` says of it."""
        place = {"file": self.file, "line": self.line}
        return {**super().as_headline(), "cause": self.title, **place}

    def as_json(self) -> dict[str, Any]:
        """An entry of ``findings`` in ``why --json``."""
        return {**super().as_json(), "title": self.title, "file": self.file, "line": self.line}


def located(finding: Finding, **place: Any) -> Located:
    """``finding`` with a place, unless it has one."""
    if isinstance(finding, Located):
        return finding
    known = {each.name: getattr(finding, each.name) for each in fields(Finding)}
    return Located(**known, **place)


def of_check(check: ProgramCheck, mends: Mapping[int, Edits]) -> list[Located]:
    """The findings of a check, in its order; those that can be mended have a fix to try.

    Where the training is right none of them is a code fault.
    """
    return [_of(check, each, at, mends) for at, each in enumerate(check.findings)]


def _of(check: ProgramCheck, found: ProgramFinding, at: int, mends: Mapping[int, Edits]) -> Located:
    rule = RULES.get(found.code) or replace(RULES[UNKNOWN], code=found.code)
    decisive = check.ok is False and rule.is_code_fault and found.code != "wrong-factor"
    lines = [found.line] if found.line in mends else []
    changes: dict[str, Any] = {LINES: lines} if lines and decisive else {}
    return Located(
        rule=_as(rule, decisive),
        evidence=found.evidence.rstrip("."),
        first_update=0,
        fixes=(Fix(found.fix.rstrip("."), changes),) if found.fix else (),
        weight=(1.0 if found.confidence == PROVEN else 0.9) - STEP * at,
        file=found.file,
        line=found.line,
        text=found.text,
        parameters=found.parameters,
        cause=found.cause.rstrip("."),
    )


def _as(rule: Rule, decisive: bool) -> Rule:
    return replace(rule, is_code_fault=decisive, klass=PROOF if decisive else rule.klass)


def mends_by_line(check: ProgramCheck, edits: Edits) -> dict[int, Edits]:
    """The ``edits`` of the check's diff, by the line of the finding that each belongs to.

    An edit belongs to the finding whose line it changes, else to the nearest.
    """
    lines = sorted({each.line for each in check.findings if each.line is not None})
    found: dict[int, list[Any]] = {}
    for edit in edits:
        inside = [line for line in lines if edit.start[0] <= line < edit.end[0]]
        nearest = min(lines, key=lambda line: abs(line - edit.start[0]), default=edit.start[0])
        for line in inside or [nearest]:
            found.setdefault(line, []).append(edit)
    return {line: tuple(each) for line, each in found.items()}


def mend_in_words(code: Sequence[Located]) -> str:
    """What mends all wrong lines, in words."""
    wrong = [each for each in code if each.rule.is_code_fault]
    lines = sorted({each.line for each in wrong if each.line is not None})
    if len(lines) == 1 and wrong[0].fixes:
        return f"mend line {lines[0]}: {wrong[0].fixes[0].text}"
    if not lines:
        return "mend every code fault"
    *most, last = map(str, lines)
    return f"mend the lines {', '.join(most)} and {last}" if most else f"mend line {last}"


def proven_first(findings: Sequence[Finding], decided: bool) -> list[Finding]:
    """``findings``, where a wrong line comes before what only luck and guesses speak for.

    Once that is decided by experiments, their order stands.
    """
    wrong = next((each for each in findings if each.rule.is_code_fault), None)
    if decided or wrong is None or findings[0].code not in GUESSES:
        return list(findings)
    return [wrong, *(each for each in findings if each is not wrong)]
