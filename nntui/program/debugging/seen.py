"""What is seen of a program at one moment: frozen values, made in one thread, drawn in another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nntui.program.answer import ProgramCheck, ProgramFinding
from nntui.program.control.ending import Ending
from nntui.timeline.history.loss_history import LossHistory

Array = npt.NDArray[np.float64]

MERELY_TOLD = ("never-called", "loss-not-minimised")
"""The codes of findings that make no line wrong."""
SAME = 1e-6
"""The relative difference up to which two gradients are the same but for a factor."""


@dataclass(frozen=True, eq=False)
class Value:
    """One value that a line gave; ``number`` is None where it was too large to fetch."""

    shape: tuple[int, ...]
    least: float | None
    most: float | None
    """The range of what is finite; None where nothing is."""
    bad: int
    """How many numbers are not finite."""
    points: tuple[float, ...]
    """A few means along it, for a sparkline."""
    number: Array | None = None
    of: str | None = None
    """The parameter whose gradient it should be."""
    true: Array | None = None
    """The true gradient of the loss by that parameter."""
    updates: str | None = None
    """The parameter whose value behind the update it is."""
    dead: tuple[int, ...] = ()
    """Units that are 0 on every row of the update."""
    slope: Array | None = None
    """The true gradient of the loss by the value itself, where the loss depends on it."""

    @property
    def is_gradient(self) -> bool:
        """Whether it is the true gradient of the parameter, or a multiple of it."""
        if self.number is None or self.true is None or self.number.shape != self.true.shape:
            return False
        told = bool(np.any(self.true)) and bool(np.any(self.number))
        return told and scaled(self.number, self.true)[1] <= SAME


@dataclass(frozen=True, eq=False)
class LineValue:
    """What a line assigned, or returned, in one update: how often, and the last few values."""

    file: str
    line: int
    target: str
    times: int
    values: tuple[Value, ...]

    @property
    def last(self) -> Value:
        """The one that was given last."""
        return self.values[-1]


@dataclass(frozen=True, eq=False)
class ParameterSeen:
    """A parameter in front of the update, its true gradient, and the step that it makes."""

    name: str
    value: Array | None
    gradient: Array | None
    step: Array | None


@dataclass(frozen=True, eq=False)
class UpdateSeen:
    """One update, recorded: the one that is about to be made at ``update``."""

    update: int
    lines: tuple[LineValue, ...] = ()
    parameters: tuple[ParameterSeen, ...] = ()
    loss: float | None = None
    not_finite: tuple[str, int, str] | None = None
    """File, line and reason of the first number that is not finite."""
    complete: bool = True
    problem: str = ""
    """Why there are no values, as a clause; empty where there are."""

    def on(self, file: str, line: int) -> tuple[LineValue, ...]:
        """What ``line`` of ``file`` gave."""
        return tuple(each for each in self.lines if (each.file, each.line) == (file, line))


@dataclass(frozen=True)
class SourceLines:
    """One of the program's files, by its absolute path."""

    file: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """A live variable, in words."""

    name: str
    shape: tuple[int, ...]
    text: str
    """Its value, or the range of it."""
    norm: float | None
    """The Euclidean norm of an array."""
    role: str = ""
    """``parameter``, or nothing."""


@dataclass(frozen=True)
class ProgramEvent:
    """Something that happened after update ``after`` and at the latest at ``by``."""

    kind: str
    text: str
    after: int
    by: int
    unit: tuple[int, str, int] | None = None
    """The line, the target and the unit that it happened to."""

    @property
    def exact(self) -> bool:
        """Whether ``by`` is the very update."""
        return self.after >= self.by - 1


@dataclass(frozen=True, eq=False)
class BranchSeen:
    """A branch as it is listed and overlaid."""

    number: int
    name: str
    parent: int | None
    forked_at: int
    head: int
    loss: float | None
    losses: LossHistory
    """By update, or by epoch where there are several updates in one."""
    points: int
    """How many of the losses belong to what is seen."""
    parted: str
    """What is different in it."""
    printed: LossHistory | None = None
    """Likewise what is printed, where that is another number."""
    pinned: bool = False


