"""Sessions of a program: what was seen of it, in one file; opening one runs nothing.

It is the session file of `nntui.timeline.sessions.archive` with another manifest: texts, arguments,
seeds and branches, and what was seen at the cursor.  A file is treated as untrusted: every entry is
checked when it is read, and nothing in it is executed before somebody runs the program again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nntui import __version__
from nntui.core.errors import ConfigError
from nntui.program.debugging.insight import Insight
from nntui.program.debugging.seen import Array, LineValue, ParameterSeen, UpdateSeen, Value
from nntui.program.debugging.sessions.kept_records import (
    KeptArray,
    KeptBranch,
    KeptInsight,
    KeptLine,
    KeptLoss,
    KeptParameter,
    KeptPlace,
    KeptProgram,
    KeptSite,
    KeptValue,
)
from nntui.program.strict_fields import (
    plain,
    read_record,
)
from nntui.timeline.sessions.archive import VECTORS, read_archive, read_manifest, write_archive
from nntui.timeline.sessions.program_format import PROGRAM_FORMAT, PROGRAM_VERSION

MOST_BRANCHES = 500


class Numbers:
    """The numbers of all arrays of a session, one behind the other."""

    def __init__(self, known: Array | None = None) -> None:
        self._parts: list[Array] = []
        self._count = 0
        self._known = np.empty(0) if known is None else known

    def put(self, array: Any) -> KeptArray | None:
        """Add ``array``; where it is then."""
        if array is None:
            return None
        values = np.asarray(array, np.float64)
        kept = KeptArray(values.shape, self._count)
        self._parts.append(values.ravel())
        self._count += values.size
        return kept

    def must(self, array: Any) -> KeptArray:
        """The same for what is never None."""
        kept = self.put(array)
        assert kept is not None
        return kept

    @property
    def parts(self) -> Sequence[Array]:
        """All of them."""
        return self._parts

    def get(self, kept: KeptArray | None) -> Array | None:
        """The array that was put; raises ValueError where there is none."""
        if kept is None:
            return None
        size = 1
        for length in kept.shape:
            if length < 0:
                raise ValueError("a length below 0")
            size *= length
        if kept.start < 0 or kept.start + size > len(self._known):
            raise ValueError("an array beyond the end of the numbers")
        return self._known[kept.start : kept.start + size].reshape(kept.shape)

    def found(self, kept: KeptArray) -> Array:
        """The same for what is never None."""
        array = self.get(kept)
        assert array is not None
        return array


@dataclass(frozen=True, eq=False)
class ProgramSession:
    """A session as it was read from ``path``."""

    path: Path
    program: KeptProgram
    numbers: Numbers


def write_program_session(path: Path, program: KeptProgram, numbers: Numbers) -> None:
    """Write ``program`` to ``path``, all of it or nothing; raises ConfigError if it cannot be."""
    active = program.branches[program.active]
    manifest = {
        "format": PROGRAM_FORMAT,
        "version": PROGRAM_VERSION,
        "nntui": __version__,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": Path(program.path).name,
        "seed": active.seed,
        "cursor": active.update,
        "program": plain(program),
    }
    vectors: dict[str, Sequence[Any]] = {name: [] for name in VECTORS}
    vectors["parameters"] = numbers.parts
    write_archive(path, json.dumps(manifest, allow_nan=False), vectors)


def is_program_session(path: Path) -> bool:
    """Whether the session in ``path`` is one of a program; raises ConfigError for no session."""
    return read_manifest(path).get("format") == PROGRAM_FORMAT


def load_program_session(path: Path) -> ProgramSession:
    """The session of a program in ``path``.

    Raises ConfigError, in one line that begins with the path, for anything else.
    """
    manifest, vectors = read_archive(path)
    if manifest.get("format") != PROGRAM_FORMAT:
        raise ConfigError("", f"{path}: is no session of a program")
    if manifest.get("version") != PROGRAM_VERSION:
        raise ConfigError("", f"{path}: was written by another version of nntui")
    try:
        program = read_record(KeptProgram, manifest.get("program"))
        _check(program)
        session = ProgramSession(path, program, Numbers(vectors["parameters"]))
        for branch in program.branches:
            _check_numbers(branch, session.numbers)
    except (ValueError, RecursionError, OverflowError) as error:
        raise ConfigError("", f"{path}: is not a valid session: {error}") from None
    return session


def _check(program: KeptProgram) -> None:
    count = len(program.branches)
    if not 0 < count <= MOST_BRANCHES:
        raise ValueError(f"{count} branches")
    if not 0 <= program.active < count:
        raise ValueError("active: there is no such branch")
    if program.overlaid is not None and not 0 <= program.overlaid < count:
        raise ValueError("overlaid: there is no such branch")
    for at, branch in enumerate(program.branches):
        if branch.parent is not None and not 0 <= branch.parent < at:
            raise ValueError("parent: there is no such branch")
        if program.file not in {each.file for each in branch.texts}:
            raise ValueError("texts: the program's own is missing")
        if not 0 <= branch.update <= branch.head or branch.forked_at < 0:
            raise ValueError("update: beyond the head")
        if list(branch.starts) != sorted(set(branch.starts)) or min(branch.starts, default=0) < 0:
            raise ValueError("starts: not in order")
    for problem in program.request.problems():
        raise ValueError(problem)


def _check_numbers(branch: KeptBranch, numbers: Numbers) -> None:
    for kept, of_each in (
        (branch.updates, branch.losses),
        (branch.printed_updates, branch.printed_losses),
    ):
        updates, losses = numbers.found(kept), numbers.found(of_each)
        if updates.shape != losses.shape or updates.ndim != 1:
            raise ValueError("losses: not one for each update")
        inside = len(updates) == 0 or (updates[0] >= 0 and updates[-1] < 2.0**53)
        if not (inside and np.all(np.diff(updates) > 0)):
            raise ValueError("updates: not in order")
    for change in branch.changes:
        numbers.found(change.value)
    update_seen_of(branch, numbers)


def update_seen_of(branch: KeptBranch, numbers: Numbers) -> UpdateSeen:
    """The recorded update that was kept of ``branch``."""
    lines = tuple(
        LineValue(
            each.file,
            each.line,
            each.target,
            each.times,
            tuple(
                Value(
                    value.shape,
                    value.least,
                    value.most,
                    value.bad,
                    tuple(x for x in value.points if x is not None),
                    numbers.get(value.number),
                    value.of,
                    numbers.get(value.true),
                    value.updates,
                    value.dead,
                    numbers.get(value.slope),
                )
                for value in each.values
            ),
        )
        for each in branch.lines
        if each.values
    )
    parameters = tuple(
        ParameterSeen(
            each.name, numbers.get(each.value), numbers.get(each.gradient), numbers.get(each.step)
        )
        for each in branch.parameters
    )
    return UpdateSeen(branch.seen_at, lines, parameters)


def kept_lines(seen: UpdateSeen, numbers: Numbers) -> tuple[KeptLine, ...]:
    """The lines of ``seen``, to be kept; of a line that ran several times the last value."""
    return tuple(
        KeptLine(
            each.file,
            each.line,
            each.target,
            each.times,
            (
                KeptValue(
                    each.last.shape,
                    each.last.least,
                    each.last.most,
                    each.last.bad,
                    each.last.points,
                    numbers.put(each.last.number),
                    each.last.of,
                    numbers.put(each.last.true),
                    each.last.updates,
                    each.last.dead,
                    numbers.put(each.last.slope),
                ),
            ),
        )
        for each in seen.lines
    )


def kept_parameters(seen: UpdateSeen, numbers: Numbers) -> tuple[KeptParameter, ...]:
    """The parameters of ``seen``, to be kept."""
    return tuple(
        KeptParameter(
            each.name, numbers.put(each.value), numbers.put(each.gradient), numbers.put(each.step)
        )
        for each in seen.parameters
    )


def kept_insight(known: Insight | None) -> KeptInsight | None:
    """``known``, to be kept."""
    if known is None:
        return None
    sites = tuple(
        KeptSite(**{name: each[name] for name in ("kind", "nth", "side")}, **each["site"])
        for each in known.loss_sites
    )
    return KeptInsight(
        known.check,
        _place(known.loop),
        _place(known.epoch_loop),
        sites,
        known.read,
        known.printed,
        None if known.sought is None else KeptLoss(**known.sought),
        known.parameters,
        known.files,
    )


def insight_of(kept: KeptInsight | None) -> Insight | None:
    """What was kept of an insight."""
    if kept is None:
        return None
    sites: list[Mapping[str, Any]] = []
    for each in kept.sites:
        flat = plain(each)
        own = {name: flat.pop(name) for name in ("kind", "nth", "side")}
        sites.append({**own, "site": flat})
    return Insight(
        kept.check,
        None if kept.loop is None else (kept.loop.file, kept.loop.line),
        None if kept.epoch_loop is None else (kept.epoch_loop.file, kept.epoch_loop.line),
        tuple(sites),
        kept.read,
        kept.printed,
        None if kept.sought is None else plain(kept.sought),
        kept.parameters,
        kept.files,
    )


def _place(place: tuple[str, int] | None) -> KeptPlace | None:
    return None if place is None else KeptPlace(*place)
