"""Run the matrix: enumerate its cells and collect their outcomes from worker processes."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from nntui.bench.matrix.accepted import KEPT_KINDS, KEPT_TASKS
from nntui.bench.matrix.outcomes import Faulty, Healthy
from nntui.bench.matrix.plants import PLANTS
from nntui.bench.matrix.tasks import ARCHITECTURES, TASKS
from nntui.bench.matrix.work import Cell, Well, planted
from nntui.sweeps.processes import local_processes

TUNING, KEPT_APART, ALL = "tuning", "kept-apart", "all"
PARTS = (TUNING, KEPT_APART, ALL)
SEEDS, QUICK_SEEDS = 10, 2
HEALTHY_SEEDS = 10
"""Healthy runs of one job."""
SPARE = 1.02
"""More healthy runs than are wanted, to replace those that fail without any fault."""

Progress = Callable[[int, int], None]
"""Called with how many jobs are done, and of how many."""


@dataclass(frozen=True)
class Outcomes:
    """What became of a part of the matrix."""

    part: str
    seeds: int
    faulty: tuple[Faulty, ...]
    healthy: tuple[Healthy, ...]


def in_part(part: str, kind: str, task: str) -> bool:
    """Whether the cells of ``kind`` and ``task`` belong to ``part`` of the matrix."""
    kept = kind in KEPT_KINDS or task in KEPT_TASKS
    return part == ALL or kept == (part == KEPT_APART)


def cells(part: str, seeds: int) -> list[Cell]:
    """The cells of a part in which the fault makes sense."""
    return [
        Cell(kind, task, architecture, tuple(range(seeds)))
        for kind in PLANTS
        for task in TASKS
        for architecture in ARCHITECTURES
        if in_part(part, kind, task) and planted(kind, task, architecture) is not None
    ]


def wells(part: str, runs: int) -> Iterator[Well]:
    """Healthy runs of the tasks of a part, somewhat more than ``runs``."""
    tasks = [task for task in TASKS if part == ALL or (task in KEPT_TASKS) == (part == KEPT_APART)]
    networks = [(task, architecture) for task in tasks for architecture in ARCHITECTURES]
    each = ceil(SPARE * runs / len(networks))
    for start in range(0, each, HEALTHY_SEEDS):
        seeds = tuple(range(start, min(start + HEALTHY_SEEDS, each)))
        yield from (Well(task, architecture, seeds) for task, architecture in networks)


def run_matrix(
    part: str = ALL,
    seeds: int = SEEDS,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Outcomes:
    """Run a part of the matrix; the same outcomes, in the same order, with any workers."""
    faulty = cells(part, seeds)
    jobs: list[Any] = [*faulty, *wells(part, len(faulty) * seeds)]
    found: list[Any] = []
    count = workers if workers is not None else os.cpu_count() or 1
    with local_processes(count) as executor:
        results = map(_run, jobs) if executor is None else executor.map(_run, jobs, chunksize=4)
        for done, outcomes in enumerate(results, 1):
            found += outcomes
            if progress is not None:
                progress(done, len(jobs))
    return Outcomes(
        part,
        seeds,
        tuple(each for each in found if isinstance(each, Faulty)),
        tuple(each for each in found if isinstance(each, Healthy)),
    )


def _run(job: Cell | Well) -> list[Faulty] | list[Healthy]:
    try:
        return job.run()
    except Exception as error:
        error.add_note(f"in {job}")
        raise