@dataclass(frozen=True, eq=False)
class ProgramSeen:
    """A program at its cursor."""

    path: str
    arguments: tuple[str, ...]
    seed: int | None
    """The seed that nntui set; None where the program's own stand."""
    seeded_by_us: bool
    file: str
    """The program's own file, absolute."""
    files: tuple["SourceLines", ...]
    """Its files as they are on this branch, its own first."""
    branch: BranchSeen
    branches: tuple[BranchSeen, ...]
    overlaid: int | None
    loop: tuple[str, int] | None
    epoch_loop: tuple[str, int] | None
    update: int
    head: int
    epoch: int
    """The epoch that the cursor is in."""
    epochs: int
    """How many epochs had begun at the head."""
    by_epoch: bool
    """Whether the losses are means of epochs."""
    loss: float | None
    """Of the last update up to the cursor."""
    loss_name: str
    printed_name: str
    """What is printed in the place of the loss; empty where it is the loss, or nothing."""
    check: ProgramCheck | None
    output: str
    variables: tuple[Variable, ...]
    seen: UpdateSeen
    other: UpdateSeen | None
    """The update of the overlaid branch at the same place, where the two are compared."""
    events: tuple[ProgramEvent, ...]
    checkpoints: tuple[int, ...]
    forks: tuple[int, ...]
    state_hash: str
    ending: Ending | None
    ended_here: bool
    """Whether the program has left its loop at the cursor: no update follows."""
    edited: bool
    """Whether the file is not what it was when this branch began."""
    problem: str = ""
    """Why it cannot be stepped, as a sentence; empty where it can."""
    marks: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """By file and line, ``wrong``, ``right``, ``doubt``, ``not finite``, ``shape``, ``stopped``."""

    def lines_of(self, file: str) -> tuple[str, ...]:
        """The lines of one of its files."""
        return next((each.lines for each in self.files if each.file == file), ())

    @property
    def forked_at(self) -> int:
        """The update up to which the branch shares the past of another one."""
        return self.branch.forked_at

    @property
    def findings(self) -> tuple[ProgramFinding, ...]:
        """What the check has found."""
        return () if self.check is None else self.check.findings


def scaled(value: Array, true: Array) -> tuple[float, float]:
    """The factor that brings ``true`` nearest to ``value``, and what then is left, relative to it.

    It is the least-squares factor <value, true> / <true, true>.  Two numbers are multiples of each
    other whatever they are, and so tell no factor: theirs is 1 or -1.
    """
    with np.errstate(all="ignore"):
        size, length = float(np.sum(true * true)), float(np.sqrt(np.sum(value * value)))
        factor = float(np.sum(value * true)) / size if size > 0.0 else 0.0
        if value.size == 1 and factor:
            factor = float(np.sign(factor))
        off = float(np.sqrt(np.sum((value - factor * true) ** 2)))
    return factor, (off / length if length > 0.0 else float(np.any(true)))


def value_of(plain: Mapping[str, Any]) -> Value:
    """The value that `nntui.program.follow.one_update` has sent."""
    return Value(
        tuple(plain["shape"]),
        plain["least"],
        plain["most"],
        plain["bad"],
        tuple(plain["points"]),
        plain.get("number"),
        plain.get("of"),
        plain.get("true"),
        plain.get("updates"),
        tuple(plain.get("dead", ())),
        plain.get("slope"),
    )


def update_seen(update: int, reply: Mapping[str, Any]) -> UpdateSeen:
    """The recorded update of ``reply``, or why there is none."""
    if "lines" not in reply:
        return UpdateSeen(update, problem=_why_not(reply))
    lost = reply["not_finite"]
    return UpdateSeen(
        update,
        tuple(
            LineValue(
                each["file"],
                each["line"],
                each["target"],
                each["times"],
                tuple(map(value_of, each["values"])),
            )
            for each in reply["lines"]
        ),
        tuple(
            ParameterSeen(each["name"], each["value"], each["gradient"], each["step"])
            for each in reply["parameters"]
        ),
        reply["loss"],
        None if lost is None else (lost["file"], lost["line"], lost["reason"]),
        reply["complete"],
    )


def _why_not(reply: Mapping[str, Any]) -> str:
    """Why an update could not be recorded, as a clause."""
    if "refused" in reply:
        return f"this update {reply['refused']['what']}, which is not allowed"
    known = {
        "time": "recording this update takes too long",
        "memory": "recording this update takes too much memory",
        "fork": "this system cannot copy a running program",
        "ended": "the program ends in this update",
    }
    error = str(reply.get("error", ""))
    return known.get(error, str(reply.get("message", error)) or "it could not be recorded")
