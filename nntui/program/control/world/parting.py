"""Lets a fork part from its parent: it goes on with copies of the files, open ones included."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass

# The functions of the real file system.
open_descriptor, list_folder, real_link = os.open, os.listdir, os.readlink


class Parting:
    """What a fork needs to go on with files of its own.

    All is noted in front of it, because its parent goes on at once: forks share the offsets of the
    files that are open.
    """

    def __init__(self, old: str, new: str, go_on: Callable[[], None]) -> None:
        self._old, self._new, self._go_on = old, new, go_on
        self._open = [_noted(number) for number in _open_descriptors()]

    @property
    def folder(self) -> str | None:
        """The folder of the fork's files, if it is not the one of its parent."""
        return None if self._new == self._old else self._new

    def separate(self) -> None:
        """In the fork: go on with its own files."""
        self._go_on()
        for each in self._open:
            if each is not None:
                _reopen(each, self._old, self._new)

    def remove(self) -> None:
        """In its parent, when the fork has ended: remove its files."""
        if self.folder is not None and os.path.isdir(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class _OpenFile:
    """A file that a process has open."""

    descriptor: int
    path: str
    flags: int
    offset: int


def _open_descriptors() -> list[int]:
    try:
        return [int(name) for name in list_folder("/proc/self/fd")]
    except OSError:  # another system; there are no copies that go on there
        return []


def _noted(descriptor: int) -> _OpenFile | None:
    """The open file of ``descriptor``, if it is a regular one."""
    try:
        import fcntl

        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
        path = real_link(f"/proc/self/fd/{descriptor}")
        return _OpenFile(descriptor, path, flags, os.lseek(descriptor, 0, os.SEEK_CUR))
    except (ImportError, OSError):
        return None


def _reopen(file: _OpenFile, old: str, new: str) -> None:
    """Give an open file an offset of its own, and the one in the folder ``new`` for ``old``."""
    path = f"/proc/self/fd/{file.descriptor}"  # it may have been deleted since
    if file.path.startswith(old + os.sep):
        path = new + file.path[len(old) :]
    try:
        opened = open_descriptor(path, file.flags)
        os.lseek(opened, file.offset, os.SEEK_SET)
        os.dup2(opened, file.descriptor, os.get_inheritable(file.descriptor))
        os.close(opened)
    except OSError:
        return
