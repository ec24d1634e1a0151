"""The command line, in this process or in one of its own: what it prints, and what it refuses."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

from nntui.cli import main


@dataclass
class Done:
    """How a command ended, and what it wrote; named like what `subprocess` gives."""

    returncode: int
    stdout: str
    stderr: str


class Stream(io.TextIOWrapper):
    """A stream in UTF-8 that is kept in memory, and is no terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def written(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


def command(*arguments: str) -> Done:
    """Run ``nntui`` with ``arguments``."""
    out, err = Stream(), Stream()
    with (
        mock.patch.object(sys, "argv", ["nntui", *arguments]),
        mock.patch.dict(os.environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.written(), err.written())


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``nntui`` in a process of its own, where it matters: it costs half a second."""
    line = [sys.executable, "-m", "nntui", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=300)


def parsed(text: str) -> dict[str, Any]:
    """The JSON object that ``text`` is, which must hold no NaN or Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def printed(*arguments: str) -> dict[str, Any]:
    """The JSON object that a command prints, without a word on standard error."""
    done = command(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return parsed(done.stdout)


def refused(*arguments: str) -> str:
    """What a command says, in one line, of input that it does not take."""
    return refusal(command(*arguments))


def refusal(done: Done | subprocess.CompletedProcess[str]) -> str:
    """The one line in which a command refused its input."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("nntui: ")
    assert "Traceback" not in done.stderr
    return done.stderr
