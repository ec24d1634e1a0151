"""What a program prints, kept in a file; a process remembers only how far it has come.

Forks share the file: one that runs the program again writes the same text at the same offset, so
the text up to an update is the same whichever copy of the program came there.
"""

import io
import os
from typing import Any

MOST = 32 << 20
"""Bytes that are kept; what is printed behind them is counted only."""


class CapturedOutput(io.RawIOBase):
    """A stream that is written to ``path``, at an offset that belongs to this process."""

    def __init__(self, path: str, descriptor: int) -> None:
        super().__init__()
        self._path, self._number = path, descriptor
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        self.written = 0
        """Bytes printed so far."""
        self.kept = True
        """Whether they are kept: a fork whose text nobody reads need not."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """That of the standard stream; what is written to it otherwise is lost."""
        return self._number

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if self.kept and self.written < MOST:
            part, at = view[: MOST - self.written], self.written
            while part:
                count = _write_at(self._descriptor, part, at)
                part, at = part[count:], at + count
        self.written += len(view)
        return len(view)

    def text(self, last: int | None = None) -> str:
        """The text so far, or its ``last`` bytes."""
        end = min(self.written, MOST)
        begin = 0 if last is None else max(end - last, 0)
        return self.read_at(begin, end)

    def read_at(self, begin: int, end: int) -> str:
        """The text between two offsets."""
        with open(self._path, "rb") as file:
            file.seek(begin)
            return file.read(end - begin).decode("utf-8", "replace")


def _write_at(descriptor: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):  # which forks can use at the same time
        return os.pwrite(descriptor, data, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)


def text_stream(raw: CapturedOutput) -> io.TextIOWrapper:
    """``raw`` as the stream that a program prints to, buffered as when its output is piped."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw, 1 << 13), encoding="utf-8", errors="backslashreplace", newline="\n"
    )


class EmptyInput(io.TextIOBase):
    """A standard input that answers every question with an empty line."""

    def readable(self) -> bool:
        return True

    # The type of `io.IOBase` knows bytes alone.
    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        return "\n" if size else ""

    def read(self, size: int | None = -1) -> str:
        return ""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def answer_nothing(prompt: object = "", /) -> str:
    """In place of `input`: prints the prompt, and answers with an empty line."""
    print(prompt, end="")
    return ""
