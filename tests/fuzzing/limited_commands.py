"""Commands in processes of their own with a limit of time: their answers, and what they cost.

Run as a program it answers a line of JSON, the arguments of a command, with another; each command
runs in a fork of a process that has imported what it needs, which takes milliseconds.  Time is that
of the processor, the process's own and that of all it started, so no other process changes it.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SECONDS = 1.0
"""Of the processor, for input that is refused."""
MEGABYTES = 300.0
"""Likewise the largest resident set."""
PATIENCE = 20
"""Seconds of the processor for any command."""
CODES = {0, 1, 2, 3}
WORDS = ("Traceback", "Warning", "Exception ignored", "Segmentation")


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it wrote, and what it cost."""

    code: int
    seconds: float
    megabytes: float
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """What a person at the terminal would not want to see."""
        found = [word for word in WORDS if word in self.err or word in self.out]
        if self.code not in CODES:
            found.append(f"ended with {self.code}")
        elif self.code == 2:
            one = self.err.startswith("nntui: ") and self.err.count("\n") == 1 and not self.out
            found += [] if one else ["a refusal is one line on standard error"]
            found += [f"refused after {self.seconds:.1f} s"] * (self.seconds > SECONDS)
            found += [f"refused with {self.megabytes:.0f} MB"] * (self.megabytes > MEGABYTES)
        elif not all(line.startswith("nntui: ") for line in self.err.splitlines()):
            found.append("wrote to standard error")
        return found


class Server:
    """The process that runs the commands."""

    def __init__(self, into: IO[str], out_of: IO[str]) -> None:
        self._into, self._out_of = into, out_of

    def run(self, *arguments: str) -> Ended:
        """Run ``nntui`` with ``arguments``."""
        self._into.write(json.dumps(arguments) + "\n")
        self._into.flush()
        return Ended(**json.loads(self._out_of.readline()))


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A process that runs commands in ``folder``."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "NNTUI_DATA_DIR": str(folder / "data")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Server(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _serve() -> None:
    # What the commands import; NumPy's threads would not survive a fork.
    import nntui.cli_answers
    import nntui.diagnosis.check
    import nntui.diagnosis.why
    import nntui.export
    import nntui.sweeps
    import nntui.timeline.sessions.session  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(arguments: list[str]) -> dict[str, object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(arguments, out.fileno(), err.fileno())
        _, status, used = os.wait4(child, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "seconds": used.ru_utime + used.ru_stime,
            "megabytes": used.ru_maxrss / 1024,
            "out": out.read(100_000).decode(errors="replace"),
            "err": err.read(100_000).decode(errors="replace"),
        }


def _become(arguments: list[str], out: int, err: int) -> None:
    """Run the command in this process, and end it."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 1))
        sys.argv = ["nntui", *arguments]
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        from nntui.__main__ import start

        code = start()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
