"""The folder of saved sessions: listing, finding, deleting, and naming new ones."""

import difflib
import os
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from nntui.core.errors import ConfigError, one_line, quoted
from nntui.presets.atomic_write import remove_left
from nntui.presets.lookup import SESSION
from nntui.presets.schema import HIGHEST_SEED
from nntui.presets.text_files import check_file
from nntui.timeline.sessions.archive import read_manifest
from nntui.timeline.sessions.checked_fields import Fields
from nntui.timeline.sessions.program_format import PROGRAM_FORMAT
from nntui.timeline.sessions.saved_presets import LONGEST_NAME
from nntui.timeline.sessions.unpack import FURTHEST, MOST_BRANCHES, check_version

PLACE = "NNTUI_DATA_DIR"
"""The environment variable that replaces the platform's data directory."""
LONGEST_PATH = 4096
LONGEST_STEM = 40
"""Characters of a preset's name in that of a file."""


@dataclass(frozen=True, kw_only=True)
class SessionFile:
    """A file of the folder; if it is unreadable, ``problem`` says why, and most fields are None."""

    path: Path
    preset: str | None = None
    """Its name; of a program its file's."""
    seed: int | None = None
    update: int | None = None
    """Where the cursor is."""
    branches: int | None = None
    saved: datetime
    """When it was saved, in UTC; the file's own time if it cannot be read."""
    bytes: int
    problem: str | None = None
    program: str | None = None
    """The path of a program of the person's own; None for a preset."""

    def as_json(self) -> dict[str, Any]:
        """What ``nntui sessions --json`` prints."""
        saved = self.saved.isoformat(timespec="seconds")
        return {"name": self.name, **asdict(self), "path": str(self.path), "saved": saved}

    @property
    def name(self) -> str:
        """What `find` finds it by."""
        return self.path.stem


def folder() -> Path:
    """Where sessions are saved; it need not exist yet."""
    place = os.environ.get(PLACE)
    return (Path(place) if place else user_data_path("nntui")) / "sessions"


def is_in_folder(path: Path) -> bool:
    """Whether ``path`` is in the folder, and so may be overwritten without asking."""
    return path.parent.resolve() == folder().resolve()


def tidy() -> None:
    """Remove what is left of sessions that were being saved when their process was killed."""
    remove_left(folder())


def entries() -> list[SessionFile]:
    """All saved sessions, the newest first; only their manifests are read.

    Raises ConfigError if the folder cannot be read.
    """
    return sorted(
        map(_session_file, _files()), key=lambda entry: (entry.saved, entry.name), reverse=True
    )


def find(name_or_path: str) -> Path:
    """The file of a session's name or path, or the latest of a preset or of a program's file.

    Raises ConfigError, which suggests similar names, if there is none.
    """
    path = Path(name_or_path)
    if os.sep in name_or_path or (path.suffix == SESSION and os.path.lexists(path)):
        return check_file(path)
    wanted = (name_or_path, f"{name_or_path}.py")
    of_preset = (each.path for each in entries() if each.preset in wanted)
    return next(of_preset, None) or _file_called(name_or_path)


def name_of(path: Path) -> str:
    """The shortest text by which `find` finds ``path``, a file of the folder."""
    try:
        return path.stem if find(path.stem) == path else str(path)
    except ConfigError:
        return str(path)


def delete(name: str) -> Path:
    """Remove the session called ``name`` from the folder; returns where it was.

    Raises ConfigError if there is none, or if it cannot be removed.
    """
    path = _file_called(name)
    try:
        path.unlink()
    except OSError as error:
        raise ConfigError("", f"{path}: cannot be deleted ({error.strerror})") from None
    return path


