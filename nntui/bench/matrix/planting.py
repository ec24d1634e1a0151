"""What it is to plant a fault: a healthy network and its faulty twin."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

from nntui.bench.matrix.tasks import ARCHITECTURES, Source, Task

CODE, CONFIGURATION, DATA, COMBINED = "code", "configuration", "data", "combined"
FAMILIES = (CODE, CONFIGURATION, DATA, COMBINED)
"""Where the fault is; combined: in the program, and in a setting or the data as well."""


@dataclass(frozen=True)
class Planted:
    """A healthy network and its faulty twin, as tables."""

    healthy: Source
    faulty: Source
    layers: tuple[int, ...] = ()
    """Where a code fault shows: the layers one may point at; empty for wherever it is found."""


Make = Callable[[Task, str, Source], Planted | None]


@dataclass(frozen=True)
class Plant:
    """One kind of fault; `plant` gives None where it makes no sense."""

    kind: str
    family: str
    plant: Make


def changed(change: Callable[[Task, str, Source], bool | None]) -> Make:
    """A plant of a function that changes a table, and returns False where it should not."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        faulty = copy.deepcopy(source)
        return None if change(task, architecture, faulty) is False else Planted(source, faulty)

    return make


def layers_of(architecture: str) -> int:
    return ARCHITECTURES[architecture][1] + 1


def lowest(task: Task) -> float:
    return min(value for row in task.targets for value in row)
