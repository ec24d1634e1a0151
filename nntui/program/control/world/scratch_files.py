"""Files that a program writes, kept in a scratch folder and read back from there.

The scratch folder lies over the file system: a path that the program has written is there under its
absolute name, every other path is the real one.  It covers what goes through `open`, `os` and
`pathlib`, and so NumPy, pickle, logging and the rest of the standard library.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nntui.program.control.world.parting import Parting

LARGEST_COPY = 256 << 20
"""Bytes of scratch files up to which a fork gets its own."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NOWHERE = ("/dev/null", "nul")


class ScratchFiles:
    """The scratch folder ``root`` of one program, and the functions that use it."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self._own = "files"
        self.used = False
        """Whether the program has written anything."""
        self.missed: list[str] = []
        """Relative paths that the program looked for in vain."""
        self.inner = False
        """Whether it is this class that asks for files: the real ones."""

    @property
    def folder(self) -> str:
        """Where the files are; every copy of the program has its own."""
        return os.path.join(self.root, self._own)

    def holds(self, path: Any, descriptor: int = -1) -> bool:
        """Whether ``path`` is in the scratch folder; ``descriptor`` is the open folder it is in."""
        if isinstance(path, int):
            return True
        text = os.fsdecode(path)
        if text in NOWHERE:
            return True
        if descriptor is not None and descriptor >= 0 and not os.path.isabs(text):
            try:
                text = os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), text)
            except OSError:
                return False
        folder, name = os.path.split(os.path.abspath(text))
        with self.among_real_files():
            real = os.path.join(os.path.realpath(folder), name)
        return real == self.root or real.startswith(self.root + os.sep)

    def place(self, path: Any) -> str:
        """Where ``path`` is, or would be, in the scratch folder."""
        full = os.path.abspath(os.fsdecode(path))
        if self.holds(full):
            return full
        return os.path.join(self.folder, full.replace(":", "").lstrip(os.sep))

    def found(self, path: Any) -> Any:
        """The place of ``path`` if the program has written it, else ``path``."""
        if not self.used or self.inner or isinstance(path, int):
            return path
        place = self.place(path)
        with self.among_real_files():
            return place if os.path.lexists(place) else path

    def made(self, path: Any, keep: bool) -> str:
        """The place of ``path``, ready to be written; its old content is there with ``keep``.

        Raises the OSError that writing the path itself would raise.
        """
        full = os.path.abspath(os.fsdecode(path))
        if self.holds(full):
            return full
        place = self.place(full)
        with self.among_real_files():
            if os.path.isdir(full) or os.path.isdir(place):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            if not any(os.path.isdir(os.path.dirname(each)) for each in (full, place)):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            self.used = True
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if keep and not os.path.lexists(place) and os.path.exists(full):
                shutil.copyfile(full, place)
        return place

    @contextmanager
    def among_real_files(self) -> Iterator[None]:
        """Within this context the functions are those of the real file system."""
        before, self.inner = self.inner, True
        try:
            yield
        finally:
            self.inner = before

    def part(self) -> Parting:
        """In front of a fork: copy the files for it."""
        own = f"files-{os.getpid()}-{time.monotonic_ns()}"
        if self.used and _size(self.folder) <= LARGEST_COPY:
            with self.among_real_files():
                shutil.copytree(self.folder, os.path.join(self.root, own), symlinks=True)
        elif self.used:
            own = self._own

        def go_on() -> None:
            self._own = own

        return Parting(self.folder, os.path.join(self.root, own), go_on)

    def beside(self, folder: str) -> str | None:
        """A file that was looked for in vain in the working folder, and is in ``folder``."""
        for path in reversed(self.missed):
            if os.path.exists(os.path.join(folder, path)) and not os.path.exists(path):
                return path
        return None

    def miss(self, path: Any) -> None:
        if isinstance(path, str | os.PathLike) and len(self.missed) < 1000:
            text = os.fsdecode(path)
            if not os.path.isabs(text):
                self.missed.append(text)

    def is_real(self, path: Any) -> bool:
        """Whether ``path`` is in the real file system as well."""
        full = os.path.abspath(os.fsdecode(path))
        if self.holds(full):
            return False
        with self.among_real_files():
            return os.path.lexists(full)


def _size(folder: str) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )
