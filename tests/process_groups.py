"""A command in a process group of its own: whether it is at work."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
WORK = 0.3
"""Seconds of computing that are more than a preparation."""


def at_work(leader: int, *, by_others: bool = False) -> None:
    """Wait until a command handles SIGTERM, and has computed for a while since then.

    With ``by_others``, what the processes that it has started compute counts as well.
    """
    _until(lambda: _handles(leader, signal.SIGTERM))
    before = _computed(leader, by_others)
    _until(lambda: _computed(leader, by_others) > before + WORK)


def _handles(process: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _computed(leader: int, by_others: bool) -> float:
    return sum(seconds for each, _, seconds in _members(leader) if by_others or each == leader)


def _members(group: int) -> Iterator[tuple[int, str, float]]:
    """Number, state and computing time of each process of ``group``."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:
            yield int(file.parent.name), fields[0], (int(fields[11]) + int(fields[12])) / TICKS


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to hold")
