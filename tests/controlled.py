"""A person's program under control: run in a fork of the test, compared with Python alone."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from nntui.program.control.execution import Execution
from nntui.program.control.forks import Reply

Job = Callable[[Execution, Reply], None]


def written(folder: Path, text: str, name: str = "mynet.py") -> str:
    """The path of a program with ``text``."""
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return str(path)


def alone(path: str, *arguments: str, python: str = sys.executable) -> Any:
    """What Python makes of the program alone."""
    buffered = {name: each for name, each in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [python, path, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=buffered,
    )


def inside(path: str, job: Job, *arguments: str, seconds: float = 30, **options: Any) -> Any:
    """What ``job``, called in a fork in front of the program's start, replies there."""
    execution = Execution(path, arguments, **options)

    def begin(reply: Reply) -> None:
        warnings.resetwarnings()  # pytest makes errors of them
        job(execution, reply)

    return execution.analyse(begin, seconds)


def to_the_end(path: str, *arguments: str, **options: Any) -> Any:
    """How the program ends, and what it has printed by then."""

    def job(execution: Execution, reply: Reply) -> None:
        def at_end() -> None:
            assert execution.ending is not None
            world = execution.world
            reply(
                {
                    "ending": execution.ending.as_dict(),
                    "output": world.output.text(),
                    "errors": world.errors.text(),
                    "seed": world.seeding.chosen,
                    "seeded_by_us": world.seeding.seeded_by_us,
                }
            )

        execution.on_end = at_end

    return inside(path, job, *arguments, **options)


def at_iteration(path: str, count: int, look: Callable[[Execution], Any], **options: Any) -> Any:
    """What ``look`` returns at the start of iteration ``count`` of any loop, from 0."""

    def job(execution: Execution, reply: Reply) -> None:
        seen = [0]

        def turn(_: int) -> None:
            seen[0] += 1
            if seen[0] > count:
                reply({"seen": look(execution)})

        execution.on_iteration = turn

    return inside(path, job, **options)["seen"]
