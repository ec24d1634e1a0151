"""The folders where programs write: made for one process, and removed when that has ended.

However it ends: whoever makes such a folder next removes those whose owner is dead.  The owner
holds a lock on a file in it, which the kernel gives up for it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress

from nntui.file_lock import lock

PREFIX = "nntui-program-"
LOCK = "owner"
"""The file in a folder that its owner has locked."""
YOUNG = 3600.0
"""Seconds for which a folder without that file may be one that is just being made."""

_locks: dict[str, int] = {}
"""The descriptors of the locks that this process holds, by folder."""
_swept: list[str] = []
"""The temporary folder that this process has swept."""


def make_scratch() -> str:
    """A new folder of this process; those of dead processes are removed at the first."""
    if tempfile.gettempdir() not in _swept:
        _swept.append(tempfile.gettempdir())
        sweep()
    folder = tempfile.mkdtemp(prefix=PREFIX)
    with suppress(OSError):
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        _locks[folder] = descriptor
        lock(descriptor)
    return folder


def remove_scratch(folder: str) -> None:
    """Remove a ``folder`` that was made here."""
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = _locks.pop(folder, None)
    if descriptor is not None:
        with suppress(OSError):
            os.close(descriptor)


def sweep() -> None:
    """Remove the folders of this user whose owner has ended."""
    for folder in _folders():
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _folders() -> Iterator[str]:
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                yield entry.path


def _is_left(folder: str) -> bool:
    try:
        status = os.stat(folder, follow_symlinks=False)
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return False
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return time.time() - status.st_mtime > YOUNG
    except OSError:
        return False
    try:
        return folder not in _locks and lock(descriptor)
    finally:
        os.close(descriptor)
