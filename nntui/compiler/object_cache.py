"""The object cache: machine code that was compiled once is kept in the user's cache folder.

A folder that cannot be written, or a full disk, means that nothing is kept, and nothing else.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

MARK = b"nntui code 1\n"
"""What a file begins with; the digest of the rest follows."""
MOST_BYTES = 200_000_000
"""What the folder may hold; the files that were used least recently go first."""


PLACE = "NNTUI_CACHE_DIR"


def cache_folder() -> Path:
    """Where machine code is kept: ``compiled`` in the user's cache folder, or in `PLACE` if set."""
    own = os.environ.get(PLACE)
    return (Path(own) if own else user_cache_path("nntui", appauthor=False)) / "compiled"


class ObjectCache:
    """Object files by key, in ``folder``; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        # Without a home, its place would be within the working directory.
        self.folder = folder if folder is not None and folder.is_absolute() else None

    def read(self, key: str) -> bytes | None:
        """What was kept under ``key``; None if nothing was, or if it is damaged."""
        if self.folder is None:
            return None
        path = self.folder / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, made = content[len(MARK) : len(MARK) + 32], content[len(MARK) + 32 :]
        if not content.startswith(MARK) or hashlib.sha256(made).digest() != digest:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the files that were used least recently go first
        return made

    def write(self, key: str, made: bytes) -> bool:
        """Keep ``made`` under ``key``; whether that was possible.

        The file appears whole or not at all, also with several processes at once.
        """
        if self.folder is None:
            return False
        name = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(MARK + hashlib.sha256(made).digest() + made)
            os.replace(name, self.folder / key)
        except OSError:
            if name is not None:
                with contextlib.suppress(OSError):
                    os.unlink(name)
            return False
        self._shrink()
        return True

    def _shrink(self) -> None:
        assert self.folder is not None
        with contextlib.suppress(OSError):
            found = [(entry.stat(), entry.path) for entry in os.scandir(self.folder)]
            total = sum(each.st_size for each, _ in found)
            for each, path in sorted(found, key=lambda entry: entry[0].st_mtime):
                if total <= MOST_BYTES:
                    return
                with contextlib.suppress(OSError):
                    os.unlink(path)
                total -= each.st_size
