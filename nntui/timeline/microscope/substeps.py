"""Sub-steps: one update taken apart into forward, loss, backward and update, layer by layer.

Their order is the one in which the update computes its tensors, so a fault that updates a layer
too early shows in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

Key = tuple[str, int]
"""A tensor as `core.tape.ComputedTensor` names it, and its layer."""


class Phase(StrEnum):
    """What is being done."""

    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    UPDATE = "update"


_PHASES = {
    **dict.fromkeys(("z", "a", "spread", "h"), Phase.FORWARD),
    "error": Phase.LOSS,
    **dict.fromkeys(
        ("upstream", "slope", "delta", "gradient of W", "gradient of b"), Phase.BACKWARD
    ),
}
"""What is not listed belongs to the optimiser."""


def phase_of(tensor: str) -> Phase:
    """The phase in which ``tensor`` is computed."""
    return _PHASES.get(tensor, Phase.UPDATE)


@dataclass(frozen=True)
class SubStep:
    """One part of an update: what is done, in which layers, and what is known then."""

    phase: Phase
    layers: tuple[int, ...]
    """In the order of computation; of the loss and of one layer's pass there is one."""
    tensors: frozenset[Key]
    name: str
    """Such as ``forward 0``, ``loss``, ``backward 1`` or ``update``."""


def substeps(computed: Iterable[Key], depth: int) -> tuple[SubStep, ...]:
    """The sub-steps of an update of ``depth`` layers that computes these tensors, in that order."""

    def part(key: Key) -> tuple[Phase, int | None]:
        phase = phase_of(key[0])
        return phase, key[1] if phase in (Phase.FORWARD, Phase.BACKWARD) else None

    steps = []
    for (phase, layer), group in groupby(computed, part):
        keys = list(group)
        layers = tuple(dict.fromkeys(layer for _, layer in keys))
        name = str(phase)
        if layer is not None or (phase is Phase.UPDATE and len(layers) < depth):
            name += f" {', '.join(map(str, layers))}"
        steps.append(SubStep(phase, layers, frozenset(keys), name))
    return tuple(steps)
