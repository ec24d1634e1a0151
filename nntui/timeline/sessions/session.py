"""Sessions: a tree of branches and a cursor saved in one file, from which training resumes exactly.

`capture` copies the tree between two updates; `write` puts the copy into a file, in another
thread if need be, while training goes on; `load` reads it back.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError
from nntui.presets.preset import Origin
from nntui.timeline.history.branch import Branch
from nntui.timeline.history.tree import Tree
from nntui.timeline.sessions.archive import read_archive, write_archive
from nntui.timeline.sessions.capture import Capture, capture
from nntui.timeline.sessions.pack import pack
from nntui.timeline.sessions.unpack import MOST_BRANCHES, unpack

__all__ = ["Capture", "Session", "capture", "load", "write"]


@dataclass(frozen=True, eq=False)
class Session:
    """What was saved in ``path``: a tree, the cursor's branch and update, and the app's view."""

    path: Path
    tree: Tree
    branch: Branch
    update: int
    view: dict[str, Any]


def write(captured: Capture, path: Path) -> None:
    """Write ``captured`` to ``path``, which afterwards is the new session or is unchanged.

    Raises ConfigError, in one line, if that cannot be done.
    """
    try:
        if len(captured.branches) > MOST_BRANCHES:
            raise ConfigError("", f"has more than {MOST_BRANCHES:,} branches")
        manifest, vectors = pack(captured)
    except ConfigError as error:
        raise ConfigError("", f"{path}: cannot be written: {error}") from None
    write_archive(path, manifest, vectors)


def load(path: Path) -> Session:
    """The session that was saved in ``path``.

    Raises ConfigError, in one line that begins with the path, for anything that is not the whole
    and unaltered session of a known version.
    """
    manifest, vectors = read_archive(path)
    try:
        return Session(path, *unpack(manifest, vectors, Origin(str(path), None)))
    except RecursionError:
        raise ConfigError("", f"{path}: is nested too deeply") from None
    except ConfigError as error:
        said = f"is not a valid session: {error}" if error.key else f"{error}"
        raise ConfigError("", f"{path}: {said}") from None
