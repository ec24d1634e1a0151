"""The functions of `os`, `io` and `shutil`, over a scratch folder that hides the file system."""

import builtins
import errno
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nntui.program.control.world.scratch_files import NOWHERE, WRITING, ScratchFiles


class FileFunctions:
    """Functions that look into ``files`` first, and write there only."""

    def __init__(self, files: ScratchFiles) -> None:
        self._files = files

    def install(self) -> None:
        """Put the functions that use a scratch folder in the place of the usual ones."""
        temporary = os.path.join(self._files.root, "temporary")
        os.makedirs(temporary, exist_ok=True)
        tempfile.tempdir = temporary
        builtins.open = io.open = self._opening(io.open)
        os.open = self._os_opening(os.open)
        for name in ("stat", "lstat", "access", "readlink"):
            setattr(os, name, self._reading(getattr(os, name)))
        for name in ("listdir", "scandir"):
            setattr(os, name, self._listing(getattr(os, name)))
        _replace_kept(io.open)
        for name in ("chmod", "utime", "truncate", "setxattr"):
            if hasattr(os, name):
                setattr(os, name, self._changing(getattr(os, name)))
        for name in ("remove", "unlink", "rmdir"):
            setattr(os, name, self._removing(getattr(os, name)))
        shutil.rmtree = self._removing(shutil.rmtree)
        os.mkdir = self._making(os.mkdir)
        os.rename, os.replace = self._renaming(os.rename), self._renaming(os.replace)

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
            if self._files.inner:
                return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(file, int) and opener is None and isinstance(mode, str):
                if set(mode) & set("wax+") and os.fsdecode(file) not in NOWHERE:
                    if "x" in mode and os.path.exists(file):
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
                    if "r" in mode and not os.path.exists(file):
                        self._files.miss(file)
                    else:
                        path = self._files.made(file, keep="w" not in mode)
                else:
                    path = self._files.found(file)
            try:
                opened = original(path, mode, buffering, encoding, errors, newline, closefd, opener)
            except FileNotFoundError:
                self._files.miss(file)
                raise
            if path is not file:
                raw = getattr(opened, "buffer", opened)
                raw = getattr(raw, "raw", raw)
                raw.name = file
            return opened

        return open

    def _os_opening(self, original: Callable[..., int]) -> Any:
        def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if dir_fd is None and not isinstance(path, int) and not self._files.inner:
                if flags & WRITING and os.fsdecode(path) not in NOWHERE:
                    if flags & os.O_EXCL and os.path.lexists(path):
                        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
                    if flags & os.O_CREAT or os.path.exists(path):
                        # Without O_CREAT the file must be there to be truncated.
                        anew = flags & os.O_TRUNC and flags & os.O_CREAT
                        path = self._files.made(path, keep=not anew)
                else:
                    path = self._files.found(path)
            return original(path, flags, mode, dir_fd=dir_fd)

        return open

    def _reading(self, original: Callable[..., Any]) -> Any:
        def read(path: Any, *arguments: Any, **named: Any) -> Any:
            if self._files.inner or named.get("dir_fd") is not None or isinstance(path, int):
                return original(path, *arguments, **named)
            try:
                return original(self._files.found(path), *arguments, **named)
            except FileNotFoundError:
                self._files.miss(path)
                raise

        return read

    def _listing(self, original: Callable[..., Any]) -> Any:
        def listed(path: Any = ".") -> Any:
            path = "." if path is None else path
            if not self._files.used or self._files.inner or isinstance(path, int | bytes):
                return original(path)
            place = self._files.place(path)
            if not os.path.isdir(place) or place == os.path.abspath(os.fsdecode(path)):
                return original(path)
            if not self._files.is_real(path):
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
            return original(self._files.found(path), *arguments, **named)

        return change

    def _removing(self, original: Callable[..., Any]) -> Any:
        def remove(path: Any, *arguments: Any, **named: Any) -> Any:
            # With dir_fd it comes from within shutil.rmtree, which was handed the place itself.
            found = path if named.get("dir_fd") is not None else self._files.found(path)
            if found is not path and self._files.is_real(path):
                found = path  # without its scratch file the real one would be back
            return original(found, *arguments, **named)

        return remove

    def _making(self, original: Callable[..., Any]) -> Any:
        def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
            if dir_fd is None and not self._files.inner and not self._files.holds(path):
                if os.path.lexists(path):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
                path = self._files.made(path, keep=False)
            original(path, mode, dir_fd=dir_fd)

        return mkdir

    def _renaming(self, original: Callable[..., Any]) -> Any:
        def rename(src: Any, dst: Any, **named: Any) -> None:
            found = self._files.found(src)
            if found is not src and not self._files.is_real(src):
                original(found, self._files.made(dst, keep=False), **named)
            else:
                original(src, dst, **named)

        return rename


def _replace_kept(new: Callable[..., Any]) -> None:
    """Put ``new`` where modules that were imported before keep `open` for themselves."""
    if "bz2" in sys.modules:
        vars(sys.modules["bz2"])["_builtin_open"] = new
    openers = getattr(sys.modules.get("numpy.lib._datasource"), "_file_openers", None)
    kept = getattr(openers, "_file_openers", None)
    if isinstance(kept, dict):
        kept[None] = new
    for name in ("_Globber", "_StringGlobber"):  # of Python 3.13
        globber = getattr(sys.modules.get("glob"), name, None)
        if globber is not None and hasattr(globber, "scandir"):
            globber.scandir = staticmethod(os.scandir)


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
