"""Configuration changes in the middle of a run: what the state keeps, and what is not allowed."""

from dataclasses import replace
from typing import Any

import numpy as np

from nntui.core.engine.state import State, frozen
from nntui.core.engine.trainer import draw_order
from nntui.core.engine.update import optimiser_of
from nntui.core.errors import ConfigError
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.dotted_keys import FIRST

FIXED = {"training": "batch, order and draws", "report": "rows, when and every"}
"""By section, the keys that can be changed only between two epochs."""


def changed(state: State, configuration: Configuration) -> State:
    """``state`` under another ``configuration`` with the same data and layers.

    Parameters and counts stay.  The same optimiser keeps its slots, and new slots start at 0;
    another optimiser starts afresh and counts its updates from here.  If the order of samples is
    drawn differently, the order of the next epoch is drawn anew.  A diverged state stays diverged.

    Raises ConfigError for other data, layers or first draws, and in the middle of an epoch for
    another batch, order or number of draws, or for a report over other rows or epochs.
    """
    before = state.configuration
    for key in FIRST:
        if getattr(before, key) != getattr(configuration, key):
            raise ConfigError(key, "determines update 0 and can be changed only there")
    for key, names in FIXED.items():
        now, then = fixed_in_epoch(configuration)[key], fixed_in_epoch(before)[key]
        if now != then and state.position > 0:
            raise ConfigError(
                key,
                f"{names} can be changed only between two epochs; "
                f"{state.position} of {before.updates_per_epoch} updates of this one are done",
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
    """The settings that determine how an epoch's order is drawn."""
    return configuration.training.order, configuration.samples_per_epoch


def fixed_in_epoch(configuration: Configuration) -> dict[str, tuple[Any, ...]]:
    """By section of `FIXED`, the settings that cannot change in the middle of an epoch.

    They determine which samples an update takes, and what the report of the epoch covers.
    """
    report = configuration.report
    return {
        "training": (*_drawn(configuration), configuration.batch_size),
        "report": (report.rows, report.when, report.every),
    }
