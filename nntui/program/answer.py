"""What a check of a person's program answers: records that are read from JSON and written to it.

It imports the standard library alone, because the program's own interpreter may read it too.
JSON knows no NaN and no infinity: numbers that are not finite become null, and so None.
"""

from dataclasses import dataclass, fields
from typing import Any

from nntui.program.strict_fields import (
    a_flag,
    a_number,
    a_text,
    a_whole,
    entry,
    many,
    maybe,
    one_of,
    plain,
    read_record,
    record,
)

RIGHT, WRONG = "right", "wrong"
SHAPE_CHANGES, NEVER_UPDATED, NO_INFORMATION = "shape changes", "never updated", "no information"
VERDICTS = (RIGHT, WRONG, SHAPE_CHANGES, NEVER_UPDATED, NO_INFORMATION)
"""What can be said of a parameter's update."""
FAULTY = (WRONG, SHAPE_CHANGES, NEVER_UPDATED)
"""The verdicts that make a program wrong."""

PROVEN, LIKELY = "proven", "likely"
CONFIDENCES = (PROVEN, LIKELY)
"""How certain it is that a finding names the right line."""

OWN = "own"
"""The kind of a loss that the program computes itself."""


@dataclass(frozen=True)
class ProgramLoop:
    """A loop of the program."""

    file: str = entry(a_text)
    line: int = entry(a_whole)
    function: str | None = entry(maybe(a_text))
    """The function that it stands in; None at the top of a module."""


@dataclass(frozen=True)
class ProgramLoss:
    """The loss that the updates were held against."""

    kind: str = entry(a_text)
    """``own``, or the name of the usual loss that was assumed, such as ``squared-error``."""
    file: str | None = entry(maybe(a_text))
    line: int | None = entry(maybe(a_whole))
    text: str | None = entry(maybe(a_text))
    """Its source in the program."""
    value: float | None = entry(a_number)
    """At the program's first update; None where it is not finite or not known."""
    named: str = entry(a_text, "", beside=True)
    """Its variable or its own expression, where `text` is a call that is handed it, as a print."""

    @property
    def called(self) -> str:
        """What it is called in words; empty where it has no text."""
        return self.named or self.text or ""


@dataclass(frozen=True)
class ProgramParameter:
    """A parameter of the program, under the name that the program gives it."""

    name: str = entry(a_text)
    shape: tuple[int, ...] = entry(many(a_whole))
    verdict: str = entry(one_of(VERDICTS))
    """One of `VERDICTS`."""
    factor: float | None = entry(a_number)
    """step = -factor * gradient; None for optimisers that adapt it, and where there is none."""
    residual: float | None = entry(a_number)
    """How far the step is from that, relative to its length; None where it was not compared."""


@dataclass(frozen=True)
class ProgramFinding:
    """One thing that is wrong, or looks wrong, and the line that it stands in."""

    code: str = entry(a_text)
    file: str | None = entry(maybe(a_text))
    line: int | None = entry(maybe(a_whole))
    text: str | None = entry(maybe(a_text))
    """The source line."""
    cause: str = entry(a_text)
    """What is wrong, as a clause: ``the slope is taken at the activation a1 ...``."""
    parameters: tuple[str, ...] = entry(many(a_text))
    evidence: str = entry(a_text)
    """The numbers that show it, as a clause."""
    fix: str | None = entry(maybe(a_text))
    """The mend in words."""
    confidence: str = entry(one_of(CONFIDENCES))
    """That of the line."""


@dataclass(frozen=True)
class Refusal:
    """An effect that the program was kept from."""

    what: str = entry(a_text)
    """Such as ``deletes data.csv``."""
    file: str | None = entry(maybe(a_text))
    line: int | None = entry(maybe(a_whole))


@dataclass(frozen=True)
class ProgramCheck:
    """What `nntui.program.check` answers; `as_json` is ``check --json`` of a program.

    The fields from `loss_asked` on are for the text, and not in that JSON but for `reason` and
    `option` where `ok` is None; `as_record` has them all.
    """

    program: str = entry(a_text)
    """The path, as it was given."""
    python: str = entry(a_text)
    """The interpreter that ran it."""
    arguments: tuple[str, ...] = entry(many(a_text))
    loop: ProgramLoop | None = entry(maybe(record(ProgramLoop)))
    """The innermost loop of which each iteration is one update; None if none was found."""
    epoch_loop: ProgramLoop | None = entry(maybe(record(ProgramLoop)))
    """The loop around it."""
    updates: int = entry(a_whole)
    """How many were looked at."""
    loss: ProgramLoss | None = entry(maybe(record(ProgramLoss)))
    confirmed: bool = entry(a_flag)
    """Whether finite differences of the program itself agree with the gradient."""
    parameters: tuple[ProgramParameter, ...] = entry(many(record(ProgramParameter)))
    findings: tuple[ProgramFinding, ...] = entry(many(record(ProgramFinding)))
    """The one to mend first comes first."""
    diff: str | None = entry(maybe(a_text))
    """A unified diff that mends what was proven, where it can be written as source."""
    ok: bool | None = entry(maybe(a_flag))
    """Whether the training is right; None: could not tell."""

    loss_asked: bool = entry(a_flag, False, beside=True)
    """Whether the loss is the one that was asked for."""
    others: tuple[ProgramLoop, ...] = entry(many(record(ProgramLoop)), (), beside=True)
    """Further trainings of the program, which were not looked at."""
    optimiser: str = entry(a_text, "", beside=True)
    """Such as ``Adam``; empty for plain gradient descent, and where none was recognised."""
    seed: int | None = entry(maybe(a_whole), None, beside=True)
    """The seed that nntui set; None if the program's own stand."""
    seeded_by_us: bool = entry(a_flag, False, beside=True)
    """Whether the program sets no seed and draws, so that nntui chose one."""
    left_out: tuple[str, ...] = entry(many(a_text), (), beside=True)
    """What there was no time for, as clauses."""
    refused: tuple[Refusal, ...] = entry(many(record(Refusal)), (), beside=True)
    notes: tuple[str, ...] = entry(many(a_text), (), beside=True)
    """What else its author should know, as clauses."""
    reason: str = entry(a_text, "", beside=True)
    """Why it could not tell, as a clause; empty where it could."""
    option: str = entry(a_text, "", beside=True)
    """The option that would help then, such as ``--loss "np.mean((y - a)**2)"``."""
    mended_ok: bool | None = entry(maybe(a_flag), None, beside=True)
    """The verdict on the program with `diff` applied; None if it was not tried or not told."""

    def as_json(self) -> dict[str, Any]:
        """The object that ``check --json`` prints; where it could not tell, with the reason."""
        why = ("reason", "option") if self.ok is None else ()
        return {
            each.name: plain(getattr(self, each.name), beside=False)
            for each in fields(self)
            if each.name in why or not each.metadata["beside"]
        }

    def as_record(self) -> dict[str, Any]:
        """Everything, as values of JSON that `from_json` reads."""
        written: dict[str, Any] = plain(self)
        return written

    @classmethod
    def from_json(cls, value: Any) -> "ProgramCheck":
        """The answer in ``value``, as `as_json` or `as_record` writes it.

        Raises ValueError, with the place, for entries that are missing, unknown or of another type.
        """
        found: ProgramCheck = read_record(cls, value)
        return found
