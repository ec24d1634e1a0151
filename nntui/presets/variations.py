"""Ready-made changes of a preset: what people try first when a network does not learn."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from nntui.presets.preset import Preset
from nntui.presets.preset_table import fault_tables

Variation = tuple[str, dict[str, Any]]
"""A change as text, and as dotted keys."""

FACTORS = ((10.0, "ten times"), (3.0, "three times"), (1 / 3, "a third of"), (0.1, "a tenth of"))


def variations(preset: Preset) -> Iterator[Variation]:
    """Changes of rate, faults and optimiser that ``preset`` accepts at any update."""
    yield from rates(preset)
    yield from _faults(preset)
    yield from optimisers(preset)


def rates(preset: Preset) -> Iterator[Variation]:
    """Other learning rates."""
    training = preset.configuration.training
    for factor, words in FACTORS:
        rate = float(f"{training.learning_rate * factor:.3g}")
        if rate != training.learning_rate and isfinite(rate):
            yield f"{words} the learning rate: {rate:g}", {"training.learning_rate": rate}


def optimisers(preset: Preset) -> Iterator[Variation]:
    """Other optimiser settings."""
    training = preset.configuration.training
    if training.optimiser in ("sgd", "nesterov"):
        momentum = 0.0 if training.momentum else 0.9
        yield f"momentum {momentum:g}", {"training.momentum": momentum}
    if training.optimiser != "adam":
        yield (
            "the optimiser Adam at rate 0.001",
            {"training.optimiser": "adam", "training.learning_rate": 0.001},
        )
    if training.clip_norm is None:
        yield "the gradient's norm clipped to 1", {"training.clip_norm": 1.0}


def _faults(preset: Preset) -> Iterator[Variation]:
    entries = fault_tables(preset.configuration.faults)
    names = [each.name for each in preset.configuration.faults]
    if len(names) > 1:
        for place, name in enumerate(names):
            yield f"without the fault {name}", {"faults": entries[:place] + entries[place + 1 :]}
    if names:
        every = "any fault" if len(names) > 1 else f"the fault {names[0]}"
        yield f"without {every}", {"faults": []}
