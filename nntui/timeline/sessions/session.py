"""Sessions: a whole tree of branches and the cursor in one file, from which a run goes on exactly.

`capture` takes the picture, quickly, between two updates; `write` puts it into a file, in another
thread if need be, while training goes on; `load` gives the run back.  How the file is made, and
how it is known to be whole, is `archive`'s; everything else is checked by `restore`.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError
from nntui.timeline.history.run import Run
from nntui.timeline.sessions.archive import read_archive, write_archive
from nntui.timeline.sessions.capture import Saved, capture
from nntui.timeline.sessions.pack import packed
from nntui.timeline.sessions.unpack import MOST_BRANCHES, restored

__all__ = ["Saved", "capture", "load", "load_session", "save_session", "write"]


def write(saved: Saved, path: Path) -> None:
    """Put ``saved`` into ``path``: the file is then the new session, or still what it was.

    Raises ConfigError, in one line, if that cannot be done.
    """
    try:
        if len(saved.branches) > MOST_BRANCHES:
            raise ConfigError("", f"has more than {MOST_BRANCHES:,} branches")
        manifest, vectors = packed(saved)
    except ConfigError as error:
        raise ConfigError("", f"{path}: cannot be written: {error}") from None
    write_archive(path, manifest, vectors)


def load(path: Path) -> tuple[Run, dict[str, Any]]:
    """The run that was saved in ``path``, on its branch and at its cursor, and the view.

    Raises ConfigError, in one line that begins with the path, for anything that is not the whole
    and unaltered session of a known version.
    """
    manifest, vectors = read_archive(path)
    try:
        return restored(manifest, vectors)
    except RecursionError:
        raise ConfigError("", f"{path}: is nested too deeply") from None
    except ConfigError as error:
        said = f"is no valid session: {error}" if error.key else f"{error}"
        raise ConfigError("", f"{path}: {said}") from None


@dataclass(frozen=True, eq=False)
class Opened:
    """A session that was read from ``path``: its run, and how it was looked at."""

    path: Path
    run: Run
    view: dict[str, Any]


def open_session(path: Path) -> Opened:
    """The session saved in ``path``; raises what `load` raises."""
    return Opened(path, *load(path))


def save_session(run: Run, path: str | PathLike[str]) -> None:
    """Write ``run`` and its whole tree to ``path``; ConfigError if that cannot be done."""
    write(capture(run), Path(path))


def load_session(path: str | PathLike[str]) -> Run:
    """The run that was saved in ``path``; raises what `load` raises."""
    return load(Path(path))[0]