def new_path(preset_name: str) -> Path:
    """An unused path for a session of the preset, such as ``add-relu-20261121-142530.nntui``.

    Creates the folder if necessary; raises ConfigError if it cannot be created.
    """
    place = folder()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("", f"{place}: cannot be created ({error.strerror})") from None
    stem = re.sub(r"[^\w.-]+", "-", preset_name)[:LONGEST_STEM].strip("-.") or "session"
    stem = f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = place / f"{stem}{SESSION}", 2
    while os.path.lexists(path):
        path, number = place / f"{stem}-{number}{SESSION}", number + 1
    return path


def listing(found: list[SessionFile]) -> list[str]:
    """``found`` as lines of text, with a header."""
    rows = [("name", "preset", "seed", "update", "branches", "saved")]
    now = datetime.now(UTC)
    for entry in found:
        saved = f"{entry.saved.astimezone():%Y-%m-%d %H:%M} ({age(entry.saved, now)})"
        known = ("", "", "", "")
        if entry.problem is None:
            known = (f"{entry.preset}", f"{entry.seed}", f"{entry.update:,}", f"{entry.branches}")
        rows.append((one_line(entry.name), *known, saved))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, problem in zip(rows, (None, *(entry.problem for entry in found)), strict=True):
        cells = zip(row, "<<>>><", widths, strict=True)
        lines.append("  ".join(f"{cell:{side}{width}}" for cell, side, width in cells).rstrip())
        if problem is not None:
            lines.append(f"  unreadable: {problem}")
    return lines


def _files() -> list[Path]:
    try:
        return [path for path in folder().iterdir() if path.suffix == SESSION]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError("", f"{folder()}: cannot be read ({error.strerror})") from None


def _session_file(path: Path) -> SessionFile:
    size, moment = 0, 0.0
    try:
        moment = path.lstat().st_mtime
        status = path.stat()
        size, moment = status.st_size, status.st_mtime
        return _described(path, Fields(read_manifest(path)), size)
    except (ConfigError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        problem = one_line((said or str(error)).removeprefix(f"{path}: "))
        saved = datetime.fromtimestamp(moment, UTC)
        return SessionFile(path=path, saved=saved, bytes=size, problem=problem)


def _described(path: Path, fields: Fields, size: int) -> SessionFile:
    if fields.value("format") == PROGRAM_FORMAT:
        return _described_program(path, fields, size)
    check_version(fields)
    branches = fields.tables("branches", MOST_BRANCHES)
    active = fields.whole("active", 0, len(branches) - 1)
    return SessionFile(
        path=path,
        preset=Fields(fields.table("preset"), "preset").text("name", LONGEST_NAME),
        seed=branches[active].whole("seed", 0, HIGHEST_SEED),
        update=fields.whole("cursor", 0, FURTHEST),
        branches=len(branches),
        saved=_saved(fields),
        bytes=size,
    )


def _described_program(path: Path, fields: Fields, size: int) -> SessionFile:
    program = Fields(fields.table("program"), "program")
    return SessionFile(
        path=path,
        preset=fields.text("name", LONGEST_NAME),
        program=program.text("path", LONGEST_PATH),
        seed=fields.optional("seed", 0, HIGHEST_SEED),
        update=fields.whole("cursor", 0, FURTHEST),
        branches=len(program.tables("branches", MOST_BRANCHES)),
        saved=_saved(fields),
        bytes=size,
    )


def _saved(fields: Fields) -> datetime:
    try:
        return datetime.fromisoformat(fields.text("saved", 40)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fields.wrong("saved", "is not a date") from None


def _file_called(name: str) -> Path:
    """The file of the session called ``name`` in the folder, whatever it holds."""
    known = {path.stem: path for path in _files()}
    stem = name.removesuffix(SESSION)
    if stem in known:
        return known[stem]
    near = difflib.get_close_matches(stem, known, n=3, cutoff=0.4)
    said = f"did you mean {' or '.join(near)}?" if near else "nntui sessions lists them"
    raise ConfigError("", f"there is no session {quoted(name)}; {said}")


def age(then: datetime, now: datetime) -> str:
    """How long ago ``then`` was, in the largest unit that fits."""
    seconds = max((now - then).total_seconds(), 0.0)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
