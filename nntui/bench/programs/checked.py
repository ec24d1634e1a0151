"""Check every program and mutant with the public command, in parallel processes."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from nntui.bench.programs.known_programs import GROUPS, KnownProgram, kept_apart, programs
from nntui.bench.programs.mutants import Mutant, mutants

MUTANTS = "mutants"
ALL_GROUPS = (*GROUPS, MUTANTS)
CHECK_TIME = 10.0
"""Seconds that a check is given."""
PATIENCE = 60.0
"""Seconds after which a check that does not end is killed."""

Progress = Callable[[int, int], None]
"""Called with how many checks are done, and of how many."""


@dataclass(frozen=True)
class Case:
    """A program or mutant and its truth."""

    group: str
    name: str
    program: KnownProgram
    ok: bool
    lines: tuple[str, ...]
    anywhere: tuple[str, ...] = ()
    file: str | None = None
    """The file that is mutated, and its text."""
    text: str | None = None
    operator: str = ""


@dataclass(frozen=True)
class Checked:
    """What the checker said of a case."""

    case: Case
    exit_code: int
    seconds: float
    answer: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""


def cases(kept: bool | None = False, limit: int | None = None) -> list[Case]:
    """The cases of a part: those to tune on, those kept apart, or all (None).

    ``limit`` is the most of each group.  Programs that need a package which is not installed are
    left out.
    """
    known = {program.title: program for program in programs() if _installed(program)}
    found = [
        Case(program.group, title, program, program.ok, program.lines)
        for title, program in known.items()
    ]
    found += [of_mutant(mutant, known[mutant.program]) for mutant in mutants()]
    if kept is not None:
        found = [each for each in found if kept_apart(each.program.title) == kept]
    if limit is not None:
        chosen = {
            each.name
            for group in ALL_GROUPS
            for each in sorted((e for e in found if e.group == group), key=_order)[:limit]
        }
        found = [each for each in found if each.name in chosen]
    return found


def _order(case: Case) -> bytes:
    """An order that mixes programs and operators, and is the same every time."""
    return hashlib.sha256(case.name.encode()).digest()


def _installed(program: KnownProgram) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in program.needs)


def of_mutant(mutant: Mutant, program: KnownProgram) -> Case:
    """The case of a mutant of ``program``."""
    source = (program.path.parent / mutant.file).read_text()
    return Case(
        MUTANTS,
        mutant.name,
        program,
        mutant.ok,
        mutant.accepted,
        mutant.anywhere,
        mutant.file,
        mutant.apply(source),
        mutant.operator,
    )


def check_all(
    chosen: list[Case], progress: Progress | None = None, workers: int | None = None
) -> list[Checked]:
    """Check the cases; the answers in their order."""
    done: list[Checked] = []
    count = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as threads:  # the work is done by processes
        for checked in threads.map(check_case, chosen):
            done.append(checked)
            if progress is not None:
                progress(len(done), len(chosen))
    return done


def check_case(case: Case) -> Checked:
    """Check one case in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="nntui-bench-") as scratch:
        main = case.program.path.name
        for name in (main, *case.program.helpers):
            shutil.copy(case.program.path.parent / name, scratch)
        if case.file is not None and case.text is not None:
            Path(scratch, case.file).write_text(case.text)
        return _answered(case, os.path.join(scratch, main))


def command_line(path: str) -> list[str]:
    """The command that checks a program."""
    return [sys.executable, "-m", "nntui", "check", path, "--json", "--time", f"{CHECK_TIME:g}"]


def _answered(case: Case, path: str) -> Checked:
    started = perf_counter()
    child = subprocess.Popen(
        command_line(path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.communicate()
        return Checked(case, -9, PATIENCE, {}, f"did not end within {PATIENCE:g} s")
    seconds = perf_counter() - started
    complaint = err.decode(errors="replace").strip()[-500:]
    try:
        answer = json.loads(out) if child.returncode in (0, 1, 3) else {}
    except ValueError:
        answer, complaint = {}, f"printed no JSON: {out[:100]!r} {complaint}"
    return Checked(case, child.returncode, seconds, answer, complaint)
