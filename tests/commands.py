"""The command line in a process of its own: what it prints, and what it refuses."""

import json
import subprocess
import sys
from typing import Any


def command(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nntui", *arguments],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=120,
    )


def printed(*arguments: str) -> dict[str, Any]:
    done = command(*arguments)
    assert done.returncode == 0, done.stderr

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    value = json.loads(done.stdout, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def refused(*arguments: str) -> str:
    done = command(*arguments)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("nntui: ")
    assert "Traceback" not in done.stderr
    return done.stderr
