"""Files that a program writes, kept in a scratch folder and read back from there.

The scratch folder lies over the file system: a path that the program has written is there under its
absolute name, every other path is the real one.  It covers what goes through `open`, `os` and
`pathlib`, and so NumPy, pickle, logging and the rest of the standard library.
"""

import builtins
import errno
import io
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

LARGEST_COPY = 256 << 20
"""Bytes of scratch files up to which a fork gets its own."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
open_descriptor, list_folder = os.open, os.listdir  # those of the real file system
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
        self._inner = False
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
        with self._among_real_files():
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
        if not self.used or self._inner or isinstance(path, int):
            return path
        place = self.place(path)
        with self._among_real_files():
            return place if os.path.lexists(place) else path

    def made(self, path: Any, keep: bool) -> str:
        """The place of ``path``, ready to be written; its old content is there with ``keep``.

        Raises the OSError that writing the path itself would raise.
        """
        full = os.path.abspath(os.fsdecode(path))
        if self.holds(full):
            return full
        place = self.place(full)
        with self._among_real_files():
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
    def _among_real_files(self) -> Iterator[None]:
        """Within this context the functions are those of the real file system."""
        before, self._inner = self._inner, True
        try:
            yield
        finally:
            self._inner = before

    def separate(self) -> None:
        """In a fork: go on with files of its own, open ones included."""
        old = self.folder
        if not self.used or _size(old) <= LARGEST_COPY:
            self._own = f"files-{os.getpid()}-{time.monotonic_ns()}"
            if self.used:
                shutil.copytree(old, self.folder, symlinks=True)
        for name in list_folder("/proc/self/fd"):
            self._reopen(int(name), old)

    def _reopen(self, descriptor: int, old: str) -> None:
        """Give an open file an offset of its own; forks share that of their parent."""
        link = f"/proc/self/fd/{descriptor}"
        try:
            import fcntl

            path = os.readlink(link)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
            if path.startswith(old + os.sep):
                path = os.path.join(self.folder, path[len(old) + 1 :])
            else:
                path = link
            offset = os.lseek(descriptor, 0, os.SEEK_CUR)
            new = open_descriptor(path, flags)
            os.lseek(new, offset, os.SEEK_SET)
            os.dup2(new, descriptor, os.get_inheritable(descriptor))
            os.close(new)
        except OSError:
            return

    def beside(self, folder: str) -> str | None:
        """A file that was looked for in vain in the working folder, and is in ``folder``."""
        for path in reversed(self.missed):
            if os.path.exists(os.path.join(folder, path)) and not os.path.exists(path):
                return path
        return None

    def install(self) -> None:
        """Put the functions that use the scratch folder in the place of the usual ones."""
        temporary = os.path.join(self.root, "temporary")
        os.makedirs(temporary, exist_ok=True)
        tempfile.tempdir = temporary
        builtins.open = io.open = self._opening(io.open)
        _replace_kept(io.open)
        os.open = self._os_opening(os.open)
        for name in ("stat", "lstat", "access", "readlink"):
            setattr(os, name, self._reading(getattr(os, name)))
        for name in ("listdir", "scandir"):
            setattr(os, name, self._listing(getattr(os, name)))
        for name in ("chmod", "utime", "truncate", "setxattr"):
            if hasattr(os, name):
                setattr(os, name, self._changing(getattr(os, name)))
        for name in ("remove", "unlink", "rmdir"):
            setattr(os, name, self._removing(getattr(os, name)))
        shutil.rmtree = self._removing(shutil.rmtree)
        os.mkdir = self._making(os.mkdir)
        os.rename, os.replace = self._renaming(os.rename), self._renaming(os.replace)

    def _miss(self, path: Any) -> None:
        if isinstance(path, str | os.PathLike) and len(self.missed) < 1000:
            text = os.fsdecode(path)
            if not os.path.isabs(text):
                self.missed.append(text)

    def _opening(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def open(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            """Open a file; what is written goes to a scratch folder."""
            path = file
            if self._inner:
                return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(file, int) and opener is None and isinstance(mode, str):
                if set(mode) & set("wax+") and os.fsdecode(file) not in NOWHERE:
                    if "x" in mode and os.path.exists(file):
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
                    if "r" in mode and not os.path.exists(file):
                        self._miss(file)
                    else:
                        path = self.made(file, keep="w" not in mode)
                else:
                    path = self.found(file)
            try:
                opened = original(path, mode, buffering, encoding, errors, newline, closefd, opener)
            except FileNotFoundError:
                self._miss(file)
                raise
            if path is not file:
                raw = getattr(opened, "buffer", opened)
                raw = getattr(raw, "raw", raw)
                raw.name = file
            return opened

        return open

    def _os_opening(self, original: Callable[..., int]) -> Any:
        def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if dir_fd is None and not isinstance(path, int) and not self._inner:
                if flags & WRITING and os.fsdecode(path) not in NOWHERE:
                    if flags & os.O_EXCL and os.path.lexists(path):
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
                    if flags & os.O_CREAT or os.path.exists(path):
                        path = self.made(path, keep=not flags & os.O_TRUNC)
                else:
                    path = self.found(path)
            return original(path, flags, mode, dir_fd=dir_fd)

        return open

    def _reading(self, original: Callable[..., Any]) -> Any:
        def read(path: Any, *arguments: Any, **named: Any) -> Any:
            if self._inner or named.get("dir_fd") is not None or isinstance(path, int):
                return original(path, *arguments, **named)
            try:
                return original(self.found(path), *arguments, **named)
            except FileNotFoundError:
                self._miss(path)
                raise

        return read

    def _listing(self, original: Callable[..., Any]) -> Any:
        def listed(path: Any = ".") -> Any:
            path = "." if path is None else path
            if not self.used or self._inner or isinstance(path, int | bytes):
                return original(path)
            place = self.place(path)
            if not os.path.isdir(place) or place == os.path.abspath(os.fsdecode(path)):
                return original(path)
            if not self._real(path):
                return original(place)
            if original is listdir:
                return sorted({*original(path), *original(place)})
            with original(path) as real, original(place) as ours:
                entries = {entry.name: entry for entry in [*real, *ours]}
            return _Entries(entries.values())

        listdir = os.listdir
        return listed

    def _changing(self, original: Callable[..., Any]) -> Any:
        def change(path: Any, *arguments: Any, **named: Any) -> Any:
            return original(self.found(path), *arguments, **named)

        return change

    def _removing(self, original: Callable[..., Any]) -> Any:
        def remove(path: Any, *arguments: Any, **named: Any) -> Any:
            # With dir_fd it comes from within shutil.rmtree, which was handed the place itself.
            found = path if named.get("dir_fd") is not None else self.found(path)
            if found is not path and self._real(path):
                found = path  # without its scratch file the real one would be back
            return original(found, *arguments, **named)

        return remove

    def _making(self, original: Callable[..., Any]) -> Any:
        def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
            if dir_fd is None and not self._inner and not self.holds(path):
                if os.path.lexists(path):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
                path = self.made(path, keep=False)
            original(path, mode, dir_fd=dir_fd)

        return mkdir

    def _renaming(self, original: Callable[..., Any]) -> Any:
        def rename(src: Any, dst: Any, **named: Any) -> None:
            found = self.found(src)
            if found is not src and not self._real(src):
                original(found, self.made(dst, keep=False), **named)
            else:
                original(src, dst, **named)

        return rename

    def _real(self, path: Any) -> bool:
        """Whether ``path`` is in the real file system as well."""
        full = os.path.abspath(os.fsdecode(path))
        if self.holds(full):
            return False
        with self._among_real_files():
            return os.path.lexists(full)


def _replace_kept(new: Callable[..., Any]) -> None:
    """Put ``new`` where modules that were imported before keep `open` for themselves."""
    if "bz2" in sys.modules:
        vars(sys.modules["bz2"])["_builtin_open"] = new
    openers = getattr(sys.modules.get("numpy.lib._datasource"), "_file_openers", None)
    kept = getattr(openers, "_file_openers", None)
    if isinstance(kept, dict):
        kept[None] = new


class _Entries:
    """What `os.scandir` returns: an iterator that can be closed."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = iter(list(entries))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> "_Entries":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open."""


def _size(folder: str) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )
