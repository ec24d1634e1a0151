"""The files of a program as they are on the disk now, for who edits them beside the app."""

import os
from collections.abc import Mapping, Sequence

from nntui.program.control.loading.source_file import read_program
from nntui.program.program_error import ProgramError

Stamp = tuple[tuple[int, int] | None, ...]
"""What changes when somebody writes one of the files: times and sizes."""


class FilesOnDisk:
    """The texts of the program at ``path``, whose own file is ``main``, and of its other files."""

    def __init__(self, path: str, main: str, texts: Mapping[str, str]) -> None:
        self._path, self._main = path, main
        self._texts = dict(texts)
        self.stamp: Stamp = tuple(map(_stamp, texts))
        """That of the last look."""

    @property
    def texts(self) -> Mapping[str, str]:
        """What they held at the last look, by file."""
        return self._texts

    def add(self, texts: Mapping[str, str]) -> None:
        """More files, as they were read; what is known of them already stays."""
        self._texts = {**texts, **self._texts}

    def compare_anew(self) -> None:
        """Read the files at the next look, whether or not their times have changed."""
        self.stamp = ()

    def edited(
        self, files: Mapping[str, str], running: Sequence[Mapping[str, str]]
    ) -> dict[str, str]:
        """By file, what ``files`` hold now, where none of the texts ``running`` is the same.

        Raises ProgramError, once, if one was edited and is no program any more.
        """
        stamp = tuple(map(_stamp, files))
        if stamp != self.stamp:
            self.stamp = stamp
            for file in files:
                self._read(file)
        return {
            file: text
            for file, text in self._texts.items()
            if text not in {texts.get(file) for texts in running}
        }

    def _read(self, file: str) -> None:
        """Read ``file`` anew; one that is gone stays as it was."""
        path = self._path if file == self._main else file
        try:
            self._texts[file] = read_program(path).text
        except ProgramError as error:
            if os.path.exists(path):
                raise ProgramError(f"the file was edited, and cannot be run: {error}") from None


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
