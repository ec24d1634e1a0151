"""Planted faults: each turns a healthy network into one with a known cause of failure."""

from collections.abc import Callable
from typing import Any

from nntui.bench.matrix import code_plants, data_plants, setting_plants
from nntui.bench.matrix.data_plants import inputs
from nntui.bench.matrix.planting import (
    COMBINED,
    Make,
    Plant,
    Planted,
)
from nntui.bench.matrix.setting_plants import rate
from nntui.bench.matrix.tasks import Source, Task

_SLOPES = {"relu": "step(z, 0)", "tanh": "1 - a^2", "leaky": "max(step(z, 0), 0.01)"}


def _with(faults: Callable[[str], list[Any]], plant: Make) -> Make:
    """The fault of ``plant``, and ``faults`` of an architecture in the program."""

    def make(task: Task, architecture: str, source: Source) -> Planted | None:
        made = plant(task, architecture, source)
        if made is None:
            return None
        return Planted(made.healthy, {**made.faulty, "faults": faults(architecture)})

    return make


def _slight_slope(architecture: str) -> list[Any]:
    of = f"1.00004*({_SLOPES[architecture]})"
    return [{"name": "derivative", "layers": [0], "of": of}]


COMBINED_PLANTS = (
    Plant(
        "slight-slope-and-inputs",
        COMBINED,
        _with(_slight_slope, inputs(lambda column, x: 1000.0 * x)),
    ),
    Plant(
        "slight-factor-and-rate",
        COMBINED,
        _with(lambda architecture: [{"name": "wrong-factor", "factor": 1.0001}], rate(1e-3)),
    ),
    Plant("decay-and-rate", COMBINED, _with(lambda architecture: ["bias-decay"], rate(1e-3))),
)
PLANTS: dict[str, Plant] = {
    each.kind: each
    for each in (
        *code_plants.PLANTS,
        *setting_plants.PLANTS,
        *COMBINED_PLANTS,
        *data_plants.PLANTS,
    )
}
"""By kind."""
