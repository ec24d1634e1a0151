"""Faults planted in the data: they cannot be learnt as they stand."""

from collections.abc import Callable

from nntui.bench.matrix.planting import (
    DATA,
    Make,
    Plant,
    changed,
)
from nntui.bench.matrix.tasks import Source, Task


def inputs(function: Callable[[int, float], float], least: int = 1) -> Make:
    """Every input through a function of its column and value; from so many columns on."""

    def change(task: Task, architecture: str, source: Source) -> bool | None:
        if len(task.inputs[0]) < least:
            return False
        rows = source["data"]["inputs"]
        source["data"]["inputs"] = [[function(c, x) for c, x in enumerate(row)] for row in rows]
        return None

    return changed(change)


def _targets(factor: float, offset: float) -> Make:
    def change(task: Task, architecture: str, source: Source) -> bool | None:
        if task.classifies:
            return False
        rows = source["data"]["targets"]
        source["data"]["targets"] = [[factor * y + offset for y in row] for row in rows]
        source["goal"]["loss"] *= factor**2  # the same share of the targets' variance
        return None

    return changed(change)


def _contradictions(task: Task, architecture: str, source: Source) -> None:
    """Half of the rows stand there twice, with the target of another row or its opposite."""
    data, half = source["data"], len(task.inputs) // 2
    data["inputs"] = [*data["inputs"], *data["inputs"][:half]]
    if len(task.targets[0]) > 1:
        opposite = [[*row[1:], row[0]] for row in task.targets[:half]]
    else:
        ends = sorted(row[0] for row in task.targets)
        opposite = [[ends[0] + ends[-1] - row[0]] for row in task.targets[:half]]
    data["targets"] = [*data["targets"], *opposite]


def contradictory(source: Source) -> bool:
    """Whether rows with the same inputs have different targets."""
    seen: dict[tuple[float, ...], list[float]] = {}
    rows = zip(source["data"]["inputs"], source["data"]["targets"], strict=True)
    return any(seen.setdefault(tuple(x), y) != y for x, y in rows)


def _lost_input(task: Task, architecture: str, source: Source) -> bool | None:
    for row in source["data"]["inputs"]:
        row[-1] = 0.0
    return contradictory(source) or False


PLANTS = (
    Plant("inputs-large", DATA, inputs(lambda column, x: 1000.0 * x)),
    Plant("inputs-offset", DATA, inputs(lambda column, x: x + 100.0)),
    Plant("inputs-uneven", DATA, inputs(lambda column, x: x * (1 if column else 1000), 2)),
    Plant("targets-large", DATA, _targets(1000.0, 0.0)),
    Plant("targets-offset", DATA, _targets(1.0, 100.0)),
    Plant("contradictions", DATA, changed(_contradictions)),
    Plant("lost-input", DATA, changed(_lost_input)),
)
