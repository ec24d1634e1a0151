"""Changing the configuration in the middle of a run: what is kept, and what cannot be changed."""

from dataclasses import replace

import numpy as np

from nntui.core.engine.state import State, frozen
from nntui.core.engine.trainer import draw_order
from nntui.core.engine.update import optimiser_of
from nntui.core.errors import ConfigError
from nntui.core.settings.configuration import Configuration

STRUCTURAL = ("data", "layers", "seed")
"""The parts of a preset that decide update 0 itself."""


def is_structural(key: str) -> bool:
    """Whether the dotted ``key`` of a preset belongs to what decides update 0."""
    return key.split(".")[0] in STRUCTURAL


def changed(state: State, configuration: Configuration) -> State:
    """``state``, to be trained on under another ``configuration`` of the same data and layers.

    Parameters and counts stay.  An optimiser keeps its slots, and new ones start at 0; another
    optimiser starts afresh and counts from here.  Where the epoch is taken in another order, the
    order of the coming one is drawn anew.  A divergence stays one.

    Raises ConfigError for other data or layers, and for another batch, order or number of draws
    in the middle of an epoch.
    """
    before = state.configuration
    for key in ("data", "layers"):
        if getattr(before, key) != getattr(configuration, key):
            raise ConfigError(key, "decides update 0 itself, and can be changed only there")
    if _taken(before) != _taken(configuration) and state.position > 0:
        raise ConfigError(
            "training",
            "batch, order and draws can be changed only between two epochs, and "
            f"{state.position} of {before.updates_per_epoch} updates of this one are made",
        )
    kept = dict(zip(optimiser_of(before).slots, state.slots, strict=True))
    since = state.since
    if before.training.optimiser != configuration.training.optimiser:
        kept, since = {}, state.update
    zeros = frozen(np.zeros_like(state.theta))
    order, random = state.order, state.random
    if _drawn(before) != _drawn(configuration):
        source = np.random.RandomState()
        source.set_state(random)
        order = draw_order(configuration, source)
        random = tuple(source.get_state(legacy=True))
    return replace(
        state,
        configuration=configuration,
        slots=tuple(kept.get(name, zeros) for name in optimiser_of(configuration).slots),
        since=since,
        order=order,
        random=random,
    )


def _drawn(configuration: Configuration) -> tuple[str, int]:
    """What decides how an epoch's order is drawn."""
    return configuration.training.order, configuration.samples_per_epoch


def _taken(configuration: Configuration) -> tuple[tuple[str, int], int]:
    """What decides which samples an update takes."""
    return _drawn(configuration), configuration.batch_size
