"""Atomic file writes: a kill at any moment leaves either the old file or the new one."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from nntui.core.errors import ConfigError
from nntui.file_lock import lock

PRIVATE, SHARED = 0o600, 0o666
PREFIX, SUFFIX = ".nntui-", ".tmp"
YOUNG = 60.0
"""Seconds for which a temporary file may be one that is just being made."""


def write_whole(path: Path, fill: Callable[[IO[bytes]], None], mode: int = PRIVATE) -> None:
    """Replace ``path`` by what ``fill`` writes, with the permissions ``mode`` minus the umask.

    For a symbolic link, the file that it points to is replaced.  Raises ConfigError, and changes
    nothing, if the file cannot be written.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise ConfigError("", f"{path}: is a symbolic link to itself")
        if target.exists() and not target.is_file():
            raise ConfigError("", f"{path}: is not a regular file")
        _replace(target, fill, mode)
    except ConfigError:
        raise
    except (OSError, ValueError) as error:  # a ValueError for a NUL in the path
        said = getattr(error, "strerror", None) or error
        raise ConfigError("", f"{path}: cannot be written ({said})") from None
    with suppress(OSError):  # some file systems cannot sync a folder
        _sync_folder(target.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in the same way, readable by others as the umask allows."""

    def fill(file: IO[bytes]) -> None:
        file.write(content)

    write_whole(path, fill, SHARED)


def _replace(target: Path, fill: Callable[[IO[bytes]], None], mode: int) -> None:
    remove_left(target.parent)
    temporary = target.parent / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
    number = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(number, "w+b") as file:
            lock(number)
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_left(folder: Path) -> None:
    """Remove the temporary files in ``folder`` of writers that were killed.

    A writer holds a lock on its file, which the kernel gives up for it when it ends.
    """
    oldest, found = time.time() - YOUNG, list[Path]()
    with suppress(OSError):  # nothing can be left in a folder that cannot be read
        found = list(folder.glob(f"{PREFIX}*{SUFFIX}"))
    for each in found:
        with suppress(OSError):
            if each.lstat().st_mtime >= oldest:
                continue
            number = os.open(each, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock(number):
                    each.unlink()
            finally:
                os.close(number)
