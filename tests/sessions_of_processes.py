"""The processes of a session, counted by their numbers: none may be left behind."""

import time
from pathlib import Path


def members(session: int) -> list[int]:
    """The processes of ``session`` that run; one that only waits to be counted does not."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(file.parent.name))
    return found


def all_gone(session: int) -> None:
    """Wait until no process of ``session`` runs."""
    for _ in range(3000):
        if not members(session):
            return
        time.sleep(0.01)
    raise AssertionError(f"processes {members(session)} still run")


def computed(session: int) -> int:
    """The clock ticks that all processes of ``session`` have computed."""
    total = 0
    for pid in members(session):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


def proportional_memory(session: int) -> int:
    """The bytes of all processes of ``session``, shared pages counted once."""
    return 1024 * sum(
        int(line.split()[1])
        for pid in members(session)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )
